#include <freshet/job/alarms.hpp>

#include <chrono>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/rfc3339.hpp>
#include <freshet/job/schedule.hpp>
#include <freshet/job/schedule_literal.hpp>

namespace {

using namespace std::chrono_literals;
using namespace freshet::literals;
using enum freshet::alarm_state;
using enum freshet::run_state;
using reports = std::vector<freshet::run_report>;

constexpr auto weekly = "cron(0 2 ? * SUN *)"_schedule;
constexpr auto quarterly = "cron(0 2 ? 1/3 1#1 *)"_schedule;

constexpr auto at(std::string_view text) -> freshet::time_point { return *freshet::parse_rfc3339(text); }

constexpr auto sunday = at("2026-03-01T02:00:00Z");
constexpr freshet::duration week = 24h * 7;

auto run(freshet::time_point due = sunday, freshet::duration took = 10min, freshet::run_state state = complete)
    -> freshet::run_report {
    return {.job = "job",
            .run = "1",
            .due = due,
            .started_at = due + 1s,
            .seen_at = due + 1s + took,
            .limit = 15min,
            .state = state};
}

auto with_errors(std::uint64_t failed, std::uint64_t worked, freshet::time_point due = sunday) -> freshet::run_report {
    auto report = run(due);
    report.failed = failed;
    report.worked = worked;
    return report;
}

auto evaluated(const reports& all, freshet::time_point now = sunday + 2h, const freshet::alarm_rules& rules = {})
    -> freshet::alarm_states {
    return freshet::evaluate(rules, weekly, all, now);
}

/// The state is this one, and its line has these words in it.
void is(const freshet::alarm_verdict& verdict, freshet::alarm_state state, std::string_view words) {
    CAPTURE(verdict.why);
    CHECK(verdict.state == state);
    CHECK(verdict.why.find(words) != std::string::npos);
    CHECK(verdict.why.find('\n') == std::string::npos);
}

} // namespace

