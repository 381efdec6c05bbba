#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/backend/row_key.hpp>
#include <freshet/backend/run_report.hpp>
#include <freshet/backend/run_store.hpp>
#include <freshet/backend/shareable.hpp>
#include <freshet/core/observe.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/sha256.hpp>
#include <freshet/core/time.hpp>
#include <freshet/job/batch_job.hpp>
#include <freshet/job/failure_budget.hpp>
#include <freshet/letter/dead_letter.hpp>
#include <freshet/letter/redrive.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/executor.hpp>
#include <receipts/entities.hpp>
#include <validation/any_steps.hpp>
#include <validation/label_steps.hpp>
#include <validation/listing.hpp>
#include <validation/metadata_steps.hpp>
#include <validation/process_steps.hpp>
#include <validation/rulings.hpp>

/// The jobs that validate receipts, by the clock or because somebody asks.
namespace validation {

enum class job_kind {
    pending_labels, ///< rules on PENDING labels
    metadata,       ///< rules on all metadata
    reverify,       ///< rules again on all labels that are not PENDING
    process_all,    ///< makes what receipts lack, then rules on it
    upload,         ///< the same for receipts that somebody brings
};

/// A job that has a schedule, as EventBridge writes it (UTC).
struct scheduled_job {
    job_kind which{};
    std::string_view name;
    std::string_view schedule;
    unsigned memory_mb{};         ///< of the function that runs it
    std::chrono::minutes limit{}; ///< how long that may take
    std::chrono::minutes usual{}; ///< how long it takes as a rule, by which a month's cost is estimated
};

inline constexpr std::array scheduled_jobs{
    scheduled_job{job_kind::pending_labels, "pending-labels", "cron(0 2 ? * SUN *)", 3008, std::chrono::minutes{15},
                  std::chrono::minutes{10}},
    scheduled_job{job_kind::metadata, "metadata", "cron(0 2 ? * WED *)", 2048, std::chrono::minutes{10},
                  std::chrono::minutes{5}},
    scheduled_job{job_kind::reverify, "reverify", "cron(0 2 ? 1/3 1#1 *)", 3008, std::chrono::minutes{15},
                  std::chrono::minutes{15}}, // 1st Sunday of a quarter
    scheduled_job{job_kind::process_all, "process-all", "cron(0 3 1 * ? *)", 3008, std::chrono::minutes{15},
                  std::chrono::minutes{15}},
};

/// Which receipts `process_all` and `upload` are about.
struct selection {
    std::optional<std::string> image{};       ///< only those of this image
    std::vector<freshet::row_key> receipts{}; ///< of `upload`: the keys of their own items
};

/// What a job is called in ledger, reports and letters. A selection makes it a job of its own, since another one's
/// place to go on is none of its.
[[nodiscard]] inline auto job_name(job_kind which, const selection& of = {}) -> std::string {
    if (which == job_kind::upload) {
        freshet::sha256 digest;
        for (const auto& key : of.receipts) { digest.update(key.partition).update(key.sort).update("\n"); }
        const auto digits = freshet::hex(digest.finish());
        return "upload " + std::string{digits.data(), 12};
    }
    const auto found = std::find_if(scheduled_jobs.begin(), scheduled_jobs.end(),
                                    [&](const scheduled_job& each) { return each.which == which; });
    return std::string{found->name} + (of.image ? " " + *of.image : "");
}

/// The job that has such a name, whatever its selection.
[[nodiscard]] inline auto job_called(std::string_view name) -> std::optional<job_kind> {
    name = name.substr(0, name.find(' '));
    for (const auto& each : scheduled_jobs) {
        if (each.name == name) { return each.which; }
    }
    return name == "upload" ? std::optional{job_kind::upload} : std::nullopt;
}

/// How one execution of a job goes.
struct job_options {
    freshet::time_point due{};                           ///< the round, see `round_for`
    std::string run{};                                   ///< the execution's own name
    freshet::duration limit{};                           ///< how long it may take; zero: as long as it likes
    freshet::deadline until{freshet::deadline::never()}; ///< where the host ends it anyway
    std::optional<std::size_t> max_groups{};             ///< receipts; the next run of the round goes on behind them
    selection of{};
    std::size_t batch{10};                            ///< receipts between two looks at the time left
    unsigned workers{4};                              ///< receipts at once, where the table is shareable
    freshet::duration lease{std::chrono::minutes{1}}; ///< how long a killed run keeps others waiting
    freshet::failure_limits tolerated{};
    unsigned most_undecided{3}; ///< rounds, until a label needs a person
    validators by{};
};

/// Which round to run when `due` has come: the job's last one where that was begun and not completed, else `due`.
template <class Runs>
[[nodiscard]] auto round_for(Runs& runs, std::string_view job, freshet::time_point due)
    -> freshet::result<freshet::time_point> {
    const auto last = runs.latest(job);
    if (!last) { return last.why(); }
    return *last && (*last)->state != freshet::run_state::complete ? (*last)->due : due;
}

namespace detail {

[[nodiscard]] inline auto batch_options(std::string name, const job_options& how, unsigned at_once)
    -> freshet::batch_job_options {
    freshet::batch_job_options options;
    options.job = std::move(name);
    options.batch = how.batch;
    options.at_once = at_once;
    options.lease = how.lease;
    options.tolerated = how.tolerated;
    options.most_undecided = how.most_undecided;
    options.seed = std::hash<std::string>{}(how.run);
    if (how.limit > freshet::duration::zero()) { // a run of seconds has no ten of them to keep
        options.reserve = std::min(options.reserve, how.limit / 10);
        options.first_guess = std::min(options.first_guess, how.limit / 20);
    }
    return options;
}

/// What a job of this kind does.
template <class Table>
[[nodiscard]] auto steps_of(job_kind which, Table& table, const job_options& how) -> any_steps {
    switch (which) {
        case job_kind::pending_labels: return any_steps::of(label_steps{table, how.by, label_pass::first});
        case job_kind::reverify: return any_steps::of(label_steps{table, how.by, label_pass::again});
        case job_kind::metadata: return any_steps::of(metadata_steps{table, how.by});
        case job_kind::process_all:
        case job_kind::upload: break;
    }
    return any_steps::of(process_steps<Table>{
        table, how.by, [&table, &how, which](const freshet::page_request& request) -> freshet::result<key_page> {
            if (which == job_kind::upload) { return key_page{how.of.receipts, {}}; }
            if (!how.of.image) { return all_of<receipts::receipt>(table, request); }
            const auto partition = receipts::image_key::format(*how.of.image);
            if (!partition) { return partition.why(); }
            return all_in<receipts::receipt>(table, *partition, request);
        }});
}

} // namespace detail

/// Runs a job: the round `how.due`, or what is left of it.
///
/// `table` is one of receipts, `runs` a run_store, `letters` the queue for receipts that failed; `seen` is told of the
/// events of `freshet::batch_job`. Receipts are worked on at once where the table is shareable. Borrows all of them.
template <class Table, class Runs, class Ledger, class Letters, class Timer, class Observer = freshet::unobserved>
[[nodiscard]] auto run_job(job_kind which, Table& table, Runs& runs, Ledger& ledger, Letters& letters, Timer& timer,
                           const job_options& how, const std::stop_token& stop = {}, Observer seen = {})
    -> freshet::result<freshet::batch_job_answer> {
    freshet::batch_run wanted;
    wanted.due = how.due;
    wanted.run = how.run;
    wanted.limit = how.limit;
    wanted.until = how.until;
    wanted.max_groups = how.max_groups;
    auto steps = detail::steps_of(which, table, how);
    const auto at_once = freshet::shareable<Table> ? std::max(how.workers, 1U) : 1U;
    const freshet::thread_executor workers{at_once};
    freshet::batch_job job{steps,
                           workers,
                           ledger,
                           letters,
                           runs,
                           timer,
                           detail::batch_options(job_name(which, how.of), how, at_once),
                           std::move(seen)};
    return job.run(wanted, stop);
}

/// Takes the dead letters of all jobs, and works on their receipts again, at most `most`, until `how.until`. What fails
/// again stays.
template <class Table, class Runs, class Ledger, class Letters, class Timer>
[[nodiscard]] auto redrive_letters(Table& table, Runs& runs, Ledger& ledger, Letters& letters, Timer& timer,
                                   const job_options& how, std::size_t most, const std::stop_token& stop = {})
    -> freshet::result<freshet::redrive_report> {
    const auto handle = [&](const freshet::received_message& message) -> freshet::result<void> {
        const auto letter = freshet::parse_dead_letter(message.body);
        if (!letter) { return letter.why(); }
        const auto which = job_called(letter->origin);
        if (!which) {
            return freshet::error{freshet::errc::malformed,
                                  freshet::printable(letter->origin) + ": there is no such job"};
        }
        auto steps = detail::steps_of(*which, table, how);
        const freshet::thread_executor alone{1};
        freshet::batch_job job{
            steps, alone, ledger, letters, runs, timer, detail::batch_options(letter->origin, how, 1)};
        return job.redo(*letter, how.run, how.until, stop);
    };
    return freshet::redrive(letters, handle, most,
                            [&] { return !stop.stop_requested() && !how.until.passed(timer.now()); });
}

} // namespace validation
