#include <freshet/job/patience.hpp>

#include <chrono>
#include <stop_token>

#include <doctest/doctest.h>

#include <freshet/testing/manual_clock.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::deadline;
using freshet::errc;
using freshet::result;

using patience = freshet::patience<freshet::testing::manual_clock>;

auto fails(errc code) {
    return [code]() -> result<int> { return freshet::error{code, "no"}; };
}

} // namespace

TEST_CASE("an answer says how often it was asked for") {
    freshet::testing::manual_clock clock;
    patience calls{clock, {.retries = 2}, 1};
    int left = 1;
    const auto good = calls.in_time({}, deadline::never(), [&]() -> result<int> {
        if (left-- > 0) { return freshet::error{errc::unavailable, "not yet"}; }
        return 7;
    });
    CHECK(*good.answer == 7);
    CHECK(good.retries == 1);
    CHECK_FALSE(good.cut_short);
}

TEST_CASE("a failure that had all its tries is its own") {
    freshet::testing::manual_clock clock;
    patience calls{clock, {.retries = 2}, 1};
    const auto down = calls.in_time({}, deadline::never(), fails(errc::unavailable));
    CHECK(down.retries == 2);
    CHECK_FALSE(down.cut_short);
    CHECK_FALSE(calls.in_time({}, deadline::never(), fails(errc::expired)).cut_short);
    CHECK_FALSE(calls.in_time({}, deadline::at(clock.now()), fails(errc::malformed)).cut_short);
}

TEST_CASE("a failure that a stop or the deadline kept from its next try is cut short, and no wait reaches it") {
    freshet::testing::manual_clock clock;
    patience calls{clock, {.retries = 1'000, .base = 1s}, 1};
    const auto until = deadline::in(5s, clock.now());
    const auto late = calls.in_time({}, until, fails(errc::unavailable));
    CHECK(late.cut_short);
    CHECK_FALSE(until.passed(clock.now()));
    std::stop_source stop;
    stop.request_stop();
    CHECK(calls.in_time(stop.get_token(), deadline::never(), fails(errc::unavailable)).cut_short);
    CHECK(calls.in_time(stop.get_token(), deadline::never(), fails(errc::expired)).cut_short);
    CHECK_FALSE(calls.in_time(stop.get_token(), deadline::never(), fails(errc::malformed)).cut_short);
}

TEST_CASE("what another waits is its own") {
    freshet::testing::manual_clock clock;
    patience calls{clock, {.retries = 1, .base = 1h, .cap = 1h}, 1};
    const auto wait_of = [&](patience of) {
        const auto began = clock.now();
        CHECK(!of.ask(deadline::never(), fails(errc::unavailable)));
        return clock.now() - began;
    };
    const auto first = calls.another();
    CHECK(wait_of(first) == wait_of(first));
    CHECK(wait_of(first) != wait_of(calls.another()));
}
