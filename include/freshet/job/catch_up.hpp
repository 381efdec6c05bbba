#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <freshet/core/time.hpp>
#include <freshet/job/missed_run.hpp>

namespace freshet {

/// What becomes of the runs that a job missed.
enum class catch_up : std::uint8_t {
    skip, ///< nothing: the next instant of the schedule is soon enough
    once, ///< the last one is made up for; of a job that takes all that waits, that is as good as all
    all,  ///< each is made up for, the oldest first
};

/// The policy's word; empty for a value that is none.
[[nodiscard]] constexpr auto name_of(catch_up policy) noexcept -> std::string_view {
    switch (policy) {
        case catch_up::skip: return "skip";
        case catch_up::once: return "once";
        case catch_up::all: return "all";
    }
    return {};
}

/// The instants to run for now, ascending, of those that were missed, which ascend.
[[nodiscard]] inline auto to_catch_up(catch_up policy, std::span<const missed_run> missed) -> std::vector<time_point> {
    std::vector<time_point> due;
    if (policy == catch_up::skip || missed.empty()) { return due; }
    if (policy == catch_up::once) { missed = missed.last(1); }
    for (const auto& each : missed) { due.push_back(each.due); }
    return due;
}

} // namespace freshet
