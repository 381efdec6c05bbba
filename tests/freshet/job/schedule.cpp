#include <freshet/job/schedule.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/parsed.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>

namespace {

using freshet::schedule;
using freshet::time_point;
using texts = std::vector<std::string>;
using namespace std::chrono_literals;

constexpr auto instant(std::string_view text) -> time_point { return freshet::parse_rfc3339(text).value(); }
constexpr auto plan(std::string_view text) -> schedule { return schedule::parse(text).value(); }

auto shown(std::optional<time_point> at) -> std::string {
    if (!at) { return "never"; }
    const auto text = freshet::format_rfc3339(*at, 0).value();
    return std::string{text.view().substr(0, text.view().ends_with(":00Z") ? 16 : 20)};
}

/// The first instants after a date, as texts of minutes.
auto fires(const schedule& when, std::string_view after, std::size_t count) -> texts {
    texts found;
    auto at = std::optional{instant(std::string{after} + "T00:00:00Z") - 1us};
    while (found.size() < count) {
        at = when.next(*at);
        found.push_back(shown(at));
        if (!at) { break; }
    }
    return found;
}
auto fires(std::string_view text, std::string_view after, std::size_t count) -> texts {
    return fires(plan(text), after, count);
}

/// The first days on which it fires at midnight, as `MM-DD`.
auto days(std::string_view fields, std::string_view after, std::size_t count) -> texts {
    auto found = fires("cron(0 0 " + std::string{fields} + ")", after, count);
    for (auto& each : found) { each = each == "never" ? each : each.substr(5, 5); }
    return found;
}

} // namespace

