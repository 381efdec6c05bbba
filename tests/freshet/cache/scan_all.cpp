#include <freshet/cache/scan_all.hpp>

#include <chrono>
#include <optional>
#include <stop_token>

#include <doctest/doctest.h>

#include <freshet/testing/manual_clock.hpp>
#include <support/watched_table.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::deadline;
using freshet::errc;
using freshet::error;
using freshet::result;
using freshet::scan_all;

struct rig {
    freshet::testing::manual_clock clock{};
    support::watched_table table{clock, {.page_rows = 2}};

    rig() {
        for (const auto* sort : {"a", "b", "c", "d", "e"}) { table.write(sort); }
    }
    rig(const rig&) = delete;
    auto operator=(const rig&) -> rig& = delete;
};

} // namespace

TEST_CASE("all rows come in the order of the pages, over empty ones too") {
    rig of;
    of.table.shape = [&](support::watched_table::page& page) {
        if (of.table.pages == 2) { page.rows.clear(); }
    };
    const auto all = scan_all(of.table, of.clock);
    REQUIRE(all.ok());
    CHECK(all->pages == 3);
    CHECK(all->rows.size() == 3);
    of.table.shape = [](support::watched_table::page&) {};
    CHECK(support::texts_of(scan_all(of.table, of.clock)->rows) == support::scanned_texts(of.table.stored));
}

TEST_CASE("a failed page fails the whole") {
    rig of;
    of.table.before_page = [&]() -> result<void> {
        if (of.table.pages == 3) { return error{errc::unavailable, "third"}; }
        return {};
    };
    CHECK(scan_all(of.table, of.clock).why() == error{errc::unavailable, "third"});
}

TEST_CASE("a page that is followed by itself is refused, as it would never end") {
    rig of;
    of.table.shape = [&, first = std::optional<freshet::page_token>{}](support::watched_table::page& page) mutable {
        if (!first) { first = page.next; }
        page.next = first;
    };
    CHECK(scan_all(of.table, of.clock).why() ==
          error{errc::malformed, "the table's page 2 of a scan is followed by itself: it would never end"});
}

TEST_CASE("a deadline and a stop are looked at before each page, the first too") {
    rig of;
    const auto now = of.clock.now();
    CHECK(scan_all(of.table, of.clock, deadline::at(now)).why().code == errc::expired);
    CHECK(of.table.pages == 0);
    of.table.before_page = [&]() -> result<void> { return of.clock.advance(1s), result<void>{}; };
    CHECK(scan_all(of.table, of.clock, deadline::at(now + 2s)).why() ==
          error{errc::expired, "the deadline passed after 2 pages of a scan"});
    CHECK(scan_all(of.table, of.clock, deadline::in(2s + 1us, of.clock.now())).ok()); // it may pass during the last
    std::stop_source stop;
    stop.request_stop();
    CHECK(scan_all(of.table, of.clock, deadline::never(), stop.get_token()).why() ==
          error{errc::expired, "a stop was asked for after 0 pages of a scan"});
}
