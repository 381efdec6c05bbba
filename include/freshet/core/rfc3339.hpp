#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include <freshet/core/parsed.hpp>
#include <freshet/core/time.hpp>

namespace freshet {

/// A printed timestamp of up to 27 characters, in a buffer of its own.
class rfc3339_text {
public:
    constexpr rfc3339_text() = default;

    [[nodiscard]] constexpr auto view() const noexcept -> std::string_view { return {text_.data(), size_}; }
    friend constexpr auto operator==(const rfc3339_text& a, const rfc3339_text& b) noexcept -> bool {
        return a.view() == b.view();
    }

private:
    friend constexpr auto format_rfc3339(time_point, int) -> parsed<rfc3339_text>;

    constexpr void put(char c) { text_[size_++] = c; }
    constexpr void put(std::int64_t number, int digits) {
        for (int at = digits; at-- > 0; number /= 10) {
            text_[size_ + static_cast<std::size_t>(at)] = static_cast<char>('0' + static_cast<int>(number % 10));
        }
        size_ += static_cast<std::size_t>(digits);
    }

    std::array<char, 27> text_{};
    std::size_t size_{};
};

namespace detail {

/// The numbers of a date and a time of day: years 0 to 9999, proleptic Gregorian. They need not exist.
struct civil_time {
    std::uint32_t year;
    std::uint32_t month;
    std::uint32_t day;
    std::uint32_t hour;
    std::uint32_t minute;
    std::uint32_t second;

    [[nodiscard]] constexpr auto month_length() const noexcept -> std::uint32_t {
        const auto leap = (year & (year % 25 == 0 ? 15U : 3U)) == 0;
        return month == 2 ? 28U + static_cast<std::uint32_t>(leap) : 30U | (month ^ (month >> 3));
    }
    /// Since 1970; the date and time must exist.
    [[nodiscard]] constexpr auto seconds() const noexcept -> std::int64_t {
        constexpr std::uint32_t days_to_1970 = 719'468 + 146'097; // from 1 March of the year -400
        const auto shifted = year + 400 - static_cast<std::uint32_t>(month <= 2);
        const auto century = shifted / 100;
        const auto since_march = month > 2 ? month - 3 : month + 9;
        const auto days = 365 * shifted + shifted / 4 - century + century / 4 + (153 * since_march + 2) / 5 + day - 1;
        return (std::int64_t{days} - days_to_1970) * 86'400 + std::int64_t{(hour * 60 + minute) * 60 + second};
    }
};

/// Whether `YYYY-MM-DDTHH:MM:SS`, 19 bytes, names a second that exists; `seconds` is then since 1970.
///
/// One byte after the other: the plain statement of the rule, and the one for constant expressions.
[[nodiscard]] constexpr auto read_seconds_bytewise(const char* text, std::int64_t& seconds) noexcept -> bool {
    constexpr std::string_view shape = "0000-00-00T00:00:00";
    std::uint32_t pair[19]{};
    for (std::size_t at = 0; at < shape.size(); ++at) {
        const auto c = text[at];
        if (shape[at] == '0') {
            if (c < '0' || c > '9') { return false; }
            pair[at] = static_cast<std::uint32_t>(c - '0');
        } else if (c != shape[at] && !(shape[at] == 'T' && (c == 't' || c == ' '))) {
            return false;
        }
    }
    const auto two = [&pair](std::size_t at) { return pair[at] * 10 + pair[at + 1]; };
    const civil_time read{two(0) * 100 + two(2), two(5), two(8), two(11), two(14), two(17)};
    if (read.month - 1 > 11 || read.day - 1 >= read.month_length()) { return false; }
    if (read.hour > 23 || read.minute > 59 || read.second > 59) { return false; }
    seconds = read.seconds();
    return true;
}

/// Where years and months begin: a date becomes a day by adding three numbers up, without a division or a branch.
struct begin_of_days {
    struct year_of_century {
        std::uint16_t days;   ///< before it, in its century
        std::uint16_t months; ///< where its months stand
    };
    struct month_of_year {
        std::uint16_t days;   ///< before it, in its year
        std::uint16_t length; ///< 0: there is no such month
    };
    std::array<std::int32_t, 100> centuries{}; ///< days before the years 0000, 0100, …, from 1970 on
    std::array<year_of_century, 200> years{};  ///< of a century that starts with a common year, then with a leap year
    std::array<month_of_year, 40> months{};    ///< of a common year, then of a leap year: 0 to 19

