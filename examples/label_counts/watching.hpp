#pragma once

#include <stop_token>

#include <freshet/cache/freshness.hpp>
#include <freshet/core/time.hpp>

namespace label_counts {

/// Calls `run()` at the beginning of each period, until a stop: never twice at a time, and at once where the run before
/// took longer than a period.
template <class Timer, class Run>
void every_period(Timer& timer, freshet::duration period, const std::stop_token& stop, Run&& run) {
    while (!stop.stop_requested()) {
        const auto began = timer.now();
        run();
        if (!timer.wait(period - freshet::age_of(began, timer.now()), stop)) { return; }
    }
}

} // namespace label_counts
