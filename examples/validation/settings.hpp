#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include <freshet/core/time.hpp>
#include <freshet/job/catch_up.hpp>
#include <freshet/job/compute_cost.hpp>
#include <freshet/job/failure_budget.hpp>
#include <support/backend.hpp>
#include <support/exit_code.hpp>
#include <support/log.hpp>

namespace validation {

using enum support::exit_code;
using support::backend;
using support::exit_code;

/// What the program does.
enum class command { pending_labels, metadata, reverify, process_all, upload, watch, runs, redrive, score };

/// What the command line and the environment ask for.
struct settings {
    command what{};
    backend where{backend::memory};
    std::string directory{};              ///< of `backend::sqlite`
    bool durable{true};                   ///< of `backend::sqlite`: what is committed survives a power cut
    std::string table{"receipts"};        ///< of `backend::aws`
    std::optional<std::string> letters{}; ///< of `backend::aws`: the dead-letter queue, by its URL
    std::optional<std::string> input{};   ///< receipts to load first; of `upload` those that it is about
    std::optional<std::string> labels{};  ///< the file that the final labels are written to; of `score` read from
    std::optional<std::string> truth{};   ///< of `score`
    std::optional<std::string> image{};   ///< of `process_all`: only its receipts
    std::optional<std::size_t> most{};    ///< receipts in one run
    bool dry_run{};
    freshet::duration limit{}; ///< of one run; zero: as long as it likes
    std::size_t batch{10};
    unsigned workers{4};
    unsigned most_undecided{3};
    freshet::duration lease{std::chrono::minutes{1}};
    freshet::failure_limits tolerated{};
    freshet::catch_up catch_up{freshet::catch_up::once};
    std::optional<freshet::compute_rates> rates{};
    bool cloudwatch{};
    bool json{};
    std::optional<std::string> metrics{}; ///< the file that EMF lines are appended to; `-` is stdout
    freshet::duration clock_shift{};
    support::log log{support::log_level::info};
};

} // namespace validation
