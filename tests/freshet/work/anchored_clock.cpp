#include <freshet/work/anchored_clock.hpp>

#include <doctest/doctest.h>

#include <chrono>

#include <freshet/work/wall_clock.hpp>

TEST_CASE("an anchored clock begins with the time of day and never goes back") {
    using namespace std::chrono_literals;
    const freshet::wall_clock wall;
    const auto before = wall.now();
    const freshet::anchored_clock clock;
    const auto first = clock.now();
    CHECK(first >= before - 1ms); // two clocks are read one after the other
    CHECK(first < before + 1h);
    auto last = first;
    for (int times = 0; times != 1'000; ++times) {
        const auto next = clock.now();
        REQUIRE(next >= last);
        last = next;
    }
}
