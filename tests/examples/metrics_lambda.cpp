#include <lambda/metrics.hpp>

#include <chrono>
#include <cstddef>
#include <list>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <adapters/graphql/fake_appsync.hpp>
#include <adapters/memory/bucket_sink.hpp>
#include <adapters/memory/table.hpp>
#include <fake_aws/server.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/testing/faults.hpp>
#include <freshet/testing/faulty_table.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <freshet/work/wall_clock.hpp>
#include <metrics/backends.hpp>
#include <metrics/item_rows.hpp>
#include <metrics/program.hpp>
#include <support/environment_variable.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::errc;
using freshet::testing::fault;
using nlohmann::json;
using manual_clock = freshet::testing::manual_clock;
using table = adapters::memory::table<manual_clock>;

const support::log quiet{static_cast<support::log_level>(99)};

auto at(std::string_view text) -> freshet::time_point { return freshet::parse_rfc3339(text).value(); }

/// A stream record as the service delivers it; an empty account or time is left out.
struct told {
    std::string account{"acc-abc123def456"};
    std::string created_at{"2024-01-19T14:10:00Z"};
    std::string kind{"INSERT"};
    std::string model{"Item-x7fk-main"};
    std::string before{}; ///< the time of the old image; empty: there is none
    bool image{true};
};

auto image_of(const told& one, const std::string& created_at) -> json {
    json row{{"id", {{"S", "item-456"}}}};
    if (!one.account.empty()) { row["accountId"] = {{"S", one.account}}; }
    if (!created_at.empty()) { row["createdAt"] = {{"S", created_at}}; }
    return row;
}

auto event_of(const std::vector<told>& all) -> std::string {
    json records = json::array();
    for (const auto& one : all) {
        json dynamodb{{"Keys", {{"id", {{"S", "item-456"}}}}},
                      {"SequenceNumber", std::to_string(100 + records.size())},
                      {"StreamViewType", "NEW_AND_OLD_IMAGES"}};
        if (one.image && one.kind != "REMOVE") { dynamodb["NewImage"] = image_of(one, one.created_at); }
        const auto& before = one.kind == "REMOVE" ? one.created_at : one.before;
        if (one.image && !before.empty()) { dynamodb["OldImage"] = image_of(one, before); }
        records.push_back({{"eventID", std::to_string(records.size())},
                           {"eventName", one.kind},
                           {"eventSource", "aws:dynamodb"},
                           {"eventSourceARN", "arn:aws:dynamodb:us-east-1:1:table/" + one.model + "/stream/2024"},
                           {"dynamodb", dynamodb}});
    }
    return json{{"Records", records}}.dump();
}

/// An aggregator over a table in memory, whose faults are named by a script.
struct rig {
    manual_clock clock{at("2024-01-19T14:15:00Z")};
    table rows{clock, metrics::item_table()};
    freshet::testing::faults script{};
    freshet::testing::faulty_table<table> faulty{rows, script};
    metrics::table_source<freshet::testing::faulty_table<table>> source{faulty};
    adapters::memory::bucket_sink sink{};
    std::string said{};

    void put(const std::string& id, const std::string& created_at, const freshet::series_key& series) {
        REQUIRE(rows.put(metrics::row_of({series, id, created_at, ""}).value()).ok());
    }
    auto operator()(const std::string& event, freshet::deadline until = freshet::deadline::never(),
                    std::stop_token stop = {}) -> freshet::result<std::string> {
        lambda::metrics_aggregator handle{
            source, sink, clock, {.own_table = "metrics"}, quiet, [this](std::string_view text) { said = text; }};
        return handle({.request_id = "1", .deadline = until, .payload = event}, std::move(stop));
    }
    auto hour(std::string_view start, const freshet::series_key& series) -> std::uint64_t {
        const auto found = sink.read(series, {at(start), at(start) + 1h}, 60min);
        REQUIRE(found.ok());
        return found->empty() ? 0 : found->front().count;
    }
};

const freshet::series_key items{"items", "acc-abc123def456"};

// The log block that its readers know.
constexpr std::string_view golden = R"(============================================================
METRICS AGGREGATION LAMBDA
============================================================
Stream records: 15
Affected: 1 table/account pairs
  - items / acc-abc123...
Time window: 2024-01-19 13:00 to 2024-01-19 15:00

============================================================
Processing items for account acc-abc123...
============================================================
[1/3] Querying items...
[1/3] Retrieved 1,234 items records
[2/3] Counting into buckets...
  Processed: 1,234 records (0 skipped - no timestamp)
  Cross-check: 1,234 in 1-min buckets vs 1,234 records ✓
     1min:  120 buckets,  1234 total records
     5min:   24 buckets,  1234 total records
    15min:    8 buckets,  1234 total records
    60min:    2 buckets,  1234 total records
