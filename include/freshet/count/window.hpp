#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>
#include <freshet/count/floor_to.hpp>

namespace freshet {

/// The buckets of this width that the range touches, whole; the width is positive. An empty range touches none.
///
/// What lies beyond the first and the last whole bucket of the time scale is left out, so that a range may be as long
/// as the time scale is.
[[nodiscard]] constexpr auto aligned(const time_range& range, duration width) noexcept -> time_range {
    const time_point first{time_point::min().time_since_epoch() / width * width};
    const time_point last{time_point::max().time_since_epoch() / width * width};
    const auto start = floor_to(std::clamp(range.start, first, last), width);
    if (range.empty()) { return {start, start}; }
    const auto end = std::clamp(range.end, first, last);
    const auto whole = floor_to(end, width);
    return {start, whole == end ? whole : whole + width};
}

/// The bucket of this width that holds this instant; empty where the time scale has only a part of it.
[[nodiscard]] constexpr auto bucket_around(time_point at, duration width) noexcept -> time_range {
    return at < time_point::max() ? aligned({at, at + duration{1}}, width) : aligned({at, at}, width);
}

/// The bucket of this width that `now` lies in, and the n - 1 before it; for n = 0 an empty range.
///
/// Whatever `now` and n are, its buckets are whole ones of the time scale: the last n of those that have begun, or all.
[[nodiscard]] constexpr auto current_window(time_point now, std::size_t n,
                                            duration width = std::chrono::hours{1}) noexcept -> time_range {
    const auto next = std::min(now, time_point::max() - duration{1}) + duration{1};
    const auto begun = aligned({time_point::min(), next}, width);
    const auto number = [width](time_point at) { return static_cast<std::uint64_t>(at.time_since_epoch() / width); };
    const auto most = number(begun.end) - number(begun.start); // unsigned: of microseconds there are more than 2^63
    const auto first = number(begun.end) - std::min<std::uint64_t>(n, most);
    return {time_point{static_cast<std::int64_t>(first) * width}, begun.end};
}

} // namespace freshet
