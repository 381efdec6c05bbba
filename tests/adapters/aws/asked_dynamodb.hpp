#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <fake_aws/dynamodb.hpp>
#include <freshet/testing/manual_clock.hpp>

namespace support {

using json = nlohmann::json;

/// JSON written with ' for ".
[[nodiscard]] inline auto quoted(std::string text) -> json {
    std::replace(text.begin(), text.end(), '\'', '"');
    return json::parse(text);
}

/// The fake DynamoDB with a manual clock, and a table "items" of the text keys PK and SK, with all images in its
/// stream, the index "by_group" (group, rank as a number) and the index "by_mark" (mark; keys and "note").
struct asked_dynamodb {
    freshet::testing::manual_clock clock{};
    fake_aws::dynamodb service{[this] { return clock.now(); }};

    asked_dynamodb() { ok("CreateTable", table("items")); }

    [[nodiscard]] static auto table(const std::string& name) -> json {
        auto made = quoted(R"({
            'BillingMode': 'PAY_PER_REQUEST',
            'KeySchema': [{'AttributeName': 'PK', 'KeyType': 'HASH'}, {'AttributeName': 'SK', 'KeyType': 'RANGE'}],
            'AttributeDefinitions': [
                {'AttributeName': 'PK', 'AttributeType': 'S'}, {'AttributeName': 'SK', 'AttributeType': 'S'},
                {'AttributeName': 'group', 'AttributeType': 'S'}, {'AttributeName': 'rank', 'AttributeType': 'N'},
                {'AttributeName': 'mark', 'AttributeType': 'S'}],
            'GlobalSecondaryIndexes': [
                {'IndexName': 'by_group', 'Projection': {'ProjectionType': 'ALL'}, 'KeySchema': [
                    {'AttributeName': 'group', 'KeyType': 'HASH'}, {'AttributeName': 'rank', 'KeyType': 'RANGE'}]},
                {'IndexName': 'by_mark', 'Projection': {'ProjectionType': 'INCLUDE', 'NonKeyAttributes': ['note']},
                    'KeySchema': [{'AttributeName': 'mark', 'KeyType': 'HASH'}]}],
            'StreamSpecification': {'StreamEnabled': true, 'StreamViewType': 'NEW_AND_OLD_IMAGES'}})");
        made["TableName"] = name;
        return made;
    }

    /// The answer to what is not refused.
    auto ok(std::string_view operation, const json& body) -> json {
        const auto said = service.handle(operation, body);
        CAPTURE(body.dump());
        CAPTURE(said.body.dump());
        CHECK(said.status == 200);
        return said.body;
    }
    auto ok(std::string_view operation, const char* body) -> json { return ok(operation, quoted(body)); }

    /// `Name: message` of what is refused; empty where nothing is.
    [[nodiscard]] auto refused(std::string_view operation, const json& body) -> std::string {
        const auto said = service.handle(operation, body);
        if (said.status == 200) { return {}; }
        return said.body["__type"].get<std::string>() + ": " + said.body["message"].get<std::string>();
    }
    [[nodiscard]] auto refused(std::string_view operation, const char* body) -> std::string {
        return refused(operation, quoted(body));
    }

    [[nodiscard]] static auto key(const std::string& partition, const std::string& sort) -> json {
        return {{"PK", {{"S", partition}}}, {"SK", {{"S", sort}}}};
    }
    [[nodiscard]] static auto item(const std::string& partition, const std::string& sort,
                                   const std::string& more = "{}") -> json {
        auto made = key(partition, sort);
        made.update(quoted(more));
        return made;
    }
    [[nodiscard]] static auto put_of(const json& item) -> json { return {{"TableName", "items"}, {"Item", item}}; }
    void put(const std::string& partition, const std::string& sort, const std::string& more = "{}") {
        ok("PutItem", put_of(item(partition, sort, more)));
    }
    [[nodiscard]] auto get(const std::string& partition, const std::string& sort) -> json {
        const auto said = ok("GetItem", {{"TableName", "items"}, {"Key", key(partition, sort)}});
        return said.value("Item", json{});
    }
};

/// Whether the text has that part.
[[nodiscard]] inline auto has(std::string_view text, std::string_view part) -> bool {
    return text.find(part) != std::string_view::npos;
}

} // namespace support
