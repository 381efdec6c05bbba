#pragma once

#include <string>
#include <string_view>

#include <freshet/core/utf8.hpp>

namespace freshet::detail {

/// Appends `text` as a JSON string with its quotes, always well-formed: each byte that is no UTF-8 becomes U+FFFD.
inline void append_json_text(std::string& out, std::string_view text) {
    constexpr std::string_view hex = "0123456789abcdef";
    out += '"';
    while (!text.empty()) {
        const auto size = utf8_length(text);
        const auto byte = static_cast<unsigned char>(text.front());
        if (size == 0) {
            out += "\xef\xbf\xbd";
        } else if (byte == '"' || byte == '\\') {
            out += {'\\', text.front()};
        } else if (byte < 0x20) {
            out += {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};
        } else {
            out += text.substr(0, size);
        }
        text.remove_prefix(size == 0 ? 1 : size);
    }
    out += '"';
}

} // namespace freshet::detail
