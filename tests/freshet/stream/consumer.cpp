#include <freshet/stream/consumer.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/observe.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/sequence_number.hpp>
#include <freshet/stream/dead_letter.hpp>
#include <freshet/testing/fault.hpp>
#include <freshet/work/deadline.hpp>

#include <laws/letters.hpp>
#include <support/cases.hpp>
#include <support/queue_bench.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::deadline;
using freshet::errc;
using freshet::testing::fault;
using support::killed;
using support::queue_bench;
using support::step;
using items = std::map<std::string, std::string>;

[[nodiscard]] auto letters_in(queue_bench& bench) -> std::vector<freshet::dead_letter> {
    std::vector<freshet::dead_letter> letters;
    for (const auto& message : laws::drain(bench.plain_dead)) {
        auto letter = freshet::parse_dead_letter(message.body);
        REQUIRE_MESSAGE(letter.ok(), (letter.ok() ? "" : letter.why().note));
        letters.push_back(*std::move(letter));
    }
    return letters;
}

} // namespace

TEST_CASE("updates are applied in order, and then deleted") {
    queue_bench bench;
    auto worker = bench.worker();
    bench.put("g", "a=1", "10");
    bench.put("g", "a=2", "11");
    bench.put("h", "b=1", "12");
    const auto report = step(worker);
    CHECK(report.received == 3);
    CHECK(report.applied == 3);
    CHECK(!report.why);
    CHECK(bench.kept.items() == items{{"a", "2"}, {"b", "1"}});
    CHECK(bench.kept.sequences_of("a") == "10 11");
    CHECK(bench.waiting() == 0);
    CHECK(step(worker).received == 0);
}

TEST_CASE("what is not newer than the last applied is dropped, tombstones included") {
    queue_bench bench;
    auto worker = bench.worker();
    bench.put("g", "a=new", "1000000000000000000000000000000000000010");
    CHECK(step(worker).applied == 1);
    // Older, equal by value, and older though its text is greater.
    bench.put("g", "a=old", "999999999999999999999999999999999999999");
    bench.put("g", "a=same", "1000000000000000000000000000000000000010");
    bench.clock.advance(5min);
    bench.put("g", "a=same", "1000000000000000000000000000000000000010");
    bench.put("g", "a-", "9");
    auto report = step(worker);
    CHECK(report.received == 3);
    CHECK(report.dropped == 3);
    CHECK(bench.kept.items() == items{{"a", "new"}});

    bench.put("g", "a-", "1000000000000000000000000000000000000012");
    CHECK(step(worker).applied == 1);
    bench.put("g", "a-", "1000000000000000000000000000000000000011");
    bench.put("g", "a=back", "0000000000000000000000000000000000000012");
    report = step(worker);
    CHECK(report.dropped == 2);
    CHECK(bench.kept.items().empty());
    CHECK(bench.waiting() == 0);
}

TEST_CASE("a REMOVE followed by a late older MODIFY stays removed, until something newer comes") {
    queue_bench bench;
    auto worker = bench.worker();
    bench.put("g", "a=1", "1");
    bench.put("g", "a-", "3");
    CHECK(step(worker).applied == 2);
    bench.put("g", "a=late", "2");
    CHECK(step(worker).dropped == 1);
    CHECK(bench.kept.items().empty());
    bench.put("g", "a=4", "4");
    CHECK(step(worker).applied == 1);
    CHECK(bench.kept.items() == items{{"a", "4"}});
}

TEST_CASE("a replay is swallowed by the queue within five minutes, delivered at five minutes and one second, and "
          "changes nothing") {
    queue_bench bench;
    auto worker = bench.worker();
    const auto replay = [&] {
        bench.put("g", "a=1", "1");
        bench.put("g", "a=2", "2");
        bench.put("g", "b-", "3");
    };
    replay();
    CHECK(step(worker).applied == 3);
    bench.clock.advance(4min + 59s);
    replay();
    CHECK(bench.waiting() == 0);
    bench.clock.advance(2s);
    replay();
    CHECK(bench.waiting() == 3);
    CHECK(step(worker).dropped == 3);
    CHECK(bench.waiting() == 0);
    CHECK(bench.kept.applied().size() == 3);
    CHECK(bench.kept.items() == items{{"a", "2"}});
}

