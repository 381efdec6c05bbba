#include <freshet/letter/redrive.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>
#include <freshet/letter/dead_letter.hpp>
#include <freshet/testing/fault.hpp>

#include <laws/letters.hpp>
#include <support/cases.hpp>
#include <support/queue_bench.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::errc;
using freshet::redrive;
using freshet::resend_to;
using freshet::result;
using freshet::testing::fault;
using support::killed;
using support::queue_bench;
using support::step;
using items = std::map<std::string, std::string>;
using words = std::vector<std::string>;

/// What was redriven; the letters of these bodies fail.
struct handler {
    words refused{};
    words seen{};
    auto operator()(const freshet::received_message& letter) -> result<void> {
        for (const auto& each : refused) {
            if (each == letter.body) { return freshet::error{errc::unavailable, "not " + each}; }
        }
        seen.push_back(letter.body);
        return {};
    }
};

/// A redrive that must begin.
template <class Queue, class Handle>
[[nodiscard]] auto redriven(Queue& letters, Handle&& handle, std::size_t most = 1'000) -> freshet::redrive_report {
    auto report = redrive(letters, handle, most);
    REQUIRE_MESSAGE(report.ok(), (report.ok() ? "" : report.why().note));
    return *std::move(report);
}

/// Has the consumer bury these updates: its projection takes none of them apart.
void bury(queue_bench& bench) {
    auto worker = bench.worker();
    bench.script.always("store.read", fault::before(errc::malformed));
    for (auto report = step(worker); report.received != 0; report = step(worker)) {}
    bench.script.heal("store.read");
    CHECK(bench.waiting() == 0);
}

} // namespace

TEST_CASE("letters are handled in order per group, and deleted") {
    queue_bench bench;
    for (int n = 1; n <= 25; ++n) {
        laws::put(bench.plain_dead, n % 3 == 0 ? "g" : "h", std::to_string(n));
    }
    handler handle;
    const auto report = redriven(bench.dead, handle);
    CHECK(report.received == 25);
    CHECK(report.redriven == 25);
    CHECK(report.failed + report.held == 0);
    CHECK(bench.buried() == 0);
    int last_g = 0;
    int last_h = 0;
    for (const auto& body : handle.seen) {
        const int n = std::stoi(body);
        auto& last = n % 3 == 0 ? last_g : last_h;
        CHECK(n > last);
        last = n;
    }
    CHECK(redriven(bench.dead, handle).received == 0);
}

TEST_CASE("a consumer's dead letters go back to their queue in order per group, and end with the newest state") {
    queue_bench bench;
    for (int n = 1; n <= 12; ++n) {
        const std::string item{n % 2 == 0 ? 'a' : 'b'};
        bench.put(item == "a" ? "g" : "h", item + "=" + std::to_string(n), std::to_string(n));
    }
    bury(bench);
    CHECK(bench.buried() == 12);
    CHECK(redriven(bench.dead, resend_to(bench.queue)).redriven == 12);
    CHECK(bench.waiting() == 12);
    auto worker = bench.worker();
    REQUIRE(worker.drain().ok());
    CHECK(bench.kept.sequences_of("a") == "2 4 6 8 10 12");
    CHECK(bench.kept.sequences_of("b") == "1 3 5 7 9 11");
    CHECK(bench.buried() == 0);
}

TEST_CASE("a message that is redriven within the deduplication time is not swallowed") {
    queue_bench bench;
    bench.put("g", "a=1", "1");
    for (int again = 0; again < 3; ++again) { // buried and redriven several times, all within a second
        bury(bench);
        REQUIRE(bench.buried() == 1);
        CHECK(redriven(bench.dead, resend_to(bench.queue)).redriven == 1);
        REQUIRE(bench.waiting() == 1);
    }
    auto worker = bench.worker();
    CHECK(step(worker).applied == 1);
    CHECK(bench.kept.items() == items{{"a", "1"}});
}

TEST_CASE("a message gets its own group back, however a dead-letter queue calls it") {
    for (const bool fifo : {true, false}) {
        const std::string group = fifo ? "a%20group" : "";
        queue_bench bench{fifo};
        bench.put(group, "a=1", "1");
        bury(bench);
        CHECK(redriven(bench.dead, resend_to(bench.queue)).redriven == 1);
        CHECK(laws::take_one(bench.plain_queue).group_id == group);
    }
}

