#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include <receipts/money.hpp>

/// How receipts write dates, times and telephone numbers. What is told is the form, not whether it is the right one.
namespace receipts {

namespace detail {

/// Reads a text from left to right.
struct form_reader {
    std::string_view rest;

    /// The number of the next `least` to `most` digits, slips included; -1: there are fewer or more.
    [[nodiscard]] constexpr auto number(std::size_t least, std::size_t most) noexcept -> int {
        std::size_t digits = 0;
        int read = 0;
        while (digits < rest.size() && is_digit(unslipped(rest[digits]))) {
            if (++digits > most) { return -1; }
            read = read * 10 + (unslipped(rest[digits - 1]) - '0');
        }
        if (digits < least) { return -1; }
        rest.remove_prefix(digits);
        return read;
    }

    [[nodiscard]] constexpr auto any_of(std::string_view choices) noexcept -> bool {
        if (rest.empty() || choices.find(rest.front()) == std::string_view::npos) { return false; }
        rest.remove_prefix(1);
        return true;
    }

    /// The month of the next letters, 1 to 12: its English or Malay name or the first three letters of it; 0: none.
    [[nodiscard]] constexpr auto month() noexcept -> int {
        struct named {
            std::string_view start;
            int month;
        };
        constexpr std::array<named, 18> names{{{"JAN", 1},
                                               {"FEB", 2},
                                               {"MAR", 3},
                                               {"MAC", 3},
                                               {"APR", 4},
                                               {"MAY", 5},
                                               {"MEI", 5},
                                               {"JUN", 6},
                                               {"JUL", 7},
                                               {"AUG", 8},
                                               {"OGO", 8},
                                               {"SEP", 9},
                                               {"OCT", 10},
                                               {"OKT", 10},
                                               {"NOV", 11},
                                               {"DEC", 12},
                                               {"DIS", 12},
                                               {"DEZ", 12}}};
        std::size_t letters = 0;
        while (letters < rest.size() && is_letter(rest[letters])) { ++letters; }
        if (letters < 3 || letters > 9) { return 0; }
        for (const auto& [start, month] : names) {
            if (upper(rest[0]) == start[0] && upper(rest[1]) == start[1] && upper(rest[2]) == start[2]) {
                rest.remove_prefix(letters);
                return month;
            }
        }
        return 0;
    }
};

[[nodiscard]] constexpr auto is_day(int day, int month, int year) noexcept -> bool {
    return day >= 1 && day <= 31 && month >= 1 && month <= 12 &&
           ((year >= 0 && year <= 99) || (year >= 1970 && year <= 2199));
}

/// A date from here on, and no digit behind it. Day and month may stand in either order.
[[nodiscard]] constexpr auto date_from(std::string_view text) noexcept -> bool {
    constexpr std::string_view marks = "/-. ,'";
    const auto ends = [](const form_reader& in) { return in.rest.empty() || !is_digit(in.rest.front()); };
    form_reader in{text};
    if (const auto month = in.month(); month != 0) { // Jan 5, 2018
        while (in.any_of(marks)) {}
        const auto day = in.number(1, 2);
        if (!in.any_of(marks)) { return false; }
        while (in.any_of(marks)) {}
        const auto year = in.number(2, 4);
        return is_day(day, month, year) && ends(in);
    }
    const auto first = in.number(1, 8);
    if (first < 0) { return false; }
    const auto digits = text.size() - in.rest.size();
    if (digits == 8) { // 25032018 or 20180325
        return ends(in) && (is_day(first / 1'000'000, first / 10'000 % 100, first % 10'000) ||
                            (is_day(first % 100, first / 100 % 100, first / 10'000) && first > 19'700'000));
    }
    if (digits != 1 && digits != 2 && digits != 4) { return false; }
    if (in.any_of("/-.")) {
        if (const auto second = in.number(1, 2); second >= 0) {
            if (!in.any_of("/-.")) { return false; }
            const auto third = in.number(1, 4);
            if (third < 0 || !ends(in)) { return false; }
            if (digits == 4) { return is_day(third, second, first) || is_day(second, third, first); }
            return is_day(first, second, third) || is_day(second, first, third);
        }
    }
    while (in.any_of(marks)) {}
    const auto month = in.month(); // 5-JAN-2018, 5 Jan 18, 24MAR18
    if (month == 0 || digits == 4) { return false; }
    while (in.any_of(marks)) {}
    return is_day(first, month, in.number(2, 4)) && ends(in);
}

/// A time from here on: 23:12, 5:02:32, 10.00.53PM, 6pm.
[[nodiscard]] constexpr auto time_from(std::string_view text) noexcept -> bool {
    form_reader in{text};
    const auto hour = in.number(1, 2);
    if (hour < 0 || hour > 24) { return false; }
    const auto mark = in.rest.empty() ? ' ' : in.rest.front();
    const auto clock_mark = mark == ':' || mark == ';' || mark == '.' || mark == 'h' || mark == 'H';
    auto parts = 1;
    while (parts < 3 && clock_mark && in.any_of(":;.hH")) {
        if (const auto sixtieth = in.number(2, 2); sixtieth < 0 || sixtieth > 59) { return false; }
        ++parts;
    }
    while (in.any_of(" ")) {}
    const auto noon =
        in.rest.size() >= 2 && (upper(in.rest[0]) == 'A' || upper(in.rest[0]) == 'P') && upper(in.rest[1]) == 'M';
    if (!in.rest.empty() && is_digit(in.rest.front())) { return false; }
    return noon || (parts > 1 && mark != '.') || parts == 3;
}

/// Whether `from` holds somewhere in the text where no number or word is under way.
template <class From>
[[nodiscard]] constexpr auto somewhere(std::string_view text, From from) noexcept -> bool {
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto starts = at == 0 || (!is_digit(text[at - 1]) && !(is_letter(text[at]) && is_letter(text[at - 1])));
        if (starts && from(text.substr(at))) { return true; }
    }
    return false;
}

} // namespace detail

/// Whether a date stands in the text: "20/03/2018", "2016-07-31", "14/JUN/2017", "25032018", "DATE:11.02.18",
/// "24 MAR 18", "1O/03/2018". There must be a year.
[[nodiscard]] constexpr auto holds_date(std::string_view text) noexcept -> bool {
    return detail::somewhere(text, detail::date_from);
}

/// Whether a time of day stands in the text: "23:12:13", "5:02", "06:20PM", "10.00.53PM", "6pm".
[[nodiscard]] constexpr auto holds_time(std::string_view text) noexcept -> bool {
    return detail::somewhere(text, detail::time_from);
}

/// Whether the text is a telephone number: six to fifteen digits, with what is written between them ("012 - 6651783",
/// "+603-9130 2672", "(03) 2093 7358", "03-92016281/6920"), ahead of them ("TEL:") and nothing else. Dates, times and
/// amounts are none.
[[nodiscard]] constexpr auto is_phone(std::string_view text) noexcept -> bool {
    std::size_t at = 0;
    while (at < text.size() &&
           (is_letter(text[at]) || text[at] == '.' || text[at] == ':' || text[at] == '#' || text[at] == ' ')) {
        ++at;
    }
    if (at != 0 && at < text.size() && is_letter(text[at - 1])) { return false; } // a code: "CS0007", not "TEL:0007"
    text.remove_prefix(at);
    std::size_t digits = 0;
    for (const auto c : text) {
        constexpr std::string_view marks = " -()+./,";
        if (is_digit(c)) {
            ++digits;
        } else if (marks.find(c) == std::string_view::npos) {
            return false;
        }
    }
    const auto bare_date = digits == 8 && text.size() == 8; // a number of eight digits is a telephone's as a rule
    return digits >= 6 && digits <= 15 && (bare_date || !holds_date(text)) && !read_amount(text);
}

} // namespace receipts
