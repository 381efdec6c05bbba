#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <adapters/sqlite/table.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/result.hpp>
#include <receipts/entities.hpp>

namespace demo {

/// How many words have a label, by what became of its validation; none is zero.
using status_counts = std::map<std::string, std::uint64_t, std::less<>>;
/// The counts of all labels that there are.
using label_tally = std::map<std::string, status_counts, std::less<>>;

/// Counts the words of all labels by the keys of a table's rows, from the scan's first page to its last: what the
/// counts of an index are to agree with. What has no status counts as `NONE`.
template <class Table>
[[nodiscard]] auto tally_labels(Table& table) -> freshet::result<label_tally> {
    label_tally all;
    freshet::page_request request;
    do {
        const auto page = table.scan(request);
        if (!page) { return page.why(); }
        for (const auto& row : page->rows) {
            const auto image = row.image();
            const auto sort = image.find("SK");
            const auto key = receipts::receipt_word_label::sort::parse(sort ? sort->text() : std::string_view{});
            if (!key) { continue; }
            const auto status = image.find("validation_status");
            ++all[std::string{key->template get<"label">()}][std::string{status ? status->text() : "NONE"}];
        }
        request.from = page->next;
    } while (request.from);
    return all;
}

/// The same by SQL over the text of the rows, without the adapter's reading of them.
template <class Clock>
[[nodiscard]] auto tally_labels(adapters::sqlite::table<Clock>& table) -> freshet::result<label_tally> {
    auto rows = table.file().prepare(
        "SELECT substr(sort, instr(sort, '#LABEL#') + 7), status, count(*) FROM"
        " (SELECT json_extract(text, '$.SK.S') AS sort,"
        " ifnull(json_extract(text, '$.validation_status.S'), 'NONE') AS status FROM item)"
        " WHERE instr(sort, '#LABEL#') > 0 GROUP BY 1, 2");
    if (!rows) { return rows.why(); }
    label_tally all;
    auto more = rows->step();
    for (; more && *more; more = rows->step()) {
        all[std::string{rows->text(0)}].emplace(rows->text(1), static_cast<std::uint64_t>(rows->number(2)));
    }
    if (!more) { return std::move(more).why(); }
    return all;
}

} // namespace demo
