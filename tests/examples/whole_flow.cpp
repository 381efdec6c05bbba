#include "whole_flow.hpp"

#include <cstddef>
#include <optional>
#include <string>

#include <doctest/doctest.h>

#include <freshet/stream/processor.hpp>

#include <support/cases.hpp>

namespace {

using namespace flow;

const std::string image = "IMAGE#3f52804b-2fad-4e00-92c8-b593da3a8ed3";

} // namespace

TEST_CASE_TEMPLATE("an edit of the table comes out in the projections that want it", Backends, in_memory, in_sqlite) {
    world<Backends> here{1, {}, {}};
    here.put(image, "RECEIPT#00001#METADATA", R"(,"merchant_name":{"S":"Tea House"})");
    here.put(image, "RECEIPT#00001#LINE#00002#WORD#00003#LABEL#DATE", R"(,"validation_status":{"S":"PENDING"})");
    here.put(image, "RECEIPT#00001", R"(,"note":{"S":"nobody asked"})");
    here.settle();
    CHECK(here.held(0) == items{{image + " RECEIPT#00001#METADATA", "Tea House / -"}});
    CHECK(here.held(1) == items{{image + " RECEIPT#00001#METADATA", "Tea House / -"},
                                {image + " RECEIPT#00001#LINE#00002#WORD#00003#LABEL#DATE", "PENDING / -"}});
    // A label becomes another one, and the receipt goes.
    here.erase(image, "RECEIPT#00001#LINE#00002#WORD#00003#LABEL#DATE");
    here.put(image, "RECEIPT#00001#LINE#00002#WORD#00003#LABEL#TAX", R"(,"validation_status":{"S":"VALID"})");
    here.erase(image, "RECEIPT#00001#METADATA");
    here.settle();
    CHECK(here.held(0).empty());
    CHECK(here.held(1) == items{{image + " RECEIPT#00001#LINE#00002#WORD#00003#LABEL#TAX", "VALID / -"}});
}

TEST_CASE_TEMPLATE("without trouble, every change is applied once and in order", Backends, in_memory, in_sqlite) {
    const auto seed = support::seed();
    CAPTURE(seed);
    for (const bool fifo : {true, false}) {
        CAPTURE(fifo);
        world<Backends> here{seed, {.fifo = fifo}, {}};
        here.live(120);
        here.settle();
        for (const std::size_t queue : {0U, 1U}) {
            CHECK(here.held(queue) == here.wanted(queue));
            CHECK(here.only_ascends(queue));
            if (fifo) { CHECK(here.applied(queue) == here.changes_for(queue)); }
        }
    }
}

TEST_CASE_TEMPLATE("through faults, deaths and pauses that retries get over, every change is applied once and in order",
                   Backends, in_memory, in_sqlite) {
    const auto seeds = support::cases(Backends::seeds);
    for (auto seed = support::seed(); seed != support::seed() + seeds; ++seed) {
        CAPTURE(seed);
        freshet::processor_options patient{.retries = 1'000'000, .max_age = std::nullopt};
        world<Backends> here{seed, {}, patient};
        here.trouble(0.15, false);
        here.live(100);
        here.peace();
        here.settle();
        for (const std::size_t queue : {0U, 1U}) {
            CHECK(here.held(queue) == here.wanted(queue));
            CHECK(here.applied(queue) == here.changes_for(queue));
        }
    }
}

TEST_CASE_TEMPLATE("through anything, the projections end as the table is, and no item ever goes back", Backends,
                   in_memory, in_sqlite) {
    const auto seeds = support::cases(Backends::seeds);
    for (auto seed = support::seed(); seed != support::seed() + seeds; ++seed) {
        CAPTURE(seed);
        const world_options options{.fifo = seed % 2 == 0, .max_receives = static_cast<unsigned>(seed % 4),
                                    .receives = 4};
        world<Backends> here{seed, options, {.retries = 1}};
        here.trouble(0.2, true);
        for (std::size_t part = 0; part != 3; ++part) {
            here.live(35);
            here.sabotage(part % 2);
        }
        here.peace();
        here.settle();
        for (const std::size_t queue : {0U, 1U}) {
            CHECK(here.held(queue) == here.wanted(queue));
            CHECK(here.only_ascends(queue));
        }
        CHECK(here.junk_is_accounted_for());
    }
}
