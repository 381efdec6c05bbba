#include <freshet/job/batch_job.hpp>

#include <algorithm>
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

} // namespace

TEST_CASE("a run that cannot write down that it begins does nothing, and gives the round back") {
    batch_world::stores world;
    world.fill(2, {"good"});
    for (const auto* call : {"runs.put", "runs.runs", "ledger.claim"}) {
        CAPTURE(call);
        process run{world, here};
        run.of.broken[call] = errc::unavailable;
        const auto answer = run.job.run({.due = sunday, .run = call});
        REQUIRE(!answer);
        CHECK(answer.why() == freshet::error{errc::unavailable, "job labels: " + std::string{call} + " is broken"});
        CHECK(run.does.deeds.empty());
    }
    CHECK(process{world, here}.job.run({.due = sunday, .run = "later"})->outcome == batch_outcome::complete);
}

TEST_CASE("a run goes on when the run store fails later, says so, and hands its place to the caller") {
    batch_world::stores world;
    world.fill(12, {"good"});
    std::string place;
    {
        process run{world, here};
        run.does.before = [&](const batch_world::deed&) { run.of.broken["runs.put"] = errc::unavailable; };
        const auto answer = run.job.run({.due = sunday, .run = "first", .max_groups = 8});
        REQUIRE(answer);
        CHECK(answer->outcome == batch_outcome::stopped);
        CHECK(answer->unkept == freshet::error{errc::unavailable, "runs.put is broken"});
        place = answer->report.resume;
        CHECK(freshet::parse_resume_token(place)->after == "g007");
        CHECK(world.runs.latest("labels")->value().resume == "");
        CHECK(std::count(run.lines.begin(), run.lines.end(), "report_not_kept why=runs.put is broken") == 3);
    }
    process run{world, here};
    const auto answer = run.job.run({.due = sunday, .run = "second", .resume = place});
    CHECK(answer->outcome == batch_outcome::complete);
    CHECK(answer->report.groups == 4);
}

TEST_CASE("a round is complete when its report says so, and not before") {
    batch_world::stores world;
    world.fill(2, {"undecided"});
    {
        process run{world, here};
        run.does.before = [&](const batch_world::deed&) { run.of.broken["runs.put"] = errc::unavailable; };
        const auto answer = run.job.run({.due = sunday, .run = "first"});
        CHECK(answer->outcome == batch_outcome::stopped);
        CHECK(answer->report.why == "every group had its turn, and the run store does not know");
        CHECK(answer->unkept);
    }
    {
        process run{world, here};
        run.of.broken["ledger.complete"] = errc::unavailable;
        CHECK(run.job.run({.due = sunday, .run = "second"})->outcome == batch_outcome::complete);
    }
    world.time.advance(1min); // the lease that was not completed ends
    process run{world, here};
    CHECK(run.job.run({.due = sunday, .run = "third"})->outcome == batch_outcome::already_done);
    CHECK(run.does.deeds.empty());
    CHECK(world.all()["g000/a"].rounds == 1);
    CHECK(world.ledger.claim({"labels@" + batch_world::text_of(sunday), "any", 1min})->verdict ==
          freshet::claim_verdict::completed);
}

TEST_CASE("a place that was kept and cannot be read is the start: nothing is lost, and it is said") {
    batch_world::stores world;
    world.fill(2, {"good"});
    freshet::run_report damaged;
    damaged.job = "labels";
    damaged.run = "before";
    damaged.due = damaged.started_at = sunday;
    damaged.resume = "resume-1 12";
    REQUIRE(world.runs.put(damaged));
    process run{world, here};
    CHECK(run.job.run({.due = sunday, .run = "first"})->report.worked == 2);
    CHECK(run.lines.front() == "report_not_kept why=resume token: a blank is missing behind the round at byte 11");
}

TEST_CASE("rounds do not go on where another round stopped") {
    batch_world::stores world;
    world.fill(6, {"good"});
    CHECK(process{world, here}.job.run({.due = sunday, .run = "first", .max_groups = 4})->report.worked == 4);
    world.fill(2, {"good"});
    CHECK(process{world, here}.job.run({.due = sunday + 168h, .run = "next"})->report.worked == 4);
    CHECK(process{world, here}.job.run({.due = sunday, .run = "late"})->outcome == batch_outcome::complete);
}
