#include <freshet/cache/table_cache.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/cache/refresh_policy.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <support/watched_table.hpp>

#include "../core/dies_with.hpp"

namespace {

using namespace std::chrono_literals;
using freshet::deadline;
using freshet::errc;
using freshet::error;
using freshet::presence;
using freshet::refresh_action;
using freshet::refresh_facts;
using freshet::refresh_reason;
using freshet::refresh_verdict;
using freshet::result;
using freshet::scan_origin;
using freshet::table_cache_options;
using freshet::testing::manual_clock;
using support::scanned_texts;
using support::texts_of;
using support::watched_table;
using cached_table = freshet::cached_table<watched_table>;
using snapshot = cached_table::snapshot;
using lines = std::vector<std::string>;

constexpr auto use(refresh_reason why) -> refresh_verdict { return {refresh_action::use, why}; }
constexpr auto refresh(refresh_reason why) -> refresh_verdict { return {refresh_action::refresh, why}; }

/// Two tables, and whether work sleeps.
struct bench {
    manual_clock clock{};
    watched_table students{clock, {.page_rows = 3}};
    watched_table stages{clock, {.name = "stages"}};
    result<presence> sleeping{presence::yes};
    std::size_t probes{};

    bench() {
        for (const auto* sort : {"a", "b", "c", "d", "e", "f", "g"}) { students.write(sort); }
        stages.write("first", "1");
    }
    bench(const bench&) = delete;
    auto operator=(const bench&) -> bench& = delete;

    auto tables() -> std::vector<cached_table> {
        return {cached_table{"students", students, students.key_function()},
                cached_table{"stages", stages, stages.key_function()}};
    }
    auto options(table_cache_options with = {}) -> table_cache_options {
        with.sleepers = [this] { return ++probes, sleeping; };
        return with;
    }
    template <class Policy = freshet::sleeping_aware>
    auto cache(Policy policy = {}) {
        return freshet::table_cache{tables(), clock, options(), std::move(policy)};
    }
};

} // namespace

TEST_CASE("a scan through the cache gives the rows of an uncached one, in its order, page by page") {
    bench b;
    auto cache = b.cache();
    const auto loaded = cache.scan("students");
    REQUIRE(loaded.ok());
    CHECK(texts_of(*loaded->rows) == scanned_texts(b.students.stored));
    CHECK(loaded->rows->size() == 7);
    CHECK(loaded->origin == scan_origin::scanned);
    CHECK(loaded->verdict == refresh(refresh_reason::never_loaded));
    CHECK(b.students.pages == 3);
    b.clock.advance(1min);
    const auto kept = cache.scan("students");
    CHECK(kept->rows == loaded->rows);
    CHECK(kept->origin == scan_origin::kept);
    CHECK(kept->age == 1min);
    CHECK(b.students.scans == 1);
}

TEST_CASE("a page without rows ends no scan") {
    bench b;
    b.students.shape = [n = 0](watched_table::page& page) mutable {
        if (++n <= 2) { page.rows.clear(); }
    };
    auto cache = b.cache();
    CHECK(cache.scan("students")->rows->size() == 1);
    CHECK(b.students.pages == 3);
}

TEST_CASE("an empty table is loaded once, like another") {
    bench b;
    b.stages.remove("first");
    auto cache = b.cache();
    CHECK(cache.scan("stages")->rows->empty());
    CHECK(cache.scan("stages")->origin == scan_origin::kept);
    CHECK(b.stages.scans == 1);
}

TEST_CASE("while work sleeps, a table is scanned once in ten minutes, and at ten minutes exactly") {
    bench b;
    auto cache = b.cache();
    REQUIRE(cache.scan("students").ok());
    b.clock.advance(600s - 1us);
    CHECK(cache.scan("students")->verdict == use(refresh_reason::within_interval));
    b.clock.advance(1us);
    CHECK(cache.scan("students")->verdict == refresh(refresh_reason::interval_elapsed));
    CHECK(b.students.scans == 2);
}

