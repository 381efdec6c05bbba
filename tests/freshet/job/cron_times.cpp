#include <freshet/job/cron_times.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/time.hpp>
#include <freshet/job/schedule.hpp>
#include <support/cases.hpp>

namespace {

using freshet::schedule;
using freshet::time_point;
using namespace std::chrono_literals;

// A second reading of the rules, which shares nothing with the header but the text: which values a field names is found
// by trying them all, and what follows an instant by looking at every day, and in it at every minute.

auto split(const std::string& text, char by) -> std::vector<std::string> {
    std::vector<std::string> parts{""};
    for (const char c : text) {
        if (c == by) {
            parts.emplace_back();
        } else {
            parts.back() += c;
        }
    }
    return parts;
}

struct bounds {
    int low;
    int high;
};

auto value_of(const std::string& text) -> int {
    const std::string months = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC";
    const std::string days = "SUN MON TUE WED THU FRI SAT";
    if (const auto at = months.find(text); at != months.npos && text.size() == 3) {
        return static_cast<int>(at / 4) + 1;
    }
    if (const auto at = days.find(text); at != days.npos && text.size() == 3) { return static_cast<int>(at / 4) + 1; }
    return std::stoi(text);
}

/// Which values a list of terms names, of `of.low` to `of.high`.
auto named(const std::string& field, bounds of) -> std::vector<char> {
    std::vector<char> values(static_cast<std::size_t>(of.high) + 1);
    for (const auto& term : split(field, ',')) {
        const auto parts = split(term, '/');
        const auto ends = split(parts[0], '-');
        auto value = ends[0] == "*" ? of.low : value_of(ends[0]);
        const auto last = ends.size() == 2 ? value_of(ends[1]) : ends[0] == "*" || parts.size() == 2 ? of.high : value;
        const auto step = parts.size() == 2 ? std::stoi(parts[1]) : 1;
        for (int walked = 0;; ++walked) { // one by one, around the end
            if (walked % step == 0) { values[static_cast<std::size_t>(value)] = 1; }
            if (value == last) { break; }
            value = value == of.high ? of.low : value + 1;
        }
    }
    return values;
}

struct day {
    int year;
    int month;
    int of_month;
    int of_week; // 1 is Sunday
    int length;  // of the month

    explicit day(time_point at) {
        using namespace std::chrono;
        const auto date_day = floor<days>(at);
        const year_month_day date{date_day};
        year = static_cast<int>(date.year());
        month = static_cast<int>(static_cast<unsigned>(date.month()));
        of_month = static_cast<int>(static_cast<unsigned>(date.day()));
        of_week = static_cast<int>(weekday{date_day}.c_encoding()) + 1;
        measure();
    }
    void measure() {
        length = month == 2 ? 28 : month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
        if (month == 2 && (year % 400 == 0 || (year % 4 == 0 && year % 100 != 0))) { length = 29; }
    }
    void move(int by) {
        of_week = (of_week - 1 + by + 7) % 7 + 1;
        of_month += by;
        if (of_month > length) {
            of_month = 1;
            month = month == 12 ? 1 : month + 1;
            year += month == 1 ? 1 : 0;
            measure();
        } else if (of_month < 1) {
            month = month == 1 ? 12 : month - 1;
            year -= month == 12 ? 1 : 0;
            measure();
            of_month = length;
        }
    }
    /// Whether day `other` of this month is one of Monday to Friday.
    [[nodiscard]] auto is_workday(int other) const -> bool {
        const auto weekday = ((of_week - 1 + other - of_month) % 7 + 7) % 7;
        return weekday != 0 && weekday != 6;
    }
};

class oracle {
public:
    explicit oracle(const std::string& text) {
        const auto fields = split(text.substr(5, text.size() - 6), ' ');
        minutes_ = named(fields[0], {0, 59});
        hours_ = named(fields[1], {0, 23});
        months_ = named(fields[3], {1, 12});
        years_ = named(fields[5], {1970, 2199});
        by_week_ = fields[2] == "?";
        days_ = by_week_ ? fields[4] : fields[2];
        if (days_ == "L" && by_week_) { days_ = "7"; }
        const auto is_list = days_.find('#') == days_.npos && days_.back() != 'L' && days_.back() != 'W';
        if (is_list) { values_ = by_week_ ? named(days_, {1, 7}) : named(days_, {1, 31}); }
    }

