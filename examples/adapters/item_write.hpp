#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <adapters/item_table.hpp>
#include <freshet/backend/row_key.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/canonical_text.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/item_patch.hpp>

namespace adapters {

// What a write does, decided from the stored row's canonical text (nothing: there is no row). Whoever acts on the
// answer sees to it that no other write comes between.

using item_condition = freshet::write_condition<freshet::document>;

namespace detail {

[[nodiscard]] inline auto holds(const item_condition& condition, const std::optional<std::string_view>& stored)
    -> bool {
    using enum item_condition::kind;
    switch (condition.what()) {
        case always: return true;
        case absent: return !stored;
        case present: return stored.has_value();
        case unchanged: return stored && *stored == freshet::canonical_text(condition.seen()->image());
    }
    return false;
}

[[nodiscard]] inline auto conflict(const freshet::row_key& key, const item_table_options& options) -> freshet::error {
    return {freshet::errc::conflict, "table " + options.name + ": the row " + freshet::printable(key.partition) +
                                         " / " + freshet::printable(key.sort) + " is not as the write wants it"};
}

} // namespace detail

/// Whether a `put` of `row` has anything to store; `conflict` where its condition does not hold. A put that finds the
/// row as it would make it has nothing to do.
[[nodiscard]] inline auto plan_put(const std::optional<std::string_view>& stored, const item_row& row,
                                   const item_condition& condition, const item_table_options& options)
    -> freshet::result<bool> {
    if (stored && *stored == row.text) { return false; }
    if (!detail::holds(condition, stored)) { return detail::conflict(row.key, options); }
    return true;
}

/// The row that an `update` makes; nothing where the stored row is it already. `malformed` where the patch names an
/// attribute of the key; then `conflict` where the condition does not hold; then as `patched` and `row_of` say.
[[nodiscard]] inline auto plan_update(const std::optional<std::string_view>& stored, const freshet::row_key& key,
                                      const freshet::item_patch& patch, const item_condition& condition,
                                      const item_table_options& options) -> freshet::result<std::optional<item_row>> {
    for (const auto& name : {options.partition, options.sort}) {
        const auto removes = std::find(patch.remove.begin(), patch.remove.end(), name) != patch.remove.end();
        if (!name.empty() && (removes || patch.set.image().find(name))) {
            return detail::malformed(options, "a patch names the key attribute " + freshet::printable(name));
        }
    }
    std::string bare = "{";
    freshet::detail::append_json_string(bare, options.partition);
    bare += ":{\"S\":";
    freshet::detail::append_json_string(bare, key.partition);
    if (!options.sort.empty()) {
        bare += "},";
        freshet::detail::append_json_string(bare, options.sort);
        bare += ":{\"S\":";
        freshet::detail::append_json_string(bare, key.sort);
    }
    bare += "}}";

    const auto row_after = [&](std::string before) -> freshet::result<item_row> {
        const auto item = freshet::document::parse(std::move(before));
        if (!item) { return item.why(); }
        const auto after = freshet::patched(item->image(), patch);
        if (!after) { return after.why(); }
        auto row = row_of(after->image(), options);
        if (row && row->key != key) {
            return detail::malformed(options, "no row can have the key " + freshet::printable(key.partition) + " / " +
                                                  freshet::printable(key.sort));
        }
        return row;
    };
    if (detail::holds(condition, stored)) {
        auto row = row_after(stored ? std::string{*stored} : bare);
        if (!row) { return std::move(row).why(); }
        if (stored && *stored == row->text) { return std::nullopt; }
        return *std::move(row);
    }
    // The identical update may have been here before: then the row is what it made of the row that it wanted.
    if (stored && condition.what() != item_condition::kind::present) {
        const auto made = row_after(condition.seen() != nullptr ? std::string{condition.seen()->text()} : bare);
        if (made && made->text == *stored) { return std::nullopt; }
    }
    return detail::conflict(key, options);
}

/// Whether an `erase` has anything to remove; `conflict` where its condition does not hold. One that finds no row has
/// nothing to do, whatever its condition: an earlier try may have removed it.
[[nodiscard]] inline auto plan_erase(const std::optional<std::string_view>& stored, const freshet::row_key& key,
                                     const item_condition& condition, const item_table_options& options)
    -> freshet::result<bool> {
    if (!stored) { return false; }
    if (!detail::holds(condition, stored)) { return detail::conflict(key, options); }
    return true;
}

} // namespace adapters
