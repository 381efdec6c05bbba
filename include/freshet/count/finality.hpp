#pragma once

#include <optional>

#include <freshet/core/time.hpp>
#include <freshet/count/window.hpp>
#include <freshet/work/deadline.hpp>

namespace freshet {

/// Whether the counts of a bucket that ends there stay as they are: a change of its records that is seen from now on is
/// seen more than `lateness` after its end, and comes too late.
///
/// Without a lateness nothing is ever final. A run that began before may still end. Buckets become final together with
/// the widest one that they lie in, for that is counted as a whole: ask with its end.
[[nodiscard]] constexpr auto is_final(time_point bucket_end, time_point now, std::optional<duration> lateness) noexcept
    -> bool {
    return lateness && deadline::in(*lateness, bucket_end).passed(now);
}

/// The start of the first bucket of this width that is not final; the first instant of all where nothing ever is.
[[nodiscard]] constexpr auto open_since(time_point now, std::optional<duration> lateness, duration width) noexcept
    -> time_point {
    return lateness ? aligned({deadline::in(-*lateness, now).when(), now}, width).start : time_point::min();
}

} // namespace freshet
