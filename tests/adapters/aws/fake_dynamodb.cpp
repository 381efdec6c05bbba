#include <fake_aws/dynamodb.hpp>

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <support/cases.hpp>

#include "asked_dynamodb.hpp"

namespace {

using nlohmann::json;
using support::asked_dynamodb;
using support::has;
using support::quoted;
using namespace std::chrono_literals;

using refusals = std::vector<std::pair<std::string, std::string>>;

TEST_CASE("a table is described as it was created, and is active at once") {
    asked_dynamodb asked;
    asked.put("a", "1", R"({'mark': {'S': 'm'}})");
    const auto table = asked.ok("DescribeTable", R"({'TableName': 'items'})")["Table"];
    const auto wanted = asked_dynamodb::table("items");
    CHECK(table["TableStatus"] == "ACTIVE");
    CHECK(table["KeySchema"] == wanted["KeySchema"]);
    CHECK(table["AttributeDefinitions"].size() == 5);
    CHECK(table["ItemCount"] == 1);
    CHECK(table["StreamSpecification"] == wanted["StreamSpecification"]);
    CHECK(table["LatestStreamArn"] == "arn:aws:dynamodb:us-east-1:123456789012:table/items/stream/" +
                                          table["LatestStreamLabel"].get<std::string>());
    CHECK(table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST");
    const auto& indexes = table["GlobalSecondaryIndexes"];
    REQUIRE(indexes.size() == 2);
    CHECK(indexes[0]["KeySchema"] == wanted["GlobalSecondaryIndexes"][0]["KeySchema"]);
    CHECK(indexes[1]["Projection"] == wanted["GlobalSecondaryIndexes"][1]["Projection"]);
    CHECK(indexes[0]["ItemCount"] == 0);
    CHECK(indexes[1]["ItemCount"] == 1);
}

TEST_CASE("a table that is created slowly takes no items until it is active") {
    asked_dynamodb asked;
    asked.service.create_slowly(2);
    CHECK(asked.ok("CreateTable", asked_dynamodb::table("other"))["TableDescription"]["TableStatus"] == "CREATING");
    const json put{{"TableName", "other"}, {"Item", asked_dynamodb::item("a", "1")}};
    const auto status = [&] { return asked.ok("DescribeTable", R"({'TableName': 'other'})")["Table"]["TableStatus"]; };
    CHECK(asked.refused("PutItem", put) == "ResourceNotFoundException: Requested resource not found");
    CHECK(status() == "CREATING");
    CHECK(has(asked.refused("DeleteTable", R"({'TableName': 'other'})"), "ResourceInUseException"));
    CHECK(status() == "CREATING");
    CHECK(status() == "ACTIVE");
    asked.ok("PutItem", put);
}

TEST_CASE("a table definition that does not hold together is refused") {
    asked_dynamodb asked;
    const auto changed = [](const std::string& pointer, const json& value) {
        auto made = asked_dynamodb::table("other");
        if (value.is_discarded()) {
            made.erase(pointer.substr(1));
        } else {
            made[json::json_pointer{pointer}] = value;
        }
        return made;
    };
    const json gone(json::value_t::discarded);
    CHECK(asked.refused("CreateTable", asked_dynamodb::table("items")) ==
          "ResourceInUseException: Table already exists: items");
    for (const auto& [body, part] : std::vector<std::pair<json, std::string>>{
             {changed("/TableName", "ab"), "length greater than or equal to 3"},
             {changed("/TableName", std::string(256, 'x')), "length less than or equal to 255"},
             {changed("/TableName", "a b"), "regular expression"},
             {changed("/BillingMode", gone), "BillingMode is PROVISIONED"},
             {changed("/BillingMode", "FREE"), "enum value set"},
             {changed("/KeySchema/0/KeyType", "RANGE"), "not a HASH key type"},
             {changed("/KeySchema/1/AttributeName", "PK"), "have the same name"},
             {changed("/AttributeDefinitions/0/AttributeName", "other"), "not defined in AttributeDefinitions"},
             {changed("/AttributeDefinitions/0/AttributeType", "SS"), "enum value set"},
             {changed("/AttributeDefinitions/5", {{"AttributeName", "x"}, {"AttributeType", "S"}}), "exactly match"},
             {changed("/GlobalSecondaryIndexes/1/IndexName", "by_group"), "Duplicate index name"},
             {changed("/GlobalSecondaryIndexes/1/Projection/ProjectionType", "ALL"), "NonKeyAttributes is specified"},
             {changed("/StreamSpecification/StreamViewType", "ALL"), "enum value set"},
             {changed("/StreamSpecification/StreamEnabled", false), "should not be specified"},
         }) {
        const auto said = asked.refused("CreateTable", body);
        const auto& tried = part;
        CAPTURE(tried);
        CHECK(said.starts_with("ValidationException"));
        CHECK(has(said, part));
    }
}

TEST_CASE("tables are listed by name in pages, and a deleted one is gone") {
    asked_dynamodb asked;
    for (const auto* name : {"zz1", "aa1", "mm1"}) { asked.ok("CreateTable", asked_dynamodb::table(name)); }
    CHECK(asked.ok("ListTables", "{}")["TableNames"] == json{"aa1", "items", "mm1", "zz1"});
    const auto first = asked.ok("ListTables", "{'Limit': 2}");
    CHECK(first["TableNames"] == json{"aa1", "items"});
    const auto rest = asked.ok("ListTables", {{"ExclusiveStartTableName", first["LastEvaluatedTableName"]}});
    CHECK(rest["TableNames"] == json{"mm1", "zz1"});
    CHECK(!rest.contains("LastEvaluatedTableName"));
    CHECK(has(asked.refused("ListTables", "{'Limit': 0}"), "greater than or equal to 1"));
    CHECK(has(asked.refused("ListTables", "{'Limit': 101}"), "less than or equal to 100"));
    asked.ok("DeleteTable", R"({'TableName': 'items'})");
    CHECK(asked.refused("DescribeTable", R"({'TableName': 'items'})") ==
          "ResourceNotFoundException: Requested resource not found: Table: items not found");
    CHECK(asked.refused("PutItem", asked_dynamodb::put_of(asked_dynamodb::item("a", "1"))) ==
          "ResourceNotFoundException: Requested resource not found");
    asked.ok("CreateTable", asked_dynamodb::table("items"));
    CHECK(asked.get("a", "1").is_null());
}

TEST_CASE("a time to live is enabled once, described, and disabled by its own name") {
    asked_dynamodb asked;
    const auto described = [&] {
        return asked.ok("DescribeTimeToLive", R"({'TableName': 'items'})")["TimeToLiveDescription"];
    };
    const auto update = [](bool enabled, const std::string& name) -> json {
        return {{"TableName", "items"}, {"TimeToLiveSpecification", {{"Enabled", enabled}, {"AttributeName", name}}}};
    };
    CHECK(described() == quoted("{'TimeToLiveStatus': 'DISABLED'}"));
    CHECK(has(asked.refused("UpdateTimeToLive", update(false, "expires")), "already disabled"));
    asked.ok("UpdateTimeToLive", update(true, "expires"));
    CHECK(described() == quoted("{'TimeToLiveStatus': 'ENABLED', 'AttributeName': 'expires'}"));
    CHECK(has(asked.refused("UpdateTimeToLive", update(true, "expires")), "already enabled"));
    CHECK(has(asked.refused("UpdateTimeToLive", update(false, "other")), "current AttributeName is expires"));
    asked.ok("UpdateTimeToLive", update(false, "expires"));
    CHECK(described() == quoted("{'TimeToLiveStatus': 'DISABLED'}"));
}

TEST_CASE("an item expires when the test says so and not before") {
    asked_dynamodb asked;
    asked.ok("UpdateTimeToLive",
             R"({'TableName': 'items', 'TimeToLiveSpecification': {'Enabled': true, 'AttributeName': 'expires'}})");
    asked.put("a", "1", R"({'expires': {'N': '1'}})");
    asked.clock.advance(48h);
    CHECK(!asked.get("a", "1").is_null());
    CHECK(asked.service.expire("items", asked_dynamodb::key("a", "1")));
    CHECK(asked.get("a", "1").is_null());
    CHECK(!asked.service.expire("items", asked_dynamodb::key("a", "1")));
}

TEST_CASE("what is put is got back, numbers in their plain form") {
    asked_dynamodb asked;
    const std::string all = R"({'s': {'S': ''}, 'b': {'B': 'AAH/'}, 'yes': {'BOOL': true}, 'none': {'NULL': true},
        'l': {'L': [{'N': '1'}, {'L': []}]}, 'm': {'M': {'': {'S': 'x'}}}, 'ss': {'SS': ['b', 'a']},
        'bs': {'BS': ['AQ==', 'AA==']}})";
    // A name in a map may be empty; an attribute's may not.
    CHECK(has(asked.refused("PutItem", asked_dynamodb::put_of(asked_dynamodb::item("a", "1", "{'': {'S': 'x'}}"))),
              "attribute name"));
    asked.put("a", "1", all);
    auto got = asked.get("a", "1");
    CHECK(got["ss"]["SS"].size() == 2);
    got["ss"] = quoted("{'SS': ['b', 'a']}");
    got["bs"] = quoted("{'BS': ['AQ==', 'AA==']}");
    CHECK(got == asked_dynamodb::item("a", "1", all));
    const std::string digits = "12345678901234567890123456789012345678";
    for (const auto& [written, plain] : refusals{{"0.90", "0.9"},
                                                 {"-0", "0"},
                                                 {"0e500", "0"},
                                                 {"+0007.0", "7"},
                                                 {"1E3", "1000"},
                                                 {"12.5e-3", "0.0125"},
                                                 {"1e-130", "0." + std::string(129, '0') + "1"},
                                                 {"-1E125", "-1" + std::string(125, '0')},
                                                 {digits, digits},
                                                 {digits + "000", digits + "000"},
                                                 {"0.00" + digits, "0.00" + digits}}) {
        const auto& tried = written;
        CAPTURE(tried);
        asked.put("a", "n", "{'n': {'N': '" + written + "'}, 'l': {'L': [{'NS': ['" + written + "']}]}}");
        const auto item = asked.get("a", "n");
        CHECK(item["n"]["N"] == plain);
        CHECK(item["l"]["L"][0]["NS"][0] == plain);
    }
}

