#include <freshet/cache/every_row.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <adapters/memory/table.hpp>
#include <freshet/core/result.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <laws/items.hpp>

namespace {

using freshet::errc;
using freshet::page;
using freshet::paged_read;
using freshet::result;

/// Answers with these pages, one after the other, and keeps what it was asked.
struct scripted_table {
    using row_type = int;
    std::vector<result<page<int>>> pages;
    std::vector<std::pair<freshet::index_query, freshet::page_request>> asked{};

    auto query(const freshet::index_query& which, const freshet::page_request& request) -> result<page<int>> {
        asked.emplace_back(which, request);
        REQUIRE(asked.size() <= pages.size());
        return pages[asked.size() - 1];
    }
};

const auto always = [] { return result<void>{}; };

} // namespace

TEST_CASE("every row of every page is taken once, in order, and empty pages end nothing") {
    scripted_table table{{page<int>{{}, "a"}, page<int>{{1, 2}, "b"}, page<int>{{}, "c"}, page<int>{{}, ""},
                          page<int>{{3}, "a"}, page<int>{{}, std::nullopt}}};
    std::vector<int> taken;
    const auto read = freshet::every_row(table, {.index = "GSI1", .partition = "p", .sort_prefix = "s"}, 2, always,
                                         [&](int row) { taken.push_back(row); });
    REQUIRE(read.ok());
    CHECK(*read == paged_read{6, 3});
    CHECK(taken == std::vector<int>{1, 2, 3});
    const std::vector<std::optional<freshet::page_token>> from{std::nullopt, "a", "b", "c", "", "a"};
    REQUIRE(table.asked.size() == from.size());
    for (std::size_t i = 0; i != from.size(); ++i) {
        CHECK(table.asked[i].second.from == from[i]);
        CHECK(table.asked[i].second.limit == 2);
        CHECK(table.asked[i].first.index == "GSI1");
        CHECK(table.asked[i].first.partition == "p");
        CHECK(table.asked[i].first.sort_prefix == "s");
    }
}

TEST_CASE("a query without rows is one empty page") {
    scripted_table table{{page<int>{{}, std::nullopt}}};
    const auto read = freshet::every_row(table, {}, 0, always, [](int) { FAIL("there is none"); });
    REQUIRE(read.ok());
    CHECK(*read == paged_read{1, 0});
}

TEST_CASE("a page that fails ends it as that page did, and is not asked for again") {
    scripted_table table{
        {page<int>{{1}, "a"}, freshet::error{errc::throttled, "slower"}, page<int>{{2}, std::nullopt}}};
    std::vector<int> taken;
    const auto read = freshet::every_row(table, {}, 0, always, [&](int row) { taken.push_back(row); });
    REQUIRE(!read.ok());
    CHECK(read.why() == freshet::error{errc::throttled, "slower"});
    CHECK(taken == std::vector<int>{1});
    CHECK(table.asked.size() == 2);
}

TEST_CASE("before each page somebody is asked whether to go on") {
    scripted_table table{{page<int>{{1}, "a"}, page<int>{{2}, "b"}, page<int>{{3}, std::nullopt}}};
    int pages = 0;
    SUBCASE("and no page is asked for where the answer is no") {
        const auto read = freshet::every_row(
            table, {}, 0,
            [&]() -> result<void> {
                if (pages++ == 2) { return freshet::error{errc::expired, "no time"}; }
                return {};
            },
            [](int) {});
        REQUIRE(!read.ok());
        CHECK(read.why() == freshet::error{errc::expired, "no time"});
        CHECK(table.asked.size() == 2);
    }
    SUBCASE("also before the first") {
        const auto read = freshet::every_row(
            table, {}, 0,
            []() -> result<void> {
                return freshet::error{errc::expired, "no time"};
            },
            [](int) {});
        CHECK(!read.ok());
        CHECK(table.asked.empty());
    }
}

TEST_CASE("a page that is followed by itself does not go on for ever") {
    SUBCASE("the first one may be followed by an empty token") {
        scripted_table table{{page<int>{{1}, ""}, page<int>{{2}, std::nullopt}}};
        CHECK(freshet::every_row(table, {}, 0, always, [](int) {}).ok());
    }
    SUBCASE("which is no next page if it was asked for with that") {
        for (const auto* token : {"", "a"}) {
            scripted_table table{{page<int>{{1}, token}, page<int>{{2}, token}}};
            const auto read = freshet::every_row(table, {.index = "GSI1"}, 0, always, [](int) {});
            REQUIRE(!read.ok());
            CHECK(read.why().code == errc::malformed);
            CHECK(read.why().note == "the table's page 2 of index \"GSI1\" is followed by itself: it would never end");
        }
    }
}

TEST_CASE("the rows of an index are read whole, whatever the size of its pages") {
    freshet::testing::manual_clock clock;
    adapters::memory::table table{clock, {.indexes = {{"by_label", "label", "SK"}}}};
    for (int i = 0; i != 25; ++i) {
        const std::string label{i % 5 == 0 ? "OTHER" : "DATE"};
        REQUIRE(table
                    .put(laws::item(R"({"PK":{"S":"p"},"SK":{"S":")" + std::to_string(100 + i) +
                                    R"("},"label":{"S":")" + label + R"("}})"))
                    .ok());
    }
    for (std::size_t limit = 0; limit != 23; ++limit) {
        CAPTURE(limit);
        std::vector<std::string> rows;
        const auto read = freshet::every_row(
            table, {.index = "by_label", .partition = "DATE"}, limit, always,
            [&](const freshet::document& row) { rows.emplace_back(row.image().find("SK")->text()); });
        REQUIRE(read.ok());
        CHECK(read->rows == 20);
        std::vector<std::string> wanted;
        for (int i = 0; i != 25; ++i) {
            if (i % 5 != 0) { wanted.push_back(std::to_string(100 + i)); }
        }
        CHECK(rows == wanted);
    }
}
