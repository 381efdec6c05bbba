#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <freshet/backend/message_queue.hpp>

#include "letters.hpp"
#include "spoilers.hpp"

// Laws 6 to 11 of `freshet::message_queue`: order, visibility, receipts, dead letters and retention; and those of
// standard queues.

TEST_CASE_TEMPLATE_DEFINE("a standard queue needs no group id and reads no deduplication id, but refuses a bad body",
                          Fixture, laws_message_queue_13) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& queue = fixture.standard();
    const auto refused = laws::send(queue, {{"", "id", "same", {}},
                                            {"", "id", "same", {}},
                                            {"", "id", "", {}},
                                            {"", std::string(200, ' '), "odd id", {}},
                                            {"fair", "", "grouped", "17"}});
    REQUIRE(refused.size() == 1);
    CHECK(refused[0].entry == 2);
    CHECK(!refused[0].retry_helps);
    std::map<std::string, std::string> came; // by id: a standard queue may give a message twice
    for (int round = 0; round < 20; ++round) {
        for (const auto& message : laws::take(queue)) {
            came[message.id] = message.body;
            if (message.body == "grouped") {
                CHECK(message.group_id == "fair");
                CHECK(message.sequence == "17");
            }
        }
        fixture.clock().advance(7s);
    }
    std::multiset<std::string> all;
    for (const auto& [id, body] : came) { all.insert(body); }
    CHECK((all == std::multiset<std::string>{"grouped", "odd id", "same", "same"}));
}

TEST_CASE_TEMPLATE_DEFINE("a standard queue hands out what is not erased again, and nothing of a group waits", Fixture,
                          laws_message_queue_14) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& queue = fixture.standard();
    laws::put(queue, "g", "a");
    laws::put(queue, "g", "b");
    std::map<std::string, unsigned> seen;
    for (int round = 0; round < 20 && seen.size() < 2; ++round) {
        for (const auto& message : laws::take(queue, {.limit = 1})) { ++seen[message.body]; }
    }
    CHECK_MESSAGE(seen.size() == 2, "without waiting for the visibility time");
    fixture.clock().advance(30s);
    std::vector<std::string> again;
    for (int round = 0; round < 20; ++round) {
        for (const auto& message : laws::take(queue)) {
            CHECK(message.receive_count >= 2);
            again.push_back(message.body);
            CHECK(laws::erase(queue, {message.receipt}).empty());
        }
    }
    CHECK(std::count(again.begin(), again.end(), "a") >= 1);
    CHECK(std::count(again.begin(), again.end(), "b") >= 1);
}

TEST_CASE_TEMPLATE_DEFINE("an empty queue gives an empty list", Fixture, laws_message_queue_15) {
    Fixture fixture;
    CHECK(laws::take(fixture.fifo()).empty());
    CHECK(laws::take(fixture.dead()).empty());
    CHECK(laws::take(fixture.standard()).empty());
}

TEST_CASE_TEMPLATE_DEFINE("a delivery tells what was sent, under one id, with a receipt and a count of its own",
                          Fixture, laws_message_queue_16) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& queue = fixture.fifo();
    const std::string sequence = "4421584500000000017450439091123456789012";
    const auto sent_at = fixture.clock().now();
    REQUIRE(laws::send(queue, {{"group", "id", "body", sequence}}).empty());
    fixture.clock().advance(10s);
    const auto first = laws::take_one(queue);
    CHECK(first.group_id == "group");
    CHECK(first.deduplication_id == "id");
    CHECK(first.body == "body");
    CHECK(first.sequence == sequence);
    CHECK(first.receive_count == 1);
    CHECK(first.sent_at == sent_at);
    fixture.clock().advance(30s);
    const auto second = laws::take_one(queue);
    CHECK(second.id == first.id);
    CHECK(second.receipt != first.receipt);
    CHECK(second.receive_count == 2);
    CHECK(second.sent_at == sent_at);
    CHECK(second.view() == first.view());
    REQUIRE(laws::erase(queue, {second.receipt}).empty());
    laws::put(queue, "group", "body", "id2");
    CHECK_MESSAGE(laws::take_one(queue).id != first.id, "another message has another id");
}

