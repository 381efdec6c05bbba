#include <freshet/work/retry.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <stop_token>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>
#include <freshet/testing/manual_clock.hpp>

namespace {

using freshet::deadline;
using freshet::errc;
using freshet::error;
using freshet::result;
using freshet::retry;
using freshet::retry_plan;
using freshet::testing::manual_clock;
using namespace std::chrono_literals;

/// Draws the longest wait each time that it fits: 100 ms, 200 ms, 400 ms.
struct longest {
    std::uint64_t next{100'000};
    auto operator()() -> std::uint64_t {
        const auto drawn = next;
        next *= 2;
        return drawn;
    }
};

/// Fails with these codes, one an attempt, and then answers how many attempts there were.
struct failing {
    std::vector<errc> codes;
    int attempts{};
    auto operator()() -> result<int> {
        const auto attempt = static_cast<std::size_t>(attempts++);
        if (attempt < codes.size()) { return error{codes[attempt], "backend: no"}; }
        return attempts;
    }
};

struct bench {
    manual_clock clock;
    std::stop_source stop;
    longest random;
    freshet::time_point start{clock.now()};

    auto run(failing& operation, deadline until = deadline::never()) -> result<int> {
        return retry(retry_plan{}, clock, stop.get_token(), until, random, operation);
    }
    auto waited() const -> freshet::duration { return clock.now() - start; }
};

constexpr auto down = errc::unavailable;

} // namespace

TEST_CASE("an operation is tried until it succeeds, with the plan's waits between") {
    bench b;
    failing operation{{down, down, down}};
    CHECK(b.run(operation).value() == 4);
    CHECK(b.waited() == 700ms);
}

TEST_CASE("the last failure is the answer when the plan gives up") {
    bench b;
    failing operation{{down, down, errc::throttled, down, down}};
    CHECK(b.run(operation).why().code == down);
    CHECK(operation.attempts == 4);

    failing hopeless{{errc::denied}};
    CHECK(b.run(hopeless).why().code == errc::denied);
    CHECK(hopeless.attempts == 1);
}

TEST_CASE("no wait reaches the deadline") {
    bench b;
    failing operation{{down, down, down}};
    CHECK(b.run(operation, deadline::in(300ms, b.start)).why().code == down);
    CHECK(operation.attempts == 2);
    CHECK(b.waited() == 100ms);

    bench roomy;
    failing again{{down, down, down}};
    CHECK_FALSE(roomy.run(again, deadline::in(300ms + 1us, roomy.start)).ok());
    CHECK(again.attempts == 3);
}

TEST_CASE("the first attempt is made even behind the deadline, and after a stop") {
    bench b;
    b.stop.request_stop();
    failing good{{}};
    CHECK(b.run(good, deadline::at(b.start)).value() == 1);
    failing bad{{down}};
    CHECK_FALSE(b.run(bad, deadline::at(b.start)).ok());
    CHECK(bad.attempts == 1);
}

TEST_CASE("a stop ends the waiting") {
    bench b;
    int attempts = 0;
    const auto answer = retry(retry_plan{}, b.clock, b.stop.get_token(), deadline::never(), b.random,
                              [&]() -> result<void> {
                                  if (++attempts == 2) { b.stop.request_stop(); }
                                  return error{down, "backend: no"};
                              });
    CHECK(answer.why().code == down);
    CHECK(attempts == 2);
    CHECK(b.waited() == 100ms);
}

TEST_CASE("a timer that oversleeps the deadline starts no attempt") {
    struct sleepy : manual_clock {
        auto wait(freshet::duration span, const std::stop_token& stop) -> bool {
            return manual_clock::wait(span + 1h, stop);
        }
    };
    sleepy clock;
    longest random;
    failing operation{{down}};
    CHECK_FALSE(retry(retry_plan{}, clock, std::stop_token{}, deadline::in(1min, clock.now()), random, operation).ok());
    CHECK(operation.attempts == 1);
}

TEST_CASE("what the operation throws passes through") {
    bench b;
    CHECK_THROWS_AS(static_cast<void>(retry(retry_plan{}, b.clock, std::stop_token{}, deadline::never(), b.random,
                                            []() -> result<int> { throw std::runtime_error{"out"}; })),
                    std::runtime_error);
}
