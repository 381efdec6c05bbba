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

TEST_CASE("a round that somebody is at is held, until the lease ends") {
    batch_world::stores world;
    world.fill(2, {"good"});
    const auto other = *world.ledger.claim({"labels@" + batch_world::text_of(sunday), "other", 1min});
    process run{world, here};
    const auto held = run.job.run({.due = sunday, .run = "first"});
    CHECK(held->outcome == batch_outcome::held);
    CHECK(held->held_until == world.time.now() + 1min);
    CHECK(run.does.deeds.empty());
    CHECK(!*world.runs.latest("labels"));
    world.time.advance(1min);
    CHECK(run.job.run({.due = sunday, .run = "first"})->outcome == batch_outcome::complete);
    for (const auto& one : run.does.deeds) { CHECK((one.what != "apply" || one.token > other.claim.token)); }
}

TEST_CASE("a lease that is lost ends the run before the next effect") {
    batch_world::stores world;
    world.fill(6, {"good", "malformed"});
    process run{world, here};
    run.does.before = [&](const batch_world::deed& one) {
        if (one.what != "work" || one.group != "g002") { return; }
        world.time.advance(2min);
        REQUIRE(world.ledger.claim({"labels@" + batch_world::text_of(sunday), "other", 1min})->mine());
    };
    const auto answer = run.job.run({.due = sunday, .run = "first"});
    CHECK(answer->outcome == batch_outcome::stopped);
    CHECK(answer->report.why.starts_with("the round is not ours any longer (ledger: "));
    CHECK(groups_of(run.does, "apply") == std::vector<std::string>{"g000"});
    CHECK(run.does.count("set_aside") == 0); // of g001: that is an effect too
    CHECK(freshet::parse_resume_token(answer->report.resume)->after == "g000");
}

TEST_CASE("a lease is renewed while the run lasts") {
    batch_world::stores world;
    world.fill(9, {"slow"});
    process run{world, here};
    run.does.before = [&](const batch_world::deed&) {
        CHECK(world.ledger.claim({"labels@" + batch_world::text_of(sunday), "other", 1min})->verdict ==
              freshet::claim_verdict::held);
    };
    CHECK(run.job.run({.due = sunday, .run = "first"})->outcome == batch_outcome::complete);
}