TEST_CASE("while nothing sleeps, each call scans") {
    bench b;
    b.sleeping = presence::no;
    auto cache = b.cache();
    for (std::size_t n = 1; n != 4; ++n) {
        CHECK(cache.scan("students")->origin == scan_origin::scanned);
        CHECK(b.students.scans == n);
    }
    CHECK(cache.scan("students")->verdict == refresh(refresh_reason::no_sleepers));
}

TEST_CASE("where it is not known whether work sleeps, each call scans") {
    bench b;
    auto cache = b.cache();
    REQUIRE(cache.scan("students").ok());
    SUBCASE("the probe's budget ended") { b.sleeping = presence::unknown; }
    SUBCASE("the probe failed") { b.sleeping = error{errc::throttled, "slower"}; }
    const auto again = cache.scan("students");
    CHECK(again->verdict == refresh(refresh_reason::probe_failed));
    CHECK(b.students.scans == 2);
    b.sleeping = presence::yes;
    CHECK(cache.scan("students")->origin == scan_origin::kept);
}

TEST_CASE("a probe that throws is one that failed") {
    bench b;
    auto options = b.options();
    options.sleepers = []() -> result<presence> { throw std::runtime_error{"no"}; };
    freshet::table_cache cache{b.tables(), b.clock, options};
    REQUIRE(cache.scan("students").ok());
    CHECK(cache.scan("students")->verdict == refresh(refresh_reason::probe_failed));
}

TEST_CASE("the probe is asked where the verdict depends on it, and once for a call") {
    bench b;
    auto cache = b.cache();
    REQUIRE(cache.scan("students").ok());
    CHECK(b.probes == 0); // never loaded
    REQUIRE(cache.scan("students").ok());
    CHECK(b.probes == 1);
    REQUIRE(cache.invalidate("students").ok());
    REQUIRE(cache.scan("students").ok());
    CHECK(b.probes == 1); // invalidated
    SUBCASE("not where caching is off") {
        freshet::table_cache off{b.tables(), b.clock, b.options({.enabled = false})};
        CHECK(off.scan("students").ok());
        CHECK(b.probes == 1);
    }
    SUBCASE("not by a policy that does not care") {
        auto careless = b.cache(freshet::every{});
        CHECK(careless.scan("students").ok());
        CHECK(careless.scan("students")->origin == scan_origin::kept);
        CHECK(b.probes == 1);
    }
}

TEST_CASE("a start message invalidates all tables at once, and no other message does") {
    bench b;
    auto cache = b.cache();
    REQUIRE(cache.scan("students").ok());
    REQUIRE(cache.scan("stages").ok());
    for (const std::string_view other : {"", "stop", "START", "Start", "start ", " start", "restart", "starts"}) {
        CHECK_FALSE(cache.heard(other));
    }
    CHECK(cache.scan("students")->origin == scan_origin::kept);
    CHECK_FALSE(cache.state().last_start_invalidation);
    b.clock.advance(1s);
    CHECK(cache.heard("start"));
    CHECK(cache.state().last_start_invalidation == b.clock.now());
    CHECK(cache.scan("students")->verdict == refresh(refresh_reason::start_message));
    CHECK(cache.scan("stages")->verdict == refresh(refresh_reason::start_message));
    CHECK(cache.scan("stages")->origin == scan_origin::kept);
}

TEST_CASE("one table is invalidated alone") {
    bench b;
    auto cache = b.cache();
    REQUIRE(cache.scan("students").ok());
    REQUIRE(cache.scan("stages").ok());
    REQUIRE(cache.invalidate("stages").ok());
    CHECK(cache.scan("students")->origin == scan_origin::kept);
    CHECK(cache.scan("stages")->verdict == refresh(refresh_reason::invalidated));
    cache.invalidate_all();
    CHECK(cache.verdict("students").value() == refresh(refresh_reason::invalidated));
}

