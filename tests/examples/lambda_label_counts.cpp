#include <lambda/label_counts.hpp>

#include <chrono>
#include <list>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <adapters/memory/table.hpp>
#include <adapters/memory/ttl_store.hpp>
#include <fake_aws/server.hpp>
#include <freshet/testing/faults.hpp>
#include <freshet/testing/faulty_table.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <freshet/work/wall_clock.hpp>
#include <label_counts/failing_table.hpp>
#include <label_counts/input.hpp>
#include <label_counts/reading.hpp>
#include <receipts/receipts_table.hpp>
#include <support/environment_variable.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::cache_origin;
using freshet::errc;
using freshet::testing::fault;
using nlohmann::json;
using manual_clock = freshet::testing::manual_clock;
using table = adapters::memory::table<manual_clock>;
using store = adapters::memory::ttl_store<manual_clock>;

const support::log quiet{static_cast<support::log_level>(99)};
const std::string scheduled = R"({"source":"aws.events","detail-type":"Scheduled Event","detail":{}})";

/// A label counter over the sample receipts. Faults of the table are for runs of one label: their script is one
/// thread's.
struct rig {
    manual_clock clock{};
    table rows{clock, receipts::receipts_table()};
    freshet::testing::faults script{};
    freshet::testing::faulty_table<table> faulty{rows, script};
    store kept{clock};
    std::string said{};

    rig() {
        const auto input = label_counts::sample_input();
        REQUIRE(input.ok());
        for (const auto& item : input->items) { REQUIRE(rows.put(item).ok()); }
    }
    auto operator()(std::vector<std::string> labels, freshet::deadline until = freshet::deadline::never(),
                    std::stop_token stop = {}, freshet::duration slowest = {}) -> freshet::result<std::string> {
        lambda::label_counter count{
            faulty, kept, clock, std::move(labels), support::log{support::log_level::info, &said}, {}, slowest};
        return count({.request_id = "1", .deadline = until, .payload = scheduled}, std::move(stop));
    }
};

/// DynamoDB with the sample receipts, and the environment of a function that counts them.
struct cloud {
    fake_aws::server server{[] { return freshet::wall_clock{}.now(); }};
    freshet::wall_clock clock{};
    label_counts::dynamodb_place<freshet::wall_clock> place{server.settings(), "receipts", clock};
    std::list<support::environment_variable> environment{};

    cloud() {
        const auto settings = server.settings();
        for (const auto& [name, value] :
             std::vector<std::pair<const char*, std::string>>{{"AWS_ACCESS_KEY_ID", settings.keys.access_key},
                                                              {"AWS_SECRET_ACCESS_KEY", settings.keys.secret_key},
                                                              {"AWS_SESSION_TOKEN", settings.keys.session_token},
                                                              {"AWS_REGION", settings.region},
                                                              {"AWS_ENDPOINT_URL", settings.endpoint},
                                                              {"DYNAMODB_TABLE_NAME", "receipts"},
                                                              {"LOG_LEVEL", "CRITICAL"}}) {
            environment.emplace_back(name, value);
        }
    }
    void load() {
        const auto input = label_counts::sample_input();
        REQUIRE(input.ok());
        const auto loaded = place.load(input->items);
        REQUIRE_MESSAGE(loaded.ok(), (loaded.ok() ? "" : loaded.why().note));
    }
};

} // namespace

TEST_CASE("a scheduled event is answered with what became of each label, and the counts are in the store") {
    rig it;
    const auto answer = it({"LINE_TOTAL"});
    REQUIRE(answer.ok());
    CHECK(json::parse(*answer) ==
          json{{"succeeded", 1},
               {"failed", 0},
               {"took_ms", 0.0},
               {"labels", {{{"label", "LINE_TOTAL"}, {"outcome", "added"}, {"took_ms", 0.0}}}}});
    CHECK(it.said ==
          "INFO: key_updated key=LINE_TOTAL outcome=added took=0s note=\"\"\n"
          "INFO: 1 labels: 1 succeeded, 0 failed, in 0s\n");
    const auto count = label_counts::counter_of(it.rows, it.clock, {});
    it.clock.advance(5min);
    const auto seen = label_counts::read(it.kept, it.clock, count, std::vector<std::string>{"LINE_TOTAL"}, quiet);
    CHECK(seen.labels[0].answer->origin == cache_origin::fresh);
    CHECK(seen.labels[0].answer->value->total() == 1413);
}

