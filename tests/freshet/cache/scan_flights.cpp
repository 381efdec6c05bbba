#include <freshet/cache/scan_flights.hpp>

#include <chrono>
#include <thread>

#include <doctest/doctest.h>

#include <freshet/core/time.hpp>

namespace {

using namespace std::chrono_literals;
constexpr freshet::time_point noon{12h};

} // namespace

TEST_CASE("all who ask before a scan begins share it, and those who ask while it runs share the next") {
    freshet::scan_flights<int> scans;
    const auto first = scans.board(noon, 0s);
    CHECK(scans.board(noon, 0s) == first);
    CHECK_FALSE(scans.busy());
    scans.begin(noon);
    CHECK(scans.busy());
    const auto second = scans.board(noon, 0s);
    CHECK(second != first);
    CHECK(scans.board(noon + 1s, 0s) == second);
    scans.end();
    CHECK(first->over);
    CHECK_FALSE(first->outcome);
    CHECK_FALSE(second->over);
    CHECK(scans.board(noon + 2s, 0s) == second);
}

TEST_CASE("within the join window a scan that runs is shared, unless it was overtaken or seems to be of the future") {
    freshet::scan_flights<int> scans;
    const auto first = scans.board(noon, 1s);
    scans.overtake(); // none runs
    scans.begin(noon);
    CHECK(scans.board(noon, 1s) == first);
    CHECK(scans.board(noon + 1s, 1s) == first);
    CHECK(scans.board(noon + 1s + 1us, 1s) != first);
    CHECK(scans.board(noon - 1us, 1s) != first);
    scans.overtake();
    CHECK(first->overtaken);
    CHECK(scans.board(noon, 1s) != first);
}

TEST_CASE("a scan is led by the thread that began it, while it runs") {
    freshet::scan_flights<int> scans;
    const auto self = std::this_thread::get_id();
    static_cast<void>(scans.board(noon, 0s));
    CHECK_FALSE(scans.led_by(self));
    scans.begin(noon);
    CHECK(scans.led_by(self));
    CHECK_FALSE(scans.led_by({}));
    scans.end();
    CHECK_FALSE(scans.led_by(self));
}
