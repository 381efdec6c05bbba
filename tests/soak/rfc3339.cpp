// Good, mutated and random timestamps: the library refuses and reads what a reader that goes byte by byte, and knows
// no arithmetic of calendars but a list of days, refuses and reads.
#include <freshet/core/rfc3339.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <support/cases.hpp>

namespace {

/// The days of each month of the years 0000 to 9999, numbered from 1970-01-01, one month after the other.
class calendar {
public:
    calendar() {
        std::int64_t day = 0;
        for (int year = 0; year <= 9999; ++year) {
            for (int month = 1; month <= 12; ++month) {
                if (year == 1970 && month == 1) { epoch_ = day; }
                first_.push_back(day);
                length_.push_back(length(year, month));
                day += length_.back();
            }
        }
    }
    [[nodiscard]] auto day(int year, int month, int day_of_month) const -> std::optional<std::int64_t> {
        if (month < 1 || month > 12 || day_of_month < 1) { return std::nullopt; }
        const auto at = static_cast<std::size_t>(year * 12 + month - 1);
        if (day_of_month > length_[at]) { return std::nullopt; }
        return first_[at] - epoch_ + day_of_month - 1;
    }

private:
    static auto length(int year, int month) -> int {
        switch (month) {
            case 2: return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
            case 4:
            case 6:
            case 9:
            case 11: return 30;
            default: return 31;
        }
    }
    std::vector<std::int64_t> first_;
    std::vector<int> length_;
    std::int64_t epoch_{};
};

/// The reference: one byte, one question.
class reader {
public:
    reader(const calendar& days, std::string_view text) : days_{days}, text_{text} {}

    /// Microseconds since 1970.
    auto instant() -> std::optional<std::int64_t> {
        const auto whole = seconds();
        if (!whole) { return std::nullopt; }
        std::int64_t micros = 0;
        if (take('.')) {
            int digits = 0;
            for (; next_is_digit(); ++digits, ++at_) {
                if (digits < 6) { micros = micros * 10 + (text_[at_] - '0'); }
            }
            if (digits == 0) { return std::nullopt; }
            for (; digits < 6; ++digits) { micros *= 10; }
        }
        std::int64_t ahead = 0;
        if (!take('Z') && !take('z')) {
            const bool east = take('+');
            if (!east && !take('-')) { return std::nullopt; }
            const auto hours = number(2);
            if (hours < 0 || hours > 23 || !take(':')) { return std::nullopt; }
            const auto minutes = number(2);
            if (minutes < 0 || minutes > 59) { return std::nullopt; }
            ahead = (east ? 1 : -1) * (hours * 3'600 + minutes * 60);
        }
        if (at_ != text_.size()) { return std::nullopt; }
        return (*whole - ahead) * 1'000'000 + micros;
    }

    /// Of the date and time without a zone.
    auto seconds() -> std::optional<std::int64_t> {
        const auto year = number(4);
        if (year < 0 || !take('-')) { return std::nullopt; }
        const auto month = number(2);
        if (month < 0 || !take('-')) { return std::nullopt; }
        const auto day_of_month = number(2);
        if (day_of_month < 0 || !(take('T') || take('t') || take(' '))) { return std::nullopt; }
        const auto hour = number(2);
        if (hour < 0 || hour > 23 || !take(':')) { return std::nullopt; }
        const auto minute = number(2);
        if (minute < 0 || minute > 59 || !take(':')) { return std::nullopt; }
        const auto second = number(2);
        if (second < 0 || second > 59) { return std::nullopt; }
        const auto day = days_.day(year, month, day_of_month);
        if (!day) { return std::nullopt; }
        return *day * 86'400 + hour * 3'600 + minute * 60 + second;
    }

private:
    [[nodiscard]] auto next_is_digit() const -> bool {
        return at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9';
    }
    auto take(char c) -> bool {
        const bool here = at_ < text_.size() && text_[at_] == c;
        at_ += here ? 1 : 0;
        return here;
    }
    /// Of so many digits; negative where one is missing.
    auto number(int digits) -> int {
        int value = 0;
        for (; digits > 0; --digits, ++at_) {
            if (!next_is_digit()) { return -1; }
            value = value * 10 + (text_[at_] - '0');
        }
        return value;
    }

    const calendar& days_;
    std::string_view text_;
    std::size_t at_{};
};

/// Makes texts that are timestamps, nearly timestamps, and anything.
class writer {
public:
    explicit writer(std::uint64_t seed) : random_{seed} {}

    void next(std::string& text) {
        text.clear();
        const auto kind = below(8);
        if (kind == 0) {
            for (auto size = below(40); size > 0; --size) { text += any_byte(); }
            return;
        }
        timestamp(text);
        if (kind < 6) {
            for (auto changes = 1 + below(2); changes > 0; --changes) { mutate(text); }
        }
    }

private:
    auto below(std::uint32_t limit) -> std::uint32_t {
        return static_cast<std::uint32_t>((random_() >> 32) * limit >> 32);
    }

