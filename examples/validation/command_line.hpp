#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/work/wall_clock.hpp>
#include <receipts/entities.hpp>
#include <support/backend_choice.hpp>
#include <support/command_line.hpp>
#include <support/environment.hpp>
#include <support/log.hpp>
#include <support/option_values.hpp>
#include <validation/settings.hpp>

namespace validation {

namespace detail {

struct options {
    support::backend_options backend{};
    bool no_sync{};
    std::optional<std::string> now{};
    std::optional<std::string> limit{};
    std::optional<std::string> most{};
    std::optional<std::string> batch{};
    std::optional<std::string> workers{};
    std::optional<std::string> undecided{};
    std::optional<std::string> lease{};
    std::optional<std::string> tolerated{};
    std::optional<std::string> catch_up{};
    std::optional<std::string> per_gb_second{};
    std::optional<std::string> per_request{};
};

struct named_command {
    command what{};
    const char* name{};
    const char* about{};
};

inline constexpr std::array commands{
    named_command{command::pending_labels, "pending-labels", "rule on all PENDING labels"},
    named_command{command::metadata, "metadata", "rule on all metadata"},
    named_command{command::reverify, "reverify", "rule again on all labels that are not PENDING"},
    named_command{command::process_all, "process-all", "make metadata and labels where they are missing, then rule"},
    named_command{command::upload, "upload", "put the receipts of --input that are new, and process them"},
    named_command{command::watch, "watch", "run each job by its schedule, until SIGTERM or SIGINT"},
    named_command{command::runs, "runs", "tell what ran, what did not and should have, alarms and cost"},
    named_command{command::redrive, "redrive", "take up the dead letters: rule on their receipts again"},
    named_command{command::score, "score", "compare the file --labels with the statuses that --truth has"},
};

using support::read_number;
using support::refused;

[[nodiscard]] inline auto read_backend(const options& read, settings& to) -> freshet::result<void> {
    auto chosen = read.backend.choose({backend::memory, backend::sqlite, backend::aws});
    if (!chosen) { return std::move(chosen).why(); }
    to.where = chosen->where == backend::none ? backend::memory : chosen->where;
    to.directory = std::move(chosen->directory);
    to.durable = !read.no_sync;
    if (to.where == backend::aws) {
        to.table = support::environment("DYNAMODB_TABLE_NAME").value_or(to.table);
        to.letters = support::environment("DEAD_LETTER_QUEUE_URL");
    }
    return {};
}

/// `5`: so many receipts; `20%`: of those that had their turn.
[[nodiscard]] inline auto read_tolerated(const std::optional<std::string>& given, freshet::failure_limits& to)
    -> freshet::result<void> {
    if (!given) { return {}; }
    constexpr auto all = std::numeric_limits<std::uint64_t>::max();
    to.in_a_row = all;
    if (!given->ends_with('%')) {
        to.percent = 100;
        return read_number("--tolerate", given, 0, all, to.count);
    }
    return read_number("--tolerate", given->substr(0, given->size() - 1), 0U, 100U, to.percent);
}

[[nodiscard]] inline auto read_rate(std::string_view option, const std::optional<std::string>& given, double& to)
    -> freshet::result<void> {
    if (!given) { return {}; }
    const auto* const end = given->data() + given->size();
    const auto [rest, bad] = std::from_chars(given->data(), end, to);
    if (bad == std::errc{} && rest == end && to >= 0 && to <= 1e9) { return {}; }
    return refused(fmt::format("{}: '{}' is no price", option, freshet::printable(*given)));
}

[[nodiscard]] inline auto read_numbers(const options& read, settings& to) -> freshet::result<void> {
    constexpr std::size_t no_bound = std::numeric_limits<std::size_t>::max();
    if (auto good = support::read_duration("--deadline", read.limit, to.limit); !good) { return good; }
    if (auto good = support::read_duration("--lease", read.lease, to.lease); !good) { return good; }
    if (auto good = read_number("--batch", read.batch, 1, 1'000'000, to.batch); !good) { return good; }
    if (auto good = read_number("--workers", read.workers, 1, 1'000, to.workers); !good) { return good; }
    if (auto good = read_number("--undecided", read.undecided, 1, 1'000'000, to.most_undecided); !good) { return good; }
    if (auto good = read_tolerated(read.tolerated, to.tolerated); !good) { return good; }
    if (read.most) {
        if (auto good = read_number("--limit", read.most, 1, no_bound, to.most.emplace()); !good) { return good; }
    }
    freshet::compute_rates rates;
    if (auto good = read_rate("--gb-second", read.per_gb_second, rates.per_gb_second); !good) { return good; }
    if (auto good = read_rate("--request", read.per_request, rates.per_request); !good) { return good; }
    if (read.per_gb_second || read.per_request) { to.rates = rates; }
    return {};
}

/// What is said goes together.
[[nodiscard]] inline auto check(const settings& to) -> freshet::result<void> {
    const bool runs_jobs = to.what <= command::watch;
    if (to.what == command::upload && !to.input) { return refused("upload: --input names the receipts"); }
    if (to.what == command::score && (!to.labels || !to.truth)) {
        return refused("score: --labels and --truth name the files");
    }
    if (to.truth && to.what != command::score) { return refused("--truth is of score: nothing else may see it"); }
    if (to.image && to.what != command::process_all) { return refused("--image is of process-all"); }
    if (to.image) {
        if (const auto good = receipts::image_key::format(*to.image); !good) {
            return refused("--image: " + good.why().note);
        }
    }
    if (to.input && to.what > command::watch) { return refused("--input is of jobs that rule on receipts"); }
    if (to.dry_run && (!runs_jobs || to.what == command::watch)) { return refused("--dry-run is of one job's run"); }
    if (to.dry_run && to.input && to.where != backend::memory) {
        return refused("--dry-run writes nothing, and --input would: load the receipts first");
    }
    if (to.most && (!runs_jobs || to.what == command::watch)) { return refused("--limit is of one job's run"); }
    if (to.cloudwatch && to.what != command::runs) { return refused("--cloudwatch is of runs"); }
    if (to.rates && to.what != command::runs) { return refused("--gb-second and --request are of runs"); }
    if (to.labels == "-") { return refused("--labels: - is no file"); }
    if (to.metrics == "-" && to.json) { return refused("--json prints on stdout, so --emf must name a file"); }
    return {};
}

[[nodiscard]] inline auto read_rest(const options& read, settings& to) -> freshet::result<void> {
    if (read.catch_up) {
        using enum freshet::catch_up;
        std::optional<freshet::catch_up> known;
        for (const auto each : {skip, once, all}) {
            if (name_of(each) == *read.catch_up) { known = each; }
        }
        if (!known) {
            return refused(
                fmt::format("--catch-up: '{}' is none of skip, once, all", freshet::printable(*read.catch_up)));
        }
        to.catch_up = *known;
    }
    const auto level = support::log_level_or(support::log_level::info);
    if (!level) { return level.why(); }
    to.log = support::log{*level};
    std::optional<freshet::time_point> now;
    if (auto good = support::read_time("--now", read.now, now); !good) { return good; }
    if (now) { to.clock_shift = *now - freshet::wall_clock{}.now(); }
    return check(to);
}

} // namespace detail

/// Reads the command line and the environment. What is wrong is said in one line on stderr.
[[nodiscard]] inline auto read_settings(int argc, const char* const* argv) -> support::wanted_or_exit<settings> {
    settings wanted;
    detail::options read;
    CLI::App app{
        "Validates the labels and the metadata of receipts: by the clock, in batches, in time, and on from\n"
        "where it was stopped or killed.",
        "validation"};
    app.require_subcommand(1, 1);
    app.fallthrough();
    for (const auto& each : detail::commands) {
        app.add_subcommand(each.name, each.about)
            ->footer("Its options are those that `validation --help` tells of.")
            ->callback([&wanted, &each] { wanted.what = each.what; });
    }
    read.backend.add_to(app, "where receipts, runs and letters are: memory (default), sqlite:DIR, aws");
    app.add_flag("--no-sync", read.no_sync, "sqlite: faster; a power cut may take the last of it, a kill does not");
    app.add_option("--input", wanted.input,
                   "receipts to put first, one a line of JSON; those that are there stay as they\n"
                   "are; - is stdin (memory's default: made up ones)")
        ->type_name("FILE");
    app.add_option("--labels", wanted.labels, "write all final labels to this file, one a line of JSON")
        ->type_name("FILE");
    app.add_option("--deadline", read.limit, "end a run in time, to go on in the next one (15m; default: none)")
        ->type_name("SPAN");
    app.add_option("--limit", read.most, "receipts in this run; the next one goes on behind them")->type_name("N");
    app.add_option("--image", wanted.image, "of process-all: only receipts of this image")->type_name("ID");
    app.add_flag("--dry-run", wanted.dry_run, "write nothing, and print what would be written");
    app.add_option("--batch", read.batch, "receipts between two looks at the time left (default: 10)")->type_name("N");
    app.add_option("--workers", read.workers, "receipts that are worked on at once (default: 4)")->type_name("N");
    app.add_option("--tolerate", read.tolerated,
                   "receipts that may fail before a run gives up: 5, or 20% of those that had\n"
                   "their turn (default: 50%, and not more than 9 in a row)")
        ->type_name("N");
    app.add_option("--undecided", read.undecided,
                   "rounds that may leave a label undecided, until it NEEDS_REVIEW (default: 3)")
        ->type_name("N");
    app.add_option("--lease", read.lease, "others wait so long for a run that was killed (default: 1m)")
        ->type_name("SPAN");
    app.add_option("--catch-up", read.catch_up, "of watch: missed runs to make up for: skip, once (default), all")
        ->type_name("POLICY");
    app.add_option("--gb-second", read.per_gb_second, "of runs: the price of a GB-second, for the cost")
        ->type_name("PRICE");
    app.add_option("--request", read.per_request, "of runs: the price of a request")->type_name("PRICE");
    app.add_flag("--cloudwatch", wanted.cloudwatch,
                 "of runs: print alarms as CloudWatch has them, and which it has not");
    app.add_option("--truth", wanted.truth, "of score: receipts whose labels say what is true")->type_name("FILE");
    app.add_option("--emf", wanted.metrics,
                   "append metrics of each run to a file, in CloudWatch's embedded metric format;\n"
                   "- is stdout")
        ->type_name("FILE");
    app.add_option("--now", read.now, "begin at this time (RFC 3339; default: the machine's clock)")->type_name("TIME");
    app.add_flag("--json", wanted.json, "print what was done as JSON on stdout, a document a line");
    app.footer(
        "sqlite:DIR has the receipts in DIR/table.sqlite, as the demonstration has them, runs and claims in\n"
        "DIR/jobs.sqlite, and dead letters in DIR/queues.sqlite, queue validation-dead. aws has them in the tables\n"
        "DYNAMODB_TABLE_NAME (receipts), receipts-runs and receipts-ledger, and in the FIFO queue\n"
        "DEAD_LETTER_QUEUE_URL; --input makes the tables.\n"
        "Environment: LOG_LEVEL (DEBUG, INFO, WARNING, ERROR, CRITICAL). For aws also AWS_ACCESS_KEY_ID,\n"
        "AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL. Rules need no OLLAMA_API_KEY.\n"
        "Exit code: 0 all well, 1 receipts or lines of the input failed, a file cannot be written, or the end\n"
        "came too soon, 2 usage, 3 the backend cannot be used, 4 an alarm (of runs). It is of this run: what\n"
        "earlier runs of the same round failed at is said on stderr.");
    return support::read_command_line(app, argc, argv, [&]() -> freshet::result<settings> {
        if (auto good = detail::read_backend(read, wanted); !good) { return good.why(); }
        if (auto good = detail::read_numbers(read, wanted); !good) { return good.why(); }
        if (auto good = detail::read_rest(read, wanted); !good) { return good.why(); }
        return std::move(wanted);
    });
}

} // namespace validation
