#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <freshet/core/parsed.hpp>
#include <freshet/core/time.hpp>

namespace freshet {

/// What to do with what is cached.
enum class refresh_action : std::uint8_t {
    use,     ///< it answers
    refresh, ///< load it anew, keep it, and answer with it
    bypass,  ///< ask the source, and leave the cache alone
};

/// Why.
enum class refresh_reason : std::uint8_t {
    within_interval,  ///< use: younger than its interval
    kept,             ///< use: the policy never lets it age
    never_loaded,     ///< refresh: there is nothing yet
    start_message,    ///< refresh: work was started since
    invalidated,      ///< refresh: somebody asked for it
    stream_gap,       ///< refresh: changes of it were lost
    interval_elapsed, ///< refresh
    no_sleepers,      ///< refresh: nobody sleeps, so nothing comes in storms
    probe_failed,     ///< refresh: whether anybody sleeps is not known
    policy_failed,    ///< refresh: the policy could not say
    clock_stepped,    ///< refresh: it is younger than nothing: the clock was set back since
    always,           ///< refresh: the policy never reuses
    disabled,         ///< bypass
};

/// The action's name as it stands in the enumeration, for logs.
[[nodiscard]] constexpr auto name_of(refresh_action action) noexcept -> std::string_view {
    switch (action) {
        case refresh_action::use: return "use";
        case refresh_action::refresh: return "refresh";
        case refresh_action::bypass: return "bypass";
    }
    return "unknown";
}

/// The reason's name as it stands in the enumeration, for logs.
[[nodiscard]] constexpr auto name_of(refresh_reason reason) noexcept -> std::string_view {
    switch (reason) {
        case refresh_reason::within_interval: return "within_interval";
        case refresh_reason::kept: return "kept";
        case refresh_reason::never_loaded: return "never_loaded";
        case refresh_reason::start_message: return "start_message";
        case refresh_reason::invalidated: return "invalidated";
        case refresh_reason::stream_gap: return "stream_gap";
        case refresh_reason::interval_elapsed: return "interval_elapsed";
        case refresh_reason::no_sleepers: return "no_sleepers";
        case refresh_reason::probe_failed: return "probe_failed";
        case refresh_reason::policy_failed: return "policy_failed";
        case refresh_reason::clock_stepped: return "clock_stepped";
        case refresh_reason::always: return "always";
        case refresh_reason::disabled: return "disabled";
    }
    return "unknown";
}

/// What a policy decides by.
struct refresh_facts {
    time_point now{};
    std::optional<time_point> loaded_at{};          ///< when the load of it began; absent: there is nothing
    std::optional<refresh_reason> invalidated_by{}; ///< why it may not be used; absent: it may
    std::optional<duration> interval{};             ///< of this table; absent: the policy's own
    std::optional<bool> sleepers{};                 ///< whether work sleeps; absent: nobody could say
    bool enabled{true};
};

struct refresh_verdict {
    refresh_action action{refresh_action::refresh};
    refresh_reason reason{};
    friend constexpr auto operator==(const refresh_verdict&, const refresh_verdict&) -> bool = default;
};

/// What is decided before any policy is asked, if it is: what is disabled is bypassed; what is not there, or was
/// invalidated, is loaded. Every policy here begins with it, and a policy of one's own should.
[[nodiscard]] constexpr auto forced_refresh(const refresh_facts& facts) -> std::optional<refresh_verdict> {
    if (!facts.enabled) { return refresh_verdict{refresh_action::bypass, refresh_reason::disabled}; }
    if (!facts.loaded_at) { return refresh_verdict{refresh_action::refresh, refresh_reason::never_loaded}; }
    if (facts.invalidated_by) { return refresh_verdict{refresh_action::refresh, *facts.invalidated_by}; }
    return std::nullopt;
}

/// Reuses what is loaded until it is an interval old: its table's own one, or this.
///
/// What seems to be of the future is loaded anew, so that a clock that was set back keeps nothing for ever.
struct every {
    duration interval{std::chrono::minutes{10}};

    [[nodiscard]] constexpr auto operator()(const refresh_facts& facts) const -> refresh_verdict {
        if (const auto forced = forced_refresh(facts)) { return *forced; }
        if (facts.now < *facts.loaded_at) { return {refresh_action::refresh, refresh_reason::clock_stepped}; }
        // As unsigned numbers: the age of what is older than the time scale's half fits there too.
        const auto age = static_cast<std::uint64_t>(facts.now.time_since_epoch().count()) -
                         static_cast<std::uint64_t>(facts.loaded_at->time_since_epoch().count());
        const auto span = facts.interval.value_or(interval).count();
        return span > 0 && age < static_cast<std::uint64_t>(span)
                   ? refresh_verdict{refresh_action::use, refresh_reason::within_interval}
                   : refresh_verdict{refresh_action::refresh, refresh_reason::interval_elapsed};
    }
};

/// Reuses what is loaded for an interval while work sleeps, and loads anew on every call otherwise.
///
/// Sleeping work wakes in storms, and a storm should cost one scan; without sleepers nothing is so urgent that it may
/// be old. Where it is not known whether work sleeps, it is loaded anew.
struct sleeping_aware {
    duration interval{std::chrono::minutes{10}};

