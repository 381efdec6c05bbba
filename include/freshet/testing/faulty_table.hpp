#pragma once

#include <optional>
#include <string>
#include <utility>

#include <freshet/backend/table.hpp>
#include <freshet/testing/faults.hpp>

namespace freshet::testing {

/// A table in front of another, in which what the script says goes wrong: `table.get`, `table.put`, `table.update`,
/// `table.erase`, `table.scan`, `table.query`.
///
/// Borrows both. Keeps the laws that the other keeps, so long as the faults' codes leave the outcome of a write open.
template <class Table>
class faulty_table {
public:
    using row_type = typename Table::row_type;
    using patch_type = typename Table::patch_type;

    faulty_table(Table& table, faults& script, std::string name = "table")
        : table_{&table}, script_{&script}, name_{std::move(name)} {}

    [[nodiscard]] auto get(const row_key& key) -> result<std::optional<row_type>> {
        return script_->around(name_ + ".get", [&] { return table_->get(key); });
    }
    [[nodiscard]] auto put(const row_type& row, const write_condition<row_type>& condition = {}) -> result<void> {
        return script_->around(name_ + ".put", [&] { return table_->put(row, condition); });
    }
    [[nodiscard]] auto update(const row_key& key, const patch_type& patch,
                              const write_condition<row_type>& condition = {}) -> result<void> {
        return script_->around(name_ + ".update", [&] { return table_->update(key, patch, condition); });
    }
    [[nodiscard]] auto erase(const row_key& key, const write_condition<row_type>& condition = {}) -> result<void> {
        return script_->around(name_ + ".erase", [&] { return table_->erase(key, condition); });
    }
    [[nodiscard]] auto scan(const page_request& request) -> result<page<row_type>> {
        return script_->around(name_ + ".scan", [&] { return table_->scan(request); });
    }
    [[nodiscard]] auto query(const index_query& which, const page_request& request) -> result<page<row_type>> {
        return script_->around(name_ + ".query", [&] { return table_->query(which, request); });
    }

private:
    Table* table_;
    faults* script_;
    std::string name_;
};

} // namespace freshet::testing