TEST_CASE("a table that the cache does not know is malformed") {
    bench b;
    auto cache = b.cache();
    CHECK(cache.scan("pools").why() == error{errc::malformed, "the table cache knows no table pools"});
    CHECK(cache.row("pools", {"p", "a"}).why().code == errc::malformed);
    CHECK(cache.invalidate("pools").why().code == errc::malformed);
    CHECK(cache.verdict("").why().code == errc::malformed);
}

TEST_CASE("with caching off every call scans or reads by itself, and keeps nothing") {
    bench b;
    freshet::table_cache cache{b.tables(), b.clock, b.options({.enabled = false})};
    for (std::size_t n = 1; n != 4; ++n) {
        const auto answer = cache.scan("students");
        CHECK(answer->origin == scan_origin::bypassed);
        CHECK(answer->verdict == refresh_verdict{refresh_action::bypass, refresh_reason::disabled});
        CHECK(texts_of(*answer->rows) == scanned_texts(b.students.stored));
        CHECK(b.students.scans == n);
    }
    CHECK(cache.row("stages", {"p", "first"})->origin == scan_origin::read);
    CHECK(b.stages.scans == 0);
    CHECK(cache.heard("start"));
    CHECK_FALSE(cache.state().tables[0].last_refresh);
}

TEST_CASE("a failed scan fails its caller with the scan's error, is not tried again, and leaves what was kept") {
    bench b;
    auto cache = b.cache();
    REQUIRE(cache.scan("students").ok());
    const auto before = cache.state();
    b.clock.advance(10min);
    b.students.before_page = [&]() -> result<void> {
        if (b.students.pages == 5) { return error{errc::throttled, "second page"}; }
        return {};
    };
    CHECK(cache.scan("students").why() == error{errc::throttled, "second page"});
    CHECK(b.students.pages == 5);
    CHECK(cache.state() == before);
    b.clock.advance(-10min);
    CHECK(cache.scan("students")->origin == scan_origin::kept);
    b.clock.advance(10min);
    CHECK(cache.scan("students")->origin == scan_origin::scanned); // the next call scans as if nothing had happened
}

TEST_CASE("a backend that throws fails the call, and the next one scans") {
    bench b;
    auto cache = b.cache();
    b.students.before_page = [n = 0]() mutable -> result<void> {
        if (++n == 1) { throw 1; }
        return {};
    };
    CHECK(cache.scan("students").why().code == errc::failed);
    CHECK(cache.scan("students")->rows->size() == 7);
    b.sleeping = presence::no;
    b.stages.before_get = []() -> result<void> { throw std::runtime_error{"get"}; };
    CHECK(cache.row("stages", {"p", "first"}).why() == error{errc::failed, "get"});
}

TEST_CASE("a snapshot that is not plausible is not kept, and fails the call with the check's own code") {
    bench b;
    auto tables = b.tables();
    std::vector<std::size_t> befores;
    tables[0].plausible = [&](const snapshot* before, const snapshot& after) -> result<void> {
        befores.push_back(before == nullptr ? 0 : before->size());
        if (after.empty()) { return error{errc::denied, "no students"}; }
        return {};
    };
    freshet::table_cache cache{tables, b.clock, b.options()};
    REQUIRE(cache.scan("students").ok());
    b.clock.advance(10min);
    b.students.shape = [](watched_table::page& page) { page.rows.clear(); };
    CHECK(cache.scan("students").why() == error{errc::denied, "table students: no students"});
    CHECK(cache.scan("students").why().code == errc::denied); // scanned anew by each call
    CHECK(befores == std::vector<std::size_t>{0, 7, 7});
    CHECK(cache.state().tables[0].rows == 7);
    b.clock.advance(-1s);
    CHECK(cache.scan("students")->rows->size() == 7);
}

TEST_CASE("a check that throws refuses") {
    bench b;
    auto tables = b.tables();
    tables[0].plausible = [](const snapshot*, const snapshot&) -> result<void> { throw std::runtime_error{"hm"}; };
    freshet::table_cache cache{tables, b.clock, b.options()};
    CHECK(cache.scan("students").why() == error{errc::failed, "table students: hm"});
    CHECK_FALSE(cache.state().tables[0].last_refresh);
}