TEST_CASE("what is no value is refused") {
    asked_dynamodb asked;
    for (const auto& [value, part] : refusals{
             {"{'N': ''}", "cannot be converted to a numeric value"},
             {"{'N': ' 1'}", "cannot be converted to a numeric value:  1"},
             {"{'N': 'NaN'}", "cannot be converted to a numeric value: NaN"},
             {"{'N': '123456789012345678901234567890123456789'}", "more than 38 significant digits"},
             {"{'N': '1e126'}", "Number overflow"},
             {"{'N': '-9e-131'}", "Number underflow"},
             {"{'N': 1}", "SerializationException"},
             {"{'S': 1}", "SerializationException"},
             {"{'BOOL': 'true'}", "SerializationException"},
             {"{'NULL': false}", "Null attribute value types must have the value of true"},
             {"{'B': 'AAE'}", "SerializationException"},
             {"{'B': '@@@@'}", "SerializationException"},
             {"{'SS': []}", "An string set  may not be empty"},
             {"{'NS': []}", "An number set  may not be empty"},
             {"{'BS': []}", "Binary sets should not be empty"},
             {"{'SS': ['a', 'b', 'a']}", "Input collection [a, b, a] contains duplicates."},
             {"{'NS': ['1', '1.0']}", "Input collection contains duplicates"},
             {"{'BS': ['AA==', 'AA==']}", "of type BS contains duplicates."},
             {"{}", "Supplied AttributeValue is empty"},
             {"{'X': 'a'}", "Supplied AttributeValue is empty"},
             {"{'S': 'a', 'N': '1'}", "more than one datatypes set"},
             {"'a'", "SerializationException"},
             {"{'L': {}}", "SerializationException"},
             {"{'M': []}", "SerializationException"},
         }) {
        for (const auto* around : {"%", "{'L': [%]}", "{'M': {'x': %}}"}) {
            std::string whole = around;
            whole.replace(whole.find('%'), 1, value);
            CAPTURE(whole);
            const auto said = asked.refused(
                "PutItem", asked_dynamodb::put_of(asked_dynamodb::item("a", "1", "{'v': " + whole + "}")));
            CHECK(has(said, part));
        }
    }
    CHECK(asked.get("a", "1").is_null());
    json deep = quoted("{'S': 'x'}");
    for (int i = 0; i < 32; ++i) { deep = {{"L", json::array({deep})}}; }
    auto item = asked_dynamodb::item("a", "1");
    item["v"] = deep;
    CHECK(asked.refused("PutItem", asked_dynamodb::put_of(item)) == "");
    item["v"] = {{"L", json::array({deep})}};
    CHECK(has(asked.refused("PutItem", asked_dynamodb::put_of(item)), "Nesting Levels"));
}

