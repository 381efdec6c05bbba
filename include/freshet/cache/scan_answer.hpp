#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include <freshet/cache/refresh_policy.hpp>
#include <freshet/cache/table_snapshot.hpp>
#include <freshet/core/time.hpp>

namespace freshet {

/// Where an answer of a `table_cache` comes from.
enum class scan_origin : std::uint8_t {
    kept,     ///< an earlier scan
    followed, ///< the table's changes, applied to an earlier scan
    scanned,  ///< a scan of this caller's, kept for others
    shared,   ///< another's scan, which began after this one asked, or shortly before
    bypassed, ///< a scan of this caller's that is not kept
    read,     ///< that row alone, from the table
};

/// The origin's name as it stands in the enumeration, for logs.
[[nodiscard]] constexpr auto name_of(scan_origin origin) noexcept -> std::string_view {
    switch (origin) {
        case scan_origin::kept: return "kept";
        case scan_origin::followed: return "followed";
        case scan_origin::scanned: return "scanned";
        case scan_origin::shared: return "shared";
        case scan_origin::bypassed: return "bypassed";
        case scan_origin::read: return "read";
    }
    return "unknown";
}

/// All rows of a table, and why it is these.
template <class Row>
struct scan_answer {
    std::shared_ptr<const table_snapshot<Row>> rows; ///< never null
    refresh_verdict verdict{};
    scan_origin origin{};
    duration age{}; ///< since the scan of it began; never below zero
};

/// One row of a table, and why it is this one.
template <class Row>
struct row_answer {
    std::shared_ptr<const Row> row; ///< null: the table has none of that key
    refresh_verdict verdict{};
    scan_origin origin{};
    duration age{}; ///< since it was read, or the scan of it began; never below zero
};

} // namespace freshet
