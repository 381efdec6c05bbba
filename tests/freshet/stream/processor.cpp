#include <freshet/stream/processor.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/testing/fault.hpp>
#include <support/part_processor.hpp>
#include <support/part_stream.hpp>

namespace {

using freshet::deadline;
using freshet::errc;
using freshet::error;
using freshet::result;
using freshet::testing::fault;
using support::change_of;
using support::edit_of;
using support::edits;
using support::emptied;
using support::keyless_of;
using support::malformed_of;
using support::once;
using support::response_of;
using support::sequences;
using support::to_json;
using support::touchy_queue;
using rig = support::processor_rig;
using namespace std::chrono_literals;
using records = std::vector<support::record_text>;
using lines = std::vector<std::string>;

} // namespace

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
                                     support::event_recorder{&told}};
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
        CHECK(report.untried == 1);                  // its group goes on in the next delivery
        CHECK(emptied(stored.stored_parts).empty()); // the neighbours were sent once, and swallowed since
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
    for (const auto& what :
         {fault::before(), fault::before(errc::throttled), fault::before(errc::denied), fault::after()}) {
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

TEST_CASE("the times that a queue was down are no attempts of the record") {
    rig to{once()};
    to.script.always("parts.send", fault::before());
    for (int delivery = 0; delivery < 5; ++delivery) { CHECK(to.process(edits(3)).failed == 3); }
    to.script.heal("parts.send");
    to.script.next("parts.send", {fault::refuse({0}, errc::unavailable, true)});
    to.told.clear();
    CHECK(to.process(edits(3)).failed == 1);
    CHECK(to.told.front() == "failed 100 attempts 1");
}

TEST_CASE("nothing is remembered of failed records that never come again") {
    rig to{once()};
    for (int round = 0; round < 2; ++round) {
        to.script.next("parts.send", {fault::refuse({0}, errc::unavailable, true)});
        to.told.clear();
        CHECK(to.process(edits(3)).failed == 1);
        CHECK(to.told.front() == "failed 100 attempts 1");
        CHECK(to.process({edit_of(1, 1)}).changed == 1); // a batch without it that is done as a whole
    }
}

TEST_CASE("a queue that asks to go slower is no record's fault, though it says so of each entry") {
    auto options = once();
    options.retries = 0;
    rig to{options};
    to.script.always("parts.send", fault::refuse({0, 1, 2}, errc::throttled, true));
    for (int delivery = 0; delivery < 5; ++delivery) { CHECK(to.process(edits(3)).failed == 3); }
    CHECK(to.letters().empty());
}

TEST_CASE(
    "a failed record without a readable number answers with the nearest earlier one, else the whole batch fails") {
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

TEST_CASE(
    "time runs out within sending: what was sent is done, the rest is answered for, and nothing is half reported") {
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
    for (const auto& text : {std::string{}, std::string{"[]"}, std::string{"{}"}, event.substr(0, event.size() - 1),
                             event + "x", std::string{R"({"Records":{}})"}, std::string{"\xff"}}) {
        const auto report = to.processor.process(text);
        CHECK(response_of(report) == "all");
        CHECK(report.why->code == errc::malformed);
        CHECK(report.records() == 0);
    }
    CHECK(to.script.calls().empty());
    CHECK(to.told.size() == 7);
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
    freshet::processor processor{moody{}, freshet::queues_by_name<support::test_queue>{{"parts", &stored.parts}},
                                 stored.dead, stored.clock};
    const auto report = processor.process(
        support::event_of(records{edit_of(1, 1), edit_of(1, 2), edit_of(1, 3), edit_of(2, 4), edit_of(2, 5)}));
    CHECK(report.changed == 3);
    CHECK(report.dead_lettered == 2);
    CHECK(sequences(stored.stored_parts) == "1 3 5");
    const auto letters = emptied(stored.stored_letters);
    REQUIRE(letters.size() == 2);
    CHECK(freshet::parse_dead_letter(letters[0].body)->why == error{errc::failed, "not today"});
}
