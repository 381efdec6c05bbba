#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <adapters/redis/settings.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/work/wall_clock.hpp>
#include <label_counts/core_labels.hpp>
#include <label_counts/settings.hpp>
#include <support/backend_choice.hpp>
#include <support/command_line.hpp>
#include <support/environment.hpp>
#include <support/log.hpp>
#include <support/option_values.hpp>

namespace label_counts {

namespace detail {

struct options {
    support::backend_options backend{};
    std::optional<std::string> cache{};
    std::optional<std::string> workers{};
    std::optional<std::string> period{};
    std::optional<std::string> overlap{};
    std::optional<std::string> now{};
};

using support::refused;

[[nodiscard]] inline auto read_backend(const options& read, settings& to) -> freshet::result<void> {
    auto chosen = read.backend.choose({backend::memory, backend::sqlite, backend::aws});
    if (!chosen) { return std::move(chosen).why(); }
    if (chosen->where != backend::none) { to.where = chosen->where; }
    to.directory = std::move(chosen->directory);
    if (to.where == backend::aws) { to.table = support::environment("DYNAMODB_TABLE_NAME").value_or(to.table); }
    if (!read.cache) { return {}; }
    auto redis = adapters::redis::settings_from(*read.cache);
    if (!redis) { return refused("--cache: " + redis.why().note); }
    to.redis = *std::move(redis);
    return {};
}

[[nodiscard]] inline auto read_schedule(const options& read, schedule& to) -> freshet::result<void> {
    if (auto span = support::read_duration("--period", read.period, to.period); !span) { return span; }
    if (auto span = support::read_duration("--overlap", read.overlap, to.overlap); !span) { return span; }
    return support::read_number("--workers", read.workers, 1, 1'000, to.workers);
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
    std::optional<freshet::time_point> now;
    if (auto good = support::read_time("--now", read.now, now); !good) { return good; }
    if (now) { to.clock_shift = *now - freshet::wall_clock{}.now(); }
    return {};
}

} // namespace detail

/// Reads the command line, `CORE_LABELS`, `LOG_LEVEL` and `DYNAMODB_TABLE_NAME`. What is wrong is said in one line on
/// stderr.
[[nodiscard]] inline auto read_settings(int argc, const char* const* argv) -> support::wanted_or_exit<settings> {
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
    read.backend.add_to(app, "where receipts and counts are: memory (default), sqlite:DIR, aws");
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
    return support::read_command_line(app, argc, argv, [&]() -> freshet::result<settings> {
        wanted.what = app.got_subcommand("update") ? role::update : app.got_subcommand("read") ? role::read : role::all;
        if (auto good = detail::read_backend(read, wanted); !good) { return good.why(); }
        if (auto good = detail::read_schedule(read, wanted.when); !good) { return good.why(); }
        if (auto good = detail::read_rest(read, wanted); !good) { return good.why(); }
        return std::move(wanted);
    });
}

} // namespace label_counts
