#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <freshet/job/schedule_calendar.hpp>
#include <freshet/job/schedule_days.hpp>

namespace freshet {

/// Numbers below 256, as bits.
class value_set {
public:
    constexpr void add(std::size_t value) noexcept { words_[value / 64] |= std::uint64_t{1} << value % 64; }
    [[nodiscard]] constexpr auto has(std::size_t value) const noexcept -> bool {
        return (words_[value / 64] >> value % 64 & 1) != 0;
    }
    /// Those below 64.
    [[nodiscard]] constexpr auto low() const noexcept -> std::uint64_t { return words_[0]; }

    /// The least that is `from` or more.
    [[nodiscard]] constexpr auto first_from(std::size_t from) const noexcept -> std::optional<std::size_t> {
        for (auto word = from / 64; word < words_.size(); ++word) {
            const auto bits = word == from / 64 ? words_[word] & ~std::uint64_t{} << from % 64 : words_[word];
            if (bits != 0) { return word * 64 + static_cast<std::size_t>(std::countr_zero(bits)); }
        }
        return std::nullopt;
    }
    /// The greatest that is less than `end`.
    [[nodiscard]] constexpr auto last_before(std::size_t end) const noexcept -> std::optional<std::size_t> {
        for (auto at = end; at > 0; at = (at - 1) / 64 * 64) {
            const auto word = (at - 1) / 64;
            const auto bits = words_[word] & ~std::uint64_t{} >> (63 - (at - 1) % 64);
            if (bits != 0) { return word * 64 + 63 - static_cast<std::size_t>(std::countl_zero(bits)); }
        }
        return std::nullopt;
    }

    friend constexpr auto operator==(const value_set&, const value_set&) -> bool = default;

private:
    std::array<std::uint64_t, 4> words_{};
};

/// What the six fields of a cron expression select; none of them anything at first.
struct cron_times {
    std::uint64_t minutes{}; ///< bits 0 to 59
    std::uint32_t hours{};   ///< bits 0 to 23
    std::uint32_t months{};  ///< bit 0 is January
    day_choice days{};
    value_set years{}; ///< 0 is 1970

    /// The first selected minute since 1970-01-01T00:00 that is `minute` or later; `minute` is no later than 2200.
    [[nodiscard]] constexpr auto first_from(std::uint32_t minute) const noexcept -> std::optional<std::uint32_t> {
        using namespace detail;
        const auto date = date_of(minute / minutes_a_day);
        auto year = date.year;
        if (has_year(year)) {
            if ((months >> date.month & 1) != 0) {
                const auto month = month_of(year, date.month);
                const auto days_left = days_in(days, month) & ~std::uint32_t{} << date.day;
                if (const auto found = first_in(month, days_left, date.day, minute % minutes_a_day)) { return found; }
            }
            if (const auto found = first_in(year, months & ~std::uint32_t{1} << date.month)) { return found; }
        }
        for (auto next = years.first_from(year + 1 - first_year); next; next = years.first_from(*next + 1)) {
            year = first_year + static_cast<std::uint32_t>(*next);
            if (const auto found = first_in(year, months)) { return found; }
        }
        return std::nullopt;
    }

    /// The last selected minute since 1970-01-01T00:00 that is `minute` or earlier; `minute` lies before 2200.
    [[nodiscard]] constexpr auto last_until(std::uint32_t minute) const noexcept -> std::optional<std::uint32_t> {
        using namespace detail;
        const auto date = date_of(minute / minutes_a_day);
        auto year = date.year;
        if (has_year(year)) {
            if ((months >> date.month & 1) != 0) {
                const auto month = month_of(year, date.month);
                const auto days_left = days_in(days, month) & ~std::uint32_t{} >> (31 - date.day);
                if (const auto found = last_in(month, days_left, date.day, minute % minutes_a_day)) { return found; }
            }
            if (const auto found = last_in(year, months & ((std::uint32_t{1} << date.month) - 1))) { return found; }
        }
        for (auto next = years.last_before(year - first_year); next; next = years.last_before(*next)) {
            year = first_year + static_cast<std::uint32_t>(*next);
            if (const auto found = last_in(year, months)) { return found; }
        }
        return std::nullopt;
    }

