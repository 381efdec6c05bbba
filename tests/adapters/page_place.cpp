#include <adapters/page_place.hpp>

#include <string>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>

using adapters::place_of;
using adapters::token_of;
using freshet::index_query;

namespace {

const adapters::item_table_options options{.name = "t"};
const adapters::page_place odd{"x", {"p:1", "s"}};

} // namespace

TEST_CASE("a token is read back, whatever bytes the keys have") {
    const index_query which{"GSI1", "3:a", "b"};
    for (const auto* query : {static_cast<const index_query*>(nullptr), &which}) {
        const adapters::page_place place{"1:x", {std::string{"\0:7", 3}, ""}};
        const auto back = place_of(options, query, token_of(options, query, place));
        REQUIRE(back.ok());
        CHECK(back->index_sort == place.index_sort);
        CHECK(back->row == place.row);
    }
}

TEST_CASE("a token of another scan or query, another table, or a damaged one is malformed") {
    const index_query which{"GSI1", "P", "x"};
    const auto good = token_of(options, &which, odd);
    const auto refused = [](const adapters::item_table_options& table, const index_query* query,
                            const std::string& token) {
        const auto place = place_of(table, query, token);
        return !place.ok() && place.why().code == freshet::errc::malformed;
    };
    CHECK(!refused(options, &which, good));
    CHECK(refused(options, nullptr, good));
    CHECK(refused({.name = "u"}, &which, good));
    for (const auto& other :
         {index_query{"GSI3", "P", "x"}, index_query{"GSI1", "Q", "x"}, index_query{"GSI1", "P", ""},
          index_query{"GSI1", "P", "xy"}, index_query{"", "P", "x"}, index_query{"GSI1", "P", "x", "a"},
          index_query{"GSI1", "P", "", "x"}, index_query{"GSI1", "P", "", "", "x"}}) {
        CHECK(refused(options, &other, good));
        CHECK(refused(options, &which, token_of(options, &other, odd)));
    }
    for (std::size_t size = 0; size < good.size(); ++size) { CHECK(refused(options, &which, good.substr(0, size))); }
    CHECK(refused(options, &which, good + "0:"));
    CHECK(refused(options, &which, good + " "));
}
