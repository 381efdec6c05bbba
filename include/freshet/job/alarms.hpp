#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/backend/run_report.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>
#include <freshet/job/missed_run.hpp>
#include <freshet/job/recurring.hpp>
#include <freshet/job/run_silence.hpp>
#include <freshet/job/run_statistics.hpp>

namespace freshet {

/// When a job is not as it should be.
struct alarm_rules {
    double error_rate{0.10};               ///< more than this part of the groups failed, or of the executions
    double duration_share{0.80};           ///< an execution took more than this part of its limit
    duration grace{std::chrono::hours{1}}; ///< an execution begins less than this after its instant, or did not
    /// Executions that began in so long a time before now are judged; where none did, the latest one.
    duration window{std::chrono::days{7}};
    duration silence{usual_silence}; ///< an execution without a sign of life for so long is dead
    time_point since{};              ///< nothing was to run before: when the job was installed
};

enum class alarm_state : std::uint8_t { ok, alarm, insufficient_data };

/// The state's word, as CloudWatch has it; empty for a value that is none.
[[nodiscard]] constexpr auto name_of(alarm_state state) noexcept -> std::string_view {
    switch (state) {
        case alarm_state::ok: return "OK";
        case alarm_state::alarm: return "ALARM";
        case alarm_state::insufficient_data: return "INSUFFICIENT_DATA";
    }
    return {};
}

/// A state, and the one line that says why it is that.
struct alarm_verdict {
    alarm_state state{};
    std::string why;
    friend auto operator==(const alarm_verdict&, const alarm_verdict&) -> bool = default;
};

struct alarm_states {
    alarm_verdict error_rate;
    alarm_verdict duration_share;
    alarm_verdict no_execution;
};

namespace detail {

/// How far apart the clocks of a job's hosts are taken to be.
inline constexpr duration clock_skew{std::chrono::seconds{1}};

/// A number without an exponent, with no more digits than tell it from its neighbours, and those to the ninth decimal.
[[nodiscard]] inline auto plain_number(double value) -> std::string {
    char digits[400];
    const auto rounded = std::abs(value) < 1e6 ? std::round(value * 1e9) / 1e9 : value;
    const auto [end, code] = std::to_chars(digits, digits + sizeof digits, rounded, std::chars_format::fixed);
    return code == std::errc{} ? std::string{digits, end} : std::string{};
}

[[nodiscard]] inline auto percent(double part) -> std::string { return plain_number(part * 100) + " %"; }

[[nodiscard]] inline auto instant_text(time_point at) -> std::string {
    const auto text = format_rfc3339(at, 0);
    return std::string{text ? text->view() : std::string_view{"an instant beyond the calendar"}};
}

[[nodiscard]] inline auto seconds_text(duration span) -> std::string {
    return plain_number(static_cast<double>(span.count()) / 1e6) + " s";
}

/// The executions that the rules judge.
[[nodiscard]] inline auto judged(const alarm_rules& rules, std::span<const run_report> reports, time_point now)
    -> std::vector<run_report> {
    std::vector<run_report> chosen;
    const run_report* latest = nullptr;
    for (const auto& each : reports) {
        if (now - each.started_at < rules.window) { chosen.push_back(each); }
        if (latest == nullptr || each.started_at > latest->started_at) { latest = &each; }
    }
    if (chosen.empty() && latest != nullptr) { chosen.push_back(*latest); }
    return chosen;
}

[[nodiscard]] inline auto judge_errors(const alarm_rules& rules, std::span<const run_report> runs, time_point now)
    -> alarm_verdict {
    using enum alarm_state;
    if (runs.empty()) { return {insufficient_data, "no execution to judge"}; }
    const auto sum = statistics_of(runs, {time_point::min(), time_point::max()}, now, rules.silence);
    if (sum.worked == 0 && sum.ended() == 0) { return {insufficient_data, "no group had its turn yet"}; }
    const auto line = [&](std::uint64_t some, std::uint64_t of, const std::string& what, bool more) {
        return std::to_string(some) + " of " + std::to_string(of) + what + (more ? ", more than " : ", no more than ") +
               percent(rules.error_rate);
    };
    if (sum.failure_rate() > rules.error_rate) {
        return {alarm, line(sum.failed + sum.silent, sum.ended(), " executions failed or fell silent", true)};
    }
    const bool more = sum.error_rate() > rules.error_rate;
    return {more ? alarm : ok, line(sum.failed_groups, sum.worked, " groups failed", more)};
}

[[nodiscard]] inline auto judge_durations(const alarm_rules& rules, std::span<const run_report> runs, time_point now)
    -> alarm_verdict {
    using enum alarm_state;
    const auto silent = [&](const run_report& run) { return fell_silent(run, now, rules.silence); };
    const auto share = [&](const run_report& run) {
        const auto took = silent(run) ? std::max(run.took(), run.limit) : run.took();
        return static_cast<double>(took.count()) / static_cast<double>(run.limit.count());
    };
    const run_report* longest = nullptr;
    for (const auto& each : runs) {
        if (each.limit <= duration::zero()) { continue; }
        if (longest == nullptr || share(each) > share(*longest)) { longest = &each; }
    }
    if (longest == nullptr) { return {insufficient_data, "no execution that has a limit"}; }
    const bool more = share(*longest) > rules.duration_share;
    auto line = "the execution of " + instant_text(longest->started_at);
    line += silent(*longest) ? " fell silent after " : " took ";
    line += seconds_text(longest->took());
    if (silent(*longest)) { line += " and counts as killed at its limit"; }
    line += more ? ", more than " : ", no more than ";
    return {more ? alarm : ok, line + percent(rules.duration_share) + " of its " + seconds_text(longest->limit)};
}

template <class Schedule>
[[nodiscard]] auto judge_absence(const alarm_rules& rules, const Schedule& schedule,
                                 std::span<const run_report> reports, time_point now) -> alarm_verdict {
    using enum alarm_state;
    const auto due = schedule.previous(now - rules.grace + duration{1});
    if (!due || *due < rules.since) { return {insufficient_data, "no execution should have begun yet"}; }
    const auto expected = "an execution was due at " + instant_text(*due);
    const auto missed = missed_runs(schedule, reports, {*due, *due + duration{1}}, rules.grace, now, rules.silence);
    if (missed.empty()) { return {ok, expected + ", and there was one"}; }
    if (missed.front().fate == missed_fate::not_finished) { return {ok, expected + ", and one began; none finished"}; }
    for (const auto& each : reports) { // the job ran; what it did was to make up for another round
        const auto late = each.started_at - *due;
        if (late < -clock_skew || late >= rules.grace) { continue; }
        return {ok, expected + ", and one began, for the round of " + instant_text(each.due)};
    }
    return {alarm, expected + ", and none began in " + seconds_text(rules.grace)};
}

} // namespace detail

/// The reports that `evaluate` wants: those of executions that began in this range, and `run_store::latest`. It starts
/// a second before the instant that is judged, by which the clock of another host may be behind.
template <class Schedule>
[[nodiscard]] auto reports_to_evaluate(const alarm_rules& rules, const Schedule& schedule, time_point now)
    -> time_range {
    const auto due = schedule.previous(now - rules.grace + duration{1});
    return {std::min(now - rules.window, due.value_or(now) - detail::clock_skew), now + duration{1}};
}

/// What the rules say of a job as of `now`; `reports` are its own, in any order.
///
/// - `error_rate`: of the executions in the window, the groups that failed among those that had their turn; or the
///   executions that failed as a whole, or fell silent, among those that ended; whichever is more than the rule allows.
/// - `duration_share`: the execution in the window that came nearest to its limit; one that fell silent counts as
///   killed at it, since nobody knows how long it went on after its last sign of life. None has a limit: insufficient
///   data.
/// - `no_execution`: the last instant of the schedule whose grace has passed was `never_ran`, by `missed_runs`, and no
///   execution of another round began in that time either: then the job runs, behind its schedule.
/// What is exactly as much as a rule names is still as it should be.
template <class Schedule>
[[nodiscard]] auto evaluate(const alarm_rules& rules, const Schedule& schedule, std::span<const run_report> reports,
                            time_point now) -> alarm_states {
    static_assert(recurring<Schedule>, "a schedule says when it fires: next, previous, between (freshet::recurring)");
    const auto runs = detail::judged(rules, reports, now);
    return {detail::judge_errors(rules, runs, now), detail::judge_durations(rules, runs, now),
            detail::judge_absence(rules, schedule, reports, now)};
}

} // namespace freshet
