#include <freshet/job/run_statistics.hpp>

#include <chrono>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace std::chrono_literals;
using enum freshet::run_state;

const freshet::time_point start{1'000h};
const freshet::time_range always{freshet::time_point::min(), freshet::time_point::max()};

auto run(freshet::run_state state, freshet::duration took) -> freshet::run_report {
    return {.started_at = start, .seen_at = start + took, .state = state};
}

} // namespace

TEST_CASE("statistics add up what the executions did, and tell how each came to its end") {
    std::vector<freshet::run_report> all{run(complete, 1min), run(complete, 2min), run(stopped, 4min),
                                         run(failed, 8min),   run(running, 16min), run(running, 32min)};
    all[0].listed = 100;
    all[0].worked = 3;
    all[0].failed = 1;
    all[0].validated = 10;
    all[0].updated = 9;
    all[3].worked = 7;
    all[3].failed = 4;
    all[3].validated = 1;
    all[3].updated = 1;
    all[4].worked = 10;
    for (auto& each : all) { each.undecided = each.needs_review = each.conflicts = 2; }
    all[5].dead_lettered = 5;
    all[5].retries = 6;
    const auto sum = freshet::statistics_of(all, always, start + 31min);
    CHECK(sum == freshet::run_statistics{.executions = 6,
                                         .running = 1,
                                         .complete = 2,
                                         .stopped = 1,
                                         .failed = 1,
                                         .silent = 1,
                                         .total = 31min,
                                         .longest = 16min,
                                         .worked = 20,
                                         .failed_groups = 5,
                                         .validated = 11,
                                         .updated = 10,
                                         .undecided = 12,
                                         .needs_review = 12,
                                         .conflicts = 12,
                                         .dead_lettered = 5,
                                         .retries = 6});
    CHECK(sum.ended() == 5);
    CHECK(sum.mean() == 372s);
    CHECK(sum.error_rate() == 0.25);
    CHECK(sum.failure_rate() == 0.4);
}

TEST_CASE("the executions of a range are those that began in it, its end excluded") {
    const std::vector<freshet::run_report> all{run(complete, 1min)};
    const auto executions = [&](freshet::time_range range) {
        return freshet::statistics_of(all, range, start + 1h).executions;
    };
    CHECK(executions({start, start + 1us}) == 1);
    CHECK(executions({start - 1us, start}) == 0);
    CHECK(executions({start + 1us, start + 1h}) == 0);
}

TEST_CASE("of no executions every rate is zero, and so it is of those that only run") {
    CHECK(freshet::statistics_of({}, always, start) == freshet::run_statistics{});
    const std::vector<freshet::run_report> alive{run(running, 1min)};
    const auto sum = freshet::statistics_of(alive, always, start + 2min);
    CHECK(sum.running == 1);
    CHECK(sum.mean() == 0s);
    CHECK(sum.error_rate() == 0);
    CHECK(sum.failure_rate() == 0);
}
