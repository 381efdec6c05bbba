#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include <fake_aws/dynamodb_expression_node.hpp>
#include <fake_aws/dynamodb_numbers.hpp>
#include <fake_aws/dynamodb_refusal.hpp>
#include <fake_aws/dynamodb_values.hpp>

namespace fake_aws::ddb {

namespace detail {

/// What one step leads to; null where nothing is there. `Json` is `json` or `const json`.
template <class Json>
[[nodiscard]] auto stepped(Json* value, const path_step& step) -> Json* {
    if (const auto* name = std::get_if<std::string>(&step)) {
        if (type_of(*value) != "M") { return nullptr; }
        const auto found = value->begin()->find(*name);
        return found == value->begin()->end() ? nullptr : &*found;
    }
    const auto at = std::get<std::size_t>(step);
    if (type_of(*value) != "L" || at >= value->begin()->size()) { return nullptr; }
    return &(*value->begin())[at];
}

template <class Json>
[[nodiscard]] auto found_at(Json& item, const attribute_path& where, std::size_t steps) -> Json* {
    const auto first = item.find(std::get<std::string>(where[0]));
    Json* value = first == item.end() ? nullptr : &*first;
    for (std::size_t i = 1; i < steps && value != nullptr; ++i) { value = stepped(value, where[i]); }
    return value;
}

/// The length in units of UTF-16.
///
/// Source: the service's answers; its documents say "the length of the string" alone.
[[nodiscard]] inline auto utf16_length(std::string_view text) -> std::size_t {
    std::size_t length = 0;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        length += byte >= 0xf0U ? 2 : (byte & 0xc0U) != 0x80U ? 1 : 0;
    }
    return length;
}

[[nodiscard]] inline auto size_function(const json& value) -> std::optional<json> {
    const auto& type = type_of(value);
    if (type == "N" || type == "BOOL" || type == "NULL") { return std::nullopt; }
    const auto& content = content_of(value);
    const auto size = type == "S"   ? utf16_length(content.get_ref<const std::string&>())
                      : type == "B" ? bytes_of_base64(content.get_ref<const std::string&>()).size()
                                    : content.size();
    return json{{"N", std::to_string(size)}};
}

[[nodiscard]] inline auto has_element(const json& collection, const json& element) -> bool {
    return std::find(collection.begin(), collection.end(), element) != collection.end();
}

[[nodiscard]] inline auto contains(const json& whole, const json& part) -> bool {
    const auto& type = type_of(whole);
    if (type == "L") { return has_element(content_of(whole), part); }
    if (is_set(type)) { return type == type_of(part) + "S" && has_element(content_of(whole), content_of(part)); }
    if (type != type_of(part) || (type != "S" && type != "B")) { return false; }
    return ordered_bytes_of(whole).find(ordered_bytes_of(part)) != std::string::npos;
}

/// A condition's operand, or nothing where its attribute is not there.
[[nodiscard]] inline auto operand_of(const node& part, const json& item) -> std::optional<json> {
    if (part.what == node::kind::value) { return part.value; }
    if (part.what == node::kind::path) {
        const auto* value = found_at(item, part.where, part.where.size());
        return value == nullptr ? std::nullopt : std::optional{*value};
    }
    const auto inner = operand_of(part.parts[0], item);
    return inner ? size_function(*inner) : std::nullopt;
}

[[nodiscard]] inline auto compares(std::string_view mark, const std::optional<json>& a, const std::optional<json>& b)
    -> bool {
    if (mark == "=") { return a && b && *a == *b; }
    if (mark == "<>") { return !(a && b && *a == *b); }
    if (!a || !b) { return false; }
    const auto order = compare_scalars(*a, *b);
    if (!order) { return false; }
    return mark == "<" ? *order < 0 : mark == "<=" ? *order <= 0 : mark == ">" ? *order > 0 : *order >= 0;
}

} // namespace detail

