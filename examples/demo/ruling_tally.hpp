#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <adapters/sqlite/table.hpp>
#include <demo/label_tally.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/result.hpp>
#include <receipts/entities.hpp>

namespace demo {

/// What the table says of validation; what has no status counts as `NONE`.
struct ruling_tally {
    status_counts labels{};   ///< all of them
    status_counts round{};    ///< of those, the ones that were validated in one round
    status_counts metadata{}; ///< all of it

    friend auto operator==(const ruling_tally&, const ruling_tally&) -> bool = default;
};

/// Counts labels and metadata by status in a scan from the first page to the last; `round` is what `validated_at` says.
template <class Table>
[[nodiscard]] auto tally_rulings(Table& table, std::string_view round) -> freshet::result<ruling_tally> {
    ruling_tally all;
    freshet::page_request request;
    do {
        const auto page = table.scan(request);
        if (!page) { return page.why(); }
        for (const auto& row : page->rows) {
            const auto image = row.image();
            const auto text = [&](const char* name) {
                const auto found = image.find(name);
                return found ? found->text() : std::string_view{};
            };
            const auto sort = text("SK");
            const bool is_label{receipts::receipt_word_label::sort::parse(sort)};
            if (!is_label && !receipts::receipt_metadata::sort::parse(sort)) { continue; }
            const std::string status{image.find("validation_status") ? text("validation_status") : "NONE"};
            ++(is_label ? all.labels : all.metadata)[status];
            if (is_label && text("validated_at") == round) { ++all.round[status]; }
        }
        request.from = page->next;
    } while (request.from);
    return all;
}

/// The same by SQL over the text of the rows, without the adapter's reading of them.
template <class Clock>
[[nodiscard]] auto tally_rulings(adapters::sqlite::table<Clock>& table, std::string_view round)
    -> freshet::result<ruling_tally> {
    auto rows = table.file().prepare(
        "SELECT instr(sort, '#LABEL#') > 0, status, at = ?1, count(*) FROM"
        " (SELECT json_extract(text, '$.SK.S') AS sort,"
        " ifnull(json_extract(text, '$.validation_status.S'), 'NONE') AS status,"
        " ifnull(json_extract(text, '$.validated_at.S'), '') AS at FROM item)"
        " WHERE instr(sort, '#LABEL#') > 0 OR sort LIKE '%#METADATA' GROUP BY 1, 2, 3",
        round);
    if (!rows) { return rows.why(); }
    ruling_tally all;
    auto more = rows->step();
    for (; more && *more; more = rows->step()) {
        const bool is_label = rows->number(0) != 0;
        const std::string status{rows->text(1)};
        const auto count = static_cast<std::uint64_t>(rows->number(3));
        (is_label ? all.labels : all.metadata)[status] += count;
        if (is_label && rows->number(2) != 0) { all.round[status] += count; }
    }
    if (!more) { return std::move(more).why(); }
    return all;
}

} // namespace demo
