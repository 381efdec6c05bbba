#include <freshet/job/schedule_literal.hpp>

#include <string_view>

#include <doctest/doctest.h>

TEST_SUITE("schedule_literal") {
    TEST_CASE("a literal is the schedule that its text says, and a constant") {
        using namespace freshet::literals;
        constexpr auto weekly = "cron(0 2 ? * SUN *)"_schedule;
        static_assert(weekly == freshet::schedule::parse("cron(0 2 ? * SUN *)").value());
        static_assert("rate(5 minutes)"_schedule.period() == std::chrono::minutes{5});
        static_assert("at(2024-02-29T02:00:00)"_schedule.kind() == freshet::schedule_kind::at);
    }

    TEST_CASE("a literal needs no using-directive inside freshet") {
        using freshet::operator""_schedule;
        CHECK("rate(1 day)"_schedule != "rate(2 days)"_schedule);
    }
}
