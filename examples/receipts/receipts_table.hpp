#pragma once

#include <adapters/item_table.hpp>

namespace receipts {

/// The table of receipts: labels are found by their name (GSI1) and by their status (GSI3).
[[nodiscard]] inline auto receipts_table() -> adapters::item_table_options {
    adapters::item_table_options options;
    options.name = "receipts";
    options.indexes = {{"GSI1", "GSI1PK", "GSI1SK"}, {"GSI3", "GSI3PK", {}}};
    return options;
}

} // namespace receipts
