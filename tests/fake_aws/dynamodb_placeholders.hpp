#pragma once

#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <fake_aws/dynamodb_refusal.hpp>
#include <fake_aws/dynamodb_values.hpp>

namespace fake_aws::ddb {

/// The names and values of a request's expressions, and which of them were used.
class placeholders {
public:
    /// `expressions` are the members of the request that may hold an expression.
    placeholders(const json& body, std::initializer_list<const char*> expressions) {
        const auto any =
            std::any_of(expressions.begin(), expressions.end(), [&](const char* name) { return body.contains(name); });
        const auto members = [&](const char* which, char mark) -> json {
            const auto found = body.find(which);
            if (found == body.end()) { return json::object(); }
            if (!found->is_object()) { refuse_shape(std::string{which} + " is no map"); }
            if (!any) {
                refuse_invalid(which + std::string{" can only be specified when using expressions: "} +
                               *expressions.begin() + " is null");
            }
            if (found->empty()) { refuse_invalid(which + std::string{" must not be empty"}); }
            for (const auto& [name, member] : found->items()) {
                const auto word = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
                if (name.size() < 2 || name[0] != mark || !std::all_of(name.begin() + 1, name.end(), word)) {
                    refuse_invalid(which + std::string{" contains invalid key: Syntax error; key: \""} + name + "\"");
                }
            }
            return *found;
        };
        names_ = members("ExpressionAttributeNames", '#');
        for (const auto& [name, attribute] : names_.items()) {
            if (!attribute.is_string()) { refuse_shape("an expression attribute name is a string"); }
        }
        const auto values = members("ExpressionAttributeValues", ':');
        for (const auto& [name, value] : values.items()) { values_[name] = checked(name, value); }
    }

    /// The attribute's name, a JSON string; null where the token is not defined.
    [[nodiscard]] auto name(std::string_view token) -> const json* { return find(names_, token); }
    [[nodiscard]] auto value(std::string_view token) -> const json* { return find(values_, token); }

    /// Called when every expression was read.
    void refuse_unused() const {
        for (const auto& [which, all] : {std::pair{"Names", &names_}, std::pair{"Values", &values_}}) {
            std::string unused;
            for (const auto& [name, member] : all->items()) {
                if (!used_.contains(name)) { unused += (unused.empty() ? "" : ", ") + name; }
            }
            if (!unused.empty()) {
                refuse_invalid("Value provided in ExpressionAttribute" + std::string{which} +
                               " unused in expressions: keys: {" + unused + "}");
            }
        }
    }

private:
    [[nodiscard]] static auto checked(const std::string& name, const json& value) -> json {
        try {
            return checked_value(value);
        } catch (refused& no) {
            if (no.said.body["__type"] != "ValidationException") { throw; }
            refuse_invalid("ExpressionAttributeValues contains invalid value: " +
                           no.said.body["message"].get<std::string>() + " for key " + name);
        }
    }

    [[nodiscard]] auto find(const json& members, std::string_view token) -> const json* {
        const auto found = members.find(token);
        if (found == members.end()) { return nullptr; }
        used_.emplace(token);
        return &*found;
    }

    json names_ = json::object();
    json values_ = json::object();
    std::set<std::string, std::less<>> used_;
};

} // namespace fake_aws::ddb
