#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <demo/settings.hpp>
#include <demo/whole.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <label_counts/core_labels.hpp>
#include <receipts/fields_from_environment.hpp>
#include <support/environment.hpp>
#include <support/log.hpp>
#include <support/printing.hpp>

namespace demo {

enum exit_code { all_well = 0, some_failed = 1, wrong_usage = 2, unreachable = 3, not_as_the_table_says = 4 };

/// What the command line and the environment ask for.
struct command {
    std::string role{}; ///< empty: all of them
    bool aws{};         ///< table, stream, queues and ledger are there, and not in the directory
    settings how{};     ///< an empty directory: a new one
    std::optional<std::string> input{};
    std::optional<std::size_t> receipts{};
    whole_run run{};
    bool drain{};
    bool json{};
};

/// The command, or the code to exit with where everything has been said (help, or what is wrong).
struct command_or_exit {
    std::optional<command> wanted;
    int exit_code{};
};

namespace detail {

[[nodiscard]] inline auto refuse(std::string_view why) -> command_or_exit {
    support::complain("demo: {}\n", why);
    return {std::nullopt, wrong_usage};
}

/// A whole number that is not less than `least`, given by an option; the option's own default where it is not given.
template <class Number>
[[nodiscard]] auto read_number(std::string_view option, const std::optional<std::string>& given, std::uint64_t least,
                               Number& to) -> freshet::result<void> {
    if (!given) { return {}; }
    std::uint64_t read = 0;
    const auto* const end = given->data() + given->size();
    const auto [rest, bad] = std::from_chars(given->data(), end, read);
    if (bad != std::errc{} || rest != end || read < least) {
        return freshet::error{freshet::errc::malformed, fmt::format("{}: '{}' is no whole number from {} on", option,
                                                                    freshet::printable(*given), least)};
    }
    to = read;
    return {};
}

struct options {
    command wanted{};
    std::optional<std::string> directory{};
    std::optional<std::string> backend{};
    std::optional<std::string> max_age{};
    std::optional<std::string> owner{};
    std::optional<std::string> receipts{};
    std::optional<std::string> edits{};
    std::optional<std::string> seed{};
    bool no_sync{};

    void add_place(CLI::App& to, std::string_view otherwise) {
        to.add_option("--dir", directory, fmt::format("the data directory ({})", otherwise))->type_name("DIR");
        to.add_option("--backend", backend,
                      "sqlite:DIR, which is --dir DIR; or aws, and --dir is for the embeddings alone")
            ->type_name("BACKEND");
        to.add_flag("--json", wanted.json, "print what was done as one JSON document on stdout");
    }
    void add_no_sync(CLI::App& to) {
        to.add_flag("--no-sync", no_sync,
                    "do not wait for the disk: a power cut, not a kill, may then lose the last commits");
    }
    void add_receipts(CLI::App& to) {
        to.add_option("--input", wanted.input, "receipts to load, one a line of JSON; - is stdin (default: made up)")
            ->type_name("FILE");
        to.add_option("--receipts", receipts, "load at most so many (default: all of the input; 300 made up)")
            ->type_name("N");
    }
    void add_edits(CLI::App& to) {
        to.add_option("--edits", edits, fmt::format("edit the table so often (default: {})", wanted.run.edits))
            ->type_name("N");
        to.add_option("--seed", seed, "of the edits (default: 1)")->type_name("N");
    }
    void add_age(CLI::App& to) {
        to.add_option("--max-age", max_age,
                      "changes older than this are dead letters (90s, 5m, 1h, 2d; default: no limit)")
            ->type_name("AGE");
    }
    void add_drain(CLI::App& to) {
        to.add_flag("--drain", wanted.drain, "end when there is nothing left to do (default: on SIGTERM or SIGINT)");
    }
};

} // namespace detail

/// Reads the command line, `LOG_LEVEL` and `MONITORED_FIELDS_<ENTITY>`. What is wrong is said in one line on stderr.
[[nodiscard]] inline auto read_command(int argc, const char* const* argv) -> command_or_exit {
    using detail::read_number;
    using detail::refuse;
    detail::options read;
    CLI::App app{
        "Keeps a store of embeddings fresh while the table of receipts that they are made of is edited: a table\n"
        "with a change stream, two FIFO queues and two consumers, in SQLite files or in AWS, and another process\n"
        "that compares in the end. Beside it a cache of label counts, which is compared too, and a day of an agent\n"
        "with its tables in a cache. A command does one part alone; parts may run at once, and be killed.",
        "demo"};
    app.require_subcommand(0, 1);
    read.add_place(app, "default: a new one under the system's temporary directory, which stays");
    read.add_receipts(app);
    read.add_edits(app);
    app.add_flag("--drop-one", read.wanted.run.drop_one,
                 "lose one message on purpose: the comparison must find it (exit code 4)");
    read.add_age(app);
    read.add_no_sync(app);

    const auto part = [&](const char* name, const char* what) -> CLI::App& {
        auto& command = *app.add_subcommand(name, what);
        read.add_place(command, "needed");
        return command;
    };
    auto& load = part("load", "put receipts into the table, unless it has some");
    read.add_receipts(load), read.add_no_sync(load);
    auto& write = part("write", "edit the table");
    read.add_edits(write), read.add_no_sync(write);
    auto& pump = part("pump", "bring the table's changes to the queues");
    read.add_drain(pump), read.add_age(pump), read.add_no_sync(pump);
    auto& consume = part("consume", "apply the queues' messages to the embeddings");
    read.add_drain(consume), read.add_no_sync(consume);
    consume.add_option("--owner", read.owner, "this process's name to the others (default: one that no other has)")
        ->type_name("NAME");
    part("verify", "compare the embeddings with the table; nobody else should be writing");
    auto& redrive = part("redrive", "have the dead letters handled again");
    read.add_no_sync(redrive);

    app.footer(
        "Environment: LOG_LEVEL (DEBUG, INFO, WARNING, ERROR, CRITICAL; default: WARNING, INFO for pump),\n"
        "MONITORED_FIELDS_RECEIPT_METADATA and MONITORED_FIELDS_RECEIPT_WORD_LABEL (names between commas; empty: the\n"
        "built-in ones, which are those that embeddings have; with fewer, the comparison finds what is not told).\n"
        "CORE_LABELS (the labels to count, with commas between; not set: those of the scanned receipts).\n"
        "With --backend aws also: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION,\n"
        "AWS_ENDPOINT_URL, DYNAMODB_TABLE_NAME (receipts; the other tables and the queues are named after it).\n"
        "Exit code: 0 all well, 1 some items failed (bad lines, dead letters), 2 usage, 3 the data directory or the\n"
        "backend cannot be used, 4 a comparison failed: embeddings or counts are not what the table says, or the\n"
        "agent saw rows that were too old.");
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        const auto& parts = app.get_subcommands();
        support::print(parts.empty() ? app.help() : parts.front()->help());
        return {std::nullopt, all_well};
    } catch (const CLI::ParseError& wrong) { return refuse(freshet::printable(wrong.what(), 400)); }

