#include <freshet/job/schedule_lint.hpp>

#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/rfc3339.hpp>
#include <freshet/job/schedule.hpp>

namespace {

using enum freshet::schedule_field;
using fields = std::vector<freshet::schedule_field>;

/// The fields that are warned of.
auto warned(std::string_view text) -> fields {
    fields found;
    for (const auto& each : lint(freshet::schedule::parse(text).value())) { found.push_back(each.field); }
    return found;
}

constexpr auto only_warning(std::string_view text) -> std::string_view {
    const auto found = lint(freshet::schedule::parse(text).value());
    return found.size() == 1 ? found.begin()->what : std::string_view{};
}

} // namespace

TEST_SUITE("schedule_lint") {
    TEST_CASE("the first day of a quarter is told from its first Sunday") {
        static_assert(only_warning("cron(0 2 1 */3 ? *)") ==
                      "it is the first day of a quarter; its first Sunday is ? 1/3 1#1");
        CHECK(warned("cron(0 2 1 1,4,7,10 ? *)") == fields{day_of_month});
        CHECK(warned("cron(0 2 ? 1/3 1#1 *)").empty());
        CHECK(warned("cron(0 2 2 */3 ? *)").empty());
        CHECK(warned("cron(0 2 1 * ? *)").empty());
    }

    TEST_CASE("days that short months lack are warned of, unless the months have them or they end a range") {
        for (const auto* text :
             {"cron(0 2 31 * ? *)", "cron(0 2 30 * ? *)", "cron(0 2 29 * ? *)", "cron(0 2 31W * ? *)",
              "cron(0 2 15,31 4 ? *)", "cron(0 2 29 2 ? *)", "cron(0 2 30-31 * ? *)"}) {
            CAPTURE(text);
            CHECK(warned(text) == fields{day_of_month});
        }
        for (const auto* text :
             {"cron(0 2 31 1,3,12 ? *)", "cron(0 2 30 4 ? *)", "cron(0 2 28 * ? *)", "cron(0 2 L * ? *)",
              "cron(0 2 20-31 * ? *)", "cron(0 2 28-31 * ? *)", "cron(0 2 * * ? *)", "cron(0 2 30W 4 ? *)",
              "cron(0 2 28W * ? *)", "cron(0 2 LW * ? *)"}) {
            CAPTURE(text);
            CHECK(warned(text).empty());
        }
    }

    TEST_CASE("the 29th of February is a day of every year that is selected where those are leap years") {
        for (const auto* text : {"cron(0 2 29 2 ? 2024)", "cron(0 2 29 * ? 2024)", "cron(0 2 29W 2 ? 2024,2028)",
                                 "cron(0 2 29 2 ? 2024-2096/4)", "cron(0 2 29 2 ? 2000)"}) {
            CAPTURE(text);
            CHECK(warned(text).empty());
        }
        for (const auto* text : {"cron(0 2 29 2 ? 2024,2025)", "cron(0 2 29 * ? 2023)", "cron(0 2 30 * ? 2024)",
                                 "cron(0 2 29 2 ? 2024/4)"}) { // 2100 is none
            CAPTURE(text);
            CHECK(warned(text) == fields{day_of_month});
        }
    }

    TEST_CASE("a step of days is warned of, and apart from it a day that is named beside it") {
        for (const auto* text : {"cron(0 2 31,*/10 * ? *)", "cron(0 2 */10,31 * ? *)", "cron(0 2 29-31,*/7 2 ? *)"}) {
            CAPTURE(text);
            CHECK(warned(text) == fields{day_of_month, day_of_month});
        }
        static_assert(only_warning("cron(0 2 31/31 * ? *)") ==
                      "not every one of its months has that day, and those without do not fire; the last day is L");
        static_assert(only_warning("cron(0 2 */10 * ? *)") ==
                      "a step of days starts anew on the first of every month, after another pause");
        CHECK(warned("cron(0 2 15,*/10 * ? *)") == fields{day_of_month});
    }

    TEST_CASE("a date that never comes is warned of, and nothing else then") {
        static_assert(only_warning("cron(* 2 30 2 ? *)") == "it never fires: no such day comes in its years");
        CHECK(warned("cron(0 2 31 2,4,6,9,11 ? *)") == fields{expression});
        CHECK(warned("cron(0 2 29 2 ? 2023)") == fields{expression});
        static_assert(only_warning("cron(0 0 1 1 ? 2199)").empty());
    }

    TEST_CASE("a rate that starts after the last year of schedules is said to, since it names no day") {
        constexpr auto daily = freshet::schedule::parse("rate(1 day)").value();
        constexpr auto late = lint(daily.starting_at(*freshet::parse_rfc3339("2200-01-01T00:00:00Z")));
        static_assert(late.size() == 1 && late.begin()->field == expression &&
                      late.begin()->what == "it never fires: it would start after the year 2199");
        CHECK(lint(daily.starting_at(*freshet::parse_rfc3339("2199-12-31T23:59:59Z"))).empty());
    }

    TEST_CASE("steps that do not divide evenly are warned of") {
        CHECK(warned("cron(*/7 * * * ? *)") == fields{minutes});
        CHECK(warned("cron(3/7 * * * ? *)") == fields{minutes});
        CHECK(warned("cron(0 */5 * * ? *)") == fields{hours});
        CHECK(warned("cron(0 0 */2 * ? *)") == fields{day_of_month});
        CHECK(warned("cron(0 0 1 */5 ? *)") == fields{month});
        CHECK(warned("cron(0 0 ? * */2 *)") == fields{day_of_week});
        for (const auto* text :
             {"cron(*/15 * * * ? *)", "cron(0 */8 * * ? *)", "cron(0 0 2 */4 ? *)", "cron(0 0 ? * */1 *)",
              "cron(0 0 ? * MON,WED,FRI *)", "cron(0,7,14 * * * ? *)", "cron(0 8-18/3 * * ? *)",
              "cron(30/20 * * * ? *)", "cron(0 0 2 1 ? 2024/3)", "rate(7 minutes)", "cron(30/31 * * * ? *)",
              "cron(0 20/23 * * ? *)", "cron(0 0 15/17 * ? *)", "cron(0 0 2 6/7 ? *)", "cron(0 0 ? * 4/5 *)"}) {
            CAPTURE(text);
            CHECK(warned(text).empty());
        }
        CHECK(warned("cron(28/31 * * * ? *)") == fields{minutes}); // 28 and 59
        CHECK(warned("cron(0 0/23 * * ? *)") == fields{hours});    // 0 and 23
    }

    TEST_CASE("the pause at which a step starts anew may be a longer one, and is not said to be shorter") {
        static_assert(only_warning("cron(6/7 * * * ? *)") == // 6, 13, ..., 55, and 11 minutes later 6
                      "the step does not divide 60: it starts anew at every hour, after another pause");
        static_assert(only_warning("cron(0 4/5 * * ? *)") == // 4, 9, 14, 19, and 9 hours later 4
                      "the step does not divide 24: it starts anew at every midnight, after another pause");
        static_assert(only_warning("cron(0 0 1 5/7 ? *)") == // May and December
                      "the step does not divide 12: it starts anew in every January, after another pause");
    }

    TEST_CASE("every minute of some hours is warned of, and of all hours not") {
        CHECK(warned("cron(* 2 * * ? *)") == fields{minutes});
        CHECK(warned("cron(* * * * ? *)").empty());
    }

    TEST_CASE("a fifth weekday and L for Saturday are warned of") {
        CHECK(warned("cron(0 2 ? * 2#5 *)") == fields{day_of_week});
        CHECK(warned("cron(0 2 ? * L *)") == fields{day_of_week});
        CHECK(warned("cron(0 2 ? * 7 *)").empty());
        CHECK(warned("cron(0 2 ? * 7L *)").empty());
        CHECK(warned("cron(0 2 ? * 2#4 *)").empty());
    }

    TEST_CASE("warnings come in the order of the fields, and there is room for all of them") {
        CHECK(warned("cron(*,*/7 1/5 1/31 1/3 ? *)") == fields{minutes, minutes, hours, day_of_month});
        CHECK(warned("cron(*,*/7 1/5 31,*/10 */5 ? *)") ==
              fields{minutes, minutes, hours, day_of_month, day_of_month, month});
        CHECK(warned("cron(*/7 */5 */2 */5 ? *)") == fields{minutes, hours, day_of_month, month});
    }
}
