#include <adapters/aws/table.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <adapters/aws/table_admin.hpp>
#include <adapters/memory/table.hpp>
#include <fake_aws/server.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <laws/table.hpp>

#include "hooked_dynamodb.hpp"

namespace {

using adapters::aws::create_table;
using fake_aws::fault_kind;
using freshet::errc;
using laws::patch;
using laws::row;
using nlohmann::json;
using when = freshet::write_condition<freshet::document>;

const adapters::item_table_options two_indexes{.name = "receipts",
                                               .indexes = {{"GSI1", "GSI1PK", "GSI1SK"}, {"GSI3", "GSI3PK"}}};
const freshet::row_key key{"P", "S"};

/// A table in a DynamoDB of its own.
class on_fake {
public:
    static constexpr bool notices_additions = false;

    on_fake() { REQUIRE(create_table(client_, two_indexes).ok()); }
    [[nodiscard]] auto table() -> adapters::aws::table& { return table_; }
    [[nodiscard]] auto server() -> fake_aws::server& { return server_; }

private:
    freshet::testing::manual_clock clock_;
    fake_aws::server server_{[this] { return clock_.now(); }};
    adapters::aws::client client_{server_.settings()};
    adapters::aws::table table_{client_, two_indexes, {.retries = 3, .throttled_base = {}}};
};

/// A table whose requests a test sees, and may come before.
struct on_hook {
    hooked_dynamodb service{};
    adapters::aws::table table{service.client(), two_indexes};
    adapters::aws::table other{service.client(), two_indexes};

    on_hook() {
        REQUIRE(create_table(service.client(), two_indexes).ok());
        static_cast<void>(service.requests());
    }
    /// Once, before the next request of this operation.
    template <class Act>
    void once_before(std::string_view wanted, Act act) {
        service.before([this, wanted, act](std::string_view operation, const json&) -> std::optional<fake_aws::answer> {
            if (operation != wanted) { return std::nullopt; }
            service.before({});
            act();
            return std::nullopt;
        });
    }
};

[[nodiscard]] auto is_one_line_of(const freshet::error& why, std::string_view start) -> bool {
    return why.note.starts_with(start) && why.note.find('\n') == std::string::npos;
}

} // namespace

FRESHET_TABLE_LAWS(on_fake);

TEST_CASE("a write whose condition holds is one request, and so is one that nobody else's row hinders") {
    on_hook on;
    CHECK(on.table.put(row("P", "S", R"(,"a":{"N":"1"})")).ok());
    CHECK(on.table.put(row("P", "T"), when::if_absent()).ok());
    CHECK(on.table.put(row("P", "T", R"(,"a":{"N":"1"})"), when::if_present()).ok());
    CHECK(on.service.operations() == "PutItem PutItem PutItem ");
    const auto seen = row("P", "S", R"(,"a":{"N":"1.0"})");
    CHECK(on.table.put(row("P", "S", R"(,"a":{"N":"2"})"), when::if_unchanged(seen)).ok());
    CHECK(on.table.update(key, patch(R"({"b":{"N":"2"}})", {"a"})).ok());
    CHECK(on.table.update({"P", "new"}, patch("{}")).ok());
    CHECK(on.service.operations() == "UpdateItem UpdateItem UpdateItem ");
    CHECK(on.table.erase(key, when::if_present()).ok());
    CHECK(on.table.erase(key).ok());
    CHECK(on.service.operations() == "DeleteItem DeleteItem ");
    CHECK(on.table.get({"P", "new"})->has_value());
    CHECK(on.service.operations() == "GetItem ");
}

