#pragma once

#include <cstddef>
#include <iterator>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <freshet/backend/clock.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/result.hpp>
#include <freshet/work/deadline.hpp>

namespace freshet {

/// All rows of a table, in the order of its scan.
template <class Row>
struct scanned_rows {
    std::vector<Row> rows;
    std::size_t pages{};
};

/// Scans a table from its first page to its last.
///
/// Fails as a page does, and with `expired` where the deadline passes, or a stop is asked for, before a page: then
/// there are no rows, rather than some. A page whose next one is itself, as no table's should be, is `malformed`.
template <class Table, class Clock>
[[nodiscard]] auto scan_all(Table& from, const Clock& clock, deadline until = deadline::never(),
                            const std::stop_token& stop = {}) -> result<scanned_rows<typename Table::row_type>> {
    static_assert(table<Table>,
                  "scan_all needs a table: get, put, update, erase, scan and query, as freshet::table "
                  "has them");
    static_assert(freshet::clock<Clock>, "scan_all needs a clock: now() -> time_point");
    scanned_rows<typename Table::row_type> all;
    page_request request;
    for (;;) {
        const bool stopped = stop.stop_requested();
        if (stopped || until.passed(clock.now())) {
            return error{errc::expired, std::string{stopped ? "a stop was asked for" : "the deadline passed"} +
                                            " after " + std::to_string(all.pages) + " pages of a scan"};
        }
        auto page = from.scan(request);
        if (!page) { return std::move(page).why(); }
        ++all.pages;
        std::move(page->rows.begin(), page->rows.end(), std::back_inserter(all.rows));
        if (!page->next) { return all; }
        if (page->next == request.from) {
            return error{errc::malformed, "the table's page " + std::to_string(all.pages) +
                                              " of a scan is followed by itself: it would never end"};
        }
        request.from = std::move(page->next);
    }
}

} // namespace freshet
