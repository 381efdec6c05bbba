#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <freshet/backend/run_report.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/job/failure_budget.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/retry_plan.hpp>

namespace freshet {

struct batch_job_options {
    std::string job{"job"};                        ///< its name, in the ledger, in reports and letters
    std::size_t batch{10};                         ///< groups, at most; 0 is read as 1
    std::size_t at_once{1};                        ///< groups that the executor works on at the same time
    std::size_t page_size{};                       ///< items listed at once; 0: as `list` likes
    duration first_guess{std::chrono::seconds{6}}; ///< what a group costs, until some were worked on
    duration reserve{std::chrono::seconds{10}};    ///< of the time allowed, to end in; no more than a quarter of it
    duration lease{std::chrono::minutes{1}};       ///< of the round: longer than a group takes; renewed between groups
    retry_options retries{};                       ///< of groups, and of what the run itself asks backends for
    failure_limits tolerated{};                    ///< groups that fail before the run gives up
    unsigned most_undecided{3};                    ///< rounds: see `apply_context`
    std::uint64_t seed{1};                         ///< of the waits before retries
};

/// One execution of a job.
struct batch_run {
    time_point due{};                        ///< the round: the instant of the schedule that it is for
    std::string run{};                       ///< this execution's own name, and nobody else's
    duration limit{};                        ///< how long it may take; zero: as long as it likes
    deadline until{deadline::never()};       ///< where the host ends it anyway; the sooner of both counts
    std::optional<std::size_t> max_groups{}; ///< stops after so many
    std::string resume{};                    ///< where to go on, from a report; empty: as the run store says
};

/// Where a run that started then ends.
[[nodiscard]] inline auto end_of(const batch_run& wanted, time_point started_at) -> deadline {
    if (wanted.limit <= duration::zero()) { return wanted.until; }
    return std::min(wanted.until, deadline::in(wanted.limit, started_at));
}

/// The report of a run that starts now.
[[nodiscard]] inline auto report_of(const batch_run& wanted, std::string job, time_point now) -> run_report {
    run_report report;
    report.job = std::move(job);
    report.run = wanted.run;
    report.due = wanted.due;
    report.started_at = report.seen_at = now;
    const auto left = end_of(wanted, now).remaining(now);
    report.limit = left == duration::max() ? duration::zero() : left;
    return report;
}

enum class batch_outcome : std::uint8_t {
    complete,     ///< every group of the round had its turn
    stopped,      ///< early, and may be gone on with
    failed,       ///< given up, and may be gone on with
    already_done, ///< the round was complete before
    held,         ///< somebody else is at it
};

struct batch_job_answer {
    batch_outcome outcome{};
    run_report report{};           ///< of this execution; no more than names where the round was complete or held
    time_point held_until{};       ///< held: when it may be worth asking again
    std::optional<error> unkept{}; ///< why the run store did not take the last report: keep its `resume` elsewhere
};

} // namespace freshet
