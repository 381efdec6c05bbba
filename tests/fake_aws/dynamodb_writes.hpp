#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <fake_aws/dynamodb_expression_node.hpp>
#include <fake_aws/dynamodb_expression_reader.hpp>
#include <fake_aws/dynamodb_expressions.hpp>
#include <fake_aws/dynamodb_placeholders.hpp>
#include <fake_aws/dynamodb_refusal.hpp>
#include <fake_aws/dynamodb_state.hpp>
#include <fake_aws/dynamodb_table.hpp>
#include <fake_aws/dynamodb_values.hpp>

namespace fake_aws::ddb {

using shared_item = std::shared_ptr<const json>;

/// Stores the item, or takes away what is there where it is null, and tells the stream of what changed.
inline void store(state& all, owned_table& table, const place& at, const shared_item& item, bool expired = false) {
    const auto before = table.rows.find(at);
    const bool changes = before == nullptr || item == nullptr ? before != item : *before != *item;
    table.rows.store(at, item);
    if (!changes || !table.stream) { return; }
    const auto& either = item ? *item : *before;
    const auto& partition = either.at(table.rows.keys().partition);
    table.stream->append(
        {partition_hash(ordered_bytes_of(partition)), table.rows.key_of(either), before.get(), item.get(), expired},
        all.now(), all.fractional_times);
}

namespace detail {

struct write_condition {
    std::optional<node> condition{};
    bool gives_item{};