TEST_CASE("letters that the queue itself moved after too many receives are redriven too") {
    queue_bench bench{true, 2};
    auto worker = bench.worker();
    bench.put("g", "a=1", "1");
    bench.put("g", "a=2", "2");
    bench.script.always("store.apply", fault::before());
    for (int receives = 0; receives < 3; ++receives) {
        static_cast<void>(step(worker));
        bench.clock.advance(20s);
    }
    CHECK(bench.waiting() == 0);
    CHECK(bench.buried() == 2);
    bench.script.heal("store.apply");
    CHECK(redriven(bench.dead, resend_to(bench.queue)).redriven == 2);
    const auto report = step(worker);
    CHECK(report.applied == 2);
    CHECK(bench.kept.sequences_of("a") == "1 2");
}

TEST_CASE("letters of both kinds that are older than what was applied meanwhile change nothing") {
    queue_bench bench;
    bench.put("g", "a=1", "1");
    bury(bench);
    laws::put(bench.plain_dead, "g", "a=7");
    bench.put("g", "a=9", "9");
    auto worker = bench.worker();
    CHECK(step(worker).applied == 1);
    CHECK(redriven(bench.dead, resend_to(bench.queue)).redriven == 2);
    const auto report = step(worker);
    CHECK(report.dropped == 1);
    CHECK(report.dead_lettered == 1); // it came without a sequence number
    CHECK(bench.kept.items() == items{{"a", "9"}});
}

TEST_CASE("letters of one name in two dead-letter queues are both redriven") {
    queue_bench bench;
    support::queue_bench::queue_type other{bench.clock, {.name = "other"}};
    laws::put(bench.plain_dead, "g", "a=1");
    laws::put(other, "g", "a=2");
    CHECK(redriven(bench.dead, resend_to(bench.queue)).redriven == 1);
    CHECK(redriven(other, resend_to(bench.queue)).redriven == 1);
    CHECK(bench.waiting() == 2);
}

TEST_CASE("a letter that fails stays with all behind it in its group, visible at once; other groups go on") {
    queue_bench bench;
    for (const auto* body : {"1", "2", "3"}) { laws::put(bench.plain_dead, "g", std::string{"g"} + body); }
    for (const auto* body : {"1", "2", "3"}) { laws::put(bench.plain_dead, "h", std::string{"h"} + body); }
    handler handle{.refused = {"g2"}};
    const auto report = redriven(bench.dead, handle);
    CHECK(report.received == 6);
    CHECK(report.redriven == 4);
    CHECK(report.failed == 1);
    CHECK(report.held == 1);
    REQUIRE(report.why.has_value());
    CHECK(report.why->note == "not g2");
    CHECK(laws::told(laws::take(bench.plain_dead, {.limit = 10, .visibility = 0s})) == "g2 g3");

    handle.refused.clear();
    CHECK(redriven(bench.dead, handle).redriven == 2);
    CHECK(words(handle.seen.end() - 2, handle.seen.end()) == words{"g2", "g3"});
}

TEST_CASE("a failing letter at the head of many holds its group over all receives") {
    queue_bench bench;
    for (int n = 0; n < 30; ++n) { laws::put(bench.plain_dead, n % 2 == 0 ? "g" : "h", std::to_string(n)); }
    handler handle{.refused = {"0"}};
    const auto report = redriven(bench.dead, handle);
    CHECK(report.redriven == 15);
    CHECK(report.failed == 1);
    for (const auto& body : handle.seen) { CHECK(std::stoi(body) % 2 == 1); }
    CHECK(bench.buried() == 15);
}

TEST_CASE("letters without a group do not wait for each other") {
    queue_bench bench{false};
    for (const auto* body : {"rubbish 1", "rubbish 2", "rubbish 3"}) { bench.put("", body, body + 8); }
    bury(bench);
    for (const auto* body : {"1", "2"}) { laws::put(bench.plain_dead, "", body); }
    std::size_t calls = 0;
    const auto handle = [&](const freshet::received_message& letter) -> result<void> {
        ++calls;
        if (letter.body.find("rubbish 1") == std::string::npos && letter.body != "1") { return {}; }
        return freshet::error{errc::unavailable, "no"};
    };
    const auto report = redriven(bench.dead, handle);
    CHECK(report.redriven == 3);
    CHECK(report.failed == 2);
    CHECK(report.held == 0);
    CHECK(bench.buried() == 2);
}

TEST_CASE("what the handler throws is that letter's failure") {
    queue_bench bench;
    laws::put(bench.plain_dead, "g", "1");
    laws::put(bench.plain_dead, "h", "2");
    const auto handle = [&](const freshet::received_message& letter) -> result<void> {
        if (letter.body == "1") { throw std::runtime_error{"no hands"}; }
        return {};
    };
    const auto report = redriven(bench.dead, handle);
    CHECK(report.failed == 1);
    CHECK(report.redriven == 1);
    CHECK(report.why->note == "no hands");
}

