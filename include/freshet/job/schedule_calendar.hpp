#pragma once

#include <array>
#include <cstdint>

namespace freshet::detail {

// Days are counted from 1970-01-01, months and days of the month from 0, weekdays from Sunday = 0.
inline constexpr std::uint32_t first_year = 1970;
inline constexpr std::uint32_t last_year = 2199;
inline constexpr std::uint32_t minutes_a_day = 24 * 60;

/// Days of a common year and of a leap year before each month, and before the next year.
inline constexpr std::array<std::array<std::uint16_t, 13>, 2> days_before_month{{
    {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365},
    {0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366},
}};

[[nodiscard]] constexpr auto is_leap(std::uint32_t year) noexcept -> bool {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/// The number of the year's first day; from 1970 on.
[[nodiscard]] constexpr auto days_before_year(std::uint32_t year) noexcept -> std::uint32_t {
    return (year - 1970) * 365 + (year - 1969) / 4 - (year - 1901) / 100 + (year - 1601) / 400;
}

inline constexpr std::uint32_t days_of_schedules = days_before_year(last_year + 1);

struct calendar_date {
    std::uint32_t year;
    std::uint32_t month;
    std::uint32_t day;
};

/// The date of a day before 2200.
[[nodiscard]] constexpr auto date_of(std::uint32_t day) noexcept -> calendar_date {
    // Too late by one year at most: 230 years have 55 leap days. Too early by one month at most: none has 32 days.
    auto year = 1970 + day / 365;
    if (days_before_year(year) > day) { --year; }
    const auto of_year = day - days_before_year(year);
    const auto& starts = days_before_month[is_leap(year) ? 1 : 0];
    auto month = of_year / 32;
    if (starts[month + 1] <= of_year) { ++month; }
    return {year, month, of_year - starts[month]};
}

struct calendar_month {
    std::uint32_t first_day;
    std::uint32_t length;

    [[nodiscard]] constexpr auto first_weekday() const noexcept -> std::uint32_t { return (first_day + 4) % 7; }
};

[[nodiscard]] constexpr auto month_of(std::uint32_t year, std::uint32_t month) noexcept -> calendar_month {
    const auto& starts = days_before_month[is_leap(year) ? 1 : 0];
    return {days_before_year(year) + starts[month], std::uint32_t{starts[month + 1]} - starts[month]};
}

} // namespace freshet::detail
