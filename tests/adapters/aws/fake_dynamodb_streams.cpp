#include <fake_aws/dynamodb_streams.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
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

/// The stream of a table of an `asked_dynamodb`.
struct asked_stream {
    asked_dynamodb& asked;
    std::string arn;

    explicit asked_stream(asked_dynamodb& of, const std::string& table = "items")
        : asked{of}, arn{of.ok("DescribeTable", {{"TableName", table}})["Table"]["LatestStreamArn"]} {}

    [[nodiscard]] auto description(json more = json::object()) const -> json {
        more["StreamArn"] = arn;
        return asked.ok("DescribeStream", more)["StreamDescription"];
    }
    [[nodiscard]] auto shards() const -> json { return description()["Shards"]; }
    [[nodiscard]] auto shard() const -> std::string { return shards()[0]["ShardId"]; }

    [[nodiscard]] auto place(const std::string& shard, const std::string& type, const std::string& number = "") const
        -> json {
        json body{{"StreamArn", arn}, {"ShardId", shard}, {"ShardIteratorType", type}};
        if (!number.empty()) { body["SequenceNumber"] = number; }
        return body;
    }
    [[nodiscard]] auto iterator(const std::string& shard, const std::string& type = "TRIM_HORIZON",
                                const std::string& number = "") const -> std::string {
        return asked.ok("GetShardIterator", place(shard, type, number))["ShardIterator"];
    }
    [[nodiscard]] auto read(const std::string& from, std::size_t limit = 1'000) const -> json {
        return asked.ok("GetRecords", {{"ShardIterator", from}, {"Limit", limit}});
    }
    /// Every record of a shard from an iterator on.
    [[nodiscard]] auto rest(std::string from, std::size_t limit = 1'000) const -> std::vector<json> {
        std::vector<json> records;
        while (true) {
            const auto answer = read(from, limit);
            for (const auto& record : answer["Records"]) { records.push_back(record); }
            if (answer["Records"].empty() || !answer.contains("NextShardIterator")) { return records; }
            from = answer["NextShardIterator"];
        }
    }
    [[nodiscard]] auto all() const -> std::vector<json> { return rest(iterator(shard())); }
};

[[nodiscard]] auto number_of(const json& record) -> std::string { return record["dynamodb"]["SequenceNumber"]; }

/// Decimal texts without leading zeros, by their value.
[[nodiscard]] auto before(const std::string& a, const std::string& b) -> bool {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
}

