#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <adapters/aws/settings.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/count/bucket_counter.hpp>
#include <freshet/count/lateness.hpp>
#include <freshet/count/series.hpp>
#include <freshet/count/window.hpp>
#include <freshet/item/document.hpp>
#include <freshet/report/field_text.hpp>
#include <metrics/aggregation.hpp>
#include <metrics/api_run.hpp>
#include <metrics/backends.hpp>
#include <metrics/cached_source.hpp>
#include <metrics/intake.hpp>
#include <metrics/line_counts.hpp>
#include <metrics/output.hpp>
#include <metrics/settings.hpp>
#include <metrics/shadow.hpp>
#include <metrics/table_source.hpp>
#include <support/printing.hpp>
#include <support/shifted_clock.hpp>
#include <support/stop_on_signal.hpp>

namespace metrics {

namespace detail {

/// In one line, without its end: how late records were seen, and the window that this suggests.
[[nodiscard]] inline auto lateness_text(const freshet::lateness_histogram& of) -> std::string {
    constexpr double share = 0.999;
    return fmt::format(
        "99.9% of {} records were seen within {} of their time: a window of {} hours holds them", of.observed(),
        freshet::field_text(std::chrono::ceil<std::chrono::seconds>(of.quantile(share).value_or(freshet::duration{}))),
        of.suggested_window(share, std::chrono::hours{1}));
}

inline void observe(freshet::lateness_histogram& to, const record& each, std::optional<freshet::time_point> at) {
    const auto seen = read_instant(each.updated_at);
    if (at && seen) { to.observe(*at, *seen); }
}

} // namespace detail

/// What a run says and ends with, whatever it counted.
class telling {
public:
    explicit telling(const settings& wanted) : log_{wanted.log}, to_{wanted.json, wanted.log} {
        if (wanted.shadow) { shadow_.emplace(*wanted.shadow, wanted.shadow_runs); }
    }

    /// The code that the run ends with.
    auto tell(const outcome& of, const freshet::lateness_histogram& lateness) -> exit_code {
        to_.say(of);
        if (lateness.observed() != 0) { log_.line(support::log_level::info, "{}", detail::lateness_text(lateness)); }
        if (!shadow_) { return of.code(); }
        const auto compared = shadow_->compare(of, log_);
        if (!compared) {
            log_.line(support::log_level::error, "{}", compared.why().note);
            return std::max(of.code(), some_failed);
        }
        to_.say(*compared + '\n');
        return of.code();
    }
    [[nodiscard]] auto to() const noexcept -> const output& { return to_; }

private:
    const support::log& log_;
    output to_;
    std::optional<shadow_check> shadow_;
};

/// Counts the lines of a file as they are read; fails where it cannot be read to its end.
template <class Counter = freshet::bucket_counter<>>
[[nodiscard]] auto run_on_lines(const settings& wanted, input_file& input, freshet::time_point now)
    -> freshet::result<int> {
    line_counts<Counter> counts{freshet::current_window(now, wanted.hours)};
    freshet::lateness_histogram lateness;
    auto read = input.read(wanted.of, wanted.log, [&](const record& each, auto at) {
        counts.add(each, at);
        detail::observe(lateness, each, at);
    });
    if (!read) { return std::move(read).why(); }
    return telling{wanted}.tell(counts.outcome_of(*std::move(read)), lateness);
}

/// Puts the records of a file into a table.
template <class Table>
[[nodiscard]] auto load(Table& table, input_file& input, const settings& wanted, freshet::lateness_histogram& lateness)
    -> freshet::result<intake_report> {
    constexpr std::size_t at_once = 1'000;
    std::vector<freshet::document> rows;
    freshet::result<void> done;
    const auto put = [&] {
        if (done) { done = put_all(table, rows); }
        rows.clear();
    };
    auto read = input.read(wanted.of, wanted.log, [&](const record& each, auto at) {
        if (!done) { return; }
        detail::observe(lateness, each, at);
        auto row = row_of(each);
        if (!row) {
            done = std::move(row).why();
            return;
        }
        rows.push_back(*std::move(row));
        if (rows.size() == at_once) { put(); }
    });
    put();
    if (!done) { return done.why(); }
    return read;
}

/// The program on a table, its changes and a sink of counts that are open; `input` is null where nothing is loaded.
/// Borrows all that it is given.
template <class Table, class Stream, class Sink, class Timer>
class program {
public:
    program(const settings& wanted, input_file* input, Table& table, Stream& stream, Sink& sink, Timer& timer)
        : wanted_{wanted}, input_{input}, table_{table}, stream_{stream}, sink_{sink}, timer_{timer} {}

    /// The exit code; of `--watch` that of the last run that no stop cut short.
    [[nodiscard]] auto run() -> int {
        table_source<Table> source{table_};
        if (!wanted_.cache) { return run_on(source); }
        cached_source<table_source<Table>, Timer> cached{source, timer_};
        return run_on(cached);
    }

private:
    /// Between two looks at the stream, and after a run that failed.
    static constexpr freshet::duration pause = std::chrono::milliseconds{500};
    static constexpr freshet::duration long_pause = std::chrono::seconds{5};

