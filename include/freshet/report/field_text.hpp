#pragma once

#include <cmath>
#include <concepts>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include <fmt/format.h>

#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>

namespace freshet {

namespace detail {

template <class Value>
inline constexpr bool is_optional = false;
template <class Value>
inline constexpr bool is_optional<std::optional<Value>> = true;

/// The whole number of `unit`s, and what is left over as a fraction of `digits` digits without zeros at its end.
inline void append_units(std::string& out, std::uint64_t micros, std::uint64_t unit, int digits,
                         std::string_view name) {
    fmt::format_to(std::back_inserter(out), "{}", micros / unit);
    if (micros % unit != 0) {
        fmt::format_to(std::back_inserter(out), ".{:0{}}", micros % unit, digits);
        out.resize(out.find_last_not_of('0') + 1);
    }
    out += name;
}

inline void append_duration(std::string& out, duration span) {
    const bool negative = span < duration::zero();
    const auto count = static_cast<std::uint64_t>(span.count());
    const auto micros = negative ? 0 - count : count;
    if (negative) { out += '-'; }
    if (micros == 0 || micros >= 1'000'000) { return append_units(out, micros, 1'000'000, 6, "s"); }
    if (micros >= 1'000) { return append_units(out, micros, 1'000, 3, "ms"); }
    append_units(out, micros, 1, 0, "us");
}

inline void append_instant(std::string& out, time_point instant) {
    if (const auto text = format_rfc3339(instant, 6)) {
        out += text->view();
    } else {
        fmt::format_to(std::back_inserter(out), "@{}us", instant.time_since_epoch().count());
    }
}

} // namespace detail

/// Appends the value of an event's field as a person reads it, on one line unless it is a text that is not.
///
/// - A text is itself, byte by byte; a bool is `true` or `false`.
/// - A number is in decimal; a floating-point one as short as gives it back, zero without a sign, and `nan`, `inf`,
///   `-inf`.
/// - A duration is one exact number and its unit: `1.5s` and `3600s` from a second on, `250ms`, `12us`, `0s`.
/// - An instant is RFC 3339 in UTC to the microsecond, `2025-01-15T10:13:20.000000Z`; beyond the years 0000 to 9999 it
///   is `@` and its microseconds since 1970, `@-1us`.
/// - An absent optional is `-`, and so is the text of that character.
template <class Value>
void append_field_text(std::string& out, const Value& value) {
    if constexpr (detail::is_optional<Value>) {
        if (value) {
            append_field_text(out, *value);
        } else {
            out += '-';
        }
    } else if constexpr (std::convertible_to<const Value&, std::string_view>) {
        out += std::string_view{value};
    } else if constexpr (std::same_as<Value, bool>) {
        out += value ? "true" : "false";
    } else if constexpr (std::floating_point<Value>) {
        if (std::isnan(value)) {
            out += "nan";
        } else {
            fmt::format_to(std::back_inserter(out), "{}", value == 0 ? Value{} : value);
        }
    } else if constexpr (std::convertible_to<const Value&, duration>) {
        detail::append_duration(out, value);
    } else if constexpr (std::convertible_to<const Value&, time_point>) {
        detail::append_instant(out, value);
    } else {
        static_assert(std::integral<Value> && !std::same_as<Value, char>,
                      "a field is a text, a bool, a number, a duration, an instant, or an optional one of these");
        fmt::format_to(std::back_inserter(out), "{}", value);
    }
}

/// The same as a text of its own.
template <class Value>
[[nodiscard]] auto field_text(const Value& value) -> std::string {
    std::string text;
    append_field_text(text, value);
    return text;
}

} // namespace freshet
