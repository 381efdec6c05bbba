#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <freshet/backend/run_report.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/job/alarms.hpp>
#include <freshet/job/cloudwatch_alarms.hpp>
#include <freshet/job/compute_cost.hpp>
#include <freshet/job/missed_run.hpp>
#include <freshet/job/run_statistics.hpp>
#include <freshet/report/field_text.hpp>
#include <freshet/report/text_table.hpp>
#include <validation/jobs.hpp>
#include <validation/metrics_out.hpp>
#include <validation/output.hpp>
#include <validation/settings.hpp>
#include <validation/watching.hpp>

namespace validation {

/// What is known of one job.
struct job_history {
    scheduled_job job{};
    std::vector<freshet::run_report> reports{}; ///< of all executions that are known, ascending
    freshet::run_statistics statistics{};       ///< of the last 30 days
    std::vector<freshet::missed_run> missed{};
    freshet::alarm_states alarms{};
    freshet::compute_cost cost{};     ///< of the last 30 days
    freshet::compute_cost estimate{}; ///< of a month, by how long it takes as a rule
    std::optional<freshet::time_point> next{};
    std::optional<freshet::cloudwatch_alarms_text> cloudwatch{};
};

struct history {
    std::vector<job_history> jobs{};
    std::optional<freshet::compute_rates> rates{};

