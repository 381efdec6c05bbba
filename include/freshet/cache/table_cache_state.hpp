#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <freshet/cache/presence.hpp>
#include <freshet/cache/refresh_policy.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>

namespace freshet {

struct table_cache_options {
    bool enabled{true};     ///< not: every call scans, or reads, by itself
    duration join_window{}; ///< a caller may share a scan that began so long before he asked; zero: none that did
    /// Whether work sleeps. Called by several threads at once, at most once for a call of the cache, and only where
    /// the policy's verdict depends on it. Does not ask this cache. Absent: nobody knows.
    std::function<result<presence>()> sleepers{};
};

/// What a `table_cache` knows of one of its tables.
struct table_state {
    std::string name;
    std::size_t rows{};
    std::optional<time_point> last_refresh{}; ///< when the scan of what is kept began
    std::optional<refresh_reason> invalidated_by{};
    friend auto operator==(const table_state&, const table_state&) -> bool = default;
};

/// What a `table_cache` knows.
struct table_cache_state {
    std::vector<table_state> tables; ///< in the order in which the cache was given them
    std::optional<time_point> last_start_invalidation{};
    std::optional<time_point> last_sleeping_refresh{}; ///< of a table whose interval had elapsed while work slept
    friend auto operator==(const table_cache_state&, const table_cache_state&) -> bool = default;
};

} // namespace freshet
