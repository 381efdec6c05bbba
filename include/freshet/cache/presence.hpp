#pragma once

#include <cstdint>
#include <string_view>

namespace freshet {

/// Whether there is any of what was looked for.
enum class presence : std::uint8_t {
    no,
    yes,
    unknown, ///< not all was looked at, and none was seen
};

/// The name as it stands in the enumeration, for logs.
[[nodiscard]] constexpr auto name_of(presence is) noexcept -> std::string_view {
    switch (is) {
        case presence::no: return "no";
        case presence::yes: return "yes";
        case presence::unknown: return "unknown";
    }
    return "unknown";
}

} // namespace freshet