TEST_CASE("redelivery after five minutes ends with the newest state, also where the newest had never arrived") {
    for (const int arrived : {0, 1, 2, 3}) {
        CAPTURE(arrived);
        queue_bench bench;
        auto worker = bench.worker();
        for (int n = 1; n <= arrived; ++n) { bench.put("g", "a=" + std::to_string(n), std::to_string(n)); }
        static_cast<void>(step(worker));
        bench.clock.advance(5min + 1s);
        for (int n = 1; n <= 3; ++n) { bench.put("g", "a=" + std::to_string(n), std::to_string(n)); }
        const auto report = step(worker);
        CHECK(report.dropped == static_cast<std::size_t>(arrived));
        CHECK(bench.kept.items() == items{{"a", "3"}});
        CHECK(bench.kept.sequences_of("a") == "1 2 3");
    }
}

TEST_CASE("a failure inside a received group stops that group and deletes nothing after it; other groups go on") {
    queue_bench bench;
    auto worker = bench.worker();
    bench.put("g", "a=1", "1");
    bench.put("h", "x=1", "2");
    bench.put("g", "b=1", "3");
    bench.put("g", "c=1", "4");
    bench.put("h", "y=1", "5");
    bench.put("g", "d=1", "6");
    // A receive gives the groups in any order: `b` is the one that fails, wherever it comes.
    const auto looked = laws::take(bench.plain_queue, {.limit = 10, .visibility = 0s});
    std::size_t place = 1;
    for (const auto& message : looked) {
        if (message.body == "b=1") { break; }
        ++place;
    }
    bench.script.at("store.apply", place, fault::before());

    const auto report = step(worker);
    CHECK(report.received == 6);
    CHECK(report.applied == 3);
    CHECK(report.failed == 1);
    CHECK(report.held == 2);
    REQUIRE(report.why.has_value());
    CHECK(report.why->code == errc::unavailable);
    CHECK(bench.kept.items() == items{{"a", "1"}, {"x", "1"}, {"y", "1"}});
    CHECK(bench.waiting() == 3);

    bench.clock.advance(20s);
    CHECK(step(worker).applied == 3);
    CHECK(bench.kept.items().size() == 6);
    CHECK(bench.waiting() == 0);
    CHECK(bench.script.unused().empty());
}

TEST_CASE("every kind of failure of projection and ledger leaves the message and what is behind it") {
    for (const auto* operation : {"store.read", "store.last_applied", "store.apply", "ledger.claim"}) {
        for (const auto code : {errc::unavailable, errc::throttled, errc::denied, errc::conflict, errc::failed}) {
            CAPTURE(operation);
            CAPTURE(freshet::name_of(code));
            queue_bench bench;
            auto worker = bench.worker();
            bench.put("g", "a=1", "1");
            bench.put("g", "b=1", "2");
            bench.script.always(operation, fault::before(code));
            const auto report = step(worker);
            CHECK(report.failed == 1);
            CHECK(report.held == 1);
            CHECK(bench.waiting() == 2);
            CHECK(bench.buried() == 0);
            bench.script.heal(operation);
            bench.clock.advance(30s);
            CHECK(step(worker).applied == 2);
            CHECK(bench.waiting() == 0);
        }
    }
}

TEST_CASE("a group that failed comes again in order, after a wait that grows with its receives") {
    queue_bench bench;
    auto worker = bench.worker("one", {.retries = {.base = 1s, .cap = 4s}});
    for (int n = 1; n <= 5; ++n) {
        bench.put("g", "i" + std::to_string(n) + "=1", std::to_string(n));
    }
    bench.script.always("store.apply", fault::before());
    for (const auto longest : {1s, 2s, 4s, 4s, 4s}) {
        CHECK(step(worker).held == 4);
        CHECK(step(worker).received == 0);
        bench.clock.advance(longest);
    }
    bench.script.heal("store.apply");
    CHECK(step(worker).applied == 5);
    std::string order;
    for (const auto& one : bench.kept.applied()) { order += one.item; }
    CHECK(order == "i1i2i3i4i5");
}

