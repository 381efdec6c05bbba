#pragma once

#include <concepts>
#include <stop_token>

#include <freshet/core/time.hpp>

namespace freshet {

/// A `clock` tells the time.
///
/// Laws:
///  1. `now()` is the present, as its owner sees it; it may step, also back, and nothing may rely on it not to.
///  2. It may be asked at any time and never fails.
/// Satisfied by `wall_clock`, and by `testing::manual_clock`, which moves only when told to.
template <class C>
concept clock = requires(const C& c) {
    { c.now() } -> std::same_as<time_point>;
};

/// A `timer` is a clock that can also let time pass.
///
/// Laws:
///  1. `wait(span, stop)` returns after `span` with true, or with false as soon as a stop is asked for. A span of zero
///     or less does not wait.
///  2. After a wait that was not stopped, `now()` has moved on by at least the span, unless the clock was set back.
template <class T>
concept timer = clock<T> && requires(T& t, duration span, std::stop_token stop) {
    { t.wait(span, stop) } -> std::same_as<bool>;
};

} // namespace freshet
