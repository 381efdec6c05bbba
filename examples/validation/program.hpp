#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>

#include <adapters/run_store.hpp>
#include <freshet/core/observe.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/report/log_line.hpp>
#include <freshet/work/wall_clock.hpp>
#include <support/printing.hpp>
#include <validation/dry_run.hpp>
#include <validation/history.hpp>
#include <validation/jobs.hpp>
#include <validation/labels_file.hpp>
#include <validation/loading.hpp>
#include <validation/memory_place.hpp>
#include <validation/metrics_out.hpp>
#include <validation/output.hpp>
#include <validation/place.hpp>
#include <validation/progress.hpp>
#include <validation/settings.hpp>
#include <validation/watching.hpp>

namespace validation {

/// The program on backends that are open. Borrows all that it is given.
template <class Timer>
class program {
public:
    program(const settings& wanted, const receipts_input& input, place& at, Timer& timer, const std::stop_token& stop)
        : wanted_{wanted}, input_{input}, at_{at}, runs_{at.reports}, timer_{timer}, stop_{stop} {}

    /// The exit code.
    [[nodiscard]] auto run() -> int {
        for (const auto* file : {&wanted_.labels, &wanted_.metrics}) {
            if (!*file || **file == "-") { continue; }
            if (auto can = has_directory(**file); !can) { return unwritten(can.why()); }
        }
        if (auto loaded = load(); !loaded) { return failed(loaded.why()); }
        auto code = all_well;
        switch (wanted_.what) {
            case command::watch: code = watch(); break;
            case command::runs: return tell_history();
            case command::redrive: code = redrive(); break;
            case command::score: return all_well; // has no backend
            case command::pending_labels: code = run_once(job_kind::pending_labels); break;
            case command::metadata: code = run_once(job_kind::metadata); break;
            case command::reverify: code = run_once(job_kind::reverify); break;
            case command::process_all: code = run_once(job_kind::process_all); break;
            case command::upload: code = run_once(job_kind::upload); break;
        }
        std::fflush(stdout); // `run` sees whether it could be written
        return std::max(code, write_labels());
    }

private:
    [[nodiscard]] auto load() -> freshet::result<void> {
        if (input_.receipts.empty()) { return {}; }
        auto added = put_new(at_.receipts, input_.receipts, stop_);
        if (!added) { return std::move(added).why(); }
        wanted_.log.line(support::log_level::info, "{} receipts read, {} of them new", input_.receipts.size(), *added);
        return {};
    }

    [[nodiscard]] auto selected() const -> freshet::result<selection> {
        selection of;
        of.image = wanted_.image;
        if (wanted_.what != command::upload) { return of; }
        for (const auto& each : input_.receipts) {
            auto key = own_key(each);
            if (!key) { return std::move(key).why(); }
            of.receipts.push_back(*std::move(key));
        }
        return of;
    }

    [[nodiscard]] auto options_for(freshet::time_point due) const -> job_options {
        job_options how;
        how.due = due;
        how.run = fmt::format("{} {}", instant_text(timer_.now()), ::getpid());
        how.limit = wanted_.limit;
        how.max_groups = wanted_.most;
        how.batch = wanted_.batch;
        how.workers = wanted_.workers;
        how.lease = wanted_.lease;
        how.tolerated = wanted_.tolerated;
        how.most_undecided = wanted_.most_undecided;
        return how;
    }

    /// The end of what begins now.
    [[nodiscard]] auto until() const -> freshet::deadline {
        return wanted_.limit > freshet::duration::zero() ? freshet::deadline::in(wanted_.limit, timer_.now())
                                                         : freshet::deadline::never();
    }