TEST_CASE_TEMPLATE_DEFINE("a call gives no more than it was asked for, and calls together give all, in order", Fixture,
                          laws_message_queue_17) {
    Fixture fixture;
    auto& queue = fixture.fifo();
    for (std::size_t limit = 1; limit <= 10; ++limit) {
        CAPTURE(limit);
        std::vector<std::string> expected;
        for (int i = 0; i < 12; ++i) {
            expected.push_back(std::to_string(limit) + ":" + std::to_string(i));
            laws::put(queue, "g", expected.back());
        }
        std::vector<std::string> came;
        for (auto got = laws::take(queue, {.limit = limit}); !got.empty(); got = laws::take(queue, {.limit = limit})) {
            for (const auto& body : laws::bodies(got)) { came.push_back(body); }
            REQUIRE(laws::erase(queue, laws::receipts(got)).empty());
        }
        CHECK(came == expected);
    }
}

TEST_CASE_TEMPLATE_DEFINE("a message is invisible until its visibility time ends, and visible at that instant", Fixture,
                          laws_message_queue_18) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& queue = fixture.fifo();
    laws::put(queue, "g", "x");
    CHECK(laws::take(queue).size() == 1);
    fixture.clock().advance(30s - 1us);
    CHECK(laws::take(queue).empty());
    fixture.clock().advance(1us);
    CHECK(laws::take_one(queue).receive_count == 2);

    SUBCASE("a receive may bring a visibility time of its own") {
        fixture.clock().advance(30s);
        CHECK(laws::take_one(queue, {.visibility = 5min}).receive_count == 3);
        fixture.clock().advance(5min - 1us);
        CHECK(laws::take(queue).empty());
        fixture.clock().advance(1us);
        CHECK(laws::take(queue).empty()); // received three times: a dead letter now
        CHECK(laws::take(fixture.dead()).size() == 1);
    }
    SUBCASE("and that may be zero") {
        fixture.clock().advance(30s);
        laws::put(queue, "h", "y");
        CHECK(laws::take(queue, {.visibility = 0s}).size() == 2);
        CHECK(laws::take_one(queue).body == "y");
    }
}

TEST_CASE_TEMPLATE_DEFINE("while one of a group is invisible, no call gives any of that group, and others come",
                          Fixture, laws_message_queue_19) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& queue = fixture.fifo();
    for (const auto* body : {"a1", "a2", "a3", "a4"}) { laws::put(queue, "a", body); }
    const auto first = laws::take(queue, {.limit = 2});
    CHECK_MESSAGE(laws::told(first) == "a1 a2", "one call may give several of a group");
    CHECK(laws::take(queue).empty());
    laws::put(queue, "b", "b1");
    laws::put(queue, "a", "a5");
    CHECK(laws::take_one(queue).body == "b1");
    REQUIRE(laws::erase(queue, {first[0].receipt}).empty());
    CHECK_MESSAGE(laws::take(queue).empty(), "a2 is still in flight");
    REQUIRE(laws::erase(queue, {first[1].receipt}).empty());
    CHECK(laws::told(laws::take(queue)) == "a3 a4 a5");
}

TEST_CASE_TEMPLATE_DEFINE("what comes again comes before what was stored behind it", Fixture, laws_message_queue_20) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& queue = fixture.fifo();
    for (const auto* body : {"1", "2", "3", "4"}) { laws::put(queue, "g", body); }
    const auto got = laws::take(queue, {.limit = 3});
    REQUIRE(laws::told(got) == "1 2 3");
    REQUIRE(laws::erase(queue, {got[1].receipt}).empty());
    fixture.clock().advance(30s);
    const auto again = laws::take(queue);
    CHECK(laws::told(again) == "1 3 4");
    CHECK(again.at(0).receive_count == 2);
    CHECK(again.at(1).receive_count == 2);
    CHECK(again.at(2).receive_count == 1);
}

TEST_CASE_TEMPLATE_DEFINE("an erased message never comes again, and erasing it twice succeeds", Fixture,
                          laws_message_queue_21) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& queue = fixture.fifo();
    laws::put(queue, "g", "x");
    const auto got = laws::take_one(queue);
    CHECK(laws::erase(queue, {got.receipt}).empty());
    CHECK(laws::erase(queue, {got.receipt}).empty());
    CHECK(laws::erase(queue, {got.receipt, got.receipt}).empty());
    fixture.clock().advance(24h);
    CHECK(laws::take(queue).empty());
    CHECK(laws::take(fixture.dead()).empty());
}

