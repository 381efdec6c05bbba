#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include <freshet/core/sha256_blocks.hpp>

namespace freshet {

/// A SHA-256 digest, most significant byte first.
using sha256_digest = std::array<std::uint8_t, 32>;

/// Digests bytes that arrive in pieces; how they are cut makes no difference.
///
/// Fast by the machine's own instructions where it has them, and usable in constant expressions. A copy goes on
/// independently from where the original stands. Source: FIPS 180-4.
class sha256 {
public:
    constexpr sha256() = default;

    /// With a given kernel in place of the machine's best one.
    constexpr explicit sha256(sha256_kernel kernel) : kernel_{kernel} {}

    constexpr auto update(std::string_view bytes) -> sha256& {
        const auto pending = static_cast<std::size_t>(length_ % block_size);
        length_ += bytes.size();
        if (pending != 0) {
            const auto taken = std::min(bytes.size(), block_size - pending);
            std::copy_n(bytes.data(), taken, block_.data() + pending);
            bytes.remove_prefix(taken);
            if (pending + taken < block_size) { return *this; }
            run(block_.data(), 1);
        }
        const auto whole = bytes.size() / block_size;
        if (whole != 0) { run(bytes.data(), whole); }
        bytes.remove_prefix(whole * block_size);
        std::copy_n(bytes.data(), bytes.size(), block_.data());
        return *this;
    }

    auto update(std::span<const std::byte> bytes) -> sha256& {
        return update({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    }

    /// The digest of everything so far. The object is used up: digest other bytes with another one.
    [[nodiscard]] constexpr auto finish() -> sha256_digest {
        const auto bits = length_ * 8;
        auto end = static_cast<std::size_t>(length_ % block_size);
        block_[end++] = static_cast<char>(0x80);
        if (end > block_size - 8) { // no room left for the length
            std::fill(block_.data() + end, block_.data() + block_size, '\0');
            run(block_.data(), 1);
            end = 0;
        }
        std::fill(block_.data() + end, block_.data() + block_size - 8, '\0');
        for (std::size_t byte = 0; byte < 8; ++byte) {
            block_[block_size - 1 - byte] = static_cast<char>(static_cast<std::uint8_t>(bits >> (8 * byte)));
        }
        run(block_.data(), 1);

        sha256_digest digest{};
        for (std::size_t byte = 0; byte < digest.size(); ++byte) {
            digest[byte] = static_cast<std::uint8_t>(state_[byte / 4] >> (24 - 8 * (byte % 4)));
        }
        return digest;
    }

private:
    static constexpr std::size_t block_size = 64;

    constexpr void run(const char* blocks, std::size_t count) {
        if (std::is_constant_evaluated()) { sha256_blocks_portable(state_, blocks, count); }
        else if (kernel_ != nullptr) { kernel_(state_, blocks, count); }
        else { sha256_blocks(state_, blocks, count); }
    }

    sha256_state state_ = sha256_start;
    std::uint64_t length_{};
    std::array<char, block_size> block_{};
    sha256_kernel kernel_{};
};

/// The digest of these bytes.
[[nodiscard]] constexpr auto sha256_of(std::string_view bytes) -> sha256_digest {
    return sha256{}.update(bytes).finish();
}

/// Writes the digest as 64 lower-case hexadecimal digits; returns the end of what it wrote.
constexpr auto write_hex(char* out, const sha256_digest& digest) -> char* {
    for (const auto byte : digest) {
        *out++ = "0123456789abcdef"[byte >> 4];
        *out++ = "0123456789abcdef"[byte & 15];
    }
    return out;
}

/// The digest as 64 lower-case hexadecimal digits.
[[nodiscard]] constexpr auto hex(const sha256_digest& digest) -> std::array<char, 64> {
    std::array<char, 64> text{};
    write_hex(text.data(), digest);
    return text;
}

} // namespace freshet
