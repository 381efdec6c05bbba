#pragma once

#include <cstdint>
#include <string_view>

namespace freshet {

/// Why a store has an entry no more.
enum class removal_cause : std::uint8_t {
    erased,   ///< its key was invalidated
    cleared,  ///< all keys were
    expired,  ///< its `keep_until` had come when the store met it
    evicted,  ///< others needed the room
    replaced, ///< by another entry of its key
};

/// The cause's name as it stands in the enumeration, for logs.
[[nodiscard]] constexpr auto name_of(removal_cause cause) noexcept -> std::string_view {
    switch (cause) {
        case removal_cause::erased: return "erased";
        case removal_cause::cleared: return "cleared";
        case removal_cause::expired: return "expired";
        case removal_cause::evicted: return "evicted";
        case removal_cause::replaced: return "replaced";
    }
    return "unknown";
}

/// A store took an entry out. `key` is its key as `key_text` shows it.
struct entry_removed {
    static constexpr std::string_view name = "entry_removed";
    std::string_view key;
    removal_cause cause;
    void fields(auto&& visit) const {
        visit("key", key);
        visit("cause", name_of(cause));
    }
};

} // namespace freshet
