#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <freshet/job/cron_times.hpp>
#include <freshet/job/schedule_calendar.hpp>
#include <freshet/job/schedule_field.hpp>
#include <freshet/job/schedule_rule.hpp>

namespace freshet {

/// The three ways to write a schedule.
enum class schedule_kind : std::uint8_t {
    cron, ///< the calendar's minutes that six fields select
    rate, ///< every so many minutes, hours or days
    at,   ///< once
};

namespace detail {

/// The instants that schedules know: the years 1970 to 2199.
inline constexpr time_point start_of_schedules{};
inline constexpr time_point end_of_schedules{std::chrono::hours{24} * days_of_schedules};

/// What a schedule expression says, or the flaw in it.
struct schedule_reading {
    schedule_flaw flaw{};
    schedule_kind kind{};
    cron_times times{};
    std::uint8_t uneven_steps{}; ///< bit i: cron's field i has one
    bool last_for_saturday{};
    std::uint32_t own_days{}; ///< of the month, named by terms without such a step; bit 0 is day 1
    duration period{};
    time_point once{};
};

/// `minutes hours day-of-month month day-of-week year`: the bytes of `text` from `at` to `end`.
[[nodiscard]] constexpr auto read_cron(std::string_view text, std::size_t at, std::size_t end) -> schedule_reading {
    using enum schedule_rule;
    schedule_reading read;
    const auto fail = [](const schedule_flaw& flaw) {
        schedule_reading failed;
        failed.flaw = flaw;
        return failed;
    };
    auto month_day_given = false;
    auto month_day_is_star = false;
    for (std::uint8_t i = 0; i < cron_ranges.size(); ++i) {
        const auto field = static_cast<schedule_field>(i);
        if (at >= end) { return fail({field, six_fields, end}); }
        const auto field_end = std::min(end, text.find(' ', at));
        if (field_end == at) { return fail({field, one_blank, at}); }
        cron_field_reader reader{text, field, at, field_end};
        const auto is_star = reader.is("*");
        const auto is_question = reader.is("?");
        if (field == schedule_field::day_of_month && !is_question) {
            const auto days = reader.days_of_month();
            if (!days) { return fail(reader.flaw()); }
            read.times.days = *days;
            read.own_days = static_cast<std::uint32_t>(reader.own_values().low());
            month_day_given = true;
            month_day_is_star = is_star;
        } else if (field == schedule_field::day_of_week && is_question) {
            if (!month_day_given) { return fail({field, question_twice, at}); }
        } else if (field == schedule_field::day_of_week) {
            read.last_for_saturday = reader.is("L");
            const auto days = reader.days_of_week();
            if (!days) { return fail(reader.flaw()); }
            if (month_day_given) {
                return fail({field, is_star && month_day_is_star ? star_twice : question_missing, at});
            }
            read.times.days = *days;
        } else if (field != schedule_field::day_of_month) {
            const auto set = reader.values();
            if (!set) { return fail(reader.flaw()); }
            switch (field) {
                case schedule_field::minutes: read.times.minutes = set->low(); break;
                case schedule_field::hours: read.times.hours = static_cast<std::uint32_t>(set->low()); break;
                case schedule_field::month: read.times.months = static_cast<std::uint32_t>(set->low()); break;
                default: read.times.years = *set;
            }
        }
        if (reader.has_uneven_step()) { read.uneven_steps = static_cast<std::uint8_t>(read.uneven_steps | 1U << i); }
        at = field_end + 1;
    }
    if (at <= end) { return fail({schedule_field::expression, six_fields, at - 1}); }
    return read;
}

/// `n unit`: the bytes of `text` from `at` to `end`.
[[nodiscard]] constexpr auto read_rate(std::string_view text, std::size_t at, std::size_t end) -> schedule_reading {
    schedule_reading read;
    read.kind = schedule_kind::rate;
    read.flaw.field = schedule_field::rate;
    const auto fail = [&read](schedule_rule rule, std::size_t where) {
        read.flaw.rule = rule;
        read.flaw.at = where;
        return read;
    };
    // One more makes no difference: such a period is longer than all the years of schedules.
    constexpr std::int64_t most = minutes_a_day * std::int64_t{days_of_schedules};
    const auto start = at;
    std::int64_t count = 0;
    for (; at < end && text[at] >= '0' && text[at] <= '9'; ++at) {
        count = std::min(most, count * 10 + (text[at] - '0'));
    }
    if (count == 0 || at == end || text[at] != ' ') {
        return fail(schedule_rule::rate_number, count == 0 ? start : at);
    }
    const auto unit_at = ++at;
    auto unit = text.substr(unit_at, end - unit_at);
    const auto plural = unit.ends_with('s');
    if (plural) { unit.remove_suffix(1); }
    const std::int64_t minutes = unit == "minute" ? 1 : unit == "hour" ? 60 : unit == "day" ? minutes_a_day : 0;
    if (minutes == 0) { return fail(schedule_rule::rate_unit, unit_at); }
    if (plural && count == 1) { return fail(schedule_rule::rate_singular, unit_at); }
    if (!plural && count != 1) { return fail(schedule_rule::rate_plural, unit_at); }
    read.period = std::chrono::minutes{std::min(most, count * minutes)};
    return read;
}

/// `yyyy-mm-ddThh:mm:ss`: the bytes of `text` from `at` to `end`.
[[nodiscard]] constexpr auto read_at(std::string_view text, std::size_t at, std::size_t end) -> schedule_reading {
    constexpr std::string_view shape = "0000-00-00T00:00:00";
    schedule_reading read;
    read.kind = schedule_kind::at;
    read.flaw = {schedule_field::at, schedule_rule::at_form, at};
    for (const auto expected : shape) {
        read.flaw.at = at;
        if (at == end) { return read; }
        const auto c = text[at];
        if (expected == '0' ? c < '0' || c > '9' : c != expected) { return read; }
        ++at;
    }
    read.flaw.at = at;
    if (at != end) { return read; }

    std::int64_t seconds = 0;
    read.flaw = {schedule_field::at, schedule_rule::at_time, at - shape.size()};
    if (!read_seconds_bytewise(text.data() + read.flaw.at, seconds)) { return read; }
    read.once = time_point{std::chrono::seconds{seconds}};
    if (read.once < start_of_schedules || read.once >= end_of_schedules) { return read; }
    read.flaw.rule = schedule_rule::none;
    return read;
}

/// A whole expression. Source: Amazon EventBridge User Guide, "Creating a rule that runs on a schedule", and
/// EventBridge Scheduler User Guide, "Schedule types".
[[nodiscard]] constexpr auto read_schedule(std::string_view text) -> schedule_reading {
    constexpr std::size_t most_bytes = 256;
    const auto fail = [](schedule_rule rule, std::size_t where) {
        schedule_reading failed;
        failed.flaw = {schedule_field::expression, rule, where};
        return failed;
    };
    if (text.size() > most_bytes) { return fail(schedule_rule::length, most_bytes); }
    for (const std::string_view opening : {"cron(", "rate(", "at("}) {
        if (!text.starts_with(opening)) { continue; }
        const auto end = text.find(')');
        if (end == text.npos) { return fail(schedule_rule::closed, text.size()); }
        if (end + 1 != text.size()) { return fail(schedule_rule::nothing_after, end + 1); }
        const auto start = opening.size();
        return opening == "cron("   ? read_cron(text, start, end)
               : opening == "rate(" ? read_rate(text, start, end)
                                    : read_at(text, start, end);
    }
    return fail(schedule_rule::kind, 0);
}

} // namespace detail
} // namespace freshet
