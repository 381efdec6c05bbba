#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/work/wall_clock.hpp>
#include <receipts/fields_from_environment.hpp>
#include <stream_to_fifo/settings.hpp>
#include <support/backend_choice.hpp>
#include <support/command_line.hpp>
#include <support/environment.hpp>
#include <support/log.hpp>
#include <support/option_values.hpp>

namespace stream_to_fifo {

namespace detail {

using support::refused;

/// What the options say of the backend, into the settings.
[[nodiscard]] inline auto read_backend(const support::backend_options& options, settings& wanted)
    -> freshet::result<void> {
    auto chosen = options.choose({backend::aws, backend::sqlite});
    if (!chosen) { return std::move(chosen).why(); }
    wanted.to = chosen->where;
    wanted.directory = std::move(chosen->directory);
    if (wanted.to != backend::aws) { return {}; }
    wanted.queues = {support::environment("LINES_QUEUE_URL").value_or(""),
                     support::environment("WORDS_QUEUE_URL").value_or(""),
                     support::environment("DEAD_LETTER_QUEUE_URL").value_or("")};
    if (wanted.queues.lines.empty()) { return refused("--backend aws: LINES_QUEUE_URL is not set"); }
    if (wanted.queues.words.empty()) { return refused("--backend aws: WORDS_QUEUE_URL is not set"); }
    return {};
}

/// What is written only as texts on the command line.
struct options {
    std::vector<std::string> events{"modify", "remove"};
    std::optional<std::string> max_age{};
    std::optional<std::string> now{};
    support::backend_options backend{};
    bool output{}; ///< whether it was given
};

inline void read_events(const std::vector<std::string>& events, settings& wanted) {
    const auto asked = [&](std::string_view event) {
        return std::find(events.begin(), events.end(), event) != events.end();
    };
    auto& builder = wanted.messages.builder;
    builder.inserts = asked("insert");
    builder.modifies = asked("modify");
    builder.removes = asked("remove");
}

[[nodiscard]] inline auto read_age(const options& read, settings& wanted) -> freshet::result<void> {
    const bool to_file = wanted.to == backend::none;
    if (read.now && !read.max_age) { return refused("--now has no effect without --max-age"); }
    if (read.now && !to_file) { return refused("--now has no effect with a backend"); }
    if (!read.max_age) { return {}; }
    if (wanted.to == backend::aws && wanted.queues.dead_letters.empty()) {
        return refused("--max-age: too old records have nowhere to go: DEAD_LETTER_QUEUE_URL is not set");
    }
    if (auto good = support::read_duration("--max-age", read.max_age, wanted.max_age); !good) { return good; }
    std::optional<freshet::time_point> now;
    if (auto good = support::read_time("--now", read.now, now); !good) { return good; }
    if (to_file) { wanted.messages.oldest = now.value_or(freshet::wall_clock{}.now()) - *wanted.max_age; }
    return {};
}

[[nodiscard]] inline auto settle(const options& read, settings& wanted) -> freshet::result<void> {
    if (auto good = read_backend(read.backend, wanted); !good) { return good; }
    const bool to_file = wanted.to == backend::none;
    if (!to_file && read.output) { return refused("--output has no effect with a backend"); }
    if (wanted.json_summary && ((to_file && wanted.output == "-") || wanted.response == "-")) {
        return refused("--json prints on stdout, so --output and --response must name files");
    }
    read_events(read.events, wanted);
    const auto level = support::log_level_or(support::log_level::info);
    if (!level) { return level.why(); }
    wanted.level = *level;
    auto fields = receipts::fields_from_environment();
    if (!fields) { return std::move(fields).why(); }
    wanted.messages.fields = *std::move(fields);
    return read_age(read, wanted);
}

} // namespace detail

/// Reads the command line, `LOG_LEVEL`, `MONITORED_FIELDS_<ENTITY>` and, for Amazon SQS, the queues' URLs. What is
/// wrong is said in one line on stderr.
[[nodiscard]] inline auto read_settings(int argc, const char* const* argv, std::string_view about)
    -> support::wanted_or_exit<settings> {
    settings wanted;
    detail::options read;
    CLI::App app{std::string{about}, "stream_to_fifo"};
    app.add_option("--input", wanted.input, "events, one a line of JSON as Lambda or GetRecords has them; - is stdin");
    const auto* const output =
        app.add_option("--output", wanted.output, "where the messages go, one a line of JSON; - is stdout");
    read.backend.add_to(app, "send the messages to queues: aws, or sqlite:DIR");
    app.add_option("--response", wanted.response, "a file for one partial batch response an event");
    app.add_option("--events", read.events, "which changes make messages (default: modify,remove)")
        ->delimiter(',')
        ->check(CLI::IsMember({"insert", "modify", "remove"}));
    app.add_option("--max-age", read.max_age,
                   "leave out records older than this (90s, 5m, 1h, 2d; default: no limit);\n"
                   "with a backend they go to its dead letters");
    app.add_option("--now", read.now, "the time to judge age by (RFC 3339; default: the machine's clock)");
    app.add_flag("--json", wanted.json_summary,
                 "print a summary as one JSON document on stdout; --output is then a file");
    app.footer(
        "sqlite:DIR has the queues lines, words and stream-dead in DIR/queues.sqlite. aws sends to the queues\n"
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
    return support::read_command_line(app, argc, argv, [&]() -> freshet::result<settings> {
        read.output = output->count() != 0;
        if (auto good = detail::settle(read, wanted); !good) { return std::move(good).why(); }
        return std::move(wanted);
    });
}

} // namespace stream_to_fifo
