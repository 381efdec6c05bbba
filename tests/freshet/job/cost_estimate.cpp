#include <freshet/job/cost_estimate.hpp>

#include <chrono>
#include <cstddef>
#include <limits>
#include <random>

#include <doctest/doctest.h>

#include <support/cases.hpp>

namespace {

using freshet::cost_estimate;
using freshet::duration;
using namespace std::chrono_literals;

constexpr auto after(std::initializer_list<duration> costs) -> cost_estimate {
    cost_estimate made{6s};
    for (const auto cost : costs) { made.learn(cost); }
    return made;
}

} // namespace

TEST_CASE("until one was seen, a group costs the first guess") {
    static_assert(cost_estimate{}.per_group() == 6s);
    static_assert(cost_estimate{2s}.per_group() == 2s);
    static_assert(cost_estimate{-2s}.per_group() == 0s);
}

TEST_CASE("the first one is the mean, and half of it the deviation; then the gains are an eighth and a quarter") {
    static_assert(after({4s}).per_group() == 12s);
    // RFC 6298, 2.3: the deviation first, with the mean as it was. 2 + (4 - 2) / 4 = 2.5; 4 + 4 / 8 = 4.5.
    static_assert(after({4s, 8s}).per_group() == 4'500ms + 4 * 2'500ms);
    // 2.5 + (0.5 - 2.5) / 4 = 2; 4.5 - 0.5 / 8 = 4.4375.
    static_assert(after({4s, 8s, 4s}).per_group() == 4'437'500us + 4 * 2s);
}

TEST_CASE("a failure makes the estimate greater or leaves it") {
    constexpr auto then_failed = [](cost_estimate made, duration cost) {
        made.learn_failure(cost);
        return made;
    };
    static_assert(then_failed(cost_estimate{6s}, 6s).per_group() == 6s);
    static_assert(!then_failed(cost_estimate{6s}, 6s).learned());
    static_assert(then_failed(cost_estimate{6s}, 7s).per_group() == 21s);
    static_assert(then_failed(after({4s}), 12s).per_group() == 12s);
    static_assert(then_failed(after({4s}), 20s).per_group() == after({4s, 20s}).per_group());
}

TEST_CASE("what costs the same each time is expected to cost little more in the end") {
    cost_estimate cost{1h};
    for (int i = 0; i != 40; ++i) { cost.learn(2s); }
    CHECK(cost.per_group() >= 2s);
    CHECK(cost.per_group() < 2'001ms);
}

TEST_CASE("groups that are worked on at once take turns") {
    constexpr cost_estimate cost{3s};
    static_assert(cost.expects(0, 4) == 0s);
    static_assert(cost.expects(1, 4) == 3s);
    static_assert(cost.expects(4, 4) == 3s);
    static_assert(cost.expects(5, 4) == 6s);
    static_assert(cost.expects(5, 0) == 15s);
}

TEST_CASE("nothing overflows") {
    constexpr auto most = std::numeric_limits<std::size_t>::max();
    static_assert(after({duration::max(), duration::max()}).expects(most, 1) == duration::max());
    static_assert(after({duration::min(), duration::min()}).expects(most, 1) == 0s);
    static_assert(cost_estimate{duration::max()}.per_group() == std::chrono::years{1});
    static_assert(cost_estimate{1us}.expects(most, 1) == duration::max());
}

TEST_CASE("few costs are above what was expected") {
    CAPTURE(support::seed());
    std::mt19937_64 random{support::seed()};
    std::gamma_distribution<double> costs{3.0, 2e6}; // six seconds, with a tail
    cost_estimate cost{6s};
    std::size_t above = 0;
    const auto all = support::cases(2'000);
    for (std::size_t i = 0; i != all; ++i) {
        const duration next{static_cast<duration::rep>(costs(random))};
        if (next > cost.per_group()) { ++above; }
        cost.learn(next);
    }
    CHECK(above < all / 25 + 2);
}
