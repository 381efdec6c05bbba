#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace freshet::detail {

/// Whether `text` is base64 with its padding and with zero bits behind the last byte (RFC 4648, sections 3.5 and 4),
/// so that equal bytes are equal texts.
[[nodiscard]] constexpr auto is_base64(std::string_view text) noexcept -> bool {
    constexpr auto values = [] {
        std::array<std::int8_t, 256> table{};
        table.fill(-1);
        std::int8_t value = 0;
        for (const char c : std::string_view{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"}) {
            table[static_cast<unsigned char>(c)] = value++;
        }
        return table;
    }();
    if (text.size() % 4 != 0) { return false; }
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    std::int8_t last = 0;
    for (const char c : text.substr(0, text.size() - padding)) {
        last = values[static_cast<unsigned char>(c)];
        if (last < 0) { return false; }
    }
    return padding == 0 || (last & (padding == 1 ? 3 : 15)) == 0;
}

} // namespace freshet::detail
