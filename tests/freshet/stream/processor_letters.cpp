#include <freshet/stream/processor.hpp>

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/testing/fault.hpp>
#include <support/part_processor.hpp>
#include <support/part_stream.hpp>

namespace {

using freshet::after_dead_letter;
using freshet::dead_letter;
using freshet::deadline;
using freshet::errc;
using freshet::testing::fault;
using support::edit_of;
using support::edits;
using support::emptied;
using support::keyless_of;
using support::malformed_of;
using support::once;
using support::response_of;
using support::sequences;
using support::to_json;
using support::touch_of;
using rig = support::processor_rig;
using namespace std::chrono_literals;
using records = std::vector<support::record_text>;
using lines = std::vector<std::string>;

} // namespace

TEST_CASE("each record is answered for: changed, unchanged, ignored, dead-lettered") {
    rig to;
    const auto report = to.process({edit_of(1, 1), touch_of(1, 2), edit_of(1, 3, "MEMO"), malformed_of(2, 4),
                                    edit_of(3, 5, "PAIR"), edit_of(1, 6)});
    CHECK(report.changed == 3);
    CHECK(report.unchanged == 1);
    CHECK(report.ignored == 1);
    CHECK(report.dead_lettered == 1);
    CHECK(report.records() == 6);
    CHECK(report.messages_sent == 4);
    CHECK(report.messages_failed == 0);
    CHECK(report.done_from_start == 6);
    CHECK(response_of(report) == "nothing");
    CHECK_FALSE(report.why);
    CHECK(sequences(to.stored_parts) == "1 5 6");
    CHECK(sequences(to.stored_others) == "5");
    CHECK(to.told == lines{"dead 4 attempts 1", "batch of 6"});
}

TEST_CASE("a malformed record is dead-lettered at once, with its bytes, reason, attempts and when it was first seen") {
    rig to;
    auto broken = malformed_of(7, 42);
    const auto report = to.process({edit_of(7, 41), broken, edit_of(7, 43)});
    CHECK(report.dead_lettered == 1);
    CHECK(report.changed == 2);
    CHECK(response_of(report) == "nothing");
    CHECK(sequences(to.stored_parts) == "41 43");
    const auto messages = emptied(to.stored_letters);
    REQUIRE(messages.size() == 1);
    CHECK(messages[0].group_id == "ITEM#7");
    CHECK(messages[0].sequence == "42");
    const auto letter = *freshet::parse_dead_letter(messages[0].body);
    CHECK(letter.origin == "stream");
    CHECK(letter.id == "e42");
    CHECK(letter.sequence == "42");
    CHECK(letter.group == "ITEM#7");
    CHECK(letter.why.code == errc::malformed);
    CHECK(letter.why.note.find("eventName") != std::string::npos);
    CHECK(letter.attempts == 1);
    CHECK(letter.first_seen == to.clock.now());
    CHECK(letter.bytes == to_json(broken));
    CHECK(letter.complete);
}

TEST_CASE("a malformed record's bytes are those of the event, blanks and escapes included") {
    const std::string bytes =
        "{ \"eventName\" : \"UPS\\u0045RT\",\r\n\t\"eventID\":\"caf\xc3\xa9\", \"x\": [1.50e0 , \"\\ud83e\\uddfe\"] }";
    rig to;
    const auto report = to.processor.process("{\"Records\":[ " + bytes + " ]}");
    CHECK(report.dead_lettered == 1);
    const auto letter = to.only_letter();
    CHECK(letter.bytes == bytes);
    CHECK(letter.group.empty());
    CHECK(letter.id == "caf\xc3\xa9");
}

TEST_CASE("a message that is too large, and a stream without images, are dead-lettered at once") {
    auto options = support::part_options();
    options.builder.limits.message_bytes = 800;
    rig to{{}, options};
    auto large = edit_of(1, 1);
    large.new_image = R"("score":{"N":"2"},"text":{"S":")" + std::string(900, 'x') + R"("})";
    auto bare = edit_of(2, 2);
    bare.old_image = std::nullopt;
    const auto report = to.process({large, bare, edit_of(1, 3)});
    CHECK(report.dead_lettered == 2);
    CHECK(report.changed == 1);
    const auto letters = to.letters();
    REQUIRE(letters.size() == 2);
    CHECK(letters[0].why.code == errc::too_large);
    CHECK(letters[1].why.code == errc::denied);
    CHECK(letters[1].bytes == to_json(bare));
}