[2/3] Generated 154 bucket updates
[3/3] Updating AggregatedMetrics...
[3/3] ✓ Updated 154 buckets successfully

============================================================
✓ SUCCESS: 154 buckets updated
============================================================
)";

} // namespace

TEST_CASE(
    "fifteen stream records of one account recount its two hours, and the log block is the known one to the letter") {
    rig it;
    for (int i = 0; i != 1'234; ++i) {
        const auto when = at("2024-01-19T13:00:23Z") + (i % 120) * 1min;
        it.put(std::to_string(i), metrics::sort_key_of(when), items);
    }
    it.put("before", "2024-01-19T12:59:59Z", items);
    const auto answer = it(event_of(std::vector<told>(15)));
    REQUIRE_MESSAGE(answer.ok(), (answer.ok() ? "" : answer.why().note));
    CHECK(it.said == golden);
    CHECK(json::parse(*answer) == json{{"streamRecords", 15},
                                       {"counted",
                                        {{{"table", "items"},
                                          {"account", "acc-abc123def456"},
                                          {"records", 1'234},
                                          {"skipped", 0},
                                          {"updated", 154},
                                          {"overtaken", 0}}}}});
    CHECK(it(event_of({{}})).ok()); // delivered again, it finds its own work
    CHECK(it.said.find("✓ Updated 0 buckets successfully\n  154 buckets were as found before\n") != std::string::npos);
}

TEST_CASE("each pair of kind and account in an event is counted once, whatever happened to its records") {
    rig it;
    it.put("a", "2024-01-19T14:10:00Z", {"items", "one"});
    it.put("b", "2024-01-19T14:10:00Z", {"score_results", "one"});
    const auto answer = it(event_of({{.account = "one"},
                                     {.account = "one", .kind = "MODIFY", .before = "2024-01-19T14:10:00Z"},
                                     {.account = "two", .kind = "REMOVE"},
                                     {.account = "one", .model = "ScoreResult-x7fk-main"}}));
    REQUIRE(answer.ok());
    CHECK(it.said.find("Stream records: 4\nAffected: 3 table/account pairs\n"
                       "  - items / one\n  - items / two\n  - score_results / one\n") != std::string::npos);
    CHECK(json::parse(*answer)["counted"].size() == 3);
    CHECK(it.hour("2024-01-19T14:00:00Z", {"score_results", "one"}) == 1);
}

TEST_CASE("records of other tables, without a pair, or unreadable are told and ignored") {
    rig it;
    auto event = json::parse(
        event_of({{.model = "Comment-x7fk-main"}, {.account = ""}, {.image = false}, {.model = "Task-x7fk-main"}, {}}));
    event["Records"][4]["eventName"] = "PONDER";
    const auto answer = it(event.dump());
    REQUIRE(answer.ok());
    CHECK(it.said.find(
              "Stream records: 5\n  ⚠ 1 ignored - unknown table\n  ⚠ 2 ignored - no table/account pair\n"
              "  ⚠ 1 ignored - unreadable record\nAffected: 1 table/account pairs\n  - tasks / acc-abc123...\n") !=
          std::string::npos);
    const auto nothing = it(R"({"Records":[]})");
    REQUIRE(nothing.ok());
    CHECK(it.said.ends_with("✓ SUCCESS: 0 buckets updated\n" + std::string(60, '=') + "\n"));
    CHECK(it("no event").why().code == errc::malformed);
    CHECK(it(R"({"detail-type":"Scheduled Event"})").why().code == errc::malformed);
}

TEST_CASE("the hours beside the window that a record came to, or went from, are counted too") {
    rig it;
    it.put("moved", "2024-01-18T03:10:00Z", items);
    REQUIRE(it(event_of({{.created_at = "2024-01-18T03:10:00Z"}})).ok());
    CHECK(it.hour("2024-01-18T03:00:00Z", items) == 1);
    it.put("moved", "2024-01-17T01:10:00Z", items);
    REQUIRE(it(event_of({{.created_at = "2024-01-17T01:10:00Z", .kind = "MODIFY", .before = "2024-01-18T03:10:00Z"}}))
                .ok());
    CHECK(it.hour("2024-01-18T03:00:00Z", items) == 0);
    CHECK(it.hour("2024-01-17T01:00:00Z", items) == 1);
    CHECK(it.said.find("  Changed ranges beside the window: 2\n") != std::string::npos);
    REQUIRE(it.rows.erase(metrics::key_of("items", "moved")).ok());
    REQUIRE(it(event_of({{.created_at = "2024-01-17T01:10:00Z", .kind = "REMOVE"}})).ok());
    CHECK(it.hour("2024-01-17T01:00:00Z", items) == 0);
}

TEST_CASE("the rows of the aggregator's own table say their kind themselves, and may lack an account") {
    rig it;
    it.put("a", "2024-01-19T14:10:00Z", {"orders", ""});
    auto event = json::parse(event_of({{.account = "", .model = "metrics"}}));
    event["Records"][0]["dynamodb"]["NewImage"]["table"] = {{"S", "orders"}};
    REQUIRE(it(event.dump()).ok());
    CHECK(it.hour("2024-01-19T14:00:00Z", {"orders", ""}) == 1);
}

TEST_CASE("a pair that fails keeps no other from being counted, and then fails the invocation") {
    rig it;
    it.put("a", "2024-01-19T14:10:00Z", {"items", "one"});
    it.put("b", "2024-01-19T14:10:00Z", {"items", "two"});
    it.script.at("table.query", 1, fault::before(errc::unavailable));
    const auto event = event_of({{.account = "one"}, {.account = "two"}});
    const auto failed = it(event);
    REQUIRE(!failed.ok());
    CHECK(failed.why().code == errc::unavailable);
    CHECK(failed.why().note.starts_with("1 of 2 table/account pairs failed, first: "));
    CHECK(it.said.find("[1/3] ✗ ") != std::string::npos);
    CHECK(it.said.find("✗ FAILED: 1 of 2 table/account pairs, 4 buckets updated\n") != std::string::npos);
    CHECK(it.hour("2024-01-19T14:00:00Z", {"items", "one"}) == 0);
    CHECK(it.hour("2024-01-19T14:00:00Z", {"items", "two"}) == 1);
    CHECK(it(event).ok());
    CHECK(it.hour("2024-01-19T14:00:00Z", {"items", "one"}) == 1);
}

TEST_CASE("what has no time, or is stopped, is not written, and fails the invocation") {
    rig it;
    it.put("a", "2024-01-19T14:10:00Z", items);
    const auto event = event_of({{}});
    CHECK(it(event, freshet::deadline::at(it.clock.now())).why().code == errc::expired);
    std::stop_source stop;
    stop.request_stop();
    CHECK(it(event, freshet::deadline::never(), stop.get_token()).why().code == errc::expired);
    CHECK(it.hour("2024-01-19T14:00:00Z", items) == 0);
}

namespace {

/// The environment of a function, as long as it lives.
struct environment {
    std::list<support::environment_variable> set{};

    void operator()(const char* name, const std::string& value) { set.emplace_back(name, value); }
    explicit environment(const fake_aws::server& server) {
        const auto settings = server.settings();
        (*this)("AWS_ACCESS_KEY_ID", settings.keys.access_key);
        (*this)("AWS_SECRET_ACCESS_KEY", settings.keys.secret_key);
        (*this)("AWS_SESSION_TOKEN", settings.keys.session_token);
        (*this)("AWS_REGION", settings.region);
        (*this)("AWS_ENDPOINT_URL", settings.endpoint);
        (*this)("LOG_LEVEL", "CRITICAL");
    }
    environment() { (*this)("LOG_LEVEL", "CRITICAL"); }
};

auto make() -> freshet::result<lambda::function> {
    return lambda::make_function({&lambda::metrics_function, 1}, "metrics.handler");
}

} // namespace

TEST_CASE("the function of the environment counts the rows of DynamoDB's own table") {
    const fake_aws::server server{[] { return freshet::wall_clock{}.now(); }};
    freshet::wall_clock clock;
    environment variables{server};
    CHECK(make().why().note == "the environment names no table: not set: DYNAMODB_TABLE_NAME");
    variables("DYNAMODB_TABLE_NAME", "metrics");
    CHECK(make().why().note.starts_with("table metrics: "));

    metrics::dynamodb_place place{server.settings(), "metrics"};
    REQUIRE(place.make().ok());
    const auto row = metrics::row_of({{"tasks", "acc"}, "a", metrics::sort_key_of(clock.now()), ""});
    REQUIRE(place.table().put(*row).ok());
    const auto made = make();
    REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.why().note));
    const auto answer = (*made)({.request_id = "1",
                                 .deadline = freshet::deadline::in(5min, clock.now()),
                                 .payload = event_of({{.account = "acc", .model = "Task-x7fk-main"}})},
                                {});
    REQUIRE_MESSAGE(answer.ok(), (answer.ok() ? "" : answer.why().note));
    CHECK(json::parse(*answer)["counted"][0]["records"] == 1);
    const auto window = freshet::current_window(clock.now(), 2);
    const auto kept = place.sink().read({"tasks", "acc"}, window, 60min);
    REQUIRE(kept.ok());
    REQUIRE(kept->size() == 1);
    CHECK(kept->front().count == 1);
}

