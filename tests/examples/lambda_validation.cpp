#include <lambda/validation.hpp>

#include <chrono>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <fake_aws/server.hpp>
#include <receipts/sample_receipts.hpp>
#include <support/environment_variable.hpp>
#include <validation/loading.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::errc;
using nlohmann::json;
using validation::job_kind;

const auto some = receipts::sample_receipts{}.make(6);
const auto sunday = freshet::parse_rfc3339("2024-01-21T02:00:00Z").value();
const std::string of_sunday =
    R"({"source":"aws.events","detail-type":"Scheduled Event","time":"2024-01-21T02:00:00Z"})";
const std::string of_next_sunday = R"({"source":"aws.events","time":"2024-01-28T02:00:00Z"})";

/// How many labels of the table have this status.
auto labels(validation::any_table& table, const char* status) -> std::size_t {
    const auto page = table.query({"GSI3", receipts::status_index_key(status), {}, {}, {}}, {});
    REQUIRE(page.ok());
    REQUIRE(!page->next);
    return page->rows.size();
}

/// DynamoDB and the environment of a function that validates what is there.
struct cloud {
    fake_aws::server server{[] { return freshet::wall_clock{}.now(); }};
    support::shifted_clock clock{{}};
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
    void use(bool make, const auto& act) {
        const auto used = validation::in_dynamodb(server.settings(), "receipts", {}, make, clock, [&](auto& at) {
            act(at);
            return 0;
        });
        REQUIRE_MESSAGE(used.ok(), (used.ok() ? "" : used.why().note));
    }
    void load() {
        use(true, [](validation::place& at) { REQUIRE(validation::put_new(at.receipts, some).ok()); });
    }
};

/// Jobs over the sample receipts.
struct rig : cloud {
    std::string said{};
    std::vector<json> metrics{};

    rig() { load(); }
    auto call(validation::place& at, const lambda::invocation& event) -> freshet::result<std::string> {
        lambda::validation_job job{job_kind::pending_labels, at, clock, support::log{support::log_level::info, &said},
                                   [&](std::string_view line) { metrics.push_back(json::parse(line)); }};
        return job(event, {});
    }
    auto answer(validation::place& at, const lambda::invocation& event) -> json {
        const auto text = call(at, event);
        REQUIRE_MESSAGE(text.ok(), (text.ok() ? "" : text.why().note));
        return json::parse(*text)["runs"];
    }
};

} // namespace

TEST_CASE("a round is due at the time that its event says, if it says any") {
    CHECK(lambda::due_of(of_sunday).value() == sunday);
    for (const auto* event : {"", "{}", "[]", "not even JSON", R"({"detail":{"time":"2024-01-21T02:00:00Z"}})"}) {
        CHECK_FALSE(lambda::due_of(event).value());
    }
    for (const auto* event : {R"({"time":"Sunday"})", R"({"time":null})", R"({"time":1705802400})"}) {
        CHECK(lambda::due_of(event).why().code == errc::malformed);
        CHECK(lambda::due_of(event).why().note.starts_with("the event's time: "));
    }
}

TEST_CASE("an event is answered with its round, whose metrics are written; an event that comes twice does nothing") {
    rig it;
    it.use(false, [&](validation::place& at) {
        const auto waiting = labels(at.receipts, "PENDING");
        REQUIRE(waiting > 10);
        const auto ran = it.answer(at, {.request_id = "r1", .payload = of_sunday});
        REQUIRE(ran.size() == 1);
        CHECK(ran[0]["state"] == "complete");
        CHECK(ran[0]["due"] == "2024-01-21T02:00:00.000000Z");
        CHECK(ran[0]["run"].get<std::string>().starts_with("r1 "));
        CHECK(ran[0]["listed"] == waiting);
        CHECK(ran[0]["worked"] == some.size());
        CHECK(!ran[0].contains("resume"));
        const auto undecided = ran[0]["undecided"].get<std::size_t>();
        CHECK(ran[0]["updated"] == waiting - undecided);
        CHECK(labels(at.receipts, "PENDING") == undecided);

        REQUIRE(it.metrics.size() == 1);
        const auto& metrics = it.metrics[0];
        CHECK(metrics["_aws"]["CloudWatchMetrics"][0]["Namespace"] == validation::metrics_namespace);
        CHECK(metrics["Job"] == "pending-labels");
        CHECK(metrics["State"] == "complete");
        CHECK(metrics[freshet::run_metrics::labels_updated] == waiting - undecided);
        CHECK(it.said.find("INFO: run_report job=pending-labels") != std::string::npos);

        const auto again = it.answer(at, {.request_id = "r1", .payload = of_sunday});
        REQUIRE(again.size() == 1);
        CHECK(again[0]["state"] == "already done");
        CHECK(it.metrics.size() == 1);
    });
}

TEST_CASE("an event without a time is for now, and for the same round when it is delivered again") {
    rig it;
    it.use(false, [&](validation::place& at) {
        const auto ran = it.answer(at, {.request_id = "r1", .payload = "{}"});
        CHECK((ran.size() == 1 && ran[0]["state"] == "complete"));
        const auto again = it.answer(at, {.request_id = "r1", .payload = "{}"});
        CHECK((again.size() == 1 && again[0]["state"] == "already done"));
        for (const auto* other : {"r", "r2"}) {
            const auto next = it.answer(at, {.request_id = other, .payload = "{}"});
            CHECK((next.size() == 1 && next[0]["state"] == "complete"));
            CHECK(next[0]["due"] != ran[0]["due"]);
        }
    });
}

