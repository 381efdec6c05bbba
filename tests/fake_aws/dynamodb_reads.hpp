#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include <fake_aws/dynamodb_expression_node.hpp>
#include <fake_aws/dynamodb_expression_reader.hpp>
#include <fake_aws/dynamodb_expressions.hpp>
#include <fake_aws/dynamodb_key_condition.hpp>
#include <fake_aws/dynamodb_placeholders.hpp>
#include <fake_aws/dynamodb_refusal.hpp>
#include <fake_aws/dynamodb_state.hpp>
#include <fake_aws/dynamodb_table.hpp>
#include <fake_aws/dynamodb_values.hpp>
#include <fake_aws/dynamodb_writes.hpp>

namespace fake_aws::ddb {

namespace detail {

[[nodiscard]] inline auto projection_of(const json& body, placeholders& given) -> std::vector<attribute_path> {
    if (!body.contains("ProjectionExpression")) { return {}; }
    return expression_reader{"ProjectionExpression", text_of(body, "ProjectionExpression"), given}.projection();
}

inline void refuse_keys_in_filter(const node& part, const key_names& keys) {
    if (part.what == node::kind::path && keys.has(std::get<std::string>(part.where[0]))) {
        refuse_invalid("Filter Expression can only contain non-primary key attributes: Primary key attribute: " +
                       std::get<std::string>(part.where[0]));
    }
    for (const auto& inner : part.parts) { refuse_keys_in_filter(inner, keys); }
}

/// A query or a scan, after everything that does not depend on the table was read.
struct read_request {
    const json& body;
    placeholders given;
    std::size_t limit;
    std::string select;
    std::optional<node> filter{};
    std::vector<attribute_path> projection{};

    explicit read_request(const json& of)
        : body{of},
          given{of, {"FilterExpression", "KeyConditionExpression", "ProjectionExpression"}},
          limit{limit_of(of, std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::size_t>::max())},
          select{word_of(of, "Select",
                         {"", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "SPECIFIC_ATTRIBUTES", "COUNT"})} {
        if (body.contains("FilterExpression")) {
            filter = expression_reader{"FilterExpression", text_of(body, "FilterExpression"), given}.condition();
        }
        projection = projection_of(body, given);
        if (select == "SPECIFIC_ATTRIBUTES" && projection.empty()) {
            refuse_invalid(
                "Must specify the AttributesToGet or ProjectionExpression when choosing to get "
                "SPECIFIC_ATTRIBUTES");
        }
        if (select != "" && select != "SPECIFIC_ATTRIBUTES" && !projection.empty()) {
            refuse_invalid("Cannot specify the ProjectionExpression when choosing to get " + select);
        }
    }
};

/// The table or the index that is read.
struct read_source {
    const stored_table& table;
    const secondary_index* index;

    read_source(const owned_table& from, const read_request& request)
        : table{from.rows},
          index{request.body.contains("IndexName") ? &from.rows.index_called(text_of(request.body, "IndexName"))
                                                   : nullptr} {
        if (index != nullptr && flag_or(request.body, "ConsistentRead", false)) {
            refuse_invalid("Consistent reads are not supported on global secondary indexes");
        }
        if (index == nullptr && request.select == "ALL_PROJECTED_ATTRIBUTES") {
            refuse_invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName");
        }
        if (index != nullptr && request.select == "ALL_ATTRIBUTES" && index->projection["ProjectionType"] != "ALL") {
            refuse_parameter("Select type ALL_ATTRIBUTES is not supported for global secondary index " + index->name +
                             " because its projection type is not ALL");
        }
    }

    [[nodiscard]] auto keys() const -> const key_names& { return index == nullptr ? table.keys() : index->keys; }
    [[nodiscard]] auto items() const -> const ordered_items& { return index == nullptr ? table.items() : index->items; }

    [[nodiscard]] auto key_of(const json& item) const -> json {
        auto key = table.key_of(item);
        if (index != nullptr) { key.update(stored_table::part_of(item, index->keys)); }
        return key;
    }

    /// What the table or the index has of an item.
    [[nodiscard]] auto shown(const json& item) const -> json {
        if (index == nullptr || index->projection["ProjectionType"] == "ALL") { return item; }
        auto kept = key_of(item);
        for (const auto& name : index->projection.value("NonKeyAttributes", json::array())) {
            const auto found = item.find(name.get_ref<const std::string&>());
            if (found != item.end()) { kept[found.key()] = *found; }
        }
        return kept;
    }

