#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <freshet/backend/bucket_sink.hpp>
#include <freshet/backend/series_key.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>

#include "bucket_sink_random.hpp"
#include "bucket_sink_runs.hpp"
#include "bucket_sink_steps.hpp"

TEST_CASE_TEMPLATE_DEFINE("a run's ticket is greater than every one of its series before, whoever asks", Fixture,
                          laws_bucket_sink_1) {
    Fixture fixture;
    std::uint64_t last = 0;
    for (int round = 0; round != 5; ++round) {
        for (auto* sink : {&fixture.sink(), &fixture.other()}) {
            const auto ticket = laws::ticket_of(*sink);
            CHECK(ticket.number > last);
            last = ticket.number;
            static_cast<void>(laws::ticket_of(*sink, {"receipts", "account 2"}));
        }
        laws::replaced(fixture.sink(), laws::found_of(laws::hours(0, 1), {{laws::hour(0), 1}}), {last});
    }
}

TEST_CASE_TEMPLATE_DEFINE("what a run found is read, of every width, and what it did not find is empty", Fixture,
                          laws_bucket_sink_2) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& sink = fixture.sink();
    CHECK(laws::read(sink, 60min).empty());
    const auto first = laws::found_of(
        laws::hours(10, 12), {{laws::hour(10), 2}, {laws::hour(10) + 59min + 59s, 3}, {laws::hour(11) + 7min, 40}});
    CHECK(laws::replaced(sink, first, laws::ticket_of(sink)) ==
          freshet::replaced_counts{11, 2 * laws::in_an_hour - 11, 0});
    CHECK(laws::holds(sink, first));
    CHECK(laws::holds(fixture.other(), first));
    CHECK(laws::read(sink, 60min) ==
          std::vector<freshet::bucket>{{60min, laws::hour(10), 5}, {60min, laws::hour(11), 40}});

    const auto second = laws::found_of(laws::hours(10, 12), {{laws::hour(10), 2}, {laws::hour(11) + 7min, 41}});
    CHECK(laws::replaced(sink, second, laws::ticket_of(sink)) ==
          freshet::replaced_counts{8, 2 * laws::in_an_hour - 8, 0});
    CHECK_MESSAGE(laws::holds(sink, second), "counts that are no more are gone");

    auto none = laws::found_of(laws::hours(10, 12), {});
    none.buckets.push_back({1min, laws::hour(10), 0}); // says the same as not to name it
    CHECK(laws::replaced(sink, none, laws::ticket_of(sink)) ==
          freshet::replaced_counts{8, 2 * laws::in_an_hour - 8, 0});
    for (const auto width : laws::hour_widths) { CHECK(laws::read(sink, width).empty()); }
}

TEST_CASE_TEMPLATE_DEFINE("other series are as they were, and their tickets are their own", Fixture,
                          laws_bucket_sink_7) {
    Fixture fixture;
    auto& sink = fixture.sink();
    const auto one = laws::found_of(laws::hours(0, 1), {{laws::hour(0), 1}});
    const auto two = laws::found_of(laws::hours(0, 1), {{laws::hour(0), 2}});
    const freshet::series_key neighbour{"receipts", "account 2"};
    const freshet::series_key namesake{"images", "account 1"};
    const auto ticket = laws::ticket_of(sink);
    for (int n = 0; n != 10; ++n) { static_cast<void>(laws::ticket_of(sink, neighbour)); }
    laws::replaced(sink, two, laws::ticket_of(sink, neighbour), neighbour);
    laws::replaced(sink, two, laws::ticket_of(sink, namesake), namesake);
    CHECK_MESSAGE((laws::replaced(sink, one, ticket) == freshet::replaced_counts{4, laws::in_an_hour - 4, 0}),
                  "a ticket of another series overtakes none");
    laws::replaced(sink, laws::found_of(laws::hours(0, 1), {}), laws::ticket_of(sink, namesake), namesake);
    CHECK(laws::holds(sink, one));
    CHECK(laws::holds(sink, two, neighbour));
    CHECK(laws::read(sink, laws::hour_widths.front(), laws::all_time, namesake).empty());
}

