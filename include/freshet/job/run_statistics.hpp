#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include <freshet/backend/run_report.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>
#include <freshet/job/run_silence.hpp>

namespace freshet {

/// What executions of a job come to together.
struct run_statistics {
    std::uint64_t executions{};
    std::uint64_t running{};
    std::uint64_t complete{};
    std::uint64_t stopped{};
    std::uint64_t failed{};
    std::uint64_t silent{}; ///< said to be running, and dead as far as anybody can tell
    duration total{};       ///< of those that ended or fell silent, up to their last sign of life
    duration longest{};     ///< of the same

    std::uint64_t worked{};        ///< groups
    std::uint64_t failed_groups{}; ///< of those
    std::uint64_t validated{};     ///< items, here and below
    std::uint64_t updated{};
    std::uint64_t undecided{};
    std::uint64_t needs_review{};
    std::uint64_t conflicts{};
    std::uint64_t dead_lettered{}; ///< groups
    std::uint64_t retries{};       ///< of groups

    [[nodiscard]] constexpr auto ended() const noexcept -> std::uint64_t { return executions - running; }
    /// The mean of those that ended; zero where none did.
    [[nodiscard]] constexpr auto mean() const noexcept -> duration {
        return ended() == 0 ? duration::zero() : total / static_cast<duration::rep>(ended());
    }
    /// Which part of the groups that had their turn failed, 0 to 1; 0 where none had.
    [[nodiscard]] constexpr auto error_rate() const noexcept -> double { return part(failed_groups, worked); }
    /// Which part of the executions that ended failed as a whole, those that fell silent included, 0 to 1; 0 where none
    /// ended. One that was stopped did not fail.
    [[nodiscard]] constexpr auto failure_rate() const noexcept -> double { return part(failed + silent, ended()); }

    friend auto operator==(const run_statistics&, const run_statistics&) -> bool = default;

private:
    [[nodiscard]] static constexpr auto part(std::uint64_t some, std::uint64_t of) noexcept -> double {
        return of == 0 ? 0 : static_cast<double>(some) / static_cast<double>(of);
    }
};

/// Of the reports whose executions began in the range, as of `now`.
[[nodiscard]] inline auto statistics_of(std::span<const run_report> reports, const time_range& started, time_point now,
                                        duration silence = usual_silence) -> run_statistics {
    run_statistics sum;
    for (const auto& each : reports) {
        if (!started.contains(each.started_at)) { continue; }
        ++sum.executions;
        sum.worked += each.worked;
        sum.failed_groups += each.failed;
        sum.validated += each.validated;
        sum.updated += each.updated;
        sum.undecided += each.undecided;
        sum.needs_review += each.needs_review;
        sum.conflicts += each.conflicts;
        sum.dead_lettered += each.dead_lettered;
        sum.retries += each.retries;
        switch (each.state) {
            case run_state::running: ++(fell_silent(each, now, silence) ? sum.silent : sum.running); break;
            case run_state::complete: ++sum.complete; break;
            case run_state::stopped: ++sum.stopped; break;
            case run_state::failed: ++sum.failed; break;
        }
        if (each.state == run_state::running && !fell_silent(each, now, silence)) { continue; }
        sum.total += each.took();
        sum.longest = std::max(sum.longest, each.took());
    }
    return sum;
}

} // namespace freshet