    /// Refuses the write unless the condition holds of what is there.
    void check(const shared_item& there) const {
        if (!condition || holds(*condition, there ? *there : json::object())) { return; }
        auto no = refusal("ConditionalCheckFailedException", "The conditional request failed");
        if (gives_item && there) { no.body["Item"] = *there; }
        throw refused{std::move(no)};
    }
};

[[nodiscard]] inline auto condition_of(const json& body, placeholders& given) -> write_condition {
    write_condition made;
    if (body.contains("ConditionExpression")) {
        made.condition =
            expression_reader{"ConditionExpression", text_of(body, "ConditionExpression"), given}.condition();
    }
    made.gives_item = word_of(body, "ReturnValuesOnConditionCheckFailure", {"NONE", "ALL_OLD"}) == "ALL_OLD";
    return made;
}

[[nodiscard]] inline auto returns_old(const json& body) -> bool {
    const auto which = word_of(body, "ReturnValues", {"NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"});
    if (which != "NONE" && which != "ALL_OLD") { refuse_invalid("ReturnValues can only be ALL_OLD or NONE"); }
    return which == "ALL_OLD";
}

[[nodiscard]] inline auto attributes_member(const json& body, const char* member) -> json {
    if (!body.contains(member)) {
        refuse_invalid("The parameter '" + std::string{member} + "' is required but was not present in the request");
    }
    return checked_attributes(body[member]);
}

[[nodiscard]] inline auto with_old(bool wanted, const shared_item& old) -> json {
    auto answer = json::object();
    if (wanted && old) { answer["Attributes"] = *old; }
    return answer;
}

} // namespace detail

[[nodiscard]] inline auto put_item(state& all, const json& body) -> json {
    allow(body, {"TableName", "Item", "ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues",
                 "ReturnValues", "ReturnValuesOnConditionCheckFailure"});
    auto item = detail::attributes_member(body, "Item");
    const auto wants_old = detail::returns_old(body);
    placeholders given{body, {"ConditionExpression"}};
    const auto condition = detail::condition_of(body, given);
    given.refuse_unused();
    auto& table = active_table(all, body);
    table.rows.check_item(item);
    const auto at = table.rows.place_of(item);
    const auto old = table.rows.find(at);
    condition.check(old);
    store(all, table, at, std::make_shared<const json>(std::move(item)));
    return detail::with_old(wants_old, old);
}

[[nodiscard]] inline auto delete_item(state& all, const json& body) -> json {
    allow(body, {"TableName", "Key", "ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues",
                 "ReturnValues", "ReturnValuesOnConditionCheckFailure"});
    const auto key = detail::attributes_member(body, "Key");
    const auto wants_old = detail::returns_old(body);
    placeholders given{body, {"ConditionExpression"}};
    const auto condition = detail::condition_of(body, given);
    given.refuse_unused();
    auto& table = active_table(all, body);
    table.rows.check_key(key);
    const auto at = table.rows.place_of(key);
    const auto old = table.rows.find(at);
    condition.check(old);
    store(all, table, at, nullptr);
    return detail::with_old(wants_old, old);
}

[[nodiscard]] inline auto update_item(state& all, const json& body) -> json {
    allow(body, {"TableName", "Key", "UpdateExpression", "ConditionExpression", "ExpressionAttributeNames",
                 "ExpressionAttributeValues", "ReturnValues", "ReturnValuesOnConditionCheckFailure"});
    const auto key = detail::attributes_member(body, "Key");
    const auto returns = word_of(body, "ReturnValues", {"NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"});
    placeholders given{body, {"UpdateExpression", "ConditionExpression"}};
    update_plan plan;
    if (body.contains("UpdateExpression")) {
        plan = expression_reader{"UpdateExpression", text_of(body, "UpdateExpression"), given}.update();
    }
    const auto condition = detail::condition_of(body, given);
    given.refuse_unused();
    auto& table = active_table(all, body);
    const auto paths = plan.paths();
    for (const auto& where : paths) {
        const auto& name = std::get<std::string>(where[0]);
        if (!table.rows.keys().has(name)) { continue; }
        refuse_parameter("Cannot update attribute " + name + ". This attribute is part of the key");
    }
    table.rows.check_key(key);
    const auto at = table.rows.place_of(key);
    const auto old = table.rows.find(at);
    condition.check(old);
    // What a path means is checked again, since a value may have come to lie deeper than the service allows.
    const auto item = std::make_shared<const json>(checked_attributes(updated(plan, old ? *old : key)));
    table.rows.check_item(*item, true);
    const bool takes_away = plan.sets.empty() && plan.adds.empty() && !paths.empty();
    if (!old && takes_away) { return json::object(); } // which makes no item
    store(all, table, at, item);

    auto answer = json::object();
    if (returns == "ALL_OLD" && old) { answer["Attributes"] = *old; }
    if (returns == "ALL_NEW") { answer["Attributes"] = *item; }
    if (returns.starts_with("UPDATED")) {
        auto parts = projected(returns == "UPDATED_NEW" ? *item : old ? *old : json::object(), paths);
        if (!parts.empty()) { answer["Attributes"] = std::move(parts); }
    }
    return answer;
}

/// Source: the DynamoDB API reference, "BatchWriteItem". Nothing is left unprocessed.
[[nodiscard]] inline auto batch_write_item(state& all, const json& body) -> json {
    allow(body, {"RequestItems"});
    const auto wanted = body.value("RequestItems", json::object());
    if (!wanted.is_object()) { refuse_shape("RequestItems is no map"); }
    if (wanted.empty()) {
        refuse_constraint("'{}'", "requestItems",
                          "have length less than or equal to 25, and greater than or equal to 1");
    }
    struct single_write {
        owned_table* table;
        place at;
        shared_item item; // null: goes
    };
    std::vector<single_write> writes;
    std::set<std::pair<std::string, place>> places;
    std::size_t count = 0;
    for (const auto& [name, requests] : wanted.items()) {
        if (!requests.is_array() || requests.empty()) {
            refuse_constraint("'{" + name + "=[]}'", "requestItems", "have length greater than or equal to 1");
        }
        count += requests.size();
    }
    if (count > 25) { refuse_invalid("Too many items requested for the BatchWriteItem call"); }
    for (const auto& [name, requests] : wanted.items()) {
        auto& table = active_table(all, {{"TableName", name}});
        for (const auto& request : requests) {
            if (request.size() != 1) {
                refuse_invalid(
                    "Supplied AttributeValue has more than one datatypes set, must contain exactly one of "
                    "the supported datatypes");
            }
            allow(request, {"PutRequest", "DeleteRequest"});
            const bool puts = request.contains("PutRequest");
            auto item = detail::attributes_member(*request.begin(), puts ? "Item" : "Key");
            if (puts) {
                table.rows.check_item(item);
            } else {
                table.rows.check_key(item);
            }
            auto at = table.rows.place_of(item);
            if (!places.emplace(name, at).second) { refuse_invalid("Provided list of item keys contains duplicates"); }
            writes.push_back(
                {&table, std::move(at), puts ? std::make_shared<const json>(std::move(item)) : shared_item{}});
        }
    }
    for (const auto& write : writes) { store(all, *write.table, write.at, write.item); }
    return {{"UnprocessedItems", json::object()}};
}

} // namespace fake_aws::ddb