TEST_SUITE("schedule") {
    TEST_CASE("a schedule is read and asked while compiling") {
        static_assert(plan("cron(0 2 ? * SUN *)").next(instant("2024-01-07T02:00:00Z")) ==
                      instant("2024-01-14T02:00:00Z"));
        static_assert(plan("cron(0 2 ? * SUN *)").previous(instant("2024-01-07T02:00:00Z")) ==
                      instant("2023-12-31T02:00:00Z"));
        static_assert(plan("rate(5 minutes)").next(instant("2024-01-07T02:00:00Z")) == instant("2024-01-07T02:05:00Z"));
        static_assert(
            *plan("at(2024-02-29T12:30:00)").between({instant("2024-01-01T00:00:00Z"), time_point::max()}).begin() ==
            instant("2024-02-29T12:30:00Z"));
        static_assert(!schedule::parse("cron(0 2 * * * *)").ok());
        constexpr schedule none;
        constexpr time_point epoch;
        static_assert(noexcept(none.next(epoch)));
        static_assert(noexcept(none.previous(epoch)));
    }

    TEST_CASE("the weekly jobs run on Sunday and Wednesday at 2:00 UTC") {
        CHECK(fires("cron(0 2 ? * SUN *)", "2024-01-01", 2) == texts{"2024-01-07T02:00", "2024-01-14T02:00"});
        CHECK(fires("cron(0 2 ? * WED *)", "2024-01-01", 2) == texts{"2024-01-03T02:00", "2024-01-10T02:00"});
    }

    TEST_CASE("the first Sunday of a quarter is 1/3 1#1, and 1 */3 is its first day") {
        CHECK(fires("cron(0 2 ? 1/3 1#1 *)", "2024-01-01", 5) == texts{"2024-01-07T02:00", "2024-04-07T02:00",
                                                                       "2024-07-07T02:00", "2024-10-06T02:00",
                                                                       "2025-01-05T02:00"});
        CHECK(fires("cron(0 2 1 */3 ? *)", "2024-01-01", 5) == texts{"2024-01-01T02:00", "2024-04-01T02:00",
                                                                     "2024-07-01T02:00", "2024-10-01T02:00",
                                                                     "2025-01-01T02:00"});
    }

    TEST_CASE("weekdays are 1 to 7 from Sunday, or SUN to SAT") {
        const char* const names[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};
        for (int i = 0; i < 7; ++i) { // 2024-09-01 is a Sunday
            const texts expected{"09-0" + std::to_string(i + 1)};
            CHECK(days("? * " + std::to_string(i + 1) + " *", "2024-09-01", 1) == expected);
            CHECK(days("? * " + std::string{names[i]} + " *", "2024-09-01", 1) == expected);
        }
    }

    TEST_CASE("months are 1 to 12, or JAN to DEC") {
        const char* const names[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                     "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
        for (int i = 0; i < 12; ++i) {
            const texts expected{(i < 9 ? "0" : "") + std::to_string(i + 1) + "-01"};
            CHECK(days("1 " + std::to_string(i + 1) + " ? *", "2024-01-01", 1) == expected);
            CHECK(days("1 " + std::string{names[i]} + " ? *", "2024-01-01", 1) == expected);
        }
    }

    TEST_CASE("years are 1970 to 2199") {
        CHECK(fires("cron(0 0 1 1 ? 1970)", "1970-01-01", 2) == texts{"1970-01-01T00:00", "never"});
        CHECK(fires("cron(59 23 31 12 ? 2199)", "1970-01-01", 2) == texts{"2199-12-31T23:59", "never"});
        CHECK(plan("cron(* * * * ? *)").next(time_point::min()) == instant("1970-01-01T00:00:00Z"));
        CHECK(plan("cron(* * * * ? *)").previous(time_point::max()) == instant("2199-12-31T23:59:00Z"));
    }

    TEST_CASE("`,` lists values in every field") {
        CHECK(fires("cron(5,40 0 1 * ? *)", "2024-01-01", 2) == texts{"2024-01-01T00:05", "2024-01-01T00:40"});
        CHECK(fires("cron(0 9,17 1 * ? *)", "2024-01-01", 2) == texts{"2024-01-01T09:00", "2024-01-01T17:00"});
        CHECK(days("15,3 * ? *", "2024-01-01", 2) == texts{"01-03", "01-15"});
        CHECK(days("1 MAY,2 ? *", "2024-01-01", 2) == texts{"02-01", "05-01"});
        CHECK(days("? * SAT,2 *", "2024-09-01", 2) == texts{"09-02", "09-07"});
        CHECK(fires("cron(0 0 1 1 ? 2030,2027)", "2024-01-01", 3) ==
              texts{"2027-01-01T00:00", "2030-01-01T00:00", "never"});
    }

    TEST_CASE("`-` is a range in every field, both ends included") {
        CHECK(fires("cron(58-59 0 1 * ? *)", "2024-01-01", 3) ==
              texts{"2024-01-01T00:58", "2024-01-01T00:59", "2024-02-01T00:58"});
        CHECK(fires("cron(0 22-23 1 * ? *)", "2024-01-01", 3) ==
              texts{"2024-01-01T22:00", "2024-01-01T23:00", "2024-02-01T22:00"});
        CHECK(days("30-31 * ? *", "2024-01-01", 3) == texts{"01-30", "01-31", "03-30"});
        CHECK(days("1 NOV-12 ? *", "2024-01-01", 3) == texts{"11-01", "12-01", "11-01"});
        CHECK(days("? * MON-FRI *", "2024-09-01", 6) == texts{"09-02", "09-03", "09-04", "09-05", "09-06", "09-09"});
        CHECK(fires("cron(0 0 1 1 ? 2030-2031)", "2024-01-01", 3) ==
              texts{"2030-01-01T00:00", "2031-01-01T00:00", "never"});
        CHECK(days("7-7 * ? *", "2024-01-01", 2) == texts{"01-07", "02-07"});
    }

    TEST_CASE("`*` is every value in every field") {
        CHECK(fires("cron(* * * * ? *)", "2024-02-28", 2) == texts{"2024-02-28T00:00", "2024-02-28T00:01"});
        CHECK(fires("cron(59 * ? * * *)", "2024-02-28", 2) == texts{"2024-02-28T00:59", "2024-02-28T01:59"});
        CHECK(days("* * ? *", "2024-02-28", 3) == texts{"02-28", "02-29", "03-01"});
        CHECK(days("? * * *", "2023-02-28", 2) == texts{"02-28", "03-01"});
        CHECK(days("*,5 * ? *", "2024-01-01", 2) == texts{"01-01", "01-02"});
    }

    TEST_CASE("`/` is a step in every field, and a/n starts at a") {
        CHECK(fires("cron(10/25 0 1 * ? *)", "2024-01-01", 3) ==
              texts{"2024-01-01T00:10", "2024-01-01T00:35", "2024-02-01T00:10"});
        CHECK(fires("cron(0 1/20 1 * ? *)", "2024-01-01", 3) ==
              texts{"2024-01-01T01:00", "2024-01-01T21:00", "2024-02-01T01:00"});
        CHECK(days("10/15 2 ? *", "2024-01-01", 3) == texts{"02-10", "02-25", "02-10"});
        CHECK(days("1 FEB/5 ? *", "2024-01-01", 4) == texts{"02-01", "07-01", "12-01", "02-01"});
        CHECK(days("? * MON/3 *", "2024-09-01", 3) == texts{"09-02", "09-05", "09-09"});
        CHECK(fires("cron(0 0 1 1 ? 2190/5)", "2024-01-01", 3) ==
              texts{"2190-01-01T00:00", "2195-01-01T00:00", "never"});
        CHECK(plan("cron(0/5 * * * ? *)").next(instant("2024-01-01T00:59:59Z")) == instant("2024-01-01T01:00:00Z"));
    }

    TEST_CASE("*/n starts at the field's least value, and a-b/n ends at b") {
        CHECK(days("*/10 1 ? *", "2024-01-01", 5) == texts{"01-01", "01-11", "01-21", "01-31", "01-01"});
        CHECK(days("1 */5 ? *", "2024-01-01", 4) == texts{"01-01", "06-01", "11-01", "01-01"});
        CHECK(fires("cron(0 8-14/3 1 * ? *)", "2024-01-01", 4) ==
              texts{"2024-01-01T08:00", "2024-01-01T11:00", "2024-01-01T14:00", "2024-02-01T08:00"});
        CHECK(fires("cron(0 0 1 1 ? */200)", "1970-01-01", 3) ==
              texts{"1970-01-01T00:00", "2170-01-01T00:00", "never"});
    }

    TEST_CASE(
        "ranges may wrap: hours 20-2, FRI-MON, NOV-FEB, days 30-2, minutes 58-1; with a step they go on counting") {
        CHECK(fires("cron(0 20-2 1 1 ? 2024)", "2024-01-01", 8) ==
              texts{"2024-01-01T00:00", "2024-01-01T01:00", "2024-01-01T02:00", "2024-01-01T20:00", "2024-01-01T21:00",
                    "2024-01-01T22:00", "2024-01-01T23:00", "never"});
        CHECK(days("? * FRI-MON *", "2024-09-01", 5) == texts{"09-01", "09-02", "09-06", "09-07", "09-08"});
        CHECK(days("1 NOV-FEB ? *", "2024-01-01", 5) == texts{"01-01", "02-01", "11-01", "12-01", "01-01"});
        CHECK(days("30-2 * ? *", "2024-01-01", 5) == texts{"01-01", "01-02", "01-30", "01-31", "02-01"});
        CHECK(fires("cron(58-1 0 1 1 ? 2024)", "2024-01-01", 5) ==
              texts{"2024-01-01T00:00", "2024-01-01T00:01", "2024-01-01T00:58", "2024-01-01T00:59", "never"});
        CHECK(fires("cron(0 20-2/3 1 1 ? 2024)", "2024-01-01", 4) ==
              texts{"2024-01-01T02:00", "2024-01-01T20:00", "2024-01-01T23:00", "never"});
    }

    TEST_CASE("the smallest step is one minute, and next is strictly after") {
        const auto every = plan("cron(*/1 * * * ? *)");
        CHECK(every == plan("cron(* * * * ? *)"));
        CHECK(every.next(instant("2024-01-01T00:00:00Z")) == instant("2024-01-01T00:01:00Z"));
        CHECK(every.next(instant("2024-01-01T00:00:00Z") - 1us) == instant("2024-01-01T00:00:00Z"));
        CHECK(every.next(instant("2024-01-01T00:00:59.999999Z")) == instant("2024-01-01T00:01:00Z"));
    }

    TEST_CASE("previous is strictly before") {
        const auto every = plan("cron(* * * * ? *)");
        CHECK(every.previous(instant("2024-01-01T00:00:00Z")) == instant("2023-12-31T23:59:00Z"));
        CHECK(every.previous(instant("2024-01-01T00:00:00Z") + 1us) == instant("2024-01-01T00:00:00Z"));
        CHECK(every.previous(instant("1970-01-01T00:00:00Z") + 1us) == instant("1970-01-01T00:00:00Z"));
        CHECK(every.previous(instant("1970-01-01T00:00:00Z")) == std::nullopt);
        CHECK(plan("cron(0 2 ? 1/3 1#1 *)").previous(instant("2024-01-07T02:00:00Z")) ==
              instant("2023-10-01T02:00:00Z"));
        CHECK(plan("cron(15,45 8,9 29 2 ? *)").previous(instant("2024-02-29T09:30:00Z")) ==
              instant("2024-02-29T09:15:00Z"));
        CHECK(plan("cron(15,45 8,9 29 2 ? *)").previous(instant("2024-02-29T09:15:00Z")) ==
              instant("2024-02-29T08:45:00Z"));
        CHECK(plan("cron(15,45 8,9 29 2 ? *)").previous(instant("2024-02-29T08:15:00Z")) ==
              instant("2020-02-29T09:45:00Z"));
    }

    TEST_CASE("L in day-of-month is the month's last day") {
        CHECK(days("L * ? *", "2023-01-01", 4) == texts{"01-31", "02-28", "03-31", "04-30"});
        CHECK(days("L 2 ? *", "2024-01-01", 1) == texts{"02-29"});
    }

    TEST_CASE("LW is the month's last weekday") { // 2024-03-31 is a Sunday, 2024-08-31 a Saturday, 2024-09-30 a Monday
        CHECK(days("LW 3,8,9 ? *", "2024-01-01", 3) == texts{"03-29", "08-30", "09-30"});
    }

    TEST_CASE("15W is the weekday nearest to the 15th: of Saturday Friday, of Sunday Monday") {
        // In 2024 the 15th is a Thursday in February, a Saturday in June and a Sunday in September.
        CHECK(days("15W 2,6,9 ? *", "2024-01-01", 3) == texts{"02-15", "06-14", "09-16"});
    }

    TEST_CASE(
        "W never leaves the month") { // 2024-06-01 is a Saturday, 2024-09-01 and 2024-03-31 and 2024-06-30 Sundays
        CHECK(days("1W 6,9 ? *", "2024-01-01", 2) == texts{"06-03", "09-02"});
        CHECK(days("31W 3 ? *", "2024-01-01", 1) == texts{"03-29"});
        CHECK(days("30W 6 ? *", "2024-01-01", 1) == texts{"06-28"});
        CHECK(days("29W 2 ? 2032", "2024-01-01", 2) == texts{"02-27", "never"}); // a Sunday
    }

    TEST_CASE("31W does not fire in a month of 30 days") {
        CHECK(days("31W 4-7 ? *", "2024-01-01", 3) == texts{"05-31", "07-31", "05-30"});
        CHECK(days("31W 4,6,9,11 ? *", "1970-01-01", 1) == texts{"never"});
        CHECK(days("29W 2 ? 2023,2025", "1970-01-01", 1) == texts{"never"});
    }

    TEST_CASE("L alone in day-of-week is Saturday, every one") {
        CHECK(days("? * L *", "2024-09-01", 3) == texts{"09-07", "09-14", "09-21"});
    }

    TEST_CASE("6L is the last Friday of the month, by name FRIL") {
        CHECK(days("? * 6L *", "2024-02-01", 3) == texts{"02-23", "03-29", "04-26"});
        CHECK(days("? * FRIL *", "2024-02-01", 3) == texts{"02-23", "03-29", "04-26"});
        CHECK(days("? 6 1L *", "2024-01-01", 1) == texts{"06-30"});
    }

    TEST_CASE("3#2 is the second Tuesday of the month, by name TUE#2") {
        CHECK(days("? * 3#2 *", "2024-09-01", 2) == texts{"09-10", "10-08"});
        CHECK(days("? * TUE#2 *", "2024-09-01", 2) == texts{"09-10", "10-08"});
        CHECK(days("? * 1#1 *", "2024-09-01", 2) == texts{"09-01", "10-06"});
    }

    TEST_CASE("a fifth weekday that a month lacks does not fire") {
        CHECK(days("? * 1#5 *", "2024-01-01", 4) == texts{"03-31", "06-30", "09-29", "12-29"});
        CHECK(days("? 2 5#5 *", "2025-01-01", 1) == texts{"02-29"}); // Thursday 29 February 2052
        CHECK(fires("cron(0 0 ? 2 5#5 *)", "2025-01-01", 1) == texts{"2052-02-29T00:00"});
    }

    TEST_CASE("leading zeros do not matter") {
        CHECK(plan("cron(00 02 ? * 01 *)") == plan("cron(0 2 ? * 1 *)"));
        CHECK(plan("rate(05 minutes)") == plan("rate(5 minutes)"));
    }

    TEST_CASE("days that never come fire never, backwards too") {
        for (const std::string_view text :
             {"cron(0 0 30 2 ? *)", "cron(0 0 31 2,4,6,9,11 ? *)", "cron(0 0 30W 2 ? *)", "cron(0 0 29 2 ? 2023)",
              "cron(0 0 29 2 ? 2100)", "cron(0 0 ? 2 1#5 2023)"}) {
            CAPTURE(text);
            for (const auto at : {time_point::min(), instant("2024-01-01T00:00:00Z"), time_point::max()}) {
                CHECK(plan(text).next(at) == std::nullopt);
                CHECK(plan(text).previous(at) == std::nullopt);
            }
        }
    }

    TEST_CASE("years that are over fire no more, and years to come have not fired yet") {
        CHECK(plan("cron(0 0 1 1 ? 2020-2023)").next(instant("2023-01-01T00:00:00Z")) == std::nullopt);
        CHECK(plan("cron(0 0 1 1 ? 2020-2023)").previous(time_point::max()) == instant("2023-01-01T00:00:00Z"));
        CHECK(plan("cron(0 0 1 1 ? 2030)").previous(instant("2024-01-01T00:00:00Z")) == std::nullopt);
    }

    TEST_CASE("nothing fires after 2199, and nothing overflows at the ends of time") {
        for (const std::string_view text : {"cron(* * * * ? *)", "cron(59 23 31 12 ? *)", "rate(1 minute)",
                                            "rate(7 days)", "at(2199-12-31T23:59:59)"}) {
            CAPTURE(text);
            const auto when = plan(text);
            const auto last = when.previous(time_point::max());
            REQUIRE(last);
            CHECK(*last < instant("2200-01-01T00:00:00Z"));
            CHECK(when.next(*last) == std::nullopt);
            CHECK(when.next(*last - 1us) == last);
            CHECK(when.next(instant("2200-01-01T00:00:00Z")) == std::nullopt);
            CHECK(when.next(time_point::max()) == std::nullopt);
            CHECK(when.previous(instant("2200-01-01T00:00:00Z")) == last);
            CHECK(when.next(time_point::min()) >= instant("1970-01-01T00:00:00Z"));
            CHECK(when.previous(time_point::min()) == std::nullopt);
        }
    }

    TEST_CASE("a rate counts minutes, hours and days; from 1970 where nobody says from when") {
        CHECK(fires("rate(1 minute)", "2024-01-01", 2) == texts{"2024-01-01T00:00", "2024-01-01T00:01"});
        CHECK(fires("rate(90 minutes)", "1970-01-01", 3) ==
              texts{"1970-01-01T00:00", "1970-01-01T01:30", "1970-01-01T03:00"});
        CHECK(fires("rate(1 hour)", "2024-01-01", 2) == texts{"2024-01-01T00:00", "2024-01-01T01:00"});
        CHECK(fires("rate(12 hours)", "2024-01-01", 2) == texts{"2024-01-01T00:00", "2024-01-01T12:00"});
        CHECK(fires("rate(1 day)", "2024-02-28", 2) == texts{"2024-02-28T00:00", "2024-02-29T00:00"});
        CHECK(fires("rate(7 days)", "2024-01-01", 2) == texts{"2024-01-04T00:00", "2024-01-11T00:00"});
        CHECK(plan("rate(1 minute)").period() == 1min);
    }

    TEST_CASE("a rate fires where it starts, and not before") {
        const auto start = instant("2024-01-01T09:00:30Z");
        const auto when = plan("rate(5 minutes)").starting_at(start);
        CHECK(when.next(time_point::min()) == start);
        CHECK(when.next(start - 1us) == start);
        CHECK(when.next(start) == start + 5min);
        CHECK(when.next(start + 5min - 1us) == start + 5min);
        CHECK(when.previous(start) == std::nullopt);
        CHECK(when.previous(start + 1us) == start);
        CHECK(when.previous(start + 5min) == start);
        CHECK(when.previous(start + 5min + 1us) == start + 5min);
    }

    TEST_CASE("a rate that starts before 1970 or after 2199 keeps its step and the years of schedules") {
        const auto early = plan("rate(7 days)").starting_at(instant("1969-12-30T00:00:00Z"));
        CHECK(early.next(time_point::min()) == instant("1970-01-06T00:00:00Z"));
        const auto whole = plan("rate(1 day)").starting_at(instant("1969-12-30T00:00:00Z"));
        CHECK(whole.next(time_point::min()) == instant("1970-01-01T00:00:00Z"));
        const auto first = plan("rate(1 minute)").starting_at(time_point::min()).next(time_point::min());
        REQUIRE(first);
        CHECK(*first >= time_point{});
        CHECK(*first < time_point{1min});
        for (const auto late : {instant("2200-01-01T00:00:00Z"), time_point::max()}) {
            CHECK(plan("rate(1 minute)").starting_at(late).next(time_point::min()) == std::nullopt);
            CHECK(plan("rate(1 minute)").starting_at(late).previous(time_point::max()) == std::nullopt);
        }
    }

    TEST_CASE("a rate longer than the years of schedules fires once") {
        for (const auto* text : {"rate(100000000 days)", "rate(99999999999999999999999999999999 minutes)"}) {
            const auto when = plan(text).starting_at(instant("2024-01-01T00:00:00Z"));
            CHECK(when.next(time_point::min()) == instant("2024-01-01T00:00:00Z"));
            CHECK(when.next(instant("2024-01-01T00:00:00Z")) == std::nullopt);
            CHECK(when.previous(time_point::max()) == instant("2024-01-01T00:00:00Z"));
        }
    }

    TEST_CASE("a cron and an at stay as they are wherever they start") {
        CHECK(plan("cron(0 2 ? * SUN *)").starting_at(time_point{1min}) == plan("cron(0 2 ? * SUN *)"));
        CHECK(plan("at(2024-01-01T00:00:00)").starting_at(time_point{1min}) == plan("at(2024-01-01T00:00:00)"));
    }

    TEST_CASE("an at fires once, at its second") {
        const auto once = plan("at(2024-02-29T23:59:59)");
        const auto when = instant("2024-02-29T23:59:59Z");
        CHECK(once.kind() == freshet::schedule_kind::at);
        CHECK(once.next(time_point::min()) == when);
        CHECK(once.next(when - 1us) == when);
        CHECK(once.next(when) == std::nullopt);
        CHECK(once.previous(when) == std::nullopt);
        CHECK(once.previous(when + 1us) == when);
        CHECK(plan("at(1970-01-01T00:00:00)").next(time_point::min()) == time_point{});
    }

    TEST_CASE("between holds what fires from the start on and before the end") {
        const auto sundays = plan("cron(0 2 ? * SUN *)");
        const auto first = instant("2024-01-07T02:00:00Z");
        std::vector<time_point> found;
        for (const auto at : sundays.between({first, first + 21 * 24h})) { found.push_back(at); }
        CHECK(found == std::vector{first, first + 7 * 24h, first + 14 * 24h});
        CHECK(sundays.between({first, first}).empty());
        CHECK(sundays.between({first + 1us, first}).empty());
        CHECK(sundays.between({first + 1us, first + 7 * 24h}).empty());
        CHECK(*sundays.between({first, first + 1us}).begin() == first);
        CHECK(*sundays.between({time_point::min(), time_point::max()}).begin() == instant("1970-01-04T02:00:00Z"));
    }

    TEST_CASE("a schedule that is made of nothing fires never") {
        CHECK(schedule{}.next(time_point::min()) == std::nullopt);
        CHECK(schedule{}.previous(time_point::max()) == std::nullopt);
        CHECK(schedule{}.between({time_point::min(), time_point::max()}).empty());
    }
}
