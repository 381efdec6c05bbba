#pragma once

#include <bit>
#include <cstdint>

#include <freshet/job/schedule_calendar.hpp>

namespace freshet {

/// How a cron expression names days.
enum class day_rule : std::uint8_t {
    of_month,        ///< `1,15`, `*`
    last,            ///< `L`
    last_weekday,    ///< `LW`
    nearest_weekday, ///< `15W`
    of_week,         ///< `MON-FRI`, `L` (Saturday)
    last_of_week,    ///< `6L`
    nth_of_week,     ///< `1#1`
};

/// The days that a cron expression names in whatever month.
struct day_choice {
    day_rule rule{};
    std::uint8_t day{};  ///< `nearest_weekday`: 1 to 31; `last_of_week` and `nth_of_week`: 0 (Sunday) to 6
    std::uint8_t nth{};  ///< `nth_of_week`: 1 to 5
    std::uint32_t set{}; ///< `of_month`: bit 0 is day 1; `of_week`: bit 0 is Sunday

    friend constexpr auto operator==(const day_choice&, const day_choice&) -> bool = default;
};

namespace detail {

/// The day, from 0, of the weekday that is nearest to `day`, within the month: Saturday's is the Friday before and
/// Sunday's the Monday after, but for the first and the last day of the month.
[[nodiscard]] constexpr auto nearest_weekday(const calendar_month& month, std::uint32_t day) noexcept -> std::uint32_t {
    const auto weekday = (month.first_weekday() + day) % 7;
    if (weekday == 6) { return day == 0 ? 2 : day - 1; }
    if (weekday == 0) { return day + 1 == month.length ? day - 2 : day + 1; }
    return day;
}

/// The chosen days of that month; bit 0 is its first day.
[[nodiscard]] constexpr auto days_in(const day_choice& choice, const calendar_month& month) noexcept -> std::uint32_t {
    const auto bit = [](std::uint32_t day) { return std::uint32_t{1} << day; };
    const auto first = month.first_weekday();
    const auto last = month.length - 1;
    const auto first_of = [&] { return (choice.day + 7 - first) % 7; };
    switch (choice.rule) {
        case day_rule::of_month: return choice.set & (~std::uint32_t{} >> (32 - month.length));
        case day_rule::last: return bit(last);
        case day_rule::last_weekday: return bit(nearest_weekday(month, last));
        case day_rule::nearest_weekday:
            return choice.day > month.length ? 0 : bit(nearest_weekday(month, choice.day - 1U));
        case day_rule::of_week: {
            const auto week = (choice.set >> first | choice.set << (7 - first)) & 0x7fU;
            const auto weeks = std::uint64_t{week} * 0x1020'4081U;
            return static_cast<std::uint32_t>(weeks) & (~std::uint32_t{} >> (32 - month.length));
        }
        case day_rule::last_of_week: return bit(last - (last - first_of()) % 7);
        case day_rule::nth_of_week: {
            const auto day = first_of() + 7 * (choice.nth - 1U);
            return day > last ? 0 : bit(day);
        }
    }
    return 0;
}

} // namespace detail
} // namespace freshet
