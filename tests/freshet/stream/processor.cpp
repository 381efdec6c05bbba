#include <freshet/stream/processor.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/observe.hpp>
#include <freshet/stream/queue_id.hpp>
#include <freshet/testing/fault.hpp>
#include <support/allocations.hpp>
#include <support/cases.hpp>
#include <support/part_stream.hpp>

namespace {

using freshet::after_dead_letter;
using freshet::batch_report;
using freshet::batch_response;
using freshet::dead_letter;
using freshet::deadline;
using freshet::duration;
using freshet::errc;
using freshet::error;
using freshet::processor_options;
using freshet::result;
using freshet::testing::fault;
using support::change_of;
using support::edit_of;
using support::emptied;
using support::keyless_of;
using support::malformed_of;
using support::record_text;
using support::sequences;
using support::to_json;
using support::touch_of;
using namespace std::chrono_literals;
using records = std::vector<record_text>;
using lines = std::vector<std::string>;

struct recorder {
    lines* told;
    void on(const freshet::record_failed& event) {
        told->push_back("failed " + std::string{event.sequence} + " attempts " + std::to_string(event.attempts));
    }
    void on(const freshet::record_dead_lettered& event) {
        told->push_back("dead " + event.letter.sequence + " attempts " + std::to_string(event.letter.attempts));
    }
    void on(const freshet::batch_processed& event) {
        told->push_back("batch of " + std::to_string(event.report.records()));
    }
};

/// A processor of parts in front of queues in which things go wrong.
struct rig : support::part_queues {
    using processor_type = freshet::processor<support::part_translator, support::test_queue, support::test_queue,
                                              freshet::testing::manual_clock, recorder>;
    lines told{};
    processor_type processor;

    explicit rig(processor_options options = {},
                 freshet::record_translator_options<support::part_registry> translation = support::part_options())
        : processor{support::part_translator{std::move(translation)}, {{"parts", &parts}, {"others", &others}}, dead, clock,
                    options, recorder{&told}} {}

    auto process(const records& batch, deadline until = deadline::never(), std::stop_token stop = {}) -> batch_report {
        return processor.process(support::event_of(batch), until, std::move(stop));
    }
    auto process_changes(const std::vector<support::bare_change>& changes, deadline until = deadline::never())
        -> batch_report {
        return processor.process(std::span{changes}, until);
    }
    /// What is in the dead-letter queue; takes it out.
    auto letters() -> std::vector<dead_letter> {
        std::vector<dead_letter> all;
        for (const auto& message : emptied(stored_letters)) {
            auto read = freshet::parse_dead_letter(message.body);
            REQUIRE(read.ok());
            all.push_back(*std::move(read));
        }
        return all;
    }
    auto only_letter() -> dead_letter {
        auto all = letters();
        REQUIRE(all.size() == 1);
        return all.front();
    }
};

/// Edits of that many parts, each of an item of its own, numbered from 100 on.
auto edits(std::size_t count, std::size_t items = 1'000) -> records {
    records all;
    for (std::size_t i = 0; i < count; ++i) { all.push_back(edit_of(static_cast<unsigned>(i % items), 100 + i)); }
    return all;
}

auto response_of(const batch_report& report) -> std::string {
    switch (report.response.again) {
        case batch_response::extent::nothing: return "nothing";
        case batch_response::extent::whole_batch: return "all";
        case batch_response::extent::from_checkpoint: break;
    }
    return std::string{report.response.checkpoint.view()};
}

/// Options with which a call tries each message once.
auto once() -> processor_options {
    processor_options options;
    options.sending.retries.retries = 0;
    return options;
}

/// What fails as a whole whenever one of its entries is about a poisoned record.
struct touchy_queue {
    support::plain_queue& stored;
    std::set<std::string, std::less<>> poison{};

