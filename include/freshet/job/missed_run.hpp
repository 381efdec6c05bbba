#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/backend/run_report.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>
#include <freshet/job/recurring.hpp>
#include <freshet/job/run_silence.hpp>

namespace freshet {

enum class missed_fate : std::uint8_t {
    never_ran,    ///< no execution began
    not_finished, ///< executions began; none was complete, and none is at it
};

/// The fate's word in logs; empty for a value that is none.
[[nodiscard]] constexpr auto name_of(missed_fate fate) noexcept -> std::string_view {
    switch (fate) {
        case missed_fate::never_ran: return "never_ran";
        case missed_fate::not_finished: return "not_finished";
    }
    return {};
}

/// An instant at which a job should have run and did not, or not to the end.
struct missed_run {
    time_point due{};
    missed_fate fate{};
    friend auto operator==(const missed_run&, const missed_run&) -> bool = default;
};

namespace detail {

/// What a job's reports say of its rounds.
class told_rounds {
public:
    template <class Schedule>
    told_rounds(const Schedule& schedule, std::span<const run_report> reports, time_point now, duration silence) {
        for (const auto& report : reports) {
            const bool at_it = report.state == run_state::running && !fell_silent(report, now, silence);
            auto& good = good_[report.due];
            good = good || at_it || report.state == run_state::complete;
            if (schedule.next(report.due - duration{1}) != report.due) {
                asked_for_.emplace_back(report.started_at, report.due);
            }
        }
        std::sort(asked_for_.begin(), asked_for_.end());
    }

    /// Nothing where the round is complete, or somebody is at it.
    [[nodiscard]] auto fate_of(time_point due, duration grace) const -> std::optional<missed_fate> {
        const auto own = good_.find(due);
        if (own != good_.end() && own->second) { return std::nullopt; }
        bool began = own != good_.end();
        auto at = std::lower_bound(asked_for_.begin(), asked_for_.end(), std::pair{due, time_point::min()});
        for (; at != asked_for_.end() && at->first - due < grace; ++at) {
            if (good_.at(at->second)) { return std::nullopt; }
            began = true;
        }
        return began ? missed_fate::not_finished : missed_fate::never_ran;
    }

private:
    std::map<time_point, bool> good_;                          // by the round's due
    std::vector<std::pair<time_point, time_point>> asked_for_; // began, and the due that is no instant of the schedule
};

} // namespace detail

/// The instants of the schedule in `watched` that the job missed, ascending, as of `now`.
///
/// An instant is judged from `grace` after it on; before that the job may still begin. It was met where a round of that
/// `due` is complete or being worked on, however late; or a round that somebody asked for, whose `due` is no instant of
/// the schedule, and of which an execution began less than `grace` after the instant. Executions that give no sign of
/// life for `silence` are dead. `reports` are of one job, and hold all that began since `watched` did, in any order.
///
/// However rarely the schedule fires: who keeps reports for as long as that can ask. CloudWatch cannot, beyond 7 days.
template <class Schedule>
[[nodiscard]] auto missed_runs(const Schedule& schedule, std::span<const run_report> reports, const time_range& watched,
                               duration grace, time_point now, duration silence = usual_silence)
    -> std::vector<missed_run> {
    static_assert(recurring<Schedule>, "a schedule says when it fires: next, previous, between (freshet::recurring)");
    const detail::told_rounds rounds{schedule, reports, now, silence};
    std::vector<missed_run> missed;
    for (const auto due : schedule.between(watched)) {
        if (due > now || now - due < grace) { break; }
        if (const auto fate = rounds.fate_of(due, grace)) { missed.push_back({due, *fate}); }
    }
    return missed;
}

} // namespace freshet
