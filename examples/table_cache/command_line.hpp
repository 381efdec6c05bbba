#pragma once

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <freshet/cache/refresh_policy.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <support/environment.hpp>
#include <support/log.hpp>
#include <support/printing.hpp>
#include <table_cache/settings.hpp>
#include <table_cache/storm.hpp>
#include <table_cache/tables.hpp>

namespace email_agent {

/// The settings, or the code to exit with where everything has been said (help, or what is wrong).
struct settings_or_exit {
    std::optional<settings> wanted;
    int exit_code{};
};

namespace detail {

struct options {
    std::optional<std::string> backend{};
    std::optional<std::string> directory{};
    std::optional<std::string> seed{};
    std::optional<std::string> workers{};
    std::string reads{"eventual"};
    std::vector<std::string> intervals{};
    std::vector<std::string> rows{};
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
    if (read.directory || (named && named->starts_with(sqlite))) {
        to.directory = read.directory ? *read.directory : named->substr(sqlite.size());
        if (to.directory->empty()) { return refused("--dir: the name of a directory is not empty"); }
    } else if (named && named != "memory") {
        return refused(fmt::format("--backend: '{}' is neither memory nor sqlite:DIR", freshet::printable(*named)));
    }
    return {};
}

[[nodiscard]] inline auto read_number(std::string_view option, std::string_view text, std::uint64_t least,
                                      std::uint64_t most) -> freshet::result<std::uint64_t> {
    std::uint64_t read = 0;
    const auto [rest, bad] = std::from_chars(text.data(), text.data() + text.size(), read);
    if (bad == std::errc{} && rest == text.data() + text.size() && read >= least && read <= most) { return read; }
    return refused(
        fmt::format("{}: '{}' is no whole number from {} to {}", option, freshet::printable(text), least, most));
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
        const auto count = read_number("--rows", pair->second, least, 1'000'000);
        if (!count) { return count.why(); }
        to.rows.insert_or_assign(pair->first, *count);
    }
    if (read.seed) {
        const auto seed = read_number("--seed", *read.seed, 0, std::numeric_limits<std::uint64_t>::max());
        if (!seed) { return seed.why(); }
        to.seed = *seed;
    }
    if (read.workers) {
        const auto workers = read_number("--workers", *read.workers, 1, 1'000);
        if (!workers) { return workers.why(); }
        to.workers = static_cast<unsigned>(*workers);
    }
    return {};
}

} // namespace detail

/// Reads the command line, `CACHE_REFRESH_INTERVAL_SECS` and `LOG_LEVEL`. What is wrong is said in one line on stderr.
[[nodiscard]] inline auto read_settings(int argc, const char* const* argv) -> settings_or_exit {
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
    app.add_option("--backend", read.backend, "where the tables are: memory (default), sqlite:DIR")
        ->type_name("BACKEND");
    app.add_option("--dir", read.directory, "short for --backend sqlite:DIR")->type_name("DIR");
    app.add_flag("--no-cache", uncached, "play the day without the cache alone");
    app.add_option("--interval", read.intervals, "of one table; may be given several times")
        ->type_name("TABLE=SECONDS");
    const auto* const stream =
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
    const auto refuse = [](std::string_view why) -> settings_or_exit {
        support::complain("table_cache: {}\n", why);
        return {std::nullopt, wrong_usage};
    };
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        support::print(app.help());
        return {std::nullopt, all_well};
    } catch (const CLI::ParseError& wrong) { return refuse(freshet::printable(wrong.what(), 400)); }

    wanted.caching = !uncached;
    if (uncached && stream->count() != 0) { return refuse("--stream has no effect with --no-cache"); }
    wanted.reads = read.reads == "strong" ? consistency::strong : consistency::eventual;
    if (auto good = detail::read_backend(read, wanted); !good) { return refuse(good.why().note); }
    if (auto good = detail::read_intervals(read, wanted); !good) { return refuse(good.why().note); }
    if (auto good = detail::read_numbers(read, wanted); !good) { return refuse(good.why().note); }
    const auto level = support::log_level_or(support::log_level::debug);
    if (!level) { return refuse(level.why().note); }
    wanted.level = *level;
    return {std::move(wanted), all_well};
}

} // namespace email_agent