TEST_CASE("a record that keeps failing by itself goes to the dead letters after its retries, with its attempts") {
    for (const unsigned retries : {0U, 1U, 3U}) {
        CAPTURE(retries);
        auto options = once();
        options.retries = retries;
        rig to{options};
        to.script.always("parts.send", fault::refuse({0}, errc::unavailable, true));
        const auto first_seen = to.clock.now();
        for (unsigned attempt = 1; attempt <= retries; ++attempt) {
            const auto report = to.process(edits(3));
            CHECK(report.failed == 1);
            CHECK(response_of(report) == "100");
            CHECK(to.told == lines{"failed 100 attempts " + std::to_string(attempt), "batch of 3"});
            to.told.clear();
            to.clock.advance(1min);
        }
        const auto report = to.process(edits(3));
        CHECK(report.dead_lettered == 1);
        CHECK(report.changed == 2);
        CHECK(response_of(report) == "nothing");
        CHECK(to.told == lines{"dead 100 attempts " + std::to_string(retries + 1), "batch of 3"});
        const auto letter = to.only_letter();
        CHECK(letter.attempts == retries + 1);
        CHECK(letter.first_seen == first_seen);
        CHECK(letter.why.code == errc::unavailable);
        CHECK(letter.bytes == to_json(edits(1)[0]));
    }
}

TEST_CASE("attempts are forgotten once the record is done") {
    rig to{once()};
    for (int round = 0; round < 5; ++round) {
        for (int delivery = 0; delivery < 3; ++delivery) {
            to.script.next("parts.send", {fault::refuse({0}, errc::unavailable, true)});
            CHECK(to.process(edits(3)).failed == 1);
        }
        CHECK(to.process(edits(3)).changed == 3);
    }
    CHECK(to.letters().empty());
}

TEST_CASE("the dead-letter queue is down: the record stays failed and holds its group alone") {
    rig to;
    const records batch{edit_of(1, 1), malformed_of(2, 2), edit_of(2, 3), edit_of(1, 4), edit_of(2, 5), edit_of(3, 6)};
    to.script.always("dead.send", fault::before());
    for (int delivery = 0; delivery < 6; ++delivery) {
        const auto report = to.process(batch);
        CHECK(report.failed == 1);
        CHECK(report.held == 2);
        CHECK(report.changed == 3);
        CHECK(response_of(report) == "2");
        CHECK(report.why->note.find("; dead-letter queue: ") != std::string::npos);
    }
    CHECK(sequences(to.stored_parts) == "1 4 6");
    to.script.heal("dead.send");
    to.clock.advance(1min);
    const auto report = to.process({batch.begin() + 1, batch.end()});
    CHECK(report.dead_lettered == 1);
    CHECK(response_of(report) == "nothing");
    CHECK(sequences(to.stored_parts) == "3 5");
    CHECK(to.only_letter().first_seen == to.clock.now() - 1min);
}

TEST_CASE("the dead-letter queue is down: a record whose group cannot be read holds all behind it") {
    rig to;
    const records batch{edit_of(1, 1),      keyless_of(2),         edit_of(2, 3),
                        malformed_of(3, 4), edit_of(1, 5, "MEMO"), touch_of(1, 6)};
    to.script.next("dead.send", {fault::before()});
    const auto report = to.process(batch);
    CHECK(report.changed == 1);
    CHECK(report.failed == 1);
    CHECK(report.held == 3);
    CHECK(report.ignored == 1); // nobody waits for it
    CHECK(report.done_from_start == 1);
    CHECK(response_of(report) == "2");
    CHECK(to.script.count("dead.send") == 1);
    CHECK(response_of(to.process(batch)) == "nothing");
    CHECK(sequences(to.stored_parts) == "1 3");
    const auto letters = to.letters();
    REQUIRE(letters.size() == 2);
    CHECK(letters[0].group.empty());
    CHECK(letters[0].bytes == to_json(batch[1]));
}

