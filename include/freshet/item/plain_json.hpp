#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include <freshet/core/number.hpp>
#include <freshet/item/attribute.hpp>
#include <freshet/item/json_string.hpp>

namespace freshet {

namespace detail {

inline auto put(char* out, std::string_view text) noexcept -> char* {
    if (!text.empty()) { std::memcpy(out, text.data(), text.size()); } // an empty view may have no address
    return out + text.size();
}

} // namespace detail

/// The most bytes that `write_plain_json` needs for the value.
[[nodiscard]] constexpr auto plain_json_bound(attribute value) noexcept -> std::size_t {
    return value.token().empty() ? detail::json_string_bound(value.text().size()) : value.token().size() + 4;
}

/// Writes an attribute's name as a JSON string with a colon and returns the end.
inline auto write_plain_json_name(char* out, attribute value) noexcept -> char* {
    if (value.node().plain_name) {
        *out++ = '"';
        out = detail::put(out, value.name());
        *out++ = '"';
    } else {
        out = detail::write_json_string(out, value.name());
    }
    *out++ = ':';
    return out;
}

/// Writes a value as plain JSON and returns the end.
///
/// Strings, binaries (as base64) and sets become what JSON has; a NULL becomes `null`; a number becomes a JSON number
/// with its own digits, whatever their count. `out` has room for `plain_json_bound(value)` bytes.
inline auto write_plain_json(char* out, attribute value) noexcept -> char* {
    using enum attribute_type;
    const auto separate = [&](char open) {
        if (out[-1] != open) { *out++ = ','; } // no value ends in an opening bracket
    };
    switch (value.type()) {
        case string:
        case binary:
            return value.token().empty() ? detail::write_json_string(out, value.text())
                                         : detail::put(out, value.token());
        case number: return write_json_number(out, value.text());
        case boolean: return detail::put(out, value.token());
        case null: return detail::put(out, "null");
        case list:
        case string_set:
        case number_set:
        case binary_set:
            *out++ = '[';
            for (const auto element : value) {
                separate('[');
                out = write_plain_json(out, element);
            }
            *out++ = ']';
            return out;
        case map:
            *out++ = '{';
            for (const auto member : value) {
                separate('{');
                out = write_plain_json_name(out, member);
                out = write_plain_json(out, member);
            }
            *out++ = '}';
            return out;
    }
    return out;
}

} // namespace freshet
