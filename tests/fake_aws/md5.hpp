#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fake_aws {

/// The MD5 of the bytes as 32 lower-case hexadecimal digits: a check against accidents, no more. Source: RFC 1321.
[[nodiscard]] inline auto md5_hex(std::string_view bytes) -> std::string {
    static const auto sines = [] {
        std::array<std::uint32_t, 64> table{};
        for (std::size_t i = 0; i < 64; ++i) {
            table[i] = static_cast<std::uint32_t>(std::abs(std::sin(static_cast<double>(i + 1))) * 4'294'967'296.0);
        }
        return table;
    }();
    static constexpr std::array<std::array<int, 4>, 4> turns{
        {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}}};

    std::string text{bytes};
    text += '\x80';
    text.append((120 - text.size() % 64) % 64, '\0');
    for (unsigned byte = 0; byte < 8; ++byte) {
        text += static_cast<char>(static_cast<std::uint64_t>(bytes.size()) * 8 >> (8 * byte) & 0xff);
    }
    std::array<std::uint32_t, 4> sum{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    for (std::size_t block = 0; block < text.size(); block += 64) {
        const auto word = [&](std::size_t at) {
            std::uint32_t value = 0;
            for (std::size_t byte = 4; byte-- > 0;) {
                value = value << 8 | static_cast<unsigned char>(text[block + 4 * at + byte]);
            }
            return value;
        };
        auto [a, b, c, d] = sum;
        for (std::size_t i = 0; i < 64; ++i) {
            const std::array<std::uint32_t, 4> mixes{(b & c) | (~b & d), (d & b) | (~d & c), b ^ c ^ d, c ^ (b | ~d)};
            const std::array<std::size_t, 4> places{i, 5 * i + 1, 3 * i + 5, 7 * i};
            const auto round = i / 16;
            const auto next =
                b + std::rotl(a + mixes[round] + sines[i] + word(places[round] % 16), turns[round][i % 4]);
            a = d;
            d = c;
            c = b;
            b = next;
        }
        sum = {sum[0] + a, sum[1] + b, sum[2] + c, sum[3] + d};
    }
    std::string hex;
    for (const auto part : sum) {
        for (unsigned byte = 0; byte < 4; ++byte) {
            hex += "0123456789abcdef"[part >> (8 * byte + 4) & 15];
            hex += "0123456789abcdef"[part >> (8 * byte) & 15];
        }
    }
    return hex;
}

} // namespace fake_aws
