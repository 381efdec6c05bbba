#include <freshet/job/missed_run.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/rfc3339.hpp>
#include <freshet/job/schedule.hpp>
#include <freshet/job/schedule_literal.hpp>

#include <support/cases.hpp>

namespace {

using namespace std::chrono_literals;
using namespace freshet::literals;
using enum freshet::missed_fate;
using enum freshet::run_state;
using missed = std::vector<freshet::missed_run>;
using reports = std::vector<freshet::run_report>;

constexpr auto weekly = "cron(0 2 ? * SUN *)"_schedule;
constexpr auto quarterly = "cron(0 2 ? 1/3 1#1 *)"_schedule;

constexpr auto at(std::string_view text) -> freshet::time_point { return *freshet::parse_rfc3339(text); }

constexpr auto sunday = at("2026-03-01T02:00:00Z");
constexpr freshet::duration week = 24h * 7;

auto run(freshet::time_point due, freshet::duration late, freshet::run_state state = complete) -> freshet::run_report {
    return {
        .job = "job", .run = "1", .due = due, .started_at = due + late, .seen_at = due + late + 5min, .state = state};
}

auto of_week(const reports& all, freshet::time_point now, freshet::duration grace = 1h) -> missed {
    return freshet::missed_runs(weekly, all, {sunday, sunday + 1us}, grace, now);
}

} // namespace

