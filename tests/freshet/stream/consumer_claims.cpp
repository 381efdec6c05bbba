#include <freshet/stream/consumer.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <string>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>
#include <freshet/testing/fault.hpp>

#include <support/queue_bench.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::errc;
using freshet::testing::fault;
using support::killed;
using support::queue_bench;
using support::step;
using items = std::map<std::string, std::string>;

} // namespace

TEST_CASE("a worker that pauses past its lease and then applies is refused by its token") {
    queue_bench bench;
    auto slow = bench.worker("slow");
    auto quick = bench.worker("quick");
    bench.put("g", "a=1", "1");
    bench.put("g", "b=1", "2");
    bench.script.at("store.apply", 1, fault::meanwhile([&] {
                        bench.clock.advance(31s);
                        const auto inner = step(quick);
                        CHECK(inner.applied == 2);
                        bench.put("g", "a-", "3");
                        CHECK(step(quick).applied == 1);
                    }));
    const auto report = step(slow);
    CHECK(report.applied == 0);
    CHECK(report.dropped == 1); // it is done, and not by this one
    CHECK(report.held == 1);
    CHECK(bench.kept.sequences_of("a") == "1 3");
    CHECK(bench.kept.items() == items{{"b", "1"}});
    REQUIRE(bench.kept.refused().size() == 1);
    CHECK(bench.kept.refused().front().mark.token < bench.kept.applied().front().mark.token);
    // The successor's work stays done and deleted.
    bench.clock.advance(1min);
    CHECK(bench.waiting() == 0);
    CHECK(step(slow).received == 0);
}

TEST_CASE("a message whose claim another worker holds waits, with its group") {
    queue_bench bench;
    auto first = bench.worker("first", {.visibility = 10s, .lease = 60s});
    auto second = bench.worker("second", {.visibility = 10s, .lease = 60s});
    bench.put("g", "a=1", "1");
    bench.put("g", "b=1", "2");
    bench.script.at("store.apply", 1, fault::meanwhile([&] {
                        bench.clock.advance(11s);
                        const auto inner = step(second);
                        CHECK(inner.failed == 1);
                        CHECK(inner.held == 1);
                        CHECK(inner.why->code == errc::conflict);
                        CHECK(bench.kept.applied().empty());
                    }));
    const auto report = step(first);
    CHECK(report.applied == 1);
    CHECK(report.held == 1); // its own time with the message has run out
    CHECK(bench.waiting() == 2);
    bench.clock.advance(48s);
    CHECK(step(second).received == 0); // not before the claim has ended: that would only use up receives
    bench.clock.advance(2s);
    const auto again = step(second);
    CHECK(again.dropped == 1);
    CHECK(again.applied == 1);
    CHECK(bench.kept.sequences_of("a") == "1");
    CHECK(bench.waiting() == 0);
}

TEST_CASE("a worker killed at any call loses nothing, and each update is applied once") {
    for (const auto* operation : {"store.apply", "ledger.claim", "ledger.complete", "queue.erase"}) {
        for (const std::size_t call : {1U, 2U}) {
            if (std::string{operation} == "queue.erase" && call == 2) { continue; }
            CAPTURE(operation);
            CAPTURE(call);
            queue_bench bench;
            bench.put("g", "a=1", "1");
            bench.put("g", "b=1", "2");
            bench.script.at(operation, call, fault::meanwhile([] { throw killed{}; }));
            if (std::string{operation} == "store.apply") { // what that throws is caught: die a call later
                bench.script.next("ledger.release", {fault::meanwhile([] { throw killed{}; })});
            }
            CHECK_THROWS_AS(static_cast<void>(bench.worker("doomed").step()), killed);
            CHECK(bench.waiting() == 2);
            bench.clock.advance(31s);
            auto next = bench.worker("next");
            static_cast<void>(step(next));
            CHECK(bench.kept.items() == items{{"a", "1"}, {"b", "1"}});
            CHECK(bench.kept.applied().size() == 2);
            CHECK(bench.waiting() == 0);
            CHECK(bench.script.unused().empty());
        }
    }
}

