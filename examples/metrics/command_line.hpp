#pragma once

#include <charconv>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <freshet/count/ladder.hpp>
#include <freshet/count/window.hpp>
#include <freshet/work/wall_clock.hpp>
#include <metrics/settings.hpp>
#include <support/environment.hpp>
#include <support/log.hpp>
#include <support/printing.hpp>

namespace metrics {

/// The settings, or the code to exit with where everything has been said (help, or what is wrong).
struct settings_or_exit {
    std::optional<settings> wanted;
    int exit_code{};
};

namespace detail {

struct options {
    std::optional<std::string> backend{};
    std::optional<std::string> directory{};
    std::optional<std::string> now{};
    std::optional<std::string> hours{};
    std::optional<std::string> series{};
    std::optional<std::string> shadow_runs{};
};

[[nodiscard]] inline auto refused(std::string why) -> freshet::error {
    return {freshet::errc::malformed, std::move(why)};
}

[[nodiscard]] inline auto read_backend(const options& read, settings& to) -> freshet::result<void> {
    constexpr std::string_view sqlite = "sqlite:";
    const auto& named = read.backend;
    if (named && read.directory) {
        return refused("--backend excludes --dir, which is short for --backend sqlite:DIR");
    }
    if (named == "aws") {
        to.where = backend::aws;
        to.table_name = support::environment("DYNAMODB_TABLE_NAME").value_or(to.table_name);
    } else if (named == "memory") {
        to.where = backend::memory;
    } else if (read.directory || (named && named->starts_with(sqlite))) {
        to.where = backend::sqlite;
        to.directory = read.directory ? *read.directory : named->substr(sqlite.size());
        if (to.directory.empty()) { return refused("--dir: the name of a directory is not empty"); }
    } else if (named == "graphql") {
        to.where = backend::graphql;
        if (!to.of.table || !to.of.account) { return refused("--backend graphql counts one --table of one --account"); }
        if (to.input || to.watch || to.cache || read.series) {
            return refused("--input, --watch, --cache and --series are of another backend than graphql");
        }
    } else if (named) {
        return refused(
            fmt::format("--backend: '{}' is none of memory, sqlite:DIR, aws, graphql", freshet::printable(*named)));
    }
    if (to.env_file && to.where != backend::graphql) { return refused("--env-file is of --backend graphql"); }
    if (to.where != backend::none) { return {}; }
    if (to.watch || to.cache || read.series) {
        return refused("--watch, --cache and --series are of a backend: --backend or --dir names one");
    }
    if (!to.input) { return refused("there is nothing to count: --input, --backend or --dir says what"); }
    return {};
}

/// A whole number from 1 to `most`, where one was given.
template <class Number>
[[nodiscard]] auto read_number(std::string_view option, const std::optional<std::string>& given, Number most,
                               Number& to) -> freshet::result<void> {
    if (!given) { return {}; }
    const auto [rest, bad] = std::from_chars(given->data(), given->data() + given->size(), to);
    if (bad == std::errc{} && rest == given->data() + given->size() && to >= 1 && to <= most) { return {}; }
    return refused(fmt::format("{}: '{}' is no whole number from 1 to {}", option, freshet::printable(*given), most));
}

[[nodiscard]] inline auto read_window(const options& read, settings& to) -> freshet::result<void> {
    auto now = freshet::wall_clock{}.now();
    if (read.now) {
        const auto asked = freshet::parse_rfc3339(*read.now);
        if (!asked) { return refused(asked.fault().as_error("--now").note); }
        to.clock_shift = *asked - now;
        to.now = now = *asked;
    }
    if (auto good = read_number<std::size_t>("--hours", read.hours, 100'000'000, to.hours); !good) { return good; }
    const auto window = freshet::current_window(now, to.hours);
    if (!freshet::format_rfc3339(window.start) || !freshet::format_rfc3339(window.end)) {
        return refused("--hours: the window leaves the years 0 to 9999");
    }
    return {};
}

[[nodiscard]] inline auto read_rest(const options& read, settings& to) -> freshet::result<void> {
    if (read.series) {
        unsigned minutes = 0;
        if (auto good = read_number("--series", read.series, 60U, minutes); !good) { return good; }
        if (minutes != 1 && minutes != 5 && minutes != 15 && minutes != 60) {
            return refused(fmt::format("--series: {} is none of 1, 5, 15, 60", minutes));
        }
        to.series = minutes;
    }
    if (auto good = read_number<std::size_t>("--shadow-runs", read.shadow_runs, 1'000, to.shadow_runs); !good) {
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
[[nodiscard]] inline auto read_settings(int argc, const char* const* argv) -> settings_or_exit {
    settings wanted;
    detail::options read;
    CLI::App app{"Counts records by the minute, by 5, by 15 and by 60 minutes, checks its sums, and keeps the counts.",
                 "metrics"};
    app.add_option("--input", wanted.input,
                   "records, one a line of JSON; - is stdin. Without a backend they are counted\n"
                   "as they are read; with one they are put into its table first")
        ->type_name("FILE");
    app.add_option("--backend", read.backend, "where records and counts are: memory, sqlite:DIR, aws, graphql")
        ->type_name("BACKEND");
    app.add_option("--dir", read.directory, "short for --backend sqlite:DIR")->type_name("DIR");
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
    const auto refuse = [](std::string_view why) -> settings_or_exit {
        support::complain("metrics: {}\n", why);
        return {std::nullopt, wrong_usage};
    };
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        support::print(app.help());
        return {std::nullopt, all_well};
    } catch (const CLI::ParseError& wrong) { return refuse(freshet::printable(wrong.what(), 400)); }

    if (auto good = detail::read_backend(read, wanted); !good) { return refuse(good.why().note); }
    if (auto good = detail::read_window(read, wanted); !good) { return refuse(good.why().note); }
    if (auto good = detail::read_rest(read, wanted); !good) { return refuse(good.why().note); }
    return {std::move(wanted), all_well};
}

} // namespace metrics
