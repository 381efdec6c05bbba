#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <freshet/backend/bucket_sink.hpp>
#include <freshet/backend/series_key.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>
#include <freshet/count/finality.hpp>
#include <freshet/count/window.hpp>

namespace freshet {

/// A bucket as people look at it.
struct series_point {
    freshet::bucket bucket{};
    bool is_final{}; ///< with the widest bucket that it lies in
    friend constexpr auto operator==(const series_point&, const series_point&) -> bool = default;
};

/// How many points `read_series` gives at most.
inline constexpr std::size_t most_series_points = 100'000;

/// The counts of a series in every bucket of this width that the range touches, ascending, zeros too.
///
/// What was never counted is zero. What the sink has of a time at which no such bucket starts is left out. A range of
/// more than `most_series_points` buckets is `too_large`, a width that is not positive `malformed`; the sink's own
/// failure passes through. `widest`: of the buckets that the series is counted in.
template <class Sink>
[[nodiscard]] auto read_series(Sink& sink, const series_key& series, const time_range& range, duration width,
                               time_point now, std::optional<duration> lateness = {},
                               duration widest = std::chrono::hours{1}) -> result<std::vector<series_point>> {
    static_assert(bucket_sink<Sink>, "read_series needs a bucket_sink: begin_run, replace and read");
    if (width <= duration::zero() || widest <= duration::zero()) {
        return error{errc::malformed, "read_series: the width of a bucket is positive"};
    }
    const auto whole = aligned(range, width);
    const auto number = [width](time_point at) { return static_cast<std::uint64_t>(at.time_since_epoch() / width); };
    const auto points = number(whole.end) - number(whole.start);
    if (points > most_series_points) {
        return error{errc::too_large, "read_series: " + std::to_string(points) + " buckets, and at most " +
                                          std::to_string(most_series_points) + " are given at once"};
    }
    const auto counted = sink.read(series, whole, width);
    if (!counted) { return counted.why(); }
    std::vector<series_point> all;
    all.reserve(points);
    auto next = counted->begin();
    for (auto start = whole.start; start < whole.end; start += width) {
        while (next != counted->end() && next->start < start) { ++next; } // it would hide all after it
        const bool known = next != counted->end() && next->start == start;
        const auto final = is_final(bucket_around(start, widest).end, now, lateness);
        all.push_back({known ? *next++ : bucket{width, start, 0}, final});
    }
    return all;
}

} // namespace freshet