TEST_CASE("an invocation in which a label failed succeeds and names it; one in which all failed fails") {
    rig it;
    it.script.at("table.query", 1, fault::before(errc::throttled));
    lambda::label_counter count{it.faulty, it.kept, it.clock, std::vector<std::string>{"DATE"}, quiet, {}};
    const auto failed = count({.request_id = "1", .payload = "not even JSON"}, {});
    CHECK(failed.why().code == errc::throttled);
    CHECK(failed.why().note.starts_with("none of 1 keys was updated; the first that failed: "));
    CHECK(count({.request_id = "1", .payload = ""}, {}).ok());

    label_counts::failing_table failing{it.rows, "TIME"};
    lambda::label_counter most{failing, it.kept, it.clock, std::vector<std::string>{"DATE", "TIME"}, quiet, {}};
    const auto answer = json::parse(most({.request_id = "1", .payload = scheduled}, {}).value());
    CHECK(answer["succeeded"] == 1);
    CHECK(answer["labels"][0]["outcome"] == "updated");
    CHECK(answer["labels"][1]["outcome"] == "load_failed");
    CHECK(answer["labels"][1]["error"] == "this page fails because --fail says so");
}

TEST_CASE("an invocation's end is the run's, with time left for the store to answer") {
    rig it;
    const auto end = freshet::deadline::in(60s, it.clock.now());
    it.script.next("table.query", {fault::meanwhile([&] { it.clock.advance(50s); })});
    const auto late = it({"LINE_TOTAL"}, end, {}, 10s); // counting has 50 s
    CHECK(late.why().code == errc::expired);
    CHECK(it({"LINE_TOTAL"}, end, {}, 10s).ok()); // of the 10 s that are left it has three quarters
    it.clock.advance(10s);
    CHECK(it({"LINE_TOTAL"}, end).why().note == "none of 1 keys was updated, the run was stopped or had no time");
    std::stop_source stop;
    stop.request_stop();
    CHECK(it({"LINE_TOTAL"}, freshet::deadline::never(), stop.get_token()).why().code == errc::expired);
}

TEST_CASE("the function of the environment counts DynamoDB's receipts into the table beside them") {
    cloud it;
    const auto missing = lambda::make_function({&lambda::label_counts_function, 1}, "label_counts.handler");
    CHECK(missing.why().code == errc::denied);
    CHECK(missing.why().note.find("table receipts: ") == 0);
    it.load();
    auto made = lambda::make_function({&lambda::label_counts_function, 1}, "label_counts.handler");
    REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.why().note));
    const auto answer =
        (*made)({.request_id = "1", .deadline = freshet::deadline::in(5min, it.clock.now()), .payload = scheduled}, {});
    REQUIRE_MESSAGE(answer.ok(), (answer.ok() ? "" : answer.why().note));
    CHECK(json::parse(*answer)["succeeded"] == 7);
    const auto labels = label_counts::core_labels().value();
    const auto count = label_counts::counter_of(it.place.table(), it.clock, {});
    const auto seen = label_counts::read(it.place.store(), it.clock, count, labels, quiet);
    CHECK(label_counts::code_of(seen) == label_counts::all_well);
    for (const auto& each : seen.labels) {
        CAPTURE(each.label);
        CHECK(each.asked.hits == 2);
        CHECK(each.answer->value->by_status == count(each.label, freshet::deadline::never())->by_status);
    }
    CHECK(seen.labels[5].answer->value->total() == 1413);

    it.server.stop();
    CHECK((*made)({.request_id = "2", .payload = scheduled}, {}).why().code == errc::unavailable);
}

TEST_CASE("what the function needs from the environment it names") {
    const cloud it;
    const auto without = [](const char* name, const std::string& value) {
        const support::environment_variable set{name, value};
        return lambda::make_function({&lambda::label_counts_function, 1}, "label_counts").why();
    };
    CHECK(without("CORE_LABELS", ",").note == "CORE_LABELS: it names no label");
    CHECK(without("DYNAMODB_TABLE_NAME", "").note == "the environment names no table: not set: DYNAMODB_TABLE_NAME");
    const support::environment_variable again{"DYNAMODB_TABLE_NAME", "receipts"};
    CHECK(without("AWS_SECRET_ACCESS_KEY", "wrong").code == errc::denied);
}
