#pragma once

#include <algorithm>
#include <cstdint>
#include <stop_token>
#include <type_traits>
#include <utility>

#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/job/batch_steps.hpp>
#include <freshet/job/item_groups.hpp>
#include <freshet/job/patience.hpp>
#include <freshet/job/round_lease.hpp>
#include <freshet/work/deadline.hpp>

namespace freshet {

enum class turn_end : std::uint8_t {
    cut_short,   ///< by a stop or a lost claim, or it had not begun; it counts as not begun
    out_of_time, ///< the deadline ended it; that counts as not begun too: see `rule_turns` for the exception
    failed,      ///< after the plan's retries
    applied,
};

/// What a group's turn came to.
struct batch_turn {
    turn_end how{turn_end::cut_short};
    apply_counts counts{};
    error why{errc::expired, "it did not begin"}; ///< unless it was applied
    unsigned retries{};
    duration took{};
};

/// Calls `effect` as `patience::in_time` does, and asks before each try: without time or the claim there is none, and
/// what failed before is cut short.
template <class Ledger, class Timer, class Effect>
[[nodiscard]] auto try_effect(patience<Timer>& calls, round_lease<Ledger>& lease, const std::stop_token& stop,
                              const deadline& until, Effect&& effect)
    -> timed_answer<typename std::invoke_result_t<Effect&>::value_type> {
    bool may = true;
    auto made = calls.in_time(stop, until, [&]() -> std::invoke_result_t<Effect&> {
        const auto now = calls.now();
        may = !until.passed(now) && lease.holds(now);
        if (!may) { return error{errc::expired, "its effects came too late"}; }
        return effect();
    });
    made.cut_short = made.cut_short || !may;
    return made;
}

/// One group's turn: its work, until `context.until`, and then its effects, which do not begin at `effects_until`.
///
/// Does not begin without time for what it `needs`, after a stop, or without the claim; nor do the effects without the
/// claim or time.
template <class Steps, class Ledger, class Timer>
[[nodiscard]] auto take_turn(Steps& steps, const item_group<typename Steps::item_type>& group,
                             const apply_context& context, const deadline& effects_until, round_lease<Ledger>& lease,
                             patience<Timer>& calls, duration needs = {}) -> batch_turn {
    batch_turn turn;
    const auto began = calls.now();
    const auto end = [&](turn_end how, error why) {
        turn.how = how;
        turn.why = std::move(why);
        turn.took = std::max(calls.now() - began, duration::zero());
        return turn;
    };
    const auto end_by = [&](auto& call) {
        if (!call.cut_short) { return end(turn_end::failed, std::move(call.answer).why()); }
        const bool by_others = context.stop.stop_requested() || !lease.holds(calls.now());
        return end(by_others ? turn_end::cut_short : turn_end::out_of_time, std::move(call.answer).why());
    };
    const bool fits = context.until.allows(std::max(needs, duration::zero()), began);
    if (context.stop.stop_requested() || !fits || !lease.holds(began)) { return turn; }

    auto worked = calls.in_time(context.stop, context.until,
                                [&] { return steps.work(group, static_cast<const work_context&>(context)); });
    turn.retries = worked.retries;
    if (!worked.answer) { return end_by(worked); }
    auto applied = try_effect(calls, lease, context.stop, effects_until,
                              [&] { return steps.apply(group, *worked.answer, context); });
    turn.retries += applied.retries;
    if (!applied.answer) { return end_by(applied); }
    turn.counts = *applied.answer;
    return end(turn_end::applied, {});
}

} // namespace freshet
