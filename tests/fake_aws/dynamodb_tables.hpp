#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <fake_aws/dynamodb_refusal.hpp>
#include <fake_aws/dynamodb_state.hpp>
#include <fake_aws/dynamodb_streams.hpp>
#include <fake_aws/dynamodb_table.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>

namespace fake_aws::ddb {

[[nodiscard]] inline auto arn_of(const state& all, std::string_view table) -> std::string {
    return "arn:aws:dynamodb:" + all.region + ":123456789012:table/" + std::string{table};
}

[[nodiscard]] inline auto epoch_number(freshet::time_point at) -> json {
    return static_cast<double>(at.time_since_epoch().count() / 1'000) / 1e3;
}

namespace detail {

[[nodiscard]] inline auto keys_from(const json& schema) -> key_names {
    if (!schema.is_array() || schema.empty() || schema.size() > 2) {
        refuse_invalid(
            "1 validation error detected: Value at 'keySchema' failed to satisfy constraint: Member must "
            "have length between 1 and 2");
    }
    key_names keys;
    for (std::size_t i = 0; i < schema.size(); ++i) {
        const auto wanted = i == 0 ? "HASH" : "RANGE";
        if (word_of(schema[i], "KeyType", {"HASH", "RANGE"}) != wanted) {
            refuse_invalid(i == 0 ? "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"
                                  : "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type");
        }
        (i == 0 ? keys.partition : keys.sort) = text_of(schema[i], "AttributeName");
    }
    for (const auto& name : keys.all()) {
        if (name.empty() || name.size() > 255) { refuse_parameter("a key attribute's name has 1 to 255 bytes"); }
    }
    if (keys.partition == keys.sort) {
        refuse_invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name");
    }
    return keys;
}

[[nodiscard]] inline auto index_from(const json& wanted) -> secondary_index {
    allow(wanted, {"IndexName", "KeySchema", "Projection", "ProvisionedThroughput"});
    secondary_index index{text_of(wanted, "IndexName"), keys_from(wanted.value("KeySchema", json{})),
                          wanted.value("Projection", json{})};
    check_table_name(index.name, "globalSecondaryIndexes.member.indexName");
    if (!index.projection.is_object() || !index.projection.contains("ProjectionType")) {
        refuse_parameter("Unknown ProjectionType: null");
    }
    const auto type = word_of(index.projection, "ProjectionType", {"ALL", "KEYS_ONLY", "INCLUDE"});
    if (index.projection.contains("NonKeyAttributes") != (type == "INCLUDE")) {
        refuse_parameter(
            "ProjectionType is " + type +
            (type == "INCLUDE" ? ", but NonKeyAttributes is not specified" : ", but NonKeyAttributes is specified"));
    }
    return index;
}

inline void open_stream(state& all, owned_table& table, const json& wanted) {
    if (!flag_or(wanted, "StreamEnabled", false)) {
        if (wanted.contains("StreamViewType")) {
            refuse_parameter("StreamViewType should not be specified when StreamEnabled is false");
        }
        return;
    }
    if (!wanted.contains("StreamViewType")) {
        refuse_parameter("StreamEnabled is true, but StreamViewType is not specified");
    }
    auto view = word_of(wanted, "StreamViewType", {"NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY"});
    auto labelled = std::chrono::floor<std::chrono::milliseconds>(all.now());
    const auto label_of = [](auto at) { // as RFC 3339 without a zone
        const auto text = freshet::format_rfc3339(at, 3);
        return std::string{text ? text->view() : "1970-01-01T00:00:00.000Z"}.substr(0, 23);
    };
    const auto taken = [&](const std::string& label) {
        return std::any_of(all.streams.begin(), all.streams.end(), [&](const auto& stream) {
            return stream->about().table == table.name && stream->about().label == label;
        });
    };
    while (taken(label_of(labelled))) { labelled += std::chrono::milliseconds{1}; }
    const auto label = label_of(labelled);
    table.stream = std::make_shared<change_log>(change_log::identity{arn_of(all, table.name) + "/stream/" + label,
                                                                     label, table.name, all.region, std::move(view),
                                                                     table.rows.keys().schema(), all.now()});
    all.streams.push_back(table.stream);
}

} // namespace detail

[[nodiscard]] inline auto description(const state& all, const owned_table& table) -> json {
    const auto status = table.describes_until_active == 0 ? "ACTIVE" : "CREATING";
    auto attributes = json::array();
    for (const auto& [name, type] : table.rows.types()) {
        attributes.push_back({{"AttributeName", name}, {"AttributeType", type}});
    }
    json shown{{"TableName", table.name},
               {"TableArn", arn_of(all, table.name)},
               {"TableId", table.id},
               {"TableStatus", status},
               {"CreationDateTime", epoch_number(table.created_at)},
               {"AttributeDefinitions", std::move(attributes)},
               {"KeySchema", table.rows.keys().schema()},
               {"ItemCount", table.rows.items().size()},
               {"TableSizeBytes", table.rows.bytes()},
               {"DeletionProtectionEnabled", false},
               {"ProvisionedThroughput", table.throughput}};
    if (table.pays_per_request) { shown["BillingModeSummary"] = {{"BillingMode", "PAY_PER_REQUEST"}}; }
    for (const auto& index : table.rows.indexes()) {
        shown["GlobalSecondaryIndexes"].push_back({{"IndexName", index.name},
                                                   {"IndexArn", arn_of(all, table.name) + "/index/" + index.name},
                                                   {"IndexStatus", status},
                                                   {"KeySchema", index.keys.schema()},
                                                   {"Projection", index.projection},
                                                   {"ProvisionedThroughput", table.throughput},
                                                   {"ItemCount", index.items.size()},
                                                   {"IndexSizeBytes", 0}});
    }
    if (table.stream) {
        const auto& stream = table.stream->about();
        shown["StreamSpecification"] = {{"StreamEnabled", true}, {"StreamViewType", stream.view}};
        shown["LatestStreamLabel"] = stream.label;
        shown["LatestStreamArn"] = stream.arn;
    }
    return shown;
}

/// Source: the DynamoDB API reference, "CreateTable".
[[nodiscard]] inline auto create_table(state& all, const json& body) -> json {
    allow(body, {"TableName", "KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes", "BillingMode",
                 "ProvisionedThroughput", "StreamSpecification"});
    const auto name = text_of(body, "TableName");
    check_table_name(name);
    const auto mode = word_of(body, "BillingMode", {"PROVISIONED", "PAY_PER_REQUEST"});
    if ((mode == "PROVISIONED") != body.contains("ProvisionedThroughput")) {
        refuse_parameter(mode == "PROVISIONED" ? "ReadCapacityUnits and WriteCapacityUnits must both be specified when "
                                                 "BillingMode is PROVISIONED"
                                               : "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified "
                                                 "when BillingMode is PAY_PER_REQUEST");
    }
    std::map<std::string, std::string> types;
    for (const auto& attribute : body.value("AttributeDefinitions", json::array())) {
        const auto defined = text_of(attribute, "AttributeName");
        static_cast<void>(text_of(attribute, "AttributeType"));
        if (!types.emplace(defined, word_of(attribute, "AttributeType", {"B", "N", "S"})).second) {
            refuse_parameter("Duplicate value in attribute name: " + defined);
        }
    }
    const auto keys = detail::keys_from(body.value("KeySchema", json{}));
    std::vector<secondary_index> indexes;
    const auto wanted = body.value("GlobalSecondaryIndexes", json::array());
    if (body.contains("GlobalSecondaryIndexes") && wanted.empty()) {
        refuse_parameter("List of GlobalSecondaryIndexes is empty");
    }
    for (const auto& index : wanted) {
        indexes.push_back(detail::index_from(index));
        const auto same = [&](const auto& other) { return other.name == indexes.back().name; };
        if (std::count_if(indexes.begin(), indexes.end(), same) > 1) {
            refuse_parameter("Duplicate index name: " + indexes.back().name);
        }
    }
    if (indexes.size() > 20) { refuse_parameter("GlobalSecondaryIndex count exceeds the per-table limit of 20"); }
    std::set<std::string> used;
    const auto use = [&](const key_names& of) {
        for (const auto& key : of.all()) {
            used.insert(key);
            if (!types.contains(key)) {
                refuse_parameter("Some index key attributes are not defined in AttributeDefinitions. Keys: [" + key +
                                 "]");
            }
        }
    };
    use(keys);
    for (const auto& index : indexes) { use(index.keys); }
    if (used.size() != types.size()) {
        refuse_parameter(
            "Number of attributes in KeySchema does not exactly match number of attributes defined in "
            "AttributeDefinitions");
    }
    if (all.tables.contains(name)) { refuse("ResourceInUseException", "Table already exists: " + name); }

    auto throughput = body.value("ProvisionedThroughput", json{{"ReadCapacityUnits", 0}, {"WriteCapacityUnits", 0}});
    throughput["NumberOfDecreasesToday"] = 0;
    owned_table table{name,
                      "00000000-0000-4000-8000-" + std::to_string(100'000'000'000 + all.tables.size()),
                      all.now(),
                      all.describes_until_active,
                      mode == "PAY_PER_REQUEST",
                      std::move(throughput),
                      {},
                      stored_table{keys, std::move(types), std::move(indexes)},
                      {}};
    if (body.contains("StreamSpecification")) { detail::open_stream(all, table, body["StreamSpecification"]); }
    const auto& kept = all.tables.emplace(name, std::move(table)).first->second;
    auto shown = description(all, kept);
    shown["TableStatus"] = "CREATING";
    return {{"TableDescription", std::move(shown)}};
}

namespace detail {

[[nodiscard]] inline auto any_table(state& all, const json& body) -> owned_table& {
    const auto name = text_of(body, "TableName");
    check_table_name(name);
    const auto found = all.tables.find(name);
    if (found == all.tables.end()) {
        refuse("ResourceNotFoundException", "Requested resource not found: Table: " + name + " not found");
    }
    return found->second;
}

} // namespace detail

[[nodiscard]] inline auto describe_table(state& all, const json& body) -> json {
    allow(body, {"TableName"});
    auto& table = detail::any_table(all, body);
    json answer{{"Table", description(all, table)}};
    if (table.describes_until_active != 0) { --table.describes_until_active; }
    return answer;
}

/// The stream of a deleted table stays readable until its records are a day old.
[[nodiscard]] inline auto delete_table(state& all, const json& body) -> json {
    allow(body, {"TableName"});
    auto& table = detail::any_table(all, body);
    if (table.describes_until_active != 0) {
        refuse("ResourceInUseException",
               "Attempt to change a resource which is still in use: Table is being created: " + table.name);
    }
    auto shown = description(all, table);
    shown["TableStatus"] = "DELETING";
    if (table.stream) { table.stream->close(all.now()); }
    all.tables.erase(std::string{table.name});
    return {{"TableDescription", std::move(shown)}};
}

[[nodiscard]] inline auto list_tables(state& all, const json& body) -> json {
    allow(body, {"ExclusiveStartTableName", "Limit"});
    const auto limit = limit_of(body, 100, 100);
    json answer{{"TableNames", json::array()}};
    auto& names = answer["TableNames"];
    auto at = all.tables.upper_bound(text_or(body, "ExclusiveStartTableName", ""));
    for (; at != all.tables.end() && names.size() < limit; ++at) { names.push_back(at->first); }
    if (at != all.tables.end()) { answer["LastEvaluatedTableName"] = names.back(); }
    return answer;
}

[[nodiscard]] inline auto update_time_to_live(state& all, const json& body) -> json {
    allow(body, {"TableName", "TimeToLiveSpecification"});
    auto& table = detail::any_table(all, body);
    const auto wanted = body.value("TimeToLiveSpecification", json{});
    if (!wanted.is_object() || !wanted.contains("Enabled")) {
        refuse_constraint("null", "timeToLiveSpecification.enabled", "not be null");
    }
    const auto attribute = text_of(wanted, "AttributeName");
    if (attribute.empty() || attribute.size() > 255) {
        refuse_constraint("'" + attribute + "'", "timeToLiveSpecification.attributeName", "have length from 1 to 255");
    }
    const bool enable = flag_or(wanted, "Enabled", false);
    if (enable == !table.ttl_attribute.empty()) {
        refuse_invalid(enable ? "TimeToLive is already enabled" : "TimeToLive is already disabled");
    }
    if (!enable && attribute != table.ttl_attribute) {
        refuse_invalid("TimeToLive is active on a different AttributeName: current AttributeName is " +
                       table.ttl_attribute);
    }
    table.ttl_attribute = enable ? attribute : "";
    return {{"TimeToLiveSpecification", wanted}};
}

[[nodiscard]] inline auto describe_time_to_live(state& all, const json& body) -> json {
    allow(body, {"TableName"});
    const auto& table = detail::any_table(all, body);
    json shown{{"TimeToLiveStatus", table.ttl_attribute.empty() ? "DISABLED" : "ENABLED"}};
    if (!table.ttl_attribute.empty()) { shown["AttributeName"] = table.ttl_attribute; }
    return {{"TimeToLiveDescription", std::move(shown)}};
}

} // namespace fake_aws::ddb
