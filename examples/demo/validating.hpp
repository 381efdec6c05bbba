#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <adapters/run_store.hpp>
#include <demo/ruling_tally.hpp>
#include <demo/settings.hpp>
#include <freshet/backend/run_report.hpp>
#include <freshet/core/result.hpp>
#include <freshet/job/batch_run.hpp>
#include <freshet/letter/redrive.hpp>
#include <validation/erased.hpp>
#include <validation/jobs.hpp>
#include <validation/label_decision.hpp>
#include <validation/place.hpp>

namespace demo {

/// What the jobs that validate receipts said, beside what the table says of it when they had ended.
struct validated_receipts {
    freshet::run_report labels{};
    freshet::run_report metadata{};
    ruling_tally table{};
    std::size_t dead_letters{};       ///< receipts that failed, of earlier runs too
    std::vector<std::string> wrong{}; ///< what is not as the table says, a line each

    [[nodiscard]] auto agrees() const noexcept -> bool { return wrong.empty(); }
};

namespace detail {

/// Runs a job's unfinished round, if there is one, and then the round of `now`, which nobody else has run; waits while
/// somebody is at it, who may have been killed.
template <class Timer>
[[nodiscard]] auto run_rounds(validation::job_kind which, validation::place& at, Timer& timer, freshet::time_point now,
                              const settings& wanted, const std::stop_token& stop)
    -> freshet::result<freshet::run_report> {
    adapters::run_store<validation::any_table> runs{at.reports};
    const auto unfinished = validation::round_for(runs, validation::job_name(which), now);
    if (!unfinished) { return unfinished.why(); }
    validation::job_options how;
    how.run = wanted.owner + ' ' + validation::instant_text(now);
    how.lease = wanted.lease;
    how.workers = 1;
    for (how.due = *unfinished;;) {
        auto done = validation::run_job(which, at.receipts, runs, at.ledger, at.letters, timer, how, stop);
        if (!done) { return std::move(done).why(); }
        switch (done->outcome) {
            case freshet::batch_outcome::complete:
            case freshet::batch_outcome::already_done:
                if (how.due == now) { return std::move(done->report); }
                how.due = now;
                break;
            case freshet::batch_outcome::held:
                if (timer.wait(wanted.poll, stop)) { break; }
                [[fallthrough]];
            case freshet::batch_outcome::stopped:
                return freshet::error{freshet::errc::expired,
                                      "stopped before the end; the same --dir goes on from here"};
            case freshet::batch_outcome::failed:
                return freshet::error{freshet::errc::failed, done->report.job + ": " + done->report.why};
        }
    }
}

} // namespace detail

/// Compares what the jobs said with what the table says after them: no label waits but those that they left undecided,
/// as many were decided in their round as they say, and all metadata has its ruling, but of receipts that failed.
inline void compare_rulings(validated_receipts& of) {
    const auto expect = [&](std::string_view what, const status_counts& counts,
                            std::initializer_list<std::string_view> statuses, std::uint64_t said) {
        std::uint64_t there = 0;
        for (const auto status : statuses) {
            const auto found = counts.find(status);
            there += found == counts.end() ? 0 : found->second;
        }
        if (there != said) {
            of.wrong.push_back(fmt::format("{}: the table has {}, the job says {}", what, there, said));
        }
    };
    using namespace validation::status;
    expect("labels that wait", of.table.labels, {pending}, of.labels.undecided);
    expect("labels decided", of.table.round, {valid, invalid}, of.labels.updated);
    expect("labels that need a review", of.table.round, {needs_review}, of.labels.needs_review);
    expect("metadata decided", of.table.metadata, {"MATCHED", "NO_MATCH"}, of.metadata.validated);
    expect("metadata undecided", of.table.metadata, {"UNSURE"}, of.metadata.undecided);
    expect("metadata without a ruling", of.table.metadata, {"NONE"}, of.metadata.failed);
}

/// Validates labels and metadata of the place's receipts, as the program `validation` does; their changes go the way of
/// all changes. Nobody else should be writing. Fails with `expired` after a stop, to be gone on with.
template <class Place>
[[nodiscard]] auto validate(const settings& wanted, const Place& here, const std::stop_token& stop = {})
    -> freshet::result<validated_receipts> {
    validated_receipts report;
    const auto now = here.clock().now();
    const auto ran = here.with_jobs([&](validation::place& at) -> freshet::result<void> {
        auto labels = detail::run_rounds(validation::job_kind::pending_labels, at, here.clock(), now, wanted, stop);
        if (!labels) { return std::move(labels).why(); }
        auto metadata = detail::run_rounds(validation::job_kind::metadata, at, here.clock(), now, wanted, stop);
        if (!metadata) { return std::move(metadata).why(); }
        report.labels = *std::move(labels);
        report.metadata = *std::move(metadata);
        return {};
    });
    if (!ran) { return ran.why(); }
    auto letters = here.open_queue(validation::letters_queue);
    if (!letters) { return std::move(letters).why(); }
    const auto dead = letters->size();
    if (!dead) { return dead.why(); }
    report.dead_letters = *dead;
    auto table = here.open_table(true);
    if (!table) { return std::move(table).why(); }
    auto tally = tally_rulings(*table, validation::instant_text(now));
    if (!tally) { return std::move(tally).why(); }
    report.table = *std::move(tally);
    compare_rulings(report);
    return report;
}

/// Has the jobs' dead letters handled again: their receipts are validated anew.
template <class Place>
[[nodiscard]] auto redrive_jobs(const settings& wanted, const Place& here) -> freshet::result<freshet::redrive_report> {
    freshet::redrive_report report;
    const auto ran = here.with_jobs([&](validation::place& at) -> freshet::result<void> {
        adapters::run_store<validation::any_table> runs{at.reports};
        validation::job_options how;
        how.run = wanted.owner;
        how.lease = wanted.lease;
        return validation::redrive_letters(at.receipts, runs, at.ledger, at.letters, here.clock(), how,
                                           std::numeric_limits<std::size_t>::max())
            .transform([&](freshet::redrive_report done) { report = std::move(done); });
    });
    if (!ran) { return ran.why(); }
    return report;
}

} // namespace demo
