#pragma once

#include <stop_token>
#include <utility>

#include <adapters/aws/settings.hpp>
#include <freshet/core/result.hpp>
#include <receipts/sample_receipts.hpp>
#include <support/printing.hpp>
#include <support/shifted_clock.hpp>
#include <support/stop_on_signal.hpp>
#include <validation/dynamodb_place.hpp>
#include <validation/loading.hpp>
#include <validation/memory_place.hpp>
#include <validation/program.hpp>
#include <validation/scoring.hpp>
#include <validation/settings.hpp>
#include <validation/sqlite_place.hpp>

namespace validation {

/// The program on the backend that its settings name, with these receipts to load first; fails where that cannot be
/// opened.
template <class Timer>
[[nodiscard]] auto run_on(const settings& wanted, const receipts_input& input, Timer& timer,
                          const std::stop_token& stop = {}) -> freshet::result<int> {
    const auto with = [&](place& at) -> int { return program{wanted, input, at, timer, stop}.run(); };
    const bool make = wanted.input.has_value();
    if (wanted.where == backend::memory) { return in_memory(timer, with); }
    if (wanted.where == backend::sqlite) {
        const bool read_only = wanted.dry_run || wanted.what == command::runs;
        return in_directory(wanted.directory, {.durable = wanted.durable, .read_only = read_only}, make, timer, with);
    }
    auto how = adapters::aws::settings_from_environment();
    if (!how) { return std::move(how).why(); }
    return in_dynamodb(*std::move(how), wanted.table, wanted.letters, make, timer, with);
}

/// The whole program over its settings.
[[nodiscard]] inline auto run(const settings& wanted) -> int {
    const auto refuse = [](const freshet::error& why, exit_code code) {
        support::complain("validation: {}\n", why.note);
        return code;
    };
    if (wanted.what == command::score) { return print_score(*wanted.truth, *wanted.labels, wanted.json); }
    receipts_input input;
    if (wanted.input) {
        auto read = read_input(*wanted.input, wanted.log);
        if (!read) { return refuse(read.why(), wrong_usage); }
        input = *std::move(read);
    } else if (wanted.where == backend::memory && wanted.what <= command::watch) {
        input.receipts = receipts::sample_receipts{}.make(300);
    }
    const support::stop_on_signal stop;
    support::shifted_clock clock{wanted.clock_shift};
    const auto token = stop.token();
    const auto code = run_on(wanted, input, clock, token);
    if (!code) { return refuse(code.why(), unreachable); }
    if (!support::all_printed("validation")) { return unreachable; }
    return *code == all_well && input.bad_lines != 0 ? some_failed : *code;
}

} // namespace validation
