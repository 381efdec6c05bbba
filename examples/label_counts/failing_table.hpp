#pragma once

#include <string>
#include <utility>

#include <freshet/backend/table.hpp>
#include <freshet/core/result.hpp>
#include <receipts/items.hpp>

namespace label_counts {

/// A table to query in which one label's second page fails, or its only one. Borrows the other.
template <class Table>
class failing_table {
public:
    using row_type = typename Table::row_type;

    failing_table(Table& table, const std::string& label)
        : table_{table}, partition_{receipts::label_index_key(label)} {}

    [[nodiscard]] auto query(const freshet::index_query& which, const freshet::page_request& request)
        -> freshet::result<freshet::page<row_type>> {
        auto found = table_.query(which, request);
        const bool first_of_several = found && found->next && !request.from;
        if (which.partition != partition_ || first_of_several) { return found; }
        return freshet::error{freshet::errc::failed, "this page fails because --fail says so"};
    }

private:
    Table& table_;
    std::string partition_;
};

} // namespace label_counts
