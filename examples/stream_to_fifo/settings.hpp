#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <freshet/core/time.hpp>
#include <freshet/work/retry_plan.hpp>
#include <receipts/change_messages.hpp>
#include <support/backend.hpp>
#include <support/exit_code.hpp>
#include <support/log.hpp>

namespace stream_to_fifo {

using enum support::exit_code;
using support::backend; ///< `none`: messages are lines of JSON in a file
using support::exit_code;

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

    backend to{backend::none};
    std::string directory{}; ///< of `backend::sqlite`
    queue_urls queues{};     ///< of `backend::aws`
    std::optional<freshet::duration> max_age{};            ///< of queues: older records are dead letters
    freshet::retry_options retries{};                      ///< of what a queue does not answer
    freshet::duration patience{std::chrono::seconds{60}};  ///< with an outage, before a run gives up
    std::uint64_t seed{1};                                 ///< of the waits' jitter
};

} // namespace stream_to_fifo
