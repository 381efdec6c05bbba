#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <adapters/aws/attribute_json.hpp>

namespace adapters::aws {

/// The names and values of one request's expressions, which call them `#0`, `#1`, … and `:0`, `:1`, …: an attribute may
/// be called by a reserved word, or `a.b`, or anything.
///
/// Source: the DynamoDB developer guide, "Expression attribute names (aliases) in DynamoDB".
class placeholders {
public:
    /// What an expression calls the attribute by; always the same for the same one.
    [[nodiscard]] auto name(std::string_view attribute) -> std::string {
        return '#' + std::to_string(names_.try_emplace(std::string{attribute}, names_.size()).first->second);
    }

    /// What an expression calls a value by; `json` is the value with its type.
    [[nodiscard]] auto value(std::string json) -> std::string {
        values_.push_back(std::move(json));
        return ':' + std::to_string(values_.size() - 1);
    }

    /// Appends what was named, as members of a request that has some already: the service takes neither an empty list
    /// nor a name that no expression uses.
    void append_to(std::string& request) const {
        char before = '{';
        if (!names_.empty()) { request += R"(,"ExpressionAttributeNames":)"; }
        for (const auto& [attribute, number] : names_) {
            ((request += std::exchange(before, ',')) += "\"#") += std::to_string(number) + "\":" + json_text(attribute);
        }
        request += names_.empty() ? "" : "}";
        before = '{';
        if (!values_.empty()) { request += R"(,"ExpressionAttributeValues":)"; }
        for (std::size_t number = 0; number != values_.size(); ++number) {
            ((request += std::exchange(before, ',')) += "\":") += std::to_string(number) + "\":" + values_[number];
        }
        request += values_.empty() ? "" : "}";
    }

private:
    std::map<std::string, std::size_t, std::less<>> names_;
    std::vector<std::string> values_;
};

} // namespace adapters::aws
