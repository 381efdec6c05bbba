#include <freshet/job/batch_job.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/testing/shuffled_executor.hpp>

#include "batch_world.hpp"

namespace {

using namespace std::chrono_literals;
using batch_world::process;
using freshet::batch_outcome;

constexpr freshet::time_point sunday{std::chrono::seconds{1'736'935'200}};
constexpr freshet::time_point next_sunday = sunday + std::chrono::weeks{1};

/// What a run is made with.
template <class Workers>
struct crew {
    Workers& workers;
    freshet::batch_job_options options{batch_world::quick_options()};
};

struct ending {
    std::map<std::string, batch_world::item> items;
    std::vector<std::string> letters;
};

void fill(batch_world::stores& world) {
    world.fill(14, {"good", "undecided", "malformed", "flaky", "throws"});
    world.put({"g000", "z", "undecided", "PENDING", 2, batch_world::text_of(sunday - std::chrono::weeks{1})});
}

/// Runs rounds until each is complete, whoever had to stop meanwhile.
template <class Workers>
void finish(batch_world::stores& world, const crew<Workers>& by, freshet::time_point due) {
    for (int again = 0;; ++again) {
        REQUIRE(again < 20);
        process run{world, by.workers, by.options};
        const auto answer = run.job.run({.due = due, .run = "after " + std::to_string(again), .limit = 40s});
        REQUIRE(answer);
        if (answer->outcome == batch_outcome::held) { world.time.advance(answer->held_until - world.time.now()); }
        if (answer->outcome == batch_outcome::complete || answer->outcome == batch_outcome::already_done) { return; }
    }
}

auto ending_of(batch_world::stores& world) -> ending { return {world.all(), world.take_letters()}; }

template <class Workers>
auto uninterrupted(const crew<Workers>& by) -> ending {
    batch_world::stores world;
    fill(world);
    finish(world, by, sunday);
    finish(world, by, next_sunday);
    return ending_of(world);
}

/// One process dies in its call of that number; others take over. False: it did not make so many calls.
template <class Workers>
auto killed_at(std::size_t call, bool reaches, const crew<Workers>& by, freshet::duration limit, ending& after)
    -> bool {
    batch_world::stores world;
    fill(world);
    bool died = false;
    {
        process first{world, by.workers, by.options};
        first.of.last = call;
        first.of.reaches = reaches;
        static_cast<void>(first.job.run({.due = sunday, .run = "first", .limit = limit}));
        died = first.of.dead();
    }
    finish(world, by, sunday);
    REQUIRE(world.runs.runs("labels", {sunday - 1h, sunday + 24h})->back().state == freshet::run_state::complete);
    finish(world, by, next_sunday);
    after = ending_of(world);
    return died;
}

template <class Workers>
auto kill_everywhere(const crew<Workers>& by, freshet::duration limit) -> std::size_t {
    const auto expected = uninterrupted(by);
    CHECK(expected.letters.size() == (by.options.most_undecided == 1 ? 5 : 10)); // three are malformed, two throw
    std::size_t call = 1;
    for (bool died = true; died; ++call) {
        for (const bool reaches : {false, true}) {
            CAPTURE(call);
            CAPTURE(reaches);
            ending after;
            died = killed_at(call, reaches, by, limit, after);
            REQUIRE(after.letters == expected.letters);
            REQUIRE(after.items == expected.items);
        }
    }
    return call;
}

} // namespace

TEST_CASE("a run that is killed in any call to a backend, and gone on with, leaves what an uninterrupted one leaves") {
    freshet::inline_executor here;
    CHECK(kill_everywhere(crew<freshet::inline_executor>{here}, 0s) > 60);
}

TEST_CASE("so does one whose items need review at once, and are never listed again") {
    freshet::inline_executor here;
    crew<freshet::inline_executor> by{here};
    by.options.most_undecided = 1;
    CHECK(kill_everywhere(by, 0s) > 60);
}

TEST_CASE("so does one with groups of a batch in another order, and one that had little time") {
    freshet::testing::shuffled_executor shuffled{7};
    CHECK(kill_everywhere(crew<freshet::testing::shuffled_executor>{shuffled}, 20s) > 25);
}
