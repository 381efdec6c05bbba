#include <adapters/aws/table_admin.hpp>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <doctest/doctest.h>

#include <adapters/aws/client.hpp>
#include <adapters/aws/table.hpp>
#include <fake_aws/server.hpp>
#include <freshet/core/result.hpp>
#include <freshet/testing/manual_clock.hpp>

#include "hooked_dynamodb.hpp"

namespace {

using adapters::aws::create_table;
using adapters::aws::describe_table;
using adapters::aws::table_name_from_environment;
using freshet::errc;
using nlohmann::json;

const adapters::item_table_options receipts{.name = "receipts",
                                            .indexes = {{"GSI1", "GSI1PK", "GSI1SK"}, {"GSI3", "GSI3PK"}}};

struct on_fake {
    freshet::testing::manual_clock clock{};
    fake_aws::server server{[this] { return clock.now(); }};
    adapters::aws::client client{server.settings()};
};

[[nodiscard]] auto is_denied(const auto& outcome, std::string_view words) -> bool {
    return !outcome.ok() && outcome.why().code == errc::denied && outcome.why().note.starts_with("table ") &&
           outcome.why().note.find(words) != std::string::npos && outcome.why().note.find('\n') == std::string::npos;
}

/// What a service's answer to `DescribeTable` is understood as.
[[nodiscard]] auto described(const json& table) -> freshet::result<adapters::aws::table_description> {
    hooked_dynamodb service;
    service.before([&](std::string_view operation, const json&) -> std::optional<fake_aws::answer> {
        if (operation == "DescribeTable") { return fake_aws::answer{200, json{{"Table", table}}}; }
        return fake_aws::answer{200, json{{"TimeToLiveDescription", {{"TimeToLiveStatus", "DISABLED"}}}}};
    });
    return describe_table(service.client(), "t");
}

[[nodiscard]] auto attribute(const char* name, const char* type) -> json {
    return {{"AttributeName", name}, {"AttributeType", type}};
}
[[nodiscard]] auto key_part(const char* name, const char* kind) -> json {
    return {{"AttributeName", name}, {"KeyType", kind}};
}

} // namespace

TEST_CASE("a table is described as it was made") {
    on_fake on;
    REQUIRE(create_table(on.client, receipts, {.stream = true, .ttl_attribute = "expires"}).ok());
    const auto found = describe_table(on.client, "receipts");
    REQUIRE(found.ok());
    CHECK(found->options.name == "receipts");
    CHECK(found->options.partition == "PK");
    CHECK(found->options.sort == "SK");
    REQUIRE(found->options.indexes.size() == 2);
    CHECK(adapters::aws::detail::same_keys(found->options, receipts));
    CHECK(found->options.region == "us-east-1");
    CHECK(found->options.account.size() == 12);
    CHECK(found->status == "ACTIVE");
    CHECK(found->stream_arn.starts_with("arn:aws:dynamodb:us-east-1:"));
    CHECK(found->stream_arn.find(":table/receipts/stream/") != std::string::npos);
    CHECK(found->ttl_attribute == "expires");
    CHECK(found->items == 0);

    REQUIRE(create_table(on.client, {.name = "ids", .partition = "id", .sort = ""}).ok());
    const auto plain = describe_table(on.client, "ids");
    REQUIRE(plain.ok());
    CHECK(plain->options.partition == "id");
    CHECK(plain->options.sort.empty());
    CHECK(plain->options.indexes.empty());
    CHECK(plain->stream_arn.empty());
    CHECK(plain->ttl_attribute.empty());
    adapters::aws::table table{on.client, plain->options};
    CHECK(table.put(*freshet::document::parse(R"({"id":{"S":"7"}})")).ok());
    CHECK(describe_table(on.client, "ids")->items == 1);
}

TEST_CASE("a table that is there is made once, and one with other keys is denied") {
    on_fake on;
    for (int i = 0; i < 2; ++i) {
        CHECK(create_table(on.client, receipts, {.stream = true, .ttl_attribute = "expires"}).ok());
    }
    CHECK(create_table(on.client, receipts).ok());
    CHECK(create_table(on.client, {.name = "receipts"}).ok());
    CHECK(is_denied(create_table(on.client, {.name = "receipts", .sort = ""}), "other keys"));
    CHECK(is_denied(create_table(on.client, {.name = "receipts", .indexes = {{"GSI2", "a", "b"}}}), "other keys"));
    CHECK(is_denied(create_table(on.client, receipts, {.ttl_attribute = "until"}), "another attribute"));
    REQUIRE(create_table(on.client, {.name = "bare"}).ok());
    CHECK(is_denied(create_table(on.client, {.name = "bare"}, {.stream = true}), "without a stream"));
    CHECK(create_table(on.client, {.name = "bare"}, {.ttl_attribute = "expires"}).ok());
    CHECK(describe_table(on.client, "bare")->ttl_attribute == "expires");
}

