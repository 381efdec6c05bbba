#include <freshet/core/rfc3339.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using freshet::format_rfc3339;
using freshet::parse_rfc3339;
using freshet::time_point;
using std::string_view_literals::operator""sv;

namespace {

constexpr auto micros(std::string_view text) -> std::int64_t {
    return parse_rfc3339(text).value().time_since_epoch().count();
}

constexpr auto at(std::int64_t micros_since_1970) -> time_point {
    return time_point{freshet::duration{micros_since_1970}};
}

constexpr auto prints(std::int64_t micros_since_1970, int digits, std::string_view want) -> bool {
    return format_rfc3339(at(micros_since_1970), digits).value().view() == want;
}

struct refusal {
    std::string_view text;
    std::size_t offset;
};

constexpr refusal refusals[] = {
    {"", 0},
    {"2024", 4},
    {"2024-01-09", 10},
    {"2024-01-09T04:07:03", 19},        // no zone
    {"2024-01-09T04:07:03.5", 21},      // no zone behind a fraction
    {"2024-01-09T04:07:03.Z", 20},      // a fraction without digits
    {"2024-01-09T04:07:03.", 20},
    {"2024-01-09T04:07:03,5Z", 19},     // ISO 8601's comma
    {"2024-01-09T04:07Z", 16},          // no seconds
    {"2024-1-9T4:7:3Z", 6},
    {"24-01-09T04:07:03Z", 2},
    {"+2024-01-09T04:07:03Z", 0},
    {"-024-01-09T04:07:03Z", 0},
    {"12024-01-09T04:07:03Z", 4},
    {"20240109T040703Z", 4},            // ISO 8601's basic form
    {"2024-W02-2T04:07:03Z", 5},        // a week date
    {"2024-009T04:07:03ZZZ", 5},        // an ordinal date: month 00
    {"2024/01/09T04:07:03Z", 4},
    {"2024-01-09_04:07:03Z", 10},
    {"2024-01-09  04:07:03Z", 11},
    {"2024-01-09T04.07:03Z", 13},
    {"2024-00-09T04:07:03Z", 5},
    {"2024-13-09T04:07:03Z", 5},
    {"2024-20-09T04:07:03Z", 5},
    {"2024-01-00T04:07:03Z", 8},
    {"2024-01-32T04:07:03Z", 8},
    {"2024-01-40T04:07:03Z", 8},
    {"2024-04-31T04:07:03Z", 8},
    {"2024-02-30T04:07:03Z", 8},
    {"2023-02-29T04:07:03Z", 8},
    {"1900-02-29T04:07:03Z", 8},        // a century that is no leap year
    {"2024-01-09T24:00:00Z", 11},
    {"2024-01-09T30:00:00Z", 11},
    {"2024-01-09T04:60:03Z", 14},
    {"2016-12-31T23:59:60Z", 17},       // a leap second
    {"2024-01-09T04:07:03ZZ", 20},
    {"2024-01-09T04:07:03Z ", 20},
    {" 2024-01-09T04:07:03Z", 0},
    {"2024-01-09T04:07:03Z\0"sv, 20},
    {"2024-01-09T04:07:03+0000", 22},
    {"2024-01-09T04:07:03+00", 22},
    {"2024-01-09T04:07:03+00:0", 24},
    {"2024-01-09T04:07:03+00:00Z", 25},
    {"2024-01-09T04:07:03+24:00", 20},
    {"2024-01-09T04:07:03-00:60", 23},
    {"2024-01-09T04:07:03+", 20},
    {"2024-01-09T04:07:03 Z", 19},
    {"2024-01-09T04:07:03UTC", 19},
    {"2024-01-09T04:07:03.5 Z", 21},
    {"2024-01-09T04:07:03\xe2\x88\x92" "01:00", 19}, // the typographer's minus
    {"2024-01-09T04:07:0\xb9Z", 18},
};

constexpr auto refuses_as_said() -> bool {
    return std::all_of(std::begin(refusals), std::end(refusals), [](const refusal& r) {
        const auto read = parse_rfc3339(r.text);
        return !read && read.fault().offset == r.offset;
    });
}

} // namespace

