#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <freshet/core/time.hpp>
#include <support/backend.hpp>
#include <support/exit_code.hpp>
#include <support/log.hpp>

namespace metrics {

using enum support::exit_code;
using support::backend; ///< `none`: nowhere, the lines of a file are counted as they are read
using support::code_of_failure;
using support::exit_code;

/// Whose records are asked for; what is absent may be anything.
struct selection {
    std::optional<std::string> table{};
    std::optional<std::string> account{};

    [[nodiscard]] auto holds(const std::string& of_table, const std::string& of_account) const -> bool {
        return (!table || *table == of_table) && (!account || *account == of_account);
    }
};

/// What the command line and the environment ask for.
struct settings {
    backend where{backend::none};
    std::string directory{};               ///< of `backend::sqlite`
    std::optional<std::string> env_file{}; ///< of `backend::graphql`: variables that the environment may lack
    std::string table_name{"metrics"};     ///< of `backend::aws`
    std::optional<std::string> input{};    ///< lines to count, or to load first; `-` is stdin
    selection of{};
    std::size_t hours{2};                ///< the one of now, and so many before it less one
    std::optional<unsigned> series{};    ///< the width in minutes of the buckets to print, for each series
    std::optional<std::string> shadow{}; ///< the file with what another counter found
    std::size_t shadow_runs{3};          ///< on other counts, in a row, must be equal
    bool watch{};                        ///< follow the stream, until a stop
    bool cache{};                        ///< keep the records of an hour from one recount to the next
    bool json{};
    freshet::duration clock_shift{};
    std::optional<freshet::time_point> now{}; ///< as asked for; absent: the machine's clock
    support::log log{support::log_level::info};
};

} // namespace metrics
