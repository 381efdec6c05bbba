#pragma once

#include <optional>

#include <freshet/cache/refresh_policy.hpp>

namespace freshet {

/// A policy's verdict about a table, and what that means for one who wants a single row.
struct table_ruling {
    refresh_verdict verdict{};
    bool scan_helps{}; ///< what is kept, or what a scan brings now, answers more than one call
    friend constexpr auto operator==(const table_ruling&, const table_ruling&) -> bool = default;
};

/// The policy's verdict; what is not there is loaded, whatever the policy says of using it.
template <refresh_policy Policy>
[[nodiscard]] constexpr auto verdict_of(const Policy& policy, const refresh_facts& facts) -> refresh_verdict {
    const refresh_verdict verdict = policy(facts);
    return verdict.action == refresh_action::use && !facts.loaded_at
               ? refresh_verdict{refresh_action::refresh, refresh_reason::never_loaded}
               : verdict;
}

/// The verdict, and whether the policy would let the next call use what a scan brings now.
template <refresh_policy Policy>
[[nodiscard]] constexpr auto ruling_of(const Policy& policy, const refresh_facts& facts) -> table_ruling {
    const auto verdict = verdict_of(policy, facts);
    auto after = facts;
    after.loaded_at = facts.now;
    after.invalidated_by.reset();
    return {verdict, verdict.action == refresh_action::use ||
                         (verdict.action == refresh_action::refresh && policy(after).action == refresh_action::use)};
}

/// Whether what `decide(const refresh_facts&)` answers depends on whether work sleeps: only then is it worth asking.
template <class Decide>
[[nodiscard]] constexpr auto depends_on_sleepers(const Decide& decide, refresh_facts facts) -> bool {
    const auto when = [&](std::optional<bool> sleepers) {
        facts.sleepers = sleepers;
        return decide(facts);
    };
    const auto unknown = when(std::nullopt);
    return !(unknown == when(true)) || !(unknown == when(false));
}

} // namespace freshet
