#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <adapters/item_table.hpp>
#include <freshet/backend/row_key.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/result.hpp>

namespace adapters {

/// The row behind which a scan or a query goes on. It need not be there any more.
struct page_place {
    std::string index_sort; ///< its sort key in the index that is queried; empty in a scan
    freshet::row_key row;
};

/// How many rows a page may have.
[[nodiscard]] inline auto page_limit(const freshet::page_request& request, const item_table_options& options)
    -> std::size_t {
    return request.limit != 0 ? request.limit : std::max<std::size_t>(options.page_rows, 1);
}

namespace detail {

inline void append_field(std::string& token, std::string_view field) {
    ((token += std::to_string(field.size())) += ':') += field;
}

[[nodiscard]] inline auto take_field(std::string_view& token) -> std::optional<std::string> {
    std::size_t size = 0;
    const auto [end, bad] = std::from_chars(token.data(), token.data() + token.size(), size);
    const auto digits = static_cast<std::size_t>(end - token.data());
    if (bad != std::errc{} || digits == token.size() || *end != ':') { return std::nullopt; }
    token.remove_prefix(digits + 1);
    if (size > token.size()) { return std::nullopt; }
    std::string field{token.substr(0, size)};
    token.remove_prefix(size);
    return field;
}

/// What all tokens of one scan (`which` is null) or query begin with.
[[nodiscard]] inline auto token_start(const item_table_options& options, const freshet::index_query* which)
    -> std::string {
    std::string start;
    append_field(start, options.name);
    append_field(start, which == nullptr ? "scan" : "query");
    if (which != nullptr) {
        for (const auto* said :
             {&which->index, &which->partition, &which->sort_prefix, &which->sort_first, &which->sort_last}) {
            append_field(start, *said);
        }
    }
    return start;
}

} // namespace detail

/// The token of a place in a scan (`which` is null) or in this query.
[[nodiscard]] inline auto token_of(const item_table_options& options, const freshet::index_query* which,
                                   const page_place& place) -> freshet::page_token {
    auto token = detail::token_start(options, which);
    for (const auto* said : {&place.index_sort, &place.row.partition, &place.row.sort}) {
        detail::append_field(token, *said);
    }
    return token;
}

/// The place that a token names; `malformed` where it is no token of this table, or one of another query.
[[nodiscard]] inline auto place_of(const item_table_options& options, const freshet::index_query* which,
                                   std::string_view token) -> freshet::result<page_place> {
    const auto start = detail::token_start(options, which);
    const bool ours = token.starts_with(start);
    token.remove_prefix(ours ? start.size() : token.size());
    auto index_sort = detail::take_field(token);
    auto partition = detail::take_field(token);
    auto sort = detail::take_field(token);
    if (!index_sort || !partition || !sort || !token.empty()) {
        return detail::malformed(options, "no page token of this scan or query");
    }
    return page_place{*std::move(index_sort), {*std::move(partition), *std::move(sort)}};
}

} // namespace adapters
