#include <adapters/memory/ledger.hpp>

#include <doctest/doctest.h>

#include <chrono>

#include <freshet/testing/manual_clock.hpp>

#include "../../laws/ledger.hpp"

namespace {

using namespace std::chrono_literals;
using ledger_type = adapters::memory::ledger<freshet::testing::manual_clock>;

static_assert(freshet::shareable<ledger_type>);

struct one_ledger {
    freshet::testing::manual_clock clock_;
    ledger_type ledger_{clock_};

    auto ledger() -> ledger_type& { return ledger_; }
    auto clock() -> freshet::testing::manual_clock& { return clock_; }
};

} // namespace

FRESHET_LEDGER_LAWS(one_ledger);

TEST_CASE("a ledger forgets what is done, given back or left for long enough, and its tokens still grow") {
    one_ledger fixture;
    auto& ledger = fixture.ledger();
    CHECK(ledger.complete(laws::granted(ledger, "done", "a")).ok());
    CHECK(ledger.release(laws::granted(ledger, "given back", "a")).ok());
    const auto left = laws::granted(ledger, "left", "a", 1h);
    fixture.clock().advance(14 * 24h - 1us);
    CHECK(ledger.size() == 3);
    CHECK(laws::ask(ledger, "done", "b").verdict == freshet::claim_verdict::completed);
    fixture.clock().advance(1us);
    CHECK(ledger.size() == 1);
    CHECK(laws::granted(ledger, "done", "b").token > left.token);
    fixture.clock().advance(1h - 1us);
    CHECK_MESSAGE(ledger.renew(left, 1s).ok(), "a lease is remembered from its end on");
    fixture.clock().advance(14 * 24h + 1s);
    CHECK(laws::is_conflict(ledger.renew(left, 1s)));
    CHECK(ledger.size() == 0);
}
