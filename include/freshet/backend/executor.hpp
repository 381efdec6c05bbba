#pragma once

#include <concepts>
#include <cstddef>

namespace freshet {

/// An `executor` runs a numbered set of independent tasks.
///
/// Laws:
///  1. `each(n, body)` calls `body(i)` exactly once for every i in [0, n), in any order and on any thread, and returns
///     after the last call has returned; what the calls did is visible then.
///  2. `body` does not throw.
template <class E>
concept executor = requires(E& e, std::size_t n, void (*body)(std::size_t)) {
    { e.each(n, body) } -> std::same_as<void>;
};

} // namespace freshet
