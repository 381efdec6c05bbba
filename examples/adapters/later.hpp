#pragma once

#include <algorithm>

#include <freshet/core/time.hpp>

namespace adapters {

/// `span` after `at`, and not beyond the last instant that there is: `duration::max()` means for ever.
[[nodiscard]] constexpr auto later(freshet::time_point at, freshet::duration span) noexcept -> freshet::time_point {
    return at + std::min(span, freshet::time_point::max() - std::max(at, freshet::time_point{}));
}

/// `span` before `at`, and not before the first instant that there is.
[[nodiscard]] constexpr auto earlier(freshet::time_point at, freshet::duration span) noexcept -> freshet::time_point {
    return at - std::min(span, std::min(at.time_since_epoch(), freshet::duration{}) + freshet::duration::max());
}

} // namespace adapters
