#pragma once

#include <functional>
#include <stop_token>
#include <type_traits>

#include <freshet/backend/clock.hpp>
#include <freshet/core/result.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/retry_plan.hpp>

namespace freshet {

/// Calls `operation` until it succeeds, the plan gives up, the deadline is too near or a stop is asked for; the answer
/// is the last attempt's.
///
/// The first attempt is made in any case. No other starts after a stop or at the deadline, and no wait reaches it; what
/// an attempt itself takes is not bounded. `random()` gives 64 uniform bits (`random_source`). What `operation` throws
/// passes through.
template <class Timer, class Random, class Operation>
[[nodiscard]] auto retry(const retry_plan& plan, Timer& clock, const std::stop_token& stop, const deadline& until,
                         Random& random, Operation&& operation) -> std::invoke_result_t<Operation&> {
    static_assert(timer<Timer>, "retry needs a timer: now() -> time_point and wait(duration, std::stop_token) -> bool");
    for (unsigned attempts = 1;; ++attempts) {
        auto answer = std::invoke(operation);
        if (answer.ok()) { return answer; }
        const auto next = plan.verdict(answer.why().code, attempts, random());
        if (!next.again || !until.allows(next.wait, clock.now())) { return answer; }
        if (!clock.wait(next.wait, stop) || until.passed(clock.now())) { return answer; }
    }
}

} // namespace freshet