TEST_CASE("rows without a readable key answer as a plain scan does, are not kept, and are read one by one") {
    bench b;
    auto tables = b.tables();
    SUBCASE("the key is not there") {
        tables[0].key_of = [](const freshet::document&) -> result<freshet::row_key> {
            return error{errc::malformed, "no key"};
        };
    }
    SUBCASE("reading it throws") {
        tables[0].key_of = [](const freshet::document&) -> result<freshet::row_key> { throw 7; };
    }
    SUBCASE("two rows have the same") {
        tables[0].key_of = [](const freshet::document&) -> result<freshet::row_key> {
            return freshet::row_key{"p", "a"};
        };
    }
    freshet::table_cache cache{tables, b.clock, b.options()};
    for (std::size_t n = 1; n != 3; ++n) {
        const auto all = cache.scan("students");
        REQUIRE(all.ok());
        CHECK(all->origin == scan_origin::bypassed);
        CHECK(texts_of(*all->rows) == scanned_texts(b.students.stored));
        CHECK(b.students.scans == n);
    }
    const auto row = cache.row("students", {"p", "c"});
    CHECK(row->origin == scan_origin::read);
    CHECK(row->row->text() == (*b.students.stored.get({"p", "c"}))->text());
    CHECK_FALSE(cache.state().tables[0].last_refresh);
}

TEST_CASE("a policy that throws, or would use what is not there, leads to a scan") {
    bench b;
    SUBCASE("throws") {
        auto cache = b.cache([](const refresh_facts& facts) -> refresh_verdict {
            if (facts.loaded_at) { throw std::runtime_error{"no idea"}; }
            throw 3;
        });
        CHECK(cache.scan("students")->verdict == refresh(refresh_reason::never_loaded));
        CHECK(cache.scan("students")->verdict == refresh(refresh_reason::policy_failed));
        CHECK(b.students.scans == 2);
        CHECK(cache.row("stages", {"p", "first"})->row != nullptr);
    }
    SUBCASE("uses") {
        auto cache = b.cache([](const refresh_facts&) { return use(refresh_reason::kept); });
        CHECK(cache.scan("students")->verdict == refresh(refresh_reason::never_loaded));
        CHECK(cache.scan("students")->verdict == use(refresh_reason::kept));
        CHECK(b.students.scans == 1);
    }
}

TEST_CASE("single rows come from the snapshot: one scan serves them all while work sleeps") {
    bench b;
    auto cache = b.cache();
    CHECK(cache.row("stages", {"p", "first"})->origin == scan_origin::scanned);
    for (int n = 0; n != 5; ++n) {
        const auto found = cache.row("stages", {"p", "first"});
        CHECK(found->origin == scan_origin::kept);
        CHECK(support::value_of(*found->row) == "1");
        const auto absent = cache.row("stages", {"p", "second"});
        CHECK(absent->row == nullptr);
        CHECK(absent->origin == scan_origin::kept);
    }
    CHECK(b.stages.scans == 1);
    CHECK(b.stages.gets == 0);
}

TEST_CASE("where the next call would scan again anyway, a row is read alone") {
    bench b;
    b.sleeping = presence::no;
    auto cache = b.cache();
    CHECK(cache.row("stages", {"p", "first"})->verdict == refresh(refresh_reason::never_loaded));
    CHECK(cache.row("stages", {"p", "second"})->row == nullptr);
    CHECK(b.stages.gets == 2);
    CHECK(b.stages.scans == 0);
    b.stages.write("second", "2");
    CHECK(support::value_of(*cache.row("stages", {"p", "second"})->row) == "2");
}

TEST_CASE("a row outlives the cache that gave it") {
    bench b;
    std::shared_ptr<const freshet::document> row;
    {
        auto cache = b.cache();
        row = cache.row("stages", {"p", "first"})->row;
    }
    CHECK(support::value_of(*row) == "1");
}

