#include <support/run_emf.hpp>

#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <freshet/core/rfc3339.hpp>
#include <freshet/job/cloudwatch_alarms.hpp>
#include <freshet/job/schedule.hpp>
#include <freshet/job/schedule_literal.hpp>

namespace {

using namespace std::chrono_literals;
using namespace freshet::literals;
using nlohmann::json;

constexpr auto sunday = *freshet::parse_rfc3339("2026-03-01T02:00:00Z");

auto ended() -> freshet::run_report {
    return {.job = "pending-labels",
            .run = "7",
            .due = sunday,
            .started_at = sunday + 1s,
            .seen_at = sunday + 1s + 1'500us,
            .state = freshet::run_state::stopped,
            .worked = 40,
            .validated = 3,
            .updated = 2,
            .undecided = 4,
            .needs_review = 5,
            .conflicts = 6,
            .failed = 1,
            .dead_lettered = 7,
            .retries = 8,
            .why = "line one\nline two"};
}

auto lines_of(const freshet::run_report& report, const std::string& space = "validation")
    -> freshet::result<std::vector<std::string>> {
    return freshet::emf_lines(support::run_emf(report, space), report.seen_at);
}

} // namespace

TEST_CASE("an execution that has ended is one line of metrics, by its job, of the instant of its end") {
    const auto lines = lines_of(ended());
    REQUIRE(lines.ok());
    REQUIRE(lines->size() == 1);
    auto line = json::parse(lines->front());
    const auto head = line["_aws"];
    line.erase("_aws");
    CHECK(line == json{{"Job", "pending-labels"},
                       {"Run", "7"},
                       {"State", "stopped"},
                       {"Due", "2026-03-01T02:00:00Z"},
                       {"Why", "line one\\x0aline two"},
                       {"Executions", 1},
                       {"Duration", 1.5},
                       {"ErrorRate", 2.5},
                       {"Errors", 1},
                       {"LabelsValidated", 3},
                       {"LabelsUpdated", 2},
                       {"LabelsUndecided", 4},
                       {"LabelsToReview", 5},
                       {"Conflicts", 6},
                       {"DeadLetters", 7},
                       {"Retries", 8}});
    CHECK(head["Timestamp"] == 1'772'330'401'001);
    const auto& published = head["CloudWatchMetrics"][0];
    CHECK(published["Namespace"] == "validation");
    CHECK(published["Dimensions"] == json{{"Job"}});
    CHECK(published["Metrics"].size() == 11);
    for (const auto& each : published["Metrics"]) {
        const auto name = each["Name"].get<std::string>();
        CHECK(each["Unit"] == (name == "Duration" ? "Milliseconds" : name == "ErrorRate" ? "Percent" : "Count"));
    }
}

TEST_CASE("an execution that failed as a whole has an error rate of a hundred percent, and one that runs no line") {
    auto report = ended();
    report.state = freshet::run_state::failed;
    CHECK(json::parse(lines_of(report)->front())["ErrorRate"] == 100);
    report.state = freshet::run_state::running;
    REQUIRE(lines_of(report).ok());
    CHECK(lines_of(report)->empty());
}

TEST_CASE("why is cut, so that however much of it there is the line is a line") {
    auto report = ended();
    for (const auto* part : {"x", "\xf0\x9f\x8d\x80", "\n", "\x80", "\xff"}) {
        CAPTURE(part);
        report.why.clear();
        while (report.why.size() < 2'000'000) { report.why += part; }
        const auto lines = lines_of(report);
        REQUIRE(lines.ok());
        REQUIRE(lines->size() == 1);
        CHECK(lines->front().size() < 5'000);
        CHECK(json::parse(lines->front())["Errors"] == 1);
    }
}

TEST_CASE("a job whose name is no dimension is malformed, and no line is lost without a word") {
    auto report = ended();
    report.job = "Zo\xc3\xab";
    CHECK(lines_of(report).why().code == freshet::errc::malformed);
}

TEST_CASE("every alarm asks for a metric that an execution publishes, in the same namespace and dimension") {
    const auto line = json::parse(lines_of(ended())->front());
    const auto& published = line["_aws"]["CloudWatchMetrics"][0];
    const auto alarms =
        freshet::cloudwatch_alarms({}, {"validation", ended().job, 15min}, "cron(0 2 ? * SUN *)"_schedule, sunday);
    REQUIRE(alarms.definitions.size() == 3);
    for (const auto& text : alarms.definitions) {
        const auto alarm = json::parse(text);
        CHECK(line.contains(alarm["MetricName"].get<std::string>()));
        CHECK(alarm["Namespace"] == published["Namespace"]);
        REQUIRE(alarm["Dimensions"].size() == published["Dimensions"][0].size());
        CHECK(alarm["Dimensions"][0]["Name"] == published["Dimensions"][0][0]);
        CHECK(alarm["Dimensions"][0]["Value"] == line["Job"]);
    }
}
