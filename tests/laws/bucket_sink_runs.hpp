#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <freshet/backend/bucket_sink.hpp>

#include "bucket_sink_steps.hpp"

TEST_CASE_TEMPLATE_DEFINE("run 1 reads 5, run 2 finds 6 as it is stored, run 1 writes last", Fixture,
                          laws_bucket_sink_3) {
    Fixture fixture;
    if constexpr (laws::fences_runs<Fixture>()) {
        auto& sink = fixture.sink();
        const auto five = laws::found_of(laws::hours(0, 1), {{laws::hour(0), 5}});
        const auto six = laws::found_of(laws::hours(0, 1), {{laws::hour(0), 6}});
        laws::replaced(sink, six, laws::ticket_of(sink));
        const auto run_1 = laws::ticket_of(sink);
        const auto run_2 = laws::ticket_of(fixture.other());
        CHECK_MESSAGE((laws::replaced(fixture.other(), six, run_2) == freshet::replaced_counts{0, laws::in_an_hour, 0}),
                      "the second run has nothing to write");
        CHECK_MESSAGE((laws::replaced(sink, five, run_1) == freshet::replaced_counts{0, 0, laws::in_an_hour}),
                      "the first one is overtaken");
        CHECK(laws::holds(sink, six));
    }
}

TEST_CASE_TEMPLATE_DEFINE("an older run writes the blocks that no newer one has replaced, and no other", Fixture,
                          laws_bucket_sink_4) {
    using namespace std::chrono_literals;
    Fixture fixture;
    if constexpr (laws::fences_runs<Fixture>()) {
        auto& sink = fixture.sink();
        const auto old = laws::ticket_of(sink);
        const auto newer = laws::ticket_of(sink);
        const auto records = [](int first, int end, std::uint64_t count) {
            std::vector<laws::made_records> all;
            for (auto at = first; at != end; ++at) { all.push_back({laws::hour(at) + 30min, count}); }
            return all;
        };
        auto wanted = records(0, 10, 1);
        SUBCASE("of which the newer range holds the end") {
            laws::replaced(sink, laws::found_of(laws::hours(6, 12), records(6, 12, 2)), newer);
            wanted = records(0, 6, 1);
            for (const auto& each : records(6, 12, 2)) { wanted.push_back(each); }
        }
        SUBCASE("of which the newer range holds the start") {
            laws::replaced(sink, laws::found_of(laws::hours(-2, 4), records(-2, 4, 2)), newer);
            wanted = records(-2, 4, 2);
            for (const auto& each : records(4, 10, 1)) { wanted.push_back(each); }
        }
        SUBCASE("of which the newer ranges hold two in the middle, one of them empty") {
            laws::replaced(sink, laws::found_of(laws::hours(2, 4), records(2, 4, 2)), newer);
            laws::replaced(sink, laws::found_of(laws::hours(6, 8), {}), newer);
            wanted = records(0, 2, 1);
            for (const auto& each : records(2, 4, 2)) { wanted.push_back(each); }
            for (const auto& each : records(4, 6, 1)) { wanted.push_back(each); }
            for (const auto& each : records(8, 10, 1)) { wanted.push_back(each); }
        }
        SUBCASE("of which the newer ranges touch both ends") {
            laws::replaced(sink, laws::found_of(laws::hours(-2, 0), {}), newer);
            laws::replaced(sink, laws::found_of(laws::hours(10, 12), {}), newer);
        }
        const auto done = laws::replaced(sink, laws::found_of(laws::hours(0, 10), records(0, 10, 1)), old);
        const auto stay = static_cast<std::size_t>(std::count_if(
            wanted.begin(), wanted.end(), [](const laws::made_records& each) { return each.count == 1; }));
        CHECK(done ==
              freshet::replaced_counts{stay * 4, stay * (laws::in_an_hour - 4), (10 - stay) * laws::in_an_hour});
        CHECK(laws::holds(sink, laws::found_of(laws::hours(-2, 12), wanted)));
        laws::replaced(sink, laws::found_of(laws::hours(-2, 12), {}), laws::ticket_of(sink));
        laws::replaced(sink, laws::found_of(laws::hours(-2, 12), records(-2, 12, 7)), newer);
        CHECK_MESSAGE(laws::read(sink, 60min).empty(), "each stays fenced by the newest");
    }
}

