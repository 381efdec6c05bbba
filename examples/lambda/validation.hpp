#pragma once

#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <adapters/aws/settings.hpp>
#include <adapters/run_store.hpp>
#include <freshet/core/observe.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <freshet/job/batch_job_events.hpp>
#include <freshet/job/batch_run.hpp>
#include <freshet/report/emf.hpp>
#include <freshet/report/log_line.hpp>
#include <lambda/bootstrap.hpp>
#include <lambda/invocation.hpp>
#include <lambda/last_request.hpp>
#include <support/environment.hpp>
#include <support/log.hpp>
#include <support/printing.hpp>
#include <support/run_emf.hpp>
#include <support/shifted_clock.hpp>
#include <validation/dynamodb_place.hpp>
#include <validation/erased.hpp>
#include <validation/jobs.hpp>
#include <validation/metrics_out.hpp>
#include <validation/output.hpp>
#include <validation/place.hpp>

namespace lambda {

/// The instant that an event of a schedule is for, its `time`; nothing where it has none.
[[nodiscard]] inline auto due_of(const std::string& event) -> freshet::result<std::optional<freshet::time_point>> {
    const auto read = nlohmann::json::parse(event, nullptr, false);
    if (!read.is_object() || !read.contains("time")) { return std::nullopt; }
    const auto& time = read["time"];
    const auto due = freshet::parse_rfc3339(time.is_string() ? time.get_ref<const std::string&>() : std::string{});
    if (due) { return std::optional{*due}; }
    return freshet::error{freshet::errc::malformed, due.fault().as_error("the event's time").note};
}

/// Answers a schedule's event with an execution of a validation job: what became of its items.
///
/// Goes on with the job's unfinished round, if there is one, and then runs the one that is due. An event without a time
/// is for now; one that is delivered again is for the same round, unless the job has run for another one meanwhile. A
/// round that does not
/// fit into the invocation is no failure: the answer says `stopped` and where the next event goes on. The invocation
/// fails where the job gave up, and where another execution is at the round, so that the service calls again.
template <class Timer>
class validation_job {
public:
    /// Borrows place and timer. `write` gets the metrics, whole lines. No receipt is begun when no more than
    /// `slowest_request` is left, as far as three quarters of an invocation's time.
    validation_job(validation::job_kind which, validation::place& at, Timer& timer, support::log log,
                   std::function<void(std::string_view)> write, freshet::duration slowest_request = {})
        : which_{which},
          at_{at},
          runs_{at.reports},
          timer_{timer},
          log_{log},
          write_{std::move(write)},
          slowest_request_{slowest_request} {}

    auto operator()(const invocation& event, const std::stop_token& stop) -> freshet::result<std::string> {
        const auto now = timer_.now();
        const auto due = due_at(event, now);
        if (!due) { return due.why(); }
        const auto unfinished = validation::round_for(runs_, validation::job_name(which_), *due);
        if (!unfinished) { return unfinished.why(); }
        validation::job_options how;
        how.run = fmt::format("{} {}", event.request_id, validation::instant_text(now)); // a retry has the same id
        how.until = last_request(event.deadline, now, slowest_request_);
        auto ran = validation::json::array();
        for (const auto round : {*unfinished, *due}) {
            if (!ran.empty() && round == *unfinished) { break; } // it was the one that is due
            how.due = round;
            const auto done = run_round(how, stop);
            if (!done) { return done.why(); }
            ran.push_back(answer_of(*done));
            if (done->outcome == freshet::batch_outcome::stopped) { break; }
        }
        return validation::json{{"runs", std::move(ran)}}.dump(-1, ' ', false,
                                                               validation::json::error_handler_t::replace);
    }

private:
    [[nodiscard]] auto due_at(const invocation& event, freshet::time_point now)
        -> freshet::result<freshet::time_point> {
        const auto told = due_of(event.payload);
        if (!told) { return told.why(); }
        if (*told) { return **told; }
        const auto last = runs_.latest(validation::job_name(which_));
        if (!last) { return last.why(); }
        return *last && (*last)->run.starts_with(event.request_id + ' ') ? (*last)->due : now;
    }