/// Whether the condition holds of an item; an item that is not there has no attributes.
[[nodiscard]] inline auto holds(const node& condition, const json& item) -> bool {
    const auto& parts = condition.parts;
    const auto part = [&](std::size_t i) { return detail::operand_of(parts[i], item); };
    switch (condition.what) {
        case node::kind::both: return holds(parts[0], item) && holds(parts[1], item);
        case node::kind::either: return holds(parts[0], item) || holds(parts[1], item);
        case node::kind::negation: return !holds(parts[0], item);
        case node::kind::comparison: return detail::compares(condition.name, part(0), part(1));
        case node::kind::between:
            return detail::compares(">=", part(0), part(1)) && detail::compares("<=", part(0), part(2));
        case node::kind::in:
            for (std::size_t i = 1; i < parts.size(); ++i) {
                if (detail::compares("=", part(0), part(i))) { return true; }
            }
            return false;
        default: break;
    }
    const auto first = part(0);
    if (condition.name == "attribute_exists") { return first.has_value(); }
    if (condition.name == "attribute_not_exists") { return !first; }
    const auto second = part(1);
    if (!first || !second) { return false; }
    if (condition.name == "attribute_type") { return type_of(*first) == content_of(*second); }
    if (condition.name == "contains") { return detail::contains(*first, *second); }
    const auto& type = type_of(*first);
    return type == type_of(*second) && (type == "S" || type == "B") &&
           ordered_bytes_of(*first).starts_with(ordered_bytes_of(*second));
}

namespace detail {

[[noreturn]] inline void refuse_operand() {
    refuse_invalid("An operand in the update expression has an incorrect data type");
}

/// What a SET action assigns, by the item as it was.
[[nodiscard]] inline auto assigned_value(const node& part, const json& item) -> json {
    switch (part.what) {
        case node::kind::value: return part.value;
        case node::kind::path: {
            const auto* value = found_at(item, part.where, part.where.size());
            if (value == nullptr) {
                refuse_invalid("The provided expression refers to an attribute that does not exist in the item");
            }
            return *value;
        }
        case node::kind::sum:
        case node::kind::difference: {
            const auto left = assigned_value(part.parts[0], item);
            const auto right = assigned_value(part.parts[1], item);
            if (type_of(left) != "N" || type_of(right) != "N") { refuse_operand(); }
            const auto a = read_decimal(content_of(left).get_ref<const std::string&>());
            const auto b = read_decimal(content_of(right).get_ref<const std::string&>());
            return {{"N", plain_text(sum(a, part.what == node::kind::sum ? b : negated(b)))}};
        }
        default: break;
    }
    if (part.name == "if_not_exists") {
        const auto& where = part.parts[0].where;
        const auto* there = found_at(item, where, where.size());
        return there != nullptr ? *there : assigned_value(part.parts[1], item);
    }
    auto list = assigned_value(part.parts[0], item);
    const auto more = assigned_value(part.parts[1], item);
    if (type_of(list) != "L" || type_of(more) != "L") { refuse_operand(); }
    for (const auto& element : content_of(more)) { list["L"].push_back(element); }
    return list;
}

[[noreturn]] inline void refuse_path() {
    refuse_invalid("The document path provided in the update expression is invalid for update");
}

/// Puts the value where the path leads; an index behind a list's end appends.
inline void assign(json& item, const attribute_path& where, json value) {
    if (where.size() == 1) {
        item[std::get<std::string>(where[0])] = std::move(value);
        return;
    }
    auto* parent = found_at(item, where, where.size() - 1);
    if (parent == nullptr) { refuse_path(); }
    if (const auto* name = std::get_if<std::string>(&where.back())) {
        if (type_of(*parent) != "M") { refuse_path(); }
        (*parent)["M"][*name] = std::move(value);
        return;
    }
    if (type_of(*parent) != "L") { refuse_path(); }
    auto& list = (*parent)["L"];
    const auto at = std::get<std::size_t>(where.back());
    if (at < list.size()) {
        list[at] = std::move(value);
    } else {
        list.push_back(std::move(value));
    }
}

inline void remove(json& item, const attribute_path& where) {
    if (where.size() == 1) {
        item.erase(std::get<std::string>(where[0]));
        return;
    }
    auto* parent = found_at(item, where, where.size() - 1);
    if (parent == nullptr) { refuse_path(); }
    if (const auto* name = std::get_if<std::string>(&where.back())) {
        if (type_of(*parent) != "M") { refuse_path(); }
        (*parent)["M"].erase(*name);
        return;
    }
    if (type_of(*parent) != "L") { refuse_path(); }
    auto& list = (*parent)["L"];
    const auto at = std::get<std::size_t>(where.back());
    if (at < list.size()) { list.erase(at); }
}

[[nodiscard]] inline auto added(const json* there, const json& value) -> json {
    if (there == nullptr) { return value; }
    if (type_of(*there) != type_of(value)) { refuse_operand(); }
    if (type_of(value) == "N") {
        return {{"N", plain_text(sum(read_decimal(content_of(*there).get_ref<const std::string&>()),
                                     read_decimal(content_of(value).get_ref<const std::string&>())))}};
    }
    auto elements = content_of(*there).get<std::vector<std::string>>();
    for (const auto& element : content_of(value)) { elements.push_back(element); }
    std::sort(elements.begin(), elements.end());
    elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
    return {{type_of(value), elements}};
}

} // namespace detail