TEST_CASE_TEMPLATE_DEFINE("the receipt of an earlier delivery is refused as expired, and the later one holds", Fixture,
                          laws_message_queue_22) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& queue = fixture.fifo();
    laws::put(queue, "g", "x");
    const auto first = laws::take_one(queue);
    fixture.clock().advance(30s);
    const auto second = laws::take_one(queue);

    const auto refused = laws::erase(queue, {first.receipt});
    REQUIRE(refused.size() == 1);
    CHECK(refused[0].entry == 0);
    CHECK(refused[0].why.code == freshet::errc::expired);
    CHECK(!refused[0].retry_helps);

    SUBCASE("to erase with") {
        CHECK(laws::erase(queue, {second.receipt}).empty());
        fixture.clock().advance(1h);
        CHECK(laws::take(queue).empty());
    }
    SUBCASE("and keeps its visibility time") {
        const auto unchanged = laws::hide(queue, {first.receipt}, 0s);
        REQUIRE(unchanged.size() == 1);
        CHECK(unchanged[0].why.code == freshet::errc::expired);
        CHECK(laws::take(queue).empty());
        fixture.clock().advance(30s);
        CHECK(laws::take_one(queue).receive_count == 3);
    }
}

TEST_CASE_TEMPLATE_DEFINE("a late erase, with no delivery since, erases or is refused as expired, and means it",
                          Fixture, laws_message_queue_23) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& queue = fixture.fifo();
    laws::put(queue, "g", "1");
    laws::put(queue, "g", "2");
    const auto got = laws::take_one(queue, {.limit = 1});
    fixture.clock().advance(30s);
    const auto refused = laws::erase(queue, {got.receipt});
    const auto left = laws::told(laws::take(queue));
    if (refused.empty()) {
        CHECK(left == "2");
    } else {
        CHECK(refused[0].why.code == freshet::errc::expired);
        CHECK(left == "1 2");
    }
}

TEST_CASE_TEMPLATE_DEFINE("a refused receipt is named by its place, and the others of its request are erased", Fixture,
                          laws_message_queue_24) {
    using namespace std::chrono_literals;
    for (std::size_t place = 0; place < 10; ++place) {
        CAPTURE(place);
        for (const bool stale : {false, true}) {
            CAPTURE(stale);
            Fixture fixture;
            auto& queue = fixture.fifo();
            const auto size = laws::full_request(queue.limits(), "m").size();
            if (place >= size) { continue; }
            REQUIRE(laws::send(queue, laws::full_request(queue.limits(), "m")).empty());
            std::vector<std::string> old;
            for (auto got = laws::take(queue); !got.empty(); got = laws::take(queue)) {
                for (auto& receipt : laws::receipts(got)) { old.push_back(receipt); }
            }
            REQUIRE(old.size() == size);
            fixture.clock().advance(30s);
            std::vector<freshet::received_message> messages;
            for (auto got = laws::take(queue); !got.empty(); got = laws::take(queue)) {
                messages.insert(messages.end(), got.begin(), got.end());
            }
            REQUIRE(messages.size() == size);
            auto receipts = laws::receipts(messages);
            const auto kept = messages[place].body;
            if (stale) {
                const auto group = static_cast<std::size_t>(messages[place].group_id.at(1) - '0');
                receipts[place] = old.at(group);
            } else {
                receipts[place] = "no receipt at all";
            }
            const auto refused = laws::erase(queue, receipts);
            REQUIRE(refused.size() == 1);
            CHECK(refused[0].entry == place);
            CHECK(!refused[0].retry_helps);
            fixture.clock().advance(30s);
            CHECK(laws::told(laws::take(queue)) == kept);
        }
    }
}

TEST_CASE_TEMPLATE_DEFINE("a changed visibility starts now: longer, shorter, or none at all", Fixture,
                          laws_message_queue_25) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& queue = fixture.fifo();
    laws::put(queue, "g", "x");
    const auto got = laws::take_one(queue);
    fixture.clock().advance(20s);
    SUBCASE("longer") {
        CHECK(laws::hide(queue, {got.receipt}, 30s).empty());
        fixture.clock().advance(30s - 1us);
        CHECK(laws::take(queue).empty());
        fixture.clock().advance(1us);
    }
    SUBCASE("shorter") {
        CHECK(laws::hide(queue, {got.receipt}, 5s).empty());
        fixture.clock().advance(5s - 1us);
        CHECK(laws::take(queue).empty());
        fixture.clock().advance(1us);
    }
    SUBCASE("none") { CHECK(laws::hide(queue, {got.receipt}, 0s).empty()); }
    SUBCASE("twice, the last one counts") {
        CHECK(laws::hide(queue, {got.receipt}, 5s).empty());
        CHECK(laws::hide(queue, {got.receipt}, 10s).empty());
        fixture.clock().advance(9s);
        CHECK(laws::take(queue).empty());
        fixture.clock().advance(1s);
    }
    CHECK(laws::take_one(queue).receive_count == 2);
}