TEST_CASE("reads are consistent where the service can be asked to be, and a page without a limit has none") {
    on_hook on;
    CHECK(on.table.get(key).ok());
    CHECK(on.table.scan({}).ok());
    CHECK(on.table.query({"", "P", ""}, {std::nullopt, 7}).ok());
    CHECK(on.table.query({"GSI1", "P", ""}, {std::nullopt, std::numeric_limits<std::size_t>::max()}).ok());
    const auto asked = on.service.requests();
    REQUIRE(asked.size() == 4);
    for (std::size_t i = 0; i < 3; ++i) { CHECK(asked[i].second.value("ConsistentRead", false)); }
    CHECK(!asked[1].second.contains("Limit"));
    CHECK(asked[2].second.value("Limit", 0) == 7);
    CHECK(!asked[3].second.contains("ConsistentRead"));
    CHECK(asked[3].second.value("Limit", 0) == std::numeric_limits<std::int32_t>::max());
}

TEST_CASE("a write that was done and whose answer was lost succeeds, and is done once") {
    const auto first = row("P", "S", R"(,"a":{"N":"1"},"o":{"SS":["x","y"]})");
    const auto second = row("P", "S", R"(,"a":{"N":"2"})");
    const auto more = patch(R"({"b":{"N":"2"}})", {"o"});
    const auto patched = row("P", "S", R"(,"a":{"N":"1"},"b":{"N":"2"})");
    const auto lose = [](const char* operation, fault_kind kind, const freshet::document* before,
                         const freshet::document* after, auto write) {
        CAPTURE(operation);
        CAPTURE(static_cast<int>(kind));
        for (const auto times : {std::size_t{1}, fake_aws::always}) {
            CAPTURE(times);
            on_fake on;
            if (before != nullptr) { REQUIRE(on.table().put(*before).ok()); }
            on.server().faults().add({.kind = kind, .operation = operation, .times = times, .done = true});
            const freshet::result<void> outcome = write(on.table());
            if (times == 1) {
                CHECK(outcome.ok()); // the client repeated it
            } else {
                REQUIRE(laws::code_of(outcome) == errc::unavailable);
                CHECK(is_one_line_of(outcome.why(), "table receipts: "));
                on.server().faults().clear();
                CHECK(write(on.table()).ok());
            }
            CHECK(on.server().faults().waiting() == 0);
            CHECK(laws::holds(on.table(), key, after));
        }
    };
    for (const auto kind : {fault_kind::dropped, fault_kind::cut, fault_kind::error_json, fault_kind::error_xml}) {
        lose("PutItem", kind, nullptr, &first, [&](auto& table) { return table.put(first, when::if_absent()); });
        lose("PutItem", kind, &first, &second, [&](auto& table) { return table.put(second, when::if_present()); });
        lose("UpdateItem", kind, &first, &second,
             [&](auto& table) { return table.put(second, when::if_unchanged(first)); });
        lose("UpdateItem", kind, &first, &patched,
             [&](auto& table) { return table.update(key, more, when::if_unchanged(first)); });
        lose("UpdateItem", kind, nullptr, &second,
             [&](auto& table) { return table.update(key, patch(R"({"a":{"N":"2"}})"), when::if_absent()); });
        lose("DeleteItem", kind, &first, nullptr,
             [&](auto& table) { return table.erase(key, when::if_unchanged(first)); });
        lose("DeleteItem", kind, &first, nullptr, [&](auto& table) { return table.erase(key, when::if_present()); });
    }
}

TEST_CASE("a row that went and came back between the refusal and the look at it is written after all") {
    for (const std::size_t times : {1U, 3U, 4U}) {
        CAPTURE(times);
        on_fake on;
        REQUIRE(on.table().put(row("P", "S", R"(,"a":{"N":"1"})")).ok());
        const auto seen = *laws::got(on.table().get(key));
        on.server().faults().add({.kind = fault_kind::error_json,
                                  .operation = "UpdateItem",
                                  .times = times,
                                  .name = "ConditionalCheckFailedException",
                                  .status = 400});
        const auto outcome = on.table().update(key, patch(R"({"b":{"N":"2"}})"), when::if_unchanged(seen));
        CHECK(laws::code_of(outcome) == (times < 4 ? std::nullopt : std::optional{errc::conflict}));
        const auto wanted = row("P", "S", R"(,"a":{"N":"1"},"b":{"N":"2"})");
        CHECK(laws::holds(on.table(), key, times < 4 ? &wanted : &seen));
    }
}

