#include <freshet/stream/consumer.hpp>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>
#include <freshet/letter/dead_letter.hpp>
#include <freshet/testing/fault.hpp>

#include <laws/letters.hpp>
#include <support/queue_bench.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::errc;
using freshet::testing::fault;
using support::queue_bench;
using support::step;

} // namespace

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
    const auto letters = bench.letters();
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
    CHECK(bench.letters().size() == 1);
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
        const auto letters = bench.letters();
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
        const auto letters = bench.letters();
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
    CHECK(bench.letters().size() == 2);
}

TEST_CASE("what keeps failing by itself is buried in the end, and what waited behind it is applied") {
    queue_bench bench;
    auto worker = bench.worker();
    bench.put("g", "a=1", "1");
    bench.put("g", "b=1", "2");
    bench.put("g", "c=1", "3");
    bench.script.always("store.apply", freshet::testing::fault::before(errc::failed));
    for (int delivery = 1; delivery != 4; ++delivery) {
        const auto report = step(worker);
        CHECK(report.failed == 1);
        CHECK(report.held == 2);
        bench.clock.advance(std::chrono::minutes{1});
    }
    bench.script.heal("store.apply");
    bench.script.next("store.apply", {freshet::testing::fault::before(errc::failed)});
    const auto report = step(worker);
    CHECK(report.dead_lettered == 1);
    CHECK(report.applied == 2);
    const auto letters = bench.letters();
    REQUIRE(letters.size() == 1);
    CHECK(letters[0].bytes == "a=1");
    CHECK(letters[0].attempts == 4);
}

TEST_CASE("a backend that is down buries nothing, however often a message comes") {
    queue_bench bench;
    auto worker = bench.worker();
    bench.put("g", "a=1", "1");
    bench.script.always("store.apply", freshet::testing::fault::before(errc::unavailable));
    for (int delivery = 0; delivery != 10; ++delivery) {
        CHECK(step(worker).failed == 1);
        bench.clock.advance(std::chrono::minutes{1});
    }
    CHECK(bench.letters().empty());
    bench.script.heal("store.apply");
    CHECK(step(worker).applied == 1);
}
