#include <freshet/job/cloudwatch_alarms.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>
#include <freshet/job/fire_times.hpp>
#include <freshet/job/schedule.hpp>
#include <freshet/job/schedule_literal.hpp>

namespace {

using namespace std::chrono_literals;
using namespace freshet::literals;
using nlohmann::json;

constexpr auto weekly = "cron(0 2 ? * SUN *)"_schedule;
constexpr auto quarterly = "cron(0 2 ? 1/3 1#1 *)"_schedule;
constexpr auto now = *freshet::parse_rfc3339("2026-03-04T12:34:56Z");

const freshet::cloudwatch_job of_labels{.metrics_namespace = "validation", .job = "pending-labels", .limit = 15min};

/// Sundays at 2:00 of a place that is an hour ahead from April to October.
class weekly_with_summer_time {
public:
    [[nodiscard]] auto next(freshet::time_point after) const -> std::optional<freshet::time_point> {
        for (auto at = weekly.next(after - 2h); at; at = weekly.next(*at)) {
            if (shown(*at) > after) { return shown(*at); }
        }
        return std::nullopt;
    }
    [[nodiscard]] auto previous(freshet::time_point before) const -> std::optional<freshet::time_point> {
        for (auto at = weekly.previous(before + 2h); at; at = weekly.previous(*at)) {
            if (shown(*at) < before) { return shown(*at); }
        }
        return std::nullopt;
    }
    [[nodiscard]] auto between(freshet::time_range range) const -> freshet::fire_times<weekly_with_summer_time> {
        return {*this, range};
    }

private:
    [[nodiscard]] static auto shown(freshet::time_point at) -> freshet::time_point {
        const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(at)};
        return day.month() >= std::chrono::April && day.month() <= std::chrono::October ? at - 1h : at;
    }
};

struct rendered {
    std::vector<json> definitions;
    std::vector<std::string> not_expressible;
    std::vector<std::string> remarks; ///< of no_execution
};