TEST_CASE("a change that comes between seeing a row and writing it is a conflict") {
    on_hook on;
    const auto seen = row("P", "S", R"(,"a":{"N":"1"},"b":{"N":"1"})");
    const auto conflicts = [&](const char* operation, const freshet::item_patch& between, auto write) {
        REQUIRE(on.table.put(seen).ok());
        on.once_before(operation, [&] { REQUIRE(on.other.update(key, between).ok()); });
        CHECK(laws::code_of(write()) == errc::conflict);
        const auto there = laws::got(on.other.get(key));
        REQUIRE(on.other.put(seen).ok());
        CHECK(laws::same_item(laws::got(on.other.get(key)), &seen));
        REQUIRE(on.other.update(key, between).ok());
        CHECK(laws::same_item(laws::got(on.other.get(key)), &*there));
    };
    for (const auto* other : {R"({"a":{"N":"2"}})", R"({"c":{"N":"2"},"b":{"S":"1"}})", R"({"c":{"N":"3"}})"}) {
        CAPTURE(other);
        const auto between = patch(other);
        conflicts("UpdateItem", between,
                  [&] { return on.table.put(row("P", "S", R"(,"c":{"N":"9"})"), when::if_unchanged(seen)); });
        conflicts("UpdateItem", between,
                  [&] { return on.table.update(key, patch(R"({"c":{"N":"9"}})"), when::if_unchanged(seen)); });
        conflicts("UpdateItem", between, [&] {
            return on.table.update(key, patch("{}", {"c", "a"}), when::if_unchanged(seen));
        });
    }
    for (const auto* other : {R"({"a":{"N":"2"}})", R"({"c":{"N":"2"},"b":{"S":"1"}})"}) {
        conflicts("DeleteItem", patch(other), [&] { return on.table.erase(key, when::if_unchanged(seen)); });
    }
    conflicts("UpdateItem", patch("{}", {"b"}),
              [&] { return on.table.update(key, patch(R"({"c":{"N":"9"}})"), when::if_unchanged(seen)); });
}

TEST_CASE("an attribute that was added meanwhile, and that a write does not name, stays") {
    on_fake on;
    auto& table = on.table();
    const auto seen = row("P", "S", R"(,"a":{"N":"1"},"b":{"N":"1"})");
    const auto added = row("P", "S", R"(,"a":{"N":"1"},"b":{"N":"1"},"x":{"S":"theirs"})");
    const auto put = row("P", "S", R"(,"a":{"N":"2"},"x":{"S":"theirs"})");
    const auto updated = row("P", "S", R"(,"a":{"N":"2"},"b":{"N":"1"},"x":{"S":"theirs"})");
    REQUIRE(table.put(added).ok());
    for (int i = 0; i < 2; ++i) { // the second finds its own work done
        CHECK(table.put(row("P", "S", R"(,"a":{"N":"2"})"), when::if_unchanged(seen)).ok());
        CHECK(laws::holds(table, put));
    }
    REQUIRE(table.put(added).ok());
    for (int i = 0; i < 2; ++i) {
        CHECK(table.update(key, patch(R"({"a":{"N":"2"}})"), when::if_unchanged(seen)).ok());
        CHECK(laws::holds(table, updated));
    }
    REQUIRE(table.put(added).ok());
    CHECK(table.erase(key, when::if_unchanged(seen)).ok());
}

