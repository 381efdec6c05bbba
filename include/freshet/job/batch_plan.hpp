#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include <freshet/core/time.hpp>
#include <freshet/job/cost_estimate.hpp>
#include <freshet/work/deadline.hpp>

namespace freshet {

/// How things stand before a batch.
struct batch_facts {
    time_point now{};
    deadline until{deadline::never()}; ///< where the work must have ended: see `less_reserve`
    cost_estimate cost{};
    std::size_t at_once{1};                                       ///< groups that are worked on at the same time
    std::size_t waiting{};                                        ///< groups
    std::size_t most{10};                                         ///< groups of a batch; 0 is read as 1
    std::size_t allowed{std::numeric_limits<std::size_t>::max()}; ///< groups that the run may begin yet
    bool stop_requested{};
    bool too_many_failures{};
};

/// Why there is no further batch.
enum class batch_end : std::uint8_t {
    none, ///< there is one
    all_done,
    too_many_failures,
    stop_requested,
    enough,  ///< as many groups as the run was asked for
    no_time, ///< not one group fits, or nothing may begin any longer
};

/// The reason, as a person reads it; empty for none.
[[nodiscard]] constexpr auto text_of(batch_end end) noexcept -> std::string_view {
    switch (end) {
        case batch_end::none: return {};
        case batch_end::all_done: return "every group had its turn";
        case batch_end::too_many_failures: return "too many groups failed";
        case batch_end::stop_requested: return "a stop was asked for";
        case batch_end::enough: return "as many groups as the run was asked for had their turn";
        case batch_end::no_time: return "the time left is too short for another group";
    }
    return {};
}

struct batch_plan {
    std::size_t groups{}; ///< the next ones, in order; 0: the run ends here
    batch_end end{};
    duration expected{}; ///< what they take

    friend constexpr auto operator==(const batch_plan&, const batch_plan&) -> bool = default;
};

/// How many groups to work on next: as many as will end in time, and no more than `most`.
///
/// They take turns of `at_once`, and each turn takes what a group costs. As long as that is a guess, one begins
/// wherever there is time at all: else a guess that is too high would keep every run from learning better.
[[nodiscard]] constexpr auto plan_batch(const batch_facts& facts) noexcept -> batch_plan {
    if (facts.too_many_failures) { return {0, batch_end::too_many_failures, {}}; }
    if (facts.waiting == 0) { return {0, batch_end::all_done, {}}; }
    if (facts.stop_requested) { return {0, batch_end::stop_requested, {}}; }
    if (facts.allowed == 0) { return {0, batch_end::enough, {}}; }
    const auto at_once = std::max<std::size_t>(facts.at_once, 1);
    auto groups = std::min({facts.waiting, facts.allowed, std::max<std::size_t>(facts.most, 1)});
    const auto fits = [&] { return facts.until.allows(facts.cost.expects(groups, at_once), facts.now); };
    while (groups != 0 && !fits()) { groups -= (groups - 1) % at_once + 1; } // a turn less
    if (groups == 0 && !facts.cost.learned() && !facts.until.passed(facts.now)) { groups = 1; }
    if (groups == 0) { return {0, batch_end::no_time, {}}; }
    return {groups, batch_end::none, facts.cost.expects(groups, at_once)};
}

/// The deadline that leaves `reserve` before this one.
[[nodiscard]] constexpr auto less_reserve(const deadline& until, duration reserve) noexcept -> deadline {
    if (until == deadline::never() || reserve <= duration::zero()) { return until; }
    return deadline::in(-reserve, until.when());
}

/// The same, for what began then; the reserve is no more than a quarter of the time from there on.
[[nodiscard]] constexpr auto less_reserve(const deadline& until, duration reserve, time_point began) noexcept
    -> deadline {
    return less_reserve(until, std::min(reserve, until.remaining(began) / 4));
}

} // namespace freshet
