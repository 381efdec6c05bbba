#include <freshet/job/batch_redrive.hpp>

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "batch_world.hpp"

namespace {

using namespace std::chrono_literals;
using batch_world::process;
using freshet::errc;
using freshet::redrive_groups;

constexpr freshet::time_point sunday{std::chrono::seconds{1'736'935'200}};
freshet::inline_executor here;

/// Three groups, of which the first two failed and were told of.
void fail_two(batch_world::stores& world) {
    world.fill(3, {"malformed", "throws", "good"});
    CHECK(process{world, here}.job.run({.due = sunday, .run = "first"})->report.dead_lettered == 2);
}
/// What was wrong with a group is set right.
void repair(batch_world::stores& world, const std::string& group) {
    for (const auto& [key, one] : world.all()) {
        auto repaired = one;
        repaired.kind = "good";
        if (one.group == group) { world.put(repaired); }
    }
}

} // namespace

TEST_CASE("the groups of dead letters are worked on again, as they are now; what fails again stays") {
    batch_world::stores world;
    fail_two(world);
    repair(world, "g000");
    process run{world, here};
    const auto report = redrive_groups(run.job, world.letters, "redrive 1");
    REQUIRE(report);
    CHECK(report->received == 2);
    CHECK(report->redriven == 1);
    CHECK(report->failed == 1);
    CHECK(report->why == freshet::error{errc::failed, "something was thrown that is no std::exception"});
    CHECK(world.states()["g000/a"] == "VALID");
    CHECK(world.states()["g001/a"] == "PENDING");
    CHECK(run.lines == std::vector<std::string>{"group_applied group=g000"});
    CHECK(world.take_letters() == std::vector<std::string>{batch_world::text_of(sunday) + "/g001"});
}

TEST_CASE("a redrive that was killed is repeated, and its effects are not") {
    batch_world::stores world;
    fail_two(world);
    repair(world, "g000");
    repair(world, "g001");
    for (std::size_t call = 1; call != 20; ++call) {
        process run{world, here};
        run.of.last = call;
        run.of.reaches = call % 2 == 0;
        static_cast<void>(redrive_groups(run.job, run.letters, "redrive " + std::to_string(call)));
        world.time.advance(2min); // leases and receipts end
    }
    CHECK(world.take_letters().empty());
    CHECK(world.states()["g000/a"] == "VALID");
    CHECK(world.states()["g001/b"] == "VALID");
}

TEST_CASE("a group that nothing is left of is done") {
    batch_world::stores world;
    fail_two(world);
    for (const auto* group : {"g000", "g001"}) {
        for (const auto* id : {"a", "b"}) { world.put({group, id, "good", "VALID"}); }
    }
    process run{world, here};
    CHECK(redrive_groups(run.job, world.letters, "redrive 1")->redriven == 2);
    CHECK(run.does.deeds.empty());
}

TEST_CASE("a letter that somebody else is at, and one of another job, are left") {
    batch_world::stores world;
    fail_two(world);
    const auto round = *freshet::batch_round::of("labels", sunday);
    REQUIRE(world.ledger.claim({round.key("redo", "g000"), "other", 1min}));
    auto options = batch_world::quick_options();
    process run{world, here, options};
    const auto letter = round.letter("g000", {errc::failed, ""}, 1, sunday);
    CHECK(run.job.redo(letter, "redrive 1").why().code == errc::unavailable);
    options.job = "metadata";
    process other{world, here, options};
    const auto report = redrive_groups(other.job, world.letters, "redrive 1");
    CHECK(report->failed == 2);
    CHECK(report->why->code == errc::malformed);
    CHECK(other.does.deeds.empty());
    CHECK(world.take_letters().size() == 2);
}

TEST_CASE("a stop leaves a letter to be done") {
    batch_world::stores world;
    fail_two(world);
    const auto round = *freshet::batch_round::of("labels", sunday);
    const auto letter = round.letter("g000", {errc::failed, ""}, 1, sunday);
    std::stop_source stop;
    stop.request_stop();
    process run{world, here};
    CHECK(run.job.redo(letter, "redrive 1", freshet::deadline::never(), stop.get_token()).why().code == errc::expired);
    repair(world, "g000");
    CHECK(run.job.redo(letter, "redrive 2"));
    CHECK(world.states()["g000/a"] == "VALID");
}

TEST_CASE("a letter that is redriven after a later round adds no round") {
    batch_world::stores world;
    world.fill(1, {"malformed"});
    for (const auto due : {sunday, sunday + 168h}) {
        CHECK(process{world, here}.job.run({.due = due, .run = "weekly"})->report.undecided == 2);
    }
    for (const auto* id : {"a", "b"}) {
        auto one = world.all()["g000/" + std::string{id}];
        one.kind = "undecided";
        world.put(one);
    }
    process run{world, here};
    const auto letter = freshet::batch_round::of("labels", sunday)->letter("g000", {errc::failed, ""}, 1, sunday);
    CHECK(run.job.redo(letter, "redrive 1"));
    CHECK(world.all()["g000/a"].rounds == 2);
    CHECK(world.states()["g000/a"] == "PENDING"); // after two rounds of three
}
