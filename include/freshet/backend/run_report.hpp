#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include <freshet/core/time.hpp>

namespace freshet {

enum class run_state : std::uint8_t {
    running,  ///< begun, and not ended as far as anybody knows
    complete, ///< all that was listed has had its turn
    stopped,  ///< ended early: the deadline, a stop, or somebody else took over; `resume` says where to go on
    failed,   ///< given up: too many failures, or a backend that does not answer; `resume` as above
};

/// The state's word in logs and stores; empty for a value that is none.
[[nodiscard]] constexpr auto name_of(run_state state) noexcept -> std::string_view {
    switch (state) {
        case run_state::running: return "running";
        case run_state::complete: return "complete";
        case run_state::stopped: return "stopped";
        case run_state::failed: return "failed";
    }
    return {};
}

/// How one execution of a job fares, or fared. Owns what it holds; an event, so that logs and metrics can be made of it.
///
/// Several executions may be of one round, that is of one `due`: each goes on where the one before it left off.
struct run_report {
    static constexpr std::string_view name = "run_report";

    std::string job{};
    std::string run{};       ///< this execution's own name: no other of the job has it
    time_point due{};        ///< the instant of the schedule that it is for; of one that somebody asked for: when
    time_point started_at{};
    time_point seen_at{};    ///< its last sign of life; once it has ended: its end
    duration limit{};        ///< how long it was allowed to take; zero: as long as it likes
    run_state state{run_state::running};

    std::uint64_t listed{};        ///< items
    std::uint64_t groups{};        ///< of those items, left for this execution
    std::uint64_t worked{};        ///< groups that had their turn, failed ones included
    std::uint64_t validated{};     ///< items that were decided
    std::uint64_t updated{};       ///< items that the decision changed
    std::uint64_t undecided{};     ///< items that wait for another run
    std::uint64_t needs_review{};  ///< items that no run could decide: a person must
    std::uint64_t conflicts{};     ///< items that somebody else changed meanwhile; they are as he left them
    std::uint64_t failed{};        ///< groups
    std::uint64_t dead_lettered{}; ///< of those, told to the dead-letter queue
    std::uint64_t retries{};       ///< further tries of groups

    std::string resume{}; ///< where the next execution of the round goes on; empty: at the start
    std::string why{};    ///< of the first failure, or of the end before the end

    [[nodiscard]] auto took() const noexcept -> duration { return std::max(seen_at - started_at, duration::zero()); }

    template <class Visitor>
    void fields(Visitor&& visit) const {
        visit("job", job);
        visit("run", run);
        visit("due", due);
        visit("started_at", started_at);
        visit("duration", took());
        visit("limit", limit);
        visit("state", name_of(state));
        visit("listed", listed);
        visit("groups", groups);
        visit("worked", worked);
        visit("validated", validated);
        visit("updated", updated);
        visit("undecided", undecided);
        visit("needs_review", needs_review);
        visit("conflicts", conflicts);
        visit("failed", failed);
        visit("dead_lettered", dead_lettered);
        visit("retries", retries);
        visit("why", why);
    }

    friend auto operator==(const run_report&, const run_report&) -> bool = default;
};

} // namespace freshet
