#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <fake_aws/dynamodb_refusal.hpp>

namespace fake_aws::ddb {

/// A step into a map by name, or into a list by number.
using path_step = std::variant<std::string, std::size_t>;
using attribute_path = std::vector<path_step>;

/// `[a, [0], b]`, as refusals print it.
[[nodiscard]] inline auto printed(const attribute_path& steps) -> std::string {
    std::string text;
    for (const auto& step : steps) {
        text += text.empty() ? "[" : ", ";
        const auto* name = std::get_if<std::string>(&step);
        text += name != nullptr ? *name : "[" + std::to_string(std::get<std::size_t>(step)) + "]";
    }
    return text + "]";
}

/// A part of an expression with its names and values put in.
struct node {
    enum class kind { path, value, call, comparison, between, in, both, either, negation, sum, difference };
    kind what{};
    std::string name{}; ///< of a function or an operator
    attribute_path where{};
    json value{};
    std::vector<node> parts{};
    bool in_parentheses{};

    /// Whether it is a condition, that holds or not, and no operand.
    [[nodiscard]] auto holds() const -> bool {
        if (what == kind::call) {
            return name.starts_with("attribute_") || name == "begins_with" || name == "contains";
        }
        return what != kind::path && what != kind::value && what != kind::sum && what != kind::difference;
    }
};

/// What an update expression asks for.
struct update_plan {
    std::vector<std::pair<attribute_path, node>> sets;
    std::vector<attribute_path> removes;
    std::vector<std::pair<attribute_path, json>> adds;
    std::vector<std::pair<attribute_path, json>> deletes;

    [[nodiscard]] auto paths() const -> std::vector<attribute_path> {
        auto all = removes;
        for (const auto& [where, value] : sets) { all.push_back(where); }
        for (const auto* values : {&adds, &deletes}) {
            for (const auto& [where, value] : *values) { all.push_back(where); }
        }
        return all;
    }
};

} // namespace fake_aws::ddb
