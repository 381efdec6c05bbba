#pragma once

#include <concepts>
#include <iterator>
#include <optional>

#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>

namespace freshet {

/// A `recurring` thing fires at instants, and says which.
///
/// 1. `next(after)`: the first instant strictly after `after`; nothing where it fires no more, in bounded time.
/// 2. `previous(before)`: the last instant strictly before `before`; nothing where it had not fired yet.
/// 3. `between(range)`: the instants in `[start, end)`, ascending, each as it is asked for.
///
/// Laws: `next(t)` is `u` exactly when `u > t` and `previous(u)` is `t` or earlier, for every instant `u` that it fires
/// at; `between` holds what `next` says, from the first to the last. None of them changes anything. Satisfied by
/// `schedule` and `zoned_schedule`.
template <class Schedule>
concept recurring = requires(const Schedule& schedule, time_point at, time_range range) {
    { schedule.next(at) } -> std::same_as<std::optional<time_point>>;
    { schedule.previous(at) } -> std::same_as<std::optional<time_point>>;
    { schedule.between(range).begin() } -> std::forward_iterator;
    { *schedule.between(range).begin() } -> std::convertible_to<time_point>;
    { schedule.between(range).begin() == schedule.between(range).end() } -> std::convertible_to<bool>;
};

} // namespace freshet
