#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include <freshet/core/parsed.hpp>
#include <freshet/key/key_layout.hpp>

namespace freshet {

/// A field as it stands in a key, and its value where it is a number.
struct key_slice {
    std::string_view text;
    std::uint64_t number{};
};

/// What a forwarding reference deduces for a string that ends with the call: views into it would dangle.
template <class T>
concept passing_string =
    std::derived_from<T, std::basic_string<char, typename T::traits_type, typename T::allocator_type>>;

inline constexpr std::size_t uuid_size = 36;

[[nodiscard]] constexpr auto is_uuid_dash(std::size_t at) noexcept -> bool {
    return at == 8 || at == 13 || at == 18 || at == 23;
}

/// How many leading bytes of `text` could begin a uuid: 36 when a whole one stands there.
[[nodiscard]] constexpr auto uuid_prefix(std::string_view text) noexcept -> std::size_t {
    std::size_t at = 0;
    for (; at < text.size() && at < uuid_size; ++at) {
        const char c = text[at];
        const bool hex = is_decimal_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (is_uuid_dash(at) ? c != '-' : !hex) { break; }
    }
    return at;
}

/// Reads decimal digits; false beyond 2^64 - 1.
[[nodiscard]] constexpr auto read_digits(std::string_view digits, std::uint64_t& value) noexcept -> bool {
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    value = 0;
    for (const char c : digits) {
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (value > most / 10 || value * 10 > most - digit) { return false; }
        value = value * 10 + digit;
    }
    return true;
}

[[nodiscard]] constexpr auto longest_digit_run(std::string_view text) noexcept -> std::size_t {
    std::size_t longest = 0;
    std::size_t run = 0;
    for (const char c : text) {
        run = is_decimal_digit(c) ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

/// Matches a whole key against a pattern's pieces and fills one slice a field; a fault without a reason is a match.
///
/// The rule itself, byte by byte: what `padded_key_scan` must agree with, and the one that names the offending byte.
[[nodiscard]] constexpr auto scan_key(std::string_view pattern, std::span<const key_piece> pieces,
                                      std::string_view key, key_slice* slices) -> parse_fault {
    std::size_t at = 0;
    for (const auto& piece : pieces) {
        const auto left = key.substr(at);
        std::size_t taken = 0;
        std::uint64_t number = 0;
        switch (piece.kind) {
            case key_piece_kind::literal: {
                const auto literal = piece.of(pattern);
                while (taken < literal.size() && taken < left.size() && left[taken] == literal[taken]) { ++taken; }
                if (taken == literal.size()) { break; }
                if (taken == left.size()) { return {key.size(), "the key ends before its pattern does"}; }
                return {at + taken, "the key differs from its pattern"};
            }
            case key_piece_kind::text:
                taken = find_byte(left, '#');
                if (taken == 0) { return {at, "a text field is empty"}; }
                break;
            case key_piece_kind::number:
                while (taken < left.size() && is_decimal_digit(left[taken])) { ++taken; }
                if (taken < piece.width) { return {at + taken, "a number has fewer digits than its padding"}; }
                if (taken > piece.width && left.front() == '0') {
                    return {at, "a number wider than its padding starts with a zero"};
                }
                if (!read_digits(left.substr(0, taken), number)) { return {at, "a number is beyond 64 bits"}; }
                break;
            case key_piece_kind::uuid:
                taken = uuid_prefix(left);
                if (taken < uuid_size) { return {at + taken, "a uuid is not 8-4-4-4-12 hexadecimal digits"}; }
                break;
            case key_piece_kind::rest:
                taken = left.size();
                if (taken == 0) { return {at, "a rest field is empty"}; }
                break;
        }
        if (piece.is_field()) { *slices++ = {left.substr(0, taken), number}; }
        at += taken;
    }
    if (at < key.size()) { return {at, "the key goes on where its pattern ends"}; }
    return {};
}

} // namespace freshet
