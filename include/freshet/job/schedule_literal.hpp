#pragma once

#include <cstddef>

#include <freshet/core/fixed_text.hpp>
#include <freshet/job/schedule.hpp>
#include <freshet/job/schedule_rule.hpp>

namespace freshet {

/// Refuses to compile a schedule with a flaw; the field and the byte of the text are template arguments.
template <schedule_field Field, schedule_rule Rule, std::size_t AtByte>
struct flawless_schedule {
    using enum schedule_rule;
    static_assert(Rule != length, "a schedule has at most 256 bytes");
    static_assert(Rule != kind, "a schedule is cron(...), rate(...) or at(...)");
    static_assert(Rule != closed, "a schedule's closing parenthesis is missing");
    static_assert(Rule != nothing_after, "nothing follows a schedule's closing parenthesis");
    static_assert(Rule != one_blank, "one blank stands between two fields, and no other");
    static_assert(Rule != six_fields, "cron has six fields: minutes hours day-of-month month day-of-week year");
    static_assert(Rule != value_missing, "a value is missing");
    static_assert(Rule != value,
                  "this is no value of the field: minutes 0 to 59, hours 0 to 23, day-of-month 1 to 31, "
                  "month 1 to 12 or JAN to DEC, day-of-week 1 to 7 or SUN to SAT, year 1970 to 2199");
    static_assert(Rule != step, "a step is 1 to the field's largest value");
    static_assert(Rule != term, "a term is *, a value or a range a-b, each with or without a step /n");
    static_assert(Rule != years_wrap, "a range of years does not wrap");
    static_assert(Rule != question_alone, "? stands alone in its field");
    static_assert(Rule != question_elsewhere, "? stands in a day field only");
    static_assert(Rule != question_missing, "? stands in exactly one of the two day fields, and in neither here");
    static_assert(Rule != question_twice, "? stands in exactly one of the two day fields, and in both here");
    static_assert(Rule != star_twice, "* does not stand in both day fields: one of them is ?");
    static_assert(Rule != last_of_month, "L-3 is not taken; L stands alone or as LW");
    static_assert(Rule != last_of_week, "L stands alone or after one day, as in 6L");
    static_assert(Rule != last_elsewhere, "L stands in a day field only");
    static_assert(Rule != weekday, "W stands after one day or L, as in 15W, and alone in its field");
    static_assert(Rule != weekday_elsewhere, "W stands in day-of-month only");
    static_assert(Rule != nth, "one day#k stands alone in its field, as in 6#3");
    static_assert(Rule != nth_of_month, "after # comes 1 to 5");
    static_assert(Rule != nth_elsewhere, "# stands in day-of-week only");
    static_assert(Rule != rate_number, "a whole number that is 1 or more, and one blank, stand before the unit");
    static_assert(Rule != rate_unit, "the unit is minute, hour or day, or one of them with s");
    static_assert(Rule != rate_singular, "the unit is singular for 1");
    static_assert(Rule != rate_plural, "the unit is plural for all but 1");
    static_assert(Rule != at_form, "an at is at(yyyy-mm-ddThh:mm:ss)");
    static_assert(Rule != at_time, "there is no such second in the years 1970 to 2199");
    static constexpr bool holds = true;
};

inline namespace literals {

/// A schedule that is read while compiling, `"cron(0 2 ? * SUN *)"_schedule`; a wrong one does not compile.
template <fixed_text Text>
[[nodiscard]] consteval auto operator""_schedule() -> schedule {
    constexpr auto read = detail::read_schedule(Text.view());
    static_assert(flawless_schedule<read.flaw.field, read.flaw.rule, read.flaw.at>::holds);
    return schedule::parse(Text.view()).value_or({}); // a wrong one is refused above
}

} // namespace literals
} // namespace freshet
