#include <lambda/table_cache.hpp>

#include <chrono>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <adapters/memory/ledger.hpp>
#include <fake_aws/server.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/wall_clock.hpp>
#include <support/environment_variable.hpp>
#include <support/watched_table.hpp>
#include <table_cache/places.hpp>
#include <table_cache/sample_rows.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::errc;
using freshet::testing::manual_clock;
using nlohmann::json;
using place_type = email_agent::memory_place;

/// An event with these messages, `m1` first.
auto event_of(const std::vector<json>& bodies) -> std::string {
    json records = json::array();
    for (const auto& body : bodies) {
        records.push_back({{"messageId", "m" + std::to_string(records.size() + 1)},
                           {"body", body.is_string() ? body.get<std::string>() : body.dump()}});
    }
    return json{{"Records", records}}.dump();
}
auto wants(const std::string& action, const std::string& order = "wo-01", const std::string& step = "Count") -> json {
    return {{"action", action}, {"order", order}, {"step", step}};
}

/// An agent on tables in memory, of whose work orders one sleeps.
struct rig {
    manual_clock clock{};
    place_type place{clock};
    email_agent::counted_tables<place_type::table_type> tables{
        [this](std::string_view name) -> place_type::table_type& { return place.table(name); },
        email_agent::consistency::strong};
    adapters::memory::ledger<manual_clock> ledger{clock};
    std::string said{};
    email_agent::transcript to{support::log_level::error, [this](const std::string& line) { said += line; }};
    lambda::work_order_agent<place_type::table_type, manual_clock, adapters::memory::ledger<manual_clock>> answer{
        tables, clock, ledger, {}, to};

    rig() {
        email_agent::sample_rows samples{email_agent::usual_rows(), 1};
        for (const auto name : email_agent::table_names) {
            const auto rows = samples.of(name);
            REQUIRE(rows.ok());
            REQUIRE(place.fill(name, *rows).ok());
        }
        auto sleeping = freshet::document::parse(R"({"state":{"S":"sleeping"}})");
        REQUIRE(place.table("work_orders").update({"wo-20", {}}, {*std::move(sleeping), {}}).ok());
    }
    rig(const rig&) = delete;
    auto operator=(const rig&) -> rig& = delete;

    auto call(const std::vector<json>& bodies, freshet::deadline until = freshet::deadline::never()) -> json {
        const auto said_of_it = answer({.request_id = "1", .deadline = until, .payload = event_of(bodies)}, {});
        REQUIRE_MESSAGE(said_of_it.ok(), (said_of_it.ok() ? "" : said_of_it.why().note));
        return json::parse(*said_of_it);
    }
    [[nodiscard]] auto scans() { return tables["students"].counts().scans; }
};

} // namespace

TEST_CASE("a warm invocation reuses the tables of the one before, until a start message") {
    rig it;
    CHECK(it.call({wants("step")}) == json{{"done", 1}, {"failed", 0}, {"batchItemFailures", json::array()}});
    it.clock.advance(5min);
    CHECK(it.call({wants("step"), wants("step", "wo-02", "Send")})["done"] == 2);
    CHECK(it.scans() == 1);
    // one scan for both, though the second one starts work too
    CHECK(it.call({wants("start"), wants("start", "wo-02")})["done"] == 2);
    CHECK(it.scans() == 2);
    CHECK(it.call({{{"action", "start"}}})["done"] == 0);
    CHECK(it.scans() == 2);
    CHECK(it.call({wants("step")})["done"] == 1);
    CHECK(it.scans() == 3);
    CHECK(it.said.empty());
}

TEST_CASE("a step that failed is not delivered again, and its work order is not locked") {
    rig it;
    it.tables["pools"].fail(true);
    CHECK(it.call({wants("step")}) == json{{"done", 0}, {"failed", 1}, {"batchItemFailures", json::array()}});
    CHECK(it.said ==
          "[CACHE] pools: failed (never_loaded): table pools does not answer\n"
          "wo-01 Count failed: table pools does not answer\n");
    it.tables["pools"].fail(false);
    CHECK(it.ledger.claim({.key = "wo-01", .owner = "another"})->mine());
    CHECK(it.call({wants("step"), wants("step", "wo-02")}) ==
          json{{"done", 1}, {"failed", 0}, {"batchItemFailures", {{{"itemIdentifier", "m1"}}}}});
}

TEST_CASE("a message that cannot be read fails alone, and an event without messages as a whole") {
    rig it;
    const auto answer = it.call({"no JSON",
                                 {{"order", "wo-01"}},
                                 wants("step", "wo-01", "Sing"),
                                 {{"action", "step"}, {"order", 7}},
                                 wants("step")});
    CHECK(answer == json{{"done", 1}, {"failed", 4}, {"batchItemFailures", json::array()}});
    CHECK(it.said ==
          "message m1: 'action' must be there, and a text\n"
          "message m2: 'action' must be there, and a text\n"
          "message m3: 'Sing' is no step\n"
          "message m4: 'order' must be there, and a text\n");
    for (const auto* text :
         {"", "[]", "{}", R"({"Records":7})", R"({"Records":[7]})", R"({"Records":[{"body":"{}"}]})"}) {
        CHECK(it.answer({.request_id = "1", .payload = text}, {}).why().code == errc::malformed);
    }
}

