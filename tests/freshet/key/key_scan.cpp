#include <freshet/key/key_scan.hpp>

#include <array>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

namespace {

using freshet::key_slice;
using freshet::parse_fault;

constexpr std::string_view uuid = "550e8400-e29b-41d4-a716-44665544ABCF";

/// The fault of `key`, or {} for a match.
constexpr auto scan(std::string_view pattern, std::string_view key, key_slice* slices = nullptr) -> parse_fault {
    const auto layout = freshet::read_key_layout<64>(pattern);
    std::array<key_slice, 8> own{};
    auto* const found = slices != nullptr ? slices : own.data();
    return freshet::scan_key(pattern, {layout.pieces.data(), layout.size}, key, found);
}
constexpr auto matches(std::string_view pattern, std::string_view key) -> bool {
    return scan(pattern, key).reason.empty();
}
constexpr auto stops_at(std::string_view pattern, std::string_view key, std::size_t offset) -> bool {
    const auto fault = scan(pattern, key);
    return !fault.reason.empty() && fault.offset == offset;
}

static_assert(matches("A#B", "A#B") && stops_at("A#B", "A#", 2) && stops_at("A#B", "A-B", 1) && stops_at("A", "AA", 1));

static_assert(matches("{n:03d}", "000") && matches("{n:03d}", "007") && matches("{n:03d}", "1234"));
static_assert(stops_at("{n:03d}", "07", 2) && stops_at("{n:03d}", "0123", 0) && stops_at("{n:03d}", "", 0));
static_assert(stops_at("{n:03d}", "+07", 0) && stops_at("{n:03d}", "0 7", 1) && stops_at("{n:03d}", "007 ", 3));
static_assert(matches("{n:d}", "0") && matches("{n:d}", "10") && stops_at("{n:d}", "00", 0));
static_assert(stops_at("{n:d}", "-1", 0));
static_assert(stops_at("{n:d}", "\xd9\xa1", 0), "an Arabic digit is no digit here");
static_assert(matches("{n:d}", "18446744073709551615") && stops_at("{n:d}", "18446744073709551616", 0));
static_assert(stops_at("{n:d}", "28446744073709551615", 0) && stops_at("{n:d}", "100000000000000000000", 0));
static_assert(matches("{n:020d}", "00000000000000000001") && matches("{n:020d}", "18446744073709551615"));
static_assert(stops_at("{n:020d}", "18446744073709551616", 0) && stops_at("{n:020d}", "0000000000000000001", 19));
static_assert(stops_at("{n:020d}", "118446744073709551615", 0));

static_assert(matches("{a}", " ") && stops_at("{a}", "", 0) && stops_at("{a}", "x#", 1) && stops_at("{a}", "#", 0));
static_assert(matches("{a}#{b}", "x#y") && stops_at("{a}#{b}", "x#", 2) && stops_at("{a}#{b}", "#y", 0));
static_assert(matches("{a}", std::string_view{"\0\xff", 2}), "text is bytes");

static_assert(matches("{u:uuid}", uuid) && stops_at("{u:uuid}", uuid.substr(1), 7));
static_assert(stops_at("{u:uuid}", uuid.substr(0, 35), 35) && stops_at("{u:uuid}-", uuid, 36));
static_assert(stops_at("{u:uuid}", "550e8400-e29b-41d4-a716_44665544ABCF", 23));
static_assert(stops_at("{u:uuid}", "550e8400-e29b-41d4-a716-44665544ABCG", 35));

static_assert(matches("A#{r:*}", "A##") && matches("A#{r:*}", "A#b#c") && stops_at("A#{r:*}", "A#", 2));

static_assert(freshet::longest_digit_run("") == 0 && freshet::longest_digit_run("a12b345c6") == 3);
static_assert(freshet::longest_digit_run("1234a") == 4 && freshet::longest_digit_run("a1234") == 4);

TEST_CASE("every field is sliced as it stands in the key, and a number has its value") {
    const std::string key = "I#" + std::string{uuid} + "#00042#12345678901#a b#x#y";
    std::array<key_slice, 5> slices{};
    REQUIRE(scan("I#{u:uuid}#{n:05d}#{m:d}#{t}#{r:*}", key, slices.data()).reason.empty());
    CHECK(slices[0].text == uuid);
    CHECK(slices[1].text == "00042");
    CHECK(slices[1].number == 42);
    CHECK(slices[2].number == 12'345'678'901);
    CHECK(slices[3].text == "a b");
    CHECK(slices[4].text == "x#y");
}

TEST_CASE("a fault says which rule was broken") {
    CHECK(scan("A#{n:03d}", "A#01").reason == "a number has fewer digits than its padding");
    CHECK(scan("A#{n:03d}", "A#0123").reason == "a number wider than its padding starts with a zero");
    CHECK(scan("A#{n:d}", "A#99999999999999999999").reason == "a number is beyond 64 bits");
    CHECK(scan("A#{t}#B", "A#x").reason == "the key ends before its pattern does");
    CHECK(scan("A#{t}#B", "A#x#C").reason == "the key differs from its pattern");
    CHECK(scan("A#{t}", "A#x#C").reason == "the key goes on where its pattern ends");
}

} // namespace