TEST_CASE("the state tells when each table was refreshed, and when a start message or an elapsed interval did it") {
    bench b;
    auto cache = b.cache();
    const auto began = b.clock.now();
    b.students.before_page = [&]() -> result<void> { return b.clock.advance(1s), result<void>{}; };
    CHECK(cache.state() == freshet::table_cache_state{{{"students"}, {"stages"}}});
    REQUIRE(cache.scan("students").ok());
    CHECK(cache.state() == freshet::table_cache_state{{{"students", 7, began}, {"stages"}}});
    b.clock.advance(10min);
    const auto again = b.clock.now();
    REQUIRE(cache.scan("students").ok());
    CHECK(cache.state() == freshet::table_cache_state{{{"students", 7, again}, {"stages"}}, {}, again});
    const auto started = b.clock.now();
    cache.heard("start");
    CHECK(cache.state() == freshet::table_cache_state{{{"students", 7, again, refresh_reason::start_message},
                                                       {"stages", 0, {}, refresh_reason::start_message}},
                                                      started,
                                                      again});
    REQUIRE(cache.scan("stages").ok());
    CHECK(cache.state().tables[1] == freshet::table_state{"stages", 1, started});
}

TEST_CASE("a table's own interval goes before the policy's") {
    bench b;
    auto tables = b.tables();
    tables[1].interval = 1h;
    freshet::table_cache cache{tables, b.clock, b.options()};
    REQUIRE(cache.scan("students").ok());
    REQUIRE(cache.scan("stages").ok());
    b.clock.advance(30min);
    CHECK(cache.scan("students")->verdict == refresh(refresh_reason::interval_elapsed));
    CHECK(cache.scan("stages")->verdict == use(refresh_reason::within_interval));
}

TEST_CASE("a scan ends at its deadline, between two pages, and keeps nothing of it") {
    bench b;
    auto cache = b.cache();
    b.students.before_page = [&]() -> result<void> { return b.clock.advance(1s), result<void>{}; };
    const auto late = cache.scan("students", deadline::in(2s, b.clock.now()));
    CHECK(late.why() == error{errc::expired, "the deadline passed after 2 pages of a scan"});
    CHECK(b.students.pages == 2);
    CHECK_FALSE(cache.state().tables[0].last_refresh);
    CHECK(cache.scan("students", deadline::in(4s, b.clock.now())).ok());
    CHECK(cache.scan("students", deadline::at(b.clock.now())).ok()); // what is there costs no time
}

TEST_CASE("a scan ends when a stop is asked for") {
    bench b;
    auto cache = b.cache();
    std::stop_source stop;
    b.students.before_page = [&]() -> result<void> { return stop.request_stop(), result<void>{}; };
    CHECK(cache.scan("students", deadline::never(), stop.get_token()).why() ==
          error{errc::expired, "a stop was asked for after 1 pages of a scan"});
    b.sleeping = presence::no;
    CHECK(cache.row("stages", {"p", "first"}, deadline::never(), stop.get_token()).why().code == errc::expired);
    CHECK(b.stages.gets == 0);
}

TEST_CASE("a clock that is set back or forth by an hour costs a scan, and keeps nothing for longer than its interval") {
    bench b;
    auto cache = b.cache();
    REQUIRE(cache.scan("students").ok());
    SUBCASE("back") {
        b.clock.advance(-1h);
        CHECK(cache.scan("students")->verdict == refresh(refresh_reason::clock_stepped));
    }
    SUBCASE("forth") {
        b.clock.advance(1h);
        CHECK(cache.scan("students")->verdict == refresh(refresh_reason::interval_elapsed));
    }
    CHECK(cache.scan("students")->verdict == use(refresh_reason::within_interval));
    b.clock.advance(10min);
    CHECK(cache.scan("students")->verdict == refresh(refresh_reason::interval_elapsed));
}

