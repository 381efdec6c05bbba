#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <fake_aws/dynamodb_numbers.hpp>
#include <fake_aws/dynamodb_refusal.hpp>
#include <freshet/item/base64.hpp>

namespace fake_aws::ddb {

/// The name of a checked value's type: `S`, `N`, `B`, `BOOL`, `NULL`, `M`, `L`, `SS`, `NS` or `BS`.
[[nodiscard]] inline auto type_of(const json& value) -> const std::string& { return value.begin().key(); }
[[nodiscard]] inline auto content_of(const json& value) -> const json& { return *value.begin(); }

[[nodiscard]] inline auto is_set(std::string_view type) -> bool { return type == "SS" || type == "NS" || type == "BS"; }
[[nodiscard]] inline auto is_scalar(std::string_view type) -> bool { return type == "S" || type == "N" || type == "B"; }

/// The bytes of a base64 text that was checked.
[[nodiscard]] inline auto bytes_of_base64(std::string_view text) -> std::string {
    std::string bytes;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text.substr(0, text.find('='))) {
        const auto value = std::string_view{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"}.find(c);
        bits = (bits << 6U | static_cast<std::uint32_t>(value)) & 0xffffffU;
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes += static_cast<char>(bits >> static_cast<unsigned>(count) & 255U);
        }
    }
    return bytes;
}

/// The bytes of a scalar (of type `S`, `N` or `B`) that are in the order of the service.
[[nodiscard]] inline auto ordered_bytes_of(const json& value) -> std::string {
    const auto& text = content_of(value).get_ref<const std::string&>();
    if (type_of(value) == "N") { return ordered_bytes(read_decimal(text)); }
    return type_of(value) == "B" ? bytes_of_base64(text) : text;
}

/// The order of two scalars; nothing where they have different types, or have none that is ordered.
[[nodiscard]] inline auto compare_scalars(const json& a, const json& b) -> std::optional<std::strong_ordering> {
    if (type_of(a) != type_of(b) || !is_scalar(type_of(a))) { return std::nullopt; }
    const auto order = ordered_bytes_of(a).compare(ordered_bytes_of(b));
    return order <=> 0;
}

namespace detail {

[[nodiscard]] inline auto checked_text(const json& value, std::string_view type) -> std::string {
    if (!value.is_string()) {
        refuse_shape((value.is_number()    ? "NUMBER_VALUE"
                      : value.is_boolean() ? "TRUE_VALUE"
                                           : "Start of structure") +
                     std::string{" cannot be converted to "} + (type.starts_with('B') ? "Blob" : "String"));
    }
    auto text = value.get<std::string>();
    if (type.starts_with('N')) { return plain_text(read_decimal(text)); }
    if (type.starts_with('B') && !freshet::detail::is_base64(text)) {
        refuse_shape("Invalid Base64 text in a value of type " + std::string{type});
    }
    return text;
}

[[nodiscard]] inline auto checked_set(const json& elements, const std::string& type) -> json {
    if (!elements.is_array()) { refuse_shape("Unrecognized collection type in a value of type " + type); }
    if (elements.empty()) {
        refuse_parameter(type == "SS"   ? "An string set  may not be empty"
                         : type == "NS" ? "An number set  may not be empty"
                                        : "Binary sets should not be empty");
    }
    std::vector<std::string> texts;
    for (const auto& element : elements) { texts.push_back(checked_text(element, type)); }
    const auto written = texts;
    std::sort(texts.begin(), texts.end());
    if (std::adjacent_find(texts.begin(), texts.end()) != texts.end()) {
        if (type == "NS") { refuse_invalid("Input collection contains duplicates"); }
        std::string list;
        for (const auto& text : written) { list += (list.empty() ? "" : ", ") + text; }
        refuse_parameter("Input collection [" + list + (type == "SS" ? "] " : "]of type BS ") + "contains duplicates.");
    }
    return texts;
}

} // namespace detail

/// The value as the service keeps it: numbers in their plain form, sets in an order of their own, so that equal values
/// are equal JSON. What is no value is refused.
///
/// Source: the DynamoDB API reference, "AttributeValue"; the developer guide, "Data types" and "Limits".
[[nodiscard]] inline auto checked_value(const json& value, int level = 0) -> json {
    static constexpr std::array<std::string_view, 10> types{"S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"};
    if (!value.is_object()) { refuse_shape("Unexpected value type in payload"); }
    const auto known = std::count_if(types.begin(), types.end(), [&](auto type) { return value.contains(type); });
    if (known == 0) {
        refuse_invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes");
    }
    if (known > 1 || value.size() > 1) {
        refuse_invalid(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the "
            "supported datatypes");
    }
    if (level > 32) { refuse_invalid("Nesting Levels have exceeded supported limits"); }
    const auto& type = type_of(value);
    const auto& content = content_of(value);
    json kept;
    if (is_scalar(type)) {
        kept = detail::checked_text(content, type);
    } else if (is_set(type)) {
        kept = detail::checked_set(content, type);
    } else if (type == "BOOL" || type == "NULL") {
        if (!content.is_boolean()) { refuse_shape("Unexpected token received from parser"); }
        if (type == "NULL" && !content.get<bool>()) {
            refuse_parameter("Null attribute value types must have the value of true");
        }
        kept = content;
    } else if (type == "L") {
        if (!content.is_array()) { refuse_shape("Unrecognized collection type class java.util.List"); }
        kept = json::array();
        for (const auto& element : content) { kept.push_back(checked_value(element, level + 1)); }
    } else {
        if (!content.is_object()) { refuse_shape("Unrecognized collection type java.util.Map"); }
        kept = json::object();
        for (const auto& [name, element] : content.items()) { kept[name] = checked_value(element, level + 1); }
    }
    return {{type, std::move(kept)}};
}

/// Source: the DynamoDB developer guide, "DynamoDB item sizes and formats".
[[nodiscard]] inline auto size_of(const json& value) -> std::size_t {
    const auto& type = type_of(value);
    const auto& content = content_of(value);
    const auto text_size = [&](const json& text) -> std::size_t {
        const auto& bytes = text.get_ref<const std::string&>();
        if (type.starts_with('B')) { return bytes_of_base64(bytes).size(); }
        if (type.starts_with('S')) { return bytes.size(); }
        const auto number = read_decimal(bytes);
        return 1 + (number.digits.size() + 1) / 2 + (number.negative ? 1 : 0);
    };
    if (type == "BOOL" || type == "NULL") { return 1; }
    if (content.is_string()) { return text_size(content); }
    std::size_t size = is_set(type) ? 0 : 3;
    for (const auto& [name, element] : content.items()) {
        size += is_set(type) ? text_size(element) : 1 + size_of(element) + (type == "M" ? name.size() : 0);
    }
    return size;
}

[[nodiscard]] inline auto size_of_item(const json& item) -> std::size_t {
    std::size_t size = 0;
    for (const auto& [name, value] : item.items()) { size += name.size() + size_of(value); }
    return size;
}

inline constexpr std::size_t largest_item = 400 * 1024;

/// The attributes of an item, of a key or of what an expression names, each as the service keeps it.
[[nodiscard]] inline auto checked_attributes(const json& attributes) -> json {
    if (!attributes.is_object()) { refuse_shape("Start of list found where not expected"); }
    auto kept = json::object();
    for (const auto& [name, value] : attributes.items()) {
        if (name.empty() || name.size() > 65'535) { refuse_parameter("an attribute name has 1 to 65535 bytes"); }
        kept[name] = checked_value(value);
    }
    return kept;
}

} // namespace fake_aws::ddb