TEST_CASE("a write that changes an item is told with its images, and one that changes nothing is not told") {
    asked_dynamodb asked;
    const asked_stream stream{asked};
    const auto key = asked_dynamodb::key("a", "1");
    const json named{{"TableName", "items"}, {"Key", key}};
    asked.put("a", "1", "{'n': {'N': '1.0'}, 's': {'SS': ['a', 'b']}}");
    asked.put("a", "1", "{'n': {'N': '1'}, 's': {'SS': ['b', 'a']}}");
    asked.ok("UpdateItem", named);
    asked.clock.advance(1s + 300ms);
    auto update = named;
    update.update(quoted("{'UpdateExpression': 'SET n = :n', 'ExpressionAttributeValues': {':n': {'N': '2'}}}"));
    asked.ok("UpdateItem", update);
    asked.ok("UpdateItem", update);
    asked.ok("DeleteItem", named);
    asked.ok("DeleteItem", named);
    auto refused = asked_dynamodb::put_of(asked_dynamodb::item("a", "1"));
    refused["ConditionExpression"] = "attribute_exists(PK)";
    CHECK(has(asked.refused("PutItem", refused), "ConditionalCheckFailed"));

    const auto records = stream.all();
    REQUIRE(records.size() == 3);
    const auto first = asked_dynamodb::item("a", "1", "{'n': {'N': '1'}, 's': {'SS': ['a', 'b']}}");
    const auto second = asked_dynamodb::item("a", "1", "{'n': {'N': '2'}, 's': {'SS': ['a', 'b']}}");
    const std::vector<json> images{json{{"NewImage", first}}, json{{"NewImage", second}, {"OldImage", first}},
                                   json{{"OldImage", second}}};
    const std::vector<std::string> events{"INSERT", "MODIFY", "REMOVE"};
    std::set<std::string> ids;
    for (std::size_t i = 0; i < 3; ++i) {
        const auto& record = records[i];
        CAPTURE(record.dump());
        CHECK(record["eventName"] == events[i]);
        CHECK(record["eventVersion"] == "1.1");
        CHECK(record["eventSource"] == "aws:dynamodb");
        CHECK(record["awsRegion"] == "us-east-1");
        CHECK(ids.insert(record["eventID"]).second);
        CHECK(record.size() == 6);
        auto data = record["dynamodb"];
        CHECK(data["Keys"] == key);
        CHECK(data["StreamViewType"] == "NEW_AND_OLD_IMAGES");
        CHECK(data["ApproximateCreationDateTime"].is_number_integer());
        CHECK(data["ApproximateCreationDateTime"] == (i == 0 ? 1'736'936'000 : 1'736'936'001));
        CHECK(data["SizeBytes"] == (i == 1 ? 6 + 12 + 12 : 6 + 12));
        for (const auto* rest :
             {"Keys", "StreamViewType", "ApproximateCreationDateTime", "SizeBytes", "SequenceNumber"}) {
            data.erase(rest);
        }
        CHECK(data == images[i]);
        CHECK((i == 0 || before(number_of(records[i - 1]), number_of(record))));
    }
}

TEST_CASE("an expiry is told as a removal by the service, and no other removal is") {
    asked_dynamodb asked;
    const asked_stream stream{asked};
    asked.put("a", "1");
    asked.put("a", "2");
    CHECK(asked.service.expire("items", asked_dynamodb::key("a", "1")));
    asked.ok("DeleteItem", {{"TableName", "items"}, {"Key", asked_dynamodb::key("a", "2")}});
    const auto records = stream.all();
    REQUIRE(records.size() == 4);
    CHECK(records[2]["eventName"] == "REMOVE");
    CHECK(records[2]["userIdentity"] == quoted("{'PrincipalId': 'dynamodb.amazonaws.com', 'Type': 'Service'}"));
    CHECK(records[3]["eventName"] == "REMOVE");
    CHECK(!records[3].contains("userIdentity"));
}

TEST_CASE("a stream carries the images that its view type names") {
    for (const auto& [view, sides] :
         std::map<std::string, std::set<std::string>>{{"KEYS_ONLY", {}},
                                                      {"NEW_IMAGE", {"NewImage"}},
                                                      {"OLD_IMAGE", {"OldImage"}},
                                                      {"NEW_AND_OLD_IMAGES", {"NewImage", "OldImage"}}}) {
        const auto& tried = view;
        CAPTURE(tried);
        asked_dynamodb asked;
        auto table = asked_dynamodb::table("other");
        table["StreamSpecification"]["StreamViewType"] = view;
        asked.ok("CreateTable", table);
        for (const auto* note : {"x", "y"}) {
            auto item = asked_dynamodb::item("a", "1");
            item["note"]["S"] = note;
            asked.ok("PutItem", {{"TableName", "other"}, {"Item", item}});
        }
        const asked_stream stream{asked, "other"};
        CHECK(stream.description()["StreamViewType"] == view);
        const auto records = stream.all();
        REQUIRE(records.size() == 2);
        for (const auto* side : {"NewImage", "OldImage"}) {
            CHECK(records[1]["dynamodb"].contains(side) == sides.contains(side));
        }
    }
}

