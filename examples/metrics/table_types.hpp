#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>

#include <freshet/core/time.hpp>

namespace metrics {

/// A kind of records: how it is called in counts, which model's DynamoDB tables hold it, and how many of its changes
/// are worth a recount.
struct table_type {
    std::string_view name;
    std::string_view model;
    std::size_t changes;
};

/// The kinds that are known. Amplify calls a model's table after it, a dash, and what is its own of the stack.
inline constexpr std::array table_types{table_type{"items", "Item", 10},
                                        table_type{"score_results", "ScoreResult", 100}, table_type{"tasks", "Task", 1},
                                        table_type{"evaluations", "Evaluation", 1}};

/// How long a change waits for others of its kind.
inline constexpr freshet::duration longest_wait = std::chrono::seconds{15};

/// The DynamoDB table's name in `arn:…:table/NAME/stream/…`; empty where there is none.
[[nodiscard]] constexpr auto table_in_arn(std::string_view arn) -> std::string_view {
    constexpr std::string_view before = ":table/";
    const auto at = arn.find(before);
    if (at == std::string_view::npos) { return {}; }
    const auto rest = arn.substr(at + before.size());
    return rest.substr(0, rest.find('/'));
}

/// The kind of the records in a DynamoDB table: that of the model which its name has before the first dash. Empty where
/// that is none.
[[nodiscard]] constexpr auto type_of_table(std::string_view table) -> std::string_view {
    const auto model = table.substr(0, table.find('-'));
    for (const auto& each : table_types) {
        if (each.model == model) { return each.name; }
    }
    return {};
}

static_assert(type_of_table(table_in_arn("arn:aws:dynamodb:us-east-1:1:table/ScoreResult-x7-main/stream/2024")) ==
              "score_results");

} // namespace metrics
