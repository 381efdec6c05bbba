#include <freshet/count/recount.hpp>
#include <freshet/count/recount_trigger.hpp>

#include <algorithm>
#include <cstddef>

#include <doctest/doctest.h>

#include <support/cases.hpp>

#include "recount_world.hpp"

TEST_CASE(
    "after 100,000 writes of any kind, recounts of the marked times alone have made the counts what the table says") {
    CAPTURE(support::seed());
    count_bench::world w{support::seed(), {.ids = 1500, .batch = 700, .page = 40, .page_writes = 50}};
    const auto steps = std::max<std::size_t>(support::cases(100'000), 5);
    for (std::size_t i = 1; i <= steps; ++i) {
        w.step();
        w.pump();
        if (i % (steps / 5) == 0) {
            w.settle();
            REQUIRE(w.holds());
        }
    }
    const auto facts = w.facts();
    if (steps < 100'000) { // too few to have met everything
        MESSAGE("of ", steps, " writes it is not asked what they have met");
        return;
    }
    CHECK(facts.records > 1000);
    CHECK(facts.failed > 10);
    CHECK(facts.duplicates > 10);
    CHECK(facts.irrelevant > 1000);
    CHECK(facts.no_time > 100);
    CHECK(facts.while_listed > 100);
}

TEST_CASE("after each of many short histories of moves, deletes, late records and faults the counts are right") {
    constexpr std::size_t usual = 2'000;
    const auto histories = support::cases(usual);
    count_bench::world_facts facts;
    for (std::size_t i = 0; i != histories; ++i) {
        CAPTURE(support::seed() + i);
        REQUIRE(count_bench::short_history_holds(support::seed() + i, facts));
    }
    if (histories < usual) {
        MESSAGE("of ", histories, " histories it is not asked what they have met");
        return;
    }
    CHECK(facts.records > 5 * usual / 2);
    CHECK(facts.failed > usual / 10);
    CHECK(facts.duplicates > 10);
    CHECK(facts.irrelevant > usual / 2);
    CHECK(facts.no_time > usual / 10);
    CHECK(facts.while_listed > usual);
}
