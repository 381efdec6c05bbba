#include <freshet/core/number.hpp>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

using freshet::check_number;
using freshet::parse_number;
using std::string_view_literals::operator""sv;

namespace {

constexpr auto compares(std::string_view a, std::string_view b) -> std::strong_ordering {
    return freshet::compare(parse_number(a).value(), parse_number(b).value());
}

constexpr auto same(std::string_view a, std::string_view b) -> bool {
    return compares(a, b) == std::strong_ordering::equal && compares(b, a) == std::strong_ordering::equal;
}

constexpr auto less(std::string_view a, std::string_view b) -> bool {
    return compares(a, b) == std::strong_ordering::less && compares(b, a) == std::strong_ordering::greater;
}

constexpr auto accepts(std::string_view text) -> bool {
    return parse_number(text).ok() && !check_number(text).has_value();
}

constexpr auto refused_at(std::string_view text) -> std::size_t {
    const auto checked = check_number(text);
    return checked == parse_number(text).fault() ? checked->offset : std::string_view::npos;
}

constexpr auto writes(std::string_view number, std::string_view want) -> bool {
    std::array<char, 64> out{};
    out.fill('~');
    const auto* end = freshet::write_json_number(out.data(), number);
    const auto size = static_cast<std::size_t>(end - out.data());
    return std::string_view{out.data(), size} == want && size <= number.size() + 1;
}

constexpr auto nines38 = "99999999999999999999999999999999999999"sv;

// A second opinion that shares nothing with the code under test: the number spelled out around a fixed point.
struct spelled_out {
    bool negative{};
    std::string digits; // 400 before the point, 400 after it
};

auto spell_out(std::string_view text) -> spelled_out {
    spelled_out number;
    std::size_t at = 0;
    if (text[at] == '-' || text[at] == '+') { number.negative = text[at++] == '-'; }
    std::string whole;
    std::string fraction;
    auto* part = &whole;
    for (; at < text.size() && text[at] != 'e' && text[at] != 'E'; ++at) {
        if (text[at] == '.') { part = &fraction; }
        else { part->push_back(text[at]); }
    }
    int exponent = at < text.size() ? std::stoi(std::string{text.substr(at + 1)}) : 0;
    for (; exponent > 0; --exponent) {
        whole.push_back(fraction.empty() ? '0' : fraction.front());
        if (!fraction.empty()) { fraction.erase(0, 1); }
    }
    for (; exponent < 0; ++exponent) {
        fraction.insert(0, 1, whole.empty() ? '0' : whole.back());
        if (!whole.empty()) { whole.pop_back(); }
    }
    number.digits = std::string(400 - whole.size(), '0') + whole + fraction + std::string(400 - fraction.size(), '0');
    if (number.digits.find_first_not_of('0') == std::string::npos) { number.negative = false; }
    return number;
}

auto slow_compare(std::string_view a, std::string_view b) -> std::strong_ordering {
    const auto x = spell_out(a);
    const auto y = spell_out(b);
    if (x.negative != y.negative) { return x.negative ? std::strong_ordering::less : std::strong_ordering::greater; }
    return x.negative ? y.digits <=> x.digits : x.digits <=> y.digits;
}

// JSON's own grammar, letter by letter.
auto is_json_number(std::string_view text) -> bool {
    const auto digits = [&text] {
        std::size_t count = 0;
        for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; ++count) { text.remove_prefix(1); }
        return count;
    };
    if (text.starts_with('-')) { text.remove_prefix(1); }
    const auto zero = text.starts_with('0');
    const auto whole = digits();
    if (whole == 0 || (zero && whole > 1)) { return false; }
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        if (digits() == 0) { return false; }
    }
    if (text.starts_with('e') || text.starts_with('E')) {
        text.remove_prefix(1);
        if (text.starts_with('+') || text.starts_with('-')) { text.remove_prefix(1); }
        if (digits() == 0) { return false; }
    }
    return text.empty();
}

class number_maker {
public:
    explicit number_maker(std::uint64_t seed) : random_{seed} {}

    auto operator()() -> std::string {
        std::string text = std::array{"", "", "", "-", "-", "+"}[random_() % 6];
        const auto digits = [this, &text](std::size_t count) {
            for (; count > 0; --count) { text += "0001259"[random_() % 7]; } // ties are likely
        };
        digits(random_() % 3);
        const auto whole = random_() % 5;
        digits(whole + (text.empty() ? 1 : 0));
        if (random_() % 2 == 0) { text += '.'; }
        digits(random_() % 5 + 1);
        if (random_() % 3 == 0) {
            text += random_() % 2 == 0 ? 'e' : 'E';
            text += std::array{"", "+", "-"}[random_() % 3];
            const auto limit = random_() % 8 == 0 ? 119U : 5U;
            text += std::to_string(random_() % limit);
        }
        return text;
    }
    auto below(std::size_t limit) -> std::size_t { return random_() % limit; }

private:
    std::mt19937_64 random_;
};

} // namespace

