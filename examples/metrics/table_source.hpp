#pragma once

#include <string>
#include <utility>

#include <freshet/backend/record_source.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time_range.hpp>
#include <metrics/item_rows.hpp>

namespace metrics {

/// The records of any table with the keys of `item_table`, by the index that orders them by time. Borrows the table.
///
/// It gives the records of the range and no others; `page_request::limit` and the tokens are the table's. Records
/// without an instant are in no range. Where the table's index lags behind its rows, so does this.
template <class Table>
class table_source {
    static_assert(freshet::table<Table>, "a table_source reads a freshet::table");

public:
    static constexpr auto order = freshet::record_order::by_time;

    explicit table_source(Table& from) noexcept : from_{from} {}

    [[nodiscard]] auto list(const freshet::series_key& series, const freshet::time_range& range,
                            const freshet::page_request& request)
        -> freshet::result<freshet::page<freshet::listed_record>> {
        auto rows = from_.query(
            {std::string{by_time_index}, partition_of(series), {}, first_of(range.start), last_before(range.end)},
            request);
        if (!rows) { return std::move(rows).why(); }
        freshet::page<freshet::listed_record> made;
        made.rows.reserve(rows->rows.size());
        for (const auto& row : rows->rows) { made.rows.push_back({text_in(row, "id"), text_in(row, "createdAt")}); }
        made.next = std::move(rows->next);
        return made;
    }

private:
    // What no year from 0 to 9999 holds is before, or behind, each key that there can be.
    [[nodiscard]] static auto first_of(freshet::time_point at) -> std::string {
        const auto text = freshet::format_rfc3339(at, 6);
        return text ? std::string{text->view()} : at < freshet::time_point{} ? " " : "~";
    }
    // Without the letter of its zone it is before each key of that instant, and behind those of the instants before.
    [[nodiscard]] static auto last_before(freshet::time_point at) -> std::string {
        auto text = first_of(at);
        if (text.ends_with('Z')) { text.pop_back(); }
        return text;
    }

    Table& from_;
};

} // namespace metrics
