#include <freshet/core/epoch_seconds.hpp>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <support/json_oracle.hpp>

using freshet::parse_epoch_seconds;

namespace {

constexpr auto micros(std::string_view text) -> std::int64_t {
    return parse_epoch_seconds(text).value().time_since_epoch().count();
}
constexpr auto refused(std::string_view text) -> bool { return !parse_epoch_seconds(text).ok(); }
constexpr auto out_of_range(std::string_view text) -> bool {
    return refused(text) && parse_epoch_seconds(text).fault().reason == "an instant outside the years 0000 to 9999";
}

} // namespace

static_assert(micros("0") == 0 && micros("-0") == 0 && micros("0.0") == 0 && micros("0e99") == 0);
static_assert(micros("1479499740") == 1'479'499'740'000'000 && micros("1479499740.5") == 1'479'499'740'500'000);
static_assert(micros("1.47949974E9") == 1'479'499'740'000'000 && micros("1.47949974e+9") == 1'479'499'740'000'000 &&
              micros("14794997400e-1") == 1'479'499'740'000'000);
static_assert(micros("0.000001") == 1 && micros("1e-6") == 1 && micros("001") == 1'000'000);
// Cut toward the past, never rounded.
static_assert(micros("0.0000019") == 1 && micros("1.9999999999999999999999999999999") == 1'999'999 &&
              micros("1e-7") == 0 && micros("1e-999999999999999999999") == 0);
static_assert(micros("-0.0000001") == -1 && micros("-1.0000001") == -1'000'001 && micros("-1.0000000") == -1'000'000 &&
              micros("-1e-99") == -1);
static_assert(micros("253402300799.9999999") == 253'402'300'799'999'999 && out_of_range("253402300800") &&
              out_of_range("1e12"));
static_assert(micros("-62167219200") == -62'167'219'200'000'000 && out_of_range("-62167219200.0000001") &&
              out_of_range("-62167219201"));
static_assert(out_of_range("1e999999999999999999999") && out_of_range("99999999999999999999999999999999") &&
              out_of_range("-1e300"));
static_assert(micros("0.000000000000000000000000000000147949974e40") == 1'479'499'740'000'000);
static_assert(micros("147949974000000000000000000000000000000e-29") == 1'479'499'740'000'000);
static_assert(refused("") && refused("-") && refused("+1") && refused(".5") && refused("5.") && refused("-.5") &&
              refused("1e") && refused("1e+") && refused("1e1.0") && refused("e5"));
static_assert(refused(" 1") && refused("1 ") && refused("1,5") && refused("0x10") && refused("NaN") &&
              refused("1_000") && refused("--1") && refused("1.2.3") && refused("2024-01-15T10:30:00Z"));

TEST_CASE("seconds are read as decimals, whatever their spelling") {
    std::mt19937_64 random{6};
    std::size_t good = 0;
    for (int i = 0; i < 10'000; ++i) {
        std::string text = random() % 3 == 0 ? "-" : "";
        const auto digits = [&](std::size_t most) {
            for (auto n = random() % most; n > 0; --n) { text += "0012569"[random() % 7]; }
        };
        digits(14);
        if (random() % 2 == 0) {
            text += '.';
            digits(12);
        }
        if (random() % 3 == 0) { text += (random() % 2 == 0 ? "e" : "E-") + std::to_string(random() % 12); }
        if (random() % 20 == 0) { text += "x"; }
        const auto read = parse_epoch_seconds(text);
        const auto wanted = oracle::read_seconds(text);
        good += read ? 1 : 0;
        if (read.ok() != wanted.has_value() || (wanted && read->time_since_epoch().count() != *wanted)) { FAIL(text); }
    }
    CHECK(good > 1000);
}