    friend constexpr auto operator==(const cron_times&, const cron_times&) -> bool = default;

private:
    [[nodiscard]] static constexpr auto lowest(std::uint64_t bits) noexcept -> std::uint32_t {
        return static_cast<std::uint32_t>(std::countr_zero(bits));
    }
    [[nodiscard]] static constexpr auto highest(std::uint64_t bits) noexcept -> std::uint32_t {
        return static_cast<std::uint32_t>(63 - std::countl_zero(bits));
    }
    [[nodiscard]] constexpr auto has_year(std::uint32_t year) const noexcept -> bool {
        return years.has(year - detail::first_year);
    }
    [[nodiscard]] constexpr auto first_time() const noexcept -> std::uint32_t {
        return lowest(hours) * 60 + lowest(minutes);
    }
    [[nodiscard]] constexpr auto last_time() const noexcept -> std::uint32_t {
        return highest(hours) * 60 + highest(minutes);
    }

    /// In a whole year, of these months.
    [[nodiscard]] constexpr auto first_in(std::uint32_t year, std::uint32_t of_months) const noexcept
        -> std::optional<std::uint32_t> {
        for (; of_months != 0; of_months &= of_months - 1) {
            const auto month = detail::month_of(year, lowest(of_months));
            if (const auto chosen = detail::days_in(days, month); chosen != 0) {
                return (month.first_day + lowest(chosen)) * detail::minutes_a_day + first_time();
            }
        }
        return std::nullopt;
    }
    [[nodiscard]] constexpr auto last_in(std::uint32_t year, std::uint32_t of_months) const noexcept
        -> std::optional<std::uint32_t> {
        while (of_months != 0) {
            const auto at = highest(of_months);
            const auto month = detail::month_of(year, at);
            if (const auto chosen = detail::days_in(days, month); chosen != 0) {
                return (month.first_day + highest(chosen)) * detail::minutes_a_day + last_time();
            }
            of_months ^= std::uint32_t{1} << at;
        }
        return std::nullopt;
    }

    /// On these days of a month, the first of which is perhaps `today`, where it is already `minute`.
    [[nodiscard]] constexpr auto first_in(const detail::calendar_month& month, std::uint32_t of_days,
                                          std::uint32_t today, std::uint32_t minute) const noexcept
        -> std::optional<std::uint32_t> {
        if ((of_days >> today & 1) != 0) {
            const auto start = (month.first_day + today) * detail::minutes_a_day;
            const auto hour = minute / 60;
            if (const auto rest = minutes & ~std::uint64_t{} << minute % 60; (hours >> hour & 1) != 0 && rest != 0) {
                return start + hour * 60 + lowest(rest);
            }
            if (const auto rest = hours & ~std::uint32_t{1} << hour; rest != 0) {
                return start + lowest(rest) * 60 + lowest(minutes);
            }
            of_days ^= std::uint32_t{1} << today;
        }
        if (of_days == 0) { return std::nullopt; }
        return (month.first_day + lowest(of_days)) * detail::minutes_a_day + first_time();
    }
    [[nodiscard]] constexpr auto last_in(const detail::calendar_month& month, std::uint32_t of_days,
                                         std::uint32_t today, std::uint32_t minute) const noexcept
        -> std::optional<std::uint32_t> {
        if ((of_days >> today & 1) != 0) {
            const auto start = (month.first_day + today) * detail::minutes_a_day;
            const auto hour = minute / 60;
            if (const auto rest = minutes & ~std::uint64_t{} >> (63 - minute % 60);
                (hours >> hour & 1) != 0 && rest != 0) {
                return start + hour * 60 + highest(rest);
            }
            if (const auto rest = hours & ((std::uint32_t{1} << hour) - 1); rest != 0) {
                return start + highest(rest) * 60 + highest(minutes);
            }
            of_days ^= std::uint32_t{1} << today;
        }
        if (of_days == 0) { return std::nullopt; }
        return (month.first_day + highest(of_days)) * detail::minutes_a_day + last_time();
    }
};

} // namespace freshet
