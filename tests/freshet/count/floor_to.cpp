#include <freshet/count/floor_to.hpp>

#include <chrono>
#include <cstdint>

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using freshet::duration;
using freshet::floor_to;
using freshet::time_point;

namespace {

constexpr auto at(duration since_1970) -> time_point { return time_point{since_1970}; }

} // namespace

TEST_CASE("an instant is floored toward the past, before 1970 as after it") {
    static_assert(floor_to(at(0us), 1min) == at(0us));
    static_assert(floor_to(at(59'999'999us), 1min) == at(0us));
    static_assert(floor_to(at(60s), 1min) == at(1min));
    static_assert(floor_to(at(-1us), 1min) == at(-1min));
    static_assert(floor_to(at(-60s), 1min) == at(-1min));
    static_assert(floor_to(at(-60'000'001us), 1min) == at(-2min));
    static_assert(floor_to(at(-1us), 24h) == at(-24h));
    CHECK(floor_to(at(-1us), 7us) == at(-7us));
}

TEST_CASE("an instant lies in the bucket that it is floored to, whatever the width") {
    for (std::int64_t width = 1; width <= 7; ++width) {
        for (std::int64_t micros = -50; micros <= 50; ++micros) {
            const auto start = floor_to(at(duration{micros}), duration{width}).time_since_epoch().count();
            CAPTURE(width);
            CAPTURE(micros);
            CHECK(start % width == 0);
            CHECK((start <= micros && micros < start + width));
        }
    }
}

TEST_CASE("instants near both ends of time are floored") {
    static_assert(floor_to(time_point::max(), 1us) == time_point::max());
    static_assert(floor_to(time_point::min() + 1h, 1h) >= time_point::min());
    static_assert(time_point::max() - floor_to(time_point::max(), 1h) < 1h);
}