TEST_CASE_TEMPLATE_DEFINE("a group waits for the last of its invisible messages, and then comes in order", Fixture,
                          laws_message_queue_26) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& queue = fixture.fifo();
    for (const auto* body : {"1", "2", "3"}) { laws::put(queue, "g", body); }
    const auto got = laws::take(queue, {.limit = 2});
    REQUIRE(got.size() == 2);
    CHECK(laws::hide(queue, {got[0].receipt}, 0s).empty());
    CHECK_MESSAGE(laws::take(queue).empty(), "the second is in flight");
    CHECK(laws::hide(queue, {got[1].receipt}, 0s).empty());
    CHECK(laws::told(laws::take(queue)) == "1 2 3");
}

TEST_CASE_TEMPLATE_DEFINE("what was received three times is not handed out again: it is moved, with all it had",
                          Fixture, laws_message_queue_27) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& queue = fixture.fifo();
    REQUIRE(laws::send(queue, {{"g", "id", "poison", "17"}, {"g", "", "next", {}}}).empty());
    for (unsigned count = 1; count <= 3; ++count) {
        const auto got = laws::take_one(queue, {.limit = 1});
        CHECK(got.body == "poison");
        CHECK(got.receive_count == count);
        CHECK(laws::take(fixture.dead()).empty());
        fixture.clock().advance(30s);
    }
    CHECK_MESSAGE(laws::take_one(queue).body == "next", "its group goes on");
    const auto dead = laws::take_one(fixture.dead());
    CHECK(dead.body == "poison");
    CHECK(dead.group_id == "g");
    CHECK(dead.sequence == "17");
    CHECK(dead.receive_count >= 1); // it may count on from its first queue
    CHECK(laws::erase(fixture.dead(), {dead.receipt}).empty());
    fixture.clock().advance(1h);
    CHECK(laws::take(fixture.dead()).empty());
}

TEST_CASE_TEMPLATE_DEFINE("the third delivery can still be erased", Fixture, laws_message_queue_28) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& queue = fixture.fifo();
    laws::put(queue, "g", "x");
    for (int i = 0; i < 2; ++i) {
        CHECK(laws::take(queue).size() == 1);
        fixture.clock().advance(30s);
    }
    CHECK(laws::erase(queue, {laws::take_one(queue).receipt}).empty());
    fixture.clock().advance(30s);
    CHECK(laws::take(queue).empty());
    CHECK(laws::take(fixture.dead()).empty());
}

TEST_CASE_TEMPLATE_DEFINE("dead letters stand in their group's order, behind what was there, whatever ids it took",
                          Fixture, laws_message_queue_29) {
    Fixture fixture;
    auto& queue = fixture.fifo();
    laws::put(fixture.dead(), "g", "before", "same-id");
    laws::put(queue, "g", "1", "same-id");
    laws::put(queue, "g", "2");
    laws::poison(queue);
    laws::put(queue, "g", "3");
    laws::poison(queue);
    CHECK(laws::told(laws::take(fixture.dead())) == "before 1 2 3");
}

TEST_CASE_TEMPLATE_DEFINE("a dead-letter queue locks its groups as any FIFO queue does", Fixture,
                          laws_message_queue_30) {
    using namespace std::chrono_literals;
    Fixture fixture;
    laws::put(fixture.fifo(), "g", "1");
    laws::put(fixture.fifo(), "g", "2");
    laws::poison(fixture.fifo());
    const auto first = laws::take_one(fixture.dead(), {.limit = 1});
    CHECK(first.body == "1");
    CHECK(laws::take(fixture.dead()).empty());
    fixture.clock().advance(30s);
    CHECK(laws::told(laws::take(fixture.dead())) == "1 2");
}

TEST_CASE_TEMPLATE_DEFINE("a message is kept for four days, and dropped when they end", Fixture,
                          laws_message_queue_31) {
    using namespace std::chrono_literals;
    for (const auto age : {freshet::duration{96h - 1us}, freshet::duration{96h}, freshet::duration{96h + 1s}}) {
        CAPTURE(age.count());
        Fixture fixture;
        laws::put(fixture.fifo(), "g", "old");
        fixture.clock().advance(age);
        laws::put(fixture.fifo(), "g", "young");
        CHECK(laws::told(laws::take(fixture.fifo())) == (age < 96h ? "old young" : "young"));
    }
}

