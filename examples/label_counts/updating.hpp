#pragma once

#include <span>
#include <stop_token>
#include <string>

#include <freshet/cache/coded_store.hpp>
#include <freshet/cache/updater.hpp>
#include <freshet/core/observe.hpp>
#include <freshet/report/log_line.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/executor.hpp>
#include <label_counts/counting.hpp>
#include <label_counts/counts_codec.hpp>
#include <label_counts/settings.hpp>
#include <support/log.hpp>

namespace label_counts {

using run_report = freshet::update_report<std::string>;

/// One run: counts each label and keeps the counts in a store of bytes, until the next run and a little longer. The log
/// has a line a label.
template <class Store, class Clock>
[[nodiscard]] auto update(Store& bytes, const Clock& clock, const counter& count, std::span<const std::string> labels,
                          const schedule& when, const support::log& log,
                          const freshet::deadline& until = freshet::deadline::never(), const std::stop_token& stop = {})
    -> run_report {
    using level = support::log_level;
    using freshet::on;
    const auto warn = [&log](const auto& event) { log.line(level::warning, "{}", freshet::log_line(event)); };
    const auto tell = [&log](const auto& event) {
        const bool good = event.outcome <= freshet::update_outcome::overtaken;
        log.line(good ? level::info : level::error, "{}", freshet::log_line(event));
    };
    freshet::coded_store store{bytes, counts_codec{}, freshet::shared_watch{on<freshet::entry_undecodable>(warn)}};
    freshet::updater updater{
        store, clock, {.period = when.period, .overlap = when.overlap}, freshet::watch{on<freshet::key_updated>(tell)}};
    const freshet::thread_executor workers{when.workers};
    return updater.run(workers, labels, count, until, stop);
}

/// The code that a run ends the program with.
[[nodiscard]] inline auto code_of(const run_report& report) -> exit_code {
    if (report.failed() == 0) { return all_well; }
    const auto done = report.as_result();
    return done ? some_failed : code_of_failure(done.why());
}

} // namespace label_counts
