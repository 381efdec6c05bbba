#include <freshet/stream/consumer.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/observe.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/testing/fault.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <freshet/work/deadline.hpp>

#include <laws/letters.hpp>
#include <support/queue_bench.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::deadline;
using freshet::errc;
using freshet::testing::fault;
using support::queue_bench;
using support::step;
using items = std::map<std::string, std::string>;

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
            return clock->now() + (looks == 4 ? freshet::duration{31s} : freshet::duration::zero());
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
