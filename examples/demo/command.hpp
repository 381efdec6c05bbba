#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <demo/settings.hpp>
#include <demo/whole.hpp>
#include <support/exit_code.hpp>

namespace demo {

using enum support::exit_code;
using support::exit_code;

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

} // namespace demo
