#include <freshet/job/run_silence.hpp>

#include <chrono>

#include <doctest/doctest.h>

using namespace std::chrono_literals;

TEST_CASE("an execution is alive until it has given no sign of life for as long as that may be") {
    const freshet::time_point seen{1'000h};
    const freshet::run_report running{.started_at = seen - 10h, .seen_at = seen};
    CHECK(!freshet::fell_silent(running, seen));
    CHECK(!freshet::fell_silent(running, seen + 15min - 1us));
    CHECK(freshet::fell_silent(running, seen + 15min));
    CHECK(freshet::fell_silent(running, seen + 1min, 1min));
    CHECK(!freshet::fell_silent(running, seen + 1h, 2h));
}

TEST_CASE("an execution that has ended is not silent, however long ago that is") {
    for (const auto state : {freshet::run_state::complete, freshet::run_state::stopped, freshet::run_state::failed}) {
        CHECK(!freshet::fell_silent({.state = state}, freshet::time_point{1'000h}));
    }
}
