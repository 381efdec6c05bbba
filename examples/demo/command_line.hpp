#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <demo/command.hpp>
#include <freshet/core/result.hpp>
#include <label_counts/core_labels.hpp>
#include <receipts/fields_from_environment.hpp>
#include <support/backend_choice.hpp>
#include <support/command_line.hpp>
#include <support/environment.hpp>
#include <support/exit_code.hpp>
#include <support/log.hpp>
#include <support/option_values.hpp>

namespace demo {

namespace detail {

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

[[nodiscard]] inline auto read_place(const options& read, command& wanted) -> freshet::result<void> {
    wanted.aws = read.backend == "aws"; // and --dir is of something else
    const support::backend_options of_sqlite{wanted.aws ? std::nullopt : read.backend, read.directory};
    auto chosen = of_sqlite.choose({support::backend::sqlite, support::backend::aws});
    if (!chosen) { return std::move(chosen).why(); }
    if (chosen->directory.empty() && !wanted.role.empty()) {
        return support::refused(wanted.role + ": --dir is needed");
    }
    wanted.how.directory = std::move(chosen->directory);
    return {};
}

[[nodiscard]] inline auto read_numbers(const options& read, command& wanted) -> freshet::result<void> {
    constexpr auto any = std::numeric_limits<std::uint64_t>::max();
    if (read.receipts) {
        std::size_t most = 0;
        if (auto good = support::read_number("--receipts", read.receipts, 1, any, most); !good) { return good; }
        wanted.receipts = most;
    }
    if (auto good = support::read_number("--edits", read.edits, 0, any, wanted.run.edits); !good) { return good; }
    return support::read_number("--seed", read.seed, 0, any, wanted.run.seed);
}

[[nodiscard]] inline auto settle(const options& read, command& wanted) -> freshet::result<void> {
    if (auto good = read_place(read, wanted); !good) { return good; }
    wanted.how.durable = !read.no_sync;
    if (read.owner) {
        if (read.owner->empty()) { return support::refused("--owner: a name is not empty"); }
        wanted.how.owner = *read.owner;
    }
    if (auto good = read_numbers(read, wanted); !good) { return good; }
    if (auto good = support::read_duration("--max-age", read.max_age, wanted.how.max_age); !good) { return good; }
    const auto level =
        support::log_level_or(wanted.role == "pump" ? support::log_level::info : support::log_level::warning);
    if (!level) { return level.why(); }
    wanted.how.log = support::log{*level};
    auto fields = receipts::fields_from_environment();
    if (!fields) { return std::move(fields).why(); }
    wanted.how.fields = *std::move(fields);
    auto labels = label_counts::core_labels();
    if (!labels) { return std::move(labels).why(); }
    wanted.how.labels = *std::move(labels);
    return {};
}

} // namespace detail

/// Reads the command line, `LOG_LEVEL` and `MONITORED_FIELDS_<ENTITY>`. What is wrong is said in one line on stderr.
[[nodiscard]] inline auto read_command(int argc, const char* const* argv) -> support::wanted_or_exit<command> {
    detail::options read;
    CLI::App app{
        "Keeps a store of embeddings fresh while the table of receipts that they are made of is edited: a table\n"
        "with a change stream, two FIFO queues and two consumers, in SQLite files or in AWS, and another process\n"
        "that compares in the end. Rules validate labels and merchants before that, and a cache has label counts,\n"
        "which are compared too; beside it, a day of an agent with its tables in a cache. A command does one part\n"
        "alone; parts may run at once, and be killed.",
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
        "backend cannot be used, 4 a comparison failed: embeddings, counts or what was validated are not what the\n"
        "table says, or the agent saw rows that were too old.");
    return support::read_command_line(app, argc, argv, [&]() -> freshet::result<command> {
        if (!app.get_subcommands().empty()) { read.wanted.role = app.get_subcommands().front()->get_name(); }
        if (auto good = detail::settle(read, read.wanted); !good) { return std::move(good).why(); }
        return std::move(read.wanted);
    });
}

} // namespace demo