    auto limits() const -> freshet::queue_limits { return stored.limits(); }
    auto send(std::span<const freshet::message_view> entries) -> result<std::vector<freshet::entry_refusal>> {
        for (const auto& entry : entries) {
            if (poison.contains(entry.sequence)) { return error{errc::unavailable, "touchy: cannot stomach it"}; }
        }
        return stored.send(entries);
    }
};

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

TEST_CASE("no record is nothing done, and all is well") {
    rig to;
    CHECK(response_of(to.process({})) == "nothing");
    CHECK(response_of(to.process_changes({})) == "nothing");
    CHECK(to.script.calls().empty());
}

TEST_CASE("ten entries with three refusals are counted seven and three") {
    rig to{once()};
    to.script.next({fault::refuse({2, 5, 7}, errc::unavailable, true)});
    const auto report = to.process(edits(10));
    CHECK(report.messages_sent == 7);
    CHECK(report.messages_failed == 3);
    CHECK(report.changed == 7);
    CHECK(report.failed == 3);
    CHECK(report.done_from_start == 2);
    CHECK(response_of(report) == "102");
    CHECK(report.why->code == errc::unavailable);
    CHECK(to.told == lines{"failed 102 attempts 1", "failed 105 attempts 1", "failed 107 attempts 1", "batch of 10"});
    CHECK(emptied(to.stored_parts).size() == 7);
}

TEST_CASE("refusals at every place of a request of ten: sent again, or dead-lettered where the sender is at fault") {
    for (std::size_t place = 0; place < 10; ++place) {
        for (const bool sender_fault : {false, true}) {
            CAPTURE(place);
            CAPTURE(sender_fault);
            rig to;
            to.script.next("parts.send", {fault::refuse({place}, errc::malformed, !sender_fault)});
            const auto report = to.process(edits(20, 10));
            CHECK(report.changed == (sender_fault ? 19U : 20U));
            CHECK(report.dead_lettered == (sender_fault ? 1U : 0U));
            CHECK(report.messages_sent == report.changed);
            CHECK(response_of(report) == "nothing");
            CHECK(emptied(to.stored_parts).size() == report.changed);
            if (!sender_fault) { continue; }
            const auto letter = to.only_letter();
            CHECK(letter.sequence == std::to_string(100 + place));
            CHECK(letter.why.code == errc::malformed);
            CHECK(letter.attempts == 1);
            CHECK(letter.bytes == to_json(edits(20, 10)[place]));
        }
    }
}

TEST_CASE("the server takes a request and the connection drops: the records are done, and stored once") {
    for (std::size_t stored = 0; stored <= 10; ++stored) {
        rig to;
        to.script.next({stored == 10 ? fault::after() : fault::partly(stored)});
        const auto report = to.process(edits(10));
        CHECK(report.changed == 10);
        CHECK(emptied(to.stored_parts).size() == 10);

        rig late{once()}; // no other try in this delivery
        late.script.at("parts.send", 1, fault::after());
        for (std::size_t call = 2; call < 30; ++call) { late.script.at("parts.send", call, fault::before()); }
        CHECK(late.process(edits(10)).failed == 10);
        late.script = {};
        CHECK(late.process(edits(10)).changed == 10);
        CHECK(emptied(late.stored_parts).size() == 10);
    }
}

TEST_CASE("a request that fails because of one entry: it is dead-lettered after its retries, its neighbours are sent") {
    for (std::size_t place = 0; place < 10; ++place) {
        CAPTURE(place);
        support::part_queues stored;
        touchy_queue queue{stored.stored_parts, {std::to_string(100 + place)}};
        lines told;
        freshet::processor processor{support::part_translator{support::part_options()},
                                     freshet::queues_by_name<touchy_queue>{{"parts", &queue}},
                                     stored.dead,
                                     stored.clock,
                                     {},
                                     recorder{&told}};
        const auto first_seen = stored.clock.now();
        const auto event = support::event_of(edits(20, 10));
        for (unsigned delivery = 1; delivery <= 3; ++delivery) {
            const auto report = processor.process(event);
            CHECK(report.changed == 18);
            CHECK(report.failed == 1);
            CHECK(report.held == 1);
            CHECK(response_of(report) == std::to_string(100 + place));
            stored.clock.advance(1s);
        }
        CHECK(emptied(stored.stored_parts).size() == 18);
        const auto report = processor.process(event);
        CHECK(report.dead_lettered == 1);
        CHECK(report.failed == 0);
        CHECK(report.untried == 1); // its group goes on in the next delivery
        CHECK(processor.process(event).done_from_start == place + 0); // dead-lettered records are not remembered …
        const auto letters = emptied(stored.stored_letters);
        REQUIRE(letters.size() == 1);
        const auto letter = *freshet::parse_dead_letter(letters[0].body);
        CHECK(letter.sequence == std::to_string(100 + place));
        CHECK(letter.attempts == 4);
        CHECK(letter.first_seen >= first_seen);
        CHECK(letter.first_seen < first_seen + 1s);
        CHECK(letter.why == error{errc::unavailable, "touchy: cannot stomach it"});
    }
}

TEST_CASE("a queue that is down dead-letters nothing and loses nothing") {
    rig to{{.retries = 0}};
    const auto batch = edits(100, 30);
    for (const auto& what : {fault::before(), fault::before(errc::throttled), fault::before(errc::denied), fault::after()}) {
        to.script.always("parts.send", what);
        for (int delivery = 0; delivery < 10; ++delivery) {
            const auto report = to.process(batch);
            CHECK(report.changed + report.dead_lettered == 0);
            CHECK(report.failed + report.held + report.untried == 100);
            CHECK(response_of(report) == "100");
            CHECK(report.why->code == what.code);
        }
    }
    to.script.heal("parts.send");
    CHECK(to.process(batch).changed == 100);
    CHECK(emptied(to.stored_letters).empty());
    std::map<std::string, std::size_t> last;
    std::set<std::string> seen;
    for (const auto& message : emptied(to.stored_parts)) {
        if (!seen.insert(message.sequence).second) { continue; }
        const auto number = static_cast<std::size_t>(std::stoul(message.sequence));
        CHECK(last[message.group_id] < number);
        last[message.group_id] = number;
    }
    CHECK(seen.size() == 100);
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
    const std::string bytes = "{ \"eventName\" : \"UPS\\u0045RT\",\r\n\t\"eventID\":\"caf\xc3\xa9\", \"x\": [1.50e0 , \"\\ud83e\\uddfe\"] }";
    rig to;
    const auto report = to.processor.process("{\"Records\":[ " + bytes + " ]}");
    CHECK(report.dead_lettered == 1);
    const auto letter = to.only_letter();
    CHECK(letter.bytes == bytes);
    CHECK(letter.group == "unknown");
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

TEST_CASE("a queue that asks to go slower is no record's fault, though it says so of each entry") {
    auto options = once();
    options.retries = 0;
    rig to{options};
    to.script.always("parts.send", fault::refuse({0, 1, 2}, errc::throttled, true));
    for (int delivery = 0; delivery < 5; ++delivery) { CHECK(to.process(edits(3)).failed == 3); }
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
    const records batch{edit_of(1, 1), keyless_of(2), edit_of(2, 3), malformed_of(3, 4), edit_of(1, 5, "MEMO"), touch_of(1, 6)};
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
    CHECK(letters[0].group == "unknown");
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

TEST_CASE("a failed record without a readable number answers with the nearest earlier one, else the whole batch fails") {
    rig to;
    to.script.always("dead.send", fault::before());
    auto nameless = malformed_of(2, 2);
    nameless.sequence = {};
    CHECK(response_of(to.process({edit_of(1, 1), nameless, edit_of(3, 3)})) == "1");
    CHECK(response_of(to.process({nameless, edit_of(3, 3)})) == "all");
    to.script.heal("dead.send");
    CHECK(response_of(to.process({nameless, edit_of(3, 3)})) == "nothing");
    CHECK(to.only_letter().id == "e2");
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
    CHECK(to.processor.parked() == std::set<std::string, std::less<>>{"parts\nITEM#1"});
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

TEST_CASE("a group is parked where a queue refuses for good, or its record's retries are used up, in that very delivery") {
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

TEST_CASE("no time is left: every record is answered for, and none was begun") {
    for (const auto left : {0ms, 1ms, 499ms, 500ms}) {
        rig to;
        const auto report = to.process(edits(20), deadline::in(left, to.clock.now()));
        CHECK(report.untried == 20);
        CHECK(report.records() == 20);
        CHECK(response_of(report) == "100");
        CHECK(to.script.calls().empty());
    }
    rig to;
    CHECK(to.process(edits(20), deadline::in(501ms, to.clock.now())).changed == 20);
    CHECK(to.process(edits(20), deadline::at(to.clock.now() - 1h)).untried == 20);
}

TEST_CASE("time runs out within sending: what was sent is done, the rest is answered for, and nothing is half reported") {
    for (std::size_t request = 1; request <= 4; ++request) {
        CAPTURE(request);
        rig to;
        to.script.at("parts.send", request, fault::meanwhile([&] { to.clock.advance(1min); }));
        const auto report = to.process(edits(40), deadline::in(30s, to.clock.now()));
        CHECK(report.changed == 10 * request);
        CHECK(report.untried == 40 - 10 * request);
        CHECK(report.failed == 0);
        CHECK(report.done_from_start == report.changed);
        CHECK(report.messages_sent == report.changed);
        CHECK(response_of(report) == (request == 4 ? "nothing" : std::to_string(100 + 10 * request)));
        CHECK(emptied(to.stored_parts).size() == report.changed);
    }
}

TEST_CASE("a record of two messages of which one was sent when time ran out is not done") {
    rig to;
    // `others` comes first; then there is no time for `parts`
    to.script.next("others.send", {fault::meanwhile([&] { to.clock.advance(1min); })});
    const auto report = to.process({edit_of(1, 1, "PAIR"), edit_of(2, 2, "PAIR")}, deadline::in(30s, to.clock.now()));
    CHECK(report.changed == 0);
    CHECK(report.untried == 2);
    CHECK(report.messages_sent == 2);
    CHECK(report.messages_failed == 2);
    CHECK(response_of(report) == "1");
    CHECK(to.process({edit_of(1, 1, "PAIR"), edit_of(2, 2, "PAIR")}).changed == 2);
    CHECK(sequences(to.stored_parts) == "1 2");
    CHECK(sequences(to.stored_others) == "1 2");
}

TEST_CASE("a slow dead-letter queue does not eat the time that is kept for answering") {
    for (const bool changes : {false, true}) {
        rig to;
        to.script.always("dead.send", fault::meanwhile([&] { to.clock.advance(300ms); }));
        records batch;
        std::vector<support::bare_change> texts;
        for (std::size_t i = 0; i < 50; ++i) {
            batch.push_back(malformed_of(static_cast<unsigned>(i), 100 + i));
            texts.push_back(change_of(to_json(batch.back()), 100 + i));
        }
        const auto until = deadline::in(3s, to.clock.now());
        const auto report = changes ? to.process_changes(texts, until) : to.process(batch, until);
        CHECK_FALSE(until.passed(to.clock.now()));
        CHECK(report.dead_lettered == 9);
        CHECK(report.untried == 41);
        CHECK(response_of(report) == "109");
    }
}

TEST_CASE("the time that is kept for answering can be chosen") {
    rig to{{.reserve = 10s}};
    CHECK(to.process(edits(3), deadline::in(10s, to.clock.now())).untried == 3);
    CHECK(to.process(edits(3), deadline::in(11s, to.clock.now())).changed == 3);
}

TEST_CASE("after a stop the rest is answered for") {
    std::stop_source stop;
    rig to;
    to.script.at("parts.send", 2, fault::meanwhile([&] { stop.request_stop(); }));
    const auto report = to.process(edits(40), deadline::never(), stop.get_token());
    CHECK(report.changed == 20);
    CHECK(report.untried == 20);
    CHECK(response_of(report) == "120");
    CHECK(to.process(edits(40), deadline::never(), stop.get_token()).untried == 40);
}

TEST_CASE("everything fails: the batch is delivered again from its first record") {
    rig to;
    to.script.always("parts.send", fault::before());
    to.script.always("dead.send", fault::before());
    const auto report = to.process({malformed_of(1, 1), edit_of(2, 2), keyless_of(3), edit_of(4, 4)});
    CHECK(report.failed == 3);
    CHECK(report.held == 1);
    CHECK(report.done_from_start == 0);
    CHECK(response_of(report) == "1");
}

TEST_CASE("an event that cannot be taken apart fails as a whole, and nothing is sent") {
    rig to;
    const auto event = support::event_of(edits(3));
    for (const auto& text : {std::string{}, std::string{"[]"}, std::string{"{}"}, event.substr(0, event.size() - 1), event + "x",
                             std::string{R"({"Records":{}})"}, std::string{"\xff"}}) {
        const auto report = to.processor.process(text);
        CHECK(response_of(report) == "all");
        CHECK(report.why->code == errc::malformed);
        CHECK(report.records() == 0);
    }
    CHECK(to.script.calls().empty());
    CHECK(to.told.size() == 7);
}

TEST_CASE("a change whose record spoils the event that it is put into fails alone, with its bytes as they came") {
    using namespace std::string_literals;
    const auto good = to_json(edit_of(9, 50));
    for (const auto& spoiler :
         {"{"s, "}"s, "]"s, ""s, " "s, "\x01"s, "\xff\xfe"s, "\0"s, "{\"a\":\"\n\"}"s, "nul"s, ","s, "]}"s, "\"\\ud800\""s,
          good + "," + good, good + good, good.substr(0, good.size() - 1), good + "],\"x\":[" + good,
          good + "],\"Records\":[" + good, "{}],\"x\":[{}"s}) {
        CAPTURE(spoiler);
        for (std::size_t place = 0; place < 4; ++place) {
            rig to;
            std::vector<support::bare_change> changes;
            for (std::size_t i = 0; i < 4; ++i) {
                changes.push_back(change_of(i == place ? spoiler : to_json(edit_of(1, 100 + i)), 100 + i));
            }
            const auto report = to.process_changes(changes);
            CHECK(report.changed == 3);
            CHECK(report.dead_lettered == 1);
            CHECK(report.records() == 4);
            CHECK(report.done_from_start == 4);
            CHECK(response_of(report) == "nothing");
            CHECK(emptied(to.stored_parts).size() == 3);
            const auto letter = to.only_letter();
            CHECK(letter.bytes == spoiler);
            CHECK(letter.sequence == std::to_string(100 + place));
            CHECK(letter.why.code == errc::malformed);
        }
    }
}

TEST_CASE("two changes whose records are only together two records are two dead letters") {
    rig to;
    const auto one = to_json(edit_of(1, 1)), two = to_json(edit_of(2, 2));
    const auto cut = one + "," + two.substr(0, 20), rest = two.substr(20); // with the comma between them: broken
    CHECK(to.process_changes({change_of(cut, 1), change_of(rest, 2)}).dead_lettered == 2);
    CHECK(to.letters().size() == 2);

    const auto at = two.find(",\"dynamodb\"");
    REQUIRE(at != std::string::npos); // with the comma between them: whole
    CHECK(to.process_changes({change_of(one + "," + two.substr(0, at), 1), change_of(two.substr(at + 1), 2)}).dead_lettered == 2);
    const auto letters = to.letters();
    REQUIRE(letters.size() == 2);
    CHECK(letters[0].bytes == one + "," + two.substr(0, at));
    CHECK(emptied(to.stored_parts).empty());
}

TEST_CASE("blanks around a change's record are no fault") {
    rig to;
    CHECK(to.process_changes({change_of("\n " + to_json(edit_of(1, 1)) + " \r\n\t", 1), change_of(to_json(edit_of(1, 2)), 2)}).changed == 2);
}

TEST_CASE("the dead-letter queue is down: a change that cannot be read holds all behind it") {
    rig to;
    const std::vector changes{change_of(to_json(edit_of(1, 1)), 1), change_of("{", 2), change_of(to_json(edit_of(2, 3)), 3),
                              change_of("}", 4)};
    to.script.always("dead.send", fault::before());
    for (int delivery = 0; delivery < 3; ++delivery) {
        const auto report = to.process_changes(changes);
        CHECK(report.changed == 1);
        CHECK(report.failed == 1);
        CHECK(report.untried == 2);
        CHECK(report.done_from_start == 1);
        CHECK(response_of(report) == "2");
    }
    to.script.heal("dead.send");
    to.clock.advance(1min);
    CHECK(response_of(to.process_changes(changes)) == "nothing");
    CHECK(sequences(to.stored_parts) == "1 3");
    const auto letters = to.letters();
    REQUIRE(letters.size() == 2);
    CHECK(letters[0].first_seen == to.clock.now() - 1min);
    CHECK(letters[1].first_seen == to.clock.now());
}

TEST_CASE("beside a change that cannot be read, a failing one stops the rest and keeps its attempts") {
    auto options = once();
    options.retries = 1;
    rig to{options};
    const std::vector changes{change_of(to_json(edit_of(1, 1)), 1), change_of("{", 2), change_of(to_json(edit_of(3, 3)), 3)};
    to.script.always("parts.send", fault::refuse({0}, errc::unavailable, true));
    const auto report = to.process_changes(changes);
    CHECK(report.failed == 1);
    CHECK(report.untried == 2);
    CHECK(response_of(report) == "1");
    CHECK(to.process_changes(changes).dead_lettered == 2);
}

TEST_CASE("dead letters larger than their queue takes are told of, without their bytes") {
    support::part_queues stored;
    support::plain_queue small{stored.clock, {.name = "dead", .limits = {.message_bytes = 1'024}}};
    freshet::processor processor{support::part_translator{support::part_options()},
                                 freshet::queues_by_name<support::test_queue>{{"parts", &stored.parts}}, small, stored.clock};
    auto large = malformed_of(1, 1);
    large.event_id = support::quoted(std::string(5'000, 'e'));
    CHECK(processor.process(support::event_of(records{large})).dead_lettered == 1);
    const auto letter = *freshet::parse_dead_letter(emptied(small).at(0).body);
    CHECK_FALSE(letter.complete);
    CHECK(letter.sequence == "1");
    CHECK_FALSE(processor.reprocess(letter).ok());
}

TEST_CASE("one of two queues refuses a record's message: the record is dead-lettered, and the other has its message") {
    rig to;
    to.script.next("others.send", {fault::refuse({0}, errc::malformed, false)});
    const auto report = to.process({edit_of(1, 1, "PAIR"), edit_of(1, 2)});
    CHECK(report.dead_lettered == 1);
    CHECK(report.changed == 1);
    CHECK(response_of(report) == "nothing");
    CHECK(sequences(to.stored_parts) == "1 2");
    CHECK(emptied(to.stored_others).empty());
    CHECK(to.letters().size() == 1);

    to.script.next("others.send", {fault::refuse({0}, errc::malformed, false)});
    to.script.next("parts.send", {fault::refuse({0}, errc::malformed, false)});
    CHECK(to.process({edit_of(1, 3, "PAIR")}).dead_lettered == 1);
    CHECK(to.script.count("dead.send") == 2);
}

TEST_CASE("one of two queues is down: the record has failed, and the other queue gets its message once") {
    rig to{once()};
    to.script.always("others.send", fault::before());
    const records batch{edit_of(1, 1, "PAIR"), edit_of(1, 2), edit_of(2, 3)};
    const auto report = to.process(batch);
    CHECK(report.failed == 1);
    CHECK(report.changed == 2);
    CHECK(response_of(report) == "1");
    to.script.heal("others.send");
    CHECK(to.process(batch).changed == 3);
    CHECK(sequences(to.stored_parts) == "1 2 3");
    CHECK(sequences(to.stored_others) == "1");
}

TEST_CASE("whatever a translator throws is that record's failure alone") {
    struct moody {
        support::part_translator translator{support::part_options()};
        auto translate(const freshet::stream_record& record, std::size_t i, freshet::message_batch& out)
            -> result<freshet::build_verdict> {
            auto made = translator.translate(record, i, out);
            if (record.event_id == "e2") { throw std::runtime_error{"not today"}; }
            if (record.event_id == "e4") { throw 42; }
            return made;
        }
        auto route(const freshet::image& keys) -> result<std::span<const freshet::destination>> {
            return translator.route(keys);
        }
    };
    support::part_queues stored;
    freshet::processor processor{moody{}, freshet::queues_by_name<support::test_queue>{{"parts", &stored.parts}}, stored.dead,
                                 stored.clock};
    const auto report = processor.process(
        support::event_of(records{edit_of(1, 1), edit_of(1, 2), edit_of(1, 3), edit_of(2, 4), edit_of(2, 5)}));
    CHECK(report.changed == 3);
    CHECK(report.dead_lettered == 2);
    CHECK(sequences(stored.stored_parts) == "1 3 5");
    const auto letters = emptied(stored.stored_letters);
    REQUIRE(letters.size() == 2);
    CHECK(freshet::parse_dead_letter(letters[0].body)->why == error{errc::failed, "not today"});
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
    dead_letter letter{.origin = "stream", .id = "e1", .sequence = "1", .group = "g", .why = {}, .bytes = to_json(edit_of(1, 1)), .complete = false};
    CHECK(to.processor.reprocess(letter).why().code == errc::denied);
    CHECK(emptied(to.stored_parts).empty());
}

namespace {

/// A stream of changes, some of them bad, and what has to come of it.
struct story {
    records told{};
    std::map<std::string, lines> by_queue_and_group{}; ///< the sequence numbers that have to arrive, in their order
    std::set<std::string> dead{};                      ///< the bytes that have to be dead-lettered

    story(std::mt19937_64& random, std::size_t count) {
        const auto below = [&](std::size_t n) { return static_cast<unsigned>(random() % n); };
        const auto items = 1 + below(10);
        for (std::size_t i = 0; i < count; ++i) {
            const auto item = below(items);
            const auto sequence = 100 + i;
            const auto group = "ITEM#" + std::to_string(item);
            switch (below(12)) {
                case 0: told.push_back(touch_of(item, sequence)); break;
                case 1: told.push_back(edit_of(item, sequence, "MEMO")); break;
                case 2: told.push_back(malformed_of(item, sequence)); break;
                case 3: told.push_back(keyless_of(sequence)); break;
                case 4: {
                    told.push_back(edit_of(item, sequence, "PAIR"));
                    by_queue_and_group["parts " + group].push_back(std::to_string(sequence));
                    by_queue_and_group["others " + group].push_back(std::to_string(sequence));
                    continue;
                }
                case 5: {
                    told.push_back(malformed_of(item, sequence));
                    told.back().sequence = below(2) == 0 ? "" : "\"12x\"";
                    break;
                }
                default: {
                    told.push_back(edit_of(item, sequence));
                    by_queue_and_group["parts " + group].push_back(std::to_string(sequence));
                    continue;
                }
            }
            const auto& last = told.back();
            if (last.event == "UPSERT" || last.keys.find("SK") == std::string::npos) { dead.insert(to_json(last)); }
        }
    }
};

void everything_goes_wrong(rig& to, std::mt19937_64& random) {
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    std::vector<fault> wrong{fault::before(),
                             fault::after(),
                             fault::before(errc::throttled),
                             fault::partly(1 + below(9)),
                             fault::refuse({0}, errc::unavailable, true),
                             fault::refuse({below(10), below(10)}, errc::throttled, true),
                             fault::meanwhile([&to] { to.clock.advance(400ms); })};
    to.script.by_chance(0.1 * static_cast<double>(below(6)), random(), wrong);
}

void check_story(rig& to, const story& wanted) {
    std::map<std::string, lines> arrived;
    for (auto& [name, queue] : {std::pair{"parts ", &to.stored_parts}, std::pair{"others ", &to.stored_others}}) {
        for (const auto& message : emptied(*queue)) {
            auto& group = arrived[name + message.group_id];
            if (std::find(group.begin(), group.end(), message.sequence) == group.end()) { group.push_back(message.sequence); }
        }
    }
    CHECK(arrived == wanted.by_queue_and_group);
    std::set<std::string> dead;
    for (const auto& letter : to.letters()) {
        CHECK(letter.why.code == errc::malformed);
        dead.insert(letter.bytes);
    }
    CHECK(dead == wanted.dead);
}

} // namespace

TEST_CASE("whatever fails, in the end each good record's messages are there, in order per group, and the bad ones are dead letters") {
    const auto seed = support::seed();
    CAPTURE(seed);
    for (std::uint64_t n = 0; n < support::cases(250); ++n) {
        CAPTURE(n);
        std::mt19937_64 random{seed + n};
        const story wanted{random, 1 + random() % 60};
        rig to{{.retries = 100'000, .sending = {.retries = {.retries = static_cast<unsigned>(random() % 4)}}}};
        everything_goes_wrong(to, random);
        std::size_t at = 0, deliveries = 0;
        while (at < wanted.told.size()) {
            REQUIRE(++deliveries < 10'000);
            const auto size = std::min<std::size_t>(1 + random() % 40, wanted.told.size() - at);
            const auto begin = wanted.told.begin() + static_cast<std::ptrdiff_t>(at);
            const records batch{begin, begin + static_cast<std::ptrdiff_t>(size)};
            const auto until = random() % 3 == 0 ? deadline::in(std::chrono::milliseconds{random() % 3'000}, to.clock.now())
                                                 : deadline::never();
            const auto report = to.process(batch, until);
            CHECK(report.records() == size);
            CHECK(report.done_from_start <= size);
            to.clock.advance(std::chrono::seconds{random() % 4 == 0 ? random() % 400 : 1});
            switch (report.response.again) {
                case batch_response::extent::nothing:
                    CHECK(report.done_from_start == size);
                    at += size;
                    break;
                case batch_response::extent::whole_batch: break;
                case batch_response::extent::from_checkpoint: {
                    const auto checkpoint = support::quoted(report.response.checkpoint.view());
                    const auto found = std::find_if(batch.begin(), batch.end(),
                                                    [&](const auto& record) { return record.sequence == checkpoint; });
                    REQUIRE(found != batch.end());
                    CHECK(static_cast<std::size_t>(found - batch.begin()) <= report.done_from_start);
                    at += static_cast<std::size_t>(found - batch.begin());
                    break;
                }
            }
        }
        check_story(to, wanted);
    }
}

TEST_CASE("the same of changes of a stream, some of which are no records at all") {
    const auto seed = support::seed();
    CAPTURE(seed);
    for (std::uint64_t n = 0; n < support::cases(250); ++n) {
        CAPTURE(n);
        std::mt19937_64 random{seed + n};
        story wanted{random, 1 + random() % 60};
        std::vector<support::bare_change> changes;
        for (std::size_t i = 0; i < wanted.told.size(); ++i) {
            changes.push_back(change_of(to_json(wanted.told[i]), 100 + i));
            if (random() % 40 == 0) {
                changes.push_back(change_of((random() % 2 == 0 ? "{" : "}") + std::to_string(i), 100 + i));
                wanted.dead.insert(changes.back().record);
            }
        }
        rig to{{.retries = 100'000, .sending = {.retries = {.retries = static_cast<unsigned>(random() % 4)}}}};
        everything_goes_wrong(to, random);
        std::size_t at = 0, deliveries = 0;
        while (at < changes.size()) {
            REQUIRE(++deliveries < 10'000);
            const auto batch = std::span<const support::bare_change>{changes}.subspan(at, std::min<std::size_t>(1 + random() % 40, changes.size() - at));
            const auto report = to.processor.process(batch);
            CHECK(report.records() == batch.size());
            CHECK(report.response.success() == (report.done_from_start == batch.size()));
            at += report.done_from_start;
            to.clock.advance(std::chrono::seconds{random() % 4 == 0 ? random() % 400 : 1});
        }
        check_story(to, wanted);
    }
}

TEST_CASE("steady work asks for the same memory in every batch, and for none for a record that makes no message") {
    rig to;
    const auto asked_for = [&](const std::string& event) {
        static_cast<void>(to.processor.process(event));
        to.told.clear();
        to.told.reserve(8);
        const auto before = support::allocations.load();
        static_cast<void>(to.processor.process(event));
        return support::allocations.load() - before;
    };
    const auto touches = [](std::size_t count) {
        records all;
        for (std::size_t i = 0; i < count; ++i) { all.push_back(touch_of(static_cast<unsigned>(i), 100 + i)); }
        return support::event_of(all);
    };
    const auto few = asked_for(touches(10));
    CHECK(asked_for(touches(1'000)) == few);
    CHECK(asked_for(touches(10)) == few);

    // Messages that are there already: the queue keeps nothing, so what is counted is the way to it.
    const auto some = support::event_of(edits(100));
    const auto first = asked_for(some);
    for (int i = 0; i < 50; ++i) { static_cast<void>(asked_for(some)); }
    CHECK(asked_for(some) == first);
    const auto more = asked_for(support::event_of(edits(1'000)));
    CHECK(more <= 11 * first);
}