TEST_CASE_TEMPLATE_DEFINE("a newer run that found nothing where nothing was keeps an older one out", Fixture,
                          laws_bucket_sink_5) {
    using namespace std::chrono_literals;
    Fixture fixture;
    if constexpr (laws::fences_runs<Fixture>()) {
        auto& sink = fixture.sink();
        const auto old = laws::ticket_of(sink);
        const auto newer = laws::ticket_of(sink);
        CHECK(laws::replaced(sink, laws::found_of(laws::hours(0, 3), {}), newer) ==
              freshet::replaced_counts{0, 3 * laws::in_an_hour, 0});
        const auto late = laws::found_of(laws::hours(1, 2), {{laws::hour(1), 1}});
        CHECK(laws::replaced(sink, late, old) == freshet::replaced_counts{0, 0, laws::in_an_hour});
        CHECK(laws::read(sink, 60min).empty());
    }
}

TEST_CASE_TEMPLATE_DEFINE("a newer run in the midst of another leaves its blocks around fenced as they were", Fixture,
                          laws_bucket_sink_18) {
    Fixture fixture;
    if constexpr (laws::fences_runs<Fixture>()) {
        auto& sink = fixture.sink();
        const auto old = laws::ticket_of(sink);
        const auto middle = laws::ticket_of(sink);
        const auto newest = laws::ticket_of(sink);
        const auto empty = [](int first, int end) { return laws::found_of(laws::hours(first, end), {}); };
        laws::replaced(sink, empty(0, 10), middle);
        SUBCASE("inside") { laws::replaced(sink, empty(4, 6), newest); }
        SUBCASE("at the start") { laws::replaced(sink, empty(-1, 3), newest); }
        SUBCASE("at the end") { laws::replaced(sink, empty(7, 11), newest); }
        SUBCASE("twice") {
            laws::replaced(sink, empty(2, 4), newest);
            laws::replaced(sink, empty(3, 5), laws::ticket_of(sink));
        }
        SUBCASE("an older one having come late") { laws::replaced(sink, empty(-2, 12), old); }
        for (int at = 0; at != 10; ++at) {
            CAPTURE(at);
            const auto late = laws::found_of(laws::hours(at, at + 1), {{laws::hour(at), 1}});
            CHECK(laws::replaced(sink, late, old).overtaken == laws::in_an_hour);
        }
    }
}

TEST_CASE_TEMPLATE_DEFINE("the same ticket may replace again, other ranges too, and the last of its calls stays",
                          Fixture, laws_bucket_sink_6) {
    Fixture fixture;
    auto& sink = fixture.sink();
    const auto ticket = laws::ticket_of(sink);
    const auto first = laws::found_of(laws::hours(0, 2), {{laws::hour(0), 3}, {laws::hour(1), 4}});
    const auto other = laws::found_of(laws::hours(1, 3), {{laws::hour(1), 5}, {laws::hour(2), 6}});
    CHECK(laws::replaced(sink, first, ticket) == freshet::replaced_counts{8, 2 * laws::in_an_hour - 8, 0});
    CHECK(laws::replaced(fixture.other(), first, ticket) == freshet::replaced_counts{0, 2 * laws::in_an_hour, 0});
    CHECK(laws::replaced(sink, other, ticket) == freshet::replaced_counts{8, 2 * laws::in_an_hour - 8, 0});
    CHECK(laws::holds(sink,
                      laws::found_of(laws::hours(0, 3), {{laws::hour(0), 3}, {laws::hour(1), 5}, {laws::hour(2), 6}})));
    CHECK(laws::replaced(sink, first, ticket) == freshet::replaced_counts{4, 2 * laws::in_an_hour - 4, 0});
    CHECK(laws::holds(sink,
                      laws::found_of(laws::hours(0, 3), {{laws::hour(0), 3}, {laws::hour(1), 4}, {laws::hour(2), 6}})));
}
