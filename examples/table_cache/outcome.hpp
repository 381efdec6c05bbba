#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <freshet/cache/table_follower.hpp>
#include <table_cache/read_units.hpp>
#include <table_cache/settings.hpp>

namespace email_agent {

/// What was read of a table: by the agent that is shown, and by one without a cache.
struct table_outcome {
    read_counts with{};
    read_counts without{};
    read_counts foretold{};                        ///< for `without`, from what the table held at each call
    std::map<std::string, std::size_t> verdicts{}; ///< by what is said of a call

    [[nodiscard]] auto saved() const -> read_counts { return without - with; }
};

/// What a timeline came to.
struct outcome {
    std::map<std::string_view, table_outcome> tables{};
    std::size_t steps{};
    std::size_t failed_steps{};
    std::size_t failed_writes{};
    std::size_t checked{};                            ///< answers, of both agents
    std::vector<std::string> wrong{};                 ///< what must not be, a line each
    std::optional<freshet::follow_report> followed{}; ///< absent where nothing is

    [[nodiscard]] auto code() const -> exit_code {
        if (!wrong.empty()) { return check_failed; }
        return failed_steps + failed_writes == 0 ? all_well : some_failed;
    }
};

/// Compares a table's counters with what the cache said of its calls, and with what was foretold; what differs, a line
/// each.
[[nodiscard]] inline auto discrepancies(std::string_view name, const table_outcome& table, std::size_t follower_loads)
    -> std::vector<std::string> {
    std::vector<std::string> all;
    auto told = follower_loads;
    for (const auto& [verdict, calls] : table.verdicts) {
        if (verdict.starts_with("refresh") || verdict.starts_with("bypass")) { told += calls; }
    }
    if (table.with.scans != static_cast<std::int64_t>(told)) {
        all.push_back(
            fmt::format("{}: the cache told of {} scans, and the table had {}", name, told, table.with.scans));
    }
    if (const auto foretold = table.foretold - table.with; foretold != table.saved()) {
        all.push_back(fmt::format(
            "{}: {} read units in {} requests should be saved, and the difference to a run without "
            "the cache is {} in {}",
            name, foretold.units.text(), foretold.requests, table.saved().units.text(), table.saved().requests));
    }
    return all;
}

} // namespace email_agent