TEST_CASE("whatever the projection throws is the failure of that message alone") {
    for (const auto* operation : {"store.read", "store.last_applied", "store.apply"}) {
        for (const bool exception : {true, false}) {
            CAPTURE(operation);
            CAPTURE(exception);
            queue_bench bench;
            auto worker = bench.worker();
            bench.put("g", "a=1", "1");
            bench.put("g", "b=1", "2");
            bench.put("h", "x=1", "3");
            bench.script.at(operation, 1, fault::meanwhile([exception] {
                                if (exception) { throw std::runtime_error{"store on fire"}; }
                                throw 7;
                            }));
            const auto report = step(worker);
            CHECK(report.failed == 1);
            CHECK(report.held == 1);
            CHECK(report.applied == 1);
            REQUIRE(report.why.has_value());
            CHECK(report.why->code == errc::failed);
            if (exception) { CHECK(report.why->note.find("store on fire") != std::string::npos); }
            bench.clock.advance(30s);
            CHECK(step(worker).applied == 2);
        }
    }
}

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
    CHECK(report.failed == 1);
    CHECK(report.held == 1);
    CHECK(report.why->code == errc::conflict);
    CHECK(bench.kept.sequences_of("a") == "1 3");
    CHECK(bench.kept.items() == items{{"b", "1"}});
    REQUIRE(bench.kept.refused().size() == 1);
    CHECK(bench.kept.refused().front().mark.token < bench.kept.applied().front().mark.token);
    // The successor's work stays done and deleted.
    bench.clock.advance(1min);
    CHECK(bench.waiting() == 0);
    CHECK(step(slow).received == 0);
}

