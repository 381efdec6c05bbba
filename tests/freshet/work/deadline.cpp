#include <freshet/work/deadline.hpp>

#include <algorithm>
#include <chrono>

#include <doctest/doctest.h>

namespace {

using freshet::deadline;
using freshet::duration;
using freshet::time_point;
using namespace std::chrono_literals;

constexpr time_point noon{duration{1'736'942'400'000'000}};

} // namespace

static_assert(deadline::in(5s, noon) == deadline::at(noon + 5s));
static_assert(deadline::in(5s, noon).when() == noon + 5s);
static_assert(std::min(deadline::never(), deadline::at(noon)) == deadline::at(noon));

TEST_CASE("a deadline has passed from the instant on that it names") {
    static_assert(!deadline::at(noon).passed(noon - 1us));
    static_assert(deadline::at(noon).passed(noon));
    static_assert(deadline::in(0s, noon).passed(noon));
    static_assert(deadline::in(-1s, noon).passed(noon));
    static_assert(!deadline::never().passed(noon));
    static_assert(!deadline::never().passed(time_point::max()));
}

TEST_CASE("what remains is never negative") {
    static_assert(deadline::at(noon).remaining(noon - 3s) == 3s);
    static_assert(deadline::at(noon).remaining(noon) == 0s);
    static_assert(deadline::at(noon).remaining(noon + 1h) == 0s);
    static_assert(deadline::never().remaining(noon) == duration::max());
    static_assert(deadline::never().remaining(time_point::max()) == duration::max());
}

TEST_CASE("work is allowed that ends before the deadline, not at it") {
    static_assert(deadline::at(noon).allows(3s - 1us, noon - 3s));
    static_assert(!deadline::at(noon).allows(3s, noon - 3s));
    static_assert(deadline::at(noon).allows(0s, noon - 1us));
    static_assert(!deadline::at(noon).allows(0s, noon));
    static_assert(!deadline::at(noon).allows(-1s, noon));
    static_assert(deadline::never().allows(duration::max(), time_point::max()));
}

TEST_CASE("nothing overflows at the ends of the time scale") {
    static_assert(deadline::in(duration::max(), noon) == deadline::never());
    static_assert(deadline::in(1us, time_point::max()) == deadline::never());
    static_assert(deadline::in(duration::max(), time_point::min()) == deadline::at(time_point{-1us}));
    static_assert(deadline::in(duration::min(), time_point{-1us}) == deadline::at(time_point::min()));
    static_assert(deadline::in(-1us, time_point::min()).passed(time_point::min()));
    static_assert(deadline::at(noon).remaining(time_point::min()) == duration::max());
    static_assert(deadline::at(time_point{-1us}).remaining(time_point::min()) == duration::max());
    static_assert(deadline::at(time_point{-2us}).remaining(time_point::min()) == duration::max() - 1us);
    static_assert(deadline::at(time_point::max() - 1us).remaining(time_point{0us}) == duration::max() - 1us);
    static_assert(deadline::at(time_point::min()).remaining(time_point::max()) == 0s);
}