    [[nodiscard]] auto alarmed() const -> bool {
        return std::any_of(jobs.begin(), jobs.end(), [](const job_history& each) {
            const auto& of = each.alarms;
            using enum freshet::alarm_state;
            return of.error_rate.state == alarm || of.duration_share.state == alarm || of.no_execution.state == alarm;
        });
    }
};

/// What the reports of all jobs say, since they are to run.
template <class Runs>
[[nodiscard]] auto history_of(Runs& runs, freshet::time_point now, const settings& wanted) -> freshet::result<history> {
    history made;
    made.rates = wanted.rates;
    const auto since = installed_since(runs, now);
    if (!since) { return since.why(); }
    for (const auto& job : scheduled_jobs) {
        auto known = known_runs(runs, job.name, now);
        if (!known) { return std::move(known).why(); }
        made.jobs.push_back({.job = job, .reports = *std::move(known)});
    }
    freshet::alarm_rules rules;
    rules.since = *since;
    const freshet::time_range month{now - std::chrono::days{30}, now + freshet::duration{1}};
    const std::chrono::year_month_day today{std::chrono::floor<std::chrono::days>(now)};
    for (auto& of : made.jobs) {
        const auto when = schedule_of(of.job);
        of.statistics = freshet::statistics_of(of.reports, month, now);
        of.missed = freshet::missed_runs(when, of.reports, {*since, now}, rules.grace, now);
        of.alarms = freshet::evaluate(rules, when, of.reports, now);
        std::vector<freshet::run_report> recent;
        std::copy_if(of.reports.begin(), of.reports.end(), std::back_inserter(recent),
                     [&](const freshet::run_report& each) { return month.contains(each.started_at); });
        of.cost = freshet::cost_of(recent, of.job.memory_mb);
        of.estimate = freshet::monthly_cost(when, of.job.usual, of.job.memory_mb, today.year());
        of.next = when.next(now);
        if (wanted.cloudwatch) {
            const freshet::cloudwatch_job named{metrics_namespace, std::string{of.job.name}, of.job.limit};
            of.cloudwatch = freshet::cloudwatch_alarms(rules, named, when, now);
        }
    }
    return made;
}

namespace detail {

constexpr std::size_t shown_runs = 5;

template <class Use>
void each_alarm(const freshet::alarm_states& of, Use use) {
    use("error_rate", of.error_rate);
    use("duration_share", of.duration_share);
    use("no_execution", of.no_execution);
}

} // namespace detail

[[nodiscard]] inline auto as_json(const history& of) -> json {
    auto all = json::array();
    for (const auto& each : of.jobs) {
        const auto& sum = each.statistics;
        json made{
            {"job", each.job.name},
            {"schedule", each.job.schedule},
            {"next", each.next ? json(instant_text(*each.next)) : json(nullptr)},
            {"last_30_days",
             {{"executions", sum.executions},
              {"complete", sum.complete},
              {"stopped", sum.stopped},
              {"failed", sum.failed},
              {"silent", sum.silent},
              {"mean_ms", std::chrono::duration<double, std::milli>{sum.mean()}.count()},
              {"longest_ms", std::chrono::duration<double, std::milli>{sum.longest}.count()},
              {"error_rate", sum.error_rate()},
              {"validated", sum.validated},
              {"updated", sum.updated},
              {"gb_seconds", each.cost.gb_seconds}}},
            {"month_estimate", {{"executions", each.estimate.executions}, {"gb_seconds", each.estimate.gb_seconds}}}};
        if (of.rates) {
            made["last_30_days"]["cost"] = each.cost.at(*of.rates);
            made["month_estimate"]["cost"] = each.estimate.at(*of.rates);
        }
        made["missed"] = json::array();
        for (const auto& missed : each.missed) {
            made["missed"].push_back({{"due", instant_text(missed.due)}, {"fate", name_of(missed.fate)}});
        }
        detail::each_alarm(each.alarms, [&](const char* rule, const freshet::alarm_verdict& verdict) {
            made["alarms"][rule] = {{"state", name_of(verdict.state)}, {"why", verdict.why}};
        });
        made["runs"] = json::array();
        for (const auto& report : each.reports) { made["runs"].push_back(fields_as_json(report)); }
        if (each.cloudwatch) {
            auto& told = made["cloudwatch"];
            told["alarms"] = json::array();
            for (const auto& text : each.cloudwatch->definitions) { told["alarms"].push_back(json::parse(text)); }
            told["not_expressible"] = each.cloudwatch->not_expressible;
            told["remarks"] = each.cloudwatch->remarks;
        }
        all.push_back(std::move(made));
    }
    return all;
}

[[nodiscard]] inline auto as_text(const history& of) -> std::string {
    std::string text;
    const auto cost_text = [&](const freshet::compute_cost& cost) {
        return fmt::format("{:.4g} executions, {:.4g} GB-seconds{}", cost.executions, cost.gb_seconds,
                           of.rates ? fmt::format(", {:.4f} at these rates", cost.at(*of.rates)) : "");
    };
    for (const auto& each : of.jobs) {
        const auto& sum = each.statistics;
        text += fmt::format("{}{}, {}, next at {}\n", text.empty() ? "" : "\n", each.job.name, each.job.schedule,
                            each.next ? instant_text(*each.next) : "no time");
        text += fmt::format(
            "  last 30 days: {} executions ({} complete, {} stopped, {} failed, {} fell silent), mean {}, "
            "longest {}, error rate {:.1f} %, {} items decided, {} changed\n",
            sum.executions, sum.complete, sum.stopped, sum.failed, sum.silent, freshet::field_text(sum.mean()),
            freshet::field_text(sum.longest), sum.error_rate() * 100, sum.validated, sum.updated);
        text += fmt::format("  cost of the last 30 days: {}; of a month as a rule: {}\n", cost_text(each.cost),
                            cost_text(each.estimate));
        for (const auto& missed : each.missed) {
            text += fmt::format("  missed: {} {}\n", instant_text(missed.due), name_of(missed.fate));
        }
        detail::each_alarm(each.alarms, [&](const char* rule, const freshet::alarm_verdict& verdict) {
            text += fmt::format("  {}: {}, {}\n", rule, name_of(verdict.state), freshet::printable(verdict.why));
        });
        if (!each.reports.empty()) {
            freshet::text_table table{{"started", "due", "state", "took", "receipts", "decided", "changed", "undecided",
                                       "review", "failed", "why"}};
            const auto first = each.reports.size() - std::min(each.reports.size(), detail::shown_runs);
            for (auto i = first; i < each.reports.size(); ++i) {
                const auto& run = each.reports[i];
                table.row(run.started_at, instant_text(run.due), name_of(run.state), run.took(), run.worked,
                          run.validated, run.updated, run.undecided, run.needs_review, run.failed, run.why);
            }
            text += table.text();
        }
        if (each.cloudwatch) {
            for (const auto& definition : each.cloudwatch->definitions) { text += definition + '\n'; }
            for (const auto& why : each.cloudwatch->not_expressible) { text += "  no alarm: " + why + '\n'; }
            for (const auto& why : each.cloudwatch->remarks) { text += "  remark: " + why + '\n'; }
        }
    }
    return text;
}

} // namespace validation
