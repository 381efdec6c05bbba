#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include <freshet/core/time.hpp>
#include <support/exit_code.hpp>
#include <support/log.hpp>
#include <table_cache/read_units.hpp>
#include <table_cache/sample_rows.hpp>

namespace email_agent {

using enum support::exit_code;
using support::exit_code;

/// What the command line and the environment ask for.
struct settings {
    std::optional<std::string> directory{}; ///< of the SQLite files; absent: the tables are in memory
    std::optional<std::string> input{};     ///< the timeline; absent: the storm
    row_numbers rows{usual_rows()};
    std::uint64_t seed{1};
    consistency reads{consistency::eventual};
    bool caching{true};
    freshet::duration interval{std::chrono::minutes{10}};
    std::map<std::string, freshet::duration, std::less<>> intervals{}; ///< of tables that have their own
    bool stream{};                                                     ///< students are followed
    unsigned workers{1};
    bool json{};
    support::log_level level{support::log_level::debug};
};

} // namespace email_agent