    [[nodiscard]] auto run_round(const validation::job_options& how, const std::stop_token& stop)
        -> freshet::result<freshet::batch_job_answer> {
        using enum support::log_level;
        const auto tell = [this](support::log_level level, const auto& event) {
            log_.line(level, "{}", freshet::log_line(event));
        };
        auto done = validation::run_job(
            which_, at_.receipts, runs_, at_.ledger, at_.letters, timer_, how, stop,
            freshet::watch{freshet::on<freshet::group_failed>([&](const auto& event) { tell(warning, event); }),
                           freshet::on<freshet::group_letter_failed>([&](const auto& event) { tell(error, event); }),
                           freshet::on<freshet::report_not_kept>([&](const auto& event) { tell(error, event); })});
        if (!done) { return done; }
        const auto& report = done->report;
        if (done->outcome == freshet::batch_outcome::held) {
            return freshet::error{freshet::errc::conflict, report.job + ": another execution is at the round of " +
                                                               validation::instant_text(how.due) +
                                                               ", or was killed at it"};
        }
        if (done->outcome == freshet::batch_outcome::already_done) { return done; }
        const bool whole = done->outcome == freshet::batch_outcome::complete && report.failed == 0;
        tell(whole ? info : warning, report);
        write_metrics(report);
        if (done->outcome == freshet::batch_outcome::failed) {
            return freshet::error{freshet::errc::failed, report.job + ": given up: " + report.why};
        }
        return done;
    }

    void write_metrics(const freshet::run_report& report) const {
        const auto lines = freshet::emf_lines(support::run_emf(report, validation::metrics_namespace), timer_.now());
        if (!lines) { return log_.line(support::log_level::warning, "{}", lines.why().note); }
        for (const auto& line : *lines) { write_(line + '\n'); }
    }

    [[nodiscard]] static auto answer_of(const freshet::batch_job_answer& done) -> validation::json {
        auto made = validation::as_json(done);
        if (done.outcome == freshet::batch_outcome::stopped) { made["resume"] = done.report.resume; }
        return made;
    }

    validation::job_kind which_;
    validation::place& at_;
    adapters::run_store<validation::any_table> runs_;
    Timer& timer_;
    support::log log_;
    std::function<void(std::string_view)> write_;
    freshet::duration slowest_request_;
};

namespace detail {

/// Validation has a place for other judges than rules, but none stands there: their keys may be set or not.
inline void say_unused_keys(const support::log& log) {
    std::string set, missing;
    for (const auto* name : {"OLLAMA_API_KEY", "LANGSMITH_API_KEY", "GOOGLE_PLACES_API_KEY"}) {
        (support::environment(name) ? set : missing).append(", ").append(name);
    }
    const auto told = [](const char* what, const std::string& names) {
        return names.empty() ? names : fmt::format("; {}: {}", what, std::string_view{names}.substr(2));
    };
    log.line(support::log_level::info, "rules on the receipt's own text decide{}{}", told("set and not used", set),
             told("not set", missing));
}

} // namespace detail

/// The job as the environment wants it: over the tables of `DYNAMODB_TABLE_NAME`, `-runs` and `-ledger`, with dead
/// letters to `DEAD_LETTER_QUEUE_URL`, or else to the queue that is called after the table, `-validation-dead.fifo`.
/// Also `LOG_LEVEL`, and what `adapters::aws::settings_from_environment` reads. Metrics go to stdout, where CloudWatch
/// finds them. Whether tables and queue are there is asked.
template <validation::job_kind Which>
[[nodiscard]] auto make_validation() -> freshet::result<function> {
    const auto level = support::log_level_or(support::log_level::info);
    if (!level) { return level.why(); }
    const auto table = adapters::aws::table_name_from_environment();
    if (!table) { return table.why(); }
    auto how = adapters::aws::settings_from_environment();
    if (!how) { return std::move(how).why(); }
    how->total_timeout = std::chrono::seconds{3};
    const auto slowest_request = how->total_timeout * (how->retries.retries + 1);
    const support::log log{*level};
    detail::say_unused_keys(log);
    const auto with_place = [how = *std::move(how), table = *table,
                             letters = support::environment("DEAD_LETTER_QUEUE_URL")](auto& clock, const auto& use) {
        return validation::in_dynamodb(how, table, letters, false, clock, use);
    };
    support::shifted_clock clock{{}};
    const auto there = with_place(clock, [](validation::place&) { return 0; });
    if (!there) { return there.why(); }
    return function{[with_place, slowest_request, log](const invocation& event, const std::stop_token& stop) {
        support::shifted_clock now{{}};
        freshet::result<std::string> answer{std::string{}};
        const auto ran = with_place(now, [&](validation::place& at) {
            validation_job job{Which, at, now, log, &support::print, slowest_request};
            answer = job(event, stop);
            return 0;
        });
        std::fflush(stdout);
        return ran ? std::move(answer) : freshet::result<std::string>{ran.why()};
    }};
}

inline constexpr std::array validation_functions{
    named_function{"validate_pending_labels", &make_validation<validation::job_kind::pending_labels>},
    named_function{"validate_metadata", &make_validation<validation::job_kind::metadata>},
    named_function{"reverify_labels", &make_validation<validation::job_kind::reverify>}};

} // namespace lambda
