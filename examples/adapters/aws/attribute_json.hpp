#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include <adapters/item_table.hpp>
#include <freshet/backend/row_key.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/attribute.hpp>
#include <freshet/item/json_string.hpp>

namespace adapters::aws {

// What requests and answers say of items, in DynamoDB JSON: `{"name":{"S":"text"},…}`.

/// A text as a JSON string, with its quotes. It is UTF-8.
[[nodiscard]] inline auto json_text(std::string_view text) -> std::string {
    std::string json;
    freshet::detail::append_json_string(json, text);
    return json;
}

/// A text as the value of an attribute: `{"S":"text"}`.
[[nodiscard]] inline auto text_value(std::string_view text) -> std::string {
    return R"({"S":)" + json_text(text) + '}';
}

/// A number as the value of an attribute: `{"N":"7"}`.
template <class Integer>
[[nodiscard]] auto number_value(Integer number) -> std::string {
    return R"({"N":")" + std::to_string(number) + R"("})";
}

/// The value of an attribute that was read, as it stood in its text.
[[nodiscard]] inline auto value_of(freshet::attribute read) -> std::string {
    std::string json = "{\"";
    ((json += freshet::descriptor_of(read.type())) += "\":") += read.token();
    return json += '}';
}

/// The attributes of a row's key, as an item.
[[nodiscard]] inline auto key_item(const freshet::row_key& key, const item_table_options& options) -> std::string {
    auto json = '{' + json_text(options.partition) + ':' + text_value(key.partition);
    if (!options.sort.empty()) { json += ',' + json_text(options.sort) + ':' + text_value(key.sort); }
    return json += '}';
}

/// Whether a table of these options can have a row of this key at all: texts of 1 byte to their limits, in UTF-8.
[[nodiscard]] inline auto is_usable(const freshet::row_key& key, const item_table_options& options) -> bool {
    const auto fits = [](std::string_view text, std::size_t most) {
        return !text.empty() && text.size() <= most && !freshet::detail::find_bad_utf8(text);
    };
    return fits(key.partition, options.limits.partition_key_bytes) &&
           (options.sort.empty() ? key.sort.empty() : fits(key.sort, options.limits.sort_key_bytes));
}

/// The characters under `descriptor` (`S` or `N`) of an answered item's attribute; nothing where there are none.
[[nodiscard]] inline auto attribute_text(const nlohmann::json& item, std::string_view name, const char* descriptor)
    -> std::optional<std::string> {
    const auto attribute = item.is_object() ? item.find(name) : item.end();
    if (attribute == item.end() || !attribute->is_object()) { return std::nullopt; }
    const auto value = attribute->find(descriptor);
    if (value == attribute->end() || !value->is_string()) { return std::nullopt; }
    return value->get<std::string>();
}

/// The number of an answered item's attribute; nothing where there is none, or none that `Number` can hold.
template <class Number>
[[nodiscard]] auto number_in(const nlohmann::json& item, std::string_view name) -> std::optional<Number> {
    const auto text = attribute_text(item, name, "N");
    Number number{};
    if (!text) { return std::nullopt; }
    const auto [end, bad] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (bad != std::errc{} || end != text->data() + text->size()) { return std::nullopt; }
    return number;
}

/// The key attributes of an answered item; nothing where one is absent or not of type S.
[[nodiscard]] inline auto key_in(const nlohmann::json& item, const item_table_options& options)
    -> std::optional<freshet::row_key> {
    auto partition = attribute_text(item, options.partition, "S");
    auto sort = options.sort.empty() ? std::string{} : attribute_text(item, options.sort, "S");
    if (!partition || !sort) { return std::nullopt; }
    return freshet::row_key{*std::move(partition), *std::move(sort)};
}

/// The service's name for a condition that does not hold.
inline constexpr std::string_view condition_failed = "ConditionalCheckFailedException";

/// Why a write failed whose condition was not judged: a transaction in its way may be gone when it is tried again.
[[nodiscard]] inline auto without_conflict(freshet::error why) -> freshet::error {
    if (why.code == freshet::errc::conflict) { why.code = freshet::errc::unavailable; }
    return why;
}

/// What is said of a table, behind the table's name.
[[nodiscard]] inline auto of_table(std::string_view name, const freshet::error& why) -> freshet::error {
    return {why.code, "table " + freshet::printable(name) + ": " + why.note};
}

} // namespace adapters::aws
