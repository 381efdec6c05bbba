#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include <freshet/cache/freshness.hpp>
#include <freshet/core/time.hpp>

namespace freshet {

/// Who loads anew what answers for the time being.
enum class refreshed_by : std::uint8_t {
    caller, ///< one of those who ask; he waits for it
    host,   ///< whoever calls `refresh_due`
};

struct ttl_cache_options : expiry_options {
    duration load_time{std::chrono::minutes{1}};    ///< a load's deadline; shorter than the store's fence time
    duration error_pause{std::chrono::seconds{30}}; ///< after a failed load, an old answer serves without another one
    refreshed_by refreshing{refreshed_by::caller};
    std::size_t remembered{10'000}; ///< keys that wait for `refresh_due`, and keys whose load failed
};

/// What `refresh_due` did.
struct refresh_report {
    std::size_t refreshed{};
    std::size_t spared{}; ///< somebody had loaded it, or is at it, or failed lately; or the store failed
    std::size_t failed{};
    friend auto operator==(const refresh_report&, const refresh_report&) -> bool = default;
};

} // namespace freshet
