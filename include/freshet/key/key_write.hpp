#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include <freshet/core/parsed.hpp>
#include <freshet/key/key_layout.hpp>
#include <freshet/key/key_scan.hpp>

namespace freshet {

/// A value on its way into a key: a number, or text.
struct key_input {
    std::string_view text;
    std::uint64_t number{};
    bool negative{};
};

/// `value` for a field of that kind: an integer for a number, else something that converts to `std::string_view`.
template <key_field_kind Kind, class Value>
[[nodiscard]] constexpr auto to_key_input(const Value& value) -> key_input {
    if constexpr (Kind == key_field_kind::number) {
        constexpr bool integer = std::integral<Value> && !std::same_as<Value, bool> && !std::same_as<Value, char>;
        static_assert(integer, "a number field of a key takes an integer");
        if constexpr (integer) { return {{}, static_cast<std::uint64_t>(value), value < Value{}}; }
    } else {
        constexpr bool text = std::is_convertible_v<const Value&, std::string_view>;
        static_assert(text, "a text field of a key takes what converts to std::string_view");
        if constexpr (text) { return {std::string_view{value}, 0, false}; }
    }
    return {};
}

[[nodiscard]] constexpr auto decimal_width(std::uint64_t number) noexcept -> std::size_t {
    std::size_t width = 1;
    for (; number > 9; number /= 10) { ++width; }
    return width;
}

/// The size of the key that `write_key` would write; or why these values have no key, with the offset in that key.
///
/// Refused is whatever would read back as something else: a negative number, empty text, text with '#', a text for a
/// uuid that is none, an empty rest. One value a field among `pieces`.
[[nodiscard]] constexpr auto check_key(std::span<const key_piece> pieces, const key_input* values)
    -> parsed<std::size_t> {
    std::size_t at = 0;
    for (const auto& piece : pieces) {
        if (!piece.is_field()) {
            at += piece.size;
            continue;
        }
        const auto& value = *values++;
        if (piece.kind == key_piece_kind::number) {
            if (value.negative) { return parse_fault{at, "a number field was given a negative number"}; }
            const auto width = decimal_width(value.number);
            at += width < piece.width ? piece.width : width;
            continue;
        }
        if (piece.kind == key_piece_kind::uuid) {
            if (const auto good = uuid_prefix(value.text); good < uuid_size || value.text.size() > uuid_size) {
                return parse_fault{at + good, "a uuid field was given something else than 8-4-4-4-12 hex digits"};
            }
        }
        if (value.text.empty()) { return parse_fault{at, "a text field was given empty text"}; }
        if (piece.kind == key_piece_kind::text) {
            if (const auto hash = find_byte(value.text, '#'); hash < value.text.size()) {
                return parse_fault{at + hash, "a text field was given text with '#' in it"};
            }
        }
        at += value.text.size();
    }
    return at;
}

/// Writes the key of values that `check_key` let pass.
template <class Out>
constexpr auto write_key(std::string_view pattern, std::span<const key_piece> pieces, const key_input* values, Out out)
    -> Out {
    const auto write = [&out](std::string_view text) {
        for (const char c : text) { *out++ = c; }
    };
    for (const auto& piece : pieces) {
        if (!piece.is_field()) {
            write(piece.of(pattern));
        } else if (const auto& value = *values++; piece.kind == key_piece_kind::number) {
            char digits[20]{};
            std::size_t begin = sizeof digits;
            auto number = value.number;
            for (; number > 0 || begin == sizeof digits; number /= 10) {
                digits[--begin] = static_cast<char>('0' + number % 10);
            }
            while (sizeof digits - begin < piece.width) { digits[--begin] = '0'; }
            write({digits + begin, sizeof digits - begin});
        } else {
            write(value.text);
        }
    }
    return out;
}

} // namespace freshet
