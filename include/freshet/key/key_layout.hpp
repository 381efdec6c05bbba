#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include <freshet/key/key_field.hpp>

namespace freshet {

/// What a piece of a key pattern matches.
enum class key_piece_kind : std::uint8_t {
    literal, ///< its own bytes
    text,    ///< `{name}`: one or more bytes other than '#'
    number,  ///< `{name:0Nd}`, `{name:d}`: decimal digits
    uuid,    ///< `{name:uuid}`: 8-4-4-4-12 hexadecimal digits
    rest,    ///< `{name:*}`: one or more bytes of any kind
};

/// One literal or field of a key pattern. `begin` and `size` span the literal's text, or the field's name.
struct key_piece {
    key_piece_kind kind{key_piece_kind::literal};
    std::size_t begin{};
    std::size_t size{};
    std::size_t width{}; ///< number: the digits it is padded to; `:d` pads to 1

    [[nodiscard]] constexpr auto is_field() const noexcept -> bool { return kind != key_piece_kind::literal; }
    [[nodiscard]] constexpr auto field_kind() const noexcept -> key_field_kind {
        return kind == key_piece_kind::number ? key_field_kind::number : key_field_kind::text;
    }
    [[nodiscard]] constexpr auto of(std::string_view pattern) const noexcept -> std::string_view {
        return pattern.substr(begin, size);
    }
};

/// Why a text is no key pattern.
enum class key_pattern_flaw : std::uint8_t {
    none,
    empty_pattern,
    braces,
    field_name,
    repeated_name,
    field_kind,
    rest_before_the_end,
    text_neighbour,
    number_neighbour,
};

/// The pieces of a key pattern in order, or its first flaw and the byte of the pattern where it stands.
///
/// Neighbours always differ enough that a key splits in one way only: a text field ends at a '#' or with the key, a
/// number at a literal that starts with no digit or with the key, a rest with the key.
template <std::size_t Capacity>
struct key_layout {
    std::array<key_piece, Capacity> pieces{};
    std::size_t size{};
    key_pattern_flaw flaw{key_pattern_flaw::none};
    std::size_t flaw_at{};

    constexpr auto refuse(key_pattern_flaw why, std::size_t at) -> key_layout& {
        flaw = why;
        flaw_at = at;
        return *this;
    }
};

[[nodiscard]] constexpr auto is_decimal_digit(char c) noexcept -> bool { return c >= '0' && c <= '9'; }

/// Where `wanted` first stands in `text`, or the size of `text`.
///
/// In constant expressions not `text.find`, which compares an address with null: g++ refuses that under its
/// undefined-behaviour sanitizer.
[[nodiscard]] constexpr auto find_byte(std::string_view text, char wanted) noexcept -> std::size_t {
    if (!std::is_constant_evaluated()) {
        const auto at = text.find(wanted);
        return at < text.size() ? at : text.size();
    }
    std::size_t at = 0;
    while (at < text.size() && text[at] != wanted) { ++at; }
    return at;
}

/// A letter or underscore, then letters, digits and underscores; ASCII.
[[nodiscard]] constexpr auto is_field_name(std::string_view name) noexcept -> bool {
    for (const char c : name) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && !is_decimal_digit(c)) { return false; }
    }
    return !name.empty() && !is_decimal_digit(name.front());
}

/// Reads what stands behind a field's colon into `piece`; false for an unknown kind.
[[nodiscard]] constexpr auto read_key_field_kind(std::string_view kind, key_piece& piece) noexcept -> bool {
    constexpr std::size_t widest = 20; // the digits of 2^64 - 1
    if (kind == "uuid") { return piece.kind = key_piece_kind::uuid, true; }
    if (kind == "*") { return piece.kind = key_piece_kind::rest, true; }
    if (kind.empty() || kind.back() != 'd') { return false; }
    piece.kind = key_piece_kind::number;
    piece.width = 1;
    if (kind == "d") { return true; }
    const auto width = kind.substr(1, kind.size() - 2);
    if (kind.front() != '0' || width.empty() || width.size() > 2 || width.front() == '0') { return false; }
    piece.width = 0;
    for (const char c : width) {
        if (!is_decimal_digit(c)) { return false; }
        piece.width = piece.width * 10 + static_cast<std::size_t>(c - '0');
    }
    return piece.width <= widest;
}

/// Splits `pattern` into at most `Capacity` pieces; `pattern.size()` is always enough.
template <std::size_t Capacity>
[[nodiscard]] constexpr auto read_key_layout(std::string_view pattern) -> key_layout<Capacity> {
    using enum key_pattern_flaw;
    key_layout<Capacity> layout;
    if (pattern.empty()) { return layout.refuse(empty_pattern, 0); }
    for (std::size_t at = 0; at < pattern.size();) {
        key_piece piece;
        auto brace = at + (pattern[at] == '{' ? 1 : 0);
        while (brace < pattern.size() && pattern[brace] != '{' && pattern[brace] != '}') { ++brace; }
        if (pattern[at] != '{') {
            if (brace < pattern.size() && pattern[brace] == '}') { return layout.refuse(braces, brace); }
            piece.begin = at;
            piece.size = brace - at;
            at = brace;
        } else {
            if (brace == pattern.size() || pattern[brace] == '{') { return layout.refuse(braces, at); }
            const auto inside = pattern.substr(at + 1, brace - at - 1);
            const auto name = inside.substr(0, find_byte(inside, ':'));
            if (!is_field_name(name)) { return layout.refuse(field_name, at + 1); }
            piece.kind = key_piece_kind::text;
            piece.begin = at + 1;
            piece.size = name.size();
            for (std::size_t i = 0; i < layout.size; ++i) {
                const auto& earlier = layout.pieces[i];
                if (earlier.is_field() && earlier.of(pattern) == name) { return layout.refuse(repeated_name, at + 1); }
            }
            if (name.size() < inside.size() && !read_key_field_kind(inside.substr(name.size() + 1), piece)) {
                return layout.refuse(field_kind, at + 2 + name.size());
            }
            at = brace + 1;
        }
        layout.pieces[layout.size++] = piece;
    }
    for (std::size_t i = 0; i + 1 < layout.size; ++i) {
        const auto& piece = layout.pieces[i];
        const auto& next = layout.pieces[i + 1];
        const char after = next.is_field() ? '\0' : pattern[next.begin];
        if (piece.kind == key_piece_kind::rest) { return layout.refuse(rest_before_the_end, piece.begin); }
        if (piece.kind == key_piece_kind::text && after != '#') { return layout.refuse(text_neighbour, piece.begin); }
        if (piece.kind == key_piece_kind::number && (next.is_field() || is_decimal_digit(after))) {
            return layout.refuse(number_neighbour, piece.begin);
        }
    }
    return layout;
}

} // namespace freshet
