#include <freshet/job/batch_job.hpp>

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
using freshet::batch_outcome;
using freshet::errc;
using texts = std::vector<std::string>;

constexpr freshet::time_point sunday{std::chrono::seconds{1'736'935'200}};
freshet::inline_executor here;
const std::string this_round = batch_world::text_of(sunday);

/// What stops a run where many groups fail.
auto strict_options() -> freshet::batch_job_options {
    auto options = batch_world::quick_options();
    options.tolerated = {};
    options.tolerated.percent_from = 4;
    return options;
}

} // namespace

TEST_CASE("a group's failure is its own, and it is tried again only where that can help") {
    struct expected {
        const char* kind;
        unsigned tries;
    };
    for (const auto& of : {expected{"malformed", 1}, expected{"denied", 1}, expected{"failed", 1},
                           expected{"throws", 1}, expected{"down", 4}, expected{"flaky", 2}}) {
        CAPTURE(of.kind);
        batch_world::stores world;
        world.fill(3, {"good", of.kind, "good"});
        process run{world, here};
        const auto answer = run.job.run({.due = sunday, .run = "first"});
        const bool fails = std::string{of.kind} != "flaky";
        CHECK(answer->outcome == batch_outcome::complete);
        CHECK(answer->report.worked == 3);
        CHECK(answer->report.failed == (fails ? 1 : 0));
        CHECK(answer->report.dead_lettered == (fails ? 1 : 0));
        CHECK(answer->report.undecided == (fails ? 2 : 0));
        CHECK(answer->report.retries == of.tries - 1);
        CHECK(run.does.tries["g001"] == of.tries);
        CHECK(answer->report.why.starts_with("first failure: g001: ") == fails);
        CHECK(world.states()["g002/a"] == "VALID");
        CHECK(world.take_letters() == (fails ? texts{this_round + "/g001"} : texts{}));
    }
}

TEST_CASE("a callback's own failure is tried again where the options say so") {
    batch_world::stores world;
    world.fill(1, {"throws"});
    auto options = batch_world::quick_options();
    options.retries.retry_failed = true;
    process run{world, here, options};
    CHECK(run.job.run({.due = sunday, .run = "first"})->report.retries == 3);
}

TEST_CASE("a letter says what it is about") {
    batch_world::stores world;
    world.fill(1, {"down"});
    process run{world, here};
    REQUIRE(run.job.run({.due = sunday, .run = "first"}));
    const auto message = world.letters.receive({})->front();
    const auto letter = *freshet::parse_dead_letter(message.body);
    CHECK(letter.origin == "labels");
    CHECK(letter.id == this_round + "/g000");
    CHECK(letter.group == "g000");
    CHECK(letter.bytes == "g000");
    CHECK(letter.why == freshet::error{errc::unavailable, "down"});
    CHECK(letter.attempts == 4);
    CHECK(run.lines[2] == "group_dead_lettered group=g000 why=down");
    CHECK(run.lines[3] == "group_failed group=g000 why=down fate=set_aside");
}

TEST_CASE("a letter that cannot be sent is said so, and its group is told of in the next round") {
    batch_world::stores world;
    world.fill(1, {"malformed"});
    {
        process run{world, here};
        run.of.broken["letters.send"] = errc::denied;
        const auto answer = run.job.run({.due = sunday, .run = "first"});
        CHECK(answer->outcome == batch_outcome::complete);
        CHECK(answer->report.failed == 1);
        CHECK(answer->report.dead_lettered == 0);
        CHECK(answer->report.why == "first failure: g000: malformed; no dead letter: g000: letters.send is broken");
        CHECK(run.lines[2] == "group_letter_failed group=g000 why=letters.send is broken");
        CHECK(run.lines[3] == "group_failed group=g000 why=malformed fate=not_set_aside");
        CHECK(world.all()["g000/a"].rounds == 0);
    }
    const auto answer = process{world, here}.job.run({.due = sunday + 168h, .run = "next"});
    CHECK(answer->report.dead_lettered == 1);
    CHECK(world.take_letters() == texts{batch_world::text_of(sunday + 168h) + "/g000"});
}

TEST_CASE("items that cannot be set aside wait as they did, and their group's letter says so") {
    batch_world::stores world;
    world.fill(2, {"malformed", "good"});
    process run{world, here};
    run.of.broken["items.put"] = errc::denied;
    const auto answer = run.job.run({.due = sunday, .run = "first"});
    CHECK(answer->report.failed == 2); // the good one's effects failed
    CHECK(answer->report.dead_lettered == 2);
    CHECK(answer->report.why ==
          "first failure: g000: malformed; and its items were not set aside: items.put is broken");
    CHECK(world.all()["g000/a"].rounds == 0);
}

TEST_CASE("when what all depend on is down, nothing is set aside, and the next run begins with what failed") {
    batch_world::stores world;
    world.fill(12, {"good"});
    {
        process run{world, here, strict_options()};
        run.does.before = [&](const batch_world::deed& one) {
            if (one.what == "apply" && one.group == "g004") { run.of.broken["items.put"] = errc::unavailable; }
        };
        const auto answer = run.job.run({.due = sunday, .run = "first"});
        CHECK(answer->outcome == batch_outcome::failed);
        CHECK(answer->report.state == freshet::run_state::failed);
        CHECK(answer->report.worked == 12);
        CHECK(answer->report.failed == 8);
        CHECK(answer->report.why.starts_with("too many groups failed; first failure: g004: items.put is broken"));
        // Half of the first eight failed, which is put up with: so four are told of before it shows.
        CHECK(freshet::parse_resume_token(answer->report.resume)->after == "g007");
        CHECK(run.lines.back().starts_with("run_report"));
    }
    CHECK(world.take_letters().size() == 4);
    process run{world, here, strict_options()};
    const auto answer = run.job.run({.due = sunday, .run = "second"});
    CHECK(answer->outcome == batch_outcome::complete);
    CHECK(answer->report.groups == 4);
    CHECK(world.take_letters().empty());
}

TEST_CASE("with too many failures only what retries may help against is left, and the next run begins with it") {
    batch_world::stores world;
    world.fill(8, {"down", "malformed", "throws", "down"});
    const auto failing = [] {
        auto options = strict_options();
        options.tolerated.count = 1;
        return options;
    };
    process run{world, here, failing()};
    const auto answer = run.job.run({.due = sunday, .run = "first"});
    CHECK(answer->outcome == batch_outcome::failed);
    CHECK(answer->report.worked == 4);
    CHECK(answer->report.resume == "");
    CHECK(world.take_letters() == texts{this_round + "/g001", this_round + "/g002"});
    CHECK(world.all()["g000/a"].rounds == 0);
    CHECK(world.all()["g001/a"].rounds == 1);
    CHECK(run.lines[2] == "group_failed group=g000 why=down fate=left");
    world.time.advance(10min); // the queue has forgotten the letters
    const auto again = process{world, here, failing()}.job.run({.due = sunday, .run = "second"});
    CHECK(again->report.worked == 4);
    CHECK(freshet::parse_resume_token(again->report.resume)->after == "g003");        // they were left once
    CHECK(world.take_letters() == texts{this_round + "/g000", this_round + "/g003"}); // told once a round
    CHECK(world.all()["g001/a"].rounds == 1);
}

TEST_CASE("a wait for a retry does not reach the deadline, and what it kept from its next try has not failed") {
    batch_world::stores world;
    world.fill(2, {"good", "down"});
    auto options = batch_world::quick_options();
    options.retries = {.retries = 1'000, .base = 4s, .cap = 4s};
    process run{world, here, options};
    const auto answer = run.job.run({.due = sunday, .run = "first", .limit = 20s});
    CHECK(answer->outcome == batch_outcome::stopped);
    CHECK(answer->report.took() <= 15s);
    CHECK(answer->report.failed == 0);
    CHECK(answer->report.retries > 0);
    CHECK(answer->report.why == "the time left is too short for another group, at g001: down");
    CHECK(world.take_letters().empty());
}

TEST_CASE("a stop ends the wait for a retry") {
    batch_world::stores world;
    world.fill(2, {"down"});
    std::stop_source stop;
    process run{world, here};
    run.does.before = [&](const batch_world::deed&) { stop.request_stop(); };
    const auto answer = run.job.run({.due = sunday, .run = "first"}, stop.get_token());
    CHECK(answer->outcome == batch_outcome::stopped);
    CHECK(run.does.count("work") == 1);
    CHECK(answer->report.failed == 0);
}

TEST_CASE("a list that fails ends the run, and one that the stop ended stops it") {
    batch_world::stores world;
    world.fill(3, {"good"});
    {
        process run{world, here};
        run.of.broken["items.query"] = errc::unavailable;
        const auto answer = run.job.run({.due = sunday, .run = "first"});
        CHECK(answer->outcome == batch_outcome::failed);
        CHECK(answer->report.why == "the list of what waits: items.query is broken");
        CHECK(world.runs.latest("labels")->value().state == freshet::run_state::failed);
    }
    std::stop_source stop;
    stop.request_stop();
    process run{world, here};
    const auto answer = run.job.run({.due = sunday, .run = "second"}, stop.get_token());
    CHECK(answer->outcome == batch_outcome::stopped);
    CHECK(answer->report.why == "a stop was asked for, before all was listed");
    CHECK(run.job.run({.due = sunday, .run = "third"})->outcome == batch_outcome::complete);
}

TEST_CASE("a list that leads back to where it was fails the run") {
    batch_world::stores world;
    process run{world, here};
    run.does.in_a_circle = true;
    const auto answer = run.job.run({.due = sunday, .run = "first"});
    CHECK(answer->outcome == batch_outcome::failed);
    CHECK(answer->report.why == "the list of what waits: a page leads back to itself: it would never end");
}
