#include <receipts/money.hpp>

#include <string_view>

#include <doctest/doctest.h>

namespace {

using receipts::amount_text;
using receipts::carries_decimals;
using receipts::read_amount;

static_assert(read_amount("9.00") == 900);
static_assert(read_amount("0.00") == 0);

TEST_CASE("an amount is read with currency, grouping, brackets and tax codes around it") {
    CHECK(read_amount("$1,007.50") == 100'750);
    CHECK(read_amount("1,234,567.00") == 123'456'700);
    CHECK(read_amount("RM22.90") == 2290);
    CHECK(read_amount("rm22.90") == 2290);
    CHECK(read_amount("S$9.00") == 900);
    CHECK(read_amount("@1.75") == 175);
    CHECK(read_amount("(1.42") == 142);
    CHECK(read_amount("13.53SR") == 1353);
    CHECK(read_amount("100.000") == 10'000);
    CHECK(read_amount("\u20ac4.20") == 420);
}

TEST_CASE("an amount's sign is not read, wherever it stands") {
    CHECK(read_amount("-0.01") == 1);
    CHECK(read_amount("0.02-") == 2);
    CHECK(read_amount("-RM0.02") == 2);
}

TEST_CASE("letters that scanners print for digits are read as digits, beside a digit") {
    CHECK(read_amount("1O.50") == 1050);
    CHECK(read_amount("l2.5O") == 1250);
    CHECK_FALSE(read_amount("lO.OO"));
}

TEST_CASE("what only looks like an amount is none") {
    for (const std::string_view text :
         {"", ".", "TOTAL", "15", "9.0", ".50", "6.00%", "55,57", "12,50", "4X1.25", "11.02.18", "10.00.53PM",
          "NO.12.50", "9.001", "123456789.00", "1,0000.00", "65045039@2.33", "RM"}) {
        CAPTURE(text);
        CHECK_FALSE(read_amount(text));
    }
}

TEST_CASE("an amount column holds unit prices, rates and decimal commas too") {
    for (const std::string_view text : {"9.00", "65045039@2.33", "6.00%", "12,50", "@6.00%:"}) {
        CAPTURE(text);
        CHECK(carries_decimals(text));
    }
    for (const std::string_view text : {"", "15", "9.0", "TOTAL", "1.", "a.bc"}) {
        CAPTURE(text);
        CHECK_FALSE(carries_decimals(text));
    }
}

TEST_CASE("an amount is printed with two decimals") {
    CHECK(amount_text(0) == "0.00");
    CHECK(amount_text(5) == "0.05");
    CHECK(amount_text(123'456) == "1234.56");
}

} // namespace
