#pragma once

#include <functional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <freshet/backend/row_key.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/item_patch.hpp>
#include <validation/erased.hpp>
#include <validation/stored_receipt.hpp>

namespace validation {

/// The same table to read; what would be written is told to `say`, a line each, and not done.
[[nodiscard]] inline auto without_writes(any_table of, std::function<void(const std::string&)> say) -> any_table {
    const auto told = [say = std::move(say)](std::string_view what, const freshet::row_key& key,
                                             std::string_view values) -> freshet::result<void> {
        say(fmt::format("would {} {} / {}{}", what, freshet::printable(key.partition), freshet::printable(key.sort),
                        values.empty() ? "" : ": " + freshet::printable(values, 1'000)));
        return {};
    };
    of.put = [told](const freshet::document& item, const any_table::condition&) {
        return told("put", key_in(item), item.text());
    };
    of.update = [told](const freshet::row_key& key, const freshet::item_patch& patch, const any_table::condition&) {
        return told("change", key, patch.set.text());
    };
    of.erase = [told](const freshet::row_key& key, const any_table::condition&) { return told("erase", key, {}); };
    of.put_many = [told](std::span<const freshet::document> items) {
        for (const auto& item : items) { static_cast<void>(told("put", key_in(item), item.text())); }
        return freshet::result<void>{};
    };
    return of;
}

} // namespace validation