TEST_CASE("a crash between apply and complete, and one between complete and erase, end in a message that is dropped") {
    for (const auto* operation : {"ledger.complete", "queue.erase"}) {
        CAPTURE(operation);
        queue_bench bench;
        bench.put("g", "a=1", "1");
        bench.script.at(operation, 1, fault::meanwhile([] { throw killed{}; }));
        CHECK_THROWS_AS(static_cast<void>(bench.worker("doomed").step()), killed);
        CHECK(bench.kept.items() == items{{"a", "1"}});
        CHECK(bench.waiting() == 1);
        bench.clock.advance(30s);
        auto next = bench.worker("next");
        CHECK(step(next).dropped == 1);
        CHECK(bench.kept.applied().size() == 1);
        CHECK(bench.waiting() == 0);
    }
}

TEST_CASE("work that the ledger calls done and the projection does not have is not dropped") {
    queue_bench bench;
    auto worker = bench.worker();
    bench.put("g", "a=1", "1");
    CHECK(step(worker).applied == 1);
    bench.kept.lose(); // restored from an old copy, or another projection under the same names
    bench.clock.advance(5min);
    bench.put("g", "a=1", "1");
    const auto report = step(worker);
    CHECK(report.dropped == 0);
    CHECK(report.failed == 1);
    CHECK(report.why->code == errc::conflict);
    CHECK(bench.waiting() == 1);
}

TEST_CASE("a message that was done by somebody else between the fence and the claim is dropped") {
    queue_bench bench;
    auto slow = bench.worker("slow");
    auto quick = bench.worker("quick");
    bench.put("g", "a=1", "1");
    bench.script.at("ledger.claim", 1, fault::meanwhile([&] {
                        bench.clock.advance(31s);
                        CHECK(step(quick).applied == 1);
                    }));
    CHECK(step(slow).dropped == 1);
    CHECK(bench.kept.applied().size() == 1);
}

TEST_CASE("an answer of the ledger that is lost once is asked for again at once") {
    for (const auto* operation : {"ledger.claim", "ledger.complete"}) {
        for (const auto& lost : {fault::before(), fault::after()}) {
            queue_bench bench;
            auto worker = bench.worker();
            bench.put("g", "a=1", "1");
            bench.script.at(operation, 1, lost);
            CHECK(step(worker).applied == 1);
            CHECK(bench.waiting() == 0);
        }
    }
}

TEST_CASE("visibility that runs out in the middle of a batch leaves the rest to others") {
    queue_bench bench;
    auto slow = bench.worker("slow");
    auto quick = bench.worker("quick");
    for (int n = 1; n <= 4; ++n) { bench.put("g", "i" + std::to_string(n) + "=1", std::to_string(n)); }
    bench.put("h", "x=1", "5");
    bench.script.at("store.apply", 2, fault::meanwhile([&] { bench.clock.advance(30s); }));
    const auto report = step(slow);
    CHECK(report.applied == 2);
    CHECK(report.held == 3);
    CHECK(!report.why);
    CHECK(bench.waiting() == 3); // nobody had the two in between, so they could be deleted
    bench.clock.advance(2s);
    CHECK(step(quick).applied == 3);
    CHECK(bench.kept.applied().size() == 5);
    CHECK(bench.waiting() == 0);
}

TEST_CASE("a worker that comes late does not delete what another one received since") {
    queue_bench bench;
    auto slow = bench.worker("slow");
    auto quick = bench.worker("quick");
    bench.put("g", "a=1", "1");
    bench.script.at("queue.erase", 1, fault::meanwhile([&] {
                        bench.clock.advance(31s);
                        bench.script.at("queue.erase", 2, fault::before());
                        CHECK(step(quick).dropped == 1);
                    }));
    CHECK(step(slow).applied == 1);
    CHECK(bench.waiting() == 1);
    bench.clock.advance(31s);
    CHECK(step(quick).dropped == 1);
    CHECK(bench.waiting() == 0);
}