    /// Runs a round, once nobody else is at it: a run that was killed keeps it for the rest of its lease.
    [[nodiscard]] auto run_round(job_kind which, const selection& of, freshet::time_point due)
        -> freshet::result<freshet::batch_job_answer> {
        const auto until = this->until();
        progress shown;
        const auto tell = [&](support::log_level level, const auto& event) {
            shown.clear();
            wanted_.log.line(level, "{}", freshet::log_line(event));
        };
        using enum support::log_level;
        for (bool told = false;;) {
            auto how = options_for(due);
            how.until = until;
            how.of = of;
            auto answer =
                run_job(which, at_.receipts, runs_, at_.ledger, at_.letters, timer_, how, stop_,
                        freshet::watch{
                            freshet::on<freshet::items_listed>([&](const auto& event) {
                                tell(debug, event);
                                shown.show(event);
                            }),
                            freshet::on<freshet::batch_began>([&](const auto& event) { shown.show(event); }),
                            freshet::on<freshet::batch_ended>([&](const auto& event) { shown.show(event); }),
                            freshet::on<freshet::group_failed>([&](const auto& event) { tell(warning, event); }),
                            freshet::on<freshet::group_letter_failed>([&](const auto& event) { tell(error, event); }),
                            freshet::on<freshet::report_not_kept>([&](const auto& event) { tell(error, event); })});
            if (!answer || answer->outcome != freshet::batch_outcome::held) { return answer; }
            if (!std::exchange(told, true)) {
                wanted_.log.line(info, "{}: another run is at it, or was killed at it; waiting", job_name(which, of));
            }
            const auto now = timer_.now();
            const auto wait = std::clamp<freshet::duration>(answer->held_until - now, std::chrono::milliseconds{10},
                                                            std::chrono::seconds{1});
            if (until.passed(now) || !timer_.wait(std::min(wait, until.remaining(now)), stop_)) { return answer; }
        }
    }

    /// The job's unfinished round where there is one; else one of this moment.
    [[nodiscard]] auto run_once(job_kind which) -> exit_code {
        const auto of = selected();
        if (!of) { return failed(of.why()); }
        if (which != job_kind::pending_labels && which != job_kind::reverify) {
            wanted_.log.line(support::log_level::debug,
                             "metadata: no look-up of places, the receipt's own text decides");
        }
        if (wanted_.dry_run) { return run_dry(which, *of); }
        const auto due = round_of(which, *of);
        return due ? tell(run_round(which, *of, *due)) : failed(due.why());
    }

    [[nodiscard]] auto round_of(job_kind which, const selection& of) -> freshet::result<freshet::time_point> {
        const auto now = timer_.now();
        auto due = round_for(runs_, job_name(which, of), now);
        if (due && *due != now) {
            wanted_.log.line(support::log_level::info, "{}: goes on with the round of {}", job_name(which, of),
                             instant_text(*due));
        }
        return due;
    }

    /// Nothing that lasts knows of it.
    [[nodiscard]] auto run_dry(job_kind which, const selection& of) -> exit_code {
        const auto ran = in_memory(timer_, [&](place& aside) -> int {
            const auto say = [](const std::string& line) { support::print(line + '\n'); };
            aside.receipts = without_writes(at_.receipts, say);
            auto quiet = wanted_;
            quiet.workers = 1; // what it says is in order
            quiet.dry_run = false;
            quiet.metrics.reset();
            program dry{quiet, input_, aside, timer_, stop_};
            const auto last = runs_.latest(job_name(which, of)); // where the round that is unfinished stands
            if (!last) { return failed(last.why()); }
            if (*last) {
                if (auto put = dry.runs_.put(**last); !put) { return failed(put.why()); }
            }
            const auto due = dry.round_of(which, of);
            return due ? dry.tell(dry.run_round(which, of, *due)) : failed(due.why());
        });
        return ran ? static_cast<exit_code>(*ran) : failed(ran.why());
    }