TEST_CASE("killed in the middle, a redrive repeats harmlessly") {
    for (const bool sent_again_late : {false, true}) {
        CAPTURE(sent_again_late);
        queue_bench bench;
        for (int n = 1; n <= 5; ++n) { bench.put("g", "a=" + std::to_string(n), std::to_string(n)); }
        bury(bench);
        bench.script.at("dead.erase", 3, fault::meanwhile([] { throw killed{}; }));
        CHECK_THROWS_AS(static_cast<void>(redrive(bench.dead, resend_to(bench.queue))), killed);
        CHECK(bench.waiting() == 3); // the third was sent, and not deleted
        CHECK(bench.buried() == 3);
        auto worker = bench.worker();
        CHECK(step(worker).applied == 3);
        bench.clock.advance(sent_again_late ? 6min : 31s);
        CHECK(redriven(bench.dead, resend_to(bench.queue)).redriven == 3);
        CHECK(bench.waiting() == (sent_again_late ? 3 : 2));
        const auto report = step(worker);
        CHECK(report.applied == 2);
        CHECK(report.dropped == (sent_again_late ? 1 : 0));
        CHECK(bench.kept.sequences_of("a") == "1 2 3 4 5");
        CHECK(bench.buried() == 0);
    }
}

TEST_CASE("a letter that could not be deleted stops its group, and is swallowed when it is sent again") {
    for (const auto& failing : {fault::before(), fault::after(), fault::refuse({0}, errc::expired, false)}) {
        queue_bench bench;
        bench.put("g", "a=1", "1");
        bench.put("g", "a=2", "2");
        bury(bench);
        bench.script.at("dead.erase", 1, failing);
        const auto report = redriven(bench.dead, resend_to(bench.queue));
        CHECK(report.failed == 1);
        CHECK(report.held == 1);
        CHECK(report.why->code == failing.code);
        CHECK(bench.waiting() == 1);
        CHECK(redriven(bench.dead, resend_to(bench.queue)).failed == 0);
        CHECK(bench.waiting() == 2);
        CHECK(bench.buried() == 0);
    }
}

TEST_CASE("a target that refuses or does not answer keeps the letter where it is") {
    for (const auto& failing : {fault::before(), fault::after(), fault::refuse({0}, errc::throttled, true)}) {
        queue_bench bench;
        bench.put("g", "a=1", "1");
        bury(bench);
        bench.script.at("queue.send", 1, failing);
        const auto report = redriven(bench.dead, resend_to(bench.queue));
        CHECK(report.failed == 1);
        CHECK(report.why->code == failing.code);
        CHECK(bench.buried() == 1);
        CHECK(redriven(bench.dead, resend_to(bench.queue)).redriven == 1);
        CHECK(bench.waiting() == 1); // once, also where the queue had it the first time
    }
}

TEST_CASE("a letter whose bytes were left out cannot be sent, and stays") {
    queue_bench bench;
    REQUIRE(freshet::send_dead_letter(bench.plain_dead,
                                      {.origin = "main", .id = "7", .sequence = "1", .group = "g",
                                       .why = {errc::malformed, "long"}, .bytes = {}, .complete = false}));
    const auto report = redriven(bench.dead, resend_to(bench.queue));
    CHECK(report.failed == 1);
    CHECK(report.why->code == errc::denied);
    CHECK(bench.waiting() == 0);
    CHECK(bench.buried() == 1);
}

TEST_CASE("no more than `most` letters are taken") {
    queue_bench bench;
    for (int n = 0; n < 30; ++n) { laws::put(bench.plain_dead, "g", std::to_string(n)); }
    handler handle;
    CHECK(redriven(bench.dead, handle, 0).received == 0);
    CHECK(redriven(bench.dead, handle, 13).redriven == 13);
    CHECK(bench.buried() == 17);
    bench.clock.advance(1min);
    CHECK(redriven(bench.dead, handle).redriven == 17);
    for (int n = 0; n < 30; ++n) { CHECK(handle.seen[static_cast<std::size_t>(n)] == std::to_string(n)); }
}

TEST_CASE("a dead-letter queue that does not answer is said: as the failure at first, as the reason later") {
    queue_bench bench;
    for (int n = 0; n < 15; ++n) { laws::put(bench.plain_dead, "g", std::to_string(n)); }
    bench.script.at("dead.receive", 1, fault::before(errc::throttled));
    bench.script.at("dead.receive", 3, fault::before(errc::denied));
    handler handle;
    const auto failed = redrive(bench.dead, handle);
    REQUIRE(!failed.ok());
    CHECK(failed.why().code == errc::throttled);
    const auto report = redriven(bench.dead, handle);
    CHECK(report.redriven == 10);
    REQUIRE(report.why.has_value());
    CHECK(report.why->code == errc::denied);
}