TEST_CASE("a run is missed from the end of its grace on, and not before") {
    CHECK(of_week({}, sunday).empty());
    CHECK(of_week({}, sunday + 1h - 1us).empty());
    CHECK(of_week({}, sunday + 1h) == missed{{sunday, never_ran}});
    CHECK(of_week({}, sunday + 1'000h) == missed{{sunday, never_ran}});
    CHECK(of_week({}, sunday - 1us, 0h).empty());
    CHECK(of_week({}, sunday, 0h) == missed{{sunday, never_ran}});
    CHECK(of_week({}, sunday + 1'000h, freshet::duration::max()).empty());
}

TEST_CASE("instants are watched from the start of the range on and before its end") {
    const auto now = sunday + 10 * week;
    const auto in = [&](freshet::time_point start, freshet::time_point end) {
        return freshet::missed_runs(weekly, reports{}, {start, end}, 1h, now);
    };
    CHECK(in(sunday, sunday + week) == missed{{sunday, never_ran}});
    CHECK(in(sunday, sunday + week + 1us) == missed{{sunday, never_ran}, {sunday + week, never_ran}});
    CHECK(in(sunday + 1us, sunday + week).empty());
    CHECK(in(sunday, sunday).empty());
    CHECK(in(sunday + week, sunday).empty());
    CHECK(in(sunday, freshet::time_point::max()).size() == 10);
}

TEST_CASE("a complete run of an instant meets it, however late it began, and no other instant") {
    const auto now = sunday + 2 * week;
    const auto watched = freshet::time_range{sunday, sunday + 2 * week};
    for (const auto late : std::vector<freshet::duration>{0us, 1us, 59min, 60min, 24h * 8}) {
        CAPTURE(late.count());
        CHECK(freshet::missed_runs(weekly, reports{run(sunday, late)}, watched, 1h, now) ==
              missed{{sunday + week, never_ran}});
    }
    const missed the_next{{sunday + week, never_ran}};
    const auto made_up_for_when_the_next_was_due = reports{run(sunday, week + 5min)};
    CHECK(freshet::missed_runs(weekly, made_up_for_when_the_next_was_due, watched, 1h, now) == the_next);
    const auto by_a_clock_that_is_ahead = reports{run(sunday, -5min)};
    CHECK(freshet::missed_runs(weekly, by_a_clock_that_is_ahead, watched, 1h, now) == the_next);
}

TEST_CASE("a run that somebody asked for meets the instant that it began less than the grace after") {
    const auto asked = [](freshet::duration late, freshet::run_state state = complete) {
        auto report = run(sunday, late, state);
        report.due = report.started_at - 1s;
        return reports{report};
    };
    const auto now = sunday + 3h;
    CHECK(of_week(asked(1h - 1us), now).empty());
    CHECK(of_week(asked(1h), now) == missed{{sunday, never_ran}});
    CHECK(of_week(asked(1s + 1us), now).empty());
    CHECK_MESSAGE(of_week(asked(0s), now).empty(), "asked for before, and begun at the instant");
    CHECK(of_week(asked(-1us), now) == missed{{sunday, never_ran}});
    CHECK(of_week(asked(1min, failed), now) == missed{{sunday, not_finished}});

    auto rounds = asked(1min, stopped);
    rounds.push_back(rounds.front());
    rounds.back().started_at += 2h;
    rounds.back().state = complete;
    CHECK_MESSAGE(of_week(rounds, now).empty(), "another execution of that round went on");
}

TEST_CASE("a round that began is finished by any of its executions, or by one that is at it") {
    const auto now = sunday + 3h;
    for (const auto state : {stopped, failed}) {
        CHECK(of_week({run(sunday, 1s, state)}, now) == missed{{sunday, not_finished}});
        CHECK(of_week({run(sunday, 1s, state), run(sunday, 2h)}, now).empty());
        CHECK(of_week({run(sunday, 2h), run(sunday, 1s, state)}, now).empty());
    }
    auto alive = run(sunday, 1s, running);
    alive.seen_at = now - 15min + 1us;
    CHECK(of_week({run(sunday, 0s, stopped), alive}, now).empty());
    alive.seen_at -= 1us;
    const missed it_fell_silent{{sunday, not_finished}};
    CHECK(of_week({alive}, now) == it_fell_silent);
    CHECK(freshet::missed_runs(weekly, reports{alive}, {sunday, sunday + 1us}, 1h, now, 16min).empty());
}

TEST_CASE("a quarterly job is watched like any other") {
    const auto year = freshet::time_range{at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z")};
    const std::vector<freshet::time_point> due{at("2026-01-04T02:00:00Z"), at("2026-04-05T02:00:00Z"),
                                               at("2026-07-05T02:00:00Z"), at("2026-10-04T02:00:00Z")};
    const reports told{run(due[0], 1min), run(due[2], 3min, stopped)};
    CHECK(freshet::missed_runs(quarterly, told, year, 24h, at("2026-12-31T00:00:00Z")) ==
          missed{{due[1], never_ran}, {due[2], not_finished}, {due[3], never_ran}});
    CHECK(freshet::missed_runs(quarterly, told, year, 24h, at("2026-04-06T01:59:59Z")).empty());
    CHECK(freshet::missed_runs(quarterly, told, year, 24h, at("2026-04-06T02:00:00Z")) == missed{{due[1], never_ran}});
}

TEST_CASE("a schedule that fires no more, or never did, misses nothing") {
    const auto now = at("2030-01-01T00:00:00Z");
    const freshet::time_range all{freshet::time_point{}, now};
    CHECK(freshet::missed_runs(freshet::schedule{}, reports{}, all, 1h, now).empty());
    constexpr auto once = "at(2026-03-01T02:00:00)"_schedule;
    CHECK(freshet::missed_runs(once, reports{}, all, 1h, now) == missed{{sunday, never_ran}});
    CHECK(freshet::missed_runs(once, reports{run(sunday, 1min)}, all, 1h, now).empty());
}

TEST_CASE("whatever ran, what was missed is what a look at each instant and each report says") {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const auto below = [&](std::uint64_t most) { return random() % most; };
    constexpr auto hourly = "cron(0 * * * ? *)"_schedule;
    const freshet::duration grace = 20min;
    for (auto round = support::cases(300); round > 0; --round) {
        const auto now = sunday + freshet::duration{30min} * static_cast<std::int64_t>(below(24));
        reports told;
        for (auto n = below(10); n > 0; --n) {
            const auto due = sunday + 10min * static_cast<int>(below(60));
            auto report = run(due, 10min * static_cast<int>(below(9)), static_cast<freshet::run_state>(below(4)));
            report.seen_at = report.started_at + 5min * static_cast<int>(below(9));
            told.push_back(report);
        }
        missed expected;
        for (auto due = sunday; due + grace <= now; due += 1h) {
            bool began = false;
            bool good = false;
            for (const auto& first : told) {
                const bool own = first.due == due;
                const bool asked = (first.due - sunday) % 1h != 0s;
                const bool then = due <= first.started_at && first.started_at < due + grace;
                if (!own && !(asked && then)) { continue; }
                began = true;
                good = good || std::any_of(told.begin(), told.end(), [&](const auto& other) {
                           const bool at_it = other.state == running && now < other.seen_at + 15min;
                           return other.due == first.due && (at_it || other.state == complete);
                       });
            }
            if (!good) { expected.push_back({due, began ? not_finished : never_ran}); }
        }
        CHECK(freshet::missed_runs(hourly, told, {sunday, sunday + 24h}, grace, now) == expected);
    }
}

static_assert(freshet::name_of(never_ran) == "never_ran" && freshet::name_of(not_finished) == "not_finished");
static_assert(freshet::name_of(static_cast<freshet::missed_fate>(2)).empty());
