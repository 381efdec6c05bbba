#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace freshet {

/// A text from outside as one line that a person reads: control characters as `\x0a`, and no more than `most` bytes.
///
/// What is cut ends in `…`, never inside a character. For notes and logs: what somebody sends must not look like a line
/// of ours, nor move the cursor.
[[nodiscard]] inline auto printable(std::string_view text, std::size_t most = 200) -> std::string {
    constexpr std::string_view hex = "0123456789abcdef";
    std::string line;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const bool beyond_ascii = byte == 0xc2 && i + 1 < text.size() && (text[i + 1] & 0xe0) == 0x80; // U+0080 to U+009F
        const bool control = byte < 0x20 || byte == 0x7f || beyond_ascii;
        const bool starts = (byte & 0xc0) != 0x80;
        if (starts && line.size() >= most) { return line += "…"; }
        if (!control) {
            line += text[i];
            continue;
        }
        const auto value = beyond_ascii ? static_cast<unsigned char>(text[++i]) : byte;
        line += {'\\', 'x', hex[value >> 4], hex[value & 15]};
    }
    return line;
}

} // namespace freshet
