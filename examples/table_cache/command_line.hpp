#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <freshet/cache/refresh_policy.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <support/backend_choice.hpp>
#include <support/command_line.hpp>
#include <support/environment.hpp>
#include <support/log.hpp>
#include <support/option_values.hpp>
#include <table_cache/settings.hpp>
#include <table_cache/storm.hpp>
#include <table_cache/tables.hpp>

namespace email_agent {

namespace detail {

struct options {
    support::backend_options backend{};
    std::optional<std::string> seed{};
    std::optional<std::string> workers{};
    std::string reads{"eventual"};
    std::vector<std::string> intervals{};
    std::vector<std::string> rows{};
};

using support::read_number;
using support::refused;

[[nodiscard]] inline auto read_backend(const options& read, settings& to) -> freshet::result<void> {
    auto chosen = read.backend.choose({support::backend::memory, support::backend::sqlite});
    if (!chosen) { return std::move(chosen).why(); }
    if (chosen->where == support::backend::sqlite) { to.directory = std::move(chosen->directory); }
    return {};
}

/// The two sides of `TABLE=VALUE`.
[[nodiscard]] inline auto read_pair(std::string_view option, std::string_view text)
    -> freshet::result<std::pair<std::string, std::string_view>> {
    const auto equals = text.find('=');
    const auto table = text.substr(0, equals);
    if (equals == std::string_view::npos || !is_table(table)) {
        return refused(fmt::format("{}: '{}' does not begin with one of {} and an =", option, freshet::printable(text),
                                   fmt::join(table_names, ", ")));
    }
    return std::pair{std::string{table}, text.substr(equals + 1)};
}

[[nodiscard]] inline auto read_interval(std::string_view option, std::string_view text)
    -> freshet::result<freshet::duration> {
    const auto interval = freshet::parse_interval_seconds(text);
    if (interval) { return *interval; }
    return refused(fmt::format("{}: '{}': {}", option, freshet::printable(text), interval.fault().reason));
}

[[nodiscard]] inline auto read_intervals(const options& read, settings& to) -> freshet::result<void> {
    constexpr auto* variable = "CACHE_REFRESH_INTERVAL_SECS";
    if (const auto text = support::environment(variable)) {
        const auto interval = read_interval(variable, *text);
        if (!interval) { return interval.why(); }
        to.interval = *interval;
    }
    for (const auto& each : read.intervals) {
        const auto pair = read_pair("--interval", each);
        if (!pair) { return pair.why(); }
        const auto interval = read_interval("--interval", pair->second);
        if (!interval) { return interval.why(); }
        to.intervals.insert_or_assign(pair->first, *interval);
    }
    return {};
}

[[nodiscard]] inline auto read_numbers(const options& read, settings& to) -> freshet::result<void> {
    for (const auto& each : read.rows) {
        const auto pair = read_pair("--rows", each);
        if (!pair) { return pair.why(); }
        const std::uint64_t least = pair->first == "work_orders" ? storm_orders : 1;
        std::uint64_t count = 0;
        if (auto good = read_number("--rows", std::string{pair->second}, least, 1'000'000, count); !good) {
            return good;
        }
        to.rows.insert_or_assign(pair->first, count);
    }
    constexpr auto any = std::numeric_limits<std::uint64_t>::max();
    if (auto good = read_number("--seed", read.seed, 0, any, to.seed); !good) { return good; }
    return read_number("--workers", read.workers, 1, 1'000, to.workers);
}

} // namespace detail

/// Reads the command line, `CACHE_REFRESH_INTERVAL_SECS` and `LOG_LEVEL`. What is wrong is said in one line on stderr.
[[nodiscard]] inline auto read_settings(int argc, const char* const* argv) -> support::wanted_or_exit<settings> {
    settings wanted;
    detail::options read;
    bool uncached = false;
    CLI::App app{
        "Plays a day of an agent that sends e-mail for work orders, with the tables that its steps scan in a\n"
        "cache; says of each call whether the cache or the table answered, and why; and compares what was\n"
        "read with what the same day reads without the cache.",
        "table_cache"};
    app.add_option("--input", wanted.input, "the day, one event a line of JSON; - is stdin (default: a storm)")
        ->type_name("FILE");
    read.backend.add_to(app, "where the tables are: memory (default), sqlite:DIR");
    app.add_flag("--no-cache", uncached, "play the day without the cache alone");
    app.add_option("--interval", read.intervals, "of one table; may be given several times")
        ->type_name("TABLE=SECONDS");
    app.add_flag("--stream", wanted.stream, "follow the changes of the students instead of scanning them again");
    app.add_option("--workers", read.workers, "do so many of the steps of one instant at once (default: 1)")
        ->type_name("N");
    app.add_option("--rows", read.rows, "how many rows a table has; may be given several times")->type_name("TABLE=N");
    app.add_option("--seed", read.seed, "of the rows, which are made up (default: 1)")->type_name("N");
    app.add_option("--reads", read.reads, "price reads as eventual (default) or strong ones")
        ->check(CLI::IsMember({"eventual", "strong"}));
    app.add_flag("--json", wanted.json, "print what was read as one JSON document on stdout, and all else on stderr");
    app.footer(
        "A line of FILE is {\"at\":\"2025-01-15T10:00:00Z\",\"do\":\"step\",\"order\":\"wo-01\",\"step\":\"Send\"}; "
        "steps\n"
        "are Count, Test, Dry-Run and Send. Others do message (with action: start empties the cache), sleep, wake\n"
        "or finish (with order), write (table, row: an object with an id), fail or recover (table). Times ascend.\n"
        "The tables are students, pools, prompts, stages, events and work_orders. sqlite:DIR has each in a file of\n"
        "its name in DIR; rows that are there already stay, but for those of the same ids.\n"
        "Read units are counted by the sizes of the items, as DynamoDB does it.\n"
        "Environment: CACHE_REFRESH_INTERVAL_SECS (600), LOG_LEVEL (DEBUG, the default, shows each call; INFO\n"
        "the scans; WARNING, ERROR, CRITICAL).\n"
        "Exit code: 0 all well, 1 some steps, or lines of FILE, failed, 2 usage, 3 the backend cannot be used,\n"
        "4 a step saw rows that were too old, or the counters do not agree.");
    return support::read_command_line(app, argc, argv, [&]() -> freshet::result<settings> {
        wanted.caching = !uncached;
        if (uncached && wanted.stream) { return support::refused("--stream has no effect with --no-cache"); }
        wanted.reads = read.reads == "strong" ? consistency::strong : consistency::eventual;
        if (auto good = detail::read_backend(read, wanted); !good) { return good.why(); }
        if (auto good = detail::read_intervals(read, wanted); !good) { return good.why(); }
        if (auto good = detail::read_numbers(read, wanted); !good) { return good.why(); }
        const auto level = support::log_level_or(support::log_level::debug);
        if (!level) { return level.why(); }
        wanted.level = *level;
        return std::move(wanted);
    });
}

} // namespace email_agent
