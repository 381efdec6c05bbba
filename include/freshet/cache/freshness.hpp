#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include <freshet/core/time.hpp>
#include <freshet/work/deadline.hpp>

namespace freshet {

/// How long a cache's entries live.
///
/// Soft times are when an entry should be loaded anew; the hard one is when it is gone. All count from the start of the
/// load. The names are those of RFC 5861 and of the field.
struct expiry_options {
    duration ttl{std::chrono::minutes{5}}; ///< fresh for so long (expire after write)
    duration negative_ttl{};               ///< the same where the source has none; zero: that is not kept
    duration idle{};                       ///< gone when nobody asked for so long (expire after access); zero: never
    double refresh_ahead{}; ///< from this part of the fresh time on one caller loads anew; zero: at its end
    /// Soft times are later by up to this part of the fresh time, each entry's by its own. Of the end of the fresh time
    /// that is only seen where a stale time comes after it.
    double jitter{};
    duration stale_while_revalidate{}; ///< so long after its fresh time an entry answers while somebody loads anew
    duration stale_if_error{};         ///< so long after its fresh time an entry answers when loading failed
};

/// The times of an entry, as its store keeps them.
struct entry_times {
    time_point loaded_at{};
    time_point fresh_until{};
    time_point keep_until{};
    friend auto operator==(const entry_times&, const entry_times&) -> bool = default;
};

namespace detail {

[[nodiscard]] constexpr auto later_by(time_point at, duration span) noexcept -> time_point {
    return deadline::in(span, at).when();
}

/// From `from` to `to`, which is not before it; no longer than a duration can be.
[[nodiscard]] constexpr auto span_between(time_point from, time_point to) noexcept -> duration {
    const auto span = static_cast<std::uint64_t>(to.time_since_epoch().count()) -
                      static_cast<std::uint64_t>(from.time_since_epoch().count());
    return duration{static_cast<duration::rep>(std::min(span, static_cast<std::uint64_t>(duration::max().count())))};
}

[[nodiscard]] constexpr auto part_of(duration span, double part) noexcept -> duration {
    const auto count = static_cast<double>(span.count()) * part;
    if (!(count > 0)) { return duration::zero(); } // also what is not a number
    return count >= static_cast<double>(duration::max().count()) ? duration::max()
                                                                 : duration{static_cast<duration::rep>(count)};
}

[[nodiscard]] constexpr auto hard_time(time_point fresh_until, const expiry_options& options) noexcept -> time_point {
    return later_by(fresh_until, std::max({options.stale_while_revalidate, options.stale_if_error, duration::zero()}));
}

} // namespace detail

/// How old what was loaded then is; zero where it seems to be of the future.
[[nodiscard]] constexpr auto age_of(time_point loaded_at, time_point now) noexcept -> duration {
    return now <= loaded_at ? duration::zero() : detail::span_between(loaded_at, now);
}

/// The times of an entry that was just asked for: with `idle` its end moves on, never beyond the hard one.
[[nodiscard]] constexpr auto times_after_access(const entry_times& entry, time_point now, const expiry_options& options)
    -> entry_times {
    if (options.idle <= duration::zero()) { return entry; }
    const auto end = std::min(detail::hard_time(entry.fresh_until, options), detail::later_by(now, options.idle));
    return {entry.loaded_at, entry.fresh_until, end};
}

/// The times of an entry that is fresh for `ttl`. Jitter never moves the hard one.
[[nodiscard]] constexpr auto times_of(time_point loaded_at, duration ttl, time_point now, const expiry_options& options)
    -> entry_times {
    const auto fresh_until = detail::later_by(loaded_at, ttl);
    return times_after_access({loaded_at, fresh_until, detail::hard_time(fresh_until, options)}, now, options);
}

/// What an entry is good for at this instant.
struct freshness {
    bool fresh{};          ///< it answers
    bool due{};            ///< it is time to load anew
    bool may_revalidate{}; ///< it answers whoever does not load anew himself
    bool may_cover{};      ///< it answers where loading anew failed
};

/// Judges an entry. `draw` is this entry's own number in [0, 1), the same each time: its share of the jitter.
///
/// An entry that is over is good for nothing, and so is one that claims to be loaded further in the future than it is
/// fresh for: a clock was set back since. So no step of a clock lets an entry live more than twice as long.
[[nodiscard]] constexpr auto judge(const entry_times& entry, time_point now, const expiry_options& options, double draw)
    -> freshness {
    if (now >= entry.keep_until || entry.fresh_until < entry.loaded_at) { return {}; }
    const auto ttl = detail::span_between(entry.loaded_at, entry.fresh_until);
    if (now < entry.loaded_at && detail::span_between(now, entry.loaded_at) > ttl) { return {}; }
    const auto shift = detail::part_of(ttl, options.jitter * draw);
    const auto fresh_until = std::min(detail::later_by(entry.fresh_until, shift), entry.keep_until);
    const auto ahead = options.refresh_ahead > 0 ? detail::part_of(ttl, options.refresh_ahead) : ttl;
    freshness verdict;
    verdict.fresh = now < fresh_until;
    verdict.due = now >= detail::later_by(detail::later_by(entry.loaded_at, ahead), shift) || !verdict.fresh;
    const auto stale = now < entry.fresh_until ? duration::zero() : detail::span_between(entry.fresh_until, now);
    verdict.may_revalidate = verdict.fresh || stale < options.stale_while_revalidate;
    verdict.may_cover = verdict.may_revalidate || stale < options.stale_if_error;
    return verdict;
}

} // namespace freshet
