#include <fake_aws/dynamodb.hpp>

#include <string>

#include <doctest/doctest.h>

#include <fake_aws/batch_faults.hpp>
#include <fake_aws/faults.hpp>

#include "asked_dynamodb.hpp"

namespace {

using support::asked_dynamodb;
using support::has;
using support::json;
using support::quoted;

[[nodiscard]] auto keys(std::size_t count) -> json {
    auto all = json::array();
    for (std::size_t i = 0; i != count; ++i) { all.push_back(asked_dynamodb::key("P", std::to_string(i))); }
    return all;
}
[[nodiscard]] auto asking(json of_table) -> json { return {{"RequestItems", {{"items", std::move(of_table)}}}}; }

} // namespace

TEST_CASE("a batch of keys is answered with the items that there are") {
    asked_dynamodb on;
    on.put("P", "0", "{'note': {'S': 'a'}, 'more': {'S': 'b'}}");
    on.put("P", "2");
    const auto some = on.ok("BatchGetItem", asking({{"Keys", keys(3)}, {"ConsistentRead", true}}));
    CHECK(some["Responses"]["items"] == json::array({on.get("P", "0"), on.get("P", "2")}));
    CHECK(some["UnprocessedKeys"] == json::object());
    const auto none = on.ok("BatchGetItem", asking({{"Keys", {asked_dynamodb::key("Q", "0")}}}));
    CHECK(none["Responses"]["items"] == json::array());
    const auto part = on.ok(
        "BatchGetItem",
        asking({{"Keys", keys(1)}, {"ProjectionExpression", "#n"}, {"ExpressionAttributeNames", {{"#n", "note"}}}}));
    CHECK(part["Responses"]["items"] == quoted("[{'note': {'S': 'a'}}]"));
    CHECK(on.ok("BatchGetItem", asking({{"Keys", keys(100)}}))["Responses"]["items"].size() == 2);
}

TEST_CASE("a batch of keys that is wrong is refused as a whole") {
    asked_dynamodb on;
    const auto refused = [&](const json& request) { return on.refused("BatchGetItem", request); };
    CHECK(has(refused(asking({{"Keys", keys(101)}})), "ValidationException: Too many items"));
    auto twice = keys(2);
    twice.push_back(twice[0]);
    CHECK(has(refused(asking({{"Keys", twice}})), "ValidationException: Provided list of item keys contains dupl"));
    CHECK(has(refused(asking({{"Keys", json::array()}})), "ValidationException"));
    CHECK(has(refused({{"RequestItems", json::object()}}), "ValidationException"));
    CHECK(has(refused(asking({{"Keys", json::array({quoted("{'PK': {'S': 'P'}}")})}})), "ValidationException"));
    CHECK(has(refused({{"RequestItems", {{"nowhere", {{"Keys", keys(1)}}}}}}), "ResourceNotFoundException"));
    CHECK(has(refused(asking({{"Keys", keys(1)}, {"AttributesToGet", {"note"}}})), "NotImplementedByFake"));
}

TEST_CASE("chosen keys of a batch come back unprocessed, as they were asked for") {
    asked_dynamodb on;
    on.put("P", "0");
    on.put("P", "1");
    const auto request = asking({{"Keys", keys(2)}, {"ConsistentRead", true}});
    const auto without = [&](fake_aws::entry_choice chosen) {
        const fake_aws::fault left{.kind = fake_aws::fault_kind::unprocessed, .chosen = std::move(chosen)};
        CHECK(fake_aws::applies(left, "BatchGetItem", request));
        return fake_aws::without_chosen(left, request,
                                        [&](const json& rest) { return on.service.handle("BatchGetItem", rest); })
            .body;
    };
    const auto one = without(fake_aws::at({0}));
    CHECK(one["Responses"]["items"] == json::array({on.get("P", "1")}));
    CHECK(one["UnprocessedKeys"]["items"] == json{{"Keys", {asked_dynamodb::key("P", "0")}}, {"ConsistentRead", true}});
    const auto both = without(fake_aws::at({0, 1}));
    CHECK(both["Responses"] == json::object());
    CHECK(both["UnprocessedKeys"] == request["RequestItems"]);
    const fake_aws::fault third{.kind = fake_aws::fault_kind::unprocessed, .chosen = fake_aws::at({2})};
    CHECK(!fake_aws::applies(third, "BatchGetItem", request));
}
