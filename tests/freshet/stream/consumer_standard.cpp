#include <freshet/stream/consumer.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>
#include <freshet/core/sequence_number.hpp>
#include <freshet/testing/fault.hpp>

#include <laws/letters.hpp>
#include <support/cases.hpp>
#include <support/queue_bench.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::errc;
using freshet::testing::fault;
using support::queue_bench;
using support::step;
using items = std::map<std::string, std::string>;

} // namespace

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
        const auto letters = bench.letters();
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
        std::vector<fault> any{fault::twice()};
        any.push_back(fault::shuffled(random()));
        any.push_back(fault::shuffled(random()));
        bench.script.by_chance(0.6, random(), std::move(any));
        items newest;
        std::vector<std::pair<std::string, std::string>> updates;
        for (int n = 1; n <= 40; ++n) {
            const std::string item(1, static_cast<char>('a' + random() % 4));
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

TEST_CASE("standard: gathering leaves time to apply, however slowly the messages come") {
    queue_bench bench{false};
    auto worker = bench.worker();
    for (int i = 0; i < 100; ++i) { bench.put("", "a=" + std::to_string(i), std::to_string(i + 1)); }
    bench.script.always("queue.receive", fault::meanwhile([&] { bench.clock.advance(6s); }));
    const auto report = step(worker);
    CHECK(report.received == 30);
    CHECK(report.applied == 1);
    CHECK(report.held == 0);
}