/// The item as an update makes it: every action sees the item as it was.
///
/// Source: the DynamoDB developer guide, "Using update expressions in DynamoDB".
[[nodiscard]] inline auto updated(const update_plan& plan, const json& item) -> json {
    auto result = item;
    std::vector<std::pair<attribute_path, json>> values;
    for (const auto& [where, part] : plan.sets) { values.emplace_back(where, detail::assigned_value(part, item)); }
    for (const auto& [where, value] : plan.adds) {
        values.emplace_back(where, detail::added(detail::found_at(item, where, where.size()), value));
    }
    std::vector<attribute_path> gone = plan.removes;
    for (const auto& [where, value] : plan.deletes) {
        const auto* there = detail::found_at(item, where, where.size());
        if (there == nullptr) {
            gone.push_back(where);
            continue;
        }
        if (type_of(*there) != type_of(value)) { detail::refuse_operand(); }
        auto left = json::array();
        for (const auto& element : content_of(*there)) {
            if (!detail::has_element(content_of(value), element)) { left.push_back(element); }
        }
        if (left.empty()) {
            gone.push_back(where);
        } else {
            values.emplace_back(where, json{{type_of(value), std::move(left)}});
        }
    }
    // Of what is behind a list's end the least index is appended first; the greatest index goes first, so that the
    // others still mean what they meant.
    std::sort(values.begin(), values.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::sort(gone.rbegin(), gone.rend());
    for (auto& [where, value] : values) { detail::assign(result, where, std::move(value)); }
    for (const auto& where : gone) { detail::remove(result, where); }
    return result;
}

namespace detail {

struct projection_tree {
    std::map<path_step, projection_tree> parts;
};

[[nodiscard]] inline auto kept_by(const projection_tree& tree, const json& value) -> std::optional<json> {
    if (tree.parts.empty()) { return value; }
    const bool map = type_of(value) == "M";
    auto content = map ? json::object() : json::array();
    for (const auto& [step, below] : tree.parts) {
        const auto* part = stepped(&value, step);
        auto kept = part == nullptr ? std::nullopt : kept_by(below, *part);
        if (!kept) { continue; }
        if (map) {
            content[std::get<std::string>(step)] = *std::move(kept);
        } else {
            content.push_back(*std::move(kept));
        }
    }
    if (content.empty()) { return std::nullopt; }
    return json{{map ? "M" : "L", std::move(content)}};
}

} // namespace detail

/// The parts of the item that the paths lead to; list elements close up.
[[nodiscard]] inline auto projected(const json& item, const std::vector<attribute_path>& paths) -> json {
    detail::projection_tree tree;
    for (const auto& where : paths) {
        auto* at = &tree;
        for (const auto& step : where) { at = &at->parts[step]; }
    }
    auto content = json::object();
    if (paths.empty() || item.empty()) { return content; }
    const auto kept = detail::kept_by(tree, json{{"M", item}});
    return kept ? (*kept)["M"] : content;
}

} // namespace fake_aws::ddb
