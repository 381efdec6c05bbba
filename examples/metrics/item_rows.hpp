#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <adapters/item_table.hpp>
#include <freshet/backend/row_key.hpp>
#include <freshet/backend/series_key.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <freshet/item/attribute.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/json_string.hpp>
#include <metrics/record.hpp>

/// Records as rows of one table: the key `PK` is table and id, the index `by_time` has the records of a series in the
/// order of their instants. A record without an instant is not in it: a scan finds it.
namespace metrics {

inline constexpr std::string_view by_time_index = "by_time";

/// The table's keys.
[[nodiscard]] inline auto item_table(std::string name = "metrics") -> adapters::item_table_options {
    adapters::item_table_options made;
    made.name = std::move(name);
    made.sort.clear();
    made.indexes = {{std::string{by_time_index}, "series", "createdAtUtc"}};
    return made;
}

/// Two texts as one, such that no other two become the same: `#` stands between them, and in them it is `%23`.
[[nodiscard]] inline auto joined_key(std::string_view first, std::string_view second) -> std::string {
    std::string key;
    const auto add = [&](std::string_view text) {
        for (const char c : text) {
            if (c == '#') {
                key += "%23";
            } else if (c == '%') {
                key += "%25";
            } else {
                key += c;
            }
        }
    };
    add(first);
    key += '#';
    add(second);
    return key;
}

[[nodiscard]] inline auto key_of(std::string_view table, std::string_view id) -> freshet::row_key {
    return {joined_key(table, id), {}};
}
[[nodiscard]] inline auto partition_of(const freshet::series_key& series) -> std::string {
    return joined_key(series.table, series.account);
}
/// The index's sort key of an instant: in the order of time. It must be one of the years 0 to 9999.
[[nodiscard]] inline auto sort_key_of(freshet::time_point at) -> std::string {
    return std::string{freshet::format_rfc3339(at, 6).value().view()};
}

/// A record as a row.
[[nodiscard]] inline auto row_of(const record& of) -> freshet::result<freshet::document> {
    std::string text;
    const auto add = [&](std::string_view name, std::string_view value) {
        if (value.empty()) { return; }
        text.append(text.empty() ? "{\"" : ",\"").append(name).append("\":{\"S\":");
        freshet::detail::append_json_string(text, value);
        text += '}';
    };
    add("PK", key_of(of.series.table, of.id).partition);
    add("table", of.series.table);
    add("id", of.id);
    add("accountId", of.series.account);
    add("createdAt", of.created_at);
    add("updatedAt", of.updated_at);
    if (const auto at = read_instant(of.created_at)) {
        add("series", partition_of(of.series));
        add("createdAtUtc", sort_key_of(*at));
    }
    return freshet::document::parse(text + '}');
}

/// The text of an attribute; empty where the row has none.
[[nodiscard]] inline auto text_in(const freshet::document& row, std::string_view name) -> std::string {
    const auto found = row.image().find(name);
    return found && found->type() == freshet::attribute_type::string ? std::string{found->text()} : std::string{};
}
[[nodiscard]] inline auto series_of(const freshet::document& row) -> freshet::series_key {
    return {text_in(row, "table"), text_in(row, "accountId")};
}

} // namespace metrics
