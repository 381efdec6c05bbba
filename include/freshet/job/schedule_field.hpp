#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <freshet/job/cron_times.hpp>
#include <freshet/job/schedule_rule.hpp>

namespace freshet::detail {

/// Reads a field of a cron expression from left to right; `flaw` says where and why it fails.
class cron_field_reader {
public:
    /// The bytes of `text` from `start` to `end` are the field's.
    constexpr cron_field_reader(std::string_view text, schedule_field field, std::size_t start, std::size_t end)
        : text_{text}, field_{field}, at_{start}, end_{end}, flaw_{field, schedule_rule::none, start} {}

    [[nodiscard]] constexpr auto flaw() const noexcept -> const schedule_flaw& { return flaw_; }
    /// Whether a step of the field starts anew before it has gone round: `*/7` minutes.
    [[nodiscard]] constexpr auto has_uneven_step() const noexcept -> bool { return uneven_step_; }
    /// Of the values, those of terms without such a step.
    [[nodiscard]] constexpr auto own_values() const noexcept -> const value_set& { return own_values_; }

    [[nodiscard]] constexpr auto is(std::string_view whole) const noexcept -> bool {
        return text_.substr(at_, end_ - at_) == whole;
    }

    /// A list of terms as a set, counted from the field's least value.
    [[nodiscard]] constexpr auto values() -> std::optional<value_set> {
        value_set set;
        do {
            if (!read_term(set)) { return std::nullopt; }
        } while (take(','));
        if (at_ != end_) { return odd_byte(); }
        return set;
    }

    /// Day-of-month, which is not `?`.
    [[nodiscard]] constexpr auto days_of_month() -> std::optional<day_choice> {
        if (is("L")) { return day_choice{.rule = day_rule::last}; }
        if (is("LW")) { return day_choice{.rule = day_rule::last_weekday}; }
        auto ahead = *this;
        if (const auto day = ahead.value(); day && ahead.take('W') && ahead.at_ == end_) {
            return day_choice{.rule = day_rule::nearest_weekday, .day = static_cast<std::uint8_t>(*day)};
        }
        const auto set = values();
        if (!set) { return std::nullopt; }
        return day_choice{.rule = day_rule::of_month, .set = static_cast<std::uint32_t>(set->low())};
    }

    /// Day-of-week, which is not `?`.
    [[nodiscard]] constexpr auto days_of_week() -> std::optional<day_choice> {
        constexpr std::uint32_t saturday = 1U << 6;
        if (is("L")) { return day_choice{.rule = day_rule::of_week, .set = saturday}; }
        auto ahead = *this;
        if (const auto day = ahead.value()) {
            const auto weekday = static_cast<std::uint8_t>(*day - 1);
            if (ahead.take('L')) {
                if (ahead.at_ == end_) { return day_choice{.rule = day_rule::last_of_week, .day = weekday}; }
            } else if (ahead.take('#')) {
                at_ = ahead.at_;
                return nth(weekday);
            }
        }
        const auto set = values();
        if (!set) { return std::nullopt; }
        return day_choice{.rule = day_rule::of_week, .set = static_cast<std::uint32_t>(set->low())};
    }

private:
    [[nodiscard]] constexpr auto range() const noexcept -> const cron_range& {
        return cron_ranges[static_cast<std::size_t>(field_)];
    }
    [[nodiscard]] constexpr auto here() const noexcept -> char { return at_ < end_ ? text_[at_] : '\0'; }
    [[nodiscard]] constexpr auto at_digit() const noexcept -> bool { return here() >= '0' && here() <= '9'; }
    constexpr auto take(char c) noexcept -> bool {
        const auto is_it = at_ < end_ && text_[at_] == c;
        at_ += is_it ? 1 : 0;
        return is_it;
    }
    constexpr auto fail(schedule_rule rule, std::size_t at) noexcept -> std::nullopt_t {
        flaw_.rule = rule;
        flaw_.at = at;
        return std::nullopt;
    }

    /// What the byte here does wrong.
    constexpr auto odd_byte() noexcept -> std::nullopt_t {
        const auto of_month = field_ == schedule_field::day_of_month;
        const auto of_week = field_ == schedule_field::day_of_week;
        using enum schedule_rule;
        switch (here()) {
            case '?': return fail(of_month || of_week ? question_alone : question_elsewhere, at_);
            case 'L': return fail(of_month ? last_of_month : of_week ? last_of_week : last_elsewhere, at_);
            case 'W': return fail(of_month ? weekday : weekday_elsewhere, at_);
            case '#': return fail(of_week ? nth : nth_elsewhere, at_);
            default: return fail(term, at_);
        }
    }