TEST_CASE("every form that RFC 3339 allows is read") {
    static_assert(micros("1970-01-01T00:00:00Z") == 0);
    static_assert(micros("2024-01-09T04:07:03Z") == 1'704'773'223'000'000);
    static_assert(micros("2024-01-09t04:07:03z") == 1'704'773'223'000'000);
    static_assert(micros("2024-01-09 04:07:03Z") == 1'704'773'223'000'000);
    static_assert(micros("2024-01-09T04:07:03+00:00") == 1'704'773'223'000'000);
    static_assert(micros("2024-01-09T04:07:03-00:00") == 1'704'773'223'000'000); // zone unknown, time in UTC
    static_assert(micros("2024-01-09T05:37:03+01:30") == 1'704'773'223'000'000);
    static_assert(micros("2024-01-08T23:07:03-05:00") == 1'704'773'223'000'000);
    static_assert(micros("2024-02-29T23:59:59Z") == 1'709'251'199'000'000);
    static_assert(micros("2000-02-29T00:00:00Z") == 951'782'400'000'000);
    static_assert(micros("0000-01-01T00:00:00Z") == -62'167'219'200'000'000);
    static_assert(micros("9999-12-31T23:59:59.999999Z") == 253'402'300'799'999'999);
    static_assert(micros("1970-01-02T00:00:00+23:59") == 60'000'000);
    static_assert(micros("0000-01-01T00:00:00+23:59") == -62'167'219'200'000'000 - 86'340'000'000);
    for (const auto text : {"2024-01-09T04:07:03Z", "2024-01-09t04:07:03z", "2024-01-09 04:07:03+00:00"}) {
        CHECK(micros(text) == 1'704'773'223'000'000);
    }
}

TEST_CASE("a fraction is cut to microseconds, never rounded, and always adds forward") {
    static_assert(micros("1970-01-01T00:00:00.5Z") == 500'000);
    static_assert(micros("1970-01-01T00:00:00.000001Z") == 1);
    static_assert(micros("1970-01-01T00:00:00.0000019Z") == 1);
    static_assert(micros("1970-01-01T00:00:00.9999999999999999999999999999Z") == 999'999);
    static_assert(micros("1969-12-31T23:59:59.999999Z") == -1);
    static_assert(micros("1969-12-31T23:59:59.25Z") == -750'000);
    static_assert(micros("1969-12-31T23:59:58.9999999+00:00") == -1'000'001);
    static_assert(micros("1970-01-01T00:00:00.1+00:01") == -59'900'000);
    CHECK(micros("1969-12-31T23:59:59.25Z") == -750'000);
}

TEST_CASE("nothing looser is read, and the fault names the offending byte") {
    static_assert(refuses_as_said());
    for (const auto& refusal : refusals) {
        CAPTURE(refusal.text);
        const auto read = parse_rfc3339(refusal.text);
        REQUIRE_FALSE(read.ok());
        CHECK(read.fault().offset == refusal.offset);
        CHECK_FALSE(read.fault().reason.empty());
    }
}

TEST_CASE("every cut of a good timestamp is refused where it ends") {
    constexpr auto whole = "2024-01-09T04:07:03.25-05:30"sv;
    REQUIRE(parse_rfc3339(whole).ok());
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto read = parse_rfc3339(whole.substr(0, size));
        CAPTURE(size);
        REQUIRE_FALSE(read.ok());
        CHECK(read.fault().offset == size);
    }
}

TEST_CASE("the wordwise reader and the bytewise one agree on every single-byte change") {
    for (const auto base : {"2024-02-29T23:59:59"sv, "1999-10-31t00:00:00"sv, "0000-01-01 10:20:30"sv}) {
        for (std::size_t place = 0; place < base.size(); ++place) {
            for (int byte = 0; byte < 256; ++byte) {
                std::string text{base};
                text[place] = static_cast<char>(byte);
                std::int64_t words = 0;
                std::int64_t bytes = 0;
                const auto by_words = freshet::detail::read_seconds_wordwise(text.data(), words);
                const auto by_bytes = freshet::detail::read_seconds_bytewise(text.data(), bytes);
                CAPTURE(text);
                REQUIRE(by_words == by_bytes);
                REQUIRE(words == bytes);
                const auto read = parse_rfc3339(text + "Z");
                REQUIRE(read.ok() == by_bytes);
                if (!by_bytes) { // a number out of range is named by its first digit, a day also for its month's sake
                    const auto offset = read.fault().offset;
                    REQUIRE((offset == place || offset + 1 == place || (offset == 8 && place < 8)));
                }
            }
        }
    }
}

TEST_CASE("the two readers agree on random digits and separators") {
    constexpr std::uint64_t seed = 20240904;
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    int good = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string text = "0000-00-00T00:00:00";
        for (auto& c : text) {
            if (c == '0') { c = static_cast<char>('0' + random() % (round % 2 == 0 ? 4 : 11)); }
        }
        if (round % 2 == 0) { text[5] = '0'; }
        if (random() % 8 == 0) { text[random() % text.size()] = static_cast<char>(random() & 0xff); }
        std::int64_t words = 0;
        std::int64_t bytes = 0;
        const auto by_words = freshet::detail::read_seconds_wordwise(text.data(), words);
        CAPTURE(text);
        REQUIRE(by_words == freshet::detail::read_seconds_bytewise(text.data(), bytes));
        REQUIRE(words == bytes);
        good += by_words ? 1 : 0;
    }
    CHECK(good > 2'000); // the property would be empty otherwise
}

TEST_CASE("the first and the last day of every month are where the calendar has them") {
    for (int year = 0; year <= 9999; ++year) {
        if (year % 100 != 0 && year % 13 != 0) { continue; }
        for (unsigned month = 1; month <= 12; ++month) {
            const auto first = std::chrono::year{year} / static_cast<int>(month) / 1;
            const auto last = std::chrono::year_month_day{first.year() / first.month() / std::chrono::last};
            char text[64];
            for (const auto day : {1U, static_cast<unsigned>(last.day()), static_cast<unsigned>(last.day()) + 1}) {
                std::snprintf(text, sizeof text, "%04d-%02u-%02uT00:00:00Z", year, month, day);
                const auto read = parse_rfc3339(std::string_view{text, 20});
                CAPTURE(text);
                REQUIRE(read.ok() == (day <= static_cast<unsigned>(last.day())));
                if (read) { REQUIRE(*read == std::chrono::sys_days{first} + std::chrono::days{day - 1}); }
            }
        }
    }
}

TEST_CASE("an instant is printed in UTC with its fraction cut") {
    static_assert(prints(0, 0, "1970-01-01T00:00:00Z"));
    static_assert(prints(0, 3, "1970-01-01T00:00:00.000Z"));
    static_assert(prints(1'704'773'223'456'789, 3, "2024-01-09T04:07:03.456Z"));
    static_assert(prints(1'704'773'223'999'999, 0, "2024-01-09T04:07:03Z"));
    static_assert(prints(1'704'773'223'999'999, 1, "2024-01-09T04:07:03.9Z"));
    static_assert(prints(-1, 6, "1969-12-31T23:59:59.999999Z"));
    static_assert(prints(-1, 3, "1969-12-31T23:59:59.999Z"));
    static_assert(prints(-1, 0, "1969-12-31T23:59:59Z"));
    static_assert(prints(-62'167'219'200'000'000, 0, "0000-01-01T00:00:00Z"));
    static_assert(prints(253'402'300'799'999'999, 6, "9999-12-31T23:59:59.999999Z"));
    static_assert(format_rfc3339(time_point{1'704'773'223s}).value().view() == "2024-01-09T04:07:03.000Z");
    CHECK(format_rfc3339(at(-1), 2).value().view() == "1969-12-31T23:59:59.99Z");
}

TEST_CASE("years beyond four digits and odd numbers of digits are not printed") {
    static_assert(!format_rfc3339(at(-62'167'219'200'000'001)));
    static_assert(!format_rfc3339(at(253'402'300'800'000'000)));
    static_assert(!format_rfc3339(time_point::min()));
    static_assert(!format_rfc3339(time_point::max()));
    static_assert(!format_rfc3339(at(0), -1));
    static_assert(!format_rfc3339(at(0), 7));
    CHECK(format_rfc3339(at(0), 7).fault().reason != format_rfc3339(time_point::max()).fault().reason);
}

TEST_CASE("what is printed with six digits is read back as it was") {
    constexpr std::uint64_t seed = 20240905;
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    std::uniform_int_distribution<std::int64_t> pick{-62'167'219'200'000'000, 253'402'300'799'999'999};
    for (int round = 0; round < 10'000; ++round) {
        const auto instant = at(pick(random));
        const auto text = format_rfc3339(instant, 6).value();
        CAPTURE(text.view());
        REQUIRE(text.view().size() == 27);
        REQUIRE(parse_rfc3339(text.view()).value() == instant);
        const auto coarse = parse_rfc3339(format_rfc3339(instant).value().view()).value();
        REQUIRE(coarse == std::chrono::floor<std::chrono::milliseconds>(instant));
    }
}
