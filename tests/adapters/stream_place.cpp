#include <adapters/stream_place.hpp>

#include <cstdint>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>

using adapters::number_of;
using adapters::position_of;
using adapters::read_position;
using adapters::sequence_of;

TEST_CASE("sequence numbers have 21 digits, ascend with their numbers and give them back") {
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    CHECK(sequence_of(0).view() == "100000000000000000000");
    CHECK(sequence_of(42).view() == "100000000000000000042");
    CHECK(sequence_of(most).view() == "118446744073709551615");
    CHECK(sequence_of(9) < sequence_of(10));
    for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1'000'000}, most}) {
        CHECK(number_of(sequence_of(number)) == number);
    }
    CHECK(number_of(*freshet::sequence_number::parse("7")) == 0);
}

TEST_CASE("a position is read back, whatever the table is called") {
    const auto stream = adapters::stream_arn({.name = "a@7", .region = "eu-west-1", .account = "1"}, "now");
    CHECK(stream == "arn:aws:dynamodb:eu-west-1:1:table/a@7/stream/now");
    const auto place = read_position(position_of(stream, 12));
    REQUIRE(place.ok());
    CHECK(place->stream == stream);
    CHECK(place->number == 12);
}

TEST_CASE("what is no position is malformed, in one line") {
    for (const std::string bad : {"", "@", "12", "arn:x", "arn:x@", "arn:x@-1", "arn:x@1 ", "arn:x@1@",
                                  "arn:x@18446744073709551616", "x@1", "arn:x@\n"}) {
        CAPTURE(bad);
        const auto place = read_position(bad);
        REQUIRE(!place.ok());
        CHECK(place.why().code == freshet::errc::malformed);
        CHECK(place.why().note.find('\n') == std::string::npos);
    }
}