    [[nodiscard]] auto start(const json& body) const -> std::optional<place> {
        if (!body.contains("ExclusiveStartKey")) { return std::nullopt; }
        const auto key = checked_attributes(body["ExclusiveStartKey"]);
        auto names = table.keys().all();
        if (index != nullptr) {
            for (const auto& name : index->keys.all()) {
                if (!table.keys().has(name)) { names.push_back(name); }
            }
        }
        bool good = key.size() == names.size();
        for (const auto& name : names) {
            good = good && key.contains(name) && type_of(key[name]) == table.type_of_key(name) &&
                   content_of(key[name]) != "";
        }
        if (!good) {
            refuse_invalid("The provided starting key is invalid: The provided key element does not match the schema");
        }
        const auto in_table = table.place_of(key);
        return index == nullptr ? in_table : stored_table::place_in(*index, in_table, key);
    }
};

/// Reads what `walk` shows, each item to the end of the page.
class page_reader {
public:
    page_reader(const read_source& from, const read_request& request, std::size_t page_bytes)
        : from_{from}, request_{request}, page_bytes_{page_bytes} {}

    /// Whether the page goes on.
    [[nodiscard]] auto take(const json& stored) -> bool {
        const auto item = from_.shown(stored);
        const auto bytes = size_of_item(item);
        if (scanned_ != 0 && bytes_ + bytes > page_bytes_) {
            more_ = true;
            return false;
        }
        bytes_ += bytes;
        ++scanned_;
        last_ = &stored;
        if (!request_.filter || holds(*request_.filter, item)) {
            ++count_;
            if (request_.select != "COUNT") {
                items_.push_back(request_.projection.empty() ? item : projected(item, request_.projection));
            }
        }
        more_ = scanned_ == request_.limit;
        return !more_;
    }

