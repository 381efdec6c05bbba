#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/backend/run_report.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/job/alarms.hpp>
#include <freshet/job/catch_up.hpp>
#include <freshet/job/missed_run.hpp>
#include <freshet/job/schedule.hpp>
#include <validation/jobs.hpp>

namespace validation {

/// The schedule of a job; it is part of the program, and can be read.
[[nodiscard]] inline auto schedule_of(const scheduled_job& job) -> freshet::schedule {
    return *freshet::schedule::parse(job.schedule);
}

/// How long after its instant an execution may begin, and is on time.
inline constexpr freshet::duration grace = freshet::alarm_rules{}.grace;

/// What is written down when somebody watches for the first time: from then on jobs are to run.
inline constexpr std::string_view watch_name = "watch";

/// The reports of a job's executions, as far back as anybody asks: all schedules fire several times in that time.
template <class Runs>
[[nodiscard]] auto known_runs(Runs& runs, std::string_view job, freshet::time_point now)
    -> freshet::result<std::vector<freshet::run_report>> {
    return runs.runs(job, {now - std::chrono::days{400}, now + freshet::duration{1}});
}

/// From when on jobs are to run: since somebody first watched, or since the first execution of any of them; `now` where
/// there was neither.
template <class Runs>
[[nodiscard]] auto installed_since(Runs& runs, freshet::time_point now) -> freshet::result<freshet::time_point> {
    auto since = now;
    const auto look = [&](std::string_view job) -> freshet::result<void> {
        const auto known = known_runs(runs, job, now);
        if (!known) { return known.why(); }
        if (!known->empty()) { since = std::min(since, known->front().started_at); }
        return {};
    };
    if (auto seen = look(watch_name); !seen) { return std::move(seen).why(); }
    for (const auto& job : scheduled_jobs) {
        if (auto seen = look(job.name); !seen) { return std::move(seen).why(); }
    }
    return since;
}

/// The instants from `from` to `now` that a job is to run for now: of those that no round met, all with `all`, the last
/// one with `once`, and the last one if it is not longer ago than the grace with `skip`.
///
/// A round that somebody is at is not met: he may have been killed at it. Who runs it waits for his claim to end, and
/// then finds it complete, or goes on with it.
template <class Runs>
[[nodiscard]] auto due_now(Runs& runs, const scheduled_job& job, freshet::catch_up policy, freshet::time_point from,
                           freshet::time_point now) -> freshet::result<std::vector<freshet::time_point>> {
    const auto known = known_runs(runs, job.name, now);
    if (!known) { return known.why(); }
    // Judged as of the end of the grace: whoever else is to begin by then is not waited for.
    const auto missed = freshet::missed_runs(schedule_of(job), *known, {from, now + freshet::duration{1}}, grace,
                                             now + grace, freshet::duration::min());
    const bool on_time = !missed.empty() && now - missed.back().due < grace;
    const bool last = policy == freshet::catch_up::skip && on_time;
    return freshet::to_catch_up(last ? freshet::catch_up::once : policy, missed);
}

/// How the run of a round went.
enum class watched_run {
    complete,
    unfinished, ///< stopped, or given up
    not_begun,  ///< a backend did not answer, or somebody else held it for too long
};

/// Waits until `wake`, in naps of a minute: the clock may be set meanwhile, or stand still while the machine sleeps.
/// Comes back sooner where it was set back; false once a stop is asked for.
template <class Timer>
[[nodiscard]] auto nap_until(freshet::time_point wake, Timer& timer, const std::stop_token& stop) -> bool {
    constexpr freshet::duration nap = std::chrono::minutes{1};
    for (auto now = timer.now(), before = now; now < wake && now >= before; now = timer.now()) {
        before = now;
        if (!timer.wait(std::min(wake - now, nap), stop)) { return false; }
    }
    return true;
}

/// Runs each job at the instants of its schedule, one at a time, until a stop; those that pass while nobody watches, or
/// while another job runs, as the policy says.
///
/// `run(job, due)` runs the round and says how that went. A round that an earlier run left unfinished is run before the
/// one that is due, which waits for its next instant where that does not complete it either. Fails where the reports
/// cannot be read at the start; later that, and a round that cannot begin, is tried again after a minute: `unable(why)`
/// is told that reports cannot be read, once as long as the reason stays the same.
template <class Runs, class Timer, class Run, class Unable>
[[nodiscard]] auto watch(Runs& runs, Timer& timer, freshet::catch_up policy, const std::stop_token& stop, Run run,
                         Unable unable) -> freshet::result<void> {
    std::array<std::string, scheduled_jobs.size()> told{};
    const auto tell = [&](std::string& last, const freshet::error& why) {
        if (std::exchange(last, why.note) != why.note) { unable(why); }
    };
    const auto run_due = [&](const scheduled_job& job, freshet::time_point due, std::string& last) -> watched_run {
        const auto first = round_for(runs, job.name, due);
        if (!first) {
            tell(last, first.why());
            return watched_run::not_begun;
        }
        last.clear();
        if (*first != due) {
            const auto before = run(job, *first);
            const bool meets = *first > due && *first - due < grace; // somebody's own run, at this instant
            if (meets || before != watched_run::complete || stop.stop_requested()) { return before; }
        }
        return run(job, due);
    };
    const auto since = installed_since(runs, timer.now());
    if (!since) { return since.why(); }
    const auto first = runs.latest(watch_name);
    if (!first) { return first.why(); }
    if (!*first) {
        const auto now = timer.now();
        const freshet::run_report installed{.job = std::string{watch_name},
                                            .run = "first",
                                            .due = now,
                                            .started_at = now,
                                            .seen_at = now,
                                            .state = freshet::run_state::complete};
        if (auto put = runs.put(installed); !put) { return put; }
    }
    std::array<freshet::time_point, scheduled_jobs.size()> from{};
    from.fill(*since);
    while (!stop.stop_requested()) {
        auto wake = freshet::time_point::max();
        for (std::size_t i = 0; i < scheduled_jobs.size(); ++i) {
            const auto& job = scheduled_jobs[i];
            const auto now = timer.now();
            from[i] = std::min(from[i], now + freshet::duration{1}); // the clock may have been set back
            const auto due = due_now(runs, job, policy, from[i], now);
            if (!due) {
                tell(told[i], due.why());
                wake = std::min(wake, now + std::chrono::minutes{1});
                continue;
            }
            auto next = schedule_of(job).next(now).value_or(wake);
            auto judged = now + freshet::duration{1};
            for (const auto each : *due) {
                if (stop.stop_requested()) { return {}; }
                if (run_due(job, each, told[i]) == watched_run::not_begun) {
                    judged = each;
                    next = timer.now() + std::chrono::minutes{1};
                    break;
                }
            }
            if (due->empty()) { told[i].clear(); }
            from[i] = std::max(from[i], judged);
            wake = std::min(wake, next);
        }
        if (!nap_until(wake, timer, stop)) { break; }
    }
    return {};
}

} // namespace validation
