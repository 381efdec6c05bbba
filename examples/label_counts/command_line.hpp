#pragma once

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <adapters/redis/settings.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <freshet/work/wall_clock.hpp>
#include <label_counts/core_labels.hpp>
#include <label_counts/settings.hpp>
#include <support/environment.hpp>
#include <support/log.hpp>
#include <support/printing.hpp>

namespace label_counts {

/// The settings, or the code to exit with where everything has been said (help, or what is wrong).
struct settings_or_exit {
    std::optional<settings> wanted;
    int exit_code{};
};

namespace detail {

struct options {
    std::optional<std::string> backend{};
    std::optional<std::string> directory{};
    std::optional<std::string> cache{};
    std::optional<std::string> workers{};
    std::optional<std::string> period{};
    std::optional<std::string> overlap{};
    std::optional<std::string> now{};
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
        to.table = support::environment("DYNAMODB_TABLE_NAME").value_or(to.table);
    } else if (read.directory || (named && named->starts_with(sqlite))) {
        to.where = backend::sqlite;
        to.directory = read.directory ? *read.directory : named->substr(sqlite.size());
        if (to.directory.empty()) { return refused("--dir: the name of a directory is not empty"); }
    } else if (named && named != "memory") {
        return refused(fmt::format("--backend: '{}' is none of memory, sqlite:DIR, aws", freshet::printable(*named)));
    }
    if (!read.cache) { return {}; }
    auto redis = adapters::redis::settings_from(*read.cache);
    if (!redis) { return refused("--cache: " + redis.why().note); }
    to.redis = *std::move(redis);
    return {};
}

[[nodiscard]] inline auto read_span(std::string_view option, const std::optional<std::string>& given,
                                    freshet::duration& to) -> freshet::result<void> {
    if (!given) { return {}; }
    const auto span = support::parse_age(*given);
    if (!span) {
        return refused(
            fmt::format("{}: '{}' is no duration such as 90s, 5m, 1h, 2d", option, freshet::printable(*given)));
    }
    to = *span;
    return {};
}

[[nodiscard]] inline auto read_schedule(const options& read, schedule& to) -> freshet::result<void> {
    if (auto span = read_span("--period", read.period, to.period); !span) { return span; }
    if (auto span = read_span("--overlap", read.overlap, to.overlap); !span) { return span; }
    if (!read.workers) { return {}; }
    const auto& text = *read.workers;
    const auto [rest, bad] = std::from_chars(text.data(), text.data() + text.size(), to.workers);
    if (bad != std::errc{} || rest != text.data() + text.size() || to.workers < 1 || to.workers > 1000) {
        return refused(fmt::format("--workers: '{}' is no whole number from 1 to 1000", freshet::printable(text)));
    }
    return {};
}

[[nodiscard]] inline auto read_rest(const options& read, settings& to) -> freshet::result<void> {
    auto labels = core_labels();
    if (!labels) { return std::move(labels).why(); }
    to.labels = *std::move(labels);
    if (to.fail && std::find(to.labels.begin(), to.labels.end(), *to.fail) == to.labels.end()) {
        return refused(fmt::format("--fail: '{}' is none of the CORE_LABELS", freshet::printable(*to.fail)));
    }
    if (to.watch && to.what == role::read) { return refused("--watch is of runs: read has no use for it"); }
    if (to.metrics == "-" && to.json) { return refused("--json prints on stdout, so --emf must name a file"); }
    const auto level = support::log_level_or(support::log_level::info);
    if (!level) { return level.why(); }
    to.log = support::log{*level};
    if (!read.now) { return {}; }
    const auto now = freshet::parse_rfc3339(*read.now);
    if (!now) { return refused(now.fault().as_error("--now").note); }
    to.clock_shift = *now - freshet::wall_clock{}.now();
    return {};
}

} // namespace detail

/// Reads the command line, `CORE_LABELS`, `LOG_LEVEL` and `DYNAMODB_TABLE_NAME`. What is wrong is said in one line on
/// stderr.
[[nodiscard]] inline auto read_settings(int argc, const char* const* argv) -> settings_or_exit {
    settings wanted;
    detail::options read;
    CLI::App app{
        "Counts the words of each label of the receipts by validation status, keeps the counts in a cache that\n"
        "outlives the time to the next run, and reads them: from the cache, else counted in real time.",
        "label_counts"};
    app.require_subcommand(0, 1);
    app.fallthrough();
    app.add_subcommand("update", "only count, and keep the counts");
    app.add_subcommand("read", "only read the counts, and time it against counting");
    app.add_option("--backend", read.backend, "where receipts and counts are: memory (default), sqlite:DIR, aws")
        ->type_name("BACKEND");
    app.add_option("--dir", read.directory, "short for --backend sqlite:DIR")->type_name("DIR");
    app.add_option("--cache", read.cache, "keep the counts in Redis: redis://[:password@]host[:port][/database]")
        ->type_name("URL");
    app.add_option("--input", wanted.input,
                   "receipts to put into the table first, over those of the same keys, one a\n"
                   "line of JSON; - is stdin (memory's default: made up ones)")
        ->type_name("FILE");
    app.add_option("--workers", read.workers, "count so many labels at once (default: 5)")->type_name("N");
    app.add_option("--period", read.period, "of the runs (90s, 5m, 1h; default: 5m)")->type_name("SPAN");
    app.add_option("--overlap", read.overlap, "keep counts so much longer than the period (default: 1m)")
        ->type_name("SPAN");
    app.add_flag("--watch", wanted.watch, "run at the beginning of each period, until SIGTERM or SIGINT");
    app.add_option("--fail", wanted.fail, "have the counting of this label fail")->type_name("LABEL");
    app.add_option("--emf", wanted.metrics,
                   "append durations and hit ratios to a file, in CloudWatch's embedded\n"
                   "metric format; - is stdout")
        ->type_name("FILE");
    app.add_option("--now", read.now, "begin at this time (RFC 3339; default: the machine's clock)")->type_name("TIME");
    app.add_flag("--json", wanted.json, "print what was done as one JSON document on stdout");
    app.footer(
        "sqlite:DIR has the receipts in DIR/table.sqlite, as the demonstration has them, and the counts in\n"
        "DIR/cache.sqlite. aws has the receipts in the table DYNAMODB_TABLE_NAME (receipts), and the counts in\n"
        "the table that is called after it, receipts-ledger; --input makes what is not there.\n"
        "Environment: CORE_LABELS (the labels, with commas between; not set: those of the scanned receipts),\n"
        "LOG_LEVEL (DEBUG, INFO, WARNING, ERROR, CRITICAL). For aws also AWS_ACCESS_KEY_ID,\n"
        "AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL.\n"
        "Exit code: 0 all well, 1 some labels, or lines of the input, failed, 2 usage, 3 the backend cannot be\n"
        "used.");
    const auto refuse = [](std::string_view why) -> settings_or_exit {
        support::complain("label_counts: {}\n", why);
        return {std::nullopt, wrong_usage};
    };
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        support::print(app.help());
        return {std::nullopt, all_well};
    } catch (const CLI::ParseError& wrong) { return refuse(freshet::printable(wrong.what(), 400)); }

    wanted.what = app.got_subcommand("update") ? role::update : app.got_subcommand("read") ? role::read : role::all;
    if (auto good = detail::read_backend(read, wanted); !good) { return refuse(good.why().note); }
    if (auto good = detail::read_schedule(read, wanted.when); !good) { return refuse(good.why().note); }
    if (auto good = detail::read_rest(read, wanted); !good) { return refuse(good.why().note); }
    return {std::move(wanted), all_well};
}

} // namespace label_counts
