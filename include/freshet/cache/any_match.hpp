#pragma once

#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

#include <freshet/backend/table.hpp>
#include <freshet/cache/presence.hpp>
#include <freshet/core/result.hpp>
#include <freshet/work/isolated.hpp>

namespace freshet {

/// How much is looked at before the answer is `unknown`: after so many pages, or rows, no further page is read.
struct match_budget {
    std::size_t pages{1'000};
    std::size_t rows{100'000};
};

namespace detail {

template <class Row, class Predicate, class Next>
[[nodiscard]] auto any_match(Predicate& is_hit, const match_budget& budget, std::size_t limit, Next next)
    -> result<presence> {
    static_assert(std::is_invocable_r_v<bool, Predicate&, const Row&>,
                  "any_match asks its predicate about each row: (const Row&) -> bool");
    page_request request{.limit = limit};
    std::size_t rows = 0;
    for (std::size_t pages = 0; pages < budget.pages && rows < budget.rows; ++pages) {
        auto got = next(request);
        if (!got) { return std::move(got).why(); }
        for (const auto& row : got->rows) {
            const auto hit = isolated([&]() -> result<bool> { return static_cast<bool>(is_hit(row)); });
            if (!hit) { return hit.why(); }
            if (*hit) { return presence::yes; }
        }
        if (!got->next) { return presence::no; }
        rows += got->rows.size();
        request.from = std::move(got->next);
    }
    return presence::unknown;
}

} // namespace detail

/// Whether a row of the table is a hit: pages on until one is, or the table ends, or the budget does.
///
/// A page without a hit, also an empty one, says nothing about the next. So this finds what a filtered scan with a
/// limit of one row misses: there the limit counts the rows that are looked at, and not the hits. A failed page fails
/// the whole; a predicate that throws is `failed`.
template <class Table, class Predicate>
[[nodiscard]] auto any_match(Table& in, Predicate is_hit, match_budget budget = {}) -> result<presence> {
    static_assert(table<Table>,
                  "any_match needs a table: get, put, update, erase, scan and query, as freshet::table "
                  "has them");
    return detail::any_match<typename Table::row_type>(is_hit, budget, 0,
                                                       [&](const page_request& request) { return in.scan(request); });
}

/// The same among the rows that a query finds.
template <class Table, class Predicate>
[[nodiscard]] auto any_match(Table& in, const index_query& which, Predicate is_hit, match_budget budget = {})
    -> result<presence> {
    static_assert(table<Table>,
                  "any_match needs a table: get, put, update, erase, scan and query, as freshet::table "
                  "has them");
    return detail::any_match<typename Table::row_type>(
        is_hit, budget, 0, [&](const page_request& request) { return in.query(which, request); });
}

/// Whether a query finds any row: reads one at a time.
template <class Table>
[[nodiscard]] auto any_match(Table& in, const index_query& which, match_budget budget = {}) -> result<presence> {
    static_assert(table<Table>,
                  "any_match needs a table: get, put, update, erase, scan and query, as freshet::table "
                  "has them");
    auto each = [](const auto&) { return true; };
    return detail::any_match<typename Table::row_type>(
        each, budget, 1, [&](const page_request& request) { return in.query(which, request); });
}

} // namespace freshet
