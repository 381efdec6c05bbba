#include <freshet/work/random_source.hpp>

#include <cstdint>
#include <random>

#include <doctest/doctest.h>

using freshet::random_source;

static_assert(std::uniform_random_bit_generator<random_source>);

TEST_CASE("a seed gives the numbers of SplitMix64, on every machine") {
    // The published generator's first numbers for the seed 1234567.
    constexpr std::uint64_t wanted[]{6457827717110365317U, 3203168211198807973U, 9817491932198370423U};
    random_source random{1'234'567};
    for (const auto number : wanted) { CHECK(random() == number); }
}

TEST_CASE("a copy goes on as the original does") {
    random_source random{7};
    static_cast<void>(random());
    auto copy = random;
    CHECK(random() == copy());
}
