#include <freshet/count/ladder.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using freshet::bucket_ladder;
using freshet::duration;
using freshet::hour_ladder;
using freshet::ladder;
using freshet::minutes_ladder;

namespace {

constexpr auto made_of(std::initializer_list<duration> widths) { return ladder::of({widths.begin(), widths.size()}); }

constexpr auto refused_at(std::initializer_list<duration> widths, std::size_t index) -> bool {
    const auto made = made_of(widths);
    return !made && made.fault().offset == index && !made.fault().reason.empty();
}

struct without_widths {
    [[nodiscard]] auto size() const -> std::size_t { return 0; }
};

} // namespace

static_assert(bucket_ladder<hour_ladder> && bucket_ladder<minutes_ladder<7>> && bucket_ladder<ladder>);
static_assert(!bucket_ladder<without_widths> && !bucket_ladder<std::vector<duration>>);

TEST_CASE("a ladder names its widths from the finest to the widest") {
    static_assert(hour_ladder::size() == 4 && hour_ladder::width(1) == 5min);
    static_assert(hour_ladder::finest() == 1min && hour_ladder::widest() == 1h);
    static_assert(minutes_ladder<3>::finest() == minutes_ladder<3>::widest());
    static_assert(minutes_ladder<1, 1'048'576>::size() == 2);
    constexpr auto seconds = made_of({1s, 1min, 24h}).value();
    static_assert(seconds.size() == 3 && seconds.width(2) == 24h && seconds.finest() == 1s && seconds.widest() == 24h);
    CHECK(std::ranges::equal(hour_ladder::widths(), std::vector<duration>{1min, 5min, 15min, 60min}));
    CHECK(std::ranges::equal(seconds.widths(), std::vector<duration>{1s, 1min, 24h}));
}

TEST_CASE("a ladder by default is that of an hour") {
    CHECK(std::ranges::equal(ladder{}.widths(), hour_ladder::widths()));
    CHECK(ladder{} == made_of({1min, 5min, 15min, 60min}).value());
    CHECK(ladder{} != made_of({1min, 5min, 15min}).value());
}

TEST_CASE("a run-time ladder takes any whole number of microseconds, and up to eight widths") {
    static_assert(made_of({1us}).ok());
    static_assert(made_of({7us, 21us}).ok());
    static_assert(made_of({duration::max()}).ok());
    static_assert(made_of({1us, 2us, 4us, 8us, 16us, 32us, 64us, 128us}).ok());
    static_assert(made_of({1us, 1'048'576us}).ok());
    static_assert(made_of({1s, 168h}).ok());
}

TEST_CASE("a run-time ladder names the first width that does not fit") {
    static_assert(refused_at({}, 0));
    static_assert(refused_at({0us}, 0));
    static_assert(refused_at({-1us}, 0));
    static_assert(refused_at({1min, 1min}, 1));
    static_assert(refused_at({5min, 1min}, 1));
    static_assert(refused_at({1min, 5min, 12min, 60min}, 2)); // 5 does not divide 12, though 1 does
    static_assert(refused_at({1min, 5min, 15min, 0min}, 3));
    static_assert(refused_at({2us, duration::max()}, 1));
    static_assert(refused_at({1us, 1'048'577us}, 1));
    static_assert(refused_at({1us, 1'024us, 1'048'576us, 2'097'152us}, 3));
    static_assert(refused_at({1us, 2us, 4us, 8us, 16us, 32us, 64us, 128us, 256us}, 8));
    CHECK(made_of({1min, 5min, 12min}).fault().reason ==
          "each width of a ladder divides the next one, which is greater");
}