TEST_CASE("a table that is invalidated while it is scanned: the scan answers who asked before, and is not kept") {
    bench b;
    auto cache = b.cache();
    std::function<void()> invalidate;
    SUBCASE("by a start message") {
        invalidate = [&] { CHECK(cache.heard("start")); };
    }
    SUBCASE("alone") {
        invalidate = [&] { CHECK(cache.invalidate("students").ok()); };
    }
    SUBCASE("with all others") {
        invalidate = [&] { cache.invalidate_all(); };
    }
    b.students.before_page = [&]() -> result<void> {
        if (b.students.pages == 3) { invalidate(); }
        return {};
    };
    const auto overtaken = cache.scan("students");
    CHECK(overtaken->origin == scan_origin::bypassed);
    CHECK(overtaken->rows->size() == 7);
    const auto next = cache.scan("students");
    CHECK(next->origin == scan_origin::scanned);
    CHECK(b.students.scans == 2);
    CHECK(cache.scan("students")->origin == scan_origin::kept);
}

TEST_CASE("a callback that asks the cache in the middle of a scan has a scan of its own") {
    bench b;
    auto tables = b.tables();
    std::function<void()> ask;
    tables[0].plausible = [&](const snapshot*, const snapshot&) -> result<void> { return ask(), result<void>{}; };
    freshet::table_cache cache{tables, b.clock, b.options()};
    scan_origin same{};
    scan_origin other{};
    ask = [&] {
        same = cache.scan("students")->origin;
        other = cache.scan("stages")->origin;
    };
    CHECK(cache.scan("students")->origin == scan_origin::scanned);
    CHECK(same == scan_origin::bypassed);
    CHECK(other == scan_origin::scanned);
}

namespace {

/// A bench whose students are followed, as far as there are followed rows.
struct followed_bench : bench {
    std::optional<freshet::snapshot_at<freshet::document>> live{};

    auto followed_tables() -> std::vector<cached_table> {
        auto all = tables();
        all[0].followed = [this] { return live; };
        return all;
    }
    /// From now on what is followed is up to date, as of now.
    void make_live() {
        std::vector<freshet::document> rows;
        rows.push_back(*freshet::document::parse(R"({"PK":{"S":"p"},"SK":{"S":"live"}})"));
        auto seen = std::make_shared<const snapshot>(snapshot::of(std::move(rows), students.key_function()));
        live = freshet::snapshot_at<freshet::document>{std::move(seen), clock.now()};
    }
};

} // namespace

TEST_CASE("what is followed answers while it is up to date, and newer than what the table itself has shown") {
    followed_bench b;
    freshet::table_cache cache{b.followed_tables(), b.clock, b.options()};
    CHECK(cache.scan("students")->origin == scan_origin::scanned); // not alive
    b.make_live();
    CHECK(cache.scan("students")->origin == scan_origin::kept); // the scan may have seen more
    b.clock.advance(1us);
    b.make_live();
    const auto answer = cache.scan("students");
    CHECK(answer->origin == scan_origin::followed);
    CHECK(answer->verdict == use(refresh_reason::kept));
    CHECK(answer->rows == b.live->rows);
    CHECK(cache.row("students", {"p", "live"})->origin == scan_origin::followed);
    CHECK(cache.row("students", {"p", "a"})->row == nullptr);
    CHECK(b.students.gets == 0);
    b.clock.advance(1us);
    cache.heard("start");
    CHECK(cache.scan("students")->verdict == refresh(refresh_reason::start_message)); // older than the message
    b.clock.advance(1us);
    b.make_live();
    CHECK(cache.scan("students")->origin == scan_origin::followed);
}

