#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include <adapters/graphql/metrics_model.hpp>

namespace adapters::graphql {

/// A record of counts to make, which must not be there, or to change, which must.
struct metrics_mutation {
    bool creates{};
    nlohmann::json input;
    nlohmann::json condition{}; ///< of a change: what else must hold; null: nothing
};

/// A request that does these one after the other, and their variables; its fields are called `m0`, `m1`, …
///
/// It asks for the fields that those who subscribe to the model are told: AppSync tells them no others.
[[nodiscard]] inline auto request_of(std::span<const metrics_mutation> all, const metrics_model& model)
    -> std::pair<std::string, nlohmann::json> {
    std::string declared;
    std::string fields;
    auto variables = nlohmann::json::object();
    for (std::size_t i = 0; i != all.size(); ++i) {
        const auto number = std::to_string(i);
        const bool creates = all[i].creates;
        const bool conditional = !all[i].condition.is_null();
        declared += (i == 0 ? "$i" : ", $i") + number + (creates ? ": Create" : ": Update") + model.name + "Input!";
        fields += " m" + number + (creates ? ": create" : ": update") + model.name + "(input: $i" + number;
        variables["i" + number] = all[i].input;
        if (conditional) {
            declared += ", $c" + number + ": Model" + model.name + "ConditionInput";
            fields += ", condition: $c" + number;
            variables["c" + number] = all[i].condition;
        }
        fields += ") { ...counts }";
    }
    return {"mutation Counts(" + declared + ") {" + fields + " } fragment counts on " + model.name +
                " { accountId compositeKey recordType timeRangeStart timeRangeEnd numberOfMinutes count complete" +
                " createdAt updatedAt }",
            std::move(variables)};
}

/// Makes the record of an owner; `said` are its fields beside the owner's and the times of writing.
[[nodiscard]] inline auto creation(const metrics_owner& of, const std::string& key, nlohmann::json said,
                                   const std::string& now) -> metrics_mutation {
    said["accountId"] = of.account;
    said["compositeKey"] = key;
    said["createdAt"] = now;
    said["updatedAt"] = now;
    return {true, std::move(said)};
}

/// Changes the named fields of an owner's record, if the condition holds.
[[nodiscard]] inline auto change(const metrics_owner& of, const std::string& key, nlohmann::json said,
                                 const std::string& now, nlohmann::json condition = {}) -> metrics_mutation {
    said["accountId"] = of.account;
    said["compositeKey"] = key;
    said["updatedAt"] = now;
    return {false, std::move(said), std::move(condition)};
}

} // namespace adapters::graphql
