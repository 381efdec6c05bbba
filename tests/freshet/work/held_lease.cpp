#include <freshet/work/held_lease.hpp>

#include <chrono>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/backend/ledger.hpp>
#include <freshet/testing/manual_clock.hpp>

namespace {

using freshet::duration;
using freshet::errc;
using freshet::error;
using freshet::held_lease;
using freshet::renewal_due;
using freshet::result;
using freshet::time_point;
using freshet::work_claim;
using namespace std::chrono_literals;

constexpr time_point noon{duration{1'736'942'400'000'000}};

/// Renews from its clock's now on, or answers with `answer` once.
struct renewing {
    freshet::testing::manual_clock clock{noon};
    std::vector<error> answers;
    int renewals{};

    auto renew(const work_claim& claim, duration lease) -> result<work_claim> {
        ++renewals;
        if (!answers.empty()) {
            auto why = answers.back();
            answers.pop_back();
            return why;
        }
        return work_claim{claim.key, claim.token, clock.now() + lease};
    }
};

} // namespace

TEST_CASE("a claim is renewed from the last third of its lease on") {
    static_assert(!renewal_due(noon + 30s, 30s, noon));
    static_assert(!renewal_due(noon + 30s, 30s, noon + 20s - 1us));
    static_assert(renewal_due(noon + 30s, 30s, noon + 20s));
    static_assert(renewal_due(noon + 30s, 30s, noon + 1h));
    static_assert(renewal_due(noon, 0s, noon));
    static_assert(!renewal_due(time_point::max(), duration::max(), time_point::min()));
}

TEST_CASE("work that takes longer than its lease keeps its claim") {
    renewing ledger;
    held_lease lease{ledger, work_claim{"item", 7, noon + 30s}, 30s};
    for (int step = 0; step < 60; ++step) {
        ledger.clock.advance(5s);
        REQUIRE(lease.keep(ledger.clock.now()).ok());
        REQUIRE(lease.claim().expires_at > ledger.clock.now());
    }
    CHECK(lease.claim().token == 7);
    CHECK(ledger.renewals == 15);
}

TEST_CASE("a renewal that fails is tried again by the next keep") {
    renewing ledger;
    ledger.answers = {{errc::unavailable, "ledger: down"}};
    held_lease lease{ledger, work_claim{"item", 7, noon + 30s}, 30s};
    ledger.clock.advance(25s);
    CHECK(lease.keep(ledger.clock.now()).why().code == errc::unavailable);
    CHECK(lease.claim().expires_at == noon + 30s);
    CHECK(lease.keep(ledger.clock.now()).ok());
    CHECK(lease.claim().expires_at == noon + 55s);
}

TEST_CASE("a lease lost to somebody else is a conflict") {
    renewing ledger;
    ledger.answers = {{errc::conflict, "ledger: token 7 is not the last"}};
    held_lease lease{ledger, work_claim{"item", 7, noon + 30s}, 30s};
    CHECK(lease.keep(noon + 31s).why().code == errc::conflict);
}
