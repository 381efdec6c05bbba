#include <freshet/job/schedule_text.hpp>

#include <cstddef>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <freshet/core/time.hpp>
#include <freshet/job/schedule.hpp>
#include <support/cases.hpp>

namespace {

using freshet::schedule;

constexpr auto accepts(std::string_view text) -> bool { return schedule::parse(text).ok(); }

/// `offset reason` of a refused text.
auto refusal(std::string_view text) -> std::string {
    const auto read = schedule::parse(text);
    return read ? "accepted" : std::to_string(read.fault().offset) + " " + std::string{read.fault().reason};
}

/// The same for one field of a cron; the offset is that within the field.
auto refusal(freshet::schedule_field field, std::string_view text) -> std::string {
    std::string_view fields[] = {"0", "0", "1", "*", "?", "*"};
    if (field == freshet::schedule_field::day_of_week) { fields[2] = "?"; }
    std::string whole = "cron(";
    std::size_t start = 0;
    for (std::size_t i = 0; i < 6; ++i) {
        whole += i == 0 ? "" : " ";
        if (i == static_cast<std::size_t>(field)) { start = whole.size(); }
        whole += i == static_cast<std::size_t>(field) ? text : fields[i];
    }
    const auto read = schedule::parse(whole + ")");
    if (read) { return "accepted"; }
    return std::to_string(read.fault().offset - start) + " " + std::string{read.fault().reason};
}

} // namespace

