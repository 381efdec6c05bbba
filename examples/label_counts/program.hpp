#pragma once

#include <algorithm>
#include <cstdio>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <adapters/aws/settings.hpp>
#include <adapters/redis/connection.hpp>
#include <adapters/redis/ttl_store.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/wall_clock.hpp>
#include <label_counts/backends.hpp>
#include <label_counts/counting.hpp>
#include <label_counts/failing_table.hpp>
#include <label_counts/input.hpp>
#include <label_counts/metrics.hpp>
#include <label_counts/output.hpp>
#include <label_counts/reading.hpp>
#include <label_counts/settings.hpp>
#include <label_counts/updating.hpp>
#include <label_counts/watching.hpp>
#include <support/printing.hpp>
#include <support/shifted_clock.hpp>
#include <support/stop_on_signal.hpp>

namespace label_counts {

/// The program on a table and a store of counts that are open. Borrows all that it is given.
template <class Store, class Timer>
class program {
public:
    program(const settings& wanted, const counter& count, Store& store, Timer& timer, metrics_file& metrics,
            const std::stop_token& stop)
        : wanted_{wanted}, count_{count}, store_{store}, timer_{timer}, metrics_{metrics}, stop_{stop} {}

    /// The exit code; of `--watch` that of the last run that no stop cut short.
    [[nodiscard]] auto run() -> int {
        auto code = all_well;
        if (wanted_.watch) {
            every_period(timer_, wanted_.when.period, stop_, [&] {
                const auto done = update_once();
                if (!stop_.stop_requested()) { code = done; }
                flush();
            });
            return code;
        }
        if (wanted_.what != role::read) { code = update_once(); }
        if (wanted_.what != role::update && code != unreachable) { code = std::max(code, read_all()); }
        flush();
        return code;
    }

private:
    auto update_once() -> exit_code {
        const auto report = update(store_, timer_, count_, wanted_.labels, wanted_.when, wanted_.log,
                                   freshet::deadline::never(), stop_);
        say("update", report);
        if (const auto done = report.as_result(); !done) {
            support::complain("label_counts: the run failed: {}\n", freshet::printable(done.why().note, 400));
        }
        return code_of(report);
    }
    auto read_all() -> exit_code {
        const auto seen = read(store_, timer_, count_, wanted_.labels, wanted_.log);
        say("read", seen);
        return code_of(seen);
    }

    template <class Report>
    void say(std::string_view what, const Report& report) {
        if (wanted_.json) {
            document_[std::string{what}] = as_json(report);
        } else {
            support::print(as_text(report));
        }
        // CloudWatch does not know of --now
        if (const auto told = metrics_.write(report, timer_.now(), freshet::wall_clock{}.now()); !told) {
            wanted_.log.line(support::log_level::warning, "{}", told.why().note);
        }
    }
    /// What was done since the last time, as one document, is on its way.
    void flush() {
        if (wanted_.json) {
            support::print(document_.dump(-1, ' ', false, json::error_handler_t::replace) + '\n');
            document_.clear();
        }
        std::fflush(stdout); // `run` sees whether it could be written
    }

    const settings& wanted_;
    const counter& count_;
    Store& store_;
    Timer& timer_;
    metrics_file& metrics_;
    const std::stop_token& stop_;
    json document_ = json::object();
};

/// The program with these items to load first; fails where a backend cannot be opened.
template <class Timer>
[[nodiscard]] auto run_on(const settings& wanted, std::span<const freshet::document> items, Timer& timer,
                          metrics_file& metrics, const std::stop_token& stop = {}) -> freshet::result<int> {
    const auto with = [&](auto& table, auto& own_store) -> int {
        const auto on = [&](auto& store) {
            failing_table failing{table, wanted.fail.value_or("")};
            const auto count = wanted.fail ? counter_of(failing, timer, stop) : counter_of(table, timer, stop);
            return program{wanted, count, store, timer, metrics, stop}.run();
        };
        if (!wanted.redis) { return on(own_store); }
        const adapters::redis::connection by{*wanted.redis};
        adapters::redis::ttl_store<Timer> redis{by, timer, {.name = std::string{store_name}}};
        return on(redis);
    };
    if (wanted.where == backend::memory) { return in_memory(items, timer, with); }
    if (wanted.where == backend::sqlite) { return in_directory(wanted.directory, items, timer, with); }
    auto how = adapters::aws::settings_from_environment();
    if (!how) { return std::move(how).why(); }
    return in_dynamodb(*std::move(how), wanted.table, items, timer, wanted.log, with);
}

/// The whole program over its settings.
[[nodiscard]] inline auto run(const settings& wanted) -> int {
    const auto refuse = [](const freshet::error& why, exit_code code) {
        support::complain("label_counts: {}\n", why.note);
        return code;
    };
    loaded_input input;
    if (wanted.input || wanted.where == backend::memory) {
        auto read = wanted.input ? read_input(*wanted.input, wanted.log) : sample_input();
        if (!read) { return refuse(read.why(), wrong_usage); }
        input = *std::move(read);
    }
    auto metrics = metrics_file::open(wanted.metrics);
    if (!metrics) { return refuse(metrics.why(), wrong_usage); }
    const support::stop_on_signal stop;
    support::shifted_clock clock{wanted.clock_shift};
    const auto code = run_on(wanted, input.items, clock, *metrics, stop.token());
    if (!code) { return refuse(code.why(), unreachable); }
    if (!support::all_printed("label_counts")) { return unreachable; }
    return *code == all_well && input.bad_lines != 0 ? some_failed : *code;
}

} // namespace label_counts
