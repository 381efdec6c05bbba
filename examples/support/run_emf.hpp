#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/backend/run_report.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/job/run_metrics.hpp>
#include <freshet/report/emf.hpp>
#include <freshet/report/metric_unit.hpp>

namespace support {

/// The metrics of an execution that has ended, at its end, by the dimension `Job`; run, state, due and why stand beside
/// them to be searched for. Of one that is running, or said to be, there are no metrics, and so no lines.
///
/// They are those of `freshet::run_metrics`, which `freshet::cloudwatch_alarms` asks for, and what else was counted.
[[nodiscard]] inline auto run_emf(const freshet::run_report& report, std::string metrics_namespace)
    -> freshet::emf_document {
    namespace metrics = freshet::run_metrics;
    using unit = freshet::metric_unit;
    freshet::emf_document made{.metrics_namespace = std::move(metrics_namespace),
                               .timestamp = report.seen_at,
                               .dimension_sets = {{std::string{metrics::job}}}};
    const auto due = freshet::format_rfc3339(report.due, 0);
    made.properties = {{std::string{metrics::job}, report.job},
                       {"Run", report.run},
                       {"State", std::string{freshet::name_of(report.state)}},
                       {"Due", std::string{due ? due->view() : std::string_view{}}},
                       {"Why", freshet::printable(std::string_view{report.why}.substr(0, 1'000))}};
    if (report.state == freshet::run_state::running) { return made; }
    const auto add = [&](std::string_view name, double value, unit in = unit::count) {
        made.metrics.push_back({std::string{name}, {value}, in});
    };
    const auto count = [&](std::string_view name, std::uint64_t of) { add(name, static_cast<double>(of)); };
    add(metrics::executions, 1);
    add(metrics::duration_ms, static_cast<double>(report.took().count()) / 1'000, unit::milliseconds);
    add(metrics::error_rate, metrics::error_percent(report), unit::percent);
    count(metrics::errors, report.failed);
    count(metrics::labels_validated, report.validated);
    count(metrics::labels_updated, report.updated);
    count("LabelsUndecided", report.undecided);
    count("LabelsToReview", report.needs_review);
    count("Conflicts", report.conflicts);
    count("DeadLetters", report.dead_lettered);
    count("Retries", report.retries);
    return made;
}

} // namespace support
