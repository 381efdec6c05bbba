#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <unistd.h>

#include <freshet/core/time.hpp>
#include <freshet/stream/record_translator.hpp>
#include <freshet/work/retry_plan.hpp>
#include <receipts/change_messages.hpp>
#include <receipts/entities.hpp>
#include <support/log.hpp>

namespace demo {

/// A name that no other process has, on this machine or on another.
[[nodiscard]] inline auto unlike_others() -> std::string {
    return "demo-" + std::to_string(::getpid()) + "-" + std::to_string(std::random_device{}());
}

/// How the parts of the demonstration work, and where: what all processes on one directory have in common.
struct settings {
    std::string directory;
    bool durable{true}; ///< whether what is committed survives a power cut; a killed process it survives in any case
    freshet::duration busy{std::chrono::seconds{5}}; ///< how long to wait for a file that another process is writing

    std::size_t batch{100};                            ///< change records at most, in one batch
    freshet::duration window{std::chrono::seconds{5}}; ///< how long a batch's first record waits for others
    std::optional<freshet::duration> max_age{};        ///< older records go to the dead letters; none: no limit
    freshet::entity_fields<receipts::registry> fields{receipts::default_monitored_fields()};

    std::vector<std::string> labels{}; ///< whose words are counted

    freshet::duration visibility{std::chrono::seconds{10}}; ///< of a message that a consumer has
    unsigned max_receives{10};                              ///< of a message, before it is a dead letter
    freshet::duration lease{std::chrono::seconds{5}};       ///< of a collection, and of the stream
    freshet::duration poll{std::chrono::milliseconds{100}}; ///< between two looks where there was nothing
    freshet::retry_options retries{};                       ///< of what a backend did not answer
    freshet::duration patience{std::chrono::seconds{10}};   ///< with a backend that fails, before a role gives up

    std::string owner{unlike_others()}; ///< this process to the ledger, and no other that may be alive
    std::uint64_t seed{1};
    support::log log{support::log_level::warning};
};

} // namespace demo
