#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <adapters/item_table.hpp>
#include <adapters/run_item.hpp>
#include <freshet/backend/run_report.hpp>
#include <freshet/backend/run_store.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>
#include <freshet/item/document.hpp>

namespace adapters {

/// The table that keeps reports. One that has keys of these names and other rows too will do.
[[nodiscard]] inline auto runs_table() -> item_table_options { return {.name = "runs"}; }

/// The reports of jobs' executions in a table of items, see `item_of_run`. Borrows the table; as many objects as want
/// may use it, on threads where the table is shareable.
///
/// A `put` is one write; `latest` reads one row or a few, `runs` those of the range. A report beyond the table's limit
/// of an item is `too_large`.
template <class Table>
class run_store {
    static_assert(freshet::table<Table> && std::is_same_v<typename Table::row_type, freshet::document>,
                  "reports are kept in a table of items: freshet::table with row_type freshet::document");

public:
    explicit run_store(Table& table) noexcept : table_{&table} {}
    explicit run_store(const Table&&) = delete;

    [[nodiscard]] auto put(const freshet::run_report& report) -> freshet::result<void> {
        const auto item = item_of_run(report);
        if (!item) { return item.why(); }
        return table_->put(*item, {});
    }

    [[nodiscard]] auto runs(std::string_view job, const freshet::time_range& started)
        -> freshet::result<std::vector<freshet::run_report>> {
        auto which = all_of(job);
        if (!which) { return std::move(which).why(); }
        const auto start = std::max(started.start, detail::first_of_runs);
        const auto end = std::min(started.end, detail::end_of_runs);
        std::vector<freshet::run_report> found;
        if (end <= start) { return found; }
        which->sort_first = detail::time_left(end - freshet::duration{1});
        which->sort_last = detail::time_left(start) + '$'; // behind every `#`
        auto walked = each(*which, {}, [&](freshet::run_report report) {
            found.push_back(std::move(report));
            return true;
        });
        if (!walked) { return std::move(walked).why(); }
        std::sort(found.begin(), found.end(), before);
        return found;
    }

    [[nodiscard]] auto latest(std::string_view job) -> freshet::result<std::optional<freshet::run_report>> {
        const auto which = all_of(job);
        if (!which) { return which.why(); }
        std::optional<freshet::run_report> last;
        auto walked = each(*which, 2, [&](freshet::run_report report) {
            if (last && report.started_at != last->started_at) { return false; }
            if (!last || before(*last, report)) { last = std::move(report); } // of one instant the last run comes last
            return true;
        });
        if (!walked) { return std::move(walked).why(); }
        return last;
    }

private:
    [[nodiscard]] static auto before(const freshet::run_report& a, const freshet::run_report& b) -> bool {
        return std::tie(a.started_at, a.run) < std::tie(b.started_at, b.run);
    }

    [[nodiscard]] static auto all_of(std::string_view job) -> freshet::result<freshet::index_query> {
        return run_partition(job).transform([](std::string partition) {
            return freshet::index_query{{}, std::move(partition), {}, {}, {}};
        });
    }

    /// Every report that the query finds, from page to page, until `take` has enough.
    template <class Take>
    [[nodiscard]] auto each(const freshet::index_query& which, std::size_t limit, Take take) -> freshet::result<void> {
        freshet::page_request request{{}, limit};
        do {
            auto page = table_->query(which, request);
            if (!page) { return std::move(page).why(); }
            for (const auto& row : page->rows) {
                auto report = run_of_item(row.image());
                if (!report) { return std::move(report).why(); }
                if (!take(*std::move(report))) { return {}; }
            }
            request.from = std::move(page->next);
        } while (request.from);
        return {};
    }

    Table* table_;
};

} // namespace adapters
