#include <freshet/core/time_range.hpp>

#include <chrono>

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using freshet::time_point;
using freshet::time_range;

TEST_CASE("a range holds its start and what follows, and not its end") {
    constexpr time_range hour{time_point{1h}, time_point{2h}};
    static_assert(hour.contains(time_point{1h}));
    static_assert(hour.contains(time_point{2h} - 1us));
    static_assert(!hour.contains(time_point{2h}));
    static_assert(!hour.contains(time_point{1h} - 1us));
    static_assert(!hour.empty());
    CHECK(hour == time_range{time_point{1h}, time_point{2h}});
}

TEST_CASE("a range whose end is not after its start is empty, and holds nothing") {
    constexpr time_range none{time_point{1h}, time_point{1h}};
    constexpr time_range reversed{time_point{2h}, time_point{1h}};
    static_assert(none.empty() && !none.contains(time_point{1h}));
    static_assert(reversed.empty() && !reversed.contains(time_point{90min}));
    CHECK(time_range{}.empty());
}