    auto tell(const freshet::result<freshet::batch_job_answer>& answer) -> exit_code {
        if (!answer) { return failed(answer.why()); }
        say(*answer);
        const auto code = code_of(*answer, wanted_.most);
        tell_earlier_failures(answer->report);
        const bool ran = answer->outcome <= freshet::batch_outcome::failed;
        if (wanted_.metrics && ran) {
            const auto told = append_metrics(*wanted_.metrics, answer->report, freshet::wall_clock{}.now());
            if (!told && told.why().code == freshet::errc::denied) { return std::max(code, unwritten(told.why())); }
            if (!told) { wanted_.log.line(support::log_level::warning, "{}", told.why().note); } // --now, for one
        }
        return code;
    }

    /// A round may end well, and have failures all the same: of a run that was stopped or killed at it.
    void tell_earlier_failures(const freshet::run_report& of) {
        const auto known = known_runs(runs_, of.job, timer_.now());
        if (!known) { return; } // the run itself has told of a store that does not answer
        std::uint64_t failed = 0, letters = 0;
        for (const auto& each : *known) {
            if (each.due != of.due || each.run == of.run) { continue; }
            failed += each.failed;
            letters += each.dead_lettered;
        }
        if (failed + letters == 0) { return; }
        wanted_.log.line(support::log_level::warning,
                         "{} of {}: earlier runs of this round had {} failed receipts, {} dead letters",
                         freshet::printable(of.job), instant_text(of.due), failed, letters);
    }

    [[nodiscard]] auto watch() -> exit_code {
        auto code = all_well;
        const auto done = validation::watch(
            runs_, timer_, wanted_.catch_up, stop_,
            [&](const scheduled_job& job, freshet::time_point due) {
                const auto answer = run_round(job.which, {}, due);
                const auto now = tell(answer);
                std::fflush(stdout);
                if (!stop_.stop_requested()) { code = std::max(now, write_labels()); }
                if (!answer) { return watched_run::not_begun; }
                using enum freshet::batch_outcome;
                if (answer->outcome == held) { return watched_run::not_begun; }
                const bool ended = answer->outcome == complete || answer->outcome == already_done;
                return ended ? watched_run::complete : watched_run::unfinished;
            },
            [&](const freshet::error& why) { code = std::max(code, failed(why)); });
        return done ? code : failed(done.why());
    }

    [[nodiscard]] auto redrive() -> exit_code {
        auto how = options_for(timer_.now());
        how.until = until();
        const auto done = redrive_letters(at_.receipts, runs_, at_.ledger, at_.letters, timer_, how,
                                          std::numeric_limits<std::size_t>::max(), stop_);
        if (!done) { return failed(done.why()); }
        say(*done);
        return done->failed + done->held == 0 ? all_well : some_failed;
    }

    [[nodiscard]] auto tell_history() -> exit_code {
        const auto history = history_of(runs_, timer_.now(), wanted_);
        if (!history) { return failed(history.why()); }
        say(*history);
        return history->alarmed() ? check_failed : all_well;
    }

    [[nodiscard]] auto write_labels() -> exit_code {
        if (!wanted_.labels || wanted_.dry_run) { return all_well; }
        const auto text = labels_text(at_.receipts);
        if (!text) { return failed(text.why()); }
        const auto written = write_whole(*wanted_.labels, *text);
        return written ? all_well : unwritten(written.why());
    }

    template <class Report>
    void say(const Report& report) {
        support::print(wanted_.json ? as_json(report).dump(-1, ' ', false, json::error_handler_t::replace) + '\n'
                                    : as_text(report));
    }
    auto failed(const freshet::error& why) const -> exit_code {
        support::complain("validation: {}\n", freshet::printable(why.note, 400));
        return support::code_of_failure(why);
    }
    /// A file of ours cannot be written: no backend is to blame.
    auto unwritten(const freshet::error& why) const -> exit_code {
        static_cast<void>(failed(why));
        return some_failed;
    }

    const settings& wanted_;
    const receipts_input& input_;
    place& at_;
    adapters::run_store<any_table> runs_;
    Timer& timer_;
    const std::stop_token& stop_;
};

} // namespace validation
