#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include <freshet/backend/series_key.hpp>
#include <freshet/core/parsed.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <freshet/item/json_scanner.hpp>

namespace metrics {

/// Why a line is not counted.
enum class skip_reason : std::uint8_t {
    malformed_line, ///< no JSON object, or without a text where a record needs one
    no_timestamp,
    bad_timestamp, ///< `createdAt` is no RFC 3339 time of the years 0 to 9999 UTC
};
[[nodiscard]] constexpr auto name_of(skip_reason why) noexcept -> std::string_view {
    constexpr std::string_view names[]{"malformed_line", "no_timestamp", "bad_timestamp"};
    return names[static_cast<std::size_t>(why)];
}

/// A record as a line of the input has it.
struct record {
    freshet::series_key series;
    std::string id;
    std::string created_at; ///< as the line has it; empty: it has none
    std::string updated_at;
};

/// The longest table, account or id, in bytes: with all of them escaped a row's keys are still within a table's limits.
inline constexpr std::size_t longest_name = 300;

/// An instant of the years 0 to 9999; nothing where the text names none.
[[nodiscard]] constexpr auto read_instant(std::string_view text) -> std::optional<freshet::time_point> {
    const auto at = freshet::parse_rfc3339(text);
    if (!at || !freshet::format_rfc3339(*at, 6)) { return std::nullopt; } // an offset can lead out of the years
    return *at;
}

namespace detail {

/// A member that must be a text.
struct text_member {
    std::string_view name;
    std::string* to;
    std::string_view wrong;
};

} // namespace detail

/// Reads `{"table":…,"id":…,"accountId":…,"createdAt":…,"updatedAt":…}`; what else is in it does not matter.
///
/// `table` and `id` are texts that are not empty; `accountId` may be absent or null, as may `createdAt`, and
/// `updatedAt`, which is passed over where it is no text, or one of more than 300 bytes. A name that repeats is a
/// fault, at whatever depth. A `createdAt` that is no text becomes its own JSON text, which is no time.
[[nodiscard]] inline auto read_record(std::string_view line) -> freshet::parsed<record> {
    freshet::detail::scan_memory memory;
    freshet::detail::json_scanner in{line, memory};
    record read;
    const detail::text_member members[]{{"table", &read.series.table, "a table that is no text"},
                                        {"id", &read.id, "an id that is no text"},
                                        {"accountId", &read.series.account, "an accountId that is no text"},
                                        {"createdAt", &read.created_at, {}},
                                        {"updatedAt", &read.updated_at, {}}};
    if (in.peek() != '{' && !in.at_end()) { return freshet::parse_fault{0, "no JSON object"}; }
    const auto whole = in.members([&](const freshet::detail::json_string& name) {
        const auto* const known = std::find_if(std::begin(members), std::end(members),
                                               [&](const auto& each) { return each.name == name.text; });
        const char first = in.peek();
        const char* const begin = in.position();
        freshet::detail::json_string text;
        if (known == std::end(members)) { return in.skip_value(); }
        if (first == '"') {
            if (!in.string(text)) { return false; }
            *known->to = text.text;
            return true;
        }
        if (!in.skip_value()) { return false; }
        if (first == 'n') { return true; }
        if (!known->wrong.empty()) { in.refuse(begin, known->wrong); }
        if (known->to == &read.created_at) { read.created_at.assign(begin, in.position()); }
        return true;
    });
    if (whole && !in.at_end()) { in.fail(in.position(), "bytes behind the object"); }
    if (in.error()) { return *in.error(); }
    if (in.refusal()) { return *in.refusal(); }
    if (read.series.table.empty()) { return freshet::parse_fault{0, "no table"}; }
    if (read.id.empty()) { return freshet::parse_fault{0, "no id"}; }
    if (std::max({read.series.table.size(), read.series.account.size(), read.id.size()}) > longest_name) {
        return freshet::parse_fault{0, "a table, accountId or id of more than 300 bytes"};
    }
    if (read.created_at.size() > longest_name) { read.created_at = "more than 300 bytes"; } // which are no time
    if (read.updated_at.size() > longest_name) { read.updated_at.clear(); }
    return read;
}

} // namespace metrics
