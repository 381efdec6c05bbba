#include <freshet/count/window.hpp>

#include <chrono>
#include <cstddef>

#include <doctest/doctest.h>

#include "count_bench.hpp"

namespace {

using namespace count_bench;
using freshet::aligned;
using freshet::bucket_around;
using freshet::current_window;
using freshet::duration;
using freshet::time_point;
using freshet::time_range;

constexpr time_point noon{duration{1'736'942'400'000'000}};

} // namespace

TEST_CASE("the window of two hours is the hour that now lies in and the one before") {
    CHECK(current_window(at("2024-01-19T14:15:00Z"), 2) ==
          time_range{at("2024-01-19T13:00:00Z"), at("2024-01-19T15:00:00Z")});
    static_assert(current_window(noon, 2) == time_range{noon - 1h, noon + 1h});
    static_assert(current_window(noon - 1us, 2) == time_range{noon - 2h, noon});
    static_assert(current_window(noon, 1, 5min) == time_range{noon, noon + 5min});
    static_assert(current_window(time_point{-1us}, 1) == time_range{time_point{-1h}, time_point{}});
}

TEST_CASE("a window of no buckets is empty, and one of more than there are ends with the first") {
    static_assert(current_window(noon, 0).empty());
    static_assert(current_window(noon, static_cast<std::size_t>(-1)).start < time_point{} - 24h * 365 * 290'000);
    static_assert(current_window(noon, 200'000) == time_range{noon - 199'999h, noon + 1h});
}

TEST_CASE("a range is widened to whole buckets, and one of whole buckets stays") {
    static_assert(aligned({noon + 1us, noon + 2us}, 1h) == time_range{noon, noon + 1h});
    static_assert(aligned({noon, noon + 1h}, 1h) == time_range{noon, noon + 1h});
    static_assert(aligned({noon - 1us, noon + 1h + 1us}, 1h) == time_range{noon - 1h, noon + 2h});
    static_assert(aligned({time_point{-1us}, time_point{1us}}, 1h) == time_range{time_point{-1h}, time_point{1h}});
}

TEST_CASE("an empty range touches no bucket, wherever it lies") {
    static_assert(aligned({noon + 1s, noon + 1s}, 1h).empty());
    static_assert(aligned({noon + 2h, noon}, 1h).empty());
    static_assert(aligned({time_point::max(), time_point::min()}, 1h).empty());
}

TEST_CASE("a range may be as long as the time scale is") {
    constexpr auto all = aligned({time_point::min(), time_point::max()}, 1h);
    static_assert(all.start - time_point::min() < 1h);
    static_assert(time_point::max() - all.end < 1h);
    static_assert(all.start.time_since_epoch() % duration{1h} == 0s);
    static_assert(all.end.time_since_epoch() % duration{1h} == 0s);
    static_assert(aligned({time_point::max() - 1us, time_point::max()}, 1h).empty());
    static_assert(aligned({time_point::min(), time_point::min() + 1us}, 1h).empty());
    static_assert(aligned({time_point::min(), time_point::max()}, 1us).end == time_point::max());
}

TEST_CASE("at the ends of the time scale a window is of whole buckets, the last that have begun") {
    constexpr auto all = aligned({time_point::min(), time_point::max()}, 1h);
    constexpr auto many = static_cast<std::size_t>(-1);
    static_assert(current_window(time_point::max(), 2) == time_range{all.end - 2h, all.end});
    static_assert(current_window(all.end, 2) == time_range{all.end - 2h, all.end});
    static_assert(current_window(all.end - 1us, 2) == time_range{all.end - 2h, all.end});
    static_assert(current_window(all.end - 1h - 1us, 1) == time_range{all.end - 2h, all.end - 1h});
    static_assert(current_window(time_point::max(), many) == all);
    static_assert(current_window(time_point::min(), 2) == time_range{all.start, all.start});
    static_assert(current_window(all.start, 2) == time_range{all.start, all.start + 1h});
    static_assert(current_window(noon, many, 1us) == time_range{time_point::min(), noon + 1us});
    static_assert(current_window(time_point::max(), many, 1us) == time_range{time_point::min(), time_point::max()});
    static_assert(current_window(time_point::min(), 0, 1us).empty());
}

TEST_CASE("an instant is in one bucket, and where the time scale has only a part of that, in none") {
    constexpr auto all = aligned({time_point::min(), time_point::max()}, 1h);
    static_assert(bucket_around(noon, 1h) == time_range{noon, noon + 1h});
    static_assert(bucket_around(noon - 1us, 1h) == time_range{noon - 1h, noon});
    static_assert(bucket_around(all.start, 1h) == time_range{all.start, all.start + 1h});
    static_assert(bucket_around(all.end - 1us, 1h) == time_range{all.end - 1h, all.end});
    static_assert(bucket_around(all.start - 1us, 1h).empty());
    static_assert(bucket_around(all.end, 1h).empty());
    static_assert(bucket_around(time_point::min(), 1h).empty());
    static_assert(bucket_around(time_point::max(), 1h).empty());
}