TEST_CASE("once followed rows were shown, nobody gets what was scanned before them, and one scan cures that") {
    followed_bench b;
    freshet::table_cache cache{b.followed_tables(), b.clock, b.options()};
    REQUIRE(cache.scan("students").ok());
    b.clock.advance(1us);
    b.make_live();
    REQUIRE(cache.scan("students")->origin == scan_origin::followed);
    b.live.reset();
    SUBCASE("a moment later") { b.clock.advance(1us); }
    SUBCASE("also after a scan that failed") {
        b.students.before_page = []() -> result<void> { return error{errc::unavailable, "away"}; };
        CHECK(cache.scan("students").why().code == errc::unavailable);
        b.students.before_page = [] { return result<void>{}; };
    }
    SUBCASE("also where the clock was set back since: it need not come there again") { b.clock.advance(-1h); }
    SUBCASE("and an invalidation remains the reason, where there was one") {
        REQUIRE(cache.invalidate("students").ok());
        CHECK(cache.verdict("students").value() == refresh(refresh_reason::invalidated));
        CHECK(cache.scan("students")->verdict == refresh(refresh_reason::invalidated));
        CHECK(cache.scan("students")->verdict == use(refresh_reason::within_interval));
        return;
    }
    CHECK(cache.verdict("students").value() == refresh(refresh_reason::stream_gap));
    const auto anew = cache.scan("students");
    CHECK(anew->verdict == refresh(refresh_reason::stream_gap));
    CHECK(anew->rows->size() == 7);
    CHECK(cache.scan("students")->verdict == use(refresh_reason::within_interval));
}

TEST_CASE("a scan during which newer followed rows were shown is not used again") {
    followed_bench b;
    std::function<void()> meanwhile = [] {};
    b.students.before_page = [&]() -> result<void> { return std::exchange(meanwhile, [] {})(), result<void>{}; };
    freshet::table_cache cache{b.followed_tables(), b.clock, b.options()};
    meanwhile = [&] {
        b.clock.advance(1us);
        b.make_live();
        CHECK(cache.scan("students")->origin == scan_origin::followed);
        b.live.reset();
    };
    CHECK(cache.scan("students")->origin == scan_origin::scanned);
    CHECK(cache.scan("students")->verdict == refresh(refresh_reason::stream_gap));
    CHECK(cache.scan("students")->verdict == use(refresh_reason::within_interval));
}

TEST_CASE("a verdict knows what is followed, tells nobody of it, and shows no rows by itself") {
    followed_bench b;
    std::size_t told = 0;
    const freshet::shared_watch seen{freshet::on<freshet::table_used>([&](const auto&) { ++told; })};
    freshet::table_cache cache{b.followed_tables(), b.clock, b.options(), freshet::sleeping_aware{}, seen};
    b.make_live();
    CHECK(cache.verdict("students").value() == use(refresh_reason::kept));
    CHECK(told == 0);
    CHECK(b.probes == 0);
    b.live.reset();
    REQUIRE(cache.scan("students").ok());
    b.clock.advance(1us);
    b.make_live();
    CHECK(cache.verdict("students").value() == use(refresh_reason::kept));
    b.live.reset();
    CHECK(cache.verdict("students").value() == use(refresh_reason::within_interval));
}

TEST_CASE("what the clock throws at the end of a scan ends it, and the next caller scans") {
    struct bad_clock {
        using is_shareable = void;
        manual_clock& by;
        bool& bad;
        [[nodiscard]] auto now() const -> freshet::time_point {
            if (bad) { throw std::runtime_error{"no time"}; }
            return by.now();
        }
    };
    bench b;
    bool bad = false;
    const bad_clock clock{b.clock, bad};
    auto tables = b.tables();
    tables[0].plausible = [&, first = true](const snapshot*, const snapshot&) mutable -> result<void> {
        bad = std::exchange(first, false);
        return {};
    };
    freshet::table_cache cache{tables, clock, b.options()};
    CHECK_THROWS_AS(static_cast<void>(cache.scan("students")), std::runtime_error);
    bad = false;
    CHECK(cache.scan("students")->origin == scan_origin::scanned);
}

TEST_CASE("two tables of one name are misuse") {
    bench b;
    CHECK(dies_with([&] {
              const auto twice = b.tables();
              freshet::table_cache cache{std::vector{twice[0], twice[0]}, b.clock};
          }) == "freshet: a table_cache was given two tables with the name students\n");
}

