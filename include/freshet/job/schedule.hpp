#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include <freshet/core/parsed.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>
#include <freshet/job/cron_times.hpp>
#include <freshet/job/fire_times.hpp>
#include <freshet/job/recurring.hpp>
#include <freshet/job/schedule_rule.hpp>
#include <freshet/job/schedule_text.hpp>

namespace freshet {

/// When a job runs, as Amazon EventBridge writes it: `cron(0 2 ? * SUN *)`, `rate(5 minutes)`,
/// `at(2024-02-29T02:00:00)`.
///
/// A value, in UTC (`zoned_schedule` has local times), of the years 1970 to 2199. A cron fires on whole minutes, an at
/// once, and a rate every so often, counted from `starting_at`: EventBridge counts from the creation of the rule, which
/// the text does not tell. A default-constructed schedule fires never.
class schedule {
public:
    constexpr schedule() = default;

    /// Reads an expression as EventBridge does; a fault names the field and the rule that it breaks, as in
    /// `day-of-month: L-3 is not taken; L stands alone or as LW`. Names are in capitals, blanks where they must be.
    [[nodiscard]] static constexpr auto parse(std::string_view text) -> parsed<schedule> {
        const auto read = detail::read_schedule(text);
        if (read.flaw.rule != schedule_rule::none) { return schedule_fault(read.flaw); }
        return schedule{read};
    }

    /// The same schedule; a rate fires at `start` for the first time and counts from there. Without it, it counts from
    /// 1970-01-01T00:00Z. The others go by the calendar and stay as they are.
    [[nodiscard]] constexpr auto starting_at(time_point start) const noexcept -> schedule {
        auto moved = *this;
        if (kind_ != schedule_kind::rate) { return moved; }
        moved.first_ = start;
        if (start < detail::start_of_schedules) { // to its first instant after
            const auto past = std::uint64_t{0} - static_cast<std::uint64_t>(start.time_since_epoch().count());
            const auto over = duration{static_cast<std::int64_t>(past % static_cast<std::uint64_t>(period_.count()))};
            moved.first_ = detail::start_of_schedules + (over == duration::zero() ? over : period_ - over);
        }
        return moved;
    }

    [[nodiscard]] constexpr auto kind() const noexcept -> schedule_kind { return kind_; }
    /// What the fields of a cron select.
    [[nodiscard]] constexpr auto times() const noexcept -> const cron_times& { return times_; }
    /// Whether a step of that field of a cron starts anew before it has gone round, as `*/7` minutes do at every hour.
    [[nodiscard]] constexpr auto has_uneven_step(schedule_field field) const noexcept -> bool {
        return (uneven_steps_ >> static_cast<unsigned>(field) & 1U) != 0;
    }
    /// The days of the month that a cron's terms without such a step name, bit 0 is day 1: of `31,*/10` the 31st.
    [[nodiscard]] constexpr auto own_days() const noexcept -> std::uint32_t { return own_days_; }
    /// Whether the day-of-week of a cron is `L`, as another name for Saturday.
    [[nodiscard]] constexpr auto has_last_for_saturday() const noexcept -> bool { return last_for_saturday_; }
    /// From one instant of a rate to the next.
    [[nodiscard]] constexpr auto period() const noexcept -> duration { return period_; }

    /// The first instant strictly after `after`; nothing where it fires no more, within microseconds.
    [[nodiscard]] constexpr auto next(time_point after) const noexcept -> std::optional<time_point> {
        if (after >= detail::end_of_schedules) { return std::nullopt; }
        if (kind_ == schedule_kind::cron) {
            if (after < detail::start_of_schedules) { return of_minute(times_.first_from(0)); }
            return of_minute(times_.first_from(minute_of(after) + 1));
        }
        if (after < first_) { return within(first_); }
        if (kind_ == schedule_kind::at) { return std::nullopt; }
        return within(first_ + ((after - first_) / period_ + 1) * period_);
    }

    /// The last instant strictly before `before`; nothing where it had not fired yet.
    [[nodiscard]] constexpr auto previous(time_point before) const noexcept -> std::optional<time_point> {
        if (before <= detail::start_of_schedules) { return std::nullopt; }
        const auto until = std::min(before, detail::end_of_schedules) - duration{1};
        if (kind_ == schedule_kind::cron) { return of_minute(times_.last_until(minute_of(until))); }
        if (until < first_) { return std::nullopt; }
        if (kind_ == schedule_kind::at) { return first_; }
        return first_ + (until - first_) / period_ * period_;
    }

    /// The instants in `[start, end)`, ascending, each found as it is asked for.
    [[nodiscard]] constexpr auto between(time_range range) const noexcept -> fire_times<schedule> {
        return {*this, range};
    }

    /// Whether both say the same: two texts that fire alike may differ (`*/7` and the list of its minutes).
    friend constexpr auto operator==(const schedule&, const schedule&) -> bool = default;

private:
    constexpr explicit schedule(const detail::schedule_reading& read) noexcept
        : kind_{read.kind},
          uneven_steps_{read.uneven_steps},
          last_for_saturday_{read.last_for_saturday},
          own_days_{read.own_days},
          first_{read.once},
          period_{read.period},
          times_{read.times} {}

    [[nodiscard]] static constexpr auto minute_of(time_point at) noexcept -> std::uint32_t {
        return static_cast<std::uint32_t>(at.time_since_epoch() / std::chrono::minutes{1});
    }
    [[nodiscard]] static constexpr auto of_minute(std::optional<std::uint32_t> minute) noexcept
        -> std::optional<time_point> {
        if (!minute) { return std::nullopt; }
        return time_point{std::chrono::minutes{*minute}};
    }
    [[nodiscard]] static constexpr auto within(time_point at) noexcept -> std::optional<time_point> {
        if (at >= detail::end_of_schedules) { return std::nullopt; }
        return at;
    }

    schedule_kind kind_{};
    std::uint8_t uneven_steps_{};
    bool last_for_saturday_{};
    std::uint32_t own_days_{};
    time_point first_{}; ///< of a rate and an at
    duration period_{};  ///< of a rate
    cron_times times_{}; ///< of a cron
};
static_assert(recurring<schedule>);

} // namespace freshet
