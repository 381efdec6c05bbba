#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <fake_aws/dynamodb_expression_node.hpp>
#include <fake_aws/dynamodb_expression_words.hpp>
#include <fake_aws/dynamodb_values.hpp>

namespace fake_aws::ddb {

[[noreturn]] inline void refuse_misplaced(const expression_words& of, const node& part) {
    if (part.what == node::kind::call) {
        of.wrong("The function is not allowed to be used this way in an expression; function: " + part.name);
    }
    of.syntax_error();
}

inline void check_type(const expression_words& of, std::string_view name, const node& part,
                       std::initializer_list<std::string_view> types) {
    if (part.what != node::kind::value) { return; }
    if (std::find(types.begin(), types.end(), type_of(part.value)) != types.end()) { return; }
    of.wrong("Incorrect operand type for operator or function; operator or function: " + std::string{name} +
             ", operand type: " + type_of(part.value));
}

/// Operands are no conditions, and the first one of a condition is none of the others.
inline void check_operands(const expression_words& of, const node& made) {
    for (const auto& part : made.parts) {
        if (part.holds()) { refuse_misplaced(of, part); }
    }
    const auto& first = made.parts[0];
    if (of.member() == "UpdateExpression" || first.what != node::kind::path) { return; }
    for (std::size_t i = 1; i < made.parts.size(); ++i) {
        if (made.parts[i].what == node::kind::path && made.parts[i].where == first.where) {
            of.wrong(
                "The first operand must be distinct from the remaining operands for this operator or function; "
                "operator: " +
                made.name + ", first operand: " + printed(first.where));
        }
    }
}

inline void check_call(const expression_words& of, const node& made) {
    if (made.name.starts_with("attribute_") && made.parts[0].what != node::kind::path) {
        of.wrong("Operator or function requires a document path; operator or function: " + made.name);
    }
    check_operands(of, made);
    if (made.name == "attribute_type") {
        check_type(of, made.name, made.parts[1], {"S"});
        static constexpr std::array<std::string_view, 10> types{"B",  "NULL", "SS", "BOOL", "L",
                                                                "BS", "N",    "NS", "S",    "M"};
        const auto type = made.parts[1].what == node::kind::value ? content_of(made.parts[1].value).get<std::string>()
                                                                  : std::string{};
        if (std::find(types.begin(), types.end(), type) == types.end()) {
            of.wrong("Invalid attribute type name found; type: " + type +
                     ", valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}");
        }
    } else if (made.name == "begins_with") {
        for (const auto& part : made.parts) { check_type(of, made.name, part, {"S", "B"}); }
    } else if (made.name == "size") {
        check_type(of, made.name, made.parts[0], {"S", "B", "SS", "NS", "BS", "L", "M"});
    } else if (made.name == "if_not_exists" && made.parts[0].what != node::kind::path) {
        of.wrong("Operator or function requires a document path; operator or function: " + made.name);
    } else if (made.name == "list_append") {
        for (const auto& part : made.parts) { check_type(of, made.name, part, {"L"}); }
    }
}

inline void check_bounds(const expression_words& of, const node& low, const node& high) {
    if (low.what != node::kind::value || high.what != node::kind::value) { return; }
    const auto order = compare_scalars(low.value, high.value);
    if (order && *order <= 0) { return; }
    const auto shown = [](const node& bound) {
        return "AttributeValue: {" + type_of(bound.value) + ":" + content_of(bound.value).get<std::string>() + "}";
    };
    of.wrong(std::string{"The BETWEEN operator requires "} +
             (order ? "upper bound to be greater than or equal to lower bound"
                    : "same data type for lower and upper bounds") +
             "; lower bound operand: " + shown(low) + ", upper bound operand: " + shown(high));
}

inline void check_overlaps(const expression_words& of, const std::vector<attribute_path>& paths) {
    for (std::size_t i = 0; i < paths.size(); ++i) {
        for (std::size_t j = i + 1; j < paths.size(); ++j) {
            const auto common = std::min(paths[i].size(), paths[j].size());
            std::size_t same = 0;
            while (same < common && paths[i][same] == paths[j][same]) { ++same; }
            const bool overlap = same == common;
            if (!overlap && paths[i][same].index() == paths[j][same].index()) { continue; }
            of.wrong(std::string{"Two document paths "} + (overlap ? "overlap" : "conflict") +
                     " with each other; must remove or rewrite one of these paths; path one: " + printed(paths[i]) +
                     ", path two: " + printed(paths[j]));
        }
    }
}

[[nodiscard]] inline auto spelled_out(std::string_view type) -> std::string {
    const std::string single = type.starts_with("S") ? "STRING" : type.starts_with("NS") ? "NUMBER" : "BINARY";
    return is_set(type)     ? single + "_SET"
           : type == "S"    ? "STRING"
           : type == "N"    ? "NUMBER"
           : type == "B"    ? "BINARY"
           : type == "BOOL" ? "BOOLEAN"
           : type == "L"    ? "LIST"
           : type == "M"    ? "MAP"
                            : "NULL";
}

/// What an ADD or DELETE section adds or takes away.
inline void check_set_operand(const expression_words& of, const std::string& section, const json& value) {
    const auto& type = type_of(value);
    if (is_set(type) || (section == "ADD" && type == "N")) { return; }
    of.wrong("Incorrect operand type for operator or function; operator: " + section +
             ", operand type: " + spelled_out(type) + ", typeSet: ALLOWED_FOR_" + section + "_OPERAND");
}

} // namespace fake_aws::ddb
