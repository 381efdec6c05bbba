#include <freshet/job/batch_job.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "batch_world.hpp"

namespace {

using namespace std::chrono_literals;
using batch_world::process;
using freshet::batch_outcome;

constexpr freshet::time_point sunday{std::chrono::seconds{1'736'935'200}};
freshet::inline_executor here;

/// The options that a job has by itself, in a world of seconds.
auto strict_options() -> freshet::batch_job_options {
    auto options = batch_world::quick_options();
    options.batch = 10;
    options.tolerated = {};
    return options;
}

/// How many runs a round takes.
auto runs_of(batch_world::stores& world, freshet::time_point due) -> int {
    for (int runs = 1;; ++runs) {
        REQUIRE(runs < 40);
        process run{world, here, strict_options()};
        const auto answer = run.job.run({.due = due, .run = "run " + std::to_string(runs), .limit = 5min});
        REQUIRE(answer);
        if (answer->outcome == batch_outcome::complete) { return runs; }
    }
}

auto in_state(batch_world::stores& world, const std::string& state) -> std::size_t {
    std::size_t found = 0;
    for (const auto& one : world.states()) { found += one.second == state ? 1 : 0; }
    return found;
}

} // namespace

TEST_CASE("groups that always fail, however they do, end no round for ever: letters, then a person") {
    struct poison {
        const char* kind;
        int runs; // of a round
    };
    // What retries may help against is left once, by a run that gives up there. What runs out of time takes a run each.
    for (const auto& of : {poison{"failed", 2}, poison{"denied", 2}, poison{"throws", 2}, poison{"malformed", 1},
                           poison{"down", 3}, poison{"endless", 13}}) {
        CAPTURE(of.kind);
        batch_world::stores world;
        world.fill(12, {of.kind});
        for (int week = 0; week != 3; ++week) {
            CAPTURE(week);
            const auto due = sunday + week * 168h;
            world.put({"h", "a", "good"});
            CHECK(runs_of(world, due) == of.runs);
            CHECK(world.take_letters().size() == 12);
            CHECK(world.states()["h/a"] == "VALID");
            CHECK(in_state(world, "NEEDS_REVIEW") == (week < 2 ? 0 : 24));
        }
        CHECK(in_state(world, "PENDING") == 0);
    }
}

TEST_CASE("a group that a whole run was too short for is told of and set aside in the reserve; a later one is left") {
    batch_world::stores world;
    world.fill(2, {"endless"});
    process run{world, here};
    const auto answer = run.job.run({.due = sunday, .run = "first", .limit = 60s});
    CHECK(answer->outcome == batch_outcome::stopped);
    CHECK(answer->report.failed == 1);
    CHECK(answer->report.took() == 55s);
    CHECK(answer->report.why ==
          "the time left is too short for another group, at g001: it did not begin; "
          "first failure: g000: the time of a whole run was too short for it: no time");
    CHECK(world.take_letters() == std::vector<std::string>{batch_world::text_of(sunday) + "/g000"});
    CHECK(world.all()["g000/a"].rounds == 1);
    CHECK(world.all()["g001/a"].rounds == 0);
}

TEST_CASE("a group that a host or a stop gave too little time for is left") {
    batch_world::stores world;
    world.fill(1, {"endless"});
    {
        process run{world, here};
        const auto until = freshet::deadline::in(20s, world.time.now());
        const auto answer = run.job.run({.due = sunday, .run = "first", .limit = 60s, .until = until});
        CHECK(answer->report.failed == 0);
    }
    std::stop_source stop;
    process run{world, here};
    run.does.before = [&](const batch_world::deed&) { stop.request_stop(); };
    CHECK(run.job.run({.due = sunday, .run = "second", .limit = 60s}, stop.get_token())->report.failed == 0);
    CHECK(world.take_letters().empty());
}

TEST_CASE("items without a group are one that fails as malformed, and the others have their turn") {
    batch_world::stores world;
    world.fill(3, {"good"});
    world.put({"g008", "a", "no group"});
    world.put({"g009", "a", "no group"});
    process run{world, here};
    const auto answer = run.job.run({.due = sunday, .run = "first"});
    CHECK(answer->outcome == batch_outcome::complete);
    CHECK(answer->report.worked == 4);
    CHECK(answer->report.validated == 6);
    CHECK(answer->report.undecided == 2);
    CHECK(answer->report.why == "first failure: (no group): an item has no group: it has no group");
    CHECK(world.take_letters() == std::vector<std::string>{batch_world::text_of(sunday) + "/(no group)"});
}

TEST_CASE("effects whose answers are lost are made once, be it the item's, the letter's or the report's") {
    for (const auto* call : {"items.put", "letters.send", "ledger.claim", "ledger.complete", "runs.put"}) {
        CAPTURE(call);
        batch_world::stores world;
        world.fill(4, {"undecided", "malformed"});
        process run{world, here};
        run.of.unanswered[call] = 2;
        const auto answer = run.job.run({.due = sunday, .run = "first"});
        REQUIRE(answer);
        CHECK(answer->outcome == batch_outcome::complete);
        CHECK(world.take_letters().size() == 2);
        for (const auto& one : world.all()) {
            const bool good = one.second.group == "g000" && one.second.id == "b";
            const bool decided = good || (one.second.group == "g002" && one.second.id == "b");
            CHECK(one.second.rounds == (decided ? 0 : 1));
        }
        CHECK(world.ledger.claim({"labels@" + batch_world::text_of(sunday), "any", 1min})->verdict ==
              freshet::claim_verdict::completed);
    }
}

TEST_CASE("a round goes on where it was also when it is due in the future") {
    batch_world::stores world;
    world.fill(6, {"good"});
    const auto due = world.time.now() + 100h;
    CHECK(process{world, here}.job.run({.due = due, .run = "first", .max_groups = 4})->report.worked == 4);
    world.time.advance(40h);
    process run{world, here};
    CHECK(run.job.run({.due = due, .run = "second"})->outcome == batch_outcome::complete);
    CHECK(run.lines.front() == "items_listed groups=2 after=g003");
}