TEST_CASE_TEMPLATE_DEFINE(
    "other widths and other times are as they were, and ladders without a common width have "
    "fences of their own",
    Fixture, laws_bucket_sink_8) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& sink = fixture.sink();
    const auto day = freshet::time_range{laws::hour(0), laws::hour(24)};
    const auto daily = laws::found_of(day, {{laws::hour(5), 500}}, {12h, 24h});
    const auto all = laws::found_of(laws::hours(5, 8), {{laws::hour(5), 5}, {laws::hour(6), 6}, {laws::hour(7), 7}});
    const auto old = laws::ticket_of(sink);
    CHECK(laws::replaced(sink, daily, laws::ticket_of(sink)) == freshet::replaced_counts{2, 1, 0});
    CHECK(laws::replaced(sink, all, old) == freshet::replaced_counts{12, 3 * laws::in_an_hour - 12, 0});
    CHECK(laws::holds(sink, daily));
    CHECK(laws::holds(sink, all));

    const auto coarse = laws::found_of(laws::hours(6, 7), {{laws::hour(6) + 30min, 60}}, {15min, 60min});
    CHECK(laws::replaced(sink, coarse, laws::ticket_of(sink)) == freshet::replaced_counts{3, 2, 0});
    CHECK(laws::holds(sink, daily));
    auto now = all;
    for (auto& each : now.buckets) {
        if (each.start != laws::hour(6) || each.width < 15min) { continue; }
        each = each.width == 15min ? coarse.buckets[0] : coarse.buckets[1];
    }
    CHECK_MESSAGE(laws::holds(sink, now), "the widths that it does not have are as they were");
}

TEST_CASE_TEMPLATE_DEFINE("counts of another shape are malformed and change nothing, the ticket's fence neither",
                          Fixture, laws_bucket_sink_9) {
    using namespace std::chrono_literals;
    using widths = std::vector<freshet::duration>;
    Fixture fixture;
    auto& sink = fixture.sink();
    const auto good = laws::found_of(laws::hours(0, 2), {{laws::hour(0), 1}, {laws::hour(1), 2}});
    const auto ticket = laws::ticket_of(sink);
    laws::replaced(sink, good, ticket);
    const auto later = laws::ticket_of(sink);
    const auto is_refused = [&](const char* name, auto spoil) {
        CAPTURE(name);
        auto bad = laws::found_of(laws::hours(0, 2), {{laws::hour(0), 7}, {laws::hour(1), 8}});
        spoil(bad);
        const auto answer = sink.replace(laws::a_series, bad, later);
        CHECK(laws::is_malformed(answer));
        CHECK(laws::holds(sink, good));
    };
    using found = freshet::recounted;
    is_refused("a range that begins within a block", [](found& f) { f.range.start -= 1us; });
    is_refused("a range that ends within a block", [](found& f) { f.range.end += 15min; });
    is_refused("no widths", [](found& f) { f = {f.range, {}, {}}; });
    is_refused("a width of nothing", [](found& f) { f = {f.range, {0us, 1h}, {}}; });
    is_refused("a width below nothing", [](found& f) { f = {f.range, {-1h}, {}}; });
    is_refused("widths that descend", [](found& f) { f.widths = {5min, 1min, 15min, 60min}; });
    is_refused("a width twice", [](found& f) { f.widths = {1min, 5min, 5min, 15min, 60min}; });
    is_refused("widths that do not divide each other", [](found& f) { f = {f.range, {1min, 7min, 60min}, {}}; });
    is_refused("a bucket of another width", [](found& f) { f.widths = {5min, 15min, 60min}; });
    is_refused("a bucket that begins within one", [](found& f) { f.buckets.back().start += 30min; });
    is_refused("a bucket before the range", [](found& f) { f.range.start += 1h; });
    is_refused("a bucket behind the range", [](found& f) { f.range.end -= 1h; });
    is_refused("a bucket in an empty range", [](found& f) { f.range.end = f.range.start; });
    is_refused("a bucket twice", [](found& f) { f.buckets.push_back(f.buckets.back()); });
    is_refused("buckets out of order", [](found& f) { std::swap(f.buckets.front(), f.buckets.back()); });
    if constexpr (laws::fences_runs<Fixture>()) {
        CHECK_MESSAGE((laws::replaced(sink, good, ticket) == freshet::replaced_counts{0, 2 * laws::in_an_hour, 0}),
                      "the older run was not overtaken");
    }
    for (const auto& range : {laws::hours(1, 1), laws::hours(2, 1)}) {
        CHECK_MESSAGE((laws::replaced(sink, {range, widths{1min, 60min}, {}}, later) == freshet::replaced_counts{}),
                      "an empty range has nothing to replace");
    }
    CHECK(laws::holds(sink, good));
}

