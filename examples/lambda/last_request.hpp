#pragma once

#include <algorithm>

#include <freshet/core/time.hpp>
#include <freshet/work/deadline.hpp>

namespace lambda {

/// Until when an invocation may begin work that must be over, and answered, at its `end`: `reserve` before that, as far
/// as three quarters of the time are left for the work.
[[nodiscard]] constexpr auto last_request(freshet::deadline end, freshet::time_point now, freshet::duration reserve)
    -> freshet::deadline {
    const auto left = end.remaining(now);
    return freshet::deadline::in(left - std::min(reserve, left / 4), now);
}

} // namespace lambda
