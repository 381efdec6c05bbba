#pragma once

#include <exception>
#include <functional>
#include <type_traits>
#include <utility>

#include <freshet/core/result.hpp>

namespace freshet {

/// What the callback answers; whatever it throws, of any type, becomes `errc::failed` with its words as the note.
///
/// For callbacks whose failure is one item's and nobody else's.
template <class Callback, class... Arguments>
[[nodiscard]] auto isolated(Callback&& callback, Arguments&&... arguments)
    -> std::invoke_result_t<Callback, Arguments...> {
    static_assert(std::is_constructible_v<std::invoke_result_t<Callback, Arguments...>, error>,
                  "the callback answers with a freshet::result: a task that says nothing cannot be seen to fail");
    try {
        return std::invoke(std::forward<Callback>(callback), std::forward<Arguments>(arguments)...);
    } catch (const std::exception& thrown) {
        return error{errc::failed, thrown.what()};
    } catch (...) {
        return error{errc::failed, "something was thrown that is no std::exception"};
    }
}

} // namespace freshet