    /// Digits, as a number that grows no further than to 9999; they are there.
    [[nodiscard]] constexpr auto number() noexcept -> std::size_t {
        std::size_t read = 0;
        for (; at_digit(); ++at_) {
            read = read * 10 + static_cast<std::size_t>(here() - '0');
            read = read < 9999 ? read : 9999;
        }
        return read;
    }

    /// A number of the field's range, or one of its names.
    [[nodiscard]] constexpr auto value() noexcept -> std::optional<std::size_t> {
        const auto start = at_;
        if (at_digit()) {
            const auto read = number();
            if (read < range().low || read > range().high) { return fail(schedule_rule::value, start); }
            return read;
        }
        if (const auto named = name()) { return named; }
        if (start == end_ || here() == ',' || here() == '-' || here() == '/') {
            return fail(schedule_rule::value_missing, start);
        }
        const auto is_letter =
            (here() >= 'A' && here() <= 'Z' && here() != 'L' && here() != 'W') || (here() >= 'a' && here() <= 'z');
        if (is_letter) { return fail(schedule_rule::value, start); }
        return odd_byte();
    }
    [[nodiscard]] constexpr auto name() noexcept -> std::optional<std::size_t> {
        constexpr std::string_view months = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";
        constexpr std::string_view weekdays = "SUNMONTUEWEDTHUFRISAT";
        const auto names = field_ == schedule_field::month         ? months
                           : field_ == schedule_field::day_of_week ? weekdays
                                                                   : std::string_view{};
        for (std::size_t i = 0; i < names.size() && at_ + 3 <= end_; i += 3) {
            if (text_.substr(at_, 3) == names.substr(i, 3)) {
                at_ += 3;
                return i / 3 + 1;
            }
        }
        return std::nullopt;
    }

    /// `*`, `a`, `a-b`; `*/n`, `a/n` (to the greatest value), `a-b/n`.
    [[nodiscard]] constexpr auto read_term(value_set& set) noexcept -> bool {
        const auto start = at_;
        auto low = range().low;
        auto high = range().high;
        const auto every = take('*');
        auto is_range = false;
        if (!every) {
            const auto first = value();
            if (!first) { return false; }
            low = high = *first;
            is_range = take('-');
            if (is_range) {
                const auto last = value();
                if (!last) { return false; }
                high = *last;
            }
        }
        std::size_t step = 1;
        auto uneven = false;
        if (take('/')) {
            const auto digits = at_;
            step = at_digit() ? number() : 0;
            if (step < 1 || step > range().high) { return fail(schedule_rule::step, digits), false; }
            if (!is_range) { high = range().high; }
            const auto selects_more_than_one = low + step <= high;
            uneven = !is_range && selects_more_than_one && low - range().low < step && starts_anew(step);
            uneven_step_ = uneven_step_ || uneven;
        }
        const auto size = range().high - range().low + 1;
        if (low > high) {
            if (field_ == schedule_field::year) { return fail(schedule_rule::years_wrap, start), false; }
            high += size;
        }
        for (auto each = low; each <= high; each += step) {
            const auto value = (each - range().low) % size;
            set.add(value);
            if (!uneven) { own_values_.add(value); }
        }
        return true;
    }
    /// Hours go round after 24, and months of days after 28 to 31; years do not.
    [[nodiscard]] constexpr auto starts_anew(std::size_t step) const noexcept -> bool {
        if (field_ == schedule_field::year || step == 1) { return false; }
        return field_ == schedule_field::day_of_month || (range().high - range().low + 1) % step != 0;
    }

    /// What follows `day#`.
    [[nodiscard]] constexpr auto nth(std::uint8_t weekday) noexcept -> std::optional<day_choice> {
        const auto start = at_;
        const auto k = at_digit() ? number() : 0;
        if (k < 1 || k > 5) { return fail(schedule_rule::nth_of_month, start); }
        if (at_ != end_) { return fail(schedule_rule::nth, at_); }
        return day_choice{.rule = day_rule::nth_of_week, .day = weekday, .nth = static_cast<std::uint8_t>(k)};
    }

    std::string_view text_;
    schedule_field field_;
    std::size_t at_;
    std::size_t end_;
    schedule_flaw flaw_;
    bool uneven_step_{};
    value_set own_values_{};
};

} // namespace freshet::detail
