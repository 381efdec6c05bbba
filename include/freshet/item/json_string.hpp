#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <freshet/core/parsed.hpp>
#include <freshet/core/utf8.hpp>
#include <freshet/item/json_string_kernels.hpp>

namespace freshet::detail {

/// One JSON escape: how many bytes it takes, and the code point it stands for.
struct escape {
    std::uint32_t code_point{};
    std::uint8_t size{};
};

/// Four hexadecimal digits, or -1.
[[nodiscard]] constexpr auto hex4(const char* p) noexcept -> std::int32_t {
    std::int32_t value = 0;
    for (int i = 0; i < 4; ++i) {
        const char c = p[i];
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0) { return -1; }
        value = value * 16 + digit;
    }
    return value;
}

/// Reads the escape at the start of `rest` (which begins with a backslash), surrogate pairs as one.
///
/// A lone surrogate is refused: no UTF-8 text can hold it, so no DynamoDB string does.
[[nodiscard]] constexpr auto read_escape(std::string_view rest) noexcept -> parsed<escape> {
    if (rest.size() < 2) { return parse_fault{0, "the text ends inside a string"}; }
    switch (rest[1]) {
        case '"': return escape{'"', 2};
        case '\\': return escape{'\\', 2};
        case '/': return escape{'/', 2};
        case 'b': return escape{'\b', 2};
        case 'f': return escape{'\f', 2};
        case 'n': return escape{'\n', 2};
        case 'r': return escape{'\r', 2};
        case 't': return escape{'\t', 2};
        case 'u': break;
        default: return parse_fault{0, "unknown escape"};
    }
    if (rest.size() < 6) { return parse_fault{0, "the text ends inside a string"}; }
    const auto first = hex4(rest.data() + 2);
    if (first < 0) { return parse_fault{0, "\\u without four hexadecimal digits"}; }
    if (first < 0xd800 || first > 0xdfff) { return escape{static_cast<std::uint32_t>(first), 6}; }
    const bool paired = first < 0xdc00 && rest.size() >= 12 && rest[6] == '\\' && rest[7] == 'u';
    const auto second = paired ? hex4(rest.data() + 8) : -1;
    if (second < 0xdc00 || second > 0xdfff) { return parse_fault{0, "half a surrogate pair"}; }
    return escape{static_cast<std::uint32_t>(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)), 12};
}

/// Writes a code point as UTF-8 (1 to 4 bytes) and returns the end.
constexpr auto write_utf8(char* out, std::uint32_t c) noexcept -> char* {
    const auto put = [&](std::uint32_t byte) { *out++ = static_cast<char>(static_cast<unsigned char>(byte)); };
    if (c < 0x80) {
        put(c);
    } else if (c < 0x800) {
        put(0xc0 | (c >> 6)), put(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        put(0xe0 | (c >> 12)), put(0x80 | ((c >> 6) & 0x3f)), put(0x80 | (c & 0x3f));
    } else {
        put(0xf0 | (c >> 18)), put(0x80 | ((c >> 12) & 0x3f)), put(0x80 | ((c >> 6) & 0x3f)), put(0x80 | (c & 0x3f));
    }
    return out;
}

/// Decodes the inside of a JSON string whose escapes have been checked; `out` has room for `inside.size()` bytes.
inline auto decode_string(char* out, std::string_view inside) noexcept -> char* {
    while (!inside.empty()) {
        const auto run = std::min(inside.find('\\'), inside.size());
        std::memcpy(out, inside.data(), run);
        out += run;
        inside.remove_prefix(run);
        if (inside.empty()) { break; }
        const auto one = read_escape(inside);
        out = write_utf8(out, one->code_point);
        inside.remove_prefix(one->size);
    }
    return out;
}

/// The most bytes that `write_json_string` needs for a text of `size` bytes.
[[nodiscard]] constexpr auto json_string_bound(std::size_t size) noexcept -> std::size_t { return 6 * size + 2; }

/// Writes `text` (UTF-8) as a JSON string with its quotes and returns the end.
///
/// Escapes only what JSON demands, as short as it goes: a text that was decoded from JSON never grows beyond
/// the token it came from.
inline auto write_json_string(char* out, std::string_view text) noexcept -> char* {
    constexpr std::string_view hex = "0123456789abcdef";
    constexpr std::string_view short_escapes = "\"\"\\\\\bb\ff\nn\rr\tt"; // each character and its letter
    *out++ = '"';
    while (!text.empty()) {
        bool non_ascii = false;
        const char* const stop = string_kernel::find_end(text.data(), text.data() + text.size(), non_ascii);
        const auto run = static_cast<std::size_t>(stop - text.data());
        std::memcpy(out, text.data(), run);
        out += run;
        if (run == text.size()) { break; }
        const char c = text[run];
        text.remove_prefix(run + 1);
        *out++ = '\\';
        std::size_t at = 0;
        while (at < short_escapes.size() && short_escapes[at] != c) { at += 2; }
        if (at < short_escapes.size()) {
            *out++ = short_escapes[at + 1];
            continue;
        }
        for (const char digit :
             {'u', '0', '0', hex[static_cast<unsigned char>(c) >> 4], hex[static_cast<unsigned char>(c) & 15]}) {
            *out++ = digit;
        }
    }
    *out++ = '"';
    return out;
}

/// Appends `text` (UTF-8) as a JSON string with its quotes.
inline void append_json_string(std::string& out, std::string_view text) {
    const auto before = out.size();
    out.resize(before + json_string_bound(text.size()));
    const char* const end = write_json_string(out.data() + before, text);
    out.resize(static_cast<std::size_t>(end - out.data()));
}

} // namespace freshet::detail
