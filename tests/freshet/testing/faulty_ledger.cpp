#include <freshet/testing/faulty_ledger.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/testing/manual_clock.hpp>
#include <freshet/work/claimed.hpp>

namespace {

using freshet::claim_answer;
using freshet::claim_request;
using freshet::claim_verdict;
using freshet::claimed_state;
using freshet::do_claimed;
using freshet::duration;
using freshet::errc;
using freshet::error;
using freshet::result;
using freshet::work_claim;
using freshet::testing::fault;
using freshet::testing::faults;
using freshet::testing::faulty_ledger;
using namespace std::chrono_literals;

/// The ledger of one key.
struct one_key_ledger {
    freshet::testing::manual_clock& clock;
    work_claim last{};
    std::string owner{};
    bool open{}, done{};

    auto claim(const claim_request& request) -> result<claim_answer> {
        if (done) { return claim_answer{claim_verdict::completed, {}}; }
        const auto alive = open && clock.now() < last.expires_at;
        if (alive && request.owner != owner) { return claim_answer{claim_verdict::held, last}; }
        const auto verdict = open && !alive ? claim_verdict::taken_over : claim_verdict::granted;
        last = {std::string{request.key}, last.token + 1, clock.now() + request.lease};
        owner = request.owner;
        open = true;
        return claim_answer{verdict, last};
    }
    auto renew(const work_claim& claim, duration lease) -> result<work_claim> {
        if (claim.token != last.token) { return refused(); }
        last.expires_at = clock.now() + lease;
        return last;
    }
    auto complete(const work_claim& claim) -> result<void> {
        if (claim.token != last.token) { return refused(); }
        done = true;
        return {};
    }
    auto release(const work_claim& claim) -> result<void> {
        if (claim.token != last.token) { return refused(); }
        open = false;
        return {};
    }
    static auto refused() -> error { return {errc::conflict, "ledger: not the last token"}; }
};

static_assert(freshet::ledger<one_key_ledger> && freshet::ledger<faulty_ledger<one_key_ledger>>);

struct bench {
    freshet::testing::manual_clock clock{};
    one_key_ledger ledger{clock};
    faults script{};
    faulty_ledger<one_key_ledger> faulty{ledger, script};
    std::vector<std::uint64_t> applied{}; ///< tokens

    auto work(std::string_view owner) {
        return do_claimed(faulty, {.key = "item", .owner = owner}, [this](const work_claim& claim) -> result<void> {
            applied.push_back(claim.token);
            return {};
        });
    }
};

using tokens = std::vector<std::uint64_t>;

} // namespace

TEST_CASE("without faults every call goes through") {
    bench b;
    const auto claim = b.faulty.claim({.key = "item", .owner = "a"})->claim;
    CHECK(claim.token == 1);
    b.clock.advance(5s);
    CHECK(b.faulty.renew(claim, 30s)->expires_at == b.clock.now() + 30s);
    CHECK(b.faulty.release(claim).ok());
    CHECK_FALSE(b.ledger.open);
    CHECK(b.faulty.complete(claim).ok());
    CHECK(b.ledger.done);
    CHECK(b.script.count("ledger.renew") == 1);
}

TEST_CASE("every call can fail before it happens and after") {
    const work_claim claim{"item", 1, {}};
    bench b;
    for (const auto* verb : {"claim", "renew", "complete", "release"}) {
        b.script.next("ledger." + std::string{verb}, {fault::before(), fault::after()});
    }
    for (int round = 0; round < 2; ++round) {
        CHECK_FALSE(b.faulty.claim({.key = "item", .owner = "a"}).ok());
        CHECK(b.ledger.open == (round == 1));
        CHECK_FALSE(b.faulty.renew(claim, 30s).ok());
        CHECK_FALSE(b.faulty.complete(claim).ok());
        CHECK(b.ledger.done == (round == 1));
        CHECK_FALSE(b.faulty.release(claim).ok());
    }
    CHECK_FALSE(b.ledger.open);
    CHECK(b.script.unused().empty());
}

TEST_CASE("claimed work is done once where an answer of the ledger is lost") {
    for (const auto* operation : {"ledger.claim", "ledger.complete"}) {
        for (const auto& what : {fault::before(), fault::after()}) {
            bench b;
            b.script.next(operation, {what});
            CHECK(b.work("a")->state == claimed_state::done);
            CHECK(b.applied.size() == 1);
            CHECK(b.work("b")->state == claimed_state::already_done);
            CHECK(b.script.unused().empty());
        }
    }
}

TEST_CASE("a worker that is held up past its lease meets a conflict, and its successor's token is greater") {
    bench b;
    b.script.next("ledger.complete", {fault::meanwhile([&] {
        b.clock.advance(31s);
        const auto successor = b.work("b");
        CHECK(successor->state == claimed_state::done);
        CHECK(successor->taken_over);
    })});
    CHECK(b.work("a").why().code == errc::conflict);
    CHECK(b.applied == tokens{1, 2});
}

TEST_CASE("work whose release is lost is open again when the lease has ended") {
    bench b;
    b.script.next("ledger.release", {fault::before()});
    const auto failed = do_claimed(b.faulty, {.key = "item", .owner = "a"},
                                   [](const work_claim&) -> result<void> { return error{errc::failed, "no"}; });
    CHECK(failed.why().note == "no");
    const auto other = b.work("b").value();
    CHECK(other.state == claimed_state::held);
    CHECK(other.held_until == b.clock.now() + 30s);
    b.clock.advance(30s);
    CHECK(b.work("b")->taken_over);
}
