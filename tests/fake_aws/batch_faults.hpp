#pragma once

#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <fake_aws/answer.hpp>
#include <fake_aws/faults.hpp>

namespace fake_aws {

/// The entries that are asked of a table: the keys of a BatchGetItem, the writes of a BatchWriteItem.
template <class Json>
[[nodiscard]] auto entries_of(Json& table) -> Json& {
    return table.is_object() && table.contains("Keys") ? table["Keys"] : table;
}

/// Whether a fault can hit this request: those of batches need a batch with a chosen entry.
[[nodiscard]] inline auto applies(const fault& one, std::string_view operation, const nlohmann::json& body) -> bool {
    const auto any_chosen = [&](const nlohmann::json& entries) {
        if (!entries.is_array()) { return false; }
        for (std::size_t i = 0; i < entries.size(); ++i) {
            if (one.chosen(i, entries[i])) { return true; }
        }
        return false;
    };
    if (one.kind != fault_kind::refused && one.kind != fault_kind::unprocessed) { return true; }
    if (!body.is_object()) { return false; }
    if (one.kind == fault_kind::refused) {
        return operation.ends_with("MessageBatch") || operation.ends_with("VisibilityBatch")
                   ? any_chosen(body.value("Entries", nlohmann::json{}))
                   : false;
    }
    const auto tables = body.find("RequestItems");
    const bool of_items = operation == "BatchWriteItem" || operation == "BatchGetItem";
    if (!of_items || tables == body.end() || !tables->is_object()) { return false; }
    for (const auto& table : *tables) {
        if (any_chosen(entries_of(table))) { return true; }
    }
    return false;
}

/// Takes the chosen entries out of an array.
[[nodiscard]] inline auto take_chosen(const fault& one, nlohmann::json& entries) -> nlohmann::json {
    auto taken = nlohmann::json::array();
    auto left = nlohmann::json::array();
    for (std::size_t i = 0; i < entries.size(); ++i) {
        (one.chosen(i, entries[i]) ? taken : left).push_back(std::move(entries[i]));
    }
    entries = std::move(left);
    return taken;
}

/// Answers a batch of which the service sees only what was not chosen: `serve(rest) -> answer`.
///
/// The chosen entries of an SQS batch are added to `Failed`, the chosen writes of a BatchWriteItem come back in
/// `UnprocessedItems`, and the chosen keys of a BatchGetItem in `UnprocessedKeys`. Where nothing is left, the service
/// is not asked; where it refuses the rest, that is the answer.
template <class Serve>
[[nodiscard]] auto without_chosen(const fault& one, nlohmann::json body, Serve&& serve) -> answer {
    const auto of_queue = one.kind == fault_kind::refused;
    auto answered = answer{};
    auto failed = nlohmann::json::array();
    auto unprocessed = nlohmann::json::object();
    bool of_keys = false;
    auto rest = std::size_t{0};
    if (of_queue) {
        for (const auto& entry : take_chosen(one, body["Entries"])) {
            failed.push_back({{"Id", entry.is_object() ? entry.value("Id", nlohmann::json{}) : nlohmann::json{}},
                              {"SenderFault", one.sender_fault},
                              {"Code", !one.name.empty() ? one.name
                                       : one.sender_fault ? "InvalidMessageContents"
                                                          : "InternalError"},
                              {"Message", "The entry was refused."}});
        }
        rest = body["Entries"].size();
    } else {
        auto& tables = body["RequestItems"];
        for (auto table = tables.begin(); table != tables.end();) {
            auto& entries = entries_of(*table);
            of_keys = of_keys || table->is_object();
            if (auto taken = take_chosen(one, entries); !taken.empty()) {
                auto& back = unprocessed[table.key()] = *table;
                entries_of(back) = std::move(taken);
            }
            rest += entries.size();
            table = entries.empty() ? tables.erase(table) : std::next(table);
        }
    }
    if (rest != 0) { answered = serve(body); }
    if (!answered.ok()) { return answered; }
    for (auto& entry : failed) { answered.body["Failed"].push_back(std::move(entry)); }
    if (of_keys && rest == 0) { answered.body["Responses"] = nlohmann::json::object(); }
    for (const auto& [table, entries] : unprocessed.items()) {
        answered.body[of_keys ? "UnprocessedKeys" : "UnprocessedItems"][table] = entries;
    }
    return answered;
}

} // namespace fake_aws