TEST_CASE("a round that an invocation has no time for is gone on with by the next event, before its own round") {
    rig it;
    it.use(false, [&](validation::place& at) {
        const auto late = freshet::deadline::in(0s, it.clock.now());
        const auto short_one = it.answer(at, {.request_id = "r1", .deadline = late, .payload = of_sunday});
        REQUIRE(short_one.size() == 1);
        CHECK(short_one[0]["state"] == "stopped");
        CHECK(short_one[0]["worked"] == 0);
        CHECK(it.said.find("WARNING: run_report job=pending-labels") != std::string::npos);
        const auto both = it.answer(at, {.request_id = "r2", .payload = of_next_sunday});
        REQUIRE(both.size() == 2);
        CHECK(both[0]["state"] == "complete");
        CHECK(both[0]["due"] == "2024-01-21T02:00:00.000000Z");
        CHECK(both[0]["worked"] == some.size());
        CHECK(both[1]["state"] == "complete");
        CHECK(both[1]["due"] == "2024-01-28T02:00:00.000000Z");
        CHECK(both[1]["listed"] == both[0]["undecided"]);
        CHECK(it.metrics.size() == 3);
    });
}

TEST_CASE("an invocation fails where another execution is at the round, and where the job gives up") {
    rig it;
    it.use(false, [&](validation::place& at) {
        const auto key = freshet::batch_round::of("pending-labels", sunday)->key();
        const auto other = at.ledger.claim({key, "somebody else", 1min});
        REQUIRE((other.ok() && other->mine()));
        const auto held = it.call(at, {.request_id = "r1", .payload = of_sunday});
        REQUIRE(!held.ok());
        CHECK(held.why().code == errc::conflict);
        CHECK(held.why().note.find("the round of 2024-01-21T02:00:00Z") != std::string::npos);
        CHECK(it.metrics.empty());
        REQUIRE(at.ledger.release(other->claim).ok());

        at.receipts.query = [](const auto&, const auto&) -> validation::any_table::rows {
            return freshet::error{errc::denied, "the index is not there"};
        };
        const auto failed = it.call(at, {.request_id = "r2", .payload = of_sunday});
        REQUIRE(!failed.ok());
        CHECK(failed.why().note.find("the index is not there") != std::string::npos);
    });
}

TEST_CASE("each of the three functions of the environment does its own job on the tables in DynamoDB") {
    cloud it;
    const auto make = [](const char* handler) { return lambda::make_function(lambda::validation_functions, handler); };
    CHECK(make("validate_metadata").why().code == errc::denied);
    it.load();
    std::size_t waiting = 0;
    it.use(false, [&](validation::place& at) { waiting = labels(at.receipts, "PENDING"); });
    const auto answer = [&](const char* handler) {
        const auto made = make(handler);
        REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.why().note));
        const auto text = (*made)(
            {.request_id = handler, .deadline = freshet::deadline::in(15min, it.clock.now()), .payload = of_sunday},
            {});
        REQUIRE_MESSAGE(text.ok(), (text.ok() ? "" : text.why().note));
        const auto ran = json::parse(*text)["runs"];
        REQUIRE(ran.size() == 1);
        CHECK(ran[0]["state"] == "complete");
        return ran[0];
    };
    const auto pending = answer("validate_pending_labels.handler");
    CHECK((pending["job"] == "pending-labels" && pending["listed"] == waiting));
    const auto metadata = answer("validate_metadata.handler");
    CHECK((metadata["job"] == "metadata" && metadata["listed"] == some.size()));
    const auto again = answer("reverify_labels.handler");
    CHECK((again["job"] == "reverify" && again["listed"] > waiting));
    it.use(false, [&](validation::place& at) { CHECK(labels(at.receipts, "PENDING") == pending["undecided"]); });

    const auto made = make("reverify_labels.handler");
    it.server.stop();
    CHECK((*made)({.request_id = "2", .payload = of_sunday}, {}).why().code == errc::unavailable);
}

TEST_CASE("what the validation functions need from the environment they name, and what they can do without") {
    cloud it;
    const auto without = [](const char* name, const std::string& value) {
        const support::environment_variable set{name, value};
        return lambda::make_function(lambda::validation_functions, "validate_metadata").why();
    };
    CHECK(without("LOG_LEVEL", "LOUD").note.starts_with("LOG_LEVEL: 'LOUD' is none of"));
    CHECK(without("DYNAMODB_TABLE_NAME", "").note == "the environment names no table: not set: DYNAMODB_TABLE_NAME");
    std::string said;
    const support::log log{support::log_level::info, &said};
    lambda::detail::say_unused_keys(log);
    CHECK(std::exchange(said, {}) ==
          "INFO: rules on the receipt's own text decide; not set: OLLAMA_API_KEY, "
          "LANGSMITH_API_KEY, GOOGLE_PLACES_API_KEY\n");
    const support::environment_variable first{"OLLAMA_API_KEY", "secret"};
    const support::environment_variable second{"GOOGLE_PLACES_API_KEY", "secret"};
    lambda::detail::say_unused_keys(log);
    CHECK(said ==
          "INFO: rules on the receipt's own text decide; set and not used: OLLAMA_API_KEY, "
          "GOOGLE_PLACES_API_KEY; not set: LANGSMITH_API_KEY\n");
}
