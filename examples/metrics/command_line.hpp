#pragma once

#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <freshet/core/result.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <freshet/count/window.hpp>
#include <freshet/work/wall_clock.hpp>
#include <metrics/settings.hpp>
#include <support/backend_choice.hpp>
#include <support/command_line.hpp>
#include <support/environment.hpp>
#include <support/log.hpp>
#include <support/option_values.hpp>

namespace metrics {

namespace detail {

struct options {
    support::backend_options backend{};
    std::optional<std::string> now{};
    std::optional<std::string> hours{};
    std::optional<std::string> series{};
    std::optional<std::string> shadow_runs{};
};

using support::read_number;
using support::refused;

[[nodiscard]] inline auto read_backend(const options& read, settings& to) -> freshet::result<void> {
    auto chosen = read.backend.choose({backend::memory, backend::sqlite, backend::aws, backend::graphql});
    if (!chosen) { return std::move(chosen).why(); }
    to.where = chosen->where;
    to.directory = std::move(chosen->directory);
    if (to.where == backend::aws) {
        to.table_name = support::environment("DYNAMODB_TABLE_NAME").value_or(to.table_name);
    } else if (to.where == backend::graphql) {
        if (!to.of.table || !to.of.account) { return refused("--backend graphql counts one --table of one --account"); }
        if (to.input || to.watch || to.cache || read.series) {
            return refused("--input, --watch, --cache and --series are of another backend than graphql");
        }
    }
    if (to.env_file && to.where != backend::graphql) { return refused("--env-file is of --backend graphql"); }
    if (to.where != backend::none) { return {}; }
    if (to.watch || to.cache || read.series) {
        return refused("--watch, --cache and --series are of a backend: --backend or --dir names one");
    }
    if (!to.input) { return refused("there is nothing to count: --input, --backend or --dir says what"); }
    return {};
}

[[nodiscard]] inline auto read_window(const options& read, settings& to) -> freshet::result<void> {
    if (auto good = support::read_time("--now", read.now, to.now); !good) { return good; }
    const auto today = freshet::wall_clock{}.now();
    const auto now = to.now.value_or(today);
    to.clock_shift = now - today;
    if (auto good = read_number("--hours", read.hours, 1, 100'000'000, to.hours); !good) { return good; }
    const auto window = freshet::current_window(now, to.hours);
    if (!freshet::format_rfc3339(window.start) || !freshet::format_rfc3339(window.end)) {
        return refused("--hours: the window leaves the years 0 to 9999");
    }
    return {};
}

[[nodiscard]] inline auto read_rest(const options& read, settings& to) -> freshet::result<void> {
    if (read.series) {
        unsigned minutes = 0;
        if (auto good = read_number("--series", read.series, 1, 60, minutes); !good) { return good; }
        if (minutes != 1 && minutes != 5 && minutes != 15 && minutes != 60) {
            return refused(fmt::format("--series: {} is none of 1, 5, 15, 60", minutes));
        }
        to.series = minutes;
    }
    if (auto good = read_number("--shadow-runs", read.shadow_runs, 1, 1'000, to.shadow_runs); !good) {
        return good;
    }
    if (read.shadow_runs && !to.shadow) { return refused("--shadow-runs is of --shadow"); }
    const auto level = support::log_level_or(support::log_level::info);
    if (!level) { return level.why(); }
    to.log = support::log{*level};
    return {};
}

} // namespace detail

/// Reads the command line, `LOG_LEVEL` and `DYNAMODB_TABLE_NAME`. What is wrong is said in one line on stderr.
[[nodiscard]] inline auto read_settings(int argc, const char* const* argv) -> support::wanted_or_exit<settings> {
    settings wanted;
    detail::options read;
    CLI::App app{"Counts records by the minute, by 5, by 15 and by 60 minutes, checks its sums, and keeps the counts.",
                 "metrics"};
    app.add_option("--input", wanted.input,
                   "records, one a line of JSON; - is stdin. Without a backend they are counted\n"
                   "as they are read; with one they are put into its table first")
        ->type_name("FILE");
    read.backend.add_to(app, "where records and counts are: memory, sqlite:DIR, aws, graphql");
    app.add_option("--env-file", wanted.env_file, "variables that the environment lacks, a line NAME=VALUE (graphql)")
        ->type_name("FILE");
    app.add_option("--now", read.now, "the time (RFC 3339; default: the machine's clock)")->type_name("TIME");
    app.add_option("--hours", read.hours, "count the hour of now and those before it, so many in all (default: 2)")
        ->type_name("N");
    app.add_option("--table", wanted.of.table, "only this kind of records, such as items")->type_name("NAME");
    app.add_option("--account", wanted.of.account, "only records of this account")->type_name("ID");
    app.add_flag("--watch", wanted.watch, "follow the table's changes and recount what they touch, until SIGTERM");
    app.add_flag("--cache", wanted.cache, "keep the records of each hour from one recount to the next");
    app.add_option("--series", read.series, "also print the kept counts of 1, 5, 15 or 60 minutes")
        ->type_name("MINUTES");
    app.add_option("--shadow", wanted.shadow,
                   "compare with what another counter found: the file has a document as --json\n"
                   "prints it; FILE.runs keeps how many runs on other counts were equal")
        ->type_name("FILE");
    app.add_option("--shadow-runs", read.shadow_runs, "equal runs until the other counter can go (default: 3)")
        ->type_name("N");
    app.add_flag("--json", wanted.json, "print one JSON document on stdout, and all else on stderr");
    app.footer(
        "A line is {\"table\": …, \"id\": …, \"accountId\": …, \"createdAt\": …}; updatedAt tells how late records\n"
        "come. sqlite:DIR has the records in DIR/metrics.sqlite and the counts in DIR/counts.sqlite. aws has them in\n"
        "the table DYNAMODB_TABLE_NAME (metrics) and in those called after it; --input makes what is not there.\n"
        "Environment: LOG_LEVEL (DEBUG, INFO, WARNING, ERROR, CRITICAL). For aws also AWS_ACCESS_KEY_ID,\n"
        "AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL. For graphql PLEXUS_API_URL or\n"
        "GRAPHQL_ENDPOINT, PLEXUS_API_KEY or GRAPHQL_API_KEY, and METRICS_RUN_FIELD: the Int field of "
        "AggregatedMetrics\n"
        "that keeps the number of a bucket's last run, so that no older run undoes a later one's counts.\n"
        "Exit code: 0 all well, 1 records were skipped or counts not kept, 2 usage, 3 the backend cannot be used,\n"
        "4 a cross-check failed.");
    return support::read_command_line(app, argc, argv, [&]() -> freshet::result<settings> {
        if (auto good = detail::read_backend(read, wanted); !good) { return good.why(); }
        if (auto good = detail::read_window(read, wanted); !good) { return good.why(); }
        if (auto good = detail::read_rest(read, wanted); !good) { return good.why(); }
        return std::move(wanted);
    });
}

} // namespace metrics
