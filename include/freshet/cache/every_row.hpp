#pragma once

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>

#include <freshet/backend/table.hpp>
#include <freshet/core/result.hpp>

namespace freshet {

/// How much a paged read read.
struct paged_read {
    std::size_t pages{};
    std::size_t rows{};
    friend auto operator==(const paged_read&, const paged_read&) -> bool = default;
};

/// Calls `take(row)` with each row of the query, page after page until there is none left. A page without rows does not
/// end it. `limit`: rows a page at most; zero: as the table likes.
///
/// Asks `go_on()`, a `result<void>`, before each page and fails as that does; fails as the page that failed did, which
/// is not asked for again. `take` has had the rows until then. A page whose next one is itself, as no table's should
/// be, is `malformed`; what leads back to it in several steps is left to `go_on`.
template <class Table, class GoOn, class Take>
[[nodiscard]] auto every_row(Table& table, const index_query& which, std::size_t limit, GoOn&& go_on, Take&& take)
    -> result<paged_read> {
    static_assert(std::is_invocable_r_v<result<void>, GoOn&>, "go_on answers with a freshet::result<void>");
    static_assert(std::is_invocable_v<Take&, const typename Table::row_type&>, "take is called with a const row");
    paged_read read;
    page_request request{.limit = limit};
    do {
        if (result<void> may = go_on(); !may) { return std::move(may).why(); }
        auto page = table.query(which, request);
        if (!page) { return std::move(page).why(); }
        for (const auto& row : page->rows) { take(row); }
        ++read.pages;
        read.rows += page->rows.size();
        if (page->next && page->next == request.from) {
            return error{errc::malformed, "the table's page " + std::to_string(read.pages) + " of index \"" +
                                              which.index + "\" is followed by itself: it would never end"};
        }
        request.from = std::move(page->next);
    } while (request.from);
    return read;
}

} // namespace freshet
