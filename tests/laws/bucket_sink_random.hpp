#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <freshet/backend/bucket_sink.hpp>
#include <freshet/backend/series_key.hpp>
#include <freshet/backend/shareable.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>

#include "../support/cases.hpp"
#include "bucket_sink_steps.hpp"

TEST_CASE_TEMPLATE_DEFINE(
    "whatever runs there are and in whatever order they end, a sink answers as a plain list would", Fixture,
    laws_bucket_sink_15) {
    using namespace std::chrono_literals;
    const std::vector<std::vector<freshet::duration>> ladders{{15min, 30min, 60min}, {20min, 60min}, {4h}, {60min}};
    const std::vector<freshet::series_key> names{{"a", ""}, {"a", "b"}};
    const auto rounds = support::cases(5);
    for (std::size_t round = 0; round < rounds; ++round) {
        const auto seed = support::seed() + round;
        CAPTURE(seed);
        std::mt19937_64 random{seed};
        const auto below = [&](auto n) { return static_cast<std::size_t>(random() % static_cast<std::size_t>(n)); };
        struct open_run {
            freshet::series_key series;
            freshet::run_ticket ticket;
        };
        Fixture fixture;
        laws::plain_counts plain;
        std::vector<open_run> runs;
        for (int step = 0; step < 60; ++step) {
            CAPTURE(step);
            auto& sink = below(2) == 0 ? fixture.sink() : fixture.other();
            if (runs.empty() || below(3) == 0) {
                const auto& series = names[below(names.size())];
                const auto ticket = laws::ticket_of(sink, series);
                for (const auto& run : runs) { CHECK((run.series != series || run.ticket.number < ticket.number)); }
                runs.push_back({series, ticket});
                continue;
            }
            auto run = runs[runs.size() - 1 - below(std::min<std::size_t>(runs.size(), 5))];
            if constexpr (!laws::fences_runs<Fixture>()) { run.ticket = laws::ticket_of(sink, run.series); }
            const auto& widths = ladders[below(ladders.size())];
            const auto start = (static_cast<int>(below(12)) - 6) * widths.back();
            const freshet::time_range range{freshet::time_point{start},
                                            freshet::time_point{start + static_cast<int>(below(6)) * widths.back()}};
            std::vector<laws::made_records> records;
            for (auto some = below(6); some != 0 && !range.empty(); --some) {
                records.push_back(
                    {range.start + freshet::duration{below((range.end - range.start).count())}, below(3)});
            }
            const auto found = laws::found_of(range, records, widths);
            CHECK(laws::replaced(sink, found, run.ticket, run.series) == plain.replace(run.series, found, run.ticket));
            auto& reader = below(2) == 0 ? fixture.sink() : fixture.other();
            for (const auto width : widths) {
                CHECK(laws::read(reader, width, laws::all_time, run.series) ==
                      plain.read(run.series, laws::all_time, width));
            }
        }
        for (const auto& series : names) {
            for (const auto& widths : ladders) {
                for (const auto width : widths) {
                    const freshet::time_range some{freshet::time_point{-40min}, freshet::time_point{130min}};
                    CHECK(laws::read(fixture.sink(), width, some, series) == plain.read(series, some, width));
                }
            }
        }
    }
}

TEST_CASE_TEMPLATE_DEFINE("of threads that begin runs at once, none gets another's ticket", Fixture,
                          laws_bucket_sink_16) {
    Fixture fixture;
    auto& sink = fixture.sink();
    if constexpr (freshet::shareable<std::remove_reference_t<decltype(sink)>>) {
        std::vector<std::vector<std::uint64_t>> tickets(4);
        {
            std::vector<std::jthread> threads;
            for (auto& own : tickets) {
                threads.emplace_back([&] {
                    for (int n = 0; n != 25; ++n) {
                        const auto given = sink.begin_run(laws::a_series);
                        own.push_back(given.ok() ? given->number : 0);
                    }
                });
            }
        }
        std::vector<std::uint64_t> all;
        for (const auto& own : tickets) {
            CHECK(std::is_sorted(own.begin(), own.end()));
            all.insert(all.end(), own.begin(), own.end());
        }
        std::sort(all.begin(), all.end());
        CHECK(all.front() > 0);
        CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
    }
}

TEST_CASE_TEMPLATE_DEFINE("no reader and no other run sees a part of a block's new counts, and at last the newest stay",
                          Fixture, laws_bucket_sink_17) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& sink = fixture.sink();
    constexpr bool whole = laws::keeps_blocks_whole<Fixture>() && laws::fences_runs<Fixture>();
    if constexpr (whole && freshet::shareable<std::remove_reference_t<decltype(sink)>>) {
        // each run finds ten records, and has moved one from the hour's first minute to the last
        const auto found_of_run = [](std::uint64_t number) {
            const auto late = number % 10;
            return laws::found_of(laws::hours(0, 1), {{laws::hour(0), 10 - late}, {laws::hour(0) + 59min, late}});
        };
        laws::replaced(sink, found_of_run(0), laws::ticket_of(sink));
        std::atomic<int> failures{0};
        std::atomic<bool> over{false};
        std::atomic<std::uint64_t> newest{0};
        {
            std::jthread reader{[&] {
                while (!over) {
                    const auto minutes = sink.read(laws::a_series, laws::all_time, 1min);
                    std::uint64_t records = 0;
                    if (minutes.ok()) {
                        for (const auto& each : *minutes) { records += each.count; }
                    }
                    failures += records == 10 ? 0 : 1;
                }
            }};
            std::vector<std::jthread> writers;
            for (int n = 0; n != 3; ++n) {
                writers.emplace_back([&] {
                    for (int run = 0; run != 20; ++run) {
                        const auto ticket = sink.begin_run(laws::a_series);
                        std::this_thread::yield();
                        if (!ticket.ok() || !sink.replace(laws::a_series, found_of_run(ticket->number), *ticket).ok()) {
                            ++failures;
                            continue;
                        }
                        auto seen = newest.load();
                        while (seen < ticket->number && !newest.compare_exchange_weak(seen, ticket->number)) {}
                    }
                });
            }
            for (auto& writer : writers) { writer.join(); }
            over = true;
        }
        CHECK(failures == 0);
        CHECK(laws::holds(sink, found_of_run(newest)));
    }
}
