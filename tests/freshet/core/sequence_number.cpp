#include <freshet/core/sequence_number.hpp>

#include <algorithm>
#include <compare>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>

#include <doctest/doctest.h>

using freshet::sequence_number;
using std::string_view_literals::operator""sv;

namespace {

constexpr auto number(std::string_view text) -> sequence_number { return sequence_number::parse(text).value(); }

constexpr auto fault(std::string_view text) -> freshet::parse_fault { return sequence_number::parse(text).fault(); }

constexpr auto forty_nines = "9999999999999999999999999999999999999999"sv;

} // namespace

static_assert(std::is_trivially_copyable_v<sequence_number>);
static_assert(sizeof(sequence_number) <= 48);

TEST_CASE("sequence numbers are ordered by value, not as text") {
    static_assert(number("9") < number("10"));
    static_assert(number("100000000000000000000") > number("99999999999999999999")); // beyond 64 bits
    static_assert(number(forty_nines) > number("9999999999999999999999999999999999999998"));
    static_assert(number("0") < number("1"));
    static_assert(sequence_number{} == number("0"));
}

TEST_CASE("leading zeros change the text and not the value") {
    static_assert(number("007") == number("7"));
    static_assert(number("007") <=> number("7") == std::weak_ordering::equivalent);
    static_assert(number("007").view() == "007");
    static_assert(number("7").view() == "7");
    static_assert(number("0000000000000000000000000000000000000000") == number("0"));
    static_assert(number("0010") > number("9"));
}

TEST_CASE("a sequence number has 1 to 40 decimal digits") {
    static_assert(number(forty_nines).view() == forty_nines);
    static_assert(fault("").offset == 0);
    static_assert(fault("99999999999999999999999999999999999999990").offset == 40);
    static_assert(fault("12 ").offset == 2);
    static_assert(fault("-1").offset == 0);
    static_assert(fault("+1").offset == 0);
    static_assert(fault("1.0").offset == 1);
    static_assert(fault("1/").offset == 1); // the neighbours of the digits
    static_assert(fault("1:").offset == 1);
    static_assert(fault("1\0"sv).offset == 1);
    static_assert(fault("\xd9\xa1").offset == 0); // an Arabic-Indic digit
    CHECK(fault("").reason != fault("x").reason);
}

TEST_CASE("random numbers compare as a slow comparison of their digits does") {
    constexpr std::uint64_t seed = 20240901;
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const auto draw = [&random] {
        std::string text(1 + random() % 40, '0');
        const auto digits = 1 + random() % 10; // few digits make ties likely
        for (auto& digit : text) { digit = static_cast<char>('0' + static_cast<int>(random() % digits)); }
        return text;
    };
    const auto stripped = [](const std::string& text) {
        return text.substr(std::min(text.find_first_not_of('0'), text.size()));
    };
    for (int round = 0; round < 5'000; ++round) {
        const auto a = draw();
        const auto b = round % 4 == 0 ? "0" + a.substr(0, 39) : draw();
        const auto x = stripped(a);
        const auto y = stripped(b);
        const auto want = x.size() != y.size() ? x.size() <=> y.size() : x.compare(y) <=> 0;
        CAPTURE(a);
        CAPTURE(b);
        REQUIRE((number(a) <=> number(b)) == want);
        REQUIRE((number(a) == number(b)) == (want == 0));
        REQUIRE(number(a).view() == a);
    }
}