TEST_CASE("a table that there is not is denied, and a name that none can have is malformed") {
    on_fake on;
    CHECK(is_denied(describe_table(on.client, "nowhere"), "no such table"));
    const auto odd = create_table(on.client, {.name = "a\n\xff"});
    REQUIRE(!odd.ok());
    CHECK(odd.why().code == errc::malformed);
    CHECK(odd.why().note.find('\n') == std::string::npos);
}

TEST_CASE("who makes a table waits until it can be used, and not for ever") {
    hooked_dynamodb service;
    int described_times = 0;
    int never = 0;
    service.before([&](std::string_view operation, const json&) -> std::optional<fake_aws::answer> {
        if (operation != "DescribeTable") { return std::nullopt; }
        ++described_times;
        if (described_times == 1) { return fake_aws::refusal("ResourceNotFoundException", "not yet"); }
        if (described_times == 2 || never != 0) {
            return fake_aws::answer{200, json{{"Table",
                                               {{"TableStatus", "CREATING"},
                                                {"KeySchema", {key_part("PK", "HASH")}},
                                                {"AttributeDefinitions", {attribute("PK", "S")}}}}}};
        }
        return std::nullopt;
    });
    CHECK(create_table(service.client(), receipts).ok());
    CHECK(described_times >= 3);
    never = 1;
    const auto late = create_table(service.client(), {.name = "late"}, {.patience = std::chrono::milliseconds{1}});
    REQUIRE(!late.ok());
    CHECK(late.why().code == errc::unavailable);
    CHECK(late.why().note == "table late: it was made and is still CREATING");
}

TEST_CASE("a description has the indexes that can be used: keys of type S, one of each kind, all attributes") {
    const auto index = [](const char* name, json keys, const char* projection) {
        return json{
            {"IndexName", name}, {"KeySchema", std::move(keys)}, {"Projection", {{"ProjectionType", projection}}}};
    };
    const json table{
        {"TableName", "t"},
        {"TableStatus", "UPDATING"},
        {"TableArn", "arn:aws:dynamodb:eu-central-1:111122223333:table/t"},
        {"ItemCount", 12},
        {"KeySchema", {key_part("p", "HASH"), key_part("s", "RANGE")}},
        {"AttributeDefinitions",
         {attribute("p", "S"), attribute("s", "S"), attribute("n", "N"), attribute("a", "S"), attribute("b", "S")}},
        {"LatestStreamArn", "arn:aws:dynamodb:eu-central-1:111122223333:table/t/stream/x"},
        {"StreamSpecification", {{"StreamEnabled", true}, {"StreamViewType", "KEYS_ONLY"}}},
        {"GlobalSecondaryIndexes",
         {index("all", {key_part("a", "HASH"), key_part("p", "RANGE")}, "ALL"),
          index("number", {key_part("a", "HASH"), key_part("n", "RANGE")}, "ALL"),
          index("keys only", {key_part("a", "HASH")}, "KEYS_ONLY"),
          index("many", {key_part("a", "HASH"), key_part("b", "HASH")}, "ALL")}},
        {"LocalSecondaryIndexes", {index("local", {key_part("p", "HASH"), key_part("b", "RANGE")}, "ALL")}}};
    const auto found = described(table);
    REQUIRE(found.ok());
    REQUIRE(found->options.indexes.size() == 2);
    CHECK(found->options.indexes[0].name == "all");
    CHECK(found->options.indexes[0].sort == "p");
    CHECK(found->options.indexes[1].name == "local");
    CHECK(found->status == "UPDATING");
    CHECK(found->items == 12);
    CHECK(found->options.region == "eu-central-1");
    CHECK(found->options.account == "111122223333");
    CHECK_MESSAGE(found->stream_arn.empty(), "a stream without images is of no use");
    CHECK(
        is_denied(described({{"KeySchema", {key_part("n", "HASH")}}, {"AttributeDefinitions", {attribute("n", "N")}}}),
                  "not of type S"));
    CHECK(is_denied(described(json::object()), "not of type S"));
}

TEST_CASE("an emulator that expires nothing is described all the same") {
    hooked_dynamodb service;
    REQUIRE(create_table(service.client(), receipts).ok());
    service.before([&](std::string_view operation, const json&) -> std::optional<fake_aws::answer> {
        if (operation == "DescribeTimeToLive") { return fake_aws::refusal("UnknownOperationException", ""); }
        return std::nullopt;
    });
    CHECK(describe_table(service.client(), "receipts").ok());
}

TEST_CASE("the environment names the table, or the line says that it does not") {
    REQUIRE(::setenv("DYNAMODB_TABLE_NAME", "receipts", 1) == 0);
    CHECK(*table_name_from_environment() == "receipts");
    for (const bool empty : {true, false}) {
        if (empty) {
            REQUIRE(::setenv("DYNAMODB_TABLE_NAME", "", 1) == 0);
        } else {
            REQUIRE(::unsetenv("DYNAMODB_TABLE_NAME") == 0);
        }
        const auto none = table_name_from_environment();
        REQUIRE(!none.ok());
        CHECK(none.why().code == errc::denied);
        CHECK(none.why().note.find("DYNAMODB_TABLE_NAME") != std::string::npos);
    }
}