TEST_CASE("keys have their type, are not empty and have at most 2048 and 1024 bytes") {
    asked_dynamodb asked;
    const auto said_of = [&](const json& item) { return asked.refused("PutItem", asked_dynamodb::put_of(item)); };
    const auto item = [](const std::string& more) { return asked_dynamodb::item("a", "1", more); };
    CHECK(has(said_of(quoted("{'PK': {'S': 'a'}}")), "Missing the key SK in the item"));
    CHECK(has(said_of(item("{'SK': {'N': '1'}}")), "Type mismatch for key SK expected: S actual: N"));
    CHECK(has(said_of(item("{'PK': {'S': ''}}")), "cannot contain an empty string value. Key: PK"));
    CHECK(has(said_of(item("{'rank': {'S': '1'}}")),
              "Type mismatch for Index Key rank Expected: N Actual: S IndexName: by_group"));
    CHECK(has(said_of(item("{'group': {'S': ''}}")), "IndexName: by_group, IndexKey: group"));
    CHECK(said_of(asked_dynamodb::item(std::string(2'048, 'x'), std::string(1'024, 'y'))) == "");
    CHECK(has(said_of(asked_dynamodb::item(std::string(2'049, 'x'), "1")), "maximum size limit of2048 bytes"));
    CHECK(has(said_of(asked_dynamodb::item("a", std::string(1'025, 'x'))), "size limit of 1024 bytes"));
    CHECK(said_of(item("{'mark': {'S': '" + std::string(2'048, 'x') + "'}}")) == "");
    CHECK(has(said_of(item("{'mark': {'S': '" + std::string(2'049, 'x') + "'}}")), "of2048 bytes"));
    for (const auto* bad : {"{'PK': {'S': 'a'}}", "{'PK': {'S': 'a'}, 'SK': {'N': '1'}}",
                            "{'PK': {'S': 'a'}, 'SK': {'S': '1'}, 'x': {'S': '1'}}"}) {
        for (const auto* operation : {"GetItem", "DeleteItem", "UpdateItem"}) {
            CHECK(asked.refused(operation, {{"TableName", "items"}, {"Key", quoted(bad)}}) ==
                  "ValidationException: The provided key element does not match the schema");
        }
    }
}

TEST_CASE("an item has at most 400 KB, its names and overheads counted") {
    asked_dynamodb asked;
    // PK a, SK 1: 2 + 1 + 2 + 1; n -1.5: 1 + 3; l: 1 + 3 + (1 + 1); m: 1 + 3 + 1 + (1 + 2); f takes the rest.
    const std::string more = R"({'n': {'N': '-1.5'}, 'l': {'L': [{'NULL': true}]}, 'm': {'M': {'k': {'B': 'AAA='}}}})";
    const std::size_t rest = 409'600 - (6 + 4 + 6 + 8 + 1);
    auto item = asked_dynamodb::item("a", "1", more);
    item["f"] = {{"S", std::string(rest, 'x')}};
    CHECK(asked.refused("PutItem", asked_dynamodb::put_of(item)) == "");
    item["f"] = {{"S", std::string(rest + 1, 'x')}};
    CHECK(asked.refused("PutItem", asked_dynamodb::put_of(item)) ==
          "ValidationException: Item size has exceeded the maximum allowed size");
    auto update = quoted(R"({'TableName': 'items', 'Key': {'PK': {'S': 'a'}, 'SK': {'S': '1'}},
        'UpdateExpression': 'SET g = :g', 'ExpressionAttributeValues': {':g': {'S': ''}}})");
    CHECK(asked.refused("UpdateItem", update) ==
          "ValidationException: Item size to update has exceeded the maximum allowed size");
    CHECK(!asked.get("a", "1").contains("g"));
}

TEST_CASE("a write whose condition does not hold changes nothing, and gives the item back where asked") {
    asked_dynamodb asked;
    asked.put("a", "1", "{'v': {'N': '1'}}");
    auto put = asked_dynamodb::put_of(asked_dynamodb::item("a", "1", "{'v': {'N': '2'}}"));
    put["ConditionExpression"] = "attribute_not_exists(PK)";
    const auto said = asked.service.handle("PutItem", put);
    CHECK(said.status == 400);
    CHECK(said.body ==
          quoted("{'__type': 'ConditionalCheckFailedException', 'message': 'The conditional request failed'}"));
    put["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD";
    CHECK(asked.service.handle("PutItem", put).body["Item"] == asked_dynamodb::item("a", "1", "{'v': {'N': '1'}}"));
    auto absent = put;
    absent["Item"] = asked_dynamodb::item("a", "2");
    absent["ConditionExpression"] = "attribute_exists(PK)";
    CHECK(!asked.service.handle("PutItem", absent).body.contains("Item"));
    auto erase = quoted(R"({'TableName': 'items', 'Key': {'PK': {'S': 'a'}, 'SK': {'S': '1'}},
        'ConditionExpression': 'v = :v', 'ExpressionAttributeValues': {':v': {'N': '3'}}})");
    CHECK(has(asked.refused("DeleteItem", erase), "ConditionalCheckFailed"));
    auto update = erase;
    update["UpdateExpression"] = "SET v = :v";
    CHECK(has(asked.refused("UpdateItem", update), "ConditionalCheckFailed"));
    CHECK(asked.get("a", "1")["v"]["N"] == "1");
    erase["ExpressionAttributeValues"][":v"]["N"] = "1.00";
    asked.ok("DeleteItem", erase);
    CHECK(asked.get("a", "1").is_null());
}

TEST_CASE("a write returns what it is asked to return") {
    asked_dynamodb asked;
    auto put = asked_dynamodb::put_of(asked_dynamodb::item("a", "1", "{'v': {'N': '1'}}"));
    put["ReturnValues"] = "ALL_OLD";
    CHECK(asked.ok("PutItem", put) == json::object());
    CHECK(asked.ok("PutItem", put)["Attributes"] == put["Item"]);
    put["ReturnValues"] = "ALL_NEW";
    CHECK(has(asked.refused("PutItem", put), "ReturnValues can only be ALL_OLD or NONE"));
    auto update = quoted(R"({'TableName': 'items', 'Key': {'PK': {'S': 'a'}, 'SK': {'S': '1'}},
        'UpdateExpression': 'SET v = v + :one, w = :one REMOVE gone',
        'ExpressionAttributeValues': {':one': {'N': '1'}}})");
    const auto returned = [&](const char* which) {
        asked.ok("PutItem", asked_dynamodb::put_of(put["Item"]));
        update["ReturnValues"] = which;
        return asked.ok("UpdateItem", update).value("Attributes", json{});
    };
    CHECK(returned("NONE").is_null());
    CHECK(returned("ALL_OLD") == put["Item"]);
    CHECK(returned("UPDATED_OLD") == quoted("{'v': {'N': '1'}}"));
    CHECK(returned("UPDATED_NEW") == quoted("{'v': {'N': '2'}, 'w': {'N': '1'}}"));
    CHECK(returned("ALL_NEW") == asked_dynamodb::item("a", "1", "{'v': {'N': '2'}, 'w': {'N': '1'}}"));
    update["Key"] = asked_dynamodb::key("a", "9");
    update.erase("UpdateExpression");
    update.erase("ExpressionAttributeValues");
    CHECK(asked.ok("UpdateItem", update)["Attributes"] == asked_dynamodb::item("a", "9"));
}

TEST_CASE("a batch writes up to 25 items of several tables, none twice, and nothing of it where one is refused") {
    asked_dynamodb asked;
    asked.ok("CreateTable", asked_dynamodb::table("other"));
    asked.put("gone", "1");
    const auto put = [](const std::string& sort) -> json {
        return {{"PutRequest", {{"Item", asked_dynamodb::item("a", sort)}}}};
    };
    const auto erase = [](const std::string& partition, const std::string& sort) -> json {
        return {{"DeleteRequest", {{"Key", asked_dynamodb::key(partition, sort)}}}};
    };
    json batch;
    auto& requests = batch["RequestItems"]["items"];
    for (int i = 0; i < 23; ++i) { requests.push_back(put(std::to_string(i))); }
    requests.push_back(erase("gone", "1"));
    batch["RequestItems"]["other"] = json::array({put("0")});
    CHECK(asked.ok("BatchWriteItem", batch) == quoted("{'UnprocessedItems': {}}"));
    CHECK(asked.service.items("items").size() == 23);
    CHECK(asked.service.items("other").size() == 1);
    requests.push_back(put("25"));
    CHECK(has(asked.refused("BatchWriteItem", batch), "Too many items requested"));
    requests = json::array({put("30"), erase("a", "30")});
    CHECK(has(asked.refused("BatchWriteItem", batch), "contains duplicates"));
    requests = json::array({put("30"), put("")});
    CHECK(has(asked.refused("BatchWriteItem", batch), "empty string value"));
    requests = json::array({put("30")});
    batch["RequestItems"]["missing"] = json::array({put("0")});
    CHECK(has(asked.refused("BatchWriteItem", batch), "ResourceNotFoundException"));
    CHECK(has(asked.refused("BatchWriteItem", "{'RequestItems': {}}"), "requestItems"));
    CHECK(has(asked.refused("BatchWriteItem", "{'RequestItems': {'items': []}}"), "requestItems"));
    CHECK(asked.get("a", "30").is_null());
}

TEST_CASE("what the fake does not know it refuses, and does not ignore") {
    asked_dynamodb asked;
    auto put = asked_dynamodb::put_of(asked_dynamodb::item("a", "1"));
    put["Expected"] = json::object();
    CHECK(asked.service.handle("PutItem", put).status == 501);
    CHECK(asked.get("a", "1").is_null());
    CHECK(has(asked.refused("Nothing", "{}"), "UnknownOperationException"));
    CHECK(has(asked.refused("PutItem", "[]"), "SerializationException"));
    CHECK(has(asked.refused("GetItem", "{'TableName': 1, 'Key': {'PK': {'S': 'a'}}}"), "SerializationException"));
    CHECK(has(asked.refused("GetItem", "{'Key': {}}"), "must not be null"));
    CHECK(has(asked.refused("GetItem", "{'TableName': 'items'}"), "'Key' is required"));
}

TEST_CASE("writers on several threads come one after the other") {
    asked_dynamodb asked;
    const auto update = quoted(R"({'TableName': 'items', 'Key': {'PK': {'S': 'a'}, 'SK': {'S': '1'}},
        'UpdateExpression': 'ADD n :one', 'ExpressionAttributeValues': {':one': {'N': '1'}}})");
    std::vector<std::thread> writers;
    for (int i = 0; i < 4; ++i) {
        writers.emplace_back([&] {
            for (int k = 0; k < 100; ++k) { static_cast<void>(asked.service.handle("UpdateItem", update)); }
        });
    }
    for (auto& writer : writers) { writer.join(); }
    CHECK(asked.get("a", "1")["n"]["N"] == "400");
}

/// A number of up to 18 digits as a count of 10^-9, and its text.
[[nodiscard]] auto fixed_text(std::int64_t billionths) -> std::string {
    const auto digits = std::to_string(billionths < 0 ? -billionths : billionths);
    const auto padded = std::string(digits.size() < 10 ? 10 - digits.size() : 0, '0') + digits;
    return (billionths < 0 ? "-" : "") + padded.substr(0, padded.size() - 9) + "." + padded.substr(padded.size() - 9);
}

TEST_CASE("numbers add, compare and are ordered as whole numbers of billionths do") {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const auto any = [&] {
        auto value = static_cast<std::int64_t>(random() % 1'000'000'000'000'000'000U);
        for (auto cut = random() % 18; cut != 0; --cut) { value /= 10; }
        for (auto shift = random() % 4; shift != 0; --shift) { value = value / 1'000 * 1'000; }
        return random() % 2 == 0 ? value : -value;
    };
    using namespace fake_aws::ddb;
    for (std::size_t i = 0; i < support::cases(3'000); ++i) {
        const auto a = any();
        const auto b = random() % 8 == 0 ? -a : any();
        CAPTURE(a);
        CAPTURE(b);
        const auto left = read_decimal(fixed_text(a));
        const auto right = read_decimal(fixed_text(b));
        CHECK(plain_text(sum(left, right)) == plain_text(read_decimal(fixed_text(a + b))));
        CHECK(plain_text(sum(left, negated(right))) == plain_text(read_decimal(fixed_text(a - b))));
        CHECK(compare_numbers(plain_text(left), plain_text(right)) == (a <=> b));
        CHECK(ordered_bytes(left).compare(ordered_bytes(right)) <=> 0 == (a <=> b));
    }
}

} // namespace
