#include <freshet/job/undecided.hpp>

#include <chrono>
#include <limits>

#include <doctest/doctest.h>

namespace {

using freshet::judge_undecided;
using freshet::undecided_history;
using freshet::undecided_verdict;
using enum freshet::undecided_ruling;
using namespace std::chrono_literals;

constexpr freshet::time_point sunday{std::chrono::seconds{1'736'935'200}};

} // namespace

TEST_CASE("an item needs review in the last of the rounds that are put up with") {
    static_assert(judge_undecided(0, 3) == undecided);
    static_assert(judge_undecided(1, 3) == undecided);
    static_assert(judge_undecided(2, 3) == needs_review);
    static_assert(judge_undecided(9, 3) == needs_review);
    static_assert(judge_undecided(0, 1) == needs_review);
    static_assert(judge_undecided(0, 0) == needs_review);
}

TEST_CASE("a round counts once, however often it says so") {
    constexpr auto first = judge_undecided(undecided_history{}, sunday, 2);
    static_assert(first == undecided_verdict{undecided, {1, sunday}});
    static_assert(judge_undecided(first.history, sunday, 2) == first);
    constexpr auto second = judge_undecided(first.history, sunday + 168h, 2);
    static_assert(second == undecided_verdict{needs_review, {2, sunday + 168h}});
    static_assert(judge_undecided(second.history, sunday + 168h, 2) == second);
    static_assert(judge_undecided(undecided_history{0, sunday}, sunday, 2) == first); // decided meanwhile
}

TEST_CASE("a round that comes again after a later one counts no more") {
    constexpr auto first = judge_undecided(undecided_history{}, sunday, 3);
    constexpr auto second = judge_undecided(first.history, sunday + 168h, 3);
    constexpr auto again = judge_undecided(second.history, sunday, 3);
    static_assert(again == undecided_verdict{undecided, {2, sunday + 168h}});
    static_assert(judge_undecided(again.history, sunday + 168h, 3) == second);
    static_assert(judge_undecided(again.history, sunday + 336h, 3).what == needs_review);
}

TEST_CASE("the count stops where numbers do") {
    constexpr auto most = std::numeric_limits<unsigned>::max();
    static_assert(judge_undecided(undecided_history{most, sunday - 1h}, sunday, 3).history.rounds == most);
}