TEST_CASE("times have a fraction where the test wants one") {
    asked_dynamodb asked;
    const asked_stream stream{asked};
    asked.service.give_fractional_times();
    asked.clock.advance(250ms);
    asked.put("a", "1");
    CHECK(stream.all()[0]["dynamodb"]["ApproximateCreationDateTime"] == 1'736'936'000.25);
}

TEST_CASE("sequence numbers ascend by value, and soon not as texts") {
    asked_dynamodb asked;
    const asked_stream stream{asked};
    for (int i = 0; i < 60; ++i) { asked.put("a", std::to_string(i)); }
    const auto records = stream.all();
    REQUIRE(records.size() == 60);
    bool as_texts = true;
    for (std::size_t i = 1; i < 60; ++i) {
        CHECK(before(number_of(records[i - 1]), number_of(records[i])));
        as_texts = as_texts && number_of(records[i - 1]) < number_of(records[i]);
    }
    CHECK(!as_texts);
}

TEST_CASE("iterators begin at the oldest record, behind the newest, at a record and behind it") {
    asked_dynamodb asked;
    const asked_stream stream{asked};
    const auto shard = stream.shard();
    const auto empty = stream.iterator(shard, "LATEST");
    for (int i = 0; i < 5; ++i) { asked.put("a", std::to_string(i)); }
    const auto all = stream.all();
    REQUIRE(all.size() == 5);
    const auto from = [&](std::size_t first) {
        return std::vector<json>(all.begin() + static_cast<long>(first), all.end());
    };
    CHECK(stream.rest(empty) == all);
    CHECK(stream.rest(stream.iterator(shard, "LATEST")).empty());
    for (std::size_t i = 0; i < 5; ++i) {
        CHECK(stream.rest(stream.iterator(shard, "AT_SEQUENCE_NUMBER", number_of(all[i])), 2) == from(i));
        CHECK(stream.rest(stream.iterator(shard, "AFTER_SEQUENCE_NUMBER", number_of(all[i])), 1) == from(i + 1));
    }
    const std::string first = stream.shards()[0]["SequenceNumberRange"]["StartingSequenceNumber"];
    CHECK(stream.rest(stream.iterator(shard, "AT_SEQUENCE_NUMBER", first)) == all);
    // An end that was read to goes on with what is written later.
    const std::string end = stream.read(stream.iterator(shard))["NextShardIterator"];
    asked.put("b", "1");
    CHECK(stream.rest(end).size() == 1);
    CHECK(stream.rest(end).size() == 1);
}

TEST_CASE("a request of streams that cannot be right is refused") {
    asked_dynamodb asked;
    const asked_stream stream{asked};
    asked.put("a", "1");
    const auto shard = stream.shard();
    const auto number = number_of(stream.all()[0]);
    const auto said = [&](const json& body) { return asked.refused("GetShardIterator", body); };
    CHECK(has(said(stream.place("shardId-0", "LATEST")), "ResourceNotFoundException"));
    CHECK(has(said(stream.place(shard, "NEWEST")), "enum value set"));
    CHECK(has(said(stream.place(shard, "AT_SEQUENCE_NUMBER")), "SequenceNumber is required"));
    CHECK(has(said(stream.place(shard, "LATEST", number)), "SequenceNumber is not allowed"));
    for (const std::string bad : {"1", "x", "100000000x", "10000000009999999000", "199999999999999999999999"}) {
        CHECK(has(said(stream.place(shard, "AFTER_SEQUENCE_NUMBER", bad)), "ValidationException"));
    }
    auto other = stream.place(shard, "LATEST");
    other["StreamArn"] = stream.arn + "x";
    CHECK(has(said(other), "ResourceNotFoundException"));
    other["StreamArn"] = "arn";
    CHECK(has(said(other), "ValidationException"));
    CHECK(has(asked.refused("GetRecords", "{'ShardIterator': 'x'}"), "ValidationException: Invalid ShardIterator"));
    for (const int limit : {0, 1'001}) {
        const json body{{"ShardIterator", stream.iterator(shard)}, {"Limit", limit}};
        CHECK(has(asked.refused("GetRecords", body), "'limit' failed to satisfy constraint"));
    }
}

TEST_CASE("an iterator expires fifteen minutes after it was given, or when the test says so") {
    asked_dynamodb asked;
    const asked_stream stream{asked};
    asked.put("a", "1");
    const auto iterator = stream.iterator(stream.shard());
    const json body{{"ShardIterator", iterator}};
    asked.clock.advance(15min - 1us);
    const std::string next = asked.ok("GetRecords", body)["NextShardIterator"];
    asked.clock.advance(1us);
    CHECK(has(asked.refused("GetRecords", body), "ExpiredIteratorException"));
    CHECK(stream.read(next)["Records"].empty());
    asked.service.expire_iterators();
    CHECK(has(asked.refused("GetRecords", {{"ShardIterator", next}}), "ExpiredIteratorException"));
    CHECK(stream.all().size() == 1);
}

TEST_CASE("empty answers come before records where the test wants them") {
    asked_dynamodb asked;
    const asked_stream stream{asked};
    asked.put("a", "1");
    asked.service.answer_empty(2);
    auto at = stream.iterator(stream.shard());
    for (int i = 0; i < 2; ++i) {
        const auto answer = stream.read(at);
        CHECK(answer["Records"].empty());
        at = answer["NextShardIterator"];
    }
    CHECK(stream.read(at)["Records"].size() == 1);
}

TEST_CASE("records are kept for a day, and a place before one that is gone is refused") {
    asked_dynamodb asked;
    const asked_stream stream{asked};
    const auto shard = stream.shard();
    asked.put("a", "1");
    asked.put("a", "2");
    const auto old = stream.all();
    asked.clock.advance(24h - 1us);
    const auto early = stream.iterator(shard);
    const auto behind = stream.iterator(shard, "AFTER_SEQUENCE_NUMBER", number_of(old[1]));
    CHECK(stream.all() == old);
    asked.put("a", "3");
    asked.clock.advance(1us);
    CHECK(has(asked.refused("GetRecords", {{"ShardIterator", early}}), "TrimmedDataAccessException"));
    CHECK(stream.rest(behind).size() == 1);
    for (const auto& [type, index] : std::vector<std::pair<std::string, std::size_t>>{
             {"AT_SEQUENCE_NUMBER", 0}, {"AT_SEQUENCE_NUMBER", 1}, {"AFTER_SEQUENCE_NUMBER", 0}}) {
        CHECK(has(asked.refused("GetShardIterator", stream.place(shard, type, number_of(old[index]))),
                  "TrimmedDataAccessException"));
    }
    // Nothing is lost behind the last one that is gone.
    CHECK(stream.rest(stream.iterator(shard, "AFTER_SEQUENCE_NUMBER", number_of(old[1]))).size() == 1);
    CHECK(stream.all().size() == 1);
    asked.service.trim("items");
    CHECK(stream.all().empty());
    CHECK(stream.shards().size() == 1);
}

TEST_CASE("split shards close, and their children go on with their partitions") {
    asked_dynamodb asked;
    const asked_stream stream{asked};
    asked.service.set_shards("items", 3);
    const auto write = [&](int round) {
        for (int i = 0; i < 30; ++i) {
            asked.put("p" + std::to_string(i), "1", "{'n': {'N': '" + std::to_string(round) + "'}}");
        }
    };
    write(1);
    asked.service.split_shards("items");
    write(2);
    asked.service.split_shards("items", 1);
    write(3);
    const auto shards = stream.shards();
    REQUIRE(shards.size() == 3 + 6 + 6);
    CHECK_THROWS_AS(asked.service.set_shards("items", 4), std::logic_error);

    std::map<std::string, json> by_id;
    for (const auto& shard : shards) { by_id[shard["ShardId"]] = shard; }
    std::map<std::string, std::set<std::string>> partitions; // of each shard
    std::map<std::string, std::vector<std::string>> told;    // of each partition, parents before children
    for (const auto& shard : shards) {
        const std::string id = shard["ShardId"];
        const auto& range = shard["SequenceNumberRange"];
        const bool open = !range.contains("EndingSequenceNumber");
        const auto last = stream.read(stream.iterator(id));
        CHECK(last.contains("NextShardIterator") == open);
        for (const auto& record : last["Records"]) {
            const std::string partition = record["dynamodb"]["Keys"]["PK"]["S"];
            partitions[id].insert(partition);
            told[partition].push_back(record["dynamodb"]["NewImage"]["n"]["N"]);
            CHECK(before(range["StartingSequenceNumber"], number_of(record)));
            CHECK((open || before(number_of(record), range["EndingSequenceNumber"])));
        }
        if (!shard.contains("ParentShardId")) { continue; }
        const std::string parent = shard["ParentShardId"];
        CHECK(before(by_id[parent]["SequenceNumberRange"]["EndingSequenceNumber"], range["StartingSequenceNumber"]));
        for (const auto& partition : partitions[id]) { CHECK(partitions[parent].contains(partition)); }
    }
    CHECK(told.size() == 30);
    for (const auto& [partition, rounds] : told) { CHECK(rounds == std::vector<std::string>{"1", "2", "3"}); }
    std::size_t used = 0;
    for (const auto& [id, in] : partitions) { used += in.empty() ? 0 : 1; }
    CHECK(used > 9);

    SUBCASE("the shards come in pages") {
        for (const std::size_t limit : {1U, 4U, 15U, 100U}) {
            json found = json::array();
            json body{{"Limit", limit}};
            while (true) {
                const auto page = stream.description(body);
                CHECK(page["Shards"].size() <= limit);
                found.insert(found.end(), page["Shards"].begin(), page["Shards"].end());
                if (!page.contains("LastEvaluatedShardId")) { break; }
                body["ExclusiveStartShardId"] = page["LastEvaluatedShardId"];
            }
            CHECK(found == shards);
        }
    }
    SUBCASE("closed shards vanish when they are trimmed, and their children keep their name") {
        const auto iterator = stream.iterator(shards[0]["ShardId"]);
        asked.service.trim("items");
        const auto left = stream.shards();
        CHECK(left.size() == 6);
        for (const auto& shard : left) { CHECK(shard.contains("ParentShardId")); }
        CHECK(has(asked.refused("GetRecords", {{"ShardIterator", iterator}}), "ResourceNotFoundException"));
        CHECK(has(asked.refused("GetShardIterator", stream.place(shards[0]["ShardId"], "TRIM_HORIZON")),
                  "ResourceNotFoundException"));
    }
    SUBCASE("closed shards vanish a day after they closed") {
        asked.clock.advance(24h - 1us);
        CHECK(stream.shards().size() == 15);
        asked.clock.advance(1us);
        CHECK(stream.shards().size() == 6);
    }
}

TEST_CASE("an answer holds 1 MB of records and at most its limit") {
    asked_dynamodb asked;
    const asked_stream stream{asked};
    for (int i = 0; i < 8; ++i) {
        asked.put("p", std::to_string(i), "{'v': {'S': '" + std::string(300'000, 'x') + "'}}");
    }
    CHECK(stream.read(stream.iterator(stream.shard()))["Records"].size() == 3);
    CHECK(stream.read(stream.iterator(stream.shard()), 2)["Records"].size() == 2);
    CHECK(stream.all().size() == 8);
}

TEST_CASE("streams are listed, by table and in pages, and that of a deleted table is readable for a day") {
    asked_dynamodb asked;
    const asked_stream first{asked};
    asked.put("a", "1");
    asked.ok("DeleteTable", "{'TableName': 'items'}");
    asked.ok("CreateTable", asked_dynamodb::table("items"));
    asked.ok("CreateTable", asked_dynamodb::table("other"));
    const asked_stream second{asked};
    CHECK(first.arn != second.arn);
    CHECK(first.description()["StreamStatus"] == "DISABLED");
    CHECK(second.description()["StreamStatus"] == "ENABLED");
    CHECK(second.description()["KeySchema"].size() == 2);
    CHECK(second.description()["TableName"] == "items");
    CHECK(first.all().size() == 1);
    CHECK(second.all().empty());

    CHECK(asked.ok("ListStreams", "{}")["Streams"].size() == 3);
    CHECK(asked.ok("ListStreams", "{'TableName': 'items'}")["Streams"].size() == 2);
    CHECK(asked.ok("ListStreams", "{'TableName': 'nope'}")["Streams"].empty());
    const auto page = asked.ok("ListStreams", "{'Limit': 1}");
    CHECK(page["Streams"][0]["StreamArn"] == first.arn);
    const auto rest = asked.ok("ListStreams", {{"ExclusiveStartStreamArn", page["LastEvaluatedStreamArn"]}});
    CHECK(rest["Streams"].size() == 2);
    CHECK(!rest.contains("LastEvaluatedStreamArn"));
    asked.clock.advance(24h);
    CHECK(asked.ok("ListStreams", "{}")["Streams"].size() == 2);
    CHECK(has(asked.refused("DescribeStream", {{"StreamArn", first.arn}}), "ResourceNotFoundException"));
}

TEST_CASE("the records of every item, put together, are what happened to it") {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    asked_dynamodb asked;
    const asked_stream stream{asked};
    asked.service.set_shards("items", 2);
    for (std::size_t i = 0; i < support::cases(400); ++i) {
        const auto partition = std::to_string(random() % 6);
        const auto sort = std::to_string(random() % 2);
        const json named{{"TableName", "items"}, {"Key", asked_dynamodb::key(partition, sort)}};
        switch (random() % 5) {
            case 0: asked.ok("DeleteItem", named); break;
            case 1: {
                auto update = named;
                update.update(
                    quoted("{'UpdateExpression': 'ADD n :n', 'ExpressionAttributeValues': {':n': {'N': '1'}}}"));
                asked.ok("UpdateItem", update);
                break;
            }
            case 2: static_cast<void>(asked.service.expire("items", named["Key"])); break;
            default: asked.put(partition, sort, "{'n': {'N': '" + std::to_string(random() % 3) + "'}}");
        }
        if (random() % 100 == 0) { asked.service.split_shards("items", 1 + random() % 2); }
    }
    std::map<json, json> items;
    const auto shards = stream.shards();
    for (const auto& shard : shards) {
        for (const auto& record : stream.rest(stream.iterator(shard["ShardId"]), 1 + random() % 5)) {
            const auto& data = record["dynamodb"];
            const auto old = data.value("OldImage", json{});
            const auto made = data.value("NewImage", json{});
            CHECK(old == items[data["Keys"]]);
            CHECK(old != made);
            items[data["Keys"]] = made;
        }
    }
    const auto left = asked.service.items("items");
    CHECK(static_cast<std::size_t>(std::count_if(
              items.begin(), items.end(), [](const auto& entry) { return !entry.second.is_null(); })) == left.size());
    for (const auto& item : left) { CHECK(items[{{"PK", item["PK"]}, {"SK", item["SK"]}}] == item); }
}

TEST_CASE("a table without a stream, or none, is the test's own mistake") {
    asked_dynamodb asked;
    auto table = asked_dynamodb::table("other");
    table.erase("StreamSpecification");
    const auto made = asked.ok("CreateTable", table);
    CHECK(!made["TableDescription"].contains("LatestStreamArn"));
    asked.ok("PutItem", {{"TableName", "other"}, {"Item", asked_dynamodb::item("a", "1")}});
    CHECK_THROWS_AS(asked.service.trim("other"), std::logic_error);
    CHECK_THROWS_AS(asked.service.split_shards("nope"), std::logic_error);
}

} // namespace