TEST_CASE("the function of the environment counts over the GraphQL API where one is named") {
    support::fake_appsync api;
    freshet::wall_clock clock;
    environment variables;
    variables("PLEXUS_API_URL", api.endpoint());
    variables("PLEXUS_API_KEY", support::fake_appsync::key());
    const auto now = metrics::sort_key_of(clock.now());
    api.put("Item", {{"id", "a"}, {"accountId", "acc"}, {"createdAt", now}, {"updatedAt", now}});
    const auto made = make();
    REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.why().note));
    const auto answer = (*made)({.request_id = "1", .payload = event_of({{.account = "acc", .created_at = now}})}, {});
    REQUIRE_MESSAGE(answer.ok(), (answer.ok() ? "" : answer.why().note));
    CHECK(json::parse(*answer)["counted"][0]["records"] == 1);
    CHECK(!api.stored().empty());
    variables("PLEXUS_API_KEY", "wrong");
    CHECK((*make())({.request_id = "2", .payload = event_of({{.account = "acc"}})}, {}).why().code == errc::denied);
}

TEST_CASE(
    "the function over the GraphQL API fences its runs by the field of the environment, and warns where none is") {
    support::fake_appsync api{"runNumber"};
    environment variables;
    variables("PLEXUS_API_URL", api.endpoint());
    variables("PLEXUS_API_KEY", support::fake_appsync::key());
    variables("METRICS_RUN_FIELD", "runNumber");
    const auto made = make();
    REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.why().note));
    const auto now = metrics::sort_key_of(freshet::wall_clock{}.now());
    REQUIRE((*made)({.request_id = "1", .payload = event_of({{.account = "acc", .created_at = now}})}, {}).ok());
    const auto stored = api.stored();
    CHECK(stored.size() == 1 + 154);
    for (const auto& [place, record] : stored) {
        if (place.second != "items#run") { CHECK(record.value("runNumber", 0) == 1); }
    }
    variables("METRICS_RUN_FIELD", "count");
    CHECK(make().why().code == errc::denied);

    std::string said;
    const support::log log{support::log_level::info, &said};
    CHECK(metrics::model_of({.endpoint = "", .api_key = "", .run_field = "runNumber"}, log).ticket == "runNumber");
    CHECK(said.empty());
    CHECK(metrics::model_of({}, log).ticket.empty());
    CHECK(
        said ==
        "WARNING: METRICS_RUN_FIELD names no Int field of AggregatedMetrics: of two runs at once, the slower may undo "
        "what the later one found\n");
}

