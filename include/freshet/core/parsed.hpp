#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <freshet/core/result.hpp>

namespace freshet {

/// Where a text breaks a rule, and which rule: a byte offset and a sentence of static storage.
struct parse_fault {
    std::size_t offset{};
    std::string_view reason;

    /// `what: reason at byte offset`, as a malformed-input error.
    [[nodiscard]] auto as_error(std::string_view what) const -> error {
        return {errc::malformed,
                std::string{what} + ": " + std::string{reason} + " at byte " + std::to_string(offset)};
    }
    friend constexpr auto operator==(const parse_fault&, const parse_fault&) -> bool = default;
};

/// The outcome of a pure parser, usable in constant expressions: a value, or the first `parse_fault`.
///
/// Asking for the side that is not there aborts with a line (and does not compile in a constant expression).
template <class T>
class [[nodiscard]] parsed {
    static_assert(std::is_default_constructible_v<T>, "a parsed<T> keeps an empty T where parsing failed");

public:
    using value_type = T;

    constexpr parsed(T value) noexcept(std::is_nothrow_move_constructible_v<T>) : value_{std::move(value)} {}
    constexpr parsed(parse_fault fault) : fault_{fault}, ok_{false} {}

    [[nodiscard]] constexpr auto ok() const noexcept -> bool { return ok_; }
    constexpr explicit operator bool() const noexcept { return ok_; }

    /// The value; `ok()` must hold.
    [[nodiscard]] constexpr auto value() const& -> const T& {
        if (!ok_) { abort_on_misuse(fault_.reason); }
        return value_;
    }
    [[nodiscard]] constexpr auto value() && -> T { // by value: `for (auto& r : *decode(…))` outlives the outcome
        if (!ok_) { abort_on_misuse(fault_.reason); }
        return std::move(value_);
    }
    [[nodiscard]] constexpr auto operator*() const& -> const T& { return value(); }
    [[nodiscard]] constexpr auto operator*() && -> T { return std::move(*this).value(); }
    [[nodiscard]] constexpr auto operator->() const -> const T* { return &value(); }

    /// What was wrong; `!ok()` must hold.
    [[nodiscard]] constexpr auto fault() const -> const parse_fault& {
        if (ok_) { abort_on_misuse("the fault of a good parse was asked for"); }
        return fault_;
    }

    /// The value, or `other` where there is none.
    [[nodiscard]] constexpr auto value_or(T other) const -> T { return ok_ ? value_ : std::move(other); }

    /// The same outcome as a `result`; a fault becomes `errc::malformed` with `what` named first.
    [[nodiscard]] auto as_result(std::string_view what) const -> result<T> {
        if (!ok_) { return fault_.as_error(what); }
        return value_;
    }

private:
    T value_{};
    parse_fault fault_{};
    bool ok_{true};
};

} // namespace freshet
