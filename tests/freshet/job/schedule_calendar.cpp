#include <freshet/job/schedule_calendar.hpp>

#include <chrono>
#include <cstdint>

#include <doctest/doctest.h>

TEST_SUITE("schedule_calendar") {
    TEST_CASE("every day of 1970 to 2199 has the date and the weekday that the standard library says") {
        using namespace std::chrono;
        CHECK(freshet::detail::days_of_schedules == (sys_days{2200y / 1 / 1}).time_since_epoch().count());
        std::uint32_t wrong = 0;
        for (std::uint32_t day = 0; day < freshet::detail::days_of_schedules; ++day) {
            const sys_days when{days{day}};
            const year_month_day date{when};
            const auto ours = freshet::detail::date_of(day);
            const auto month = freshet::detail::month_of(ours.year, ours.month);
            const year_month_day_last last{date.year(), month_day_last{date.month()}};
            const auto same = ours.year == static_cast<std::uint32_t>(static_cast<int>(date.year())) &&
                              ours.month + 1 == static_cast<unsigned>(date.month()) &&
                              ours.day + 1 == static_cast<unsigned>(date.day()) && month.first_day + ours.day == day &&
                              month.length == static_cast<unsigned>(last.day()) &&
                              (month.first_weekday() + ours.day) % 7 == weekday{when}.c_encoding();
            wrong += same ? 0 : 1;
        }
        CHECK(wrong == 0);
    }
}
