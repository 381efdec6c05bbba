#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace support {

/// How many cases a property tries: `usual`, or what the environment variable FRESHET_CASES asks for.
[[nodiscard]] inline auto cases(std::size_t usual) -> std::size_t {
    const auto* wanted = std::getenv("FRESHET_CASES");
    return wanted == nullptr ? usual : std::max<std::size_t>(1, std::strtoull(wanted, nullptr, 10));
}

/// The seed of a property's generator: always the same, or what the environment variable FRESHET_SEED asks for.
[[nodiscard]] inline auto seed() -> std::uint64_t {
    const auto* wanted = std::getenv("FRESHET_SEED");
    return wanted == nullptr ? 20'240'115 : std::strtoull(wanted, nullptr, 10);
}

} // namespace support
