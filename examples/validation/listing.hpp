#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/backend/row_key.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <receipts/entities.hpp>
#include <receipts/items.hpp>
#include <validation/stored_receipt.hpp>

/// The keys of the items that a job is about, a page at a time.
namespace validation {

using key_page = freshet::page<freshet::row_key>;

/// The keys of the page's items, those that are wanted.
template <class Wanted>
[[nodiscard]] auto keys_of(freshet::result<freshet::page<freshet::document>> page, Wanted wanted)
    -> freshet::result<key_page> {
    if (!page) { return std::move(page).why(); }
    key_page keys{{}, std::move(page->next)};
    for (const auto& item : page->rows) {
        auto key = key_in(item);
        if (wanted(key)) { keys.rows.push_back(std::move(key)); }
    }
    return keys;
}

/// The labels of these statuses, one status after the other, from the index of statuses.
template <class Table, std::size_t Count>
[[nodiscard]] auto labels_with(Table& table, const std::array<std::string_view, Count>& statuses,
                               const freshet::page_request& request) -> freshet::result<key_page> {
    std::size_t at = 0; // the token is the status's digit and, where its pages have begun, the index's own token
    freshet::page_request within{{}, request.limit};
    if (request.from) {
        at = request.from->empty() ? Count : static_cast<std::size_t>(request.from->front() - '0');
        if (at >= Count) { return freshet::error{freshet::errc::malformed, "labels: this is no token of a page"}; }
        if (request.from->size() > 1) { within.from = request.from->substr(1); }
    }
    auto page = keys_of(table.query({"GSI3", receipts::status_index_key(statuses[at]), {}, {}, {}}, within),
                        [](const freshet::row_key&) { return true; });
    if (!page) { return page; }
    if (page->next) {
        page->next = static_cast<char>('0' + at) + *page->next;
    } else if (at + 1 < Count) {
        page->next = std::string{static_cast<char>('0' + at + 1)};
    }
    return page;
}

/// The items of one entity in the whole table. The table of receipts has no index by entity: this reads it all.
template <class Entity, class Table>
[[nodiscard]] auto all_of(Table& table, const freshet::page_request& request) -> freshet::result<key_page> {
    return keys_of(table.scan(request), [](const freshet::row_key& key) {
        const std::string_view partition = key.partition, sort = key.sort;
        return Entity::partition::parse(partition) && Entity::sort::parse(sort);
    });
}

/// The items of one entity in one partition.
template <class Entity, class Table>
[[nodiscard]] auto all_in(Table& table, std::string_view partition, const freshet::page_request& request)
    -> freshet::result<key_page> {
    return keys_of(table.query({{}, std::string{partition}, "RECEIPT#", {}, {}}, request),
                   [](const freshet::row_key& key) {
                       const std::string_view sort = key.sort;
                       return static_cast<bool>(Entity::sort::parse(sort));
                   });
}

} // namespace validation
