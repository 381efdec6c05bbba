#pragma once

#include <cstdint>

namespace freshet::detail {

/// Makes every bit of a hash depend on every other, one to one: `std::hash` of a number may be the number itself.
///
/// The finaliser of SplitMix64 (Steele, Lea and Flood, with Stafford's constants).
[[nodiscard]] constexpr auto mixed_hash(std::uint64_t hash) noexcept -> std::uint64_t {
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
    hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
    return hash ^ (hash >> 31);
}

} // namespace freshet::detail
