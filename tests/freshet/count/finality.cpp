#include <freshet/count/finality.hpp>

#include <chrono>
#include <optional>

#include <doctest/doctest.h>

namespace {

using namespace std::chrono_literals;
using freshet::duration;
using freshet::is_final;
using freshet::open_since;
using freshet::time_point;

constexpr time_point noon{duration{1'736'942'400'000'000}};

} // namespace

TEST_CASE("without a lateness nothing is ever final") {
    static_assert(!is_final(time_point::min(), time_point::max(), std::nullopt));
    static_assert(open_since(noon, std::nullopt, 1h) == time_point::min());
}

TEST_CASE("a bucket is final from its end and the lateness on") {
    static_assert(!is_final(noon, noon + 10min - 1us, 10min));
    static_assert(is_final(noon, noon + 10min, 10min));
    static_assert(is_final(noon, noon, 0s));
    static_assert(!is_final(noon, noon - 1us, 0s));
    static_assert(!is_final(noon, time_point::max(), duration::max()));
}

TEST_CASE("what is open begins with the first bucket that is not final") {
    static_assert(open_since(noon + 10min, 10min, 1h) == noon);
    static_assert(open_since(noon + 10min - 1us, 10min, 1h) == noon - 1h);
    for (auto now = noon; now < noon + 3h; now += 7min) {
        const auto open = open_since(now, 25min, 1h);
        CHECK(!is_final(open + 1h, now, 25min));
        CHECK(is_final(open, now, 25min));
    }
    static_assert(open_since(noon, duration::max(), 1h) < time_point{} - 24h * 365 * 290'000);
    static_assert(open_since(time_point{} - 1h, duration::max(), 1h) < time_point{} - 24h * 365 * 290'000);
}
