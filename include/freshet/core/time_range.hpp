#pragma once

#include <freshet/core/time.hpp>

namespace freshet {

/// The instants from `start` on and before `end`. Empty where `end` is not after `start`.
struct time_range {
    time_point start{};
    time_point end{};

    [[nodiscard]] constexpr auto contains(time_point at) const noexcept -> bool { return start <= at && at < end; }
    [[nodiscard]] constexpr auto empty() const noexcept -> bool { return end <= start; }
    friend constexpr auto operator==(const time_range&, const time_range&) -> bool = default;
};

} // namespace freshet
