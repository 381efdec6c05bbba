#include <freshet/job/batch_job.hpp>

#include <algorithm>
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

constexpr freshet::time_point sunday{std::chrono::seconds{1'736'935'200}};
freshet::inline_executor here;

auto groups_of(const batch_world::steps& does, std::string_view what) -> std::vector<std::string> {
    std::vector<std::string> groups;
    for (const auto& one : does.deeds) {
        if (one.what == what) { groups.push_back(one.group); }
    }
    return groups;
}

} // namespace

TEST_CASE("all that waits is worked on, group by group, and the round is done") {
    batch_world::stores world;
    world.fill(11, {"good", "undecided"});
    process run{world, here};
    const auto answer = run.job.run({.due = sunday, .run = "first"});
    REQUIRE(answer);
    CHECK(answer->outcome == batch_outcome::complete);
    const auto& report = answer->report;
    CHECK(report.why == "");
    CHECK(report.state == freshet::run_state::complete);
    CHECK(report.listed == 22);
    CHECK(report.groups == 11);
    CHECK(report.worked == 11);
    CHECK(report.validated == 12);
    CHECK(report.updated == 12);
    CHECK(report.undecided == 10);
    CHECK(report.took() == 22s);
    CHECK(*world.runs.latest("labels") == report);
    CHECK(run.does.count("work") == 11);
    CHECK(run.does.count("apply") == 11);
    CHECK(run.lines.front() == "items_listed groups=11 after=");
    CHECK(run.lines[1].starts_with("batch_began groups=4 expected=12000ms "));
    CHECK(run.lines[2] == "group_applied group=g000");
    CHECK(run.lines[6] ==
          "batch_ended groups=11 why= group_costs=3687ms"); // 2 s each: the deviation of the first, half of it, fades
    CHECK(run.lines.back() == "run_report groups=11 why=");
    CHECK(process{world, here}.job.run({.due = sunday, .run = "second"})->outcome == batch_outcome::already_done);
}

TEST_CASE("nothing that waits is a round too") {
    batch_world::stores world;
    CHECK(process{world, here}.job.run({.due = sunday, .run = "first"})->outcome == batch_outcome::complete);
}

TEST_CASE("an empty page does not end the list") {
    batch_world::stores world;
    world.fill(3, {"good"});
    process run{world, here};
    run.does.empty_first = true;
    CHECK(run.job.run({.due = sunday, .run = "first"})->report.listed == 6);
}

TEST_CASE("a run stops in time, and the next ones go on behind it until the round is complete") {
    batch_world::stores world;
    world.fill(20, {"good", "undecided"});
    std::vector<std::string> worked;
    std::string after;
    for (const auto* name : {"first", "second"}) {
        process run{world, here};
        const auto answer = run.job.run({.due = sunday, .run = name, .limit = 20s}); // 15 s for work
        REQUIRE(answer);
        CHECK(answer->outcome == batch_outcome::stopped);
        CHECK(answer->report.took() < 15s);
        CHECK(answer->report.why == "the time left is too short for another group");
        CHECK(answer->report.limit == 20s);
        CHECK(answer->report.resume > after);
        after = answer->report.resume;
        for (auto& group : groups_of(run.does, "work")) { worked.push_back(group); }
        CHECK(freshet::parse_resume_token(after)->after == worked.back());
    }
    process last{world, here};
    CHECK(last.job.run({.due = sunday, .run = "third"})->outcome == batch_outcome::complete);
    for (auto& group : groups_of(last.does, "work")) { worked.push_back(group); }
    CHECK(worked.size() == 20);
    CHECK(std::is_sorted(worked.begin(), worked.end()));
    CHECK(world.runs.runs("labels", {sunday, sunday + 1h})->size() == 3);
}

TEST_CASE("a host's deadline counts where it is the sooner one") {
    batch_world::stores world;
    world.fill(11, {"good"});
    process run{world, here};
    const auto until = freshet::deadline::in(9s, world.time.now());
    const auto answer = run.job.run({.due = sunday, .run = "first", .limit = 1h, .until = until});
    CHECK(answer->report.limit == 9s);
    CHECK(groups_of(run.does, "work") == std::vector<std::string>{"g000", "g001"}); // two guesses in three quarters
}

TEST_CASE("a group that is slower than expected ends with its time, and is the next run's first") {
    batch_world::stores world;
    world.fill(4, {"good", "slow"});
    {
        process run{world, here};
        const auto answer = run.job.run({.due = sunday, .run = "first", .limit = 20s});
        CHECK(answer->outcome == batch_outcome::stopped);
        CHECK(answer->report.why == "the time left is too short for another group, at g001: no time");
        CHECK(answer->report.worked == 1);
        CHECK(answer->report.failed == 0);
        CHECK(answer->report.took() == 15s);
        CHECK(run.does.count("set_aside") == 0);
    }
    process run{world, here};
    CHECK(run.job.run({.due = sunday, .run = "second"})->outcome == batch_outcome::complete);
    CHECK(groups_of(run.does, "work") == std::vector<std::string>{"g001", "g002", "g003"});
    CHECK(world.take_letters().empty());
}

TEST_CASE("a stop is heard between groups, and loses nothing") {
    batch_world::stores world;
    world.fill(6, {"good"});
    std::stop_source stop;
    process run{world, here};
    run.does.before = [&](const batch_world::deed& one) {
        if (one.what == "apply" && one.group == "g001") { stop.request_stop(); }
    };
    const auto answer = run.job.run({.due = sunday, .run = "first"}, stop.get_token());
    CHECK(answer->outcome == batch_outcome::stopped);
    CHECK(groups_of(run.does, "apply") == std::vector<std::string>{"g000", "g001"}); // what is worked on is applied
    CHECK(answer->report.why == "a stop was asked for, at g002: it did not begin");
    CHECK(process{world, here}.job.run({.due = sunday, .run = "second"})->report.worked == 4);
}

TEST_CASE("no more groups begin than were asked for") {
    batch_world::stores world;
    world.fill(9, {"good"});
    const auto answer = process{world, here}.job.run({.due = sunday, .run = "first", .max_groups = 6});
    CHECK(answer->outcome == batch_outcome::stopped);
    CHECK(answer->report.worked == 6);
    CHECK(process{world, here}.job.run({.due = sunday, .run = "all", .max_groups = 3})->outcome ==
          batch_outcome::complete);
}

TEST_CASE("an item that somebody changed meanwhile stays as he left it, and is counted") {
    batch_world::stores world;
    world.fill(2, {"good"});
    process run{world, here};
    run.does.before = [&](const batch_world::deed& one) {
        if (one.what == "work" && one.group == "g001") { world.put({"g001", "b", "good", "NEEDS_REVIEW"}); }
    };
    const auto answer = run.job.run({.due = sunday, .run = "first"});
    CHECK(answer->outcome == batch_outcome::complete);
    CHECK(answer->report.conflicts == 1);
    CHECK(answer->report.validated == 3);
    CHECK(world.states()["g001/b"] == "NEEDS_REVIEW");
}

TEST_CASE("an item that no round decides needs review after as many rounds as are put up with") {
    batch_world::stores world;
    world.fill(1, {"undecided"});
    for (unsigned week = 0; week != 3; ++week) {
        const auto answer = process{world, here}.job.run({.due = sunday + week * 168h, .run = "weekly"});
        CHECK(answer->report.undecided == (week < 2 ? 1 : 0));
        CHECK(answer->report.needs_review == (week < 2 ? 0 : 1));
    }
    CHECK(world.states()["g000/a"] == "NEEDS_REVIEW");
    CHECK(process{world, here}.job.run({.due = sunday + 600h, .run = "weekly"})->report.listed == 0);
}

TEST_CASE("a run that cannot begin says why, and what is no round, name or token is refused") {
    batch_world::stores world;
    process run{world, here};
    CHECK(run.job.run({.due = sunday}).why() == freshet::error{errc::malformed, "job labels: a run without a name"});
    CHECK(run.job.run({.due = freshet::time_point::max(), .run = "first"}).why().code == errc::malformed);
    CHECK(run.job.run({.due = sunday, .run = "first", .resume = "somewhere"}).why().note ==
          "job labels: resume token: a resume token begins with \"resume-1 \" at byte 0");
    const auto other = freshet::to_text(freshet::resume_token{sunday + 1h, "g000"});
    CHECK(run.job.run({.due = sunday, .run = "first", .resume = other}).why().note ==
          "job labels: resume token: it is of another round");
    CHECK(run.of.calls == 0);
}