/// The alarms, each of which is read as JSON and is within CloudWatch's limits.
auto read(const freshet::cloudwatch_alarms_text& made) -> rendered {
    rendered all{{}, made.not_expressible, {}};
    for (const auto& remark : made.remarks) {
        if (remark.starts_with("no_execution: ")) { all.remarks.push_back(remark); }
    }
    std::set<std::string> names;
    for (const auto& text : made.definitions) {
        CAPTURE(text);
        const auto one = all.definitions.emplace_back(json::parse(text));
        const auto period = one.at("Period").get<std::int64_t>();
        const auto periods = one.at("EvaluationPeriods").get<std::int64_t>();
        CHECK(period > 0);
        CHECK(period % 60 == 0);
        CHECK(periods >= 1);
        CHECK(period * periods <= (period < 3'600 ? 86'400 : 604'800));
        CHECK(one.at("DatapointsToAlarm").get<std::int64_t>() <= periods);
        CHECK(one.at("AlarmName").get<std::string>().size() <= 255);
        CHECK(one.at("Threshold").is_number());
        names.insert(one.at("AlarmName").get<std::string>());
    }
    CHECK(names.size() == made.definitions.size());
    CHECK_MESSAGE(made.definitions.size() + made.not_expressible.size() == 3, "each rule is there, or why it is not");
    return all;
}

template <class Schedule>
auto alarms_of(const Schedule& schedule, const freshet::alarm_rules& rules = {},
               const freshet::cloudwatch_job& of = of_labels) -> rendered {
    return read(freshet::cloudwatch_alarms(rules, of, schedule, now));
}

auto absence_range(const freshet::schedule& schedule, freshet::duration grace, freshet::duration limit)
    -> std::pair<std::int64_t, std::int64_t> {
    auto job = of_labels;
    job.limit = limit;
    const auto made = alarms_of(schedule, {.grace = grace}, job);
    const auto& last = made.definitions.back();
    REQUIRE(last.at("MetricName") == "Executions");
    CHECK(made.remarks.empty());
    return {last.at("Period").get<std::int64_t>(), last.at("EvaluationPeriods").get<std::int64_t>()};
}

} // namespace

TEST_CASE("the weekly job has three alarms, on its own metrics") {
    const auto made = alarms_of(weekly);
    REQUIRE(made.definitions.size() == 3);
    CHECK(made.not_expressible.empty());
    CHECK(made.definitions[0] == json{{"AlarmName", "validation/pending-labels/error_rate"},
                                      {"AlarmDescription", "More than 10 % of the groups of an execution failed"},
                                      {"Namespace", "validation"},
                                      {"MetricName", "ErrorRate"},
                                      {"Dimensions", {{{"Name", "Job"}, {"Value", "pending-labels"}}}},
                                      {"Statistic", "Average"},
                                      {"Period", 86'400},
                                      {"EvaluationPeriods", 7},
                                      {"DatapointsToAlarm", 1},
                                      {"ComparisonOperator", "GreaterThanThreshold"},
                                      {"Threshold", 10},
                                      {"TreatMissingData", "notBreaching"}});
    const auto& duration = made.definitions[1];
    CHECK(duration["MetricName"] == "Duration");
    CHECK(duration["Statistic"] == "Maximum");
    CHECK(duration["ComparisonOperator"] == "GreaterThanThreshold");
    CHECK(duration["Threshold"] == 720'000);
    CHECK(duration["AlarmDescription"] == "An execution took more than 80 % of its 900 s");
    const auto& absence = made.definitions[2];
    CHECK(absence["MetricName"] == "Executions");
    CHECK(absence["Statistic"] == "Sum");
    CHECK(absence["ComparisonOperator"] == "LessThanThreshold");
    CHECK(absence["Threshold"] == 1);
    CHECK(absence["TreatMissingData"] == "breaching");
    CHECK(absence["DatapointsToAlarm"] == absence["EvaluationPeriods"]);
}

TEST_CASE("a weekly job touches the limit: its absence is looked for in seven days without slack, and that is said") {
    for (const auto* text : {"cron(0 2 ? * SUN *)", "cron(0 2 ? * WED *)", "rate(7 days)"}) {
        CAPTURE(text);
        const auto made = alarms_of(*freshet::schedule::parse(text));
        REQUIRE(made.definitions.size() == 3);
        CHECK(made.definitions[2]["Period"] == 86'400);
        CHECK(made.definitions[2]["EvaluationPeriods"] == 7);
        REQUIRE(made.remarks.size() == 1);
        CHECK(
            made.remarks[0] ==
            "no_execution: executions lie up to 7 days apart, and CloudWatch evaluates 7 days at most: there is no "
            "room for 4500 s of grace and limit, and the alarm goes off when an execution ends more than 7 days after "
            "the one before it did, until it ends");
        CHECK(made.definitions[2]["AlarmDescription"].get<std::string>().find("until it ends") != std::string::npos);
    }
    CHECK_MESSAGE(alarms_of(weekly, {.grace = 0s}, {"validation", "job", 0s}).remarks.empty(),
                  "a job that takes no time and is never late needs no slack");
}

TEST_CASE("that nothing is published of an execution that was killed is said where it matters") {
    const std::string killed =
        "error_rate, duration_share: an execution that is killed, as one is at its time limit, "
        "publishes nothing, and neither alarm goes off for it";
    const auto hourly = "rate(1 hour)"_schedule;
    CHECK(freshet::cloudwatch_alarms({}, of_labels, hourly, now).remarks == std::vector{killed});
    CHECK(freshet::cloudwatch_alarms({.window = 24h * 28}, of_labels, hourly, now).remarks.empty());
    CHECK(freshet::cloudwatch_alarms({}, of_labels, quarterly, now).remarks.empty());
}

TEST_CASE("a weekly job of a time zone has its alarms, though its week in autumn is an hour longer") {
    const auto made = alarms_of(weekly_with_summer_time{});
    REQUIRE(made.definitions.size() == 3);
    CHECK(made.definitions[0]["EvaluationPeriods"] == 7);
    CHECK(made.definitions[1]["EvaluationPeriods"] == 7);
    CHECK(made.definitions[2]["MetricName"] == "Executions");
    CHECK(made.definitions[2]["Period"] == 86'400);
    CHECK(made.definitions[2]["EvaluationPeriods"] == 7);
    REQUIRE(made.remarks.size() == 1);
    CHECK(made.remarks[0].starts_with("no_execution: executions lie up to 7.042 days apart, and CloudWatch evaluates"));
    CHECK(alarms_of("rate(8 days)"_schedule).definitions.size() == 3);
    CHECK(alarms_of("rate(11521 minutes)"_schedule).definitions.empty()); // a minute more
}

TEST_CASE("the quarterly job has no alarms, and for each rule it is said why") {
    for (const auto& schedule : {quarterly, "cron(0 2 1 */3 ? *)"_schedule}) {
        const auto made = alarms_of(schedule, {.grace = 24h});
        CHECK(made.definitions.empty());
        CHECK(made.remarks.empty());
        REQUIRE(made.not_expressible.size() == 3);
        for (const auto& why : made.not_expressible) {
            CHECK(why.find(" days apart, and CloudWatch evaluates 7 days at most") != std::string::npos);
            CHECK(why.find('\n') == std::string::npos);
        }
        CHECK(made.not_expressible[0].starts_with("error_rate: executions lie up to "));
        CHECK(made.not_expressible[1].starts_with("duration_share: executions lie up to "));
        CHECK(made.not_expressible[2].starts_with("no_execution: executions lie up to "));
    }
    CHECK(alarms_of(quarterly).not_expressible[2].find("up to 91 days apart") != std::string::npos);
    CHECK_MESSAGE(alarms_of("cron(0 2 ? * 1#1 *)"_schedule).definitions.empty(), "nor has a monthly one");
    CHECK_MESSAGE(alarms_of("cron(0 2 29 2 ? *)"_schedule).definitions.empty(), "nor one of leap days");
    CHECK(alarms_of("cron(0 2 ? 1-11 SUN *)"_schedule).definitions.empty());
    CHECK(alarms_of("cron(0 2 * * ? 2028-2199)"_schedule).definitions.empty());
}

TEST_CASE("absence is looked for over the longest gap of the schedule, the grace and the limit") {
    using range = std::pair<std::int64_t, std::int64_t>;
    CHECK(absence_range("cron(0 * * * ? *)"_schedule, 5min, 15min) == range{80 * 60, 1});
    CHECK(absence_range("cron(0/5 * * * ? *)"_schedule, 2min, 30s) == range{8 * 60, 1}); // in whole minutes
    CHECK(absence_range("cron(0 2 * * ? *)"_schedule, 1h, 15min) == range{3'600, 26});
    CHECK(absence_range("cron(0 2 ? * MON-FRI *)"_schedule, 1h, 15min) == range{3'600, 74});
    CHECK(absence_range("cron(* * ? * MON-FRI *)"_schedule, 1h, 0s) == range{3'600, 50});
    CHECK(absence_range("cron(0 2 ? * SUN,WED *)"_schedule, 20h, 4h) == range{86'400, 5});
    CHECK(absence_range("rate(1 minute)"_schedule, 1h, 0s) == range{2 * 3'600, 1});
    CHECK(absence_range("rate(1 hour)"_schedule, 24h * 6, 0s) == range{3'600, 145});
    CHECK(absence_range("rate(6 days)"_schedule, 23h, 1h) == range{86'400, 7});
    CHECK(absence_range("rate(6 days)"_schedule, 23h, 0s) == range{3'600, 167});
}

TEST_CASE("a schedule that ends within the year has no alarms: they would go off for ever then") {
    for (const auto& schedule : {"at(2026-05-01T02:00:00)"_schedule, "at(2020-05-01T02:00:00)"_schedule,
                                 "cron(0 2 * * ? 2026)"_schedule, freshet::schedule{}}) {
        const auto made = alarms_of(schedule);
        REQUIRE(made.not_expressible.size() == 3);
        CHECK(made.not_expressible[2] ==
              "no_execution: within a year the schedule fires no more, and nothing is published then");
    }
}

TEST_CASE("the window of the rules is what the alarms evaluate; what is more than seven days cannot be one") {
    constexpr auto daily = "cron(0 2 * * ? *)"_schedule;
    struct expected {
        freshet::duration window;
        int period;
        int periods;
    };
    for (const auto& each : std::vector<expected>{{1us, 60, 1},
                                                  {90s, 120, 1},
                                                  {24h, 86'400, 1},
                                                  {24h + 1us, 3'600, 25},
                                                  {25h, 3'600, 25},
                                                  {48h, 86'400, 2},
                                                  {24h * 7 - 1us, 3'600, 168},
                                                  {24h * 7, 86'400, 7}}) {
        CAPTURE(each.window.count());
        const auto made = alarms_of(daily, {.window = each.window});
        REQUIRE(made.definitions.size() == 3);
        for (const std::size_t rule : {0U, 1U}) {
            CHECK(made.definitions[rule]["Period"] == each.period);
            CHECK(made.definitions[rule]["EvaluationPeriods"] == each.periods);
        }
    }
    for (const freshet::duration window : {freshet::duration{24h * 7 + 1us}, freshet::duration{24h * 28}}) {
        const auto made = alarms_of(daily, {.window = window});
        REQUIRE(made.definitions.size() == 1);
        CHECK(made.definitions[0]["MetricName"] == "Executions");
    }
    CHECK(alarms_of(daily, {.window = 24h * 28}).not_expressible[0] ==
          "error_rate: a window of 28 days, and CloudWatch evaluates 7 days at most");
}

TEST_CASE("a grace or a limit without end is more than seven days, and no number overflows") {
    constexpr auto endless = freshet::duration::max();
    for (const auto& [grace, limit] : std::vector<std::pair<freshet::duration, freshet::duration>>{
             {endless, 15min}, {1h, endless}, {endless, endless}, {endless - 1us, 0s}}) {
        auto job = of_labels;
        job.limit = limit;
        const auto made = alarms_of("rate(1 hour)"_schedule, {.grace = grace}, job);
        CHECK(made.definitions.back()["MetricName"] == "Executions");
        CHECK(made.definitions.back()["EvaluationPeriods"] == 7);
        CHECK(made.remarks.size() == 1);
    }
    using range = std::pair<std::int64_t, std::int64_t>;
    CHECK(absence_range("rate(1 hour)"_schedule, 1h, -24h) == range{7'200, 1}); // a limit below zero is none
}

TEST_CASE("an alarm has five actions at most, and none of them is empty") {
    const auto with = [](std::vector<std::string> actions) {
        return alarms_of(weekly, {}, {"validation", "job", 1min, std::move(actions)});
    };
    CHECK(with(std::vector<std::string>(5, "arn:aws:sns:1")).definitions[2]["AlarmActions"].size() == 5);
    CHECK(with({std::string(1'024, 'a')}).definitions.size() == 3);
    const auto six = with(std::vector<std::string>(6, "arn:aws:sns:1"));
    REQUIRE(six.definitions.empty());
    CHECK(six.not_expressible[0] == "error_rate: 6 actions, and an alarm has 5 at most");
    const auto empty = with({"arn:aws:sns:1", ""});
    REQUIRE(empty.definitions.empty());
    CHECK(empty.not_expressible[2] == "no_execution: an action is an ARN of 1 to 1024 bytes, and one has 0");
    CHECK(with({std::string(1'025, 'a')}).definitions.empty());
}

TEST_CASE("a job without a limit has no alarm of its duration, and a threshold that is no number makes none") {
    const auto made = alarms_of(weekly, {}, {"validation", "job"});
    REQUIRE(made.definitions.size() == 2);
    CHECK(made.not_expressible == std::vector<std::string>{"duration_share: the job has no limit"});
    for (const auto odd : {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
        const auto none = alarms_of(weekly, {.error_rate = odd});
        CHECK(none.not_expressible == std::vector<std::string>{"error_rate: the threshold is no number"});
    }
    CHECK(alarms_of(weekly, {.error_rate = 0.07}).definitions[0]["Threshold"] == 7);
    CHECK(alarms_of(weekly, {.error_rate = 1.0 / 3}).definitions[0]["Threshold"] == doctest::Approx(100.0 / 3));
}

TEST_CASE("names are written as JSON, and names that CloudWatch would not take make no alarm") {
    const auto made = alarms_of(weekly, {}, {R"(my "space")", R"(a\b "c")", 1min, {"arn:aws:sns:1", R"("2")"}});
    REQUIRE(made.definitions.size() == 3);
    CHECK(made.definitions[0]["Namespace"] == R"(my "space")");
    CHECK(made.definitions[0]["AlarmName"] == R"(my "space"/a\b "c"/error_rate)");
    CHECK(made.definitions[0]["Dimensions"][0]["Value"] == R"(a\b "c")");
    CHECK(made.definitions[0]["AlarmActions"] == json{"arn:aws:sns:1", R"("2")"});
    CHECK(!alarms_of(weekly).definitions[0].contains("AlarmActions"));
    for (const auto* name : {"", "   ", ":a", "Zo\xc3\xab", "a\n", "\xff"}) {
        CAPTURE(name);
        CHECK(alarms_of(weekly, {}, {"validation", name}).definitions.empty());
        CHECK(alarms_of(weekly, {}, {name, "job"}).definitions.empty());
    }
    const auto longest = std::string(255 - std::string{"validation//duration_share"}.size(), 'j');
    CHECK(alarms_of(weekly, {}, {"validation", longest, 1min}).definitions.size() == 3);
    CHECK(alarms_of(weekly, {}, {"validation", longest + "j", 1min}).definitions.empty());
}
