#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <freshet/work/retry_plan.hpp>
#include <receipts/change_messages.hpp>
#include <receipts/fields_from_environment.hpp>
#include <support/environment.hpp>
#include <support/log.hpp>
#include <support/printing.hpp>

namespace stream_to_fifo {

enum exit_code { all_well = 0, some_failed = 1, wrong_usage = 2, unreachable = 3 };

/// Where messages go: lines of JSON in a file, the queues of a directory's SQLite file, or those of Amazon SQS.
enum class backend { file, sqlite, aws };

/// The queues at Amazon SQS, by their URLs.
struct queue_urls {
    std::string lines{};
    std::string words{};
    std::string dead_letters{}; ///< empty: there is none
};

/// What the command line and the environment ask for.
struct settings {
    std::optional<std::string> input; ///< absent: the program's own default
    std::string output{"-"};
    std::optional<std::string> response; ///< where partial batch responses go; absent: nowhere
    bool json_summary{false};
    support::log_level level{support::log_level::info};
    receipts::change_messages_options messages{};

    backend to{backend::file};
    std::string directory{}; ///< of `backend::sqlite`
    queue_urls queues{};     ///< of `backend::aws`
    std::optional<freshet::duration> max_age{};            ///< of queues: older records are dead letters
    freshet::retry_options retries{};                      ///< of what a queue does not answer
    freshet::duration patience{std::chrono::seconds{60}};  ///< with an outage, before a run gives up
    std::uint64_t seed{1};                                 ///< of the waits' jitter
};

/// The settings, or the code to exit with where everything has been said (help, or what is wrong).
struct settings_or_exit {
    std::optional<settings> wanted;
    int exit_code{};
};

namespace detail {

[[nodiscard]] inline auto refuse(std::string_view why) -> settings_or_exit {
    support::complain("stream_to_fifo: {}\n", why);
    return {std::nullopt, wrong_usage};
}

/// What the options say of the backend, into the settings.
[[nodiscard]] inline auto read_backend(const std::optional<std::string>& named,
                                       const std::optional<std::string>& directory, settings& wanted)
    -> freshet::result<void> {
    const auto refused = [](std::string why) -> freshet::result<void> {
        return freshet::error{freshet::errc::malformed, std::move(why)};
    };
    constexpr std::string_view sqlite = "sqlite:";
    if (named && directory) { return refused("--backend excludes --dir, which is short for --backend sqlite:DIR"); }
    if (named == "aws") {
        wanted.to = backend::aws;
        wanted.queues = {support::environment("LINES_QUEUE_URL").value_or(""),
                         support::environment("WORDS_QUEUE_URL").value_or(""),
                         support::environment("DEAD_LETTER_QUEUE_URL").value_or("")};
        if (wanted.queues.lines.empty()) { return refused("--backend aws: LINES_QUEUE_URL is not set"); }
        if (wanted.queues.words.empty()) { return refused("--backend aws: WORDS_QUEUE_URL is not set"); }
    } else if (named || directory) {
        if (named && !named->starts_with(sqlite)) {
            return refused(fmt::format("--backend: '{}' is neither aws nor sqlite:DIR", freshet::printable(*named)));
        }
        wanted.to = backend::sqlite;
        wanted.directory = named ? named->substr(sqlite.size()) : *directory;
        if (wanted.directory.empty()) { return refused("--dir: the name of a directory is not empty"); }
    }
    return {};
}

} // namespace detail

/// Reads the command line, `LOG_LEVEL`, `MONITORED_FIELDS_<ENTITY>` and, for Amazon SQS, the queues' URLs. What is
/// wrong is said in one line on stderr.
[[nodiscard]] inline auto read_settings(int argc, const char* const* argv, std::string_view about) -> settings_or_exit {
    using detail::refuse;
    settings wanted;
    std::vector<std::string> events{"modify", "remove"};
    std::optional<std::string> max_age;
    std::optional<std::string> now;
    std::optional<std::string> named;
    std::optional<std::string> directory;

    CLI::App app{std::string{about}};
    app.add_option("--input", wanted.input, "events, one a line of JSON as Lambda or GetRecords has them; - is stdin");
    const auto* const output =
        app.add_option("--output", wanted.output, "where the messages go, one a line of JSON; - is stdout");
    app.add_option("--backend", named, "send the messages to queues: aws, or sqlite:DIR")->type_name("BACKEND");
    app.add_option("--dir", directory, "short for --backend sqlite:DIR")->type_name("DIR");
    app.add_option("--response", wanted.response, "a file for one partial batch response an event");
    app.add_option("--events", events, "which changes make messages (default: modify,remove)")
        ->delimiter(',')
        ->check(CLI::IsMember({"insert", "modify", "remove"}));
    app.add_option("--max-age", max_age, "leave out records older than this (90s, 5m, 1h, 2d; default: no limit);\n"
                                           "with a backend they go to its dead letters");
    app.add_option("--now", now, "the time to judge age by (RFC 3339; default: the machine's clock)");
    app.add_flag("--json", wanted.json_summary,
                 "print a summary as one JSON document on stdout; --output is then a file");
    app.footer("sqlite:DIR has the queues lines, words and stream-dead in DIR/queues.sqlite. aws sends to the queues\n"
               "of LINES_QUEUE_URL and WORDS_QUEUE_URL, and records that cannot be processed to that of\n"
               "DEAD_LETTER_QUEUE_URL; without it they, and what waits behind them, fail: the response names them.\n"
               "A backend that cannot be reached is tried again for a minute; then the run ends and names the line of\n"
               "the input to go on from (tail -n +LINE), as it does on SIGTERM and SIGINT. What the queues have by\n"
               "then they do not take twice within five minutes.\n"
               "Environment: LOG_LEVEL (DEBUG, INFO, WARNING, ERROR, CRITICAL), MONITORED_FIELDS_RECEIPT_METADATA and\n"
               "MONITORED_FIELDS_RECEIPT_WORD_LABEL (names between commas; empty: the built-in ones). For aws also\n"
               "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL.\n"
               "Exit code: 0 all well, 1 some records failed, or stopped, 2 usage, 3 the output cannot be written, or\n"
               "the backend cannot be used.");
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        support::print(app.help());
        return {std::nullopt, 0};
    } catch (const CLI::ParseError& wrong) {
        return refuse(wrong.what());
    }

    if (auto read = detail::read_backend(named, directory, wanted); !read) { return refuse(read.why().note); }
    const bool to_file = wanted.to == backend::file;
    if (!to_file && output->count() != 0) { return refuse("--output has no effect with a backend"); }
    if (wanted.json_summary && ((to_file && wanted.output == "-") || wanted.response == "-")) {
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
    if (now && !to_file) { return refuse("--now has no effect with a backend"); }
    if (max_age && wanted.to == backend::aws && wanted.queues.dead_letters.empty()) {
        return refuse("--max-age: too old records have nowhere to go: DEAD_LETTER_QUEUE_URL is not set");
    }
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
        if (to_file) { wanted.messages.oldest = judged_at - *age; }
        wanted.max_age = *age;
    }
    return {std::move(wanted), 0};
}

} // namespace stream_to_fifo