TEST_CASE("a start message whose order or step cannot be read is told, and heard all the same") {
    rig it;
    REQUIRE(it.call({wants("step")})["done"] == 1);
    const auto check = [&](const json& message, std::size_t scans) {
        CHECK(it.call({message})["failed"] == 1);
        CHECK(it.call({wants("step")})["done"] == 1);
        CHECK(it.scans() == scans);
    };
    check(wants("step", "wo-01", "Sing"), 1);
    check(wants("start", "wo-01", "Sing"), 2);
    check({{"action", "start"}, {"order", 7}}, 3);
    check({{"action", "start"}, {"order", "wo-01"}}, 4);
    CHECK(it.said ==
          "message m1: 'Sing' is no step\n"
          "message m1: 'Sing' is no step\n"
          "message m1: 'order' must be there, and a text\n"
          "message m1: 'step' must be there, and a text\n");
}

TEST_CASE("time is kept to unlock the order and to answer, as far as three quarters are left for the steps") {
    constexpr freshet::time_point noon{12h};
    static_assert(lambda::last_request(freshet::deadline::at(noon + 60s), noon, 10s).when() == noon + 50s);
    static_assert(lambda::last_request(freshet::deadline::at(noon + 20s), noon, 10s).when() == noon + 15s);
    static_assert(lambda::last_request(freshet::deadline::at(noon), noon, 10s).passed(noon));
    static_assert(lambda::last_request(freshet::deadline::never(), noon, 10s) == freshet::deadline::never());

    rig it;
    std::map<std::string_view, support::watched_table> slow;
    email_agent::sample_rows samples{email_agent::usual_rows(), 1};
    for (const auto name : email_agent::table_names) {
        auto& table = slow.try_emplace(name, it.clock, email_agent::options_of(name)).first->second;
        const auto rows = samples.of(name);
        REQUIRE(rows.ok());
        for (const auto& row : *rows) { REQUIRE(table.put(row).ok()); }
    }
    slow.at("students").before_page = [&]() -> freshet::result<void> {
        return it.clock.advance(50s), freshet::result<void>{};
    };
    email_agent::counted_tables<support::watched_table> tables{
        [&](std::string_view name) -> support::watched_table& { return slow.at(name); },
        email_agent::consistency::strong};
    lambda::work_order_agent<support::watched_table, manual_clock, adapters::memory::ledger<manual_clock>> agent{
        tables, it.clock, it.ledger, {}, it.to, 5s};
    const auto answer = agent({.request_id = "1",
                               .deadline = freshet::deadline::in(60s, it.clock.now()),
                               .payload = event_of({wants("step"), wants("step", "wo-02")})},
                              {});
    REQUIRE(answer.ok());
    CHECK(json::parse(*answer)["failed"] == 2);
    CHECK(slow.at("pools").scans == 0);
    CHECK(slow.at("work_orders").gets == 1); // the second step was not begun
    CHECK(it.said.find("wo-02 Count failed: the invocation's time was over before the step began") !=
          std::string::npos);
    CHECK(it.ledger.claim({.key = "wo-01", .owner = "another"})->mine());
}

TEST_CASE("no table is scanned after the invocation's end") {
    rig it;
    CHECK(it.call({wants("step")}, freshet::deadline::at(it.clock.now()))["failed"] == 1);
    CHECK(it.scans() == 0);
}

TEST_CASE("the function of the environment has its tables in DynamoDB, and names one that is not there") {
    fake_aws::server server{[] { return freshet::wall_clock{}.now(); }};
    const auto how = server.settings();
    std::list<support::environment_variable> environment;
    for (const auto& [name, value] :
         std::vector<std::pair<const char*, std::string>>{{"AWS_ACCESS_KEY_ID", how.keys.access_key},
                                                          {"AWS_SECRET_ACCESS_KEY", how.keys.secret_key},
                                                          {"AWS_SESSION_TOKEN", how.keys.session_token},
                                                          {"AWS_REGION", how.region},
                                                          {"AWS_ENDPOINT_URL", how.endpoint},
                                                          {"DYNAMODB_TABLE_PREFIX", "agent"},
                                                          {"LOG_LEVEL", "CRITICAL"}}) {
        environment.emplace_back(name, value);
    }
    CHECK(lambda::make_table_cache().why().note.find("agent-students") != std::string::npos);

    const adapters::aws::client by{how};
    auto numbers = email_agent::usual_rows();
    numbers["students"] = 60;
    email_agent::sample_rows samples{numbers, 1};
    for (const auto name : email_agent::table_names) {
        auto options = email_agent::options_of(name);
        options.name = "agent-" + options.name;
        REQUIRE(adapters::aws::create_table(by, options).ok());
        const auto rows = samples.of(name);
        REQUIRE(rows.ok());
        adapters::aws::table table{by, options};
        REQUIRE(table.put_many(*rows).ok());
    }
    adapters::item_table_options ledger;
    ledger.name = "agent-ledger";
    ledger.partition = "id";
    ledger.sort.clear();
    REQUIRE(adapters::aws::create_table(by, ledger, {.ttl_attribute = "expires"}).ok());

    const auto made = lambda::make_table_cache();
    REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.why().note));
    for (int call = 0; call != 2; ++call) { // nobody sleeps: each scans
        const auto scans = server.requests("Scan");
        const auto answer = (*made)({.request_id = "1", .payload = event_of({wants("start", "wo-01", "Send")})}, {});
        REQUIRE(answer.ok());
        CHECK(json::parse(*answer)["done"] == 1);
        CHECK(server.requests("Scan") == scans + 3);
    }
    environment.emplace_back("CACHE_REFRESH_INTERVAL_SECS", "soon");
    CHECK(lambda::make_table_cache().why().code == errc::denied);
}