TEST_CASE("the program loads, counts and follows records in DynamoDB as it does elsewhere") {
    const fake_aws::server server{[] { return freshet::wall_clock{}.now(); }};
    freshet::wall_clock clock;
    const auto now = clock.now();
    const auto first = metrics::sort_key_of(now);
    const auto run = [&](bool make_tables, const std::vector<metrics::record>& records) {
        metrics::outcome made;
        const auto done = metrics::in_dynamodb(
            server.settings(), "metrics", make_tables, clock, [&](auto& rows, auto& stream, auto& sink) {
                std::vector<freshet::document> all;
                for (const auto& each : records) { all.push_back(metrics::row_of(each).value()); }
                REQUIRE(metrics::put_all(rows, all).ok());
                metrics::table_source source{rows};
                const metrics::selection of{};
                metrics::aggregation counted{rows, stream, source, sink, clock, of, 2, quiet};
                auto ran = counted.run_all(now);
                REQUIRE_MESSAGE(ran.ok(), (ran.ok() ? "" : ran.why().note));
                made = *std::move(ran);
                return 0;
            });
        REQUIRE_MESSAGE(done.ok(), (done.ok() ? "" : done.why().note));
        return made;
    };
    CHECK(run(true, {{{"items", "acc"}, "a", first, ""}, {{"tasks", "acc"}, "a", first, ""}}).records == 2);
    const auto again = run(false, {{{"items", "acc"}, "b", first, ""}});
    CHECK(again.records == 3);
    CHECK(again.header.stream_records == 1);
    CHECK(again.code() == metrics::all_well);
}
