#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ratio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/core/json_text.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/time.hpp>
#include <freshet/job/alarms.hpp>
#include <freshet/job/recurring.hpp>
#include <freshet/job/run_metrics.hpp>

namespace freshet {

/// How far CloudWatch's alarms look, what their names may be, and how many actions they have.
///
/// Source: the CloudWatch API reference, "PutMetricAlarm", `Period`, `AlarmName` and `AlarmActions`.
struct cloudwatch_limits {
    duration short_range{std::chrono::days{1}}; ///< evaluated at most, with periods of less than an hour
    duration range{std::chrono::days{7}};       ///< evaluated at most
    std::size_t name_bytes{255};
    std::size_t actions{5};
    std::size_t action_bytes{1'024}; ///< of one
};

/// The job whose alarms are wanted.
struct cloudwatch_job {
    std::string metrics_namespace;
    std::string job;                    ///< the value of the dimension `Job`
    duration limit{};                   ///< how long an execution may take; zero: as long as it likes
    std::vector<std::string> actions{}; ///< ARNs of what CloudWatch does when the state becomes `ALARM`
};

struct cloudwatch_alarms_text {
    /// One JSON object each, with the members that PutMetricAlarm takes and that the properties of an
    /// `AWS::CloudWatch::Alarm` have.
    std::vector<std::string> definitions{};
    std::vector<std::string> not_expressible{}; ///< which rule, and why, a line each
    std::vector<std::string> remarks{};         ///< what an alarm that there is does not do, a line each
};

namespace detail {

/// The longest time from one instant of the schedule to the next in the year from `from` on, or from there to the
/// first; at least `least`. Nothing where it stops firing within the year.
template <class Schedule>
[[nodiscard]] auto longest_gap(const Schedule& schedule, time_point from, duration least) -> std::optional<duration> {
    const auto end = from + std::chrono::days{366};
    auto longest = least;
    auto at = std::optional{schedule.previous(from + duration{1}).value_or(from)}; // as if it had fired when asked
    while (at && *at < end) {
        // From one instant to the last that is no further away than the longest gap, there is no longer gap.
        const auto near = schedule.previous(*at + longest + duration{1});
        if (near && *near > *at) {
            at = near;
            continue;
        }
        const auto next = schedule.next(*at);
        if (next) { longest = *next - *at; }
        at = next;
    }
    if (!at) { return std::nullopt; }
    return longest;
}

/// What CloudWatch evaluates: so many periods of so many seconds.
struct evaluation_range {
    std::int64_t period{};
    std::int64_t periods{};
};

/// The shortest range that is no shorter than `wanted`; nothing where CloudWatch has none.
[[nodiscard]] inline auto range_of(duration wanted, const cloudwatch_limits& limits)
    -> std::optional<evaluation_range> {
    using namespace std::chrono;
    constexpr seconds day{86'400};
    if (wanted <= duration::zero() || wanted > limits.range) { return std::nullopt; }
    if (wanted <= limits.short_range) { return evaluation_range{60 * ceil<minutes>(wanted).count(), 1}; }
    const seconds period = wanted % day == duration::zero() ? day : seconds{3'600};
    const auto periods = (wanted + period - duration{1}) / period;
    if (period * periods > limits.range) { return std::nullopt; }
    return evaluation_range{period.count(), periods};
}

/// What one definition says beside what all of a job say.
struct cloudwatch_rule {
    std::string_view name;
    std::string description;
    std::string_view metric;
    std::string_view statistic;
    std::string_view comparison;
    double threshold{};
    std::string_view missing;
    evaluation_range range;
    std::int64_t to_alarm{}; ///< periods
};

[[nodiscard]] inline auto alarm_json(const cloudwatch_job& of, const cloudwatch_rule& rule) -> std::string {
    std::string text = "{";
    const auto name = [&](std::string_view member) {
        append_json_text(text += text.size() == 1 ? "" : ",", member);
        text += ':';
    };
    const auto word = [&](std::string_view member, std::string_view value) {
        name(member);
        append_json_text(text, value);
    };
    const auto number = [&](std::string_view member, const std::string& value) {
        name(member);
        text += value;
    };
    word("AlarmName", of.metrics_namespace + '/' + of.job + '/' + std::string{rule.name});
    word("AlarmDescription", rule.description);
    if (!of.actions.empty()) {
        name("AlarmActions");
        for (char before = '['; const auto& action : of.actions) {
            append_json_text(text += std::exchange(before, ','), action);
        }
        text += ']';
    }
    word("Namespace", of.metrics_namespace);
    word("MetricName", rule.metric);
    name("Dimensions");
    append_json_text(text += R"([{"Name":)", run_metrics::job);
    append_json_text(text += R"(,"Value":)", of.job);
    text += "}]";
    word("Statistic", rule.statistic);
    number("Period", std::to_string(rule.range.period));
    number("EvaluationPeriods", std::to_string(rule.range.periods));
    number("DatapointsToAlarm", std::to_string(rule.to_alarm));
    word("ComparisonOperator", rule.comparison);
    number("Threshold", plain_number(rule.threshold));
    word("TreatMissingData", rule.missing);
    return text + '}';
}

[[nodiscard]] inline auto days_text(duration span) -> std::string {
    const auto days = std::chrono::duration<double, std::ratio<86'400>>{span}.count();
    return plain_number(std::round(days * 1'000) / 1'000) + (days == 1 ? " day" : " days");
}

/// Why CloudWatch cannot know the job by this name; empty where it can.
[[nodiscard]] inline auto bad_alarm_name(const cloudwatch_job& of, const cloudwatch_limits& limits) -> std::string {
    constexpr std::size_t rule_bytes = std::string_view{"/duration_share"}.size();
    for (const auto& [what, text] : {std::pair{"namespace", &of.metrics_namespace}, std::pair{"job", &of.job}}) {
        const bool printed = std::all_of(text->begin(), text->end(), [](char c) { return c >= ' ' && c <= '~'; });
        if (!printed || text->find_first_not_of(' ') == std::string::npos || text->front() == ':') {
            return "the " + std::string{what} + " " + printable(*text, 60) +
                   " is no name for CloudWatch: printable ASCII, not blank, and no colon in front";
        }
    }
    if (of.metrics_namespace.size() + 1 + of.job.size() + rule_bytes > limits.name_bytes) {
        return "namespace and job are longer together than the name of an alarm, " + std::to_string(limits.name_bytes) +
               " bytes";
    }
    return {};
}

/// Why CloudWatch does not take the job's actions; empty where it does.
[[nodiscard]] inline auto bad_actions(const cloudwatch_job& of, const cloudwatch_limits& limits) -> std::string {
    if (of.actions.size() > limits.actions) {
        return std::to_string(of.actions.size()) + " actions, and an alarm has " + std::to_string(limits.actions) +
               " at most";
    }
    for (const auto& action : of.actions) {
        if (action.empty() || action.size() > limits.action_bytes) {
            return "an action is an ARN of 1 to " + std::to_string(limits.action_bytes) + " bytes, and one has " +
                   std::to_string(action.size());
        }
    }
    return {};
}

/// The sum of spans that are not negative, or the longest span.
[[nodiscard]] constexpr auto sum_of(duration a, duration b) noexcept -> duration {
    return a > duration::max() - b ? duration::max() : a + b;
}

/// Makes the definitions of one job, or says why there are none.
class cloudwatch_writer {
public:
    cloudwatch_writer(const alarm_rules& rules, const cloudwatch_job& of, const cloudwatch_limits& limits)
        : rules_{rules}, of_{of}, limits_{limits} {}

    void cannot(std::string_view rule, const std::string& why) {
        made_.not_expressible.push_back(std::string{rule} + ": " + why);
    }

    void error_rate() {
        above("error_rate", "More than " + percent(rules_.error_rate) + " of the groups of an execution failed",
              run_metrics::error_rate, "Average", rules_.error_rate * 100);
    }

    void duration_share() {
        constexpr std::string_view rule = "duration_share";
        if (of_.limit <= duration::zero()) { return cannot(rule, "the job has no limit"); }
        const auto milliseconds = std::chrono::duration<double, std::milli>{of_.limit}.count();
        above(rule,
              "An execution took more than " + percent(rules_.duration_share) + " of its " + seconds_text(of_.limit),
              run_metrics::duration_ms, "Maximum", rules_.duration_share * milliseconds);
    }

    void killed() {
        if (made_.definitions.empty()) { return; }
        made_.remarks.push_back(
            "error_rate, duration_share: an execution that is killed, as one is at its time limit, "
            "publishes nothing, and neither alarm goes off for it");
    }

    void no_execution(duration gap) {
        const auto slack = sum_of(rules_.grace, std::max(of_.limit, duration::zero()));
        auto range = range_of(sum_of(gap, slack), limits_);
        auto description = "No execution ended in " + days_text(gap) + " and " + seconds_text(slack);
        if (!range) {
            range = {86'400, limits_.range / std::chrono::days{1}};
            description = "No execution ended in " + days_text(limits_.range) +
                          "; goes off also when one ends later than that after the one before, until it ends";
            made_.remarks.push_back("no_execution: executions lie up to " + days_text(gap) + " apart, and " +
                                    at_most() + ": there is no room for " + seconds_text(slack) +
                                    " of grace and limit, and the alarm goes off when an execution ends more than " +
                                    days_text(limits_.range) + " after the one before it did, until it ends");
        }
        define({"no_execution", std::move(description), run_metrics::executions, "Sum", "LessThanThreshold", 1,
                "breaching", *range, range->periods});
    }

    [[nodiscard]] auto at_most() const -> std::string {
        return "CloudWatch evaluates " + days_text(limits_.range) + " at most";
    }
    [[nodiscard]] auto made() && -> cloudwatch_alarms_text { return std::move(made_); }

private:
    void above(std::string_view rule, std::string description, std::string_view metric, std::string_view statistic,
               double threshold) {
        const auto range = range_of(rules_.window, limits_);
        if (!range) { return cannot(rule, "a window of " + days_text(rules_.window) + ", and " + at_most()); }
        if (!std::isfinite(threshold)) { return cannot(rule, "the threshold is no number"); }
        define({rule, std::move(description), metric, statistic, "GreaterThanThreshold", threshold, "notBreaching",
                *range, 1});
    }
    void define(const cloudwatch_rule& rule) { made_.definitions.push_back(alarm_json(of_, rule)); }

    const alarm_rules& rules_;
    const cloudwatch_job& of_;
    const cloudwatch_limits& limits_;
    cloudwatch_alarms_text made_;
};

} // namespace detail

/// The rules as definitions of CloudWatch alarms on the metrics of `run_metrics`, as far as CloudWatch can express
/// them; `now` is where the schedule is looked at from, a year ahead.
///
/// CloudWatch evaluates 7 days at most, and a range that slides along. A job whose executions lie more than a day
/// further apart than that has no alarms there: much of the time there would be nothing in the range, whatever the job
/// does. (The day is for the weekly job of a time zone: its week has an hour more in autumn.) `missed_runs` and
/// `evaluate` have no such limit.
///
/// - `error_rate`, `duration_share`: a period of the rules' window, a day or less, was above the threshold. The mean of
///   the executions' rates, where `evaluate` adds up their groups. Without an execution the state is OK. One that is
///   killed publishes nothing, at its time limit neither, and a remark says so; `evaluate` counts it.
/// - `no_execution`: nothing was published for as long as the longest gap of the schedule, the grace and the limit
///   together: metrics come at an execution's end. Where that is more than 7 days, the range is 7 days, and a remark
///   says what that means: for a weekly job, that an execution which ends later in the week than the one before it did
///   lets the alarm go off until it ends.
template <class Schedule>
[[nodiscard]] auto cloudwatch_alarms(const alarm_rules& rules, const cloudwatch_job& of, const Schedule& schedule,
                                     time_point now, const cloudwatch_limits& limits = {}) -> cloudwatch_alarms_text {
    static_assert(recurring<Schedule>, "a schedule says when it fires: next, previous, between (freshet::recurring)");
    using namespace std::chrono_literals;
    detail::cloudwatch_writer writer{rules, of, limits};
    const auto gap = detail::longest_gap(schedule, now, std::clamp<duration>(rules.grace, 1min, 1h));
    auto never = detail::bad_alarm_name(of, limits);
    if (never.empty() && !gap) { never = "within a year the schedule fires no more, and nothing is published then"; }
    if (never.empty()) { never = detail::bad_actions(of, limits); }
    if (never.empty() && *gap > limits.range + std::chrono::days{1}) {
        never = "executions lie up to " + detail::days_text(*gap) + " apart, and " + writer.at_most();
    }
    if (!never.empty()) {
        for (const auto* rule : {"error_rate", "duration_share", "no_execution"}) { writer.cannot(rule, never); }
        return std::move(writer).made();
    }
    writer.error_rate();
    writer.duration_share();
    writer.killed();
    writer.no_execution(*gap);
    return std::move(writer).made();
}

} // namespace freshet
