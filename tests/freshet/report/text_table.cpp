#include <freshet/report/text_table.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/time.hpp>
#include "../core/dies_with.hpp"

namespace {

using namespace std::chrono_literals;
using freshet::number_text;
using freshet::text_table;

} // namespace

TEST_CASE("texts are aligned to the left, numbers and durations to the right, and names as their columns") {
    text_table table{{"label", "count", "took", "hits", "ok"}};
    table.row("DATE", 7, freshet::duration{1'500ms}, number_text{"99.5 %"}, true);
    table.row(std::string{"MERCHANT_NAME"}, 12'345, 12us, number_text{"7.0 %"}, false);
    CHECK(table.text() ==
          "label          count  took    hits  ok\n"
          "-------------  -----  ----  ------  -----\n"
          "DATE               7  1.5s  99.5 %  true\n"
          "MERCHANT_NAME  12345  12us   7.0 %  false\n");
}

TEST_CASE("absent and missing cells leave a column's alignment as it is") {
    text_table table{{"n", "text", "last"}};
    table.row(std::optional<int>{}, std::optional<std::string>{"x"});
    table.row(std::optional<int>{1'000}, std::optional<std::string>{}, 1);
    table.row();
    CHECK(table.text() ==
          "   n  text  last\n"
          "----  ----  ----\n"
          "   -  x\n"
          "1000  -        1\n"
          "\n");
}

TEST_CASE("a column with a single text is none of numbers") {
    text_table table{{"x"}};
    table.row(1'000);
    table.row("none");
    table.row(7);
    CHECK(table.text() == "x\n----\n1000\nnone\n7\n");
}

TEST_CASE("a table without rows is its header, and one without columns is next to nothing") {
    CHECK(text_table{{"a", "bc"}}.text() == "a  bc\n-  --\n");
    CHECK(text_table{std::vector<std::string>{}}.text() == "\n\n");
}

TEST_CASE("widths count characters and not bytes") {
    text_table table{{"é", "n"}};
    table.row("🌊🌊", 1);
    table.row("abc", 2);
    table.row("\xff", 3);
    CHECK(table.text() ==
          "é    n\n"
          "---  -\n"
          "🌊🌊   1\n"
          "abc  2\n"
          "\xff    3\n");
}

TEST_CASE("a cell is never two lines, nor endless") {
    text_table table{{"a\tb", "n"}};
    table.row("x\r\ny\x1b[2J", 1);
    CHECK(table.text() ==
          "a\\x09b             n\n"
          "-----------------  -\n"
          "x\\x0d\\x0ay\\x1b[2J  1\n");
    text_table longer{{"a"}};
    longer.row(std::string(10'000, 'x'));
    CHECK(longer.text().size() < 500);
}

TEST_CASE("a row that is longer than the header is the caller's mistake") {
    const auto said = dies_with([] {
        text_table table{{"a"}};
        table.row(1, 2);
    });
    CHECK(said == "freshet: a table's row has more cells than its header\n");
}
