#pragma once

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <freshet/core/result.hpp>
#include <table_cache/outcome.hpp>
#include <table_cache/output.hpp>
#include <table_cache/program.hpp>
#include <table_cache/settings.hpp>
#include <table_cache/storm.hpp>
#include <table_cache/transcript.hpp>

namespace demo {

/// What a day of the e-mail agent came to, whose tables are in a cache, beside the same day without one.
struct cached_day {
    std::size_t calls{};   ///< of the cache
    std::size_t answers{}; ///< that were checked, of both days
    email_agent::read_counts saved{};
    email_agent::read_counts without{}; ///< what the day without a cache read
    std::vector<std::string> wrong{};   ///< what must not be, a line each

    [[nodiscard]] auto agrees() const noexcept -> bool { return wrong.empty(); }
};

/// Plays the built-in day of the program `table_cache`, its tables in SQLite files of a directory of their own in this
/// one; fails with `expired` after a stop. The day's clock stands still while nothing happens: it takes no more time
/// than its reads do.
[[nodiscard]] inline auto play_day(const std::string& directory, const std::stop_token& stop = {})
    -> freshet::result<cached_day> {
    email_agent::settings wanted;
    wanted.directory = directory + "/agent";
    const auto day = email_agent::storm();
    if (!day) { return day.why(); }
    auto played = email_agent::play(wanted, *day, {}, stop);
    if (!played) { return std::move(played).why(); }

    const auto all = email_agent::total_of(*played);
    cached_day report{0, played->checked, all.saved(), all.without, std::move(played->wrong)};
    for (const auto& [name, table] : played->tables) {
        for (const auto& [verdict, calls] : table.verdicts) { report.calls += calls; }
    }
    if (const auto failed = played->failed_steps + played->failed_writes; failed != 0) {
        report.wrong.push_back(std::to_string(failed) + " steps and writes failed, on a day without failures");
    }
    return report;
}

} // namespace demo