TEST_CASE_TEMPLATE_DEFINE("times before 1970 are times as others", Fixture, laws_bucket_sink_10) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& sink = fixture.sink();
    const auto old = laws::ticket_of(sink);
    const auto found = laws::found_of(
        laws::hours(-3, 2), {{laws::hour(-3), 1}, {laws::hour(0) - 1us, 2}, {laws::hour(0), 3}, {laws::hour(1), 4}});
    CHECK(laws::replaced(sink, found, laws::ticket_of(sink)) ==
          freshet::replaced_counts{16, 5 * laws::in_an_hour - 16, 0});
    CHECK(laws::holds(sink, found));
    CHECK(laws::read(sink, 1min, laws::hours(-1, 0)) == std::vector<freshet::bucket>{{1min, laws::hour(0) - 1min, 2}});
    const auto early = laws::found_of(laws::hours(-400'000, -399'999), {{laws::hour(-400'000), 9}});
    laws::replaced(sink, early, laws::ticket_of(sink));
    CHECK(laws::read(sink, 60min).front() == freshet::bucket{60min, laws::hour(-400'000), 9});
    if constexpr (laws::fences_runs<Fixture>()) {
        CHECK(laws::replaced(sink, laws::found_of(laws::hours(-2, 0), {}), old) ==
              freshet::replaced_counts{0, 0, 2 * laws::in_an_hour});
        CHECK(laws::read(sink, 60min).size() == 5);
    }
}

TEST_CASE_TEMPLATE_DEFINE("buckets are read that begin in the range, ascending", Fixture, laws_bucket_sink_11) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& sink = fixture.sink();
    std::vector<laws::made_records> records;
    for (int minute = 0; minute != 180; ++minute) { records.push_back({laws::hour(0) + minute * 1min, 1}); }
    laws::replaced(sink, laws::found_of(laws::hours(0, 3), records), laws::ticket_of(sink));
    const auto starts = [&](freshet::duration width, freshet::time_point from, freshet::time_point end) {
        std::vector<freshet::duration> all;
        for (const auto& each : laws::read(sink, width, {from, end})) {
            CHECK(each.width == width);
            CHECK(each.count == static_cast<std::uint64_t>(width / 1min));
            all.push_back(each.start.time_since_epoch());
        }
        return all;
    };
    using expected = std::vector<freshet::duration>;
    CHECK(starts(15min, laws::hour(1), laws::hour(2)) == expected{60min, 75min, 90min, 105min});
    CHECK(starts(15min, laws::hour(1) + 1us, laws::hour(2) + 1us) == expected{75min, 90min, 105min, 120min});
    CHECK(starts(15min, laws::hour(1) - 1us, laws::hour(2) - 1us) == expected{60min, 75min, 90min, 105min});
    CHECK(starts(60min, laws::hour(0) + 1us, laws::hour(2)) == expected{60min});
    CHECK(starts(1min, laws::hour(1) + 58min, laws::hour(2) + 2min) == expected{118min, 119min, 120min, 121min});
    CHECK(starts(1min, laws::hour(2) + 59min, laws::hour(2) + 59min + 1us) == expected{179min});
    CHECK(starts(1min, laws::hour(1), laws::hour(1)).empty());
    CHECK(starts(1min, laws::hour(2), laws::hour(1)).empty());
    CHECK(starts(2min, laws::hour(0), laws::hour(3)).empty());
    CHECK(laws::read(sink, 1min).size() == 180);
    CHECK(laws::read(sink, 1min, laws::all_time, {"receipts", "nobody"}).empty());
}

TEST_CASE_TEMPLATE_DEFINE(
    "series that look alike are different, and what a sink cannot have is malformed in every call", Fixture,
    laws_bucket_sink_12) {
    using namespace std::string_literals;
    Fixture fixture;
    auto& sink = fixture.sink();
    std::vector<freshet::series_key> all;
    for (const auto& table : {"a"s, "a/b"s, "a%2Fb"s, "a#"s, "A"s, "é"s, "e\xcc\x81"s, std::string(200, 't')}) {
        for (const auto& account : {""s, " "s, "b"s, "b/c"s, "/b"s, "#"s, "\0"s, "b\0"s, "b\n"s, "b'\"\\"s, "%"s, "*"s,
                                    "\xf0\x9f\x8c\x8a"s, std::string(800, 'a')}) {
            all.push_back({table, account});
        }
    }
    const auto found_of_number = [](std::size_t number) {
        return laws::found_of(laws::hours(0, 1), {{laws::hour(0), number + 1}}, {std::chrono::minutes{60}});
    };
    for (std::size_t number = 0; number != all.size(); ++number) {
        CAPTURE(all[number].table);
        CAPTURE(all[number].account);
        laws::replaced(sink, found_of_number(number), laws::ticket_of(sink, all[number]), all[number]);
    }
    for (std::size_t number = 0; number != all.size(); ++number) {
        CAPTURE(all[number].table);
        CAPTURE(all[number].account);
        CHECK(laws::holds(sink, found_of_number(number), all[number]));
    }
    for (const auto& odd :
         {freshet::series_key{"", ""}, freshet::series_key{"\xff", "a"}, freshet::series_key{"a", "a\xc3"},
          freshet::series_key{"a", std::string(100'000, 'a')}, freshet::series_key{std::string(100'000, 't'), ""}}) {
        const auto begun = sink.begin_run(odd);
        const auto done = sink.replace(odd, found_of_number(7), begun.value_or(freshet::run_ticket{1}));
        const auto found = sink.read(odd, laws::all_time, std::chrono::minutes{60});
        CHECK(done.ok() == begun.ok());
        CHECK(found.ok() == begun.ok());
        if (begun.ok()) {
            CHECK(laws::holds(sink, found_of_number(7), odd));
            continue;
        }
        CHECK(laws::is_malformed(begun));
        CHECK(laws::is_malformed(done));
        CHECK(laws::is_malformed(found));
    }
}

TEST_CASE_TEMPLATE_DEFINE("counts are kept whole, however great, and widths of less than a second too", Fixture,
                          laws_bucket_sink_13) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& sink = fixture.sink();
    for (const auto count : {std::uint64_t{1}, std::uint64_t{1} << 53U | 1U, std::uint64_t{1} << 63U,
                             std::numeric_limits<std::uint64_t>::max()}) {
        const auto found = laws::found_of(laws::hours(7, 8), {{laws::hour(7) + 30min, count}});
        laws::replaced(sink, found, laws::ticket_of(sink));
        CHECK(laws::holds(sink, found));
    }
    const freshet::time_range second{laws::hour(8) - 1s, laws::hour(8)};
    const auto fine = laws::found_of(second, {{laws::hour(8) - 1us, 2}, {laws::hour(8) - 1s, 1}}, {10us, 500us, 1s});
    CHECK(laws::replaced(sink, fine, laws::ticket_of(sink)) == freshet::replaced_counts{5, 100'000 + 2'000 + 1 - 5, 0});
    CHECK(laws::holds(sink, fine));
}

TEST_CASE_TEMPLATE_DEFINE("a series may have many blocks, and a run may replace them all", Fixture,
                          laws_bucket_sink_14) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& sink = fixture.sink();
    constexpr int many = [] {
        if constexpr (requires { Fixture::many_blocks; }) { return Fixture::many_blocks; }
        return 10'000;
    }();
    std::vector<laws::made_records> records;
    for (int at = 0; at < many; at += 3) { records.push_back({laws::hour(at) + (at % 60) * 1min, 1}); }
    const auto found = laws::found_of(laws::hours(0, many), records);
    const auto buckets = static_cast<std::size_t>(many) * laws::in_an_hour;
    const auto old = laws::ticket_of(sink);
    const auto ticket = laws::ticket_of(sink);
    CHECK(laws::replaced(sink, found, ticket) ==
          freshet::replaced_counts{records.size() * 4, buckets - records.size() * 4, 0});
    CHECK(laws::holds(sink, found));
    CHECK(laws::replaced(sink, found, ticket) == freshet::replaced_counts{0, buckets, 0});
    if constexpr (laws::fences_runs<Fixture>()) {
        CHECK(laws::replaced(sink, laws::found_of(laws::hours(0, many), {}), old) ==
              freshet::replaced_counts{0, 0, buckets});
    }
    CHECK(laws::read(sink, 60min, laws::hours(many / 2, many / 2 + 3)).size() == 1);
}

/// Every law of `freshet::bucket_sink`, on these fixtures.
///
/// A fixture is default constructible and then fresh and empty. It gives `sink()`, and `other()`, which is another
/// object on the same data, or the same one. The sink knows widths of up to a day, series of UTF-8 of up to 1,000
/// bytes, and times of the years 1900 to 2100 at least. Where it cannot keep older runs out the fixture says
/// `fences_runs = false`, where others come between the buckets of a block `keeps_blocks_whole = false`, and where
/// 10,000 blocks take it too long, how `many_blocks` do not.
#define FRESHET_BUCKET_SINK_LAWS(...)                            \
    TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_1, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_2, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_3, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_4, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_5, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_6, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_7, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_8, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_9, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_10, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_11, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_12, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_13, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_14, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_15, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_16, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_17, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_18, __VA_ARGS__)