TEST_CASE("a handler that takes longer than the visibility time does every letter, and none twice in one run") {
    queue_bench bench;
    for (int n = 0; n < 12; ++n) { laws::put(bench.plain_dead, n % 2 == 0 ? "g" : "h", std::to_string(n)); }
    words seen;
    const auto slow = [&](const freshet::received_message& letter) -> result<void> {
        bench.clock.advance(31s);
        if (letter.body == "0") { return freshet::error{errc::failed, "no"}; }
        seen.push_back(letter.body);
        return {};
    };
    const auto report = redriven(bench.dead, slow);
    CHECK(seen == words{"1", "3", "5", "7", "9", "11"});
    CHECK(report.redriven == 6);
    CHECK(report.failed == 1);
    CHECK(bench.buried() == 6);
}

TEST_CASE("a processor gets the records of letters again, and nothing else") {
    struct recorder {
        words seen{};
        auto reprocess(const freshet::dead_letter& letter) -> result<void> {
            seen.push_back(letter.bytes);
            return {};
        }
    } processor;
    queue_bench bench;
    const auto letter = [&](std::string id, std::string bytes, bool complete) {
        REQUIRE(freshet::send_dead_letter(
            bench.plain_dead, {.origin = "stream", .id = id, .sequence = "1", .group = "g" + id,
                               .why = {errc::malformed, "no"}, .bytes = std::move(bytes), .complete = complete}));
    };
    letter("1", R"({"eventName":"MODIFY"})", true);
    letter("2", "", false);
    letter("3", "\x01 control", true);
    laws::put(bench.plain_dead, "h", "no letter");
    const auto report = redriven(bench.dead, freshet::reprocess_with(processor));
    CHECK(report.redriven == 2);
    CHECK(report.failed == 2);
    CHECK(processor.seen == words{R"({"eventName":"MODIFY"})", "\x01 control"});
}

TEST_CASE("random faults: every letter is handled, in order of first handling per group") {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    for (std::size_t round = support::cases(100); round != 0; --round) {
        queue_bench bench;
        std::map<std::string, words> sent;
        for (int n = 0; n < 40; ++n) {
            const std::string group{static_cast<char>('g' + random() % 3)};
            sent[group].push_back(std::to_string(n));
            laws::put(bench.plain_dead, group, std::to_string(n));
        }
        std::map<std::string, words> handled;
        const auto handle = [&](const freshet::received_message& letter) -> result<void> {
            if (random() % 10 == 0) { return freshet::error{errc::unavailable, "not now"}; }
            auto& of_group = handled[letter.group_id];
            for (const auto& each : of_group) {
                if (each == letter.body) { return {}; }
            }
            of_group.push_back(letter.body);
            return {};
        };
        bench.script.by_chance(0.1, random(),
                               {fault::before(), fault::after(), fault::partly(0),
                                fault::refuse({0}, errc::expired, true),
                                fault::meanwhile([&] { bench.clock.advance(11s); }),
                                fault::meanwhile([] { throw killed{}; })});
        for (int runs = 0; bench.buried() != 0; ++runs) {
            REQUIRE(runs < 1'000);
            try {
                static_cast<void>(redrive(bench.dead, handle, 1 + random() % 30));
            } catch (const killed&) {
            }
            bench.clock.advance(random() % 2 == 0 ? 31s : 1s);
        }
        CHECK(handled == sent);
    }
}

TEST_CASE("letters that become visible again while a redrive goes on are counted once, and it ends") {
    for (const bool fifo : {true, false}) {
        queue_bench bench{fifo};
        for (int i = 0; i < 25; ++i) {
            const auto id = std::to_string(i);
            REQUIRE(laws::send(bench.plain_dead, {laws::letter{fifo ? id : "", id, "x" + id, id}}).empty());
        }
        const auto slow = [&](const freshet::received_message&) -> result<void> {
            bench.clock.advance(7s);
            return freshet::error{errc::unavailable, "not now"};
        };
        const auto report = redriven(bench.dead, slow);
        CHECK(report.received <= 25);
        CHECK(report.failed == report.received);
        CHECK(report.redriven == 0);
    }
}

TEST_CASE("a redrive stops when it is told to, and leaves the rest visible") {
    queue_bench bench;
    for (const auto* id : {"1", "2", "3"}) {
        REQUIRE(laws::send(bench.plain_dead, {laws::letter{"g", id, id, id}}).empty());
    }
    int asked = 0;
    handler handle;
    const auto report = redrive(bench.dead, handle, 1'000, [&] { return ++asked <= 3; }); // a receive and two letters
    REQUIRE(report.ok());
    CHECK(report->redriven == 2);
    CHECK(report->held == 1);
    CHECK(redriven(bench.dead, handle).redriven == 1);
}
