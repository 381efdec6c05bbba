#include <freshet/work/wall_clock.hpp>

#include <chrono>
#include <stop_token>
#include <thread>

#include <doctest/doctest.h>

#include <freshet/backend/shareable.hpp>

using freshet::duration;
using freshet::wall_clock;
using namespace std::chrono_literals;

static_assert(freshet::timer<wall_clock> && freshet::shareable<wall_clock>);

TEST_CASE("the wall clock is the machine's, cut to microseconds") {
    const wall_clock clock;
    const auto before = std::chrono::system_clock::now();
    const auto now = clock.now();
    const auto after = std::chrono::system_clock::now();
    CHECK(now > before - 1us);
    CHECK(now <= after);
}

TEST_CASE("a wait lasts as long as its span") {
    const wall_clock clock;
    const auto begun = std::chrono::steady_clock::now();
    CHECK(clock.wait(2ms, {}));
    CHECK(std::chrono::steady_clock::now() - begun >= 2ms);
}

TEST_CASE("a span of zero or less does not wait, and tells of a stop all the same") {
    const wall_clock clock;
    CHECK(clock.wait(0us, {}));
    CHECK(clock.wait(-1h, {}));
    CHECK(clock.wait(duration::min(), {}));
    std::stop_source stop;
    stop.request_stop();
    CHECK_FALSE(clock.wait(0us, stop.get_token()));
    CHECK_FALSE(clock.wait(1h, stop.get_token()));
}

TEST_CASE("a stop ends even the longest wait") {
    const wall_clock clock;
    for (const auto span : {duration{1h}, duration::max()}) {
        std::stop_source stop;
        std::jthread stopper{[&] { stop.request_stop(); }};
        CHECK_FALSE(clock.wait(span, stop.get_token()));
    }
}

TEST_CASE("several threads wait on one clock") {
    const wall_clock clock;
    std::stop_source stop;
    std::jthread first{[&] { CHECK_FALSE(clock.wait(1h, stop.get_token())); }};
    std::jthread second{[&] { CHECK_FALSE(clock.wait(1h, stop.get_token())); }};
    stop.request_stop();
}