    [[nodiscard]] auto fires_on(const day& d) const -> bool {
        if (d.year < 1970 || d.year > 2199) { return false; }
        return years_[static_cast<std::size_t>(d.year)] != 0 && months_[static_cast<std::size_t>(d.month)] != 0 &&
               names(d);
    }
    [[nodiscard]] auto fires_at(int minute) const -> bool {
        return hours_[static_cast<std::size_t>(minute / 60)] != 0 &&
               minutes_[static_cast<std::size_t>(minute % 60)] != 0;
    }

    /// The first instant after `at`, or before it where `by` is -1; of `most_days` days.
    [[nodiscard]] auto find(time_point at, int by, int most_days) const -> std::optional<time_point> {
        const auto midnight = std::chrono::floor<std::chrono::days>(at);
        day d{at};
        for (int i = 0; i < most_days; ++i, d.move(by)) {
            if (!fires_on(d)) { continue; }
            for (int m = 0; m < 1440; ++m) {
                const auto minute = by > 0 ? m : 1439 - m;
                const time_point found = midnight + std::chrono::days{i * by} + std::chrono::minutes{minute};
                if (fires_at(minute) && (by > 0 ? found > at : found < at)) { return found; }
            }
        }
        return std::nullopt;
    }

private:
    [[nodiscard]] auto names(const day& d) const -> bool {
        if (!values_.empty()) { return values_[static_cast<std::size_t>(by_week_ ? d.of_week : d.of_month)] != 0; }
        if (days_ == "L") { return d.of_month == d.length; }
        if (days_ == "LW") {
            for (int later = d.of_month + 1; later <= d.length; ++later) {
                if (d.is_workday(later)) { return false; }
            }
            return d.is_workday(d.of_month);
        }
        if (days_.back() == 'W') {
            const auto wanted = std::stoi(days_);
            if (wanted > d.length || !d.is_workday(d.of_month)) { return false; }
            for (int other = 1; other <= d.length; ++other) {
                if (d.is_workday(other) && std::abs(other - wanted) < std::abs(d.of_month - wanted)) { return false; }
            }
            return true;
        }
        if (days_.back() == 'L') {
            return d.of_week == value_of(days_.substr(0, days_.size() - 1)) && d.of_month + 7 > d.length;
        }
        const auto parts = split(days_, '#');
        return d.of_week == value_of(parts[0]) && (d.of_month + 6) / 7 == std::stoi(parts[1]);
    }

    std::vector<char> minutes_;
    std::vector<char> hours_;
    std::vector<char> months_;
    std::vector<char> years_;
    bool by_week_{};
    std::string days_;
    std::vector<char> values_; // of the days; empty where they are no list
};

class maker {
public:
    explicit maker(std::uint64_t seed) : random_{seed} {}

    auto below(int n) -> int { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
    auto expression() -> std::string {
        std::string text = "cron(" + field({0, 59}) + " " + field({0, 23}) + " ";
        const auto by_week = below(2) == 0;
        text += by_week ? "? " : days_of_month() + " ";
        text += field({1, 12}) + " " + (by_week ? days_of_week() : "?") + " ";
        text += below(4) == 0 ? years() : "*";
        return text + ")";
    }
    auto instant() -> time_point {
        const auto whole = freshet::detail::end_of_schedules.time_since_epoch();
        return time_point{std::chrono::microseconds{
            static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(whole.count()))}};
    }

private:
    auto number(bounds of) -> int { return of.low + below(of.high - of.low + 1); }
    auto value(bounds of) -> std::string {
        constexpr std::string_view names = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDECSUNMONTUEWEDTHUFRISAT";
        const auto n = number(of);
        if (of.low != 1 || of.high > 12 || below(2) == 0) { return std::to_string(n); }
        return std::string{names.substr(static_cast<std::size_t>(n - 1 + (of.high == 7 ? 12 : 0)) * 3, 3)};
    }
    auto term(bounds of) -> std::string {
        const auto step = "/" + std::to_string(1 + below(of.high));
        switch (below(6)) {
            case 0: return value(of) + "-" + value(of);
            case 1: return value(of) + "-" + value(of) + step;
            case 2: return "*" + step;
            case 3: return value(of) + step;
            default: return value(of);
        }
    }
    auto field(bounds of) -> std::string {
        if (below(3) == 0) { return "*"; }
        auto text = term(of);
        for (auto more = below(3); more > 0; --more) { text += "," + term(of); }
        return text;
    }
    auto days_of_month() -> std::string {
        switch (below(6)) {
            case 0: return "L";
            case 1: return "LW";
            case 2: return std::to_string(1 + below(31)) + "W";
            default: return field({1, 31});
        }
    }
    auto days_of_week() -> std::string {
        switch (below(6)) {
            case 0: return "L";
            case 1: return value({1, 7}) + "L";
            case 2: return value({1, 7}) + "#" + std::to_string(1 + below(5));
            default: return field({1, 7});
        }
    }
    auto years() -> std::string {
        const auto first = 1970 + below(230);
        return std::to_string(first) + "-" + std::to_string(first + below(2200 - first)) + "/" +
               std::to_string(1 + below(9));
    }

