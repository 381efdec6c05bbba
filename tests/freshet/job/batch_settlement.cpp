#include <freshet/job/batch_settlement.hpp>

#include <chrono>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace std::chrono_literals;
using freshet::batch_progress;
using freshet::batch_turn;
using freshet::errc;
using freshet::groups_settled;
using freshet::rule_turns;
using freshet::settlement_facts;
using freshet::turn_end;
using enum freshet::turn_ruling;
using rulings = std::vector<freshet::turn_ruling>;

/// Of a run that puts up with so many failures.
auto progress(std::uint64_t failures) -> batch_progress {
    return {freshet::run_report{}, 6s, {.count = failures, .percent = 100, .in_a_row = 100}};
}
auto failed(errc code) -> batch_turn { return {turn_end::failed, {}, {code, "no"}, 0, 2s}; }

const batch_turn good{turn_end::applied, {.validated = 1}, {}, 0, 2s};
const batch_turn stopped{};
const batch_turn late{turn_end::out_of_time, {}, {errc::expired, "no time"}, 0, 30s};

} // namespace

TEST_CASE("groups that failed are set aside, what did not end is left, and all are counted") {
    auto now = progress(9);
    std::vector<batch_turn> turns{good, failed(errc::unavailable), failed(errc::malformed), good, stopped, late, good};
    const auto ruled = rule_turns(turns, now, {});
    CHECK(ruled == rulings{applied, set_aside, set_aside, applied, leave, leave, applied});
    CHECK(groups_settled(ruled) == 4);
    CHECK(now.report().worked == 5);
    CHECK(now.report().failed == 2);
    CHECK(now.report().validated == 3);
}

TEST_CASE("with too many failures what retries may help against is left, once") {
    const std::vector<errc> codes{errc::unavailable, errc::throttled, errc::failed,   errc::denied,
                                  errc::malformed,   errc::too_large, errc::conflict, errc::expired};
    std::vector<batch_turn> turns;
    for (const auto code : codes) { turns.push_back(failed(code)); }
    const rulings own(6, set_aside);
    auto expected = own;
    expected.insert(expected.begin(), {leave, leave});
    auto now = progress(2);
    CHECK(rule_turns(turns, now, {.retries = freshet::retry_plan{{.retries = 0}}}) == expected);
    expected[2] = leave; // where failures are tried again
    now = progress(2);
    CHECK(rule_turns(turns, now, {.retries = freshet::retry_plan{{.retry_failed = true}}}) == expected);
    now = progress(2);
    CHECK(rule_turns(turns, now, {.gave_up_here = true}) == rulings(8, set_aside));
}

TEST_CASE("the first group of a run that took half of the run's time, and did not end, has failed") {
    struct given {
        settlement_facts facts;
        bool fails;
    };
    for (const auto& of :
         {given{{.first_of_run = true, .run_time = 60s}, true}, given{{.run_time = 60s}, false},
          given{{.first_of_run = true, .run_time = 61s}, false}, given{{.first_of_run = true}, false}}) {
        auto now = progress(9);
        std::vector<batch_turn> turns{late, late};
        const auto ruled = rule_turns(turns, now, of.facts);
        CHECK(ruled == rulings{of.fails ? set_aside : leave, leave});
        CHECK(now.report().failed == (of.fails ? 1 : 0));
        CHECK(turns[0].why.code == errc::expired);
        CHECK(turns[0].why.note == (of.fails ? "the time of a whole run was too short for it: no time" : "no time"));
    }
    auto now = progress(9);
    std::vector<batch_turn> turns{stopped};
    turns[0].took = 60s;
    CHECK(rule_turns(turns, now, {.first_of_run = true, .run_time = 60s}) == rulings{leave}); // by a stop
    turns.clear();
    CHECK(rule_turns(turns, now, {.first_of_run = true}).empty());
}

TEST_CASE("all that had its turn from the first group on is settled") {
    CHECK(groups_settled(rulings{}) == 0);
    CHECK(groups_settled(rulings{leave, applied}) == 0);
    CHECK(groups_settled(rulings{set_aside, applied}) == 2);
}