    auto& wanted = read.wanted;
    if (!app.get_subcommands().empty()) { wanted.role = app.get_subcommands().front()->get_name(); }
    if (read.backend) {
        wanted.aws = *read.backend == "aws";
        if (!wanted.aws && !read.backend->starts_with("sqlite:")) {
            return refuse(fmt::format(
                "--backend: '{}' is neither sqlite:DIR nor aws; no other keeps data that another process sees",
                freshet::printable(*read.backend)));
        }
        if (!wanted.aws && read.directory) { return refuse("--backend sqlite:DIR excludes --dir"); }
        if (!wanted.aws) { read.directory = read.backend->substr(std::string_view{"sqlite:"}.size()); }
    }
    if (read.directory && read.directory->empty()) { return refuse("--dir: the name of a directory is not empty"); }
    if (!read.directory && !wanted.role.empty()) { return refuse(wanted.role + ": --dir is needed"); }
    wanted.how.directory = read.directory.value_or("");
    wanted.how.durable = !read.no_sync;
    if (read.owner) {
        if (read.owner->empty()) { return refuse("--owner: a name is not empty"); }
        wanted.how.owner = *read.owner;
    }
    for (const auto& number : {read_number("--receipts", read.receipts, 1, wanted.receipts),
                               read_number("--edits", read.edits, 0, wanted.run.edits),
                               read_number("--seed", read.seed, 0, wanted.run.seed)}) {
        if (!number) { return refuse(number.why().note); }
    }
    if (read.max_age) {
        wanted.how.max_age = support::parse_age(*read.max_age);
        if (!wanted.how.max_age) {
            return refuse(fmt::format("--max-age: '{}' is no duration such as 90s, 5m, 1h, 2d",
                                      freshet::printable(*read.max_age)));
        }
    }
    const auto level =
        support::log_level_or(wanted.role == "pump" ? support::log_level::info : support::log_level::warning);
    if (!level) { return refuse(level.why().note); }
    wanted.how.log = support::log{*level};
    auto fields = receipts::fields_from_environment();
    if (!fields) { return refuse(fields.why().note); }
    wanted.how.fields = *std::move(fields);
    auto labels = label_counts::core_labels();
    if (!labels) { return refuse(labels.why().note); }
    wanted.how.labels = *std::move(labels);
    return {std::move(wanted), all_well};
}

} // namespace demo