TEST_CASE("the token alone refuses: a newer update under an older claim waits for another delivery") {
    queue_bench bench{false};
    auto slow = bench.worker("slow");
    auto quick = bench.worker("quick");
    bench.put("", "a=2", "2");
    bench.script.at("store.apply", 1, fault::meanwhile([&] {
                        bench.put("", "a=1", "1");
                        CHECK(step(quick).applied == 1);
                    }));
    const auto report = step(slow);
    CHECK(report.failed == 1);
    CHECK(report.why->code == errc::conflict);
    CHECK(bench.kept.items() == items{{"a", "1"}});
    bench.clock.advance(30s);
    CHECK(step(slow).applied == 1);
    CHECK(bench.kept.items() == items{{"a", "2"}});
    CHECK(bench.kept.sequences_of("a") == "1 2");
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
    bench.clock.advance(30s);
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

TEST_CASE("a malformed message goes to the dead-letter queue at once, and its group goes on") {
    queue_bench bench;
    auto worker = bench.worker();
    const auto sent_at = bench.clock.now();
    bench.put("g", "a=1", "1");
    bench.put("g", "rubbish", "2");
    bench.put("g", "b=1", "3");
    bench.clock.advance(7s);
    const auto report = step(worker);
    CHECK(report.applied == 2);
    CHECK(report.dead_lettered == 1);
    CHECK(!report.why);
    CHECK(bench.waiting() == 0);
    const auto letters = letters_in(bench);
    REQUIRE(letters.size() == 1);
    CHECK(letters[0].origin == "main");
    CHECK(!letters[0].id.empty());
    CHECK(letters[0].sequence == "2");
    CHECK(letters[0].group == "g");
    CHECK(letters[0].why.code == errc::malformed);
    CHECK(letters[0].why.note.find("rubbish") != std::string::npos);
    CHECK(letters[0].attempts == 1);
    CHECK(letters[0].first_seen == sent_at);
    CHECK(letters[0].bytes == "rubbish");
    CHECK(letters[0].complete);
}

TEST_CASE("a message that the projection calls malformed only when it applies it is a dead letter too") {
    queue_bench bench;
    auto worker = bench.worker();
    bench.put("g", "a=1", "1");
    bench.put("g", "b=1", "2");
    bench.script.at("store.apply", 1, fault::before(errc::malformed));
    const auto report = step(worker);
    CHECK(report.dead_lettered == 1);
    CHECK(report.applied == 1);
    CHECK(letters_in(bench).size() == 1);
    CHECK(bench.waiting() == 0);
}

TEST_CASE("messages without a sequence number, or with none that can be read, are dead letters") {
    for (const std::string sequence : {"", "12a", "-1", "12345678901234567890123456789012345678901"}) {
        CAPTURE(sequence);
        queue_bench bench;
        auto worker = bench.worker();
        bench.put("g", "a=1", sequence);
        bench.put("g", "b=1", "2");
        const auto report = step(worker);
        CHECK(report.dead_lettered == 1);
        CHECK(report.applied == 1);
        const auto letters = letters_in(bench);
        REQUIRE(letters.size() == 1);
        CHECK(letters[0].sequence == sequence);
        CHECK(letters[0].bytes == "a=1");
    }
}

TEST_CASE("while the dead-letter queue is down, a malformed message stays and stops its group") {
    for (const auto& down : {fault::before(), fault::after(), fault::refuse({0}, errc::throttled, true)}) {
        queue_bench bench;
        auto worker = bench.worker();
        bench.put("g", "rubbish", "1");
        bench.put("g", "a=1", "2");
        bench.put("h", "x=1", "3");
        bench.script.always("dead.send", down);
        const auto report = step(worker);
        CHECK(report.failed == 1);
        CHECK(report.held == 1);
        CHECK(report.applied == 1);
        REQUIRE(report.why.has_value());
        CHECK(report.why->code == down.code);
        CHECK(report.why->note.find("rubbish") != std::string::npos);
        CHECK(report.why->note.find("dead-letter queue") != std::string::npos);
        CHECK(bench.waiting() == 2);

        bench.script.heal("dead.send");
        bench.clock.advance(20s);
        const auto again = step(worker);
        CHECK(again.dead_lettered == 1);
        CHECK(again.applied == 1);
        CHECK(bench.waiting() == 0);
        const auto letters = letters_in(bench);
        REQUIRE(letters.size() == 1); // also where the queue had taken it, and its answer was lost
        CHECK(letters[0].bytes == "rubbish");
    }
}

TEST_CASE("messages of two queues that are called the same there are two dead letters") {
    queue_bench bench;
    support::queue_bench::queue_type other{bench.clock, {.name = "other"}};
    auto worker = bench.worker();
    auto of_other = freshet::consumer{other, bench.dead, bench.ledger, bench.store, bench.clock, {.queue = "other"}};
    bench.put("g", "rubbish", "1");
    REQUIRE(laws::send(other, {laws::letter{"g", "id", "junk", "1"}}).empty());
    CHECK(step(worker).dead_lettered == 1);
    CHECK(step(of_other).dead_lettered == 1);
    CHECK(letters_in(bench).size() == 2);
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

TEST_CASE("a stop ends a batch between two messages, and what is left comes again in order") {
    queue_bench bench;
    auto worker = bench.worker();
    for (int n = 1; n <= 4; ++n) { bench.put("g", "a=" + std::to_string(n), std::to_string(n)); }
    std::stop_source source;
    bench.script.at("store.apply", 2, fault::meanwhile([&] { source.request_stop(); }));
    const auto report = step(worker, deadline::never(), source.get_token());
    CHECK(report.applied == 2);
    CHECK(report.held == 2);
    CHECK(bench.waiting() == 2);
    bench.clock.advance(30s);
    CHECK(step(worker).applied == 2);
    CHECK(bench.kept.sequences_of("a") == "1 2 3 4");
}

TEST_CASE("nothing is begun at the deadline") {
    queue_bench bench;
    auto worker = bench.worker();
    for (int n = 1; n <= 4; ++n) { bench.put("g", "a=" + std::to_string(n), std::to_string(n)); }
    const auto until = deadline::in(10s, bench.clock.now());
    bench.script.at("store.apply", 3, fault::meanwhile([&] { bench.clock.advance(10s); }));
    const auto report = step(worker, until);
    CHECK(report.applied == 3);
    CHECK(report.held == 1);
    CHECK(worker.drain(until)->received == 0);
    CHECK(worker.run(until, {})->received == 0);
    CHECK(bench.script.count("queue.receive") == 1);
}

TEST_CASE("a clock that is set back in the middle of a batch lets nothing overtake what was held") {
    queue_bench bench;
    auto worker = bench.worker();
    bench.put("g", "a=1", "1");
    bench.put("g", "a=2", "2");
    bench.put("g", "a=3", "3");
    // Held messages ask nobody, so the clock itself has to move between two looks at it.
    struct stepping {
        freshet::testing::manual_clock* clock;
        mutable int looks{};
        auto now() const -> freshet::time_point {
            ++looks;
            return clock->now() + (looks == 3 ? freshet::duration{31s} : freshet::duration::zero());
        }
        auto wait(freshet::duration span, const std::stop_token& stop) -> bool { return clock->wait(span, stop); }
    } unsteady{&bench.clock};
    auto uneasy = freshet::consumer{bench.queue, bench.dead, bench.ledger, bench.store, unsteady, {.queue = "main"}};
    const auto report = step(uneasy);
    CHECK(report.applied == 1);
    CHECK(report.held == 2);
    CHECK(bench.kept.sequences_of("a") == "1");
    bench.clock.advance(30s);
    CHECK(step(worker).applied == 2);
    CHECK(bench.kept.sequences_of("a") == "1 2 3");
}

TEST_CASE("run waits for messages, lives through a queue that is down, and ends at its deadline") {
    queue_bench bench;
    auto worker = bench.worker();
    const auto begun = bench.clock.now();
    bench.script.next("queue.receive", {fault::before(), fault::before(errc::throttled), fault::none(), fault::none(),
                                        fault::meanwhile([&] { bench.put("g", "a=1", "1"); })});
    const auto report = worker.run(deadline::in(60s, begun), {});
    REQUIRE(report.ok());
    CHECK(report->applied == 1);
    CHECK(bench.clock.now() <= begun + 60s);
    CHECK(bench.clock.now() >= begun + 59s);
    CHECK(bench.script.count("queue.receive") > 200);
}

TEST_CASE("run ends on what waiting cannot cure, and on a stop") {
    queue_bench bench;
    auto worker = bench.worker();
    bench.script.next("queue.receive", {fault::none(), fault::before(errc::denied)});
    const auto denied = worker.run(deadline::never(), {});
    REQUIRE(!denied.ok());
    CHECK(denied.why().code == errc::denied);

    std::stop_source source;
    bench.script.next("queue.receive", {fault::none(), fault::meanwhile([&] { source.request_stop(); })});
    CHECK(worker.run(deadline::never(), source.get_token()).ok());
    CHECK(bench.script.unused().empty());
}

TEST_CASE("a step whose queue does not answer says why") {
    for (const bool fifo : {true, false}) {
        queue_bench bench{fifo};
        auto worker = bench.worker();
        bench.put("g", "a=1", "1");
        bench.script.next("queue.receive", {fault::before(errc::throttled)});
        const auto failed = worker.step();
        REQUIRE(!failed.ok());
        CHECK(failed.why().code == errc::throttled);
        CHECK(step(worker).applied == 1);
    }
}

TEST_CASE("each message tells one event") {
    queue_bench bench;
    std::vector<std::string> told;
    auto watched = freshet::consumer{
        bench.queue, bench.dead, bench.ledger, bench.store, bench.clock, {.queue = "main"},
        freshet::watch_all{[&](const auto& event) {
            told.emplace_back(event.name);
            event.fields([&](std::string_view name, const auto& value) {
                if constexpr (std::is_convertible_v<decltype(value), std::string_view>) {
                    if (name != "why" && name != "id") { told.back() += " " + std::string{std::string_view{value}}; }
                }
            });
        }}};
    bench.put("g", "a=1", "2");
    bench.put("g", "a=0", "1");
    bench.put("g", "rubbish", "3");
    bench.put("g", "b=1", "4");
    bench.put("g", "c=1", "5");
    bench.script.at("store.apply", 2, fault::before());
    CHECK(step(watched).received == 5);
    CHECK(told == std::vector<std::string>{"message_applied a 2", "message_dropped a 1", "message_dead_lettered g",
                                           "message_failed g"});
}

TEST_CASE("standard: an item's updates are coalesced into its newest, whatever their order") {
    queue_bench bench{false};
    auto worker = bench.worker();
    for (const auto* sequence : {"7", "9", "10", "8"}) { bench.put("", std::string{"a="} + sequence, sequence); }
    bench.put("", "b=2", "2");
    bench.put("", "b-", "3");
    bench.put("", "c=1", "1");
    const auto report = step(worker);
    CHECK(report.received == 7);
    CHECK(report.applied == 3);
    CHECK(report.coalesced == 4);
    CHECK(bench.kept.applied().size() == 3); // once an item
    CHECK(bench.kept.items() == items{{"a", "10"}, {"c", "1"}});
    CHECK(bench.waiting() == 0);
}

TEST_CASE("standard: it gathers over several receives, and no more than it is told to") {
    queue_bench bench{false};
    auto worker = bench.worker("one", {.receive = 10, .gather = 25});
    for (int n = 1; n <= 30; ++n) { bench.put("", "a=" + std::to_string(n), std::to_string(n)); }
    bench.script.at("queue.receive", 5, fault::before());
    auto report = step(worker);
    CHECK(report.received == 25);
    CHECK(report.applied == 1);
    CHECK(bench.script.count("queue.receive") == 3);
    report = step(worker); // and a receive that fails when there are some is no failure of theirs
    CHECK(report.received == 5);
    CHECK(bench.kept.items() == items{{"a", "30"}});
    CHECK(bench.kept.applied().size() <= 2);
    CHECK(bench.waiting() == 0);
}

TEST_CASE("standard: a malformed newest falls back to the next, and removals stay newest") {
    for (const bool when_read : {true, false}) {
        CAPTURE(when_read);
        queue_bench bench{false};
        auto worker = bench.worker();
        bench.put("", "a=1", "1");
        bench.put("", "a-", "2");
        bench.put("", when_read ? "rubbish" : "a=3", "3");
        if (!when_read) { bench.script.at("store.apply", 1, fault::before(errc::malformed)); }
        const auto report = step(worker);
        CHECK(report.dead_lettered == 1);
        CHECK(report.applied == 1);
        CHECK(report.coalesced == 1);
        CHECK(bench.kept.items().empty());
        CHECK(bench.kept.sequences_of("a") == "2");
        CHECK(bench.waiting() == 0);
        const auto letters = letters_in(bench);
        REQUIRE(letters.size() == 1);
        CHECK(letters[0].sequence == "3");
    }
}

TEST_CASE("standard: a newest that fails keeps its item's older ones in the queue, and no others") {
    for (const auto* operation : {"store.apply", "store.last_applied", "ledger.claim"}) {
        CAPTURE(operation);
        queue_bench bench{false};
        auto worker = bench.worker();
        bench.put("", "a=1", "1");
        bench.put("", "a=2", "2");
        bench.put("", "b=1", "3");
        bench.script.at(operation, 1, fault::before(errc::denied));
        const auto report = step(worker);
        CHECK(report.failed == 1);
        CHECK(report.held == 1);
        CHECK(report.applied == 1);
        CHECK(bench.waiting() == 2);
        bench.clock.advance(30s);
        CHECK(step(worker).applied == 1);
        CHECK(bench.kept.sequences_of("a") == "2");
        CHECK(bench.waiting() == 0);
    }
}

TEST_CASE("standard: with the dead-letter queue down the malformed one stays, and the others are applied") {
    queue_bench bench{false};
    auto worker = bench.worker();
    bench.put("", "a=1", "1");
    bench.put("", "rubbish", "2");
    bench.script.always("dead.send", fault::before());
    const auto report = step(worker);
    CHECK(report.applied == 1);
    CHECK(report.failed == 1);
    CHECK(bench.waiting() == 1);
}

TEST_CASE("standard: shuffled and duplicated deliveries over many receives end with the newest of each item, and no "
          "update is applied twice") {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    for (std::size_t round = support::cases(60); round != 0; --round) {
        queue_bench bench{false};
        auto one = bench.worker("one", {.gather = 1 + random() % 20});
        auto two = bench.worker("two", {.gather = 1 + random() % 20});
        bench.script.by_chance(0.6, random(), {fault::twice(), fault::shuffled(random()), fault::shuffled(random())});
        items newest;
        std::vector<std::pair<std::string, std::string>> updates;
        for (int n = 1; n <= 40; ++n) {
            const std::string item{static_cast<char>('a' + random() % 4)};
            const auto sequence = std::to_string(n);
            const bool gone = random() % 4 == 0;
            updates.emplace_back(gone ? item + "-" : item + "=" + sequence, sequence);
            if (gone) { newest.erase(item); }
            else { newest[item] = sequence; }
        }
        std::shuffle(updates.begin(), updates.end(), random);
        for (const auto& [body, sequence] : updates) { bench.put("", body, sequence); }
        for (int idle = 0; idle < 3;) {
            auto& worker = random() % 2 == 0 ? one : two;
            const auto report = step(worker);
            idle = report.received == 0 ? idle + 1 : 0;
            bench.clock.advance(1s);
        }
        CHECK(bench.waiting() == 0);
        CHECK(bench.kept.items() == newest);
        CHECK(bench.kept.refused().empty());
        std::map<std::string, freshet::sequence_number> last;
        for (const auto& [item, mark] : bench.kept.applied()) {
            CHECK(last[item] < mark.sequence);
            last[item] = mark.sequence;
        }
    }
}