    [[nodiscard]] constexpr auto operator()(const refresh_facts& facts) const -> refresh_verdict {
        if (const auto forced = forced_refresh(facts)) { return *forced; }
        if (!facts.sleepers) { return {refresh_action::refresh, refresh_reason::probe_failed}; }
        if (!*facts.sleepers) { return {refresh_action::refresh, refresh_reason::no_sleepers}; }
        return every{interval}(facts);
    }
};

/// Loads anew on every call.
struct always {
    [[nodiscard]] constexpr auto operator()(const refresh_facts& facts) const -> refresh_verdict {
        return forced_refresh(facts).value_or(refresh_verdict{refresh_action::refresh, refresh_reason::always});
    }
};

/// Keeps what is loaded until it is invalidated.
struct never {
    [[nodiscard]] constexpr auto operator()(const refresh_facts& facts) const -> refresh_verdict {
        return forced_refresh(facts).value_or(refresh_verdict{refresh_action::use, refresh_reason::kept});
    }
};

/// Something that decides: `refresh_facts` in, a `refresh_verdict` out.
template <class P>
concept refresh_policy = std::is_invocable_r_v<refresh_verdict, const P&, const refresh_facts&>;

/// The verdict of the policies that goes furthest (use, then refresh, then bypass); of equal ones the first.
template <refresh_policy... Policies>
struct any_of {
    static_assert(sizeof...(Policies) > 0, "any_of asks at least one policy");
    constexpr explicit any_of(Policies... policies) : policies_{std::move(policies)...} {}

    [[nodiscard]] constexpr auto operator()(const refresh_facts& facts) const -> refresh_verdict {
        return std::apply(
            [&](const auto& first, const auto&... others) {
                refresh_verdict furthest = first(facts);
                const auto consider = [&](const refresh_verdict& next) {
                    if (next.action > furthest.action) { furthest = next; }
                };
                (consider(others(facts)), ...);
                return furthest;
            },
            policies_);
    }

private:
    std::tuple<Policies...> policies_;
};

/// The verdict of the policies that goes least far; of equal ones the first: refreshes when all of them would.
template <refresh_policy... Policies>
struct all_of {
    static_assert(sizeof...(Policies) > 0, "all_of asks at least one policy");
    constexpr explicit all_of(Policies... policies) : policies_{std::move(policies)...} {}

    [[nodiscard]] constexpr auto operator()(const refresh_facts& facts) const -> refresh_verdict {
        return std::apply(
            [&](const auto& first, const auto&... others) {
                refresh_verdict nearest = first(facts);
                const auto consider = [&](const refresh_verdict& next) {
                    if (next.action < nearest.action) { nearest = next; }
                };
                (consider(others(facts)), ...);
                return nearest;
            },
            policies_);
    }

private:
    std::tuple<Policies...> policies_;
};

/// One policy where the facts are so, another where they are not.
template <class Predicate, refresh_policy Then, refresh_policy Otherwise>
struct when {
    static_assert(std::is_invocable_r_v<bool, const Predicate&, const refresh_facts&>,
                  "when asks its first argument about the refresh_facts: yes or no");
    constexpr when(Predicate is_so, Then then, Otherwise otherwise)
        : is_so_{std::move(is_so)}, then_{std::move(then)}, otherwise_{std::move(otherwise)} {}

    [[nodiscard]] constexpr auto operator()(const refresh_facts& facts) const -> refresh_verdict {
        return is_so_(facts) ? then_(facts) : otherwise_(facts);
    }

private:
    Predicate is_so_;
    Then then_;
    Otherwise otherwise_;
};

/// An interval as `CACHE_REFRESH_INTERVAL_SECS` has it: whole seconds, at least one, in decimal and nothing else; at
/// most a hundred years.
[[nodiscard]] constexpr auto parse_interval_seconds(std::string_view text) -> parsed<duration> {
    constexpr auto most = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::years{100}).count();
    std::int64_t seconds = 0;
    for (std::size_t at = 0; at != text.size(); ++at) {
        if (text[at] < '0' || text[at] > '9') { return parse_fault{at, "an interval is whole seconds, in digits"}; }
        seconds = seconds * 10 + (text[at] - '0');
        if (seconds > most) { return parse_fault{at, "an interval is a hundred years at most"}; }
    }
    if (seconds == 0) {
        return parse_fault{0, text.empty() ? "an interval is missing" : "an interval is at least a second"};
    }
    return duration{std::chrono::seconds{seconds}};
}

} // namespace freshet