    template <class Source>
    [[nodiscard]] auto run_on(Source& source) -> int {
        if (input_ != nullptr) {
            auto read = load(table_, *input_, wanted_, lateness_);
            if (!read) { return failed(read.why()); }
            loaded_ = *std::move(read);
        }
        aggregation counted{table_, stream_, source, sink_, timer_, wanted_.of, wanted_.hours, wanted_.log, settle()};
        if (!wanted_.watch) { return run_first(counted, {}); }
        const support::stop_on_signal stop;
        auto code = run_first(counted, stop.token());
        for (auto wait = pause; timer_.wait(wait, stop.token());) {
            auto next = counted.run_due(timer_.now(), stop.token());
            if (stop.token().stop_requested()) { break; }
            if (!next) {
                code = failed(next.why());
            } else if (*next) {
                code = telling_.tell(**next, counted.lateness());
            }
            wait = next && (!*next || code == all_well) ? pause : long_pause;
        }
        return code;
    }

    /// An index of DynamoDB lags behind the table by moments.
    [[nodiscard]] auto settle() -> settle_wait {
        if (wanted_.where != backend::aws) { return {}; }
        return [this](const std::stop_token& stop) { static_cast<void>(timer_.wait(std::chrono::seconds{2}, stop)); };
    }

    template <class Aggregation>
    [[nodiscard]] auto run_first(Aggregation& counted, const std::stop_token& stop) -> exit_code {
        const auto now = wanted_.now.value_or(timer_.now());
        auto made = counted.run_all(now, stop);
        if (stop.stop_requested()) { return all_well; }
        if (!made) { return failed(made.why()); }
        if (input_ != nullptr) {
            // What was put into the table without a time was found there.
            loaded_.skipped.erase(skip_reason::no_timestamp);
            loaded_.skipped.erase(skip_reason::bad_timestamp);
            made->set_input(std::move(loaded_));
        }
        const auto code = telling_.tell(*made, input_ != nullptr ? lateness_ : counted.lateness());
        return std::max(code, print_series(counted.known(), made->header.window, now));
    }

    [[nodiscard]] auto print_series(const std::set<freshet::series_key>& all, const freshet::time_range& window,
                                    freshet::time_point now) -> exit_code {
        if (!wanted_.series) { return all_well; }
        std::string text;
        for (const auto& series : all) {
            const auto points = freshet::read_series(sink_, series, window, std::chrono::minutes{*wanted_.series}, now,
                                                     std::optional{freshet::duration::zero()});
            if (!points) { return failed(points.why()); }
            text += fmt::format("\n{} / {}\n", freshet::printable(series.table), freshet::printable(series.account));
            for (const auto& each : *points) {
                text += fmt::format("{} {:>8}{}\n", detail::instant_text(each.bucket.start), each.bucket.count,
                                    each.is_final ? "" : "  (not over yet)");
            }
        }
        telling_.to().say(text);
        return all_well;
    }

    [[nodiscard]] auto failed(const freshet::error& why) const -> exit_code {
        support::complain("metrics: {}\n", freshet::printable(why.note, 400));
        return code_of_failure(why);
    }

    const settings& wanted_;
    input_file* input_;
    Table& table_;
    Stream& stream_;
    Sink& sink_;
    Timer& timer_;
    telling telling_{wanted_};
    intake_report loaded_{};
    freshet::lateness_histogram lateness_{}; // of the lines that were loaded
};

/// The program on the backend that its settings name; fails where that, or the input, cannot be opened.
template <class Timer>
[[nodiscard]] auto run_on(const settings& wanted, Timer& timer) -> freshet::result<int> {
    std::optional<input_file> input;
    if (wanted.input) {
        auto opened = input_file::open(*wanted.input);
        if (!opened) { return std::move(opened).why(); }
        input.emplace(*std::move(opened));
    }
    const auto with = [&](auto& table, auto& stream, auto& sink) -> int {
        return program{wanted, input ? &*input : nullptr, table, stream, sink, timer}.run();
    };
    const bool make = input.has_value();
    const auto now = wanted.now.value_or(timer.now());
    switch (wanted.where) {
        case backend::none: return run_on_lines(wanted, *input, now);
        case backend::graphql:
            return run_on_api(wanted, now, timer).transform([&](const outcome& made) -> int {
                return telling{wanted}.tell(made, {});
            });
        case backend::memory: return in_memory(timer, with);
        case backend::sqlite: return in_directory(wanted.directory, make, timer, with);
        case backend::aws: break;
    }
    auto how = adapters::aws::settings_from_environment();
    if (!how) { return std::move(how).why(); }
    return in_dynamodb(*std::move(how), wanted.table_name, make, timer, with);
}

/// The whole program over its settings.
[[nodiscard]] inline auto run(const settings& wanted) -> int {
    support::shifted_clock clock{wanted.clock_shift};
    const auto code = run_on(wanted, clock);
    if (!code) {
        support::complain("metrics: {}\n", code.why().note);
        return code.why().code == freshet::errc::malformed ? wrong_usage : unreachable;
    }
    return support::all_printed("metrics") ? *code : static_cast<int>(unreachable);
}

} // namespace metrics
