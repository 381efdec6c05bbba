#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <adapters/item_table.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/utf8.hpp>

namespace adapters {

/// The sort keys that a query asks for, in the order of their bytes.
struct sort_range {
    std::string first;              ///< with this one
    std::optional<std::string> end; ///< without this one; absent: to the last
};

/// The first text that is greater than every text with this prefix; nothing where there is none.
[[nodiscard]] inline auto end_of_prefix(std::string prefix) -> std::optional<std::string> {
    while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) { prefix.pop_back(); }
    if (prefix.empty()) { return std::nullopt; }
    prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
    return prefix;
}

/// The range of a query whose prefix or bounds are good: those of which `index_of` says nothing.
[[nodiscard]] inline auto range_of(const freshet::index_query& which) -> sort_range {
    if (!which.sort_prefix.empty()) { return {which.sort_prefix, end_of_prefix(which.sort_prefix)}; }
    if (which.sort_last.empty()) { return {which.sort_first, std::nullopt}; }
    return {which.sort_first, which.sort_last + '\0'};
}

/// Which of the options' indexes a query asks, as `index_called` numbers them.
///
/// `malformed` where there is none of that name; where a prefix and a bound are given at once; and where a bound is one
/// that no sort key of that index can be: too long, no UTF-8, or the index has none.
[[nodiscard]] inline auto index_of(const freshet::index_query& which, const item_table_options& options)
    -> freshet::result<std::size_t> {
    auto at = index_called(which.index, options);
    if (!at || (which.sort_first.empty() && which.sort_last.empty())) { return at; }
    if (!which.sort_prefix.empty()) { return detail::malformed(options, "a query with a prefix and a bound at once"); }
    const auto& sort = *at == options.indexes.size() ? options.sort : options.indexes[*at].sort;
    if (sort.empty()) { return detail::malformed(options, "a query with a bound of an index that has no sort keys"); }
    for (const std::string_view bound : {which.sort_first, which.sort_last}) {
        if (bound.size() > options.limits.sort_key_bytes || freshet::detail::find_bad_utf8(bound)) {
            return detail::malformed(options, "a query with a bound that no sort key can be");
        }
    }
    return at;
}

} // namespace adapters
