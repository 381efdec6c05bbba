#include <freshet/job/batch_job.hpp>

#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "batch_world.hpp"

namespace {

using namespace std::chrono_literals;
using batch_world::process;
using freshet::batch_outcome;
using freshet::errc;

constexpr freshet::time_point sunday{std::chrono::seconds{1'736'935'200}};
freshet::inline_executor here;

/// A process of whose calls one takes time.
struct slow_process : process<freshet::inline_executor> {
    slow_process(batch_world::stores& world, const std::string& call, freshet::duration takes,
                 freshet::batch_job_options options = batch_world::quick_options())
        : process{world, here, std::move(options)} {
        of.before = [&world, call, takes](const std::string& name) {
            if (name == call) { world.time.advance(takes); }
        };
    }
};

} // namespace

TEST_CASE("a letter that reaches the deadline is sent, and what it tells of is left: not set aside too late") {
    batch_world::stores world;
    world.fill(1, {"malformed"});
    slow_process run{world, "letters.send", 20s};
    const auto answer = run.job.run({.due = sunday, .run = "first", .limit = 20s});
    CHECK(answer->outcome == batch_outcome::stopped);
    CHECK(answer->report.dead_lettered == 1);
    CHECK(answer->report.resume == "");
    CHECK(run.does.count("set_aside") == 0);
    world.time.advance(10min);
    const auto again = process{world, here}.job.run({.due = sunday, .run = "second"});
    CHECK(again->outcome == batch_outcome::complete);
    CHECK(world.all()["g000/a"].rounds == 1);
    CHECK(world.take_letters().size() == 1);
}

TEST_CASE("nor is anything set aside where the letter took longer than the claim was ours") {
    batch_world::stores world;
    world.fill(1, {"malformed"});
    process run{world, here};
    run.of.before = [&](const std::string& name) {
        if (name != "letters.send") { return; }
        world.time.advance(2min);
        REQUIRE(world.ledger.claim({"labels@" + batch_world::text_of(sunday), "other", 1min})->mine());
    };
    const auto answer = run.job.run({.due = sunday, .run = "first"});
    CHECK(answer->outcome == batch_outcome::stopped);
    CHECK(answer->report.why.starts_with("the round is not ours any longer (ledger: "));
    CHECK(answer->report.resume == "");
    CHECK(run.does.count("set_aside") == 0);
}

TEST_CASE("a letter that the deadline kept from its next try is not given up: the next run sends it") {
    batch_world::stores world;
    world.fill(2, {"good", "malformed"});
    auto options = batch_world::quick_options();
    options.retries = {.retries = 1'000, .base = 4s, .cap = 4s};
    {
        process run{world, here, options};
        run.of.broken["letters.send"] = errc::unavailable;
        const auto answer = run.job.run({.due = sunday, .run = "first", .limit = 20s});
        CHECK(answer->outcome == batch_outcome::stopped);
        CHECK(freshet::parse_resume_token(answer->report.resume)->after == "g000");
        CHECK(run.lines[3] == "group_failed group=g001 why=malformed fate=left");
        CHECK(world.all()["g001/a"].rounds == 0);
    }
    CHECK(process{world, here}.job.run({.due = sunday, .run = "second"})->outcome == batch_outcome::complete);
    CHECK(world.all()["g001/a"].rounds == 1);
    CHECK(world.take_letters().size() == 1);
}

TEST_CASE("a reserve or a guess that is more than all the time leaves a run time to begin, and to learn") {
    batch_world::stores world;
    world.fill(6, {"good"});
    auto options = batch_world::quick_options();
    options.reserve = 1h;
    options.first_guess = 1h;
    process run{world, here, options};
    const auto answer = run.job.run({.due = sunday, .run = "first", .limit = 16s}); // 12 s of work
    CHECK(answer->outcome == batch_outcome::stopped);
    CHECK(answer->report.worked == 5); // the last one began where 4 s were left, and less were expected
    CHECK(answer->report.took() <= 12s);
    CHECK(run.lines[1] == "batch_began groups=1 expected=3600000ms time_left=12000ms");
}

TEST_CASE("a group of a batch that would not fit any longer does not begin") {
    batch_world::stores world;
    world.put({"g000", "a", "good"});
    world.put({"g001", "a", "slow"});
    world.put({"g002", "a", "good"});
    world.put({"g003", "a", "good"});
    process run{world, here};
    const auto answer = run.job.run({.due = sunday, .run = "first", .limit = 29s}); // 24 s of work
    CHECK(answer->outcome == batch_outcome::stopped);
    CHECK(answer->report.worked == 2); // 22 s, and the guess is 3 s
    CHECK(answer->report.took() == 22s);
    CHECK(answer->report.why == "the time left is too short for another group, at g002: it did not begin");
}