TEST_CASE("the observer hears of hits and scans with their reasons, of refusals, bypasses and errors") {
    bench b;
    auto tables = b.tables();
    tables[1].plausible = [](const snapshot*, const snapshot& after) -> result<void> {
        if (after.size() > 1) { return error{errc::denied, "too many"}; }
        return {};
    };
    lines told;
    const auto say = [&](const auto& event) {
        std::string line{event.name};
        event.fields([&](std::string_view, const auto& value) {
            line += ' ';
            if constexpr (std::is_convertible_v<decltype(value), std::string_view>) {
                line += value;
            } else if constexpr (std::is_same_v<decltype(value), const freshet::duration&>) {
                line += std::to_string(value.count());
            } else {
                line += std::to_string(value);
            }
        });
        told.push_back(line);
    };
    const auto hear = [&]<class Event>(std::type_identity<Event>) {
        return freshet::on<Event>([&](const Event& event) { say(event); });
    };
    freshet::shared_watch seen{hear(std::type_identity<freshet::table_used>{}),
                               hear(std::type_identity<freshet::table_scanned>{}),
                               hear(std::type_identity<freshet::table_row_read>{}),
                               hear(std::type_identity<freshet::table_read_failed>{}),
                               hear(std::type_identity<freshet::snapshot_refused>{}),
                               hear(std::type_identity<freshet::table_bypassed>{}),
                               hear(std::type_identity<freshet::refresh_undecided>{}),
                               hear(std::type_identity<freshet::caches_invalidated>{})};
    freshet::table_cache cache{tables, b.clock, b.options(), freshet::sleeping_aware{}, seen};
    static_cast<void>(cache.scan("students"));
    static_cast<void>(cache.scan("students"));
    cache.heard("start");
    b.sleeping = error{errc::unavailable, "away"};
    static_cast<void>(cache.row("stages", {"p", "first"}));
    b.stages.write("second");
    static_cast<void>(cache.scan("stages"));
    b.students.before_page = []() -> result<void> { return error{errc::throttled, "slower"}; };
    static_cast<void>(cache.scan("students"));
    CHECK(told == lines{"table_scanned students 7 3 0 never_loaded 1", "table_used students kept 0 within_interval",
                        "caches_invalidated  start_message", "refresh_undecided stages unavailable away",
                        "table_row_read stages 1 never_loaded", "table_scanned stages 2 1 0 never_loaded 0",
                        "snapshot_refused stages denied table stages: too many 2",
                        "table_read_failed students throttled slower start_message"});
}

TEST_CASE("every policy decides in the cache as it does alone, whatever the facts") {
    const auto check = [](auto policy) {
        for (const bool enabled : {true, false}) {
            for (const auto age : {-1h, 0h, 1h}) {
                for (const bool loaded : {true, false}) {
                    for (const bool invalidated : {true, false}) {
                        for (const auto sleeping : {presence::yes, presence::no, presence::unknown}) {
                            bench b;
                            freshet::table_cache cache{b.tables(), b.clock, b.options({.enabled = enabled}), policy};
                            const auto at = b.clock.now();
                            if (loaded) { REQUIRE(cache.scan("students").ok()); }
                            b.clock.advance(age);
                            if (invalidated) { cache.invalidate_all(); }
                            b.sleeping = sleeping;
                            refresh_facts facts{.now = b.clock.now(), .enabled = enabled};
                            if (loaded && enabled) { facts.loaded_at = at; }
                            if (invalidated) { facts.invalidated_by = refresh_reason::invalidated; }
                            if (sleeping != presence::unknown) { facts.sleepers = sleeping == presence::yes; }
                            const auto wanted = policy(facts);
                            const auto scans = b.students.scans.load();
                            CHECK(cache.verdict("students").value() == wanted);
                            CHECK(b.students.scans == scans);
                            CHECK(cache.scan("students")->verdict == wanted);
                            CHECK(b.students.scans == scans + (wanted.action == refresh_action::use ? 0 : 1));
                        }
                    }
                }
            }
        }
    };
    check(freshet::sleeping_aware{});
    check(freshet::sleeping_aware{2h});
    check(freshet::every{});
    check(freshet::every{2h});
    check(freshet::always{});
    check(freshet::never{});
    check(freshet::any_of{freshet::every{2h}, freshet::sleeping_aware{3h}});
    check(freshet::all_of{freshet::never{}, freshet::always{}});
}
