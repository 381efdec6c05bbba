#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <freshet/item/base64.hpp>

namespace adapters::aws {

/// Bytes as base64 with padding: how DynamoDB's JSON writes a value of type B.
[[nodiscard]] inline auto base64_of(std::string_view bytes) -> std::string {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        const auto three = bytes.substr(at, 3);
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i != 3; ++i) {
            bits = bits << 8U | (i < three.size() ? static_cast<unsigned char>(three[i]) : 0U);
        }
        for (std::size_t i = 0; i != 4; ++i) { text += i <= three.size() ? digits[bits >> (18 - 6 * i) & 63U] : '='; }
    }
    return text;
}

/// The bytes of such a text; nothing where it is none.
[[nodiscard]] inline auto bytes_of(std::string_view base64) -> std::optional<std::string> {
    if (!freshet::detail::is_base64(base64)) { return std::nullopt; }
    std::string bytes;
    bytes.reserve(base64.size() / 4 * 3);
    std::uint32_t bits = 0;
    unsigned count = 0; // of the bits that are not yet written
    for (const char c : base64.substr(0, base64.find('='))) {
        const auto value = c >= 'a' ? c - 'a' + 26 : c >= 'A' ? c - 'A' : c >= '0' ? c - '0' + 52 : c == '+' ? 62 : 63;
        bits = bits << 6U | static_cast<std::uint32_t>(value);
        count += 6;
        if (count < 8) { continue; }
        count -= 8;
        bytes += static_cast<char>(static_cast<unsigned char>(bits >> count & 255U));
    }
    return bytes;
}

} // namespace adapters::aws
