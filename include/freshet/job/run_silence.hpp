#pragma once

#include <chrono>

#include <freshet/backend/run_report.hpp>
#include <freshet/core/time.hpp>

namespace freshet {

/// How long an execution may give no sign of life before it counts as dead: what AWS Lambda lets a function run at
/// most.
inline constexpr duration usual_silence{std::chrono::minutes{15}};

/// Whether an execution is said to be running, and has given no sign of life for so long: it was killed, or cannot
/// reach the store of its reports.
[[nodiscard]] inline auto fell_silent(const run_report& report, time_point now,
                                      duration silence = usual_silence) noexcept -> bool {
    return report.state == run_state::running && now - report.seen_at >= silence;
}

} // namespace freshet
