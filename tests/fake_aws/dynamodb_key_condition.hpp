#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include <fake_aws/dynamodb_expression_node.hpp>
#include <fake_aws/dynamodb_refusal.hpp>
#include <fake_aws/dynamodb_table.hpp>
#include <fake_aws/dynamodb_values.hpp>

namespace fake_aws::ddb {

/// What a key condition selects: from `first` on, up to and without `end`.
struct key_range {
    place first;
    place end;
};

namespace detail {

/// The least text that is greater than every text that begins so; nothing where there is none.
[[nodiscard]] inline auto behind_prefix(std::string prefix) -> std::optional<std::string> {
    while (!prefix.empty() && prefix.back() == '\xff') { prefix.pop_back(); }
    if (prefix.empty()) { return std::nullopt; }
    prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
    return prefix;
}

/// The conditions that are joined by AND, each on one attribute.
inline void gather(const node& part, std::vector<const node*>& found) {
    if (part.what == node::kind::both) {
        gather(part.parts[0], found);
        gather(part.parts[1], found);
        return;
    }
    const bool legal = part.what == node::kind::between || part.name == "begins_with" ||
                       (part.what == node::kind::comparison && part.name != "<>");
    if (!legal) { refuse_invalid("Invalid operator used in KeyConditionExpression: " + part.name); }
    const auto& subject = part.parts[0];
    if (subject.what != node::kind::path ||
        std::any_of(part.parts.begin() + 1, part.parts.end(),
                    [](const node& operand) { return operand.what != node::kind::value; })) {
        refuse_invalid("Invalid condition in KeyConditionExpression: " + part.name +
                       " operator must have the key attribute as its first operand");
    }
    if (subject.where.size() != 1) {
        refuse_invalid("KeyConditionExpressions cannot have conditions on nested attributes");
    }
    found.push_back(&part);
}

[[nodiscard]] inline auto sort_range(const node& condition, const std::string& partition) -> key_range {
    const auto bytes = ordered_bytes_of(condition.parts[1].value);
    const auto after = [](const std::string& text) { return text + '\0'; };
    key_range range{{partition, ""}, {after(partition), ""}};
    const auto& name = condition.name;
    if (name == "begins_with") {
        range.first.sort = bytes;
        if (const auto end = behind_prefix(bytes)) { range.end = {partition, *end}; }
        return range;
    }
    if (name == "BETWEEN") {
        return {{partition, bytes}, {partition, after(ordered_bytes_of(condition.parts[2].value))}};
    }
    if (name == "=" || name == ">=") { range.first.sort = bytes; }
    if (name == ">") { range.first.sort = after(bytes); }
    if (name == "=" || name == "<=") { range.end = {partition, after(bytes)}; }
    if (name == "<") { range.end = {partition, bytes}; }
    return range;
}

} // namespace detail

/// The range of a table or an index that a key condition selects.
///
/// Source: the DynamoDB developer guide, "Key condition expressions for the Query operation".
[[nodiscard]] inline auto range_of(const node& condition, const key_names& keys, const stored_table& table)
    -> key_range {
    std::vector<const node*> parts;
    detail::gather(condition, parts);
    if (parts.size() > 2) { refuse_invalid("Conditions can be of length 1 or 2 only"); }
    const node* partition = nullptr;
    const node* sort = nullptr;
    for (const auto* part : parts) {
        const auto& name = std::get<std::string>(part->parts[0].where[0]);
        if (!keys.has(name)) { continue; }
        auto& slot = name == keys.partition ? partition : sort;
        if (slot != nullptr) { refuse_invalid("KeyConditionExpressions must only contain one condition per key"); }
        slot = part;
        for (auto value = part->parts.begin() + 1; value != part->parts.end(); ++value) {
            if (type_of(value->value) != table.type_of_key(name)) {
                refuse_parameter("Condition parameter type does not match schema type");
            }
            if (content_of(value->value) == "") {
                refuse_invalid(
                    "One or more parameter values are not valid. The AttributeValue for a key attribute "
                    "cannot contain an empty string value. Key: " +
                    name);
            }
        }
    }
    if (partition == nullptr) { refuse_invalid("Query condition missed key schema element: " + keys.partition); }
    if (parts.size() == 2 && sort == nullptr) {
        refuse_invalid(keys.sort.empty() ? "Query key condition not supported"
                                         : "Query condition missed key schema element: " + keys.sort);
    }
    if (partition->name != "=") { refuse_invalid("Query key condition not supported"); }
    const auto at = partition_place(partition->parts[1].value);
    if (sort == nullptr) { return {{at, ""}, {at + '\0', ""}}; }
    return detail::sort_range(*sort, at);
}

} // namespace fake_aws::ddb
