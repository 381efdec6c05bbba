#include <freshet/job/round_lease.hpp>

#include <chrono>
#include <stdexcept>

#include <doctest/doctest.h>

#include <adapters/memory/ledger.hpp>
#include <freshet/testing/faults.hpp>
#include <freshet/testing/faulty_ledger.hpp>
#include <freshet/testing/manual_clock.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::errc;
using freshet::testing::fault;

struct world {
    freshet::testing::manual_clock clock{freshet::testing::manual_clock{}.now()};
    adapters::memory::ledger<freshet::testing::manual_clock> shared{clock};
    freshet::testing::faults script{};
    freshet::testing::faulty_ledger<adapters::memory::ledger<freshet::testing::manual_clock>> ledger{shared, script};
    freshet::work_claim claim{shared.claim({"round", "mine", 60s})->claim};
    freshet::round_lease<decltype(ledger)> lease{ledger, claim, 60s};
};

} // namespace

TEST_CASE("a claim holds while nobody else has the work, also after its lease") {
    world now{};
    CHECK(now.lease.token() == now.claim.token);
    CHECK(now.lease.holds(now.clock.now()));
    CHECK(now.script.count("ledger.renew") == 0);
    now.clock.advance(70s);
    CHECK(now.lease.holds(now.clock.now()));
    CHECK(now.lease.claim().expires_at == now.clock.now() + 60s);
}

TEST_CASE("a claim that somebody else has is lost for good") {
    world now{};
    now.clock.advance(60s);
    const auto other = *now.shared.claim({"round", "other", 60s});
    CHECK_FALSE(now.lease.holds(now.clock.now()));
    CHECK(now.lease.lost()->code == errc::conflict);
    REQUIRE(now.shared.release(other.claim));
    CHECK_FALSE(now.lease.holds(now.clock.now()));
}

TEST_CASE("while the ledger does not answer, a claim holds as long as its lease") {
    world now{};
    now.script.always("ledger.renew", fault::before(errc::unavailable));
    now.clock.advance(59s);
    CHECK(now.lease.holds(now.clock.now()));
    now.clock.advance(1s);
    CHECK_FALSE(now.lease.holds(now.clock.now()));
    CHECK(now.lease.lost()->code == errc::unavailable);
}

TEST_CASE("what the ledger throws is its failure") {
    struct throwing_ledger {
        auto renew(const freshet::work_claim&, freshet::duration) -> freshet::result<freshet::work_claim> {
            throw std::runtime_error{"no memory"};
        }
    };
    throwing_ledger ledger;
    const freshet::time_point noon{1h};
    freshet::round_lease lease{ledger, freshet::work_claim{.key = "round", .token = 1, .expires_at = noon + 60s}, 60s};
    CHECK(lease.holds(noon + 59s));
    CHECK_FALSE(lease.holds(noon + 60s));
    CHECK(*lease.lost() == freshet::error{errc::failed, "no memory"});
}