TEST_CASE("numbers are equal by value, however they are written") {
    static_assert(same("1.0", "1"));
    static_assert(same("1E0", "1"));
    static_assert(same("-0", "0"));
    static_assert(same("0e1000", "0"));
    static_assert(parse_number("0.0e7").value().magnitude == 0);
    static_assert(same("-0.000E-99999999999999999999999", "0"));
    static_assert(same("0001.2300", "1.23"));
    static_assert(same("+3", "3"));
    static_assert(same("1e+5", "100000"));
    static_assert(same("123.456", "12345.6e-2"));
    static_assert(same("123.456", ".123456E3"));
    static_assert(same("5.", "5"));
    static_assert(same(".5", "0.50"));
    static_assert(same("100", "1e2"));
    static_assert(same("0.001", "1e-3"));
    static_assert(same("-12.50", "-1.25E+1"));
}

TEST_CASE("numbers are ordered by value beyond doubles and 64 bits") {
    static_assert(less("9", "10"));
    static_assert(less("-10", "-9"));
    static_assert(less("-1", "0"));
    static_assert(less("0", "1E-130"));
    static_assert(less("-1E-130", "0"));
    static_assert(less("9007199254740992", "9007199254740993"));
    static_assert(less("18446744073709551615", "18446744073709551616"));
    static_assert(less("0.1", "0.10000000000000000000000000000000000001"));
    static_assert(less("99999999999999999999999999999999999998", nines38));
    static_assert(less(nines38, "1e38"));
    static_assert(less("1.2", "1.21"));
    static_assert(less("-1.21", "-1.2"));
    static_assert(less("12.3", "12.31"));
}

TEST_CASE("what the service accepts is accepted") {
    for (const auto text : {"0", "-0", "+0", "7", "42", "-42", "+3", "0001.23", "1e+5", "1E5", "1e-5", "0e1000", ".123",
                            "-.123", "+.5e3", "5.", "5.e3", "-5.E-3", "00",
                            "0000000000000000000000000000000000000000007",
                            "1e0000000000000000000000000000000000000000000000005"}) {
        CAPTURE(text);
        CHECK(accepts(text));
    }
    static_assert(accepts("0001.23"));
}

TEST_CASE("what is no number is refused at the byte that makes it none") {
    struct refusal {
        std::string_view text;
        std::size_t offset;
    };
    for (const auto& refusal : {
             refusal{"", 0},     refusal{" ", 0},        refusal{" 1", 0},    refusal{"1 ", 1},   refusal{"-", 1},
             refusal{"+", 1},    refusal{".", 1},        refusal{"-.", 2},    refusal{"--1", 1},  refusal{"+-1", 1},
             refusal{"NaN", 0},  refusal{"Infinity", 0}, refusal{"-inf", 1},  refusal{"0x1F", 1}, refusal{"1_000", 1},
             refusal{"1,5", 1},  refusal{"1.2.3", 3},    refusal{"1e", 2},    refusal{"1e+", 3},  refusal{"1e+-5", 3},
             refusal{"1e5.", 3}, refusal{"e5", 0},       refusal{".e5", 1},   refusal{"1f", 1},   refusal{"1e5e5", 3},
             refusal{"1-", 1},   refusal{"1/", 1},       refusal{"1:", 1},    refusal{"1\0"sv, 1},
             refusal{"\xef\xbc\x91", 0}, // a full-width digit
         }) {
        CAPTURE(refusal.text);
        CHECK(refused_at(refusal.text) == refusal.offset);
    }
    static_assert(refused_at("") == 0);
    static_assert(refused_at("1_000") == 1);
}

TEST_CASE("38 significant digits are a number and 39 are not, zeros at either end apart") {
    static_assert(accepts(nines38));
    static_assert(refused_at("999999999999999999999999999999999999991") == 38);
    static_assert(accepts("999999999999999999999999999999999999990"));
    static_assert(accepts("9999999999999999999.9999999999999999999"));
    static_assert(refused_at("9999999999999999999.99999999999999999999") == 39);
    static_assert(refused_at("-00.999999999999999999999999999999999999999") == 42);
    static_assert(refused_at("100000000000000000000000000000000000001") == 38);
    static_assert(refused_at("1000000000000000000000000000000000000000000001") == 38);
    const std::string zeros(50, '0');
    CHECK(accepts(zeros + "99." + zeros));
    CHECK(accepts("-" + zeros + "." + zeros + std::string{nines38} + zeros));
    CHECK(accepts(std::string{nines38} + zeros + "." + zeros));
}

TEST_CASE("the magnitude runs from 1E-130 to 9.99E+125") {
    static_assert(accepts("1E-130"));
    static_assert(accepts("-1E-130"));
    static_assert(accepts("10E-131"));
    static_assert(refused_at("9.9E-131") == 3);
    static_assert(refused_at("0.1E-130") == 3);
    static_assert(accepts("9.9999999999999999999999999999999999999E+125"));
    static_assert(accepts("0.01E127"));
    static_assert(refused_at("1E126") == 1);
    static_assert(refused_at("-10e125") == 3);
    const auto wide = "1" + std::string(125, '0');
    CHECK(accepts(wide));
    CHECK(refused_at(wide + "0") == 0);
    CHECK(accepts("." + std::string(129, '0') + "1"));
    CHECK(refused_at("." + std::string(130, '0') + "1") == 131);
}

