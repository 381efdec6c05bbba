#include <freshet/core/time.hpp>

#include <chrono>
#include <type_traits>

#include <doctest/doctest.h>

using namespace std::chrono_literals;

static_assert(std::is_same_v<freshet::time_point::duration, freshet::duration>);
static_assert(std::is_same_v<freshet::time_point::clock, std::chrono::system_clock>);

TEST_CASE("an instant has microseconds, and reaches from the year 0 to the year 9999") {
    static_assert(freshet::time_point{1s}.time_since_epoch().count() == 1'000'000);
    constexpr std::chrono::sys_days year_0{std::chrono::year{0} / 1 / 1};
    constexpr std::chrono::sys_days year_10000{std::chrono::year{10'000} / 1 / 1};
    CHECK(freshet::time_point::min() < freshet::time_point{year_0});
    CHECK(freshet::time_point::max() > freshet::time_point{year_10000});
}
