#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include <date/tz.h>

#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>
#include <freshet/job/fire_times.hpp>
#include <freshet/job/recurring.hpp>
#include <freshet/job/schedule.hpp>
#include <freshet/job/schedule_text.hpp>

namespace freshet {

/// A schedule in the local time of a zone: the fields of a cron and the time of an at are what its clocks show.
///
/// A local time that the zone skips (in spring) does not fire; one that it has twice (in autumn) fires the first time
/// only. A rate counts elapsed time, and has no zone. Instants are UTC, as everywhere.
///
/// Included by name and linked with `freshet::zones`. Knows of a zone what `date` does; with the system's time zone
/// files those are the changes that a file lists, and after the last one the offset holds that it leaves: `date` does
/// not read the rule at the end of the file. Files as `zic -b fat` writes them list the changes until 2037; those of
/// `zic -b slim` end where the rule begins, New York's in 2007, and half of every year after is an hour off without a
/// word. `knows_a_change_after` tells. What `date` throws when it cannot read those files passes through.
/// Source: Amazon EventBridge Scheduler User Guide, "Daylight savings time on EventBridge Scheduler".
class zoned_schedule {
public:
    /// The zone outlives it, as those of `date::locate_zone` do.
    zoned_schedule(const schedule& local, const date::time_zone* zone) : local_{local}, zone_{zone} {}

    [[nodiscard]] auto local() const noexcept -> const schedule& { return local_; }
    [[nodiscard]] auto zone() const noexcept -> const date::time_zone* { return zone_; }

    /// Whether `date` knows of a change of the zone's clocks after `at`, before the year 2200.
    ///
    /// Where a zone has summers to come and the answer is no, their instants are wrong. Of a zone that changes no more
    /// (Tokyo) it is no as well: which it is the asker has to know.
    [[nodiscard]] auto knows_a_change_after(time_point at) const -> bool {
        const auto until = zone_->get_info(std::chrono::floor<std::chrono::seconds>(at)).end;
        return until < std::chrono::floor<std::chrono::seconds>(detail::end_of_schedules);
    }

    /// The first instant strictly after `after`; nothing where it fires no more.
    [[nodiscard]] auto next(time_point after) const -> std::optional<time_point> {
        if (local_.kind() == schedule_kind::rate) { return local_.next(after); }
        for (auto shown = local_.next(last_shown(after)); shown;) {
            const auto found = found_at(*shown);
            if (found.result != date::local_info::nonexistent) { return *shown - found.first.offset; }
            shown = local_.next(found.second.begin + found.second.offset - duration{1});
        }
        return std::nullopt;
    }

    /// The last instant strictly before `before`; nothing where it had not fired yet.
    [[nodiscard]] auto previous(time_point before) const -> std::optional<time_point> {
        if (local_.kind() == schedule_kind::rate) { return local_.previous(before); }
        for (auto shown = local_.previous(last_shown(before)); shown;) {
            const auto found = found_at(*shown);
            if (found.result != date::local_info::nonexistent) { return *shown - found.first.offset; }
            shown = local_.previous(found.first.end + found.first.offset);
        }
        return std::nullopt;
    }

    /// The instants in `[start, end)`, ascending, each found as it is asked for.
    [[nodiscard]] auto between(time_range range) const -> fire_times<zoned_schedule> { return {*this, range}; }

    friend auto operator==(const zoned_schedule&, const zoned_schedule&) -> bool = default;

private:
    // A local time is held as the instant at which UTC shows the same.
    [[nodiscard]] auto found_at(time_point shown) const -> date::local_info {
        return zone_->get_info(date::local_seconds{std::chrono::floor<std::chrono::seconds>(shown).time_since_epoch()});
    }

    /// The latest time that the zone's clocks show at `at`, or have shown before they were set back to what they show.
    [[nodiscard]] auto last_shown(time_point at) const -> time_point {
        constexpr duration margin = std::chrono::hours{48}; // no zone is so far from UTC
        at = std::clamp(at, detail::start_of_schedules - margin, detail::end_of_schedules + margin);
        const auto shown = at + zone_->get_info(std::chrono::floor<std::chrono::seconds>(at)).offset;
        const auto found = found_at(shown);
        if (found.result != date::local_info::ambiguous || at < found.first.end) { return shown; }
        return found.first.end + found.first.offset - duration{1};
    }

    schedule local_;
    const date::time_zone* zone_;
};
static_assert(recurring<zoned_schedule>);

} // namespace freshet
