#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <freshet/core/parsed.hpp>

namespace freshet {

/// The part of a schedule expression that breaks a rule; the six of cron first, in their order.
enum class schedule_field : std::uint8_t {
    minutes,
    hours,
    day_of_month,
    month,
    day_of_week,
    year,
    expression, ///< the whole of it
    rate,
    at,
};

/// The rules that a text may break as a schedule expression; `schedule_fault` has them in words.
enum class schedule_rule : std::uint8_t {
    none,
    length,
    kind,
    closed,
    nothing_after,
    one_blank,
    six_fields,
    value_missing,
    value,
    step,
    term,
    years_wrap,
    question_alone,
    question_elsewhere,
    question_missing,
    question_twice,
    star_twice,
    last_of_month,
    last_of_week,
    last_elsewhere,
    weekday,
    weekday_elsewhere,
    nth,
    nth_of_month,
    nth_elsewhere,
    rate_number,
    rate_unit,
    rate_singular,
    rate_plural,
    at_form,
    at_time,
};

/// Which rule a text breaks, where and in which part; `schedule_rule::none` where it is well.
struct schedule_flaw {
    schedule_field field{schedule_field::expression};
    schedule_rule rule{schedule_rule::none};
    std::size_t at{};
};

namespace detail {

inline constexpr std::array<std::string_view, 9> schedule_field_names{
    "minutes", "hours", "day-of-month", "month", "day-of-week", "year", "expression", "rate", "at"};

struct cron_range {
    std::size_t low;
    std::size_t high;
    std::string_view values;
    std::string_view steps;
};
inline constexpr std::array<cron_range, 6> cron_ranges{{{0, 59, "0 to 59", "1 to 59"},
                                                        {0, 23, "0 to 23", "1 to 23"},
                                                        {1, 31, "1 to 31", "1 to 31"},
                                                        {1, 12, "1 to 12 or JAN to DEC", "1 to 12"},
                                                        {1, 7, "1 to 7 or SUN to SAT", "1 to 7"},
                                                        {1970, 2199, "1970 to 2199", "1 to 2199"}}};

/// The rules in words, in their order. `flawless_schedule` repeats them where a literal is wrong.
inline constexpr std::array<std::string_view, 31> schedule_rules{
    "",
    "it has at most 256 bytes",
    "it is cron(...), rate(...) or at(...)",
    "its closing parenthesis is missing",
    "nothing follows its closing parenthesis",
    "one blank stands between two fields, and no other",
    "cron has six fields: minutes hours day-of-month month day-of-week year",
    "a value is missing",
    "a value is ",
    "a step is ",
    "a term is *, a value or a range a-b, each with or without a step /n",
    "a range of years does not wrap",
    "? stands alone in its field",
    "? stands in a day field only",
    "? stands in exactly one of the two day fields, and in neither here",
    "? stands in exactly one of the two day fields, and in both here",
    "* does not stand in both day fields: one of them is ?",
    "L-3 is not taken; L stands alone or as LW",
    "L stands alone or after one day, as in 6L",
    "L stands in a day field only",
    "W stands after one day or L, as in 15W, and alone in its field",
    "W stands in day-of-month only",
    "one day#k stands alone in its field, as in 6#3",
    "after # comes 1 to 5",
    "# stands in day-of-week only",
    "a whole number that is 1 or more, and one blank, stand before the unit",
    "the unit is minute, hour or day, or one of them with s",
    "the unit is singular for 1",
    "the unit is plural for all but 1",
    "it is at(yyyy-mm-ddThh:mm:ss)",
    "there is no such second in the years 1970 to 2199",
};
static_assert(schedule_rules.size() == static_cast<std::size_t>(schedule_rule::at_time) + 1);

class schedule_reason {
public:
    constexpr void append(std::string_view words) {
        std::copy(words.begin(), words.end(), text_.begin() + static_cast<std::ptrdiff_t>(size_));
        size_ += words.size();
    }
    [[nodiscard]] constexpr auto view() const noexcept -> std::string_view { return {text_.data(), size_}; }

private:
    std::array<char, 96> text_{};
    std::size_t size_{};
};

/// Every field with every rule, as a fault names them: static storage for each.
inline constexpr auto schedule_reasons = [] {
    std::array<std::array<schedule_reason, schedule_rules.size()>, schedule_field_names.size()> reasons{};
    for (std::size_t field = 0; field < reasons.size(); ++field) {
        for (std::size_t rule = 1; rule < schedule_rules.size(); ++rule) {
            auto& reason = reasons[field][rule];
            reason.append(schedule_field_names[field]);
            reason.append(": ");
            reason.append(schedule_rules[rule]);
            if (field >= cron_ranges.size()) { continue; }
            if (rule == static_cast<std::size_t>(schedule_rule::value)) { reason.append(cron_ranges[field].values); }
            if (rule == static_cast<std::size_t>(schedule_rule::step)) { reason.append(cron_ranges[field].steps); }
        }
    }
    return reasons;
}();

} // namespace detail

/// The flaw as the parsers of this library say it: `day-of-month: L-3 is not taken; …`.
[[nodiscard]] constexpr auto schedule_fault(const schedule_flaw& flaw) noexcept -> parse_fault {
    const auto& of_field = detail::schedule_reasons[static_cast<std::size_t>(flaw.field)];
    return {flaw.at, of_field[static_cast<std::size_t>(flaw.rule)].view()};
}

} // namespace freshet