    [[nodiscard]] auto answer() && -> json {
        json made{{"Count", count_}, {"ScannedCount", scanned_}};
        if (request_.select != "COUNT") { made["Items"] = std::move(items_); }
        if (more_) { made["LastEvaluatedKey"] = from_.key_of(*last_); }
        return made;
    }

private:
    const read_source& from_;
    const read_request& request_;
    std::size_t page_bytes_;
    std::size_t bytes_{};
    std::size_t scanned_{};
    std::size_t count_{};
    bool more_{};
    const json* last_{};
    json items_ = json::array();
};

} // namespace detail

[[nodiscard]] inline auto get_item(state& all, const json& body) -> json {
    allow(body, {"TableName", "Key", "ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames"});
    const auto key = detail::attributes_member(body, "Key");
    static_cast<void>(flag_or(body, "ConsistentRead", false));
    placeholders given{body, {"ProjectionExpression"}};
    const auto paths = detail::projection_of(body, given);
    given.refuse_unused();
    const auto& table = active_table(all, body);
    table.rows.check_key(key);
    const auto item = table.rows.find(table.rows.place_of(key));
    auto answer = json::object();
    if (item) { answer["Item"] = paths.empty() ? *item : projected(*item, paths); }
    return answer;
}

/// Source: the DynamoDB API reference, "BatchGetItem". Nothing is left unprocessed.
[[nodiscard]] inline auto batch_get_item(state& all, const json& body) -> json {
    allow(body, {"RequestItems"});
    const auto wanted = body.value("RequestItems", json::object());
    if (!wanted.is_object()) { refuse_shape("RequestItems is no map"); }
    std::size_t count = 0;
    for (const auto& [name, of_table] : wanted.items()) {
        allow(of_table, {"Keys", "ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames"});
        const auto keys = of_table.find("Keys");
        if (keys == of_table.end() || !keys->is_array()) { refuse_shape("Keys is no list"); }
        if (keys->empty()) {
            refuse_constraint("'[]'", "requestItems." + name + ".member.keys",
                              "have length greater than or equal to 1");
        }
        count += keys->size();
    }
    if (count == 0) {
        refuse_constraint("'{}'", "requestItems",
                          "have length less than or equal to 100, and greater than or equal to 1");
    }
    if (count > 100) { refuse_invalid("Too many items requested for the BatchGetItem call"); }
    auto responses = json::object();
    for (const auto& [name, of_table] : wanted.items()) {
        static_cast<void>(flag_or(of_table, "ConsistentRead", false));
        placeholders given{of_table, {"ProjectionExpression"}};
        const auto paths = detail::projection_of(of_table, given);
        given.refuse_unused();
        const auto& table = active_table(all, {{"TableName", name}});
        auto& found = responses[name] = json::array();
        std::set<place> places;
        for (const auto& one : of_table["Keys"]) {
            const auto key = checked_attributes(one);
            table.rows.check_key(key);
            const auto at = table.rows.place_of(key);
            if (!places.insert(at).second) { refuse_invalid("Provided list of item keys contains duplicates"); }
            const auto item = table.rows.find(at);
            if (item) { found.push_back(paths.empty() ? *item : projected(*item, paths)); }
        }
    }
    return {{"Responses", std::move(responses)}, {"UnprocessedKeys", json::object()}};
}

/// Source: the DynamoDB API reference, "Query"; the developer guide, "Paginating table query results".
[[nodiscard]] inline auto query(state& all, const json& body) -> json {
    allow(body, {"TableName", "IndexName", "KeyConditionExpression", "FilterExpression", "ProjectionExpression",
                 "ExpressionAttributeNames", "ExpressionAttributeValues", "ExclusiveStartKey", "Limit", "Select",
                 "ScanIndexForward", "ConsistentRead"});
    detail::read_request request{body};
    if (!body.contains("KeyConditionExpression")) {
        refuse_invalid(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.");
    }
    const auto condition =
        expression_reader{"KeyConditionExpression", text_of(body, "KeyConditionExpression"), request.given}.condition();
    request.given.refuse_unused();
    const bool forward = flag_or(body, "ScanIndexForward", true);
    const detail::read_source from{active_table(all, body), request};
    const auto range = range_of(condition, from.keys(), from.table);
    if (request.filter) { detail::refuse_keys_in_filter(*request.filter, from.keys()); }
    const auto start = from.start(body);
    if (start && start->partition != range.first.partition) {
        refuse_invalid("The provided starting key is outside query boundaries based on provided conditions");
    }
    if (start && (*start < range.first || *start >= range.end)) {
        refuse_invalid("The provided starting key does not match the range key predicate");
    }
    const auto& items = from.items();
    detail::page_reader page{from, request, all.page_bytes};
    if (forward) {
        auto at = start ? items.upper_bound(*start) : items.lower_bound(range.first);
        while (at != items.end() && at->first < range.end && page.take(*at->second)) { ++at; }
    } else {
        auto at = items.lower_bound(start ? *start : range.end);
        while (at != items.begin() && std::prev(at)->first >= range.first && page.take(*std::prev(at)->second)) {
            --at;
        }
    }
    return std::move(page).answer();
}

/// Source: the DynamoDB API reference, "Scan".
[[nodiscard]] inline auto scan(state& all, const json& body) -> json {
    allow(body, {"TableName", "IndexName", "FilterExpression", "ProjectionExpression", "ExpressionAttributeNames",
                 "ExpressionAttributeValues", "ExclusiveStartKey", "Limit", "Select", "ConsistentRead", "Segment",
                 "TotalSegments"});
    const detail::read_request request{body};
    request.given.refuse_unused();
    const auto number = [&](const char* member) { return body.value(member, std::int64_t{-1}); };
    const bool parallel = body.contains("Segment");
    if (parallel != body.contains("TotalSegments")) {
        refuse_invalid(std::string{"The "} + (parallel ? "TotalSegments" : "Segment") +
                       " parameter is required but was not present in the request when parameter " +
                       (parallel ? "Segment" : "TotalSegments") + " is present");
    }
    if (parallel && (number("Segment") < 0 || number("Segment") >= number("TotalSegments"))) {
        refuse_invalid("The Segment parameter is zero-based and must be less than parameter TotalSegments");
    }
    const detail::read_source from{active_table(all, body), request};
    const auto start = from.start(body);
    const auto& items = from.items();
    detail::page_reader page{from, request, all.page_bytes};
    auto at = start ? items.upper_bound(*start) : items.begin();
    for (; at != items.end(); ++at) {
        const auto lot = static_cast<unsigned char>(at->first.partition.front());
        if (parallel && lot % number("TotalSegments") != number("Segment")) { continue; }
        if (!page.take(*at->second)) { break; }
    }
    return std::move(page).answer();
}

} // namespace fake_aws::ddb