    auto any_byte() -> char {
        constexpr std::string_view usual = "0123456789-+:.TtZz ,0123456789";
        return below(8) == 0 ? static_cast<char>(below(256)) : usual[below(usual.size())];
    }
    void digits(std::string& text, std::uint32_t number, std::size_t size) {
        const auto printed = std::to_string(number);
        text.append(size - printed.size(), '0') += printed;
    }
    /// Mostly of days that exist, with the ends of months and days more often than not.
    void timestamp(std::string& text) {
        const auto edge = [this](std::uint32_t first, std::uint32_t last) {
            const auto which = below(4);
            return which == 0 ? first : which == 1 ? last : first + below(last - first + 1);
        };
        constexpr std::array<std::uint32_t, 12> years{0, 1, 4, 100, 400, 1900, 1969, 1970, 2000, 2023, 2024, 9999};
        digits(text, below(3) == 0 ? years[below(years.size())] : below(10'000), 4);
        text += '-';
        const auto month = below(4) == 0 ? 2 : edge(1, 12);
        digits(text, month, 2);
        text += '-';
        digits(text, month == 2 ? edge(1, 29) : edge(1, below(2) == 0 ? 30 : 31), 2);
        text += "TTTt "[below(5)];
        digits(text, edge(0, 23), 2);
        text += ':';
        digits(text, edge(0, 59), 2);
        text += ':';
        digits(text, edge(0, 59), 2);
        if (below(3) == 0) {
            text += '.';
            for (auto size = 1 + below(12); size > 0; --size) { text += static_cast<char>('0' + below(10)); }
        }
        if (below(3) != 0) {
            text += "ZZZz"[below(4)];
            return;
        }
        text += "+-"[below(2)];
        digits(text, edge(0, 23), 2);
        text += ':';
        digits(text, edge(0, 59), 2);
    }
    void mutate(std::string& text) {
        const auto at = below(static_cast<std::uint32_t>(text.size()) + 1);
        switch (below(8)) {
            case 0: text.erase(at); break;
            case 1: text.insert(at, 1, any_byte()); break;
            case 2: text.erase(at, 1); break;
            case 3:
                if (at + 1 < text.size()) { std::swap(text[at], text[at + 1]); }
                break;
            case 4:
                if (at < text.size()) {
                    text[at] = static_cast<char>(static_cast<unsigned char>(text[at]) ^ (1U << below(8)));
                }
                break;
            case 5:
                if (at < text.size()) { text[at] = any_byte(); }
                break;
            default: // another digit: a number out of range, or a good one
                if (at < text.size() && text[at] >= '0' && text[at] <= '9') {
                    text[at] = static_cast<char>('0' + below(10));
                }
        }
    }

    std::mt19937_64 random_;
};

auto shown(std::string_view text) -> std::string {
    std::string all;
    for (const auto c : text) {
        std::array<char, 5> hex{};
        const auto byte = static_cast<unsigned char>(c);
        std::snprintf(hex.data(), hex.size(), byte < 0x20 || byte > 0x7e ? "\\x%02x" : "%c", byte);
        all += hex.data();
    }
    return all;
}

/// Whether all readers of the library agree with the reference.
auto agrees(std::string_view text, const std::optional<std::int64_t>& wanted,
            const std::optional<std::int64_t>& wanted_seconds) -> bool {
    const auto read = freshet::parse_rfc3339(text);
    if (read.ok() != wanted.has_value()) { return false; }
    if (read && read->time_since_epoch().count() != *wanted) { return false; }
    if (!read && read.fault().offset > text.size()) { return false; }
    if (text.size() < 19) { return true; }
    std::int64_t wordwise = 0;
    std::int64_t bytewise = 0;
    return freshet::detail::read_seconds_wordwise(text.data(), wordwise) == wanted_seconds.has_value() &&
           freshet::detail::read_seconds_bytewise(text.data(), bytewise) == wanted_seconds.has_value() &&
           wordwise == wanted_seconds.value_or(0) && bytewise == wanted_seconds.value_or(0);
}

} // namespace

auto main() -> int {
    const auto seed = support::seed();
    const auto cases = support::cases(10'000'000);
    const calendar days;
    writer texts{seed};
    std::size_t accepted = 0;
    std::string text;
    for (std::size_t i = 0; i < cases; ++i) {
        texts.next(text);
        const auto wanted = reader{days, text}.instant();
        const auto seconds = reader{days, std::string_view{text}.substr(0, 19)}.seconds();
        accepted += wanted ? 1 : 0;
        if (!agrees(text, wanted, seconds)) {
            std::printf("seed %llu, case %zu: read otherwise than the reference reads it: '%s'\n",
                        static_cast<unsigned long long>(seed), i, shown(text).c_str());
            return 1;
        }
    }
    std::printf("seed %llu: %zu timestamps, %zu of them good (%.0f %%), all read as the reference reads them\n",
                static_cast<unsigned long long>(seed), cases, accepted,
                100 * static_cast<double>(accepted) / static_cast<double>(cases));
    const bool mixed = accepted * 5 > cases && accepted * 5 < 4 * cases;
    return mixed || cases < 1'000 ? 0 : 1; // texts of one kind alone would show little
}