TEST_CASE("the dead-letter queue refuses a refused record: the record stays failed, and its group waits") {
    rig to;
    to.script.next("parts.send", {fault::refuse({0}, errc::malformed, false)});
    to.script.next("dead.send", {fault::refuse({0}, errc::throttled, true)});
    const auto report = to.process(edits(4, 2));
    CHECK(report.failed == 1);
    CHECK(report.held == 1);
    CHECK(report.changed == 2);
    CHECK(response_of(report) == "100");
    CHECK(to.process(edits(4, 2)).changed == 4);
    CHECK(to.letters().empty());
}

TEST_CASE("the dead-letter queue takes a letter and its answer is lost: one letter") {
    rig to;
    to.script.next("dead.send", {fault::after()});
    CHECK(to.process({malformed_of(1, 1)}).failed == 1);
    CHECK(to.process({malformed_of(1, 1)}).dead_lettered == 1);
    CHECK(to.letters().size() == 1);
}

TEST_CASE("several malformed records that cannot be told apart are several letters") {
    rig to;
    auto one = malformed_of(1, 1), two = malformed_of(2, 1), same = malformed_of(3, 1);
    one.sequence = two.sequence = one.event_id = two.event_id = {};
    const auto report = to.process({one, two, same, malformed_of(4, 1)});
    CHECK(report.dead_lettered == 4);
    CHECK(to.letters().size() == 4);
}

TEST_CASE("a parked group's later records follow the dead letter, in order, until somebody releases the group") {
    auto options = once();
    options.after = after_dead_letter::park;
    rig to{options};
    const auto report = to.process({edit_of(1, 1), malformed_of(1, 2), edit_of(1, 3), edit_of(2, 4), edit_of(1, 5)});
    CHECK(report.changed == 2);
    CHECK(report.dead_lettered == 3);
    CHECK(response_of(report) == "nothing");
    REQUIRE(to.processor.parked().size() == 1);
    CHECK(to.processor.parked().begin()->first == "parts\nITEM#1");
    CHECK(to.processor.parked().begin()->second.view() == "2");
    CHECK(to.process({edit_of(1, 6), touch_of(1, 7), edit_of(1, 8, "MEMO"), edit_of(2, 9)}).dead_lettered == 1);
    CHECK(sequences(to.stored_parts) == "1 4 9");

    std::string order;
    for (const auto& letter : to.letters()) {
        order += letter.sequence + (letter.why.code == errc::conflict ? "c " : "m ");
        CHECK(letter.group == "ITEM#1");
    }
    CHECK(order == "2m 3c 5c 6c ");

    to.processor.release("parts\nITEM#2");
    CHECK(to.process({edit_of(1, 10)}).dead_lettered == 1);
    to.processor.release("parts\nITEM#1");
    CHECK(to.process({edit_of(1, 11)}).changed == 1);
    CHECK(to.processor.parked().empty());
}

TEST_CASE("a group stays parked in another processor where the host keeps it") {
    rig to;
    to.processor.park("parts\nITEM#1");
    CHECK(to.process({edit_of(1, 1), edit_of(2, 2), malformed_of(1, 3)}).dead_lettered == 2);
    const auto letters = to.letters();
    CHECK(letters[0].why.code == errc::conflict);
    CHECK(letters[1].why.code == errc::malformed);
}

TEST_CASE(
    "a group is parked where a queue refuses for good, or its record's retries are used up, in that very delivery") {
    for (const bool for_good : {true, false}) {
        auto options = once();
        options.after = after_dead_letter::park;
        options.retries = 0;
        rig to{options};
        to.script.next("parts.send", {fault::refuse({0}, errc::unavailable, !for_good)});
        const auto report = to.process(edits(6, 2));
        CHECK(report.dead_lettered == 3);
        CHECK(report.changed == 3);
        CHECK(response_of(report) == "nothing");
        std::string order;
        for (const auto& letter : to.letters()) { order += letter.sequence + " "; }
        CHECK(order == "100 102 104 ");
    }
}