TEST_CASE("exactly as many errors as the rule names are still well, and one more group is not") {
    is(evaluated({with_errors(10, 100)}).error_rate, ok, "10 of 100 groups failed, no more than 10 %");
    is(evaluated({with_errors(11, 100)}).error_rate, alarm, "11 of 100 groups failed, more than 10 %");
    is(evaluated({with_errors(3, 30)}).error_rate, ok, "3 of 30");
    is(evaluated({with_errors(100'001, 1'000'000)}).error_rate, alarm, "100001 of 1000000");
    is(evaluated({with_errors(0, 100)}).error_rate, ok, "0 of 100");
    is(evaluated({with_errors(7, 100)}, sunday + 2h, {.error_rate = 0.07}).error_rate, ok, "no more than 7 %");
    is(evaluated({with_errors(1, 1'000)}, sunday + 2h, {.error_rate = 0}).error_rate, alarm, "more than 0 %");
}

TEST_CASE("groups are added up over the executions of the window, by when they began") {
    const auto old = with_errors(50, 50, sunday - week);
    const auto now = sunday + 1s + 2h;
    is(evaluated({with_errors(10, 100), with_errors(10, 100, sunday - 24h)}, now).error_rate, ok, "20 of 200");
    is(evaluated({with_errors(1, 100), with_errors(30, 100, sunday - 24h)}, now).error_rate, alarm, "31 of 200");
    is(evaluated({old, with_errors(10, 100)}, old.started_at + week).error_rate, ok, "10 of 100 groups");
    is(evaluated({old, with_errors(10, 100)}, old.started_at + week - 1us).error_rate, alarm, "60 of 150 groups");
}

TEST_CASE("an execution that failed as a whole counts among the executions, whatever its groups say") {
    const auto failing = run(sunday - 24h, 1min, failed);
    is(evaluated({with_errors(0, 1'000), failing}).error_rate, alarm,
       "1 of 2 executions failed or fell silent, more than 10 %");
    reports ten(9, with_errors(0, 10));
    ten.push_back(failing);
    is(evaluated(ten).error_rate, ok, "0 of 90 groups failed");
    ten.pop_back();
    ten.pop_back();
    ten.push_back(failing);
    is(evaluated(ten).error_rate, alarm, "1 of 9 executions");
    is(evaluated({run(sunday, 1min, stopped)}).error_rate, ok, "0 of 0 groups");
}

TEST_CASE("an execution that fell silent failed; one that is alive has only its groups to show") {
    auto alive = run(sunday, 10min, running);
    const auto dies_at = alive.seen_at + 15min;
    is(evaluated({alive}, dies_at - 1us).error_rate, insufficient_data, "no group had its turn yet");
    is(evaluated({alive}, dies_at).error_rate, alarm, "1 of 1 executions failed or fell silent");
    alive.worked = 10;
    is(evaluated({alive}, dies_at - 1us).error_rate, ok, "0 of 10");
    alive.failed = 2;
    is(evaluated({alive}, dies_at - 1us).error_rate, alarm, "2 of 10");
}

TEST_CASE("exactly the share of its limit that the rule names is still well, and a microsecond more is not") {
    is(evaluated({run(sunday, 12min)}).duration_share, ok,
       "the execution of 2026-03-01T02:00:01Z took 720 s, no more than 80 % of its 900 s");
    is(evaluated({run(sunday, 12min + 1us)}).duration_share, alarm,
       "the execution of 2026-03-01T02:00:01Z took 720.000001 s, more than 80 % of its 900 s");
    is(evaluated({run(sunday, 12min - 1us)}).duration_share, ok, "719.999999 s");
    is(evaluated({run(sunday, 13min, running)}).duration_share, alarm, "780 s");
    is(evaluated({run(sunday, 15min, stopped)}).duration_share, alarm, "900 s");
}

TEST_CASE("an execution that fell silent counts as killed at its limit, however early its last sign of life came") {
    const auto killed = run(sunday, 1s, running);
    const auto dies_at = killed.seen_at + 15min;
    is(evaluated({killed}, dies_at - 1us).duration_share, ok, "took 1 s, no more than 80 % of its 900 s");
    is(evaluated({killed}, dies_at).duration_share, alarm,
       "the execution of 2026-03-01T02:00:01Z fell silent after 1 s and counts as killed at its limit, more than 80 % "
       "of its 900 s");
    is(evaluated({run(sunday - 24h, 14min), killed}, dies_at).duration_share, alarm, "fell silent after 1 s");
    is(evaluated({killed}, killed.seen_at + 1min, {.silence = 1min}).duration_share, alarm, "fell silent");
    is(evaluated({killed}, dies_at, {.duration_share = 1}).duration_share, ok, "at its limit, no more than 100 %");
    is(evaluated({run(sunday, 16min, running)}, dies_at + 1h, {.duration_share = 1}).duration_share, alarm,
       "fell silent after 960 s");
    is(evaluated({run(sunday, 1s)}, dies_at).duration_share, ok, "took 1 s");
    auto unlimited = killed;
    unlimited.limit = 0s;
    is(evaluated({unlimited}, dies_at).duration_share, insufficient_data, "no execution that has a limit");
}

TEST_CASE("the execution that came nearest to its own limit is judged; without a limit there is nothing to judge") {
    auto short_limit = run(sunday - 24h, 1min);
    short_limit.limit = 70s;
    is(evaluated({run(sunday, 11min), short_limit}).duration_share, alarm,
       "the execution of 2026-02-28T02:00:01Z took 60 s, more than 80 % of its 70 s");
    auto unlimited = run(sunday, 100h);
    unlimited.limit = 0s;
    is(evaluated({unlimited}).duration_share, insufficient_data, "no execution that has a limit");
    is(evaluated({unlimited, run(sunday, 1min)}).duration_share, ok, "60 s");
}

TEST_CASE("an execution is absent from the end of the grace on, and the last instant that was due is asked for") {
    is(evaluated({}, sunday + 1h - 1us).no_execution, alarm, "due at 2026-02-22T02:00:00Z, and none began in 3600 s");
    is(evaluated({run(sunday - week)}, sunday + 1h - 1us).no_execution, ok,
       "an execution was due at 2026-02-22T02:00:00Z, and there was one");
    is(evaluated({run(sunday - week)}, sunday + 1h).no_execution, alarm, "due at 2026-03-01T02:00:00Z");
    is(evaluated({run(sunday)}, sunday + 1h).no_execution, ok, "2026-03-01T02:00:00Z");
    is(evaluated({run(sunday)}, sunday + week + 1h - 1us).no_execution, ok, "2026-03-01T02:00:00Z");
    is(evaluated({run(sunday, 1min, failed)}, sunday + 1h).no_execution, ok, "and one began; none finished");
    is(evaluated({run(sunday - week)}, sunday + 5min, {.grace = 5min}).no_execution, alarm, "none began in 300 s");
}

TEST_CASE("an execution that makes up for an earlier round first is there, and not absent") {
    auto late = run(sunday - week);
    const auto began = [&](freshet::duration after) {
        late.started_at = sunday + after;
        late.seen_at = late.started_at + 1min;
        return evaluated({late}, sunday + 1h).no_execution;
    };
    for (const auto state : {running, complete, stopped, failed}) {
        late.state = state;
        is(began(1s), ok,
           "an execution was due at 2026-03-01T02:00:00Z, and one began, for the round of 2026-02-22T02:00:00Z");
    }
    is(began(1h - 1us), ok, "for the round of 2026-02-22");
    is(began(1h), alarm, "due at 2026-03-01T02:00:00Z, and none began");
    is(began(-2ms), ok, "for the round of 2026-02-22"); // by the clock of a host that is behind
    is(began(-1s), ok, "for the round of 2026-02-22");
    is(began(-1s - 1us), alarm, "none began");
    is(began(-24h), alarm, "none began");
}

TEST_CASE("a quarterly job that did not run is noticed, three months after its last execution") {
    const freshet::alarm_rules rules{.grace = 24h};
    const auto january = run(at("2026-01-04T02:00:00Z"));
    const auto due = at("2026-04-05T02:00:00Z");
    is(freshet::evaluate(rules, quarterly, reports{january}, due + 24h - 1us).no_execution, ok, "2026-01-04");
    const auto states = freshet::evaluate(rules, quarterly, reports{january}, due + 24h);
    is(states.no_execution, alarm, "due at 2026-04-05T02:00:00Z, and none began in 86400 s");
    is(states.error_rate, ok, "0 of 0 groups");
    is(states.duration_share, ok, "the execution of 2026-01-04T02:00:01Z took 600 s");
}

TEST_CASE("without reports there is nothing to judge, and before the first instant nothing was due") {
    const auto states = evaluated({}, sunday + 1h, {.since = sunday});
    is(states.error_rate, insufficient_data, "no execution to judge");
    is(states.duration_share, insufficient_data, "no execution that has a limit");
    is(states.no_execution, alarm, "2026-03-01T02:00:00Z");
    is(evaluated({}, sunday + 1h - 1us, {.since = sunday}).no_execution, insufficient_data,
       "no execution should have begun yet");
    is(evaluated({}, sunday + 1h, {.since = sunday + 1us}).no_execution, insufficient_data, "yet");
    is(freshet::evaluate({}, freshet::schedule{}, reports{}, sunday).no_execution, insufficient_data, "yet");
}

TEST_CASE("the reports that an evaluation wants go back to the last instant that was due, and over the window") {
    const auto wanted = freshet::reports_to_evaluate({}, weekly, sunday + 2h);
    CHECK(wanted == freshet::time_range{sunday + 2h - week, sunday + 2h + 1us});
    CHECK(freshet::reports_to_evaluate({}, weekly, sunday + 30min).start == sunday - week - 1s);
    CHECK(freshet::reports_to_evaluate({.window = 1h}, weekly, sunday + 2h).start == sunday - 1s);
    CHECK(freshet::reports_to_evaluate({.grace = 24h}, quarterly, at("2026-04-01T00:00:00Z")).start ==
          at("2026-01-04T01:59:59Z"));
    CHECK(freshet::reports_to_evaluate({}, freshet::schedule{}, sunday).start == sunday - week);
}

TEST_CASE("an execution that began by the clock of a host that is behind is among the reports, and was there") {
    auto early = run(sunday);
    early.started_at = sunday - 2ms;
    const freshet::alarm_rules rules{.window = 1h};
    const auto now = sunday + 2h;
    CHECK(freshet::reports_to_evaluate(rules, weekly, now).contains(early.started_at));
    is(evaluated({early}, now, rules).no_execution, ok, "and there was one");
}

TEST_CASE("rules without end are judged all the same") {
    constexpr auto endless = freshet::duration::max();
    const freshet::alarm_rules rules{.grace = endless, .window = endless, .silence = endless};
    const auto states = evaluated({run(sunday, 14min)}, sunday + 2h, rules);
    is(states.duration_share, alarm, "840 s");
    is(states.no_execution, insufficient_data, "yet");
    CHECK(freshet::reports_to_evaluate(rules, weekly, sunday).start == sunday - endless);
}

static_assert(freshet::name_of(ok) == "OK" && freshet::name_of(alarm) == "ALARM" &&
              freshet::name_of(insufficient_data) == "INSUFFICIENT_DATA" &&
              freshet::name_of(static_cast<freshet::alarm_state>(3)).empty());
