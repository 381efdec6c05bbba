#include <freshet/core/parsed.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <doctest/doctest.h>

#include "dies_with.hpp"

using freshet::parse_fault;
using freshet::parsed;

namespace {

constexpr auto digit(std::string_view text) -> parsed<int> {
    if (text.empty()) { return parse_fault{0, "a digit is missing"}; }
    if (text[0] < '0' || text[0] > '9') { return parse_fault{0, "not a digit"}; }
    if (text.size() > 1) { return parse_fault{1, "bytes follow the digit"}; }
    return text[0] - '0';
}

} // namespace

static_assert(digit("7").ok() && *digit("7") == 7);
static_assert(digit("7x").fault() == parse_fault{1, "bytes follow the digit"});
static_assert(digit("x").value_or(-1) == -1 && digit("3").value_or(-1) == 3);
static_assert(!std::is_convertible_v<parsed<int>, bool>);

TEST_CASE("a parse yields a value, or where and why there is none") {
    const auto good = digit("4");
    REQUIRE(good);
    CHECK(good.value() == 4);
    const auto bad = digit("");
    REQUIRE_FALSE(bad);
    CHECK(bad.fault().offset == 0);
    CHECK(bad.fault().reason == "a digit is missing");
}

TEST_CASE("as a result, a fault is malformed input and names what was read and where") {
    CHECK(digit("4").as_result("level").value() == 4);
    const auto bad = digit("4.").as_result("level");
    REQUIRE_FALSE(bad);
    CHECK(bad.why() == freshet::error{freshet::errc::malformed, "level: bytes follow the digit at byte 1"});
}

TEST_CASE("what can only be moved can be moved out") {
    parsed<std::unique_ptr<int>> held{std::make_unique<int>(3)};
    CHECK(**held == 3);
    const std::unique_ptr<int> out = *std::move(held);
    CHECK(*out == 3);
}

TEST_CASE("members of the value are reached through an arrow") {
    const parsed<std::string> word{std::string{"word"}};
    CHECK(word->size() == 4);
}

TEST_CASE("asking for the side that is not there ends the process with one line") {
    CHECK(dies_with([] { static_cast<void>(digit("x").value()); }) == "freshet: not a digit\n");
    CHECK(dies_with([] { static_cast<void>(digit("1").fault()); }) ==
          "freshet: the fault of a good parse was asked for\n");
    CHECK(dies_with([] { static_cast<void>(digit("1").value()); }).empty());
}
