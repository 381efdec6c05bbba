#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include <adapters/item_table.hpp>
#include <freshet/backend/row_key.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>

namespace email_agent {

/// The agent's tables; the rows of each are found by the string attribute `id`.
inline constexpr std::array<std::string_view, 6> table_names{"students", "pools",  "prompts",
                                                             "stages",   "events", "work_orders"};

[[nodiscard]] constexpr auto is_table(std::string_view name) -> bool {
    return std::find(table_names.begin(), table_names.end(), name) != table_names.end();
}

/// How many rows a page of a scan has.
inline constexpr std::size_t page_rows = 250;

/// The index of the work orders by their states.
inline constexpr std::string_view state_index = "by_state";

[[nodiscard]] inline auto options_of(std::string_view table) -> adapters::item_table_options {
    adapters::item_table_options options;
    options.name = table;
    options.partition = "id";
    options.sort.clear();
    options.page_rows = page_rows;
    if (table == "work_orders") { options.indexes = {{std::string{state_index}, "state"}}; }
    return options;
}

/// The text of a row's attribute; empty where it has none.
[[nodiscard]] inline auto text_of(const freshet::document& row, std::string_view attribute) -> std::string {
    const auto found = row.image().find(attribute);
    return found ? std::string{found->text()} : std::string{};
}

} // namespace email_agent
