#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/job/batch_progress.hpp>
#include <freshet/job/batch_turn.hpp>
#include <freshet/work/retry_plan.hpp>

namespace freshet {

/// What a batch's turns are ruled by.
struct settlement_facts {
    bool first_of_run{};                ///< nothing was worked on before this batch
    duration run_time{duration::max()}; ///< what the run was given
    bool gave_up_here{};                ///< an earlier run of the round left this batch's first group, as it had failed
    retry_plan retries{};               ///< what it repeats may be the fault of what all groups depend on
};

/// What is to be done about a group after its turn.
enum class turn_ruling : std::uint8_t {
    leave,     ///< nothing: the next run begins with it, or with one before it
    set_aside, ///< it is told of in a dead letter, and then its items are set aside
    applied,   ///< nothing: it had its turn
};

/// Counts the turns of a batch, and rules what is to be done about each group, in their order.
///
/// A group that failed is set aside; with more failures than are tolerated, one that failed of what retries may help
/// against is left, once: all may have failed of one cause, and the next run begins with it. Where an earlier run of
/// the round left it already, it is set aside, so that groups that always fail do not end every run at one place. A
/// turn that ran out of time counts as not begun, but for that of a run's first group which took half of the run's time
/// or more: no other run would have more time for it, so that its turn has `failed` (`expired`) from now on.
[[nodiscard]] inline auto rule_turns(std::span<batch_turn> turns, batch_progress& progress,
                                     const settlement_facts& facts) -> std::vector<turn_ruling> {
    if (facts.first_of_run && !turns.empty()) {
        auto& first = turns.front();
        if (first.how == turn_end::out_of_time && first.took >= facts.run_time / 2) {
            first.how = turn_end::failed;
            first.why = {errc::expired, "the time of a whole run was too short for it: " + first.why.note};
        }
    }
    for (const auto& turn : turns) { progress.had(turn); }
    std::vector<turn_ruling> rulings;
    for (const auto& turn : turns) {
        using enum turn_ruling;
        const bool left = progress.too_many_failures() && !facts.gave_up_here &&
                          facts.retries.verdict(turn.why.code, 0, 0).again; // none was made: whether one may help
        rulings.push_back(turn.how == turn_end::applied           ? applied
                          : turn.how == turn_end::failed && !left ? set_aside
                                                                  : leave);
    }
    return rulings;
}

/// How many groups from the batch's first one on had their turn: the place to go on is behind the last of them.
///
/// Where that is not all of them, the run ends. What could not be told of or set aside in time is to be `leave` by
/// then.
[[nodiscard]] constexpr auto groups_settled(std::span<const turn_ruling> rulings) noexcept -> std::size_t {
    const auto left = std::find(rulings.begin(), rulings.end(), turn_ruling::leave);
    return static_cast<std::size_t>(left - rulings.begin());
}

} // namespace freshet
