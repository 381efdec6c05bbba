#include <fake_aws/dynamodb_reads.hpp>

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "asked_dynamodb.hpp"

namespace {

using nlohmann::json;
using support::asked_dynamodb;
using support::has;
using support::quoted;

[[nodiscard]] auto query_of(const std::string& condition, const std::string& values, const std::string& more = "{}")
    -> json {
    json body{{"TableName", "items"}, {"KeyConditionExpression", condition}};
    body["ExpressionAttributeValues"] = quoted(values);
    body.update(quoted(more));
    return body;
}

/// The named attribute of every item, over all pages of `limit` (0: none said).
[[nodiscard]] auto all_pages(asked_dynamodb& asked, const char* operation, json body, const char* attribute,
                             std::size_t limit = 0) -> std::vector<std::string> {
    std::vector<std::string> found;
    if (limit != 0) { body["Limit"] = limit; }
    while (true) {
        const auto page = asked.ok(operation, body);
        for (const auto& item : page["Items"]) { found.push_back(item[attribute].begin()->get<std::string>()); }
        if (!page.contains("LastEvaluatedKey")) { return found; }
        body["ExclusiveStartKey"] = page["LastEvaluatedKey"];
    }
}

using texts = std::vector<std::string>;

TEST_CASE("a query gives the range of its key condition in order, in pages of any size and in both directions") {
    asked_dynamodb asked;
    for (const auto* sort : {"b", "a", "a\xc3\xa9", "ab", "a\xf0\x9f\x98\x80", "B"}) {
        asked.put("p", sort);
        asked.put("p2", sort);
        asked.put("o", sort);
    }
    const std::vector<std::pair<std::string, texts>> ranges{
        {"", {"B", "a", "ab", "a\xc3\xa9", "a\xf0\x9f\x98\x80", "b"}},
        {" AND SK = :s", {"ab"}},
        {" AND SK < :s", {"B", "a"}},
        {" AND SK <= :s", {"B", "a", "ab"}},
        {" AND SK > :s", {"a\xc3\xa9", "a\xf0\x9f\x98\x80", "b"}},
        {" AND SK >= :s", {"ab", "a\xc3\xa9", "a\xf0\x9f\x98\x80", "b"}},
        {" AND SK BETWEEN :s AND :t", {"ab", "a\xc3\xa9", "a\xf0\x9f\x98\x80"}},
        {" AND begins_with(SK, :a)", {"a", "ab", "a\xc3\xa9", "a\xf0\x9f\x98\x80"}},
    };
    for (const auto& [range, wanted] : ranges) {
        json body{{"TableName", "items"}, {"KeyConditionExpression", "PK = :p" + range}};
        for (const auto& [name, text] : std::vector<std::pair<std::string, std::string>>{
                 {":p", "p"}, {":s", "ab"}, {":t", "a\xf0\x9f\x98\x80"}, {":a", "a"}}) {
            if (has("PK = :p" + range + " ", name)) { body["ExpressionAttributeValues"][name]["S"] = text; }
        }
        const auto& tried = range;
        CAPTURE(tried);
        for (const bool forward : {true, false}) {
            body["ScanIndexForward"] = forward;
            const auto ordered = forward ? wanted : texts(wanted.rbegin(), wanted.rend());
            for (std::size_t limit = 0; limit < 8; ++limit) {
                CHECK(all_pages(asked, "Query", body, "SK", limit) == ordered);
            }
        }
    }
}

TEST_CASE("numeric sort keys are in the order of the numbers") {
    asked_dynamodb asked;
    const texts ordered{"-1" + std::string(125, '0'),
                        "-12",
                        "-2.5",
                        "-2.25",
                        "-0.001",
                        "0",
                        "0.001",
                        "1",
                        "1.05",
                        "1.1",
                        "9",
                        "10",
                        "100",
                        "1" + std::string(125, '0')};
    for (std::size_t i = 0; i < ordered.size(); ++i) {
        asked.put("p", std::to_string(i * 5 % ordered.size()),
                  "{'group': {'S': 'g'}, 'rank': {'N': '" + ordered[i * 5 % ordered.size()] + "'}}");
    }
    const auto body = query_of("#g = :g", "{':g': {'S': 'g'}}",
                               "{'IndexName': 'by_group', 'ExpressionAttributeNames': {'#g': 'group'}}");
    CHECK(all_pages(asked, "Query", body, "rank", 3) == texts(ordered));
}

TEST_CASE("an index has the items that have its keys, with what it projects, and follows the table at once") {
    asked_dynamodb asked;
    asked.put("a", "1", "{'mark': {'S': 'm'}, 'note': {'S': 'n'}, 'big': {'S': 'b'}}");
    asked.put("a", "2", "{'note': {'S': 'n'}}");
    asked.put("b", "3", "{'mark': {'S': 'm'}}");
    auto body = query_of("mark = :m", "{':m': {'S': 'm'}}", "{'IndexName': 'by_mark'}");
    CHECK(asked.ok("Query", body)["Count"] == 2);
    std::set<json> items;
    for (std::size_t limit = 1; limit < 4; ++limit) {
        body["Limit"] = limit;
        const auto sorts = all_pages(asked, "Query", body, "SK");
        CHECK(std::set<std::string>{sorts.begin(), sorts.end()} == std::set<std::string>{"1", "3"});
        CHECK(sorts.size() == 2);
    }
    const auto both = asked.ok("Query", body);
    for (const auto& item : both["Items"]) { items.insert(item); }
    CHECK(items == std::set<json>{asked_dynamodb::item("a", "1", "{'mark': {'S': 'm'}, 'note': {'S': 'n'}}"),
                                  asked_dynamodb::item("b", "3", "{'mark': {'S': 'm'}}")});
    body["Limit"] = 1;
    const auto key = asked.ok("Query", body)["LastEvaluatedKey"];
    CHECK(key.size() == 3);
    // The key of a page is good when its item is gone or has another mark.
    asked.put(key["PK"]["S"], key["SK"]["S"], "{'mark': {'S': 'other'}}");
    body["ExclusiveStartKey"] = key;
    CHECK(asked.ok("Query", body)["Count"] == 1);
    body.erase("ExclusiveStartKey");
    body["ExpressionAttributeValues"][":m"]["S"] = "other";
    CHECK(asked.ok("Query", body)["Count"] == 1);
    asked.ok("DeleteItem", {{"TableName", "items"}, {"Key", {{"PK", key["PK"]}, {"SK", key["SK"]}}}});
    CHECK(asked.ok("Query", body)["Count"] == 0);
    CHECK(asked.ok("Scan", "{'TableName': 'items', 'IndexName': 'by_mark'}")["Count"] == 1);

    body.erase("Limit");
    body["ConsistentRead"] = true;
    CHECK(has(asked.refused("Query", body), "Consistent reads are not supported on global secondary indexes"));
    body["ConsistentRead"] = false;
    body["Select"] = "ALL_ATTRIBUTES";
    CHECK(has(asked.refused("Query", body), "its projection type is not ALL"));
    body["IndexName"] = "nope";
    CHECK(has(asked.refused("Query", body), "The table does not have the specified index: nope"));
}

TEST_CASE("a limit counts before the filter, and a page that the filter empties says where to go on") {
    asked_dynamodb asked;
    for (int i = 0; i < 6; ++i) { asked.put("p", std::to_string(i), i == 5 ? "{'v': {'S': 'x'}}" : "{}"); }
    auto body = query_of("PK = :p", "{':p': {'S': 'p'}}", "{'FilterExpression': 'attribute_exists(v)', 'Limit': 5}");
    const auto page = asked.ok("Query", body);
    CHECK(page["Count"] == 0);
    CHECK(page["ScannedCount"] == 5);
    CHECK(page["LastEvaluatedKey"] == asked_dynamodb::key("p", "4"));
    CHECK(all_pages(asked, "Query", body, "SK") == texts{"5"});
    // A limit that ends with the last item cannot know that it was the last.
    body["Limit"] = 6;
    CHECK(asked.ok("Query", body).contains("LastEvaluatedKey"));
    body["Limit"] = 7;
    CHECK(!asked.ok("Query", body).contains("LastEvaluatedKey"));
    body["Select"] = "COUNT";
    const auto count = asked.ok("Query", body);
    CHECK(count["Count"] == 1);
    CHECK(count["ScannedCount"] == 6);
    CHECK(!count.contains("Items"));
}

TEST_CASE("a page holds 1 MB of items, filtered ones counted") {
    asked_dynamodb asked;
    for (int i = 0; i < 8; ++i) {
        asked.put("p", std::to_string(i), "{'v': {'S': '" + std::string(300'000, 'x') + "'}}");
    }
    auto body = query_of("PK = :p", "{':p': {'S': 'p'}}");
    const auto page = asked.ok("Query", body);
    CHECK(page["Count"] == 3);
    CHECK(page["LastEvaluatedKey"] == asked_dynamodb::key("p", "2"));
    CHECK(all_pages(asked, "Query", body, "SK").size() == 8);
    body["FilterExpression"] = "attribute_not_exists(v)";
    CHECK(asked.ok("Query", body)["ScannedCount"] == 3);
    CHECK(asked.ok("Scan", "{'TableName': 'items'}")["Count"] == 3);
    asked.service.limit_pages(1);
    CHECK(asked.ok("Scan", "{'TableName': 'items'}")["Count"] == 1);
    CHECK(all_pages(asked, "Scan", quoted("{'TableName': 'items'}"), "SK").size() == 8);
}

TEST_CASE("a query that the service refuses") {
    asked_dynamodb asked;
    asked.put("p", "1");
    const std::string one = "{':p': {'S': 'p'}}";
    const std::string two = "{':p': {'S': 'p'}, ':s': {'S': 's'}}";
    const std::vector<std::pair<json, std::string>> bad{
        {query_of("SK = :p", one), "Query condition missed key schema element: PK"},
        {query_of("PK > :p", one), "Query key condition not supported"},
        {query_of("PK = :p AND x = :s", two), "Query condition missed key schema element: SK"},
        {query_of("PK = :p OR SK = :s", two), "Invalid operator used in KeyConditionExpression: OR"},
        {query_of("PK = :p AND NOT SK = :s", two), "Invalid operator used in KeyConditionExpression: NOT"},
        {query_of("PK = :p AND SK <> :s", two), "Invalid operator used in KeyConditionExpression: <>"},
        {query_of("PK = :p AND SK IN (:s)", two), "Invalid operator used in KeyConditionExpression: IN"},
        {query_of("PK = :p AND contains(SK, :s)", two), "Invalid operator used in KeyConditionExpression: contains"},
        {query_of("PK = :p AND :s = SK", two), "must have the key attribute as its first operand"},
        {query_of("PK = :p AND SK.a = :s", two), "conditions on nested attributes"},
        {query_of("PK = :p AND PK = :s", two), "must only contain one condition per key"},
        {query_of("PK = :p AND SK > :s AND SK < :p", two), "Conditions can be of length 1 or 2 only"},
        {query_of("PK = :p AND SK = :n", "{':p': {'S': 'p'}, ':n': {'N': '1'}}"), "does not match schema type"},
        {query_of("PK = :p", "{':p': {'S': ''}}"), "cannot contain an empty string value. Key: PK"},
        {query_of("PK = :p AND begins_with(SK, :s)", "{':p': {'S': 'p'}, ':s': {'S': ''}}"), "empty string value"},
        {query_of("PK = :p AND SK BETWEEN :s AND :p", two), "upper bound to be greater than or equal to lower bound"},
        {query_of("PK = :p", two), "unused in expressions: keys: {:s}"},
        {query_of("PK = :p", two, "{'FilterExpression': 'SK = :s'}"), "can only contain non-primary key attributes"},
        {query_of("PK = :p", one, "{'Limit': 0}"), "greater than or equal to 1"},
        {query_of("PK = :p", one, "{'Select': 'ALL_PROJECTED_ATTRIBUTES'}"), "using an IndexName"},
        {query_of("PK = :p", one, "{'Select': 'COUNT', 'ProjectionExpression': 'x'}"), "Cannot specify"},
        {query_of("PK = :p", one, "{'ExclusiveStartKey': {'PK': {'S': 'p'}}}"), "does not match the schema"},
        {query_of("PK = :p", one, "{'ExclusiveStartKey': {'PK': {'S': 'q'}, 'SK': {'S': '1'}}}"),
         "outside query boundaries"},
        {query_of("PK = :p AND SK > :s", two, "{'ExclusiveStartKey': {'PK': {'S': 'p'}, 'SK': {'S': '1'}}}"),
         "does not match the range key predicate"},
        {quoted("{'TableName': 'items'}"), "KeyConditionExpression parameter must be specified"},
    };
    for (const auto& [body, part] : bad) {
        const auto& tried = body;
        CAPTURE(tried.dump());
        const auto said = asked.refused("Query", body);
        CAPTURE(said);
        CHECK(said.starts_with("ValidationException"));
        CHECK(has(said, part));
    }
}

TEST_CASE("a scan shows every item once, in pages of any size and in any number of segments") {
    asked_dynamodb asked;
    std::set<std::string> all;
    for (int i = 0; i < 40; ++i) {
        asked.put("p" + std::to_string(i % 13), std::to_string(i));
        all.insert(std::to_string(i));
    }
    auto body = quoted("{'TableName': 'items'}");
    for (const std::size_t limit : {0U, 1U, 7U, 40U, 100U}) {
        const auto found = all_pages(asked, "Scan", body, "SK", limit);
        CHECK(found.size() == 40);
        CHECK(std::set<std::string>{found.begin(), found.end()} == all);
    }
    for (const int segments : {1, 3, 5}) {
        texts found;
        body["TotalSegments"] = segments;
        for (int i = 0; i < segments; ++i) {
            body["Segment"] = i;
            for (auto& sort : all_pages(asked, "Scan", body, "SK", 2)) { found.push_back(std::move(sort)); }
        }
        CHECK(found.size() == 40);
        CHECK(std::set<std::string>{found.begin(), found.end()} == all);
    }
    body["Segment"] = 5;
    CHECK(has(asked.refused("Scan", body), "must be less than parameter TotalSegments"));
    body.erase("Segment");
    CHECK(has(asked.refused("Scan", body), "Segment parameter is required"));
}

} // namespace
