#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <freshet/core/time.hpp>
#include <freshet/job/schedule.hpp>
#include <freshet/job/schedule_calendar.hpp>
#include <freshet/job/schedule_days.hpp>
#include <freshet/job/schedule_rule.hpp>

namespace freshet {

/// What a schedule does that its author probably did not mean.
struct schedule_warning {
    schedule_field field{};
    std::string_view what; ///< a sentence of static storage

    friend constexpr auto operator==(const schedule_warning&, const schedule_warning&) -> bool = default;
};

/// A few warnings, in the order of the fields.
class schedule_warnings {
public:
    constexpr void add(schedule_field field, std::string_view what) { warnings_[size_++] = {field, what}; }

    [[nodiscard]] constexpr auto begin() const noexcept { return warnings_.data(); }
    [[nodiscard]] constexpr auto end() const noexcept { return warnings_.data() + size_; }
    [[nodiscard]] constexpr auto size() const noexcept -> std::size_t { return size_; }
    [[nodiscard]] constexpr auto empty() const noexcept -> bool { return size_ == 0; }

private:
    std::array<schedule_warning, 8> warnings_{}; // `lint` has no more
    std::size_t size_{};
};

namespace detail {

[[nodiscard]] constexpr auto fires_in_leap_years_only(const cron_times& times) noexcept -> bool {
    for (auto year = times.years.first_from(0); year; year = times.years.first_from(*year + 1)) {
        if (!is_leap(first_year + static_cast<std::uint32_t>(*year))) { return false; }
    }
    return true;
}

/// Whether one of the months lacks a day that is named for itself: the 31st, and not the end of the 20th to the 31st.
[[nodiscard]] constexpr auto names_a_day_that_months_lack(const schedule& plan) noexcept -> bool {
    const auto& times = plan.times();
    const auto& days = times.days;
    if (days.rule != day_rule::nearest_weekday && days.rule != day_rule::of_month) { return false; }
    auto named = days.rule == day_rule::nearest_weekday ? std::uint32_t{1} << (days.day - 1) : plan.own_days();
    const std::uint32_t year = fires_in_leap_years_only(times) ? 1972 : 1970; // each stands for its like
    constexpr std::uint32_t of_every_month = (std::uint32_t{1} << 28) - 1;
    const auto latest = 31 - std::countl_zero(named & of_every_month);
    if (latest >= 0) { named &= named + (std::uint32_t{1} << latest); } // the carry ends what goes on from there
    for (auto months = times.months; months != 0; months &= months - 1) {
        const auto month = month_of(year, static_cast<std::uint32_t>(std::countr_zero(months)));
        if ((named & ~of_every_month & ~std::uint32_t{} << month.length) != 0) { return true; }
    }
    return false;
}

} // namespace detail

/// Warns of what is legal and probably not meant.
[[nodiscard]] constexpr auto lint(const schedule& plan) -> schedule_warnings {
    using enum schedule_field;
    schedule_warnings found;
    if (!plan.next(time_point::min())) {
        found.add(expression, plan.kind() == schedule_kind::rate ? "it never fires: it would start after the year 2199"
                                                                 : "it never fires: no such day comes in its years");
        return found;
    }
    if (plan.kind() != schedule_kind::cron) { return found; }
    const auto& times = plan.times();
    const auto uneven = [&](schedule_field field, std::string_view what) {
        if (plan.has_uneven_step(field)) { found.add(field, what); }
    };

    if (std::popcount(times.minutes) == 60 && std::popcount(times.hours) < 24) {
        found.add(minutes, "it fires in every minute of its hours; for once an hour the minute is 0");
    }
    uneven(minutes, "the step does not divide 60: it starts anew at every hour, after another pause");
    uneven(hours, "the step does not divide 24: it starts anew at every midnight, after another pause");
    uneven(day_of_month, "a step of days starts anew on the first of every month, after another pause");
    constexpr std::uint32_t first_months_of_quarters = 0b0010'0100'1001;
    if (times.days == day_choice{.rule = day_rule::of_month, .set = 1} && times.months == first_months_of_quarters) {
        found.add(day_of_month, "it is the first day of a quarter; its first Sunday is ? 1/3 1#1");
    }
    if (detail::names_a_day_that_months_lack(plan)) {
        found.add(day_of_month,
                  "not every one of its months has that day, and those without do not fire; the last day is L");
    }
    uneven(month, "the step does not divide 12: it starts anew in every January, after another pause");
    uneven(day_of_week, "a step of weekdays starts anew on every Sunday, after another pause");
    if (plan.has_last_for_saturday()) {
        found.add(day_of_week,
                  "L alone is every Saturday; the last Saturday of a month is 7L, and its last day L in day-of-month");
    }
    if (times.days.rule == day_rule::nth_of_week && times.days.nth == 5) {
        found.add(day_of_week, "not every month has a fifth one, and those without do not fire; the last one is dayL");
    }
    return found;
}

} // namespace freshet