TEST_CASE("where a group goes on, a record behind the dead letter is sent in the same delivery") {
    rig to;
    to.script.next("parts.send", {fault::refuse({0}, errc::malformed, false)});
    const auto report = to.process(edits(4, 2));
    CHECK(report.changed == 3);
    CHECK(report.dead_lettered == 1);
    CHECK(sequences(to.stored_parts) == "101 102 103");
}

TEST_CASE("a record of exactly one hour is processed, and one that is a microsecond older is dead-lettered untried") {
    rig to;
    to.clock.advance(123'457us);
    auto at_the_limit = edit_of(1, 1), too_old = edit_of(2, 2), undated = edit_of(3, 3), future = edit_of(4, 4);
    at_the_limit.time = "1736932400.123457";
    too_old.time = "1736932400.123456";
    future.time = "1999999999";
    const auto report = to.process({at_the_limit, too_old, undated, future});
    CHECK(report.changed == 3);
    CHECK(report.dead_lettered == 1);
    CHECK(report.expired == 1);
    CHECK(sequences(to.stored_parts) == "1 3 4");
    const auto letter = to.only_letter();
    CHECK(letter.sequence == "2");
    CHECK(letter.why.code == errc::expired);
    CHECK(letter.bytes == to_json(too_old));
}

TEST_CASE("old records that nobody asked for, or that changed nothing, are no dead letters") {
    rig to;
    auto memo = edit_of(1, 1, "MEMO"), touched = touch_of(1, 2), broken = malformed_of(1, 3);
    memo.time = touched.time = broken.time = "1736932399";
    const auto report = to.process({memo, touched, broken});
    CHECK(report.ignored == 1);
    CHECK(report.unchanged == 1);
    CHECK(report.dead_lettered == 1);
    CHECK(report.expired == 0);
    CHECK(to.only_letter().why.code == errc::malformed);
}

TEST_CASE("without an age limit no record is too old") {
    rig to{{.max_age = std::nullopt}};
    auto old = edit_of(1, 1);
    old.time = "1";
    CHECK(to.process({old}).changed == 1);
}

TEST_CASE("an old record that the dead-letter queue does not take has failed, and is not counted as expired") {
    rig to;
    auto old = edit_of(1, 1);
    old.time = "1736932399";
    to.script.next("dead.send", {fault::before()});
    const auto report = to.process({old, edit_of(1, 2)});
    CHECK(report.failed == 1);
    CHECK(report.held == 1);
    CHECK(report.expired == 0);
    CHECK(to.script.count("parts.send") == 0);
}

TEST_CASE("dead letters larger than their queue takes are told of, without their bytes") {
    support::part_queues stored;
    support::plain_queue small{stored.clock, {.name = "dead", .limits = {.message_bytes = 1'024}}};
    freshet::processor processor{support::part_translator{support::part_options()},
                                 freshet::queues_by_name<support::test_queue>{{"parts", &stored.parts}}, small,
                                 stored.clock};
    auto large = malformed_of(1, 1);
    large.event_id = support::quoted(std::string(5'000, 'e'));
    CHECK(processor.process(support::event_of(records{large})).dead_lettered == 1);
    const auto letter = *freshet::parse_dead_letter(emptied(small).at(0).body);
    CHECK_FALSE(letter.complete);
    CHECK(letter.sequence == "1");
    CHECK_FALSE(processor.reprocess(letter).ok());
}

TEST_CASE("a record that a dead letter holds is processed again, and not dead-lettered another time") {
    rig to;
    to.script.next("parts.send", {fault::refuse({0}, errc::malformed, false)});
    CHECK(to.process({edit_of(1, 1)}).dead_lettered == 1);
    const auto letter = to.only_letter();
    to.script.next("parts.send", {fault::refuse({0}, errc::malformed, false)});
    CHECK(to.processor.reprocess(letter).why().code == errc::malformed);
    CHECK(to.processor.reprocess(letter).ok());
    CHECK(sequences(to.stored_parts) == "1");
    CHECK(to.letters().empty());

    CHECK(to.process({malformed_of(1, 2)}).dead_lettered == 1);
    CHECK(to.processor.reprocess(to.only_letter()).why().code == errc::malformed);
    CHECK(to.letters().empty());
}

TEST_CASE("a letter without its bytes, or with those of no record or of several, cannot be processed again") {
    rig to;
    const auto good = to_json(edit_of(1, 1));
    for (const auto& bytes : {std::string{}, std::string{" "}, good + "," + good, good + "],\"x\":[" + good}) {
        dead_letter letter{.origin = "stream", .id = "e1", .sequence = "1", .group = "g", .why = {}, .bytes = bytes};
        CHECK_FALSE(to.processor.reprocess(letter).ok());
    }
    dead_letter letter{.origin = "stream",
                       .id = "e1",
                       .sequence = "1",
                       .group = "g",
                       .why = {},
                       .bytes = to_json(edit_of(1, 1)),
                       .complete = false};
    CHECK(to.processor.reprocess(letter).why().code == errc::denied);
    CHECK(emptied(to.stored_parts).empty());
}

TEST_CASE("there is no time left for the letters of a parked group: they are answered for, and follow later") {
    auto options = once();
    options.after = after_dead_letter::park;
    rig to{options};
    to.script.next("parts.send", {fault::refuse({0}, errc::malformed, false)});
    to.script.next("dead.send", {fault::meanwhile([&] { to.clock.advance(1min); })});
    const auto report = to.process(edits(6, 2), deadline::in(30s, to.clock.now()));
    CHECK(report.dead_lettered == 1);
    CHECK(report.untried == 4);
    CHECK(report.changed == 1);
    CHECK(response_of(report) == "102");
    CHECK(to.process(edits(6, 2)).dead_lettered == 3);
}

TEST_CASE("a record that one queue refused and another has yet to take stays failed, with one letter") {
    rig to{once()};
    to.script.always("parts.send", fault::refuse({0}, errc::malformed, false));
    to.script.always("others.send", fault::before());
    for (int delivery = 0; delivery < 3; ++delivery) {
        const auto report = to.process({edit_of(1, 1, "PAIR")});
        CHECK(report.failed == 1);
        CHECK(response_of(report) == "1");
        to.clock.advance(10min); // a letter that was sent again would not be known by now
    }
    to.script.heal("others.send");
    CHECK(response_of(to.process({edit_of(1, 1, "PAIR")})) == "nothing");
    CHECK(sequences(to.stored_others) == "1");
    CHECK(to.letters().size() == 1);
}

TEST_CASE("a letter does not overtake what is before it in its group, nor does its group's parking") {
    auto options = once();
    options.after = after_dead_letter::park;
    rig to{options};
    const std::vector batch{edit_of(1, 1), edit_of(1, 2), malformed_of(1, 3), edit_of(1, 4)};
    to.script.next("parts.send", {fault::before()});
    const auto down = to.process(batch);
    CHECK(down.failed == 1);
    CHECK(down.held == 3);
    CHECK(to.letters().empty());
    const auto up = to.process(batch);
    CHECK(up.changed == 2);
    CHECK(up.dead_lettered == 2);
    CHECK(to.process(batch).changed == 2); // delivered again from the start: before the parked one, as before
    CHECK(sequences(to.stored_parts) == "1 2");
    std::string order;
    for (const auto& letter : to.letters()) { order += letter.sequence + ' '; }
    CHECK(order == "3 4 ");
}

TEST_CASE("no letter is begun when the time is up, whatever makes it") {
    auto options = once();
    options.sending.retries.retries = 0;
    options.retries = 0;
    rig to{options};
    to.script.always("dead.send", fault::meanwhile([&] { to.clock.advance(1s); }));
    to.script.always("parts.send", fault::refuse({0}, errc::malformed, false));
    const auto begun = to.clock.now();
    const auto report = to.process(edits(50, 1), deadline::in(10s, begun));
    CHECK(to.clock.now() - begun <= 11s);
    CHECK(report.dead_lettered >= 9);
    CHECK(report.records() == 50);
    CHECK_FALSE(report.response.success());
}