TEST_CASE("names that mean something in expressions are names like any other") {
    on_fake on;
    auto& table = on.table();
    const std::vector<std::string> names{"name",
                                         "size",
                                         "STATUS",
                                         "a.b",
                                         "a[0]",
                                         "#0",
                                         ":0",
                                         "#",
                                         ":",
                                         "a b",
                                         "a=b",
                                         "SET",
                                         "and",
                                         "\t",
                                         "'",
                                         "\xc3\xa9",
                                         "\xf0\x9f\x8d\x80",
                                         "1",
                                         "-",
                                         "(",
                                         ",",
                                         "\x01",
                                         "a,b:c",
                                         "TTL"};
    std::string members;
    for (const auto& name : names) { members += "," + adapters::aws::json_text(name) + ":{\"S\":\"x\"}"; }
    const auto all = row("P", "S", members);
    CHECK(table.put(all, when::if_absent()).ok());
    CHECK(laws::holds(table, all));
    CHECK(table.put(row("P", "S"), when::if_unchanged(all)).ok());
    CHECK(laws::holds(table, row("P", "S")));
    const auto bare = row("P", "S");
    CHECK(table.put(all, when::if_unchanged(bare)).ok());
    CHECK(laws::holds(table, all));
    CHECK(table.update(key, patch("{}", names), when::if_unchanged(all)).ok());
    CHECK(laws::holds(table, bare));
    CHECK(table.update(key, patch('{' + members.substr(1) + '}')).ok());
    CHECK(table.erase(key, when::if_unchanged(all)).ok());
    CHECK(laws::holds(table, key, nullptr));
}

TEST_CASE("key attributes may be called anything, and one attribute may be a key of the table and of an index") {
    freshet::testing::manual_clock clock;
    fake_aws::server server{[&] { return clock.now(); }};
    const adapters::aws::client client{server.settings()};
    const adapters::item_table_options options{
        .name = "odd", .partition = "key.part", .sort = "order", .indexes = {{"by.order", "order", "key.part"}}};
    REQUIRE(create_table(client, options).ok());
    adapters::aws::table table{client, options};
    for (const auto* part : {"1", "2", "3"}) {
        const auto item = laws::item(R"({"key.part":{"S":")" + std::string{part} + R"("},"order":{"S":"O"}})");
        for (int i = 0; i < 2; ++i) { CHECK(table.put(item, when::if_absent()).ok()); }
    }
    const freshet::index_query which{"by.order", "O", ""};
    for (const std::size_t limit : {0U, 1U, 2U}) {
        std::string parts;
        for (const auto& found : laws::all_rows(table, &which, limit)) { parts += laws::text_of(found, "key.part"); }
        CHECK(parts == "123");
    }
}

TEST_CASE("a patch that names an attribute twice, or one that nothing can be called, is no trouble") {
    on_fake on;
    REQUIRE(on.table().put(row("P", "S", R"(,"a":{"N":"1"})")).ok());
    CHECK(on.table().update(key, patch("{}", {"a", "a", "", "\xff", "none"})).ok());
    CHECK(laws::holds(on.table(), row("P", "S")));
}