TEST_SUITE("schedule_text") {
    using enum freshet::schedule_field;

    TEST_CASE("a fault names the field, the rule and its byte in the whole text") {
        constexpr auto read = schedule::parse("cron(0 2 L-3 * ? *)");
        static_assert(!read.ok());
        static_assert(read.fault() ==
                      freshet::parse_fault{9, "day-of-month: L-3 is not taken; L stands alone or as LW"});
    }

    TEST_CASE("an expression is cron, rate or at, in small letters, and nothing else") {
        for (const auto* text : {"", "cron", "CRON(0 0 1 1 ? *)", " cron(0 0 1 1 ? *)", "0 0 1 1 ? *", "every(1 day)",
                                 "rate (1 day)", "cron[0 0 1 1 ? *]"}) {
            CHECK(refusal(text) == "0 expression: it is cron(...), rate(...) or at(...)");
        }
    }

    TEST_CASE("an expression ends with its parenthesis") {
        CHECK(refusal("cron(0 0 1 1 ? *") == "16 expression: its closing parenthesis is missing");
        CHECK(refusal("rate(1 day") == "10 expression: its closing parenthesis is missing");
        CHECK(refusal("cron(0 0 1 1 ? *) ") == "17 expression: nothing follows its closing parenthesis");
        CHECK(refusal("cron(0 0 1 1 ? *))") == "17 expression: nothing follows its closing parenthesis");
        CHECK(refusal(std::string_view{"rate(1 day)\0", 12}) ==
              "11 expression: nothing follows its closing parenthesis");
    }

    TEST_CASE("an expression has up to 256 bytes") {
        std::string minutes = "0";
        while (minutes.size() < 239) { minutes += ",0"; }
        const auto longest = "cron(" + minutes + "0 0 1 1 ? *)";
        REQUIRE(longest.size() == 256);
        CHECK(accepts(longest));
        CHECK(refusal("cron(0" + minutes + "0 0 1 1 ? *)") == "256 expression: it has at most 256 bytes");
    }

    TEST_CASE("cron has six fields: five, seven (there are no seconds) and none are refused") {
        CHECK(refusal("cron(0 2 ? * SUN)") ==
              "16 year: cron has six fields: minutes hours day-of-month month day-of-week year");
        CHECK(refusal("cron(0 0 2 ? * SUN *)") == "11 month: ? stands in a day field only");
        CHECK(refusal("cron(0 2 ? * SUN * *)") ==
              "18 expression: cron has six fields: minutes hours day-of-month month day-of-week year");
        CHECK(refusal("cron(0 2 ? * SUN * )") ==
              "18 expression: cron has six fields: minutes hours day-of-month month day-of-week year");
        CHECK(refusal("cron()") == "5 minutes: cron has six fields: minutes hours day-of-month month day-of-week year");
        CHECK(refusal("cron(0)") == "6 hours: cron has six fields: minutes hours day-of-month month day-of-week year");
    }

    TEST_CASE("one blank stands between fields") {
        CHECK(refusal("cron(0  2 ? * SUN *)") == "7 hours: one blank stands between two fields, and no other");
        CHECK(refusal("cron( 0 2 ? * SUN *)") == "5 minutes: one blank stands between two fields, and no other");
        CHECK(refusal("cron(0\t2 ? * SUN *)").starts_with("6 minutes: a term is"));
    }

    TEST_CASE("a value lies in its field's range") {
        CHECK(accepts("cron(59 23 31 12 ? 2199)"));
        CHECK(accepts("cron(0 0 1 1 ? 1970)"));
        CHECK(accepts("cron(0 0 ? 1 7 *)"));
        CHECK(refusal(minutes, "60") == "0 minutes: a value is 0 to 59");
        CHECK(refusal(hours, "24") == "0 hours: a value is 0 to 23");
        CHECK(refusal(day_of_month, "0") == "0 day-of-month: a value is 1 to 31");
        CHECK(refusal(day_of_month, "32") == "0 day-of-month: a value is 1 to 31");
        CHECK(refusal(day_of_month, "32W") == "0 day-of-month: a value is 1 to 31");
        CHECK(refusal(day_of_month, "0W") == "0 day-of-month: a value is 1 to 31");
        CHECK(refusal(month, "0") == "0 month: a value is 1 to 12 or JAN to DEC");
        CHECK(refusal(month, "13") == "0 month: a value is 1 to 12 or JAN to DEC");
        CHECK(refusal(day_of_week, "0") == "0 day-of-week: a value is 1 to 7 or SUN to SAT");
        CHECK(refusal(day_of_week, "8") == "0 day-of-week: a value is 1 to 7 or SUN to SAT");
        CHECK(refusal(day_of_week, "8L") == "0 day-of-week: a value is 1 to 7 or SUN to SAT");
        CHECK(refusal(day_of_week, "0#1") == "0 day-of-week: a value is 1 to 7 or SUN to SAT");
        CHECK(refusal(year, "1969") == "0 year: a value is 1970 to 2199");
        CHECK(refusal(year, "2200") == "0 year: a value is 1970 to 2199");
        CHECK(refusal(minutes, "5,10-60") == "5 minutes: a value is 0 to 59");
        CHECK(refusal(minutes, "18446744073709551616") == "0 minutes: a value is 0 to 59");
        CHECK(refusal(minutes, "4294967296") == "0 minutes: a value is 0 to 59");
    }

    TEST_CASE("names are those of months and weekdays, each in its field and in capitals") {
        CHECK(refusal(month, "FOO") == "0 month: a value is 1 to 12 or JAN to DEC");
        CHECK(refusal(month, "jan") == "0 month: a value is 1 to 12 or JAN to DEC");
        CHECK(refusal(month, "SUN") == "0 month: a value is 1 to 12 or JAN to DEC");
        CHECK(refusal(month, "JA") == "0 month: a value is 1 to 12 or JAN to DEC");
        CHECK(refusal(day_of_week, "MON-XYZ") == "4 day-of-week: a value is 1 to 7 or SUN to SAT");
        CHECK(refusal(day_of_week, "JAN") == "0 day-of-week: a value is 1 to 7 or SUN to SAT");
        CHECK(refusal(hours, "MON") == "0 hours: a value is 0 to 23");
        CHECK(refusal(month, "JANUARY").starts_with("3 month: a term is"));
    }

    TEST_CASE("a value does not go missing") {
        CHECK(refusal(minutes, ",5") == "0 minutes: a value is missing");
        CHECK(refusal(minutes, "5,") == "2 minutes: a value is missing");
        CHECK(refusal(minutes, "5,,6") == "2 minutes: a value is missing");
        CHECK(refusal(minutes, "5-") == "2 minutes: a value is missing");
        CHECK(refusal(minutes, "-5") == "0 minutes: a value is missing");
        CHECK(refusal(minutes, "/5") == "0 minutes: a value is missing");
    }

    TEST_CASE("a term is a value, a range or *, with one step at most") {
        for (const auto* text : {"1-2-3", "1/2/3", "1/2-3", "*5", "5*", "*-5", "1+2", "0x1", "1.5"}) {
            CAPTURE(text);
            CHECK(refusal(minutes, text)
                      .ends_with(" minutes: a term is *, a value or a range a-b, each with or without a step /n"));
        }
        CHECK(refusal(minutes, "1-2-3").starts_with("3 "));
    }

    TEST_CASE("a step is 1 to the field's largest value") {
        CHECK(refusal(minutes, "*/0") == "2 minutes: a step is 1 to 59");
        CHECK(refusal(minutes, "*/59") == "accepted");
        CHECK(refusal(minutes, "*/60") == "2 minutes: a step is 1 to 59");
        CHECK(refusal(minutes, "5,5-9/60") == "6 minutes: a step is 1 to 59");
        CHECK(refusal(hours, "*/23") == "accepted");
        CHECK(refusal(hours, "*/24") == "2 hours: a step is 1 to 23");
        CHECK(refusal(day_of_month, "*/31") == "accepted");
        CHECK(refusal(day_of_month, "*/32") == "2 day-of-month: a step is 1 to 31");
        CHECK(refusal(month, "*/12") == "accepted");
        CHECK(refusal(month, "*/13") == "2 month: a step is 1 to 12");
        CHECK(refusal(day_of_week, "*/7") == "accepted");
        CHECK(refusal(day_of_week, "*/8") == "2 day-of-week: a step is 1 to 7");
        CHECK(refusal(year, "*/2199") == "accepted");
        CHECK(refusal(year, "*/2200") == "2 year: a step is 1 to 2199");
        CHECK(refusal(minutes, "1/") == "2 minutes: a step is 1 to 59");
        CHECK(refusal(minutes, "1/x") == "2 minutes: a step is 1 to 59");
        CHECK(refusal(minutes, "*/-5") == "2 minutes: a step is 1 to 59");
        CHECK(refusal(month, "1/JAN") == "2 month: a step is 1 to 12");
    }

    TEST_CASE("a range of years does not wrap") {
        CHECK(refusal(year, "2030-2029") == "0 year: a range of years does not wrap");
        CHECK(refusal(year, "2030-2030") == "accepted");
    }

    TEST_CASE("? stands in exactly one of the two day fields") {
        CHECK(refusal("cron(0 2 ? * ? *)") ==
              "13 day-of-week: ? stands in exactly one of the two day fields, and in both here");
        CHECK(refusal("cron(0 2 1 * 2 *)") ==
              "13 day-of-week: ? stands in exactly one of the two day fields, and in neither here");
        CHECK(refusal("cron(0 2 * * 2 *)") ==
              "13 day-of-week: ? stands in exactly one of the two day fields, and in neither here");
        CHECK(refusal("cron(0 2 1 * * *)") ==
              "13 day-of-week: ? stands in exactly one of the two day fields, and in neither here");
        CHECK(accepts("cron(0 2 1 * ? *)"));
        CHECK(accepts("cron(0 2 ? * 2 *)"));
    }

    TEST_CASE("* does not stand in both day fields") {
        CHECK(refusal("cron(0 2 * * * *)") == "13 day-of-week: * does not stand in both day fields: one of them is ?");
    }

    TEST_CASE("? stands in no other field, and alone in its own") {
        for (const auto field : {minutes, hours, month, year}) {
            CHECK(refusal(field, "?").ends_with(": ? stands in a day field only"));
        }
        CHECK(refusal(day_of_month, "1,?") == "2 day-of-month: ? stands alone in its field");
        CHECK(refusal(day_of_month, "?,1") == "0 day-of-month: ? stands alone in its field");
        CHECK(refusal(day_of_week, "?/2") == "0 day-of-week: ? stands alone in its field");
        CHECK(refusal(day_of_week, "2-?") == "2 day-of-week: ? stands alone in its field");
    }

    TEST_CASE("L stands in the day fields, W in day-of-month and # in day-of-week, and nowhere else") {
        for (const auto field : {minutes, hours, month, year}) {
            CHECK(refusal(field, "L").ends_with(": L stands in a day field only"));
            CHECK(refusal(field, "W").ends_with(": W stands in day-of-month only"));
            CHECK(refusal(field, "#").ends_with(": # stands in day-of-week only"));
        }
        CHECK(refusal(minutes, "5L") == "1 minutes: L stands in a day field only");
        CHECK(refusal(day_of_week, "2W") == "1 day-of-week: W stands in day-of-month only");
        CHECK(refusal(day_of_week, "LW") == "0 day-of-week: L stands alone or after one day, as in 6L");
        CHECK(refusal(day_of_month, "2#1") == "1 day-of-month: # stands in day-of-week only");
    }

    TEST_CASE("L-3 is refused") {
        CHECK(refusal(day_of_month, "L-3") == "0 day-of-month: L-3 is not taken; L stands alone or as LW");
        CHECK(refusal(day_of_month, "L-3W") == "0 day-of-month: L-3 is not taken; L stands alone or as LW");
    }

    TEST_CASE("L and LW stand alone in day-of-month") {
        for (const auto* text : {"L,15", "LW,15", "L/2", "LL", "LWL", "L15"}) {
            CHECK(refusal(day_of_month, text) == "0 day-of-month: L-3 is not taken; L stands alone or as LW");
        }
        for (const auto* text : {"15,L", "15,LW", "15-L"}) {
            CHECK(refusal(day_of_month, text) == "3 day-of-month: L-3 is not taken; L stands alone or as LW");
        }
        CHECK(refusal(day_of_month, "6L") == "1 day-of-month: L-3 is not taken; L stands alone or as LW");
    }

    TEST_CASE("15W stands alone in its field, after one day") {
        CHECK(refusal(day_of_month, "15W") == "accepted");
        for (const auto* text : {"15W,1", "15W-20", "15WL", "15W/2"}) {
            CHECK(refusal(day_of_month, text) ==
                  "2 day-of-month: W stands after one day or L, as in 15W, and alone in its field");
        }
        CHECK(refusal(day_of_month, "1,15W") ==
              "4 day-of-month: W stands after one day or L, as in 15W, and alone in its field");
        CHECK(refusal(day_of_month, "1-5W") ==
              "3 day-of-month: W stands after one day or L, as in 15W, and alone in its field");
        for (const auto* text : {"W", "WL", "W15"}) {
            CHECK(refusal(day_of_month, text) ==
                  "0 day-of-month: W stands after one day or L, as in 15W, and alone in its field");
        }
    }

    TEST_CASE("L and 6L stand alone in day-of-week") {
        CHECK(refusal(day_of_week, "6L") == "accepted");
        for (const auto* text : {"L,2", "L-3", "L/2", "L6"}) {
            CHECK(refusal(day_of_week, text) == "0 day-of-week: L stands alone or after one day, as in 6L");
        }
        for (const auto* text : {"6L,2", "6L-7", "6L/2", "6LL"}) {
            CHECK(refusal(day_of_week, text) == "1 day-of-week: L stands alone or after one day, as in 6L");
        }
        CHECK(refusal(day_of_week, "6L#3") == "1 day-of-week: L stands alone or after one day, as in 6L");
        for (const auto* text : {"FRIL#1", "TUEL#5", "FRIL#"}) {
            CHECK(refusal(day_of_week, text) == "3 day-of-week: L stands alone or after one day, as in 6L");
        }
        CHECK(refusal(day_of_week, "6#3L") == "3 day-of-week: one day#k stands alone in its field, as in 6#3");
        CHECK(refusal(day_of_week, "2,6L") == "3 day-of-week: L stands alone or after one day, as in 6L");
        CHECK(refusal(day_of_week, "2-6L") == "3 day-of-week: L stands alone or after one day, as in 6L");
    }

    TEST_CASE("6#3 stands alone in its field, so that there is one # only") {
        CHECK(refusal(day_of_week, "6#3") == "accepted");
        CHECK(refusal(day_of_week, "3#1,6#3") == "3 day-of-week: one day#k stands alone in its field, as in 6#3");
        CHECK(refusal(day_of_week, "3#1,6") == "3 day-of-week: one day#k stands alone in its field, as in 6#3");
        CHECK(refusal(day_of_week, "3#1-2") == "3 day-of-week: one day#k stands alone in its field, as in 6#3");
        CHECK(refusal(day_of_week, "2,3#1") == "3 day-of-week: one day#k stands alone in its field, as in 6#3");
        CHECK(refusal(day_of_week, "2-3#1") == "3 day-of-week: one day#k stands alone in its field, as in 6#3");
        CHECK(refusal(day_of_week, "#1") == "0 day-of-week: one day#k stands alone in its field, as in 6#3");
    }

    TEST_CASE("after # comes 1 to 5") {
        for (const auto* text : {"2#1", "2#5"}) { CHECK(refusal(day_of_week, text) == "accepted"); }
        for (const auto* text : {"2#0", "2#6", "2#", "2#L", "2#x", "2#15"}) {
            CHECK(refusal(day_of_week, text) == "2 day-of-week: after # comes 1 to 5");
        }
    }

    TEST_CASE("a rate is a whole number that is 1 or more, a blank and a unit") {
        CHECK(accepts("rate(1 minute)"));
        CHECK(accepts("rate(99999999999999999999 days)"));
        for (const auto* text : {"rate(0 minutes)", "rate(-1 minutes)", "rate(+1 minute)", "rate(00 days)", "rate()",
                                 "rate(minute)", "rate( 1 minute)", "rate(x days)"}) {
            CHECK(refusal(text) == "5 rate: a whole number that is 1 or more, and one blank, stand before the unit");
        }
        for (const auto* text : {"rate(5)", "rate(5minutes)", "rate(5.5 minutes)", "rate(5\tminutes)"}) {
            CHECK(refusal(text) == "6 rate: a whole number that is 1 or more, and one blank, stand before the unit");
        }
    }

    TEST_CASE("a rate's unit is minute, hour or day: half a minute cannot be said") {
        for (const auto* text : {"rate(30 seconds)", "rate(10 weeks)", "rate(10 )", "rate(10  minutes)",
                                 "rate(10 Minutes)", "rate(10 minutes )", "rate(10 minutess)", "rate(10 s)"}) {
            CHECK(refusal(text) == "8 rate: the unit is minute, hour or day, or one of them with s");
        }
    }

    TEST_CASE("a rate's unit is singular exactly for 1") {
        for (const std::string unit : {"minute", "hour", "day"}) {
            CHECK(accepts("rate(1 " + unit + ")"));
            CHECK(accepts("rate(2 " + unit + "s)"));
            CHECK(refusal("rate(1 " + unit + "s)") == "7 rate: the unit is singular for 1");
            CHECK(refusal("rate(2 " + unit + ")") == "7 rate: the unit is plural for all but 1");
        }
    }

    TEST_CASE("an at is yyyy-mm-ddThh:mm:ss and nothing looser") {
        CHECK(accepts("at(2024-02-29T23:59:59)"));
        CHECK(refusal("at()") == "3 at: it is at(yyyy-mm-ddThh:mm:ss)");
        CHECK(refusal("at(2024-1-09T04:07:03)") == "9 at: it is at(yyyy-mm-ddThh:mm:ss)");
        CHECK(refusal("at(2024-01-09 04:07:03)") == "13 at: it is at(yyyy-mm-ddThh:mm:ss)");
        CHECK(refusal("at(2024-01-09t04:07:03)") == "13 at: it is at(yyyy-mm-ddThh:mm:ss)");
        CHECK(refusal("at(2024-01-09T04:07)") == "19 at: it is at(yyyy-mm-ddThh:mm:ss)");
        CHECK(refusal("at(2024-01-09T04:07:03Z)") == "22 at: it is at(yyyy-mm-ddThh:mm:ss)");
        CHECK(refusal("at(2024-01-09T04:07:03.5)") == "22 at: it is at(yyyy-mm-ddThh:mm:ss)");
        CHECK(refusal("at( 2024-01-09T04:07:03)") == "3 at: it is at(yyyy-mm-ddThh:mm:ss)");
    }

    TEST_CASE("an at is a second that exists, in the years of schedules") {
        CHECK(accepts("at(1970-01-01T00:00:00)"));
        CHECK(accepts("at(2199-12-31T23:59:59)"));
        for (const auto* text :
             {"2024-02-30T00:00:00", "2023-02-29T00:00:00", "2024-13-01T00:00:00", "2024-00-01T00:00:00",
              "2024-01-00T00:00:00", "2024-01-01T24:00:00", "2024-01-01T00:60:00", "2024-01-01T00:00:60",
              "1969-12-31T23:59:59", "2200-01-01T00:00:00"}) {
            CHECK(refusal("at(" + std::string{text} + ")") ==
                  "3 at: there is no such second in the years 1970 to 2199");
        }
    }

    TEST_CASE("a text with a byte changed, lost or gained is refused at one of its bytes, or says a schedule") {
        const auto seed = support::seed();
        CAPTURE(seed);
        std::mt19937_64 random{seed};
        constexpr std::string_view texts[] = {"cron(0/5 20-2 ? JAN,3 FRI-MON *)",
                                              "cron(1-9/2,30 * 15W */3 ? 2024-2030)",
                                              "cron(0 0 ? 2 6L *)",
                                              "cron(0 0 ? 2 TUE#5 *)",
                                              "cron(0 0 LW 2 ? *)",
                                              "rate(5 minutes)",
                                              "at(2024-02-29T12:30:00)"};
        constexpr std::string_view bytes = "0123456789*?/-,LW#() ANSRTsx";
        for (auto left = support::cases(5'000); left > 0; --left) {
            std::string text{texts[random() % std::size(texts)]};
            const auto at = random() % text.size();
            const auto byte = bytes[random() % bytes.size()];
            switch (random() % 3) {
                case 0: text[at] = byte; break;
                case 1: text.insert(at, 1, byte); break;
                default: text.erase(at, 1);
            }
            CAPTURE(text);
            const auto read = schedule::parse(text);
            if (read) {
                const auto next = read->next(freshet::time_point::min());
                REQUIRE((!next || read->previous(*next) == std::nullopt));
            } else {
                REQUIRE(read.fault().offset <= text.size());
                REQUIRE(read.fault().reason.find(": ") != std::string_view::npos);
            }
        }
    }
}
