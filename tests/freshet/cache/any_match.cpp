#include <freshet/cache/any_match.hpp>

#include <cstddef>
#include <stdexcept>
#include <string>

#include <doctest/doctest.h>

#include <freshet/testing/manual_clock.hpp>
#include <support/watched_table.hpp>

namespace {

using freshet::any_match;
using freshet::document;
using freshet::errc;
using freshet::error;
using freshet::presence;
using freshet::result;
using support::watched_table;

const auto sleeps = [](const document& row) { return support::value_of(row) == "sleeping"; };

/// Nine orders on pages of two, found by their states too.
struct orders {
    freshet::testing::manual_clock clock{};
    watched_table table{clock, {.name = "orders", .indexes = {{"by_state", "V"}}, .page_rows = 2}};

    orders() {
        for (char sort = 'a'; sort != 'j'; ++sort) { table.write(std::string{sort}, "done"); }
    }
    orders(const orders&) = delete;
    auto operator=(const orders&) -> orders& = delete;
};

} // namespace

TEST_CASE("a hit on the third page, behind an empty one, is found, and ends the search") {
    orders of;
    of.table.write("e", "sleeping");
    of.table.shape = [&](watched_table::page& page) {
        if (of.table.pages == 2) { page.rows.clear(); }
    };
    CHECK(any_match(of.table, sleeps).value() == presence::yes);
    CHECK(of.table.pages == 3);
}

TEST_CASE("a table without a hit is read to its end") {
    orders of;
    CHECK(any_match(of.table, sleeps).value() == presence::no);
    CHECK(of.table.pages == 5);
    of.table.write("i", "sleeping");
    CHECK(any_match(of.table, sleeps).value() == presence::yes);
}

TEST_CASE("an empty table has no match") {
    orders of;
    for (char sort = 'a'; sort != 'j'; ++sort) { of.table.remove(std::string{sort}); }
    CHECK(any_match(of.table, sleeps).value() == presence::no);
}

TEST_CASE("where the budget ends before the table, it is not known, unless a hit was seen") {
    orders of;
    of.table.write("e", "sleeping");
    CHECK(any_match(of.table, sleeps, {.pages = 2}).value() == presence::unknown);
    CHECK(any_match(of.table, sleeps, {.pages = 3}).value() == presence::yes);
    CHECK(any_match(of.table, sleeps, {.rows = 4}).value() == presence::unknown);
    CHECK(any_match(of.table, sleeps, {.rows = 5}).value() == presence::yes); // a page is read to its end
    of.table.pages = 0;
    CHECK(any_match(of.table, sleeps, {.pages = 0}).value() == presence::unknown);
    CHECK(any_match(of.table, sleeps, {.rows = 0}).value() == presence::unknown);
    CHECK(of.table.pages == 0);
}

TEST_CASE("a budget that ends with the table still says no") {
    orders of;
    CHECK(any_match(of.table, sleeps, {.pages = 5}).value() == presence::no);
    CHECK(any_match(of.table, sleeps, {.rows = 9}).value() == presence::no);
    CHECK(any_match(of.table, sleeps, {.rows = 8}).value() == presence::unknown);
}

TEST_CASE("a page that fails, and a predicate that throws, fail the search") {
    orders of;
    of.table.before_page = [&]() -> result<void> {
        if (of.table.pages == 2) { return error{errc::throttled, "slower"}; }
        return {};
    };
    CHECK(any_match(of.table, sleeps).why() == error{errc::throttled, "slower"});
    const auto throws = [](const document&) -> bool { throw std::runtime_error{"hm"}; };
    CHECK(any_match(of.table, throws).why() == error{errc::failed, "hm"});
}

TEST_CASE("an index says whether any row has a state, and reads one row") {
    orders of;
    const freshet::index_query sleeping{"by_state", "sleeping"};
    CHECK(any_match(of.table, sleeping).value() == presence::no);
    of.table.write("e", "sleeping");
    of.table.write("f", "sleeping");
    std::size_t rows = 0;
    of.table.shape = [&](watched_table::page& page) { rows += page.rows.size(); };
    CHECK(any_match(of.table, sleeping).value() == presence::yes);
    CHECK(rows == 1);
    CHECK(of.table.pages == 0);
}

TEST_CASE("among a query's rows it pages on behind an empty page too") {
    orders of;
    of.table.write("h", "sleeping");
    const freshet::index_query all{"", "p"};
    of.table.shape = [&](watched_table::page& page) {
        if (of.table.queries == 1) { page.rows.clear(); }
    };
    CHECK(any_match(of.table, all, sleeps).value() == presence::yes);
    CHECK(of.table.queries == 4);
    of.table.queries = 0;
    CHECK(any_match(of.table, all).value() == presence::yes); // the second page
    CHECK(of.table.queries == 2);
    of.table.queries = 0;
    CHECK(any_match(of.table, all, sleeps, {.pages = 3}).value() == presence::unknown);
    CHECK(any_match(of.table, freshet::index_query{"by_nothing", "p"}).why().code == errc::malformed);
}
