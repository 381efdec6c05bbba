#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <freshet/backend/message_queue.hpp>
#include <freshet/core/sha256.hpp>

#include "letters.hpp"
#include "spoilers.hpp"

// Laws 1 to 5 of `freshet::message_queue`: what is taken, what is refused, and what is a duplicate.

TEST_CASE_TEMPLATE_DEFINE("an empty request is malformed as a whole", Fixture, laws_message_queue_1) {
    Fixture fixture;
    const auto sent = fixture.fifo().send(std::span<const freshet::message_view>{});
    REQUIRE(!sent.ok());
    CHECK(sent.why().code == freshet::errc::malformed);
}

TEST_CASE_TEMPLATE_DEFINE("a request of one entry too many is too large as a whole and stores nothing", Fixture,
                          laws_message_queue_2) {
    Fixture fixture;
    auto& queue = fixture.fifo();
    const freshet::queue_limits limits = queue.limits();
    std::vector<laws::letter> letters;
    for (std::size_t i = 0; i <= limits.entries_per_request; ++i) {
        letters.push_back({"g", "id" + std::to_string(i), "x", {}});
    }
    const auto sent = queue.send(std::span<const freshet::message_view>{laws::views(letters)});
    REQUIRE(!sent.ok());
    CHECK(sent.why().code == freshet::errc::too_large);
    CHECK(laws::take(queue).empty());
    letters.pop_back();
    CHECK_MESSAGE(laws::send(queue, letters).empty(), "one entry less is taken");
}

TEST_CASE_TEMPLATE_DEFINE("a request of exactly the byte limit is taken, attributes counted, and one byte more is not",
                          Fixture, laws_message_queue_3) {
    Fixture fixture;
    auto& queue = fixture.fifo();
    const freshet::queue_limits limits = queue.limits();
    std::vector<laws::letter> letters{{"g", "a", std::string(1000, 'a'), "4711"}, {"g", "b", "", {}}};
    const auto first = letters[0].view().payload_bytes();
    REQUIRE(first == 1000 + 15 + 6 + 4);
    letters[1].body.assign(limits.request_bytes - first + 1, 'b');
    const auto refused = queue.send(std::span<const freshet::message_view>{laws::views(letters)});
    REQUIRE(!refused.ok());
    CHECK(refused.why().code == freshet::errc::too_large);
    CHECK(laws::take(queue).empty());
    letters[1].body.pop_back();
    CHECK(laws::send(queue, letters).empty());
    CHECK(laws::drain(queue).size() == 2);
}

TEST_CASE_TEMPLATE_DEFINE("a body of exactly the message limit comes back whole, and one byte more is too large",
                          Fixture, laws_message_queue_4) {
    Fixture fixture;
    auto& queue = fixture.fifo();
    const freshet::queue_limits limits = queue.limits();
    laws::letter large{"g", "id", std::string(limits.message_bytes + 1, 'x'), {}};
    const auto view = large.view();
    // Where a request may not have more bytes than a message, it is refused as a whole.
    const auto sent = queue.send(std::span{&view, 1});
    if (sent.ok()) {
        REQUIRE(sent->size() == 1);
        CHECK(sent->front().why.code == freshet::errc::too_large);
        CHECK(!sent->front().retry_helps);
    } else {
        CHECK(sent.why().code == freshet::errc::too_large);
    }
    CHECK(laws::take(queue).empty());
    large.body.pop_back();
    REQUIRE(laws::send(queue, {large}).empty());
    CHECK(laws::take_one(queue).body == large.body);
}

TEST_CASE_TEMPLATE_DEFINE("a spoilt entry is refused alone, for good, at each place of a full request", Fixture,
                          laws_message_queue_5) {
    Fixture fixture;
    auto& queue = fixture.fifo();
    for (const auto& spoiler : laws::spoilers) {
        CAPTURE(spoiler.name);
        const auto size = laws::full_request(queue.limits(), "").size();
        for (std::size_t place = 0; place < size; ++place) {
            CAPTURE(place);
            const auto mark = std::to_string(&spoiler - laws::spoilers.data()) + "@" + std::to_string(place) + "/";
            auto letters = laws::full_request(queue.limits(), mark);
            spoiler.spoil(letters[place]);
            const auto refused = laws::send(queue, letters);
            REQUIRE(refused.size() == 1);
            CHECK(refused[0].entry == place);
            CHECK(refused[0].why.code == freshet::errc::malformed);
            CHECK(!refused[0].why.note.empty());
            CHECK(!refused[0].retry_helps);
            auto came = laws::bodies(laws::drain(queue));
            std::vector<std::string> taken;
            for (const auto& letter : letters) { taken.push_back(letter.body); }
            taken.erase(taken.begin() + static_cast<std::ptrdiff_t>(place));
            std::sort(came.begin(), came.end());
            std::sort(taken.begin(), taken.end());
            CHECK(came == taken);
        }
    }
}

