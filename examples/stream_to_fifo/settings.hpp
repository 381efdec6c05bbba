#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <freshet/core/printable.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <receipts/change_messages.hpp>
#include <receipts/fields_from_environment.hpp>
#include <support/environment.hpp>
#include <support/log.hpp>

namespace stream_to_fifo {

/// What the command line and the environment ask for.
struct settings {
    std::optional<std::string> input; ///< absent: the program's own default
    std::string output{"-"};
    std::optional<std::string> response; ///< where partial batch responses go; absent: nowhere
    bool json_summary{false};
    support::log_level level{support::log_level::info};
    receipts::change_messages_options messages{};
};

/// The settings, or the code to exit with where everything has been said (help, or what is wrong).
struct settings_or_exit {
    std::optional<settings> wanted;
    int exit_code{};
};

namespace detail {

inline constexpr int usage = 2;

[[nodiscard]] inline auto refuse(std::string_view why) -> settings_or_exit {
    fmt::print(stderr, "stream_to_fifo: {}\n", why);
    return {std::nullopt, usage};
}

} // namespace detail

/// Reads the command line, `LOG_LEVEL` and `MONITORED_FIELDS_<ENTITY>`. What is wrong is said in one line on stderr.
[[nodiscard]] inline auto read_settings(int argc, const char* const* argv, std::string_view about) -> settings_or_exit {
    using detail::refuse;
    settings wanted;
    std::vector<std::string> events{"modify", "remove"};
    std::optional<std::string> max_age;
    std::optional<std::string> now;

    CLI::App app{std::string{about}};
    app.add_option("--input", wanted.input, "events, one a line of JSON as Lambda or GetRecords has them; - is stdin");
    app.add_option("--output", wanted.output, "where the messages go, one a line of JSON; - is stdout");
    app.add_option("--response", wanted.response, "a file for one partial batch response an event");
    app.add_option("--events", events, "which changes make messages (default: modify,remove)")
        ->delimiter(',')
        ->check(CLI::IsMember({"insert", "modify", "remove"}));
    app.add_option("--max-age", max_age, "leave out records older than this (90s, 5m, 1h, 2d; default: no limit)");
    app.add_option("--now", now, "the time to judge age by (RFC 3339; default: the machine's clock)");
    app.add_flag("--json", wanted.json_summary,
                 "print a summary as one JSON document on stdout; --output is then a file");
    app.footer("Environment: LOG_LEVEL (DEBUG, INFO, WARNING, ERROR, CRITICAL), MONITORED_FIELDS_RECEIPT_METADATA and\n"
               "MONITORED_FIELDS_RECEIPT_WORD_LABEL (names between commas; empty: the built-in ones).\n"
               "Exit code: 0 all well, 1 some records failed, 2 usage, 3 the output cannot be written.");
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        fmt::print("{}", app.help());
        return {std::nullopt, 0};
    } catch (const CLI::ParseError& wrong) {
        return refuse(wrong.what());
    }

    if (wanted.json_summary && (wanted.output == "-" || wanted.response == "-")) {
        return refuse("--json prints on stdout, so --output and --response must name files");
    }
    auto& builder = wanted.messages.builder;
    const auto asked = [&](std::string_view event) {
        return std::find(events.begin(), events.end(), event) != events.end();
    };
    builder.inserts = asked("insert");
    builder.modifies = asked("modify");
    builder.removes = asked("remove");

    const auto level = support::log_level_or(support::log_level::info);
    if (!level) { return refuse(level.why().note); }
    wanted.level = *level;
    auto fields = receipts::fields_from_environment();
    if (!fields) { return refuse(fields.why().note); }
    wanted.messages.fields = *std::move(fields);
    if (now && !max_age) { return refuse("--now has no effect without --max-age"); }
    if (max_age) {
        const auto age = support::parse_age(*max_age);
        if (!age) {
            return refuse(
                fmt::format("--max-age: '{}' is no duration such as 90s, 5m, 1h, 2d", freshet::printable(*max_age)));
        }
        auto judged_at = std::chrono::time_point_cast<freshet::duration>(std::chrono::system_clock::now());
        if (now) {
            const auto given = freshet::parse_rfc3339(*now);
            if (!given) { return refuse(given.fault().as_error("--now").note); }
            judged_at = *given;
        }
        wanted.messages.oldest = judged_at - *age;
    }
    return {std::move(wanted), 0};
}

} // namespace stream_to_fifo
