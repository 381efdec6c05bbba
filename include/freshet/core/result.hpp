#pragma once

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace freshet {

/// What a caller can do about a failure. A code exists only if some caller reacts to it alone.
enum class errc {
    unavailable, ///< try again later, unchanged
    throttled,   ///< try again later, slower
    too_large,   ///< split it and try again
    conflict,    ///< read again, then decide anew
    malformed,   ///< never retry; park the input
    denied,      ///< never retry; a person must change something
    expired,     ///< the deadline or the age limit has passed
    failed,      ///< a callback's own failure; not retried unless its owner says so
};

/// The code's name as it stands in the enumeration, for logs.
[[nodiscard]] constexpr auto name_of(errc code) noexcept -> std::string_view {
    switch (code) {
        case errc::unavailable: return "unavailable";
        case errc::throttled: return "throttled";
        case errc::too_large: return "too_large";
        case errc::conflict: return "conflict";
        case errc::malformed: return "malformed";
        case errc::denied: return "denied";
        case errc::expired: return "expired";
        case errc::failed: return "failed";
    }
    return "unknown";
}

/// A failure: what to do (`code`) and the one line a person reads (`note`: component, key, offset, reason).
struct error {
    errc code{errc::failed};
    std::string note;
    friend auto operator==(const error&, const error&) -> bool = default;
};

/// Ends the process with one line on stderr. For broken preconditions only, in every build mode.
[[noreturn]] inline void abort_on_misuse(std::string_view what) {
    std::fprintf(stderr, "freshet: %.*s\n", static_cast<int>(what.size()), what.data());
    std::abort();
}

/// A value, or the `error` that says why there is none. Empty success is `result<void>`.
///
/// Converts from whatever its value type converts from, also `std::nullopt` into an optional.
/// Asking for the side that is not there aborts with a line, in every build mode.
template <class T>
class [[nodiscard]] result {
    static_assert(!std::is_reference_v<T>, "a result holds a value; wrap a reference in std::reference_wrapper");
    using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

public:
    using value_type = T;

    constexpr result() requires std::is_void_v<T> : state_{std::in_place_index<0>} {}

    template <class U = stored>
        requires(!std::is_void_v<T> && std::is_constructible_v<stored, U> && std::is_convertible_v<U, stored> &&
                 !std::is_same_v<std::remove_cvref_t<U>, result> && !std::is_same_v<std::remove_cvref_t<U>, error>)
    constexpr result(U&& value) : state_{std::in_place_index<0>, std::forward<U>(value)} {}

    constexpr result(error why) : state_{std::in_place_index<1>, std::move(why)} {}

    [[nodiscard]] constexpr auto ok() const noexcept -> bool { return state_.index() == 0; }
    constexpr explicit operator bool() const noexcept { return ok(); }

    /// The value; `ok()` must hold.
    [[nodiscard]] constexpr auto value() & -> stored& { return expect_ok(), *std::get_if<0>(&state_); }
    [[nodiscard]] constexpr auto value() const& -> const stored& { return expect_ok(), *std::get_if<0>(&state_); }
    /// By value, so that `for (auto& row : *rows())` outlives the result that it was asked of.
    [[nodiscard]] constexpr auto value() && -> stored { return expect_ok(), std::move(*std::get_if<0>(&state_)); }

    [[nodiscard]] constexpr auto operator*() & -> stored& { return value(); }
    [[nodiscard]] constexpr auto operator*() const& -> const stored& { return value(); }
    [[nodiscard]] constexpr auto operator*() && -> stored { return std::move(*this).value(); }
    [[nodiscard]] constexpr auto operator->() -> stored* { return &value(); }
    [[nodiscard]] constexpr auto operator->() const -> const stored* { return &value(); }

    /// The failure; `!ok()` must hold.
    [[nodiscard]] constexpr auto why() const& -> const error& { return expect_error(), *std::get_if<1>(&state_); }
    [[nodiscard]] constexpr auto why() && -> error { return expect_error(), std::move(*std::get_if<1>(&state_)); }

    /// The value, or `other` where there is none.
    template <class U>
    [[nodiscard]] constexpr auto value_or(U&& other) const& -> stored {
        return ok() ? value() : static_cast<stored>(std::forward<U>(other));
    }
    template <class U>
    [[nodiscard]] constexpr auto value_or(U&& other) && -> stored {
        return ok() ? std::move(*this).value() : static_cast<stored>(std::forward<U>(other));
    }

    /// `next(value)`, itself a result; a failure passes through untouched.
    template <class Next>
    constexpr auto and_then(Next&& next) && {
        using Then = decltype(call(std::forward<Next>(next), std::move(*this)));
        return ok() ? call(std::forward<Next>(next), std::move(*this)) : Then{std::move(*this).why()};
    }
    template <class Next>
    constexpr auto and_then(Next&& next) const& {
        return result{*this}.and_then(std::forward<Next>(next));
    }

    /// A result of `change(value)`; a failure passes through untouched.
    template <class Change>
    constexpr auto transform(Change&& change) && {
        using Then = result<std::remove_cvref_t<decltype(call(std::forward<Change>(change), std::move(*this)))>>;
        if (!ok()) { return Then{std::move(*this).why()}; }
        if constexpr (std::is_void_v<typename Then::value_type>) {
            call(std::forward<Change>(change), std::move(*this));
            return Then{};
        } else {
            return Then{call(std::forward<Change>(change), std::move(*this))};
        }
    }
    template <class Change>
    constexpr auto transform(Change&& change) const& {
        return result{*this}.transform(std::forward<Change>(change));
    }

private:
    template <class Callback>
    static constexpr auto call(Callback&& callback, result&& self) -> decltype(auto) {
        if constexpr (std::is_void_v<T>) { return std::invoke(std::forward<Callback>(callback)); }
        else { return std::invoke(std::forward<Callback>(callback), std::move(self).value()); }
    }
    constexpr void expect_ok() const {
        if (!ok()) { abort_on_misuse("the value of a failed result was asked for: " + std::get_if<1>(&state_)->note); }
    }
    constexpr void expect_error() const {
        if (ok()) { abort_on_misuse("the error of a good result was asked for"); }
    }

    std::variant<stored, error> state_;
};

} // namespace freshet