    std::mt19937_64 random_;
};

} // namespace

TEST_SUITE("cron_times") {
    TEST_CASE("next, previous and between are what a search of every minute finds, for ten thousand expressions") {
        const auto seed = support::seed();
        CAPTURE(seed);
        maker make{seed};
        const auto cases = support::cases(10'000);
        constexpr int most_days = 500;
        std::size_t answered = 0;
        for (std::size_t i = 0; i < cases; ++i) {
            const auto text = make.expression();
            const auto asked = make.instant();
            CAPTURE(text);
            CAPTURE(asked.time_since_epoch().count());
            const auto read = schedule::parse(text);
            REQUIRE(read);
            const auto& when = *read;
            const oracle truth{text};

            const auto next = when.next(asked);
            const auto expected_next = truth.find(asked, 1, most_days);
            if (expected_next) {
                REQUIRE(next == expected_next);
            } else if (next) { // it lies beyond the search: it is one, and the one before it lies before `asked`
                REQUIRE(*next >= asked + std::chrono::days{most_days - 1});
                REQUIRE(truth.find(*next - 1us, 1, 2) == next);
                const auto before = when.previous(*next);
                REQUIRE((!before || *before <= asked));
            }
            const auto previous = when.previous(asked);
            const auto expected_previous = truth.find(asked, -1, most_days);
            if (expected_previous) {
                REQUIRE(previous == expected_previous);
            } else if (previous) {
                REQUIRE(*previous <= asked - std::chrono::days{most_days - 1});
                REQUIRE(truth.find(*previous + 1us, -1, 1) == previous);
                const auto after = when.next(*previous);
                REQUIRE((!after || *after > asked));
            }
            answered += expected_next && expected_previous ? 1 : 0;
            if (!expected_next || i % 10 != 0) { continue; }

            // three of them, from the first on and before the fourth
            std::vector<time_point> some{*expected_next};
            for (auto more = truth.find(some.back(), 1, most_days); more; more = truth.find(*more, 1, most_days)) {
                some.push_back(*more);
                if (some.size() == 4) { break; }
            }
            if (some.size() < 4) { continue; }
            std::vector<time_point> found;
            for (const auto at : when.between({some.front(), some.back()})) { found.push_back(at); }
            some.pop_back();
            REQUIRE(found == some);
        }
        CHECK(answered > cases / 2);
    }

    TEST_CASE("a set finds its values from either end, across its words") {
        freshet::value_set set;
        CHECK(set.first_from(0) == std::nullopt);
        CHECK(set.last_before(256) == std::nullopt);
        for (const std::size_t value : {0U, 63U, 64U, 128U, 229U, 255U}) { set.add(value); }
        CHECK(set.first_from(0) == 0);
        CHECK(set.first_from(1) == 63);
        CHECK(set.first_from(64) == 64);
        CHECK(set.first_from(65) == 128);
        CHECK(set.first_from(230) == 255);
        CHECK(set.first_from(256) == std::nullopt);
        CHECK(set.last_before(256) == 255);
        CHECK(set.last_before(255) == 229);
        CHECK(set.last_before(128) == 64);
        CHECK(set.last_before(64) == 63);
        CHECK(set.last_before(63) == 0);
        CHECK(set.last_before(1) == 0);
        CHECK(set.last_before(0) == std::nullopt);
    }

    TEST_CASE("a week's days are chosen in every month, wherever it starts") {
        constexpr freshet::day_choice mondays{.rule = freshet::day_rule::of_week, .set = 2};
        static_assert(freshet::detail::days_in(mondays, freshet::detail::month_of(2024, 8)) ==
                      (1U << 1 | 1U << 8 | 1U << 15 | 1U << 22 | 1U << 29)); // September starts on a Sunday
        static_assert(freshet::detail::days_in({.rule = freshet::day_rule::of_week, .set = 0x7f},
                                               freshet::detail::month_of(2024, 1)) == (1U << 29) - 1);
    }
}
