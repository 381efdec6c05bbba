#include <freshet/job/compute_cost.hpp>

#include <chrono>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/job/schedule.hpp>
#include <freshet/job/schedule_literal.hpp>

namespace {

using namespace std::chrono_literals;
using namespace freshet::literals;

constexpr auto weekly = "cron(0 2 ? * SUN *)"_schedule;
constexpr auto quarterly = "cron(0 2 ? 1/3 1#1 *)"_schedule;

} // namespace

TEST_CASE("an execution costs its duration times its memory, and a request; a begun millisecond is a whole one") {
    CHECK(freshet::cost_of(10min, 1'024).gb_seconds == 600);
    CHECK(freshet::cost_of(10min, 3'008).gb_seconds == 1'762.5);
    CHECK(freshet::cost_of(1us, 1'024).gb_seconds == 0.001);
    CHECK(freshet::cost_of(1ms, 1'024).gb_seconds == 0.001);
    CHECK(freshet::cost_of(1ms + 1us, 1'024).gb_seconds == 0.002);
    CHECK(freshet::cost_of(0s, 1'024).gb_seconds == 0);
    CHECK(freshet::cost_of(10min, 1'024).at({.per_gb_second = 0.5, .per_request = 3}) == 303);
    CHECK(freshet::cost_of(10min, 1'024).at({}) == 0);
}

TEST_CASE("what ran costs the sum of it, each execution billed for itself, also one that is running") {
    std::vector<freshet::run_report> reports(3);
    reports[0].seen_at = reports[0].started_at + 1us;
    reports[1].seen_at = reports[1].started_at + 1us;
    reports[2].seen_at = reports[2].started_at + 2s;
    reports[0].state = reports[1].state = freshet::run_state::complete;
    const auto sum = freshet::cost_of(reports, 2'048);
    CHECK(sum.executions == 3);
    CHECK(sum.gb_seconds == doctest::Approx(4.004).epsilon(1e-12));
    CHECK(freshet::cost_of(std::vector<freshet::run_report>{}, 2'048).at({1, 1}) == 0);
}

TEST_CASE("a quarterly job counts a third of its executions a month, a weekly one its weeks of the year over twelve") {
    for (const int year : {2024, 2025, 2026, 2027, 2028}) {
        CAPTURE(year);
        const auto cost = freshet::monthly_cost(quarterly, 15min, 3'008, std::chrono::year{year});
        CHECK(cost.executions == 4.0 / 12);
        CHECK(cost.gb_seconds == doctest::Approx(2'643.75 / 3).epsilon(1e-12));
    }
    CHECK(freshet::monthly_cost(weekly, 10min, 3'008, std::chrono::year{2026}).executions == 52.0 / 12);
    CHECK(freshet::monthly_cost(weekly, 10min, 3'008, std::chrono::year{2028}).executions == 53.0 / 12);
    CHECK(freshet::monthly_cost("at(2026-03-01T02:00:00)"_schedule, 1h, 1'024, std::chrono::year{2026}).gb_seconds ==
          300);
    CHECK(freshet::monthly_cost("at(2026-03-01T02:00:00)"_schedule, 1h, 1'024, std::chrono::year{2027}).executions ==
          0);
    CHECK(freshet::monthly_cost("rate(12 hours)"_schedule, 1s, 1'024, std::chrono::year{2026}).executions ==
          730.0 / 12);
}

TEST_CASE("the three jobs of receipts cost what their durations say: 10 minutes for 100 of them, 5 and 15 for 400") {
    constexpr std::chrono::year year{2026};
    auto all = freshet::monthly_cost(weekly, 10min, 3'008, year);
    CHECK(all.gb_seconds == doctest::Approx(52.0 / 12 * 600 * 2.9375).epsilon(1e-12));
    all += freshet::monthly_cost("cron(0 2 ? * WED *)"_schedule, 5min, 2'048, year);
    CHECK(all.gb_seconds == doctest::Approx(52.0 / 12 * (1'762.5 + 600)).epsilon(1e-12));
    all += freshet::monthly_cost(quarterly, 15min, 3'008, year);
    CHECK(all.gb_seconds == doctest::Approx(52.0 / 12 * 2'362.5 + 881.25).epsilon(1e-12));
    CHECK(all.executions == doctest::Approx(9).epsilon(1e-12));
    CHECK(all.at({.per_gb_second = 0.01, .per_request = 1}) ==
          doctest::Approx(0.01 * (52.0 / 12 * 2'362.5 + 881.25) + 9).epsilon(1e-12));
}
