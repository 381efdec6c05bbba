#include <freshet/job/batch_job.hpp>

#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/work/executor.hpp>

#include "batch_world.hpp"

namespace {

using namespace std::chrono_literals;
using batch_world::process;
using freshet::batch_outcome;

constexpr freshet::time_point sunday{std::chrono::seconds{1'736'935'200}};

} // namespace

TEST_CASE("groups of a batch may be worked on by several threads at once") {
    batch_world::stores world;
    world.fill(40, {"good", "undecided", "malformed", "flaky", "throws"});
    auto options = batch_world::quick_options();
    options.batch = 10;
    options.at_once = 4;
    options.lease = 6s; // renewed every other group
    freshet::thread_executor crew{4};
    int runs = 0;
    for (bool complete = false; !complete; ++runs) {
        REQUIRE(runs < 30);
        process run{world, crew, options};
        const auto answer = run.job.run({.due = sunday, .run = "run " + std::to_string(runs), .limit = 60s});
        REQUIRE(answer);
        CHECK(answer->report.failed == answer->report.dead_lettered);
        complete = answer->outcome == batch_outcome::complete;
    }
    CHECK(runs > 1);
    CHECK(world.take_letters().size() == 16);
    for (const auto& found_item : world.all()) {
        const auto& one = found_item.second;
        CAPTURE(one.group);
        CAPTURE(one.id);
        const auto kind = world.all().at(one.group + "/a").kind;
        const bool decided = kind != "malformed" && kind != "throws" && one.kind != "undecided";
        CHECK(one.state == (decided ? "VALID" : "PENDING"));
        CHECK(one.rounds == (decided ? 0U : 1U));
    }
}