TEST_CASE("other limits may be asked for") {
    constexpr freshet::number_limits narrow{.significant_digits = 3, .smallest_magnitude = -2, .largest_magnitude = 4};
    for (const auto text : {"123", "12300", "0.01", "99900", "0", "0e99"}) {
        CAPTURE(text);
        CHECK_FALSE(check_number(text, narrow).has_value());
        CHECK(parse_number(text, narrow).ok());
    }
    for (const auto text : {"1234", "0.001", "100000", ".009", "1e5"}) {
        CAPTURE(text);
        CHECK(check_number(text, narrow).has_value());
        CHECK_FALSE(parse_number(text, narrow).ok());
    }
}

TEST_CASE("an exponent of thousands of digits neither overflows nor changes a zero") {
    static_assert(refused_at("1e9999999999999999999") == 1);
    const std::string nines(20'000, '9');
    CHECK(refused_at("1e" + nines) == 1);
    CHECK(refused_at("1e-" + nines) == 1);
    CHECK(accepts("0e" + nines));
    CHECK(accepts("0.0E-" + nines));
    CHECK(accepts("1e" + std::string(20'000, '0') + "5"));
    const std::string zeros(20'000, '0');
    CHECK(accepts("." + zeros + "1e20001")); // far apart, and yet 1
    CHECK(same("." + zeros + "1e20001", "1"));
    CHECK(same("1" + zeros + "E-20000", "1"));
}

TEST_CASE("a number is written as JSON with its own digits") {
    for (const auto text : {"0", "-0", "1", "-1", "10", "1.50", "0.5", "1e5", "1E+05", "0e1000",
                            "123456789012345678901234567890"}) {
        CAPTURE(text);
        CHECK(writes(text, text));
    }
    static_assert(writes("+3", "3"));
    static_assert(writes("0001.23", "1.23"));
    static_assert(writes("-007", "-7"));
    static_assert(writes("00", "0"));
    static_assert(writes("-00.50", "-0.50"));
    static_assert(writes("000e5", "0e5"));
    static_assert(writes(".5", "0.5"));
    static_assert(writes("-.5", "-0.5"));
    static_assert(writes("+.5", "0.5"));
    static_assert(writes("5.", "5"));
    static_assert(writes("5.e3", "5e3"));
    static_assert(writes("0005.E+3", "5E+3"));
    static_assert(writes("+0.", "0"));
}

TEST_CASE("random numbers compare as they do when spelled out, and keep their value as JSON") {
    constexpr std::uint64_t seed = 20240906;
    CAPTURE(seed);
    number_maker make{seed};
    int ties = 0;
    for (int round = 0; round < 2'000; ++round) {
        const auto a = make();
        auto b = make();
        if (round % 4 == 0) { // the same value in other clothes, or a near miss
            b = a;
            if (a.find_first_of("eE") == std::string::npos) { b += a.find('.') == std::string::npos ? ".00" : "00"; }
            if (round % 8 == 0 && b.find_first_of("eE") == std::string::npos) { b += '1'; }
        }
        CAPTURE(a);
        CAPTURE(b);
        REQUIRE(accepts(a));
        REQUIRE(accepts(b));
        const auto order = compares(a, b);
        REQUIRE(order == slow_compare(a, b));
        REQUIRE(compares(b, a) == 0 <=> order);
        ties += order == 0 ? 1 : 0;

        std::string json(a.size() + 2, '~');
        const auto* end = freshet::write_json_number(json.data(), a);
        REQUIRE(end <= json.data() + a.size() + 1);
        json.resize(static_cast<std::size_t>(end - json.data()));
        CAPTURE(json);
        REQUIRE(is_json_number(json));
        REQUIRE(same(a, json));
        if (is_json_number(a)) { REQUIRE(json == a); }
    }
    CHECK(ties > 100);
}

TEST_CASE("the quick check and the parser say the same of mutilated numbers") {
    constexpr std::uint64_t seed = 20240907;
    CAPTURE(seed);
    number_maker make{seed};
    int refused = 0;
    for (int round = 0; round < 10'000; ++round) {
        auto text = make();
        for (auto times = make.below(3); times > 0 && !text.empty(); --times) {
            const auto place = make.below(text.size());
            if (make.below(2) == 0) { text[place] = "0.eE+-x 9"[make.below(9)]; }
            else { text.erase(place, 1); }
        }
        const auto read = parse_number(text);
        const auto fault = check_number(text);
        CAPTURE(text);
        REQUIRE(read.ok() == !fault.has_value());
        if (!read) {
            ++refused;
            REQUIRE(*fault == read.fault());
            REQUIRE(fault->offset <= text.size());
        }
    }
    CHECK(refused > 1'000);
}
