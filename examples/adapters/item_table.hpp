#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/backend/row_key.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/attribute.hpp>
#include <freshet/item/canonical_text.hpp>

namespace adapters {

/// A secondary index: the attributes that its rows are found and ordered by.
struct index_definition {
    std::string name;
    std::string partition;
    std::string sort{}; ///< empty: an index without sort keys
};

/// What a row may weigh. The defaults are DynamoDB's quotas.
struct item_limits {
    std::size_t partition_key_bytes{2'048};
    std::size_t sort_key_bytes{1'024};
    std::size_t item_bytes{409'600}; ///< by `item_size`
};

/// What the tables of items have in common. Key attributes are strings (type S).
struct item_table_options {
    std::string name{"table"};
    std::string partition{"PK"};
    std::string sort{"SK"}; ///< empty: a table without sort keys
    std::vector<index_definition> indexes{};
    item_limits limits{};
    std::size_t page_rows{1'000}; ///< of a page for which nobody named a limit; 0 is read as 1
    std::string region{"us-east-1"};
    std::string account{"123456789012"};
};

/// A row as the tables keep it.
struct item_row {
    freshet::row_key key;
    std::string text;                                     ///< canonical
    std::vector<std::optional<freshet::row_key>> indexed; ///< its key in each index, in their order; absent: not in it
};

/// An item's size by the service's own count, to the few bytes that it leaves open: names and texts in UTF-8, binaries
/// decoded, numbers at two digits a byte and one more, 3 bytes for each list and map and 1 for each value inside.
///
/// Source: the DynamoDB developer guide, "DynamoDB item sizes and formats".
[[nodiscard]] inline auto item_size(const freshet::image& item) -> std::size_t;

namespace detail {

[[nodiscard]] inline auto value_size(freshet::attribute a) -> std::size_t {
    using enum freshet::attribute_type;
    std::size_t size = 0;
    switch (a.type()) {
        case string: return a.text().size();
        case number: return freshet::parse_number(a.text())->digits() / 2 + 2;
        case binary: return a.text().size() / 4 * 3;
        case boolean:
        case null: return 1;
        case list:
        case map:
            size = 3;
            for (const auto inner : a) { size += 1 + inner.name().size() + value_size(inner); }
            return size;
        case string_set:
        case number_set:
        case binary_set:
            for (const auto element : a) { size += value_size(element); }
            return size;
    }
    return size;
}

[[nodiscard]] inline auto malformed(const item_table_options& options, const std::string& what) -> freshet::error {
    return {freshet::errc::malformed, "table " + options.name + ": " + what};
}

/// The text of a key attribute; nothing where the item has none.
[[nodiscard]] inline auto key_text(const freshet::image& item, std::string_view name, std::size_t most,
                                   const item_table_options& options)
    -> freshet::result<std::optional<std::string_view>> {
    const auto found = item.find(name);
    if (!found) { return std::nullopt; }
    const auto wrong = [&](std::string_view how) {
        return malformed(options, "the key attribute " + freshet::printable(name) + std::string{how});
    };
    if (found->type() != freshet::attribute_type::string) { return wrong(" is not of type S"); }
    if (found->text().empty()) { return wrong(" is empty"); }
    if (found->text().size() > most) { return wrong(" is longer than " + std::to_string(most) + " bytes"); }
    return found->text();
}

/// The key under these two attributes; nothing where one of them is absent. An empty `sort` asks for none.
[[nodiscard]] inline auto key_under(const freshet::image& item, std::string_view partition, std::string_view sort,
                                    const item_table_options& options)
    -> freshet::result<std::optional<freshet::row_key>> {
    const auto first = key_text(item, partition, options.limits.partition_key_bytes, options);
    if (!first) { return first.why(); }
    const auto second = sort.empty() ? freshet::result<std::optional<std::string_view>>{std::string_view{}}
                                     : key_text(item, sort, options.limits.sort_key_bytes, options);
    if (!second) { return second.why(); }
    if (!*first || !*second) { return std::nullopt; }
    return freshet::row_key{std::string{**first}, std::string{**second}};
}

} // namespace detail

inline auto item_size(const freshet::image& item) -> std::size_t {
    std::size_t size = 0;
    for (const auto a : item) { size += a.name().size() + detail::value_size(a); }
    return size;
}

/// An item's key; `malformed` where an attribute of it is absent, not of type S, empty or too long.
[[nodiscard]] inline auto key_of(const freshet::image& item, const item_table_options& options)
    -> freshet::result<freshet::row_key> {
    auto key = detail::key_under(item, options.partition, options.sort, options);
    if (!key) { return std::move(key).why(); }
    if (*key) { return **std::move(key); }
    const auto& absent = item.find(options.partition) ? options.sort : options.partition;
    return detail::malformed(options, "the key attribute " + freshet::printable(absent) + " is absent");
}

/// An item's key in an index; nothing where it is not in it, `malformed` where an attribute of that key is there but
/// not of type S, empty or too long.
[[nodiscard]] inline auto index_key_of(const freshet::image& item, const index_definition& index,
                                       const item_table_options& options)
    -> freshet::result<std::optional<freshet::row_key>> {
    return detail::key_under(item, index.partition, index.sort, options);
}

/// An item as a row, or why the table cannot take it: `malformed` for its keys, `too_large` for its size.
[[nodiscard]] inline auto row_of(const freshet::image& item, const item_table_options& options)
    -> freshet::result<item_row> {
    auto key = key_of(item, options);
    if (!key) { return std::move(key).why(); }
    item_row row{*std::move(key), {}, {}};
    for (const auto& index : options.indexes) {
        auto there = index_key_of(item, index, options);
        if (!there) { return std::move(there).why(); }
        row.indexed.push_back(*std::move(there));
    }
    if (const auto size = item_size(item); size > options.limits.item_bytes) {
        return freshet::error{freshet::errc::too_large, "table " + options.name + ": an item of " +
                                                            std::to_string(size) + " bytes; the limit is " +
                                                            std::to_string(options.limits.item_bytes)};
    }
    row.text = freshet::canonical_text(item);
    return row;
}

/// Which of the options' indexes a query names; the index behind the last one is the table itself (no name).
/// `malformed` where there is none of that name.
[[nodiscard]] inline auto index_called(std::string_view name, const item_table_options& options)
    -> freshet::result<std::size_t> {
    std::size_t at = 0;
    while (at != options.indexes.size() && (name.empty() || options.indexes[at].name != name)) { ++at; }
    if (at == options.indexes.size() && !name.empty()) {
        return detail::malformed(options, "there is no index " + freshet::printable(name));
    }
    return at;
}

} // namespace adapters
