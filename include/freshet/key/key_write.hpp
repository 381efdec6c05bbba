#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include <freshet/core/parsed.hpp>
#include <freshet/core/result.hpp>
#include <freshet/key/key_layout.hpp>
#include <freshet/key/key_scan.hpp>

namespace freshet {

/// A value on its way into a key: a number, or text.
struct key_input {
    std::string_view text;
    std::uint64_t number{};
    bool negative{};
};

template <class T, class... Types>
inline constexpr bool is_one_of = (std::is_same_v<std::remove_cv_t<T>, Types> || ...);

/// Fits a number field of a key: an integer type of at most 64 bits that is no character type and not bool.
template <class T>
concept key_number = std::integral<T> && sizeof(T) <= sizeof(std::uint64_t) &&
                     !is_one_of<T, bool, char, wchar_t, char8_t, char16_t, char32_t>;

/// `value` for a field of that kind: a `key_number` for a number, else something that converts to `std::string_view`.
template <key_field_kind Kind, class Value>
[[nodiscard]] constexpr auto to_key_input(const Value& value) -> key_input {
    if constexpr (Kind == key_field_kind::number) {
        static_assert(key_number<Value>,
                      "a number field of a key takes an integer of at most 64 bits, no character, no bool");
        if constexpr (key_number<Value>) { return {{}, static_cast<std::uint64_t>(value), value < Value{}}; }
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

/// Where a key ends that was written to `Out`, or the fault for which none was written.
///
/// What `parsed<Out>` says, for output iterators without a default constructor too, such as a back inserter.
template <class Out>
class [[nodiscard]] written_key {
public:
    constexpr explicit written_key(Out end) : end_{std::move(end)} {}
    constexpr written_key(Out untouched, parse_fault fault) : end_{std::move(untouched)}, fault_{fault}, ok_{false} {}

    [[nodiscard]] constexpr auto ok() const noexcept -> bool { return ok_; }
    constexpr explicit operator bool() const noexcept { return ok_; }

    /// Behind the last byte written; `ok()` must hold.
    [[nodiscard]] constexpr auto end() const& -> const Out& { return expect_ok(), end_; }
    [[nodiscard]] constexpr auto end() && -> Out { return expect_ok(), std::move(end_); }
    [[nodiscard]] constexpr auto operator*() const& -> const Out& { return end(); }
    [[nodiscard]] constexpr auto operator*() && -> Out { return std::move(*this).end(); }

    /// Why nothing was written, with the offset in the refused key; `!ok()` must hold.
    [[nodiscard]] constexpr auto fault() const -> const parse_fault& {
        if (ok_) { abort_on_misuse("the fault of a written key was asked for"); }
        return fault_;
    }

private:
    constexpr void expect_ok() const {
        if (!ok_) { abort_on_misuse(fault_.reason); }
    }

    Out end_;
    parse_fault fault_{};
    bool ok_{true};
};

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