    constexpr begin_of_days() {
        std::int32_t days = -719'528;
        for (std::size_t century = 0; century < 100; ++century) {
            centuries[century] = days;
            days += 36'524 + static_cast<std::int32_t>(century % 4 == 0);
        }
        for (std::size_t first = 0; first < 200; first += 100) {
            std::uint16_t before = 0;
            for (std::size_t year = 0; year < 100; ++year) {
                const bool leap = year == 0 ? first != 0 : year % 4 == 0;
                years[first + year] = {before, static_cast<std::uint16_t>(leap ? 20 : 0)};
                before = static_cast<std::uint16_t>(before + (leap ? 366 : 365));
            }
        }
        for (std::uint32_t first = 0; first < 40; first += 20) {
            std::uint16_t before = 0;
            for (std::uint32_t month = 1; month <= 12; ++month) {
                const civil_time any{first == 0 ? 1U : 4U, month, 1, 0, 0, 0};
                months[first + month] = {before, static_cast<std::uint16_t>(any.month_length())};
                before = static_cast<std::uint16_t>(before + any.month_length());
            }
        }
    }
};
inline constexpr begin_of_days days_before{};

/// As `read_seconds_bytewise`, eight bytes at a time and without a branch per byte.
[[nodiscard]] inline auto read_seconds_wordwise(const char* text, std::int64_t& seconds) noexcept -> bool {
    const auto load = [text](std::size_t at) {
        std::uint64_t word = 0;
        std::memcpy(&word, text + at, sizeof word);
        if constexpr (std::endian::native == std::endian::big) { word = __builtin_bswap64(word); }
        return word; // the first byte is the lowest
    };
    // XOR with the shape leaves digits as 0 to 9 and separators as 0. Adding 0x7f - limit sets the top bit of each
    // byte above its limit; a byte that carries into its neighbour has its own top bit set and is refused itself.
    const auto date = load(0) ^ 0x2d30'302d'3030'3030;  // 0000-00-
    const auto clock = load(11) ^ 0x3030'3a30'303a'3030; // 00:00:00
    const auto day = (load(8) & 0xffff) ^ 0x3030;
    const auto separator = static_cast<unsigned char>(text[10]);
    const auto over = ((date + 0x7f76'7e7f'7676'7676) | date) | ((clock + 0x767a'7f76'7a7f'767d) | clock) |
                      ((day + 0x767c) | day);
    if ((over & 0x8080'8080'8080'8080) != 0) { return false; }
    if (separator != 'T' && separator != 't' && separator != ' ') { return false; }

    // tens * 10 + ones, for all pairs at once: no sum leaves its byte
    const auto dates = date * 10 + (date >> 8);
    const auto clocks = clock * 10 + (clock >> 8);
    const auto days = day * 10 + (day >> 8);
    const auto byte = [](std::uint64_t word, int at) { return static_cast<std::uint32_t>(word >> (8 * at)) & 0xff; };
    const auto century = byte(dates, 0);
    const auto year = days_before.years[byte(dates, 2) + (century % 4 == 0 ? 100 : 0)];
    const auto month = days_before.months[year.months + byte(dates, 5)];
    const auto day_of_month = byte(days, 0) - 1;
    const auto hour = byte(clocks, 0);
    if (day_of_month >= month.length || hour > 23) { return false; }
    const auto of_century = static_cast<std::int32_t>(year.days + month.days + day_of_month);
    seconds = std::int64_t{days_before.centuries[century] + of_century} * 86'400 +
              ((hour * 60 + byte(clocks, 3)) * 60 + byte(clocks, 6));
    return true;
}

/// Why the first 19 bytes are no date and time, given that they are none; a shorter text counts as cut there.
[[nodiscard]] constexpr auto fault_in_seconds(std::string_view text) -> parse_fault {
    constexpr std::string_view shape = "0000-00-00T00:00:00";
    const auto digit = [text](std::size_t at) { return static_cast<std::uint32_t>(text[at] - '0'); };
    const auto two = [&digit](std::size_t at) { return digit(at) * 10 + digit(at + 1); };
    for (std::size_t at = 0; at < shape.size(); ++at) {
        if (at == text.size()) { return {at, "the timestamp is cut short"}; }
        const auto c = text[at];
        switch (shape[at]) {
            case '0':
                if (c < '0' || c > '9') { return {at, "a digit is missing"}; }
                break;
            case 'T':
                if (c != 'T' && c != 't' && c != ' ') { return {at, "between date and time stands T, t or a space"}; }
                break;
            default:
                if (c != shape[at]) { return {at, shape[at] == '-' ? "a '-' is missing" : "a ':' is missing"}; }
        }
        if (at == 6 && two(5) - 1 > 11) { return {5, "a month is 01 to 12"}; }
        if (at == 9) {
            const civil_time read{two(0) * 100 + two(2), two(5), two(8), 0, 0, 0};
            if (read.day - 1 >= read.month_length()) { return {8, "the month has no such day"}; }
        }
        if (at == 12 && two(11) > 23) { return {11, "an hour is 00 to 23"}; }
        if (at == 15 && two(14) > 59) { return {14, "a minute is 00 to 59"}; }
        if (at == 18 && two(17) > 59) { return {17, "a second is 00 to 59: POSIX time has no leap seconds"}; }
    }
    return {shape.size(), "the timestamp is cut short"};
}

/// What follows the seconds: an optional fraction and the zone, both added to `seconds`.
[[nodiscard]] constexpr auto finish_rfc3339(std::string_view text, std::int64_t seconds) -> parsed<time_point> {
    std::size_t at = 19;
    std::int64_t micros = 0;
    const auto is_digit = [text](std::size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '9'; };
    if (at < text.size() && text[at] == '.') {
        std::int64_t unit = 100'000;
        if (!is_digit(++at)) { return parse_fault{at, "a fraction has at least one digit"}; }
        for (; is_digit(at); ++at, unit /= 10) { micros += (text[at] - '0') * unit; }
    }
    if (at == text.size()) { return parse_fault{at, "the zone is missing"}; }
    const auto zone = text[at++];
    if (zone == '+' || zone == '-') {
        for (std::size_t i = 0; i < 5; ++i) {
            const auto fits = i == 2 ? at + i < text.size() && text[at + i] == ':' : is_digit(at + i);
            if (!fits) { return parse_fault{at + i, "a zone is Z, z, +HH:MM or -HH:MM"}; }
        }
        const auto hours = (text[at] - '0') * 10 + (text[at + 1] - '0');
        const auto minutes = (text[at + 3] - '0') * 10 + (text[at + 4] - '0');
        if (hours > 23) { return parse_fault{at, "the hours of a zone are 00 to 23"}; }
        if (minutes > 59) { return parse_fault{at + 3, "the minutes of a zone are 00 to 59"}; }
        const auto ahead = (hours * 60 + minutes) * 60;
        seconds += zone == '+' ? -ahead : ahead;
        at += 5;
    } else if (zone != 'Z' && zone != 'z') {
        return parse_fault{at - 1, "a zone is Z, z, +HH:MM or -HH:MM"};
    }
    if (at != text.size()) { return parse_fault{at, "bytes follow the timestamp"}; }
    return time_point{duration{seconds * 1'000'000 + micros}};
}

} // namespace detail

/// Reads an RFC 3339 date-time and nothing looser; the whole text must be one.
///
/// `YYYY-MM-DD`, then `T`, `t` or a space, then `HH:MM:SS`, an optional fraction of any length (cut to microseconds,
/// never rounded), then `Z`, `z` or an offset up to 23:59, of which `-00:00` is one. The day must exist; `24:00` does
/// not, nor does `:60` (POSIX time has no leap seconds). A fault names the first byte that breaks the rule, or the
/// first digit of a number out of range. An offset can carry the instant outside the years 0000 to 9999.
///
/// Source: RFC 3339, 5.6.
[[nodiscard]] constexpr auto parse_rfc3339(std::string_view text) -> parsed<time_point> {
    std::int64_t seconds = 0;
    bool good = text.size() >= 19;
    if (good) {
        good = std::is_constant_evaluated() ? detail::read_seconds_bytewise(text.data(), seconds)
                                            : detail::read_seconds_wordwise(text.data(), seconds);
    }
    if (!good) { return detail::fault_in_seconds(text); }
    if (text.size() == 20 && (text[19] | 0x20) == 'z') { return time_point{duration{seconds * 1'000'000}}; }
    return detail::finish_rfc3339(text, seconds);
}

/// Prints an instant as `YYYY-MM-DDTHH:MM:SS.fffZ`, always UTC, with 0 to 6 digits of fraction (none: no point).
///
/// The fraction is cut, never rounded, so that what is printed is never later than the instant. Refuses years
/// outside 0000 to 9999 and other numbers of digits (the fault's offset is 0). With 6 digits, parsing gives it back.
[[nodiscard]] constexpr auto format_rfc3339(time_point instant, int fraction_digits = 3) -> parsed<rfc3339_text> {
    using namespace std::chrono;
    constexpr sys_days first{year{0} / 1 / 1};
    constexpr sys_days beyond{year{9999} / 12 / 31};
    if (instant < first || instant >= beyond + days{1}) { return parse_fault{0, "a printed year is 0000 to 9999"}; }
    if (fraction_digits < 0 || fraction_digits > 6) { return parse_fault{0, "a fraction has 0 to 6 digits"}; }

    const auto day = floor<days>(instant);
    const year_month_day date{day};
    const auto micros = (instant - day).count();
    const auto seconds = micros / 1'000'000;

    rfc3339_text out;
    out.put(static_cast<int>(date.year()), 4);
    out.put('-');
    out.put(static_cast<unsigned>(date.month()), 2);
    out.put('-');
    out.put(static_cast<unsigned>(date.day()), 2);
    out.put('T');
    out.put(seconds / 3'600, 2);
    out.put(':');
    out.put(seconds / 60 % 60, 2);
    out.put(':');
    out.put(seconds % 60, 2);
    if (fraction_digits > 0) {
        auto fraction = micros % 1'000'000;
        for (int cut = fraction_digits; cut < 6; ++cut) { fraction /= 10; }
        out.put('.');
        out.put(fraction, fraction_digits);
    }
    out.put('Z');
    return out;
}

} // namespace freshet