TEST_CASE("more attributes than an expression may name are too large, and no request is made") {
    on_hook on;
    const auto wide = [](std::size_t count) {
        std::string members;
        for (std::size_t i = 0; i < count; ++i) { members += ",\"a" + std::to_string(i) + "\":{\"N\":\"1\"}"; }
        return row("P", "S", members);
    };
    const auto most = wide(149);
    const auto over = wide(150);
    const auto huge = wide(3'000);
    CHECK(on.table.put(huge).ok());
    CHECK(on.table.put(over).ok());
    static_cast<void>(on.service.requests());
    for (const auto& outcome :
         {on.table.put(row("P", "S"), when::if_unchanged(over)),
          on.table.update(key, patch("{}"), when::if_unchanged(over)), on.table.erase(key, when::if_unchanged(over)),
          on.table.update(key, {laws::item(R"({"a":{"S":"x"}})"), {}}, when::if_unchanged(huge))}) {
        CHECK(laws::code_of(outcome) == errc::too_large);
        CHECK(is_one_line_of(outcome.why(), "table receipts: more attributes than one request's expression may name"));
    }
    CHECK(on.service.operations().empty());
    CHECK(on.table.put(most).ok());
    CHECK(on.table.put(row("P", "S", R"(,"a1":{"N":"1"})"), when::if_unchanged(most)).ok());
    CHECK(laws::holds(on.table, row("P", "S", R"(,"a1":{"N":"1"})")));
}

TEST_CASE("what no row can be called is answered as by a table in memory, without a request") {
    on_hook on;
    freshet::testing::manual_clock clock;
    adapters::memory::table memory{clock, two_indexes};
    std::vector<freshet::row_key> bad{{"", ""},
                                      {"", "s"},
                                      {"p", ""},
                                      {"\xff", "s"},
                                      {"p", "\xc3"},
                                      {std::string(2'049, 'k'), "s"},
                                      {"p", std::string(1'025, 'k')}};
    for (const auto& none : bad) {
        CAPTURE(none.partition);
        CAPTURE(none.sort);
        CHECK(on.table.get(none)->has_value() == memory.get(none)->has_value());
        for (const auto& condition : {when{}, when::if_absent(), when::if_present()}) {
            CHECK(laws::code_of(on.table.erase(none, condition)) == laws::code_of(memory.erase(none, condition)));
        }
        CHECK(laws::code_of(on.table.update(none, patch("{}"))) == laws::code_of(memory.update(none, patch("{}"))));
    }
    const auto label = row("P", "S", R"(,"GSI3PK":{"S":"V"})");
    REQUIRE(memory.put(label).ok());
    REQUIRE(on.table.put(label).ok());
    static_cast<void>(on.service.requests());
    for (const freshet::index_query& which : {freshet::index_query{"", "", ""},
                                              {"GSI1", "", "x"},
                                              {"", std::string(2'049, 'k'), ""},
                                              {"", "\xff", ""},
                                              {"", "P", std::string(1'025, 'k')},
                                              {"GSI3", "V", "S"},
                                              {"", "P", "", "T", "S"},
                                              {"", "", "", "S", "T"},
                                              {"", "P", "S", "S", ""},
                                              {"GSI3", "V", "", "S", ""},
                                              {"", "P", "", "", std::string(1'025, 'k')},
                                              {"", "P", "", "\xff", ""},
                                              {"none", "V", ""},
                                              {"none", "", ""}}) {
        for (const auto& from : {std::optional<std::string>{}, std::optional<std::string>{"x"}}) {
            const auto mine = on.table.query(which, {from, 0});
            const auto other = memory.query(which, {from, 0});
            CHECK(laws::code_of(mine) == laws::code_of(other));
            if (other.ok()) { CHECK((mine->rows.empty() && other->rows.empty() && !mine->next)); }
        }
    }
    CHECK(laws::code_of(on.table.query({"", "P", "\xc3"}, {})) == errc::malformed);
    CHECK(on.service.operations().empty());
}

TEST_CASE("a table without sort keys goes by its partitions alone") {
    freshet::testing::manual_clock clock;
    fake_aws::server server{[&] { return clock.now(); }};
    const adapters::aws::client client{server.settings()};
    const adapters::item_table_options options{.name = "ids", .partition = "id", .sort = ""};
    REQUIRE(create_table(client, options).ok());
    adapters::aws::table table{client, options};
    const auto item = laws::item(R"({"id":{"S":"7"},"SK":{"N":"1"}})");
    REQUIRE(table.put(item).ok());
    CHECK(laws::same_item(*table.get({"7", ""}), &item));
    REQUIRE(table.update({"8", ""}, patch(R"({"a":{"S":"x"}})")).ok());
    CHECK(laws::all_rows(table, nullptr, 1).size() == 2);
    CHECK(table.get({"8", "x"})->has_value() == false);
    CHECK(laws::code_of(table.update({"8", "x"}, patch("{}"))) == errc::malformed);
    CHECK(table.query({"", "7", ""}, {})->rows.size() == 1);
    CHECK(table.query({"", "7", "x"}, {})->rows.empty());
}

TEST_CASE("an empty page with a last key is no end") {
    on_hook on;
    int asked = 0;
    on.service.before([&](std::string_view operation, const json& request) -> std::optional<fake_aws::answer> {
        if (operation != "Scan" && operation != "Query") { return std::nullopt; }
        const bool first = ++asked % 2 == 1;
        CHECK(request.contains("ExclusiveStartKey") == !first);
        const json last{{"PK", {{"S", "P"}}}, {"SK", {{"S", "S"}}}, {"GSI1PK", {{"S", "L"}}}, {"GSI1SK", {{"S", "s"}}}};
        if (first) {
            json body{{"Items", json::array()}, {"Count", 0}, {"ScannedCount", 5}, {"LastEvaluatedKey", last}};
            return fake_aws::answer{200, std::move(body)};
        }
        if (request.contains("IndexName")) { CHECK(request["ExclusiveStartKey"] == last); }
        return fake_aws::answer{200, json{{"Items", json::array({last})}, {"Count", 1}}};
    });
    const freshet::index_query labels{"GSI1", "L", ""};
    CHECK(laws::all_rows(on.table, nullptr, 0).size() == 1);
    CHECK(laws::all_rows(on.table, &labels, 3).size() == 1);
}

TEST_CASE("an answer that says nothing sensible is a failure, and no end of a scan") {
    const auto answers = [](json body) {
        on_hook on;
        on.service.before([&](std::string_view, const json&) { return fake_aws::answer{200, body}; });
        const auto page = on.table.scan({});
        REQUIRE(!page.ok());
        CHECK(is_one_line_of(page.why(), "table receipts: "));
        return page.why().code;
    };
    CHECK(answers({{"Items", {{{"PK", {{"X", "P"}}}}}}}) == errc::malformed);
    CHECK(answers({{"Items", {"PK"}}}) == errc::malformed);
    CHECK(answers({{"Items", json::array()}, {"LastEvaluatedKey", {{"PK", {{"N", "1"}}}}}}) == errc::unavailable);
    CHECK(answers({{"Items", json::array()}, {"LastEvaluatedKey", "x"}}) == errc::unavailable);
}

TEST_CASE("many rows are put in requests of 25, the later one of two with the same key") {
    on_fake on;
    std::vector<freshet::document> rows;
    rows.push_back(row("P", "0", R"(,"a":{"S":"earlier"})"));
    for (int i = 0; i < 60; ++i) { rows.push_back(row("P", std::to_string(i))); }
    CHECK(on.table().put_many({}).ok());
    CHECK(on.server().requests("BatchWriteItem") == 0);
    CHECK(on.table().put_many(rows).ok());
    CHECK(on.server().requests("BatchWriteItem") == 3);
    CHECK(laws::all_rows(on.table(), nullptr, 0).size() == 60);
    CHECK(laws::holds(on.table(), row("P", "0")));
    CHECK(on.table().put_many(rows).ok());
}

TEST_CASE("a request of many large rows stays below what the service takes") {
    on_hook on;
    std::string text; // six bytes a byte, as the service counts them
    for (int i = 0; i < 350'000; ++i) { text += R"(\u0001)"; }
    std::vector<freshet::document> rows;
    for (int i = 0; i < 8; ++i) { rows.push_back(row("P", std::to_string(i), R"(,"a":{"S":")" + text + R"("})")); }
    std::size_t largest = 0;
    on.service.before([&](std::string_view, const json& request) {
        largest = std::max(largest, request.dump().size());
        return fake_aws::answer{};
    });
    CHECK(on.table.put_many(rows).ok());
    CHECK(on.service.operations() == "BatchWriteItem BatchWriteItem ");
    CHECK(largest < 16'000'000);
}

TEST_CASE("rows that the service leaves over are put again, and in the end their number is told") {
    on_fake on;
    std::vector<freshet::document> rows;
    for (int i = 0; i < 30; ++i) { rows.push_back(row("P", std::to_string(i))); }
    on.server().faults().add(
        {.kind = fault_kind::unprocessed, .operation = "BatchWriteItem", .chosen = fake_aws::at({0, 7, 24})});
    on.server().faults().add(
        {.kind = fault_kind::unprocessed, .operation = "BatchWriteItem", .times = 2, .chosen = fake_aws::at({2})});
    CHECK(on.table().put_many(rows).ok());
    CHECK(on.server().faults().waiting() == 0);
    CHECK(laws::all_rows(on.table(), nullptr, 0).size() == 30);

    on.server().faults().add({.kind = fault_kind::unprocessed,
                              .operation = "BatchWriteItem",
                              .times = fake_aws::always,
                              .chosen = fake_aws::at({0, 1})});
    const auto outcome = on.table().put_many(rows);
    CHECK(laws::code_of(outcome) == errc::throttled);
    CHECK(outcome.why().note == "table receipts: BatchWriteItem: 2 rows were left over each time");
}

TEST_CASE("none of many rows is put where one of them is bad") {
    on_fake on;
    std::vector<freshet::document> rows;
    for (int i = 0; i < 30; ++i) { rows.push_back(row("P", std::to_string(i))); }
    rows.push_back(laws::item(R"({"PK":{"S":"P"}})"));
    CHECK(laws::code_of(on.table().put_many(rows)) == errc::malformed);
    rows.back() = row("P", "S", R"(,"a":{"S":")" + std::string(500'000, 'x') + R"("})");
    CHECK(laws::code_of(on.table().put_many(rows)) == errc::too_large);
    CHECK(on.server().requests("BatchWriteItem") == 0);
}

TEST_CASE("a service that asks to go slower is asked again, and then the caller is told so") {
    on_fake on;
    on.server().faults().add({.kind = fault_kind::throttled, .times = 2});
    CHECK(on.table().put(row("P", "S"), when::if_absent()).ok());
    on.server().faults().add({.kind = fault_kind::throttled, .times = fake_aws::always});
    for (const auto& outcome : {on.table().put(row("P", "S")), on.table().update(key, patch("{}")),
                                on.table().erase(key, when::if_present())}) {
        CHECK(laws::code_of(outcome) == errc::throttled);
        CHECK(is_one_line_of(outcome.why(), "table receipts: "));
    }
    CHECK(laws::code_of(on.table().get(key)) == errc::throttled);
    CHECK(laws::code_of(on.table().scan({})) == errc::throttled);
    CHECK(laws::code_of(on.table().query({"", "P", ""}, {})) == errc::throttled);
}

TEST_CASE("a transaction in a write's way is no conflict of its condition") {
    on_fake on;
    on.server().faults().add({.kind = fault_kind::error_json,
                              .operation = "PutItem",
                              .times = fake_aws::always,
                              .name = "TransactionConflictException",
                              .status = 400});
    CHECK(laws::code_of(on.table().put(row("P", "S"))) == errc::unavailable);
}

TEST_CASE("a table that there is not is denied, in one line that names it") {
    freshet::testing::manual_clock clock;
    fake_aws::server server{[&] { return clock.now(); }};
    const adapters::aws::client client{server.settings()};
    adapters::aws::table table{client, {.name = "nowhere"}};
    CHECK(laws::code_of(table.put(row("P", "S"))) == errc::denied);
    CHECK(laws::code_of(table.get(key)) == errc::denied);
    const auto scanned = table.scan({});
    REQUIRE(laws::code_of(scanned) == errc::denied);
    CHECK(is_one_line_of(scanned.why(), "table nowhere: "));
}

static_assert(!std::is_constructible_v<adapters::aws::table, adapters::aws::client, adapters::item_table_options>);
static_assert(freshet::shareable<adapters::aws::table>);
