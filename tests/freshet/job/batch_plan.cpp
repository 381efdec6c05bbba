#include <freshet/job/batch_plan.hpp>

#include <chrono>
#include <cstddef>
#include <limits>
#include <random>

#include <doctest/doctest.h>

#include <support/cases.hpp>

namespace {

using freshet::batch_end;
using freshet::batch_facts;
using freshet::batch_plan;
using freshet::deadline;
using freshet::duration;
using freshet::plan_batch;
using freshet::time_point;
using namespace std::chrono_literals;

constexpr time_point noon{duration{1'736'942'400'000'000}};

/// Groups of 6 s, so many of them, and so much time.
constexpr auto facts(std::size_t waiting, duration left) -> batch_facts {
    batch_facts made;
    made.now = noon;
    made.until = deadline::in(left, noon);
    made.cost.learn(2s); // with a deviation of 1 s
    made.waiting = waiting;
    return made;
}

} // namespace

TEST_CASE("a batch is as many groups as end in time, and no more than ten") {
    static_assert(plan_batch(facts(100, 1h)) == batch_plan{10, batch_end::none, 60s});
    static_assert(plan_batch(facts(3, 1h)) == batch_plan{3, batch_end::none, 18s});
    static_assert(plan_batch(facts(100, 31s)) == batch_plan{5, batch_end::none, 30s});
    static_assert(plan_batch(facts(100, 30s)) == batch_plan{4, batch_end::none, 24s}); // it ends before the deadline
    static_assert(plan_batch(facts(100, 6s + 1us)) == batch_plan{1, batch_end::none, 6s});
    static_assert(plan_batch(facts(100, 6s)) == batch_plan{0, batch_end::no_time, 0s});
    static_assert(plan_batch(facts(100, 0s)) == batch_plan{0, batch_end::no_time, 0s});
    constexpr auto for_ever = [] {
        auto made = facts(100, 0s);
        made.until = deadline::never();
        return made;
    }();
    static_assert(plan_batch(for_ever).groups == 10);
}

TEST_CASE("groups that are worked on at once fit together or not at all") {
    constexpr auto at_once = [](std::size_t width, duration left) {
        auto made = facts(9, left);
        made.at_once = width;
        return plan_batch(made);
    };
    static_assert(at_once(4, 1h) == batch_plan{9, batch_end::none, 18s});
    static_assert(at_once(4, 18s) == batch_plan{8, batch_end::none, 12s});
    static_assert(at_once(4, 7s) == batch_plan{4, batch_end::none, 6s});
    static_assert(at_once(4, 6s) == batch_plan{0, batch_end::no_time, 0s});
    static_assert(at_once(std::numeric_limits<std::size_t>::max(), 7s) == batch_plan{9, batch_end::none, 6s});
    static_assert(at_once(0, 13s) == batch_plan{2, batch_end::none, 12s});
}

TEST_CASE("until a run has learned what a group costs, one begins wherever there is time") {
    constexpr auto guessing = [](duration left) {
        auto made = facts(100, left);
        made.cost = freshet::cost_estimate{6s};
        made.at_once = 4;
        return plan_batch(made);
    };
    static_assert(guessing(7s) == batch_plan{4, batch_end::none, 6s});
    static_assert(guessing(6s) == batch_plan{1, batch_end::none, 6s});
    static_assert(guessing(1us) == batch_plan{1, batch_end::none, 6s});
    static_assert(guessing(0s) == batch_plan{0, batch_end::no_time, 0s});
}

TEST_CASE("a run ends for the strongest reason") {
    auto now = facts(0, 0s);
    now.stop_requested = true;
    now.allowed = 0;
    now.too_many_failures = true;
    CHECK(plan_batch(now).end == batch_end::too_many_failures);
    now.too_many_failures = false;
    CHECK(plan_batch(now).end == batch_end::all_done);
    now.waiting = 1;
    CHECK(plan_batch(now).end == batch_end::stop_requested);
    now.stop_requested = false;
    CHECK(plan_batch(now).end == batch_end::enough);
    now.allowed = 1;
    CHECK(plan_batch(now).end == batch_end::no_time);
    for (const auto end : {batch_end::all_done, batch_end::too_many_failures, batch_end::stop_requested,
                           batch_end::enough, batch_end::no_time}) {
        CHECK_FALSE(text_of(end).empty());
    }
    CHECK(text_of(batch_end::none).empty());
}

TEST_CASE("no more groups than the run may begin, and at least one at a time") {
    auto now = facts(100, 1h);
    now.allowed = 3;
    CHECK(plan_batch(now).groups == 3);
    now.most = 0;
    CHECK(plan_batch(now).groups == 1);
}

TEST_CASE("the reserve lies before the deadline, and never has none") {
    static_assert(less_reserve(deadline::at(noon), 10s) == deadline::at(noon - 10s));
    static_assert(less_reserve(deadline::at(noon), -10s) == deadline::at(noon));
    static_assert(less_reserve(deadline::never(), 10s) == deadline::never());
    static_assert(less_reserve(deadline::at(time_point::min() + 1s), 10s) == deadline::at(time_point::min()));
}

TEST_CASE("a reserve takes no more than a quarter of the time") {
    static_assert(less_reserve(deadline::at(noon), 10s, noon - 40s) == deadline::at(noon - 10s));
    static_assert(less_reserve(deadline::at(noon), 10s, noon - 20s) == deadline::at(noon - 5s));
    static_assert(less_reserve(deadline::at(noon), 10s, noon) == deadline::at(noon));
    static_assert(less_reserve(deadline::never(), 10s, noon) == deadline::never());
}

TEST_CASE("a planned batch ends in time, and a group more would not") {
    CAPTURE(support::seed());
    std::mt19937_64 random{support::seed()};
    const auto upto = [&](std::size_t most) { return random() % (most + 1); };
    for (std::size_t i = 0; i != support::cases(2'000); ++i) {
        auto now = facts(1 + upto(30), duration{static_cast<duration::rep>(upto(100'000'000))});
        now.cost = {};
        now.cost.learn(duration{static_cast<duration::rep>(upto(20'000'000))});
        now.at_once = upto(5);
        now.most = 1 + upto(20);
        now.allowed = 1 + upto(40);
        const auto plan = plan_batch(now);
        CAPTURE(i);
        const auto fits = [&](std::size_t n) { return now.until.allows(now.cost.expects(n, now.at_once), now.now); };
        CHECK((plan.groups == 0) == (plan.end == batch_end::no_time));
        CHECK((plan.groups == 0 || fits(plan.groups)));
        const bool capped = plan.groups == std::min({now.waiting, now.allowed, now.most});
        CHECK((capped || !fits(plan.groups + 1)));
    }
}
