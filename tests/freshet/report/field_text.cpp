#include <freshet/report/field_text.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <freshet/core/time.hpp>
#include <support/environment_variable.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::field_text;

} // namespace

TEST_CASE("a text is itself") {
    CHECK(field_text("literal") == "literal");
    CHECK(field_text(std::string{"a \"b\"\n"}) == "a \"b\"\n");
    CHECK(field_text(std::string_view{"\0\xff", 2}) == std::string{"\0\xff", 2});
    CHECK(field_text("") == "");
}

TEST_CASE("bools and whole numbers are in words and decimals, small ones too") {
    CHECK(field_text(true) == "true");
    CHECK(field_text(false) == "false");
    CHECK(field_text(0) == "0");
    CHECK(field_text(std::uint8_t{65}) == "65");
    CHECK(field_text(std::int8_t{-65}) == "-65");
    CHECK(field_text(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
    CHECK(field_text(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
}

TEST_CASE("a floating-point number is as short as gives it back, without a sign of nothing") {
    CHECK(field_text(0.1) == "0.1");
    CHECK(field_text(0.1F) == "0.1");
    CHECK(field_text(100.0) == "100");
    CHECK(field_text(100'000.0) == "100000");
    CHECK(field_text(1e30) == "1e+30");
    CHECK(field_text(1.0 / 3) == "0.3333333333333333");
    CHECK(field_text(-0.0) == "0");
    CHECK(field_text(std::numeric_limits<double>::quiet_NaN()) == "nan");
    CHECK(field_text(-std::numeric_limits<double>::quiet_NaN()) == "nan");
    CHECK(field_text(std::numeric_limits<double>::infinity()) == "inf");
    CHECK(field_text(-std::numeric_limits<double>::infinity()) == "-inf");
}

TEST_CASE("a duration is one exact number and its unit") {
    CHECK(field_text(freshet::duration{}) == "0s");
    CHECK(field_text(1us) == "1us");
    CHECK(field_text(999us) == "999us");
    CHECK(field_text(1ms) == "1ms");
    CHECK(field_text(1'500us) == "1.5ms");
    CHECK(field_text(1'001us) == "1.001ms");
    CHECK(field_text(999'999us) == "999.999ms");
    CHECK(field_text(1s) == "1s");
    CHECK(field_text(1'500ms) == "1.5s");
    CHECK(field_text(1'000'001us) == "1.000001s");
    CHECK(field_text(10s) == "10s");
    CHECK(field_text(1h) == "3600s");
    CHECK(field_text(-1us) == "-1us");
    CHECK(field_text(-1'250ms) == "-1.25s");
    CHECK(field_text(freshet::duration::max()) == "9223372036854.775807s");
    CHECK(field_text(freshet::duration::min()) == "-9223372036854.775808s");
}

TEST_CASE("an instant is in UTC to the microsecond, whatever the zone of the process") {
    const support::environment_variable zone{"TZ", "America/New_York"};
    CHECK(field_text(freshet::time_point{1'736'936'000s}) == "2025-01-15T10:13:20.000000Z");
    CHECK(field_text(freshet::time_point{-1us}) == "1969-12-31T23:59:59.999999Z");
    CHECK(field_text(std::chrono::sys_seconds{0s}) == "1970-01-01T00:00:00.000000Z");
}

TEST_CASE("an instant that has no year of four digits is the microseconds since 1970") {
    CHECK(field_text(freshet::time_point::max()) == "@9223372036854775807us");
    CHECK(field_text(freshet::time_point::min()) == "@-9223372036854775808us");
    CHECK(field_text(freshet::time_point{253'402'300'800s}) == "@253402300800000000us");
    CHECK(field_text(freshet::time_point{253'402'300'800s - 1us}) == "9999-12-31T23:59:59.999999Z");
}

TEST_CASE("an absent value is a dash, and a present one itself") {
    CHECK(field_text(std::optional<int>{}) == "-");
    CHECK(field_text(std::optional<int>{7}) == "7");
    CHECK(field_text(std::optional<std::string>{"text"}) == "text");
    CHECK(field_text(std::optional<freshet::duration>{2ms}) == "2ms");
    CHECK(field_text(std::optional<std::optional<bool>>{std::optional<bool>{}}) == "-");
}

TEST_CASE("text is appended to what is there") {
    std::string out = "took=";
    freshet::append_field_text(out, 2ms);
    CHECK(out == "took=2ms");
}
