#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace freshet::detail {

/// How many bytes the character at the start of `text` takes, or zero where there is no well-formed one.
///
/// Source: the Unicode standard, table 3-7: no overlong form, no surrogate, nothing above U+10FFFF.
[[nodiscard]] constexpr auto utf8_length(std::string_view text) noexcept -> std::size_t {
    if (text.empty()) { return 0; }
    const auto between = [&](std::size_t at, unsigned low, unsigned high) {
        if (at >= text.size()) { return false; }
        const unsigned byte = static_cast<unsigned char>(text[at]);
        return byte >= low && byte <= high;
    };
    if (between(0, 0x00, 0x7f)) { return 1; }
    if (between(0, 0xc2, 0xdf)) { return between(1, 0x80, 0xbf) ? 2 : 0; }
    const unsigned lead = static_cast<unsigned char>(text[0]);
    if (between(0, 0xe0, 0xef)) {
        const bool second = between(1, lead == 0xe0 ? 0xa0 : 0x80, lead == 0xed ? 0x9f : 0xbf);
        return second && between(2, 0x80, 0xbf) ? 3 : 0;
    }
    if (between(0, 0xf0, 0xf4)) {
        const bool second = between(1, lead == 0xf0 ? 0x90 : 0x80, lead == 0xf4 ? 0x8f : 0xbf);
        return second && between(2, 0x80, 0xbf) && between(3, 0x80, 0xbf) ? 4 : 0;
    }
    return 0;
}

/// The first byte that is not well-formed UTF-8, or nothing.
[[nodiscard]] constexpr auto find_bad_utf8(std::string_view text) noexcept -> std::optional<std::size_t> {
    for (std::size_t i = 0; i < text.size();) {
        const auto size = utf8_length(text.substr(i));
        if (size == 0) { return i; }
        i += size;
    }
    return std::nullopt;
}

} // namespace freshet::detail