TEST_CASE_TEMPLATE_DEFINE("a standard queue drops what is too old as well, and nothing else", Fixture,
                          laws_message_queue_34) {
    using namespace std::chrono_literals;
    for (const auto age : {freshet::duration{96h - 1us}, freshet::duration{96h}}) {
        CAPTURE(age.count());
        Fixture fixture;
        laws::put(fixture.standard(), "", "old");
        fixture.clock().advance(age);
        laws::put(fixture.standard(), "", "young");
        std::set<std::string> came;
        for (int round = 0; round < 10; ++round) {
            for (const auto& body : laws::bodies(laws::drain(fixture.standard()))) { came.insert(body); }
        }
        CHECK((came == (age < 96h ? std::set<std::string>{"old", "young"} : std::set<std::string>{"young"})));
    }
}

TEST_CASE_TEMPLATE_DEFINE("a late erase of what has become a dead letter succeeds, and leaves it", Fixture,
                          laws_message_queue_35) {
    using namespace std::chrono_literals;
    Fixture fixture;
    laws::put(fixture.fifo(), "g", "x");
    std::string receipt;
    for (int i = 0; i < 3; ++i) {
        receipt = laws::take_one(fixture.fifo()).receipt;
        fixture.clock().advance(30s);
    }
    CHECK(laws::take(fixture.fifo()).empty());
    CHECK(laws::erase(fixture.fifo(), {receipt}).empty());
    const auto refused = laws::hide(fixture.fifo(), {receipt}, 1h);
    REQUIRE(refused.size() == 1);
    CHECK(refused[0].why.code == freshet::errc::expired);
    CHECK(laws::take_one(fixture.dead()).body == "x");
}

TEST_CASE_TEMPLATE_DEFINE("erase and change_visibility take more receipts than a request has entries", Fixture,
                          laws_message_queue_36) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& queue = fixture.fifo();
    constexpr std::size_t many = 25;
    for (std::size_t i = 0; i < many; ++i) { laws::put(queue, "g" + std::to_string(i), std::to_string(i)); }
    const auto take_all = [&] {
        std::vector<std::string> all;
        for (auto got = laws::take(queue); !got.empty(); got = laws::take(queue)) {
            for (auto& receipt : laws::receipts(got)) { all.push_back(std::move(receipt)); }
        }
        REQUIRE(all.size() == many);
        return all;
    };
    auto receipts = take_all();
    CHECK(laws::hide(queue, receipts, 1h).empty());
    fixture.clock().advance(1h - 1us);
    CHECK(laws::take(queue).empty());
    fixture.clock().advance(1us);
    receipts = take_all();
    receipts.emplace_back("no receipt at all");
    const auto refused = laws::erase(queue, receipts);
    REQUIRE(refused.size() == 1);
    CHECK(refused[0].entry == many);
    fixture.clock().advance(1h);
    CHECK(laws::take(queue).empty());
    CHECK(laws::take(fixture.dead()).empty());
}

TEST_CASE_TEMPLATE_DEFINE("a receipt of another queue, or what is none, is malformed and changes nothing", Fixture,
                          laws_message_queue_37) {
    using namespace std::chrono_literals;
    Fixture fixture;
    laws::put(fixture.fifo(), "g", "first");
    laws::put(fixture.standard(), "g", "standard");
    laws::put(fixture.dead(), "g", "dead");
    const auto mine = laws::take_one(fixture.fifo());
    const auto standard = laws::take_one(fixture.standard());
    const auto dead = laws::take_one(fixture.dead());
    for (const std::string& bad : {std::string{}, std::string{"x"}, std::string{"0-0"}, std::string{"0-1"},
                                   std::string{"0-1 "}, mine.receipt + " ", " " + mine.receipt, mine.id,
                                   standard.receipt, dead.receipt}) {
        CAPTURE(bad);
        for (const auto& refused : {laws::erase(fixture.fifo(), {bad}), laws::hide(fixture.fifo(), {bad}, 0s)}) {
            REQUIRE(refused.size() == 1);
            CHECK(refused[0].why.code == freshet::errc::malformed);
            CHECK(!refused[0].retry_helps);
        }
    }
    for (const auto& refused :
         {laws::erase(fixture.dead(), {mine.receipt}), laws::erase(fixture.dead(), {standard.receipt}),
          laws::erase(fixture.standard(), {dead.receipt})}) {
        REQUIRE(refused.size() == 1);
        CHECK(refused[0].why.code == freshet::errc::malformed);
    }
    CHECK(laws::take(fixture.fifo()).empty());
    fixture.clock().advance(30s);
    CHECK(laws::take_one(fixture.fifo()).body == "first");
    CHECK(laws::take_one(fixture.dead()).body == "dead");
}
