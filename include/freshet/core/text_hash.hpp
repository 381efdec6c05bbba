#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace freshet::detail {

/// Hashes texts for a table that strangers' texts go into: salted with the table's address where it was made, so that
/// texts cannot be prepared to collide.
///
/// A copy hashes alike; another table, or the next run, does not. Not for anything that outlives the process.
class text_hash {
public:
    explicit text_hash(const void* table) noexcept : salt_{reinterpret_cast<std::uintptr_t>(table) * odd} {}

    /// `owner` tells equal texts apart that belong to different owners.
    [[nodiscard]] auto operator()(std::uint64_t owner, std::string_view text) const noexcept -> std::uint64_t {
        auto h = (owner + text.size()) * odd ^ salt_;
        const auto mix = [&](std::uint64_t word) {
            const auto mixed = product{h ^ word} * (salt_ | 1);
            h = static_cast<std::uint64_t>(mixed) ^ static_cast<std::uint64_t>(mixed >> 64);
        };
        while (text.size() >= 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, text.data(), 8);
            mix(word);
            text.remove_prefix(8);
        }
        std::uint64_t word = 0;
        if (!text.empty()) { std::memcpy(&word, text.data(), text.size()); }
        mix(word + 1);
        return h;
    }

private:
    static constexpr std::uint64_t odd = 0x9e3779b97f4a7c15u;
    __extension__ typedef unsigned __int128 product; // what ISO C++ lacks: all bits of a 64-bit multiplication

    std::uint64_t salt_;
};

} // namespace freshet::detail
