#pragma once

#include <freshet/core/time.hpp>

namespace freshet {

/// The last whole multiple of `width`, counted from 1970, that is not after `at`: toward the past, also before 1970.
///
/// The width is positive, and lies between `at` and the earliest `time_point`.
[[nodiscard]] constexpr auto floor_to(time_point at, duration width) noexcept -> time_point {
    const auto beyond = at.time_since_epoch() % width;
    return at - (beyond < duration::zero() ? beyond + width : beyond);
}

} // namespace freshet
