#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <freshet/backend/row_key.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/cache/table_snapshot.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>

namespace freshet {

/// A table that a `table_cache` is to know, and what is special about it. Borrows the table.
///
/// The functions may be called by several threads at once; what they throw is a failure of the call that met it.
template <class Table>
struct cached_table {
    static_assert(table<Table>,
                  "a cached_table needs a table: get, put, update, erase, scan and query, as "
                  "freshet::table has them");
    using row_type = typename Table::row_type;
    using snapshot = table_snapshot<row_type>;

    cached_table(std::string called, Table& cached, std::function<result<row_key>(const row_type&)> key)
        : name{std::move(called)}, from{&cached}, key_of{std::move(key)} {}

    std::string name;
    Table* from;
    std::function<result<row_key>(const row_type&)> key_of;
    /// How old it may be, where the policy asks: longer for a table that seldom changes. Absent: as the policy says.
    std::optional<duration> interval{};
    /// Whether what was scanned may be kept; `before` is what was kept last, or null. A failure refuses it: those who
    /// wait for the scan fail so too, with the code that this function chose (`denied` where a person must look).
    std::function<result<void>(const snapshot* before, const snapshot& after)> plausible{};
    /// The rows as a `table_follower` has them (`table_follower::rows`); absent where they are not up to date.
    std::function<std::optional<snapshot_at<row_type>>()> followed{};
};

} // namespace freshet