TEST_CASE_TEMPLATE_DEFINE("refused entries are named ascending, and leave their deduplication ids free", Fixture,
                          laws_message_queue_6) {
    Fixture fixture;
    auto& queue = fixture.fifo();
    const std::vector<laws::letter> letters{
        {"g", "a", "0", {}}, {"g", "b", "", {}}, {"g", "c", "2", {}}, {"", "d", "3", {}}, {"g", "e", "\x01", {}}};
    const auto refused = laws::send(queue, letters);
    REQUIRE(refused.size() == 3);
    CHECK(refused[0].entry == 1);
    CHECK(refused[1].entry == 3);
    CHECK(refused[2].entry == 4);
    laws::put(queue, "g", "mended", "b");
    CHECK(laws::told(laws::take(queue)) == "0 2 mended");
}

TEST_CASE_TEMPLATE_DEFINE("every character that a body may have comes back as it was sent", Fixture,
                          laws_message_queue_7) {
    Fixture fixture;
    const std::string body =
        "\t\n\r \"'\\%{}\x7f\xc2\x80\xc3\xa9\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbd\xf0\x90\x80\x80"
        "\xf4\x8f\xbf\xbf";
    std::string id;
    for (char c = '!'; c <= '~'; ++c) { id += c; }
    laws::put(fixture.fifo(), id, body, id + std::string(128 - id.size(), 'x'));
    const auto got = laws::take_one(fixture.fifo());
    CHECK(got.body == body);
    CHECK(got.group_id == id);
}

TEST_CASE_TEMPLATE_DEFINE(
    "a duplicate is taken and not stored: in the same request, later, in another group, with "
    "another body, in flight and erased",
    Fixture, laws_message_queue_8) {
    Fixture fixture;
    auto& queue = fixture.fifo();
    REQUIRE(laws::send(queue, {{"g", "id", "first", {}}, {"g", "id", "second", {}}}).empty());
    laws::put(queue, "g", "first", "id");
    laws::put(queue, "other", "third", "id");
    const auto got = laws::take_one(queue);
    CHECK(got.body == "first");
    laws::put(queue, "g", "fourth", "id");
    REQUIRE(laws::erase(queue, {got.receipt}).empty());
    laws::put(queue, "g", "fifth", "id");
    CHECK(laws::take(queue).empty());
}

TEST_CASE_TEMPLATE_DEFINE("a duplicate is swallowed one second before the five minutes end, and stored when they end",
                          Fixture, laws_message_queue_9) {
    using namespace std::chrono_literals;
    for (const auto after : {freshet::duration{299s}, 300s - 1us, freshet::duration{300s}, freshet::duration{301s}}) {
        CAPTURE(after.count());
        const std::size_t expected = after < 300s ? 0 : 1;
        for (const bool erased : {false, true}) {
            Fixture fixture;
            auto& queue = fixture.fifo();
            laws::put(queue, "g", "x", "id");
            if (erased) { CHECK(laws::drain(queue).size() == 1); }
            fixture.clock().advance(after);
            laws::put(queue, "g", "x", "id");
            CHECK(laws::drain(queue).size() == expected + (erased ? 0 : 1));
        }
    }
}

TEST_CASE_TEMPLATE_DEFINE("a duplicate does not start the five minutes anew; a stored repetition does", Fixture,
                          laws_message_queue_10) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& queue = fixture.fifo();
    laws::put(queue, "g", "x", "id");
    fixture.clock().advance(200s);
    laws::put(queue, "g", "x", "id");
    CHECK(laws::drain(queue).size() == 1);
    fixture.clock().advance(100s);
    laws::put(queue, "g", "x", "id");
    CHECK(laws::drain(queue).size() == 1);
    fixture.clock().advance(299s);
    laws::put(queue, "g", "x", "id");
    CHECK(laws::drain(queue).empty());
}

TEST_CASE_TEMPLATE_DEFINE("the SHA-256 of the body stands for a deduplication id that is absent, and only then",
                          Fixture, laws_message_queue_11) {
    Fixture fixture;
    auto& queue = fixture.fifo();
    laws::put(queue, "g", "body");
    laws::put(queue, "h", "body");
    const auto digits = freshet::hex(freshet::sha256_of("body"));
    laws::put(queue, "g", "of another body", std::string{digits.data(), digits.size()});
    laws::put(queue, "g", "body", "an_id");
    laws::put(queue, "g", "another_body");
    const auto came = laws::drain(queue);
    CHECK(laws::told(came) == "body body another_body");
    CHECK(came.at(1).deduplication_id == "an_id");
}

TEST_CASE_TEMPLATE_DEFINE("a repeated request stores what is missing and nothing twice", Fixture,
                          laws_message_queue_12) {
    Fixture fixture;
    auto& queue = fixture.fifo();
    auto letters = laws::full_request(queue.limits(), "m");
    for (auto& letter : letters) { letter.group = "g"; }
    REQUIRE(laws::send(queue, {letters.begin(), letters.begin() + 4}).empty());
    REQUIRE(laws::send(queue, letters).empty());
    REQUIRE(laws::send(queue, letters).empty());
    const auto came = laws::drain(queue);
    REQUIRE(came.size() == letters.size());
    for (std::size_t i = 0; i < came.size(); ++i) { CHECK(came[i].body == letters[i].body); }
}
