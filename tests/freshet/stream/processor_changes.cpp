#include <freshet/stream/processor.hpp>

#include <chrono>
#include <cstddef>
#include <span>
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
using freshet::testing::fault;
using support::change_of;
using support::edit_of;
using support::emptied;
using support::once;
using support::response_of;
using support::sequences;
using support::to_json;
using rig = support::processor_rig;
using namespace std::chrono_literals;
using records = std::vector<support::record_text>;

} // namespace

TEST_CASE("a change whose record spoils the event that it is put into fails alone, with its bytes as they came") {
    using namespace std::string_literals;
    const auto good = to_json(edit_of(9, 50));
    for (const auto& spoiler :
         {"{"s, "}"s, "]"s, ""s, " "s, "\x01"s, "\xff\xfe"s, "\0"s, "{\"a\":\"\n\"}"s, "nul"s, ","s, "]}"s,
          "\"\\ud800\""s, good + "," + good, good + good, good.substr(0, good.size() - 1), good + "],\"x\":[" + good,
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
    CHECK(to.process_changes({change_of(one + "," + two.substr(0, at), 1), change_of(two.substr(at + 1), 2)})
              .dead_lettered == 2);
    const auto letters = to.letters();
    REQUIRE(letters.size() == 2);
    CHECK(letters[0].bytes == one + "," + two.substr(0, at));
    CHECK(emptied(to.stored_parts).empty());
}

TEST_CASE("blanks around a change's record are no fault") {
    rig to;
    CHECK(to.process_changes(
                {change_of("\n " + to_json(edit_of(1, 1)) + " \r\n\t", 1), change_of(to_json(edit_of(1, 2)), 2)})
              .changed == 2);
}

TEST_CASE("the dead-letter queue is down: a change that cannot be read holds all behind it") {
    rig to;
    const std::vector changes{change_of(to_json(edit_of(1, 1)), 1), change_of("{", 2),
                              change_of(to_json(edit_of(2, 3)), 3), change_of("}", 4)};
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
    const std::vector changes{change_of(to_json(edit_of(1, 1)), 1), change_of("{", 2),
                              change_of(to_json(edit_of(3, 3)), 3)};
    to.script.always("parts.send", fault::refuse({0}, errc::unavailable, true));
    const auto report = to.process_changes(changes);
    CHECK(report.failed == 1);
    CHECK(report.untried == 2);
    CHECK(response_of(report) == "1");
    CHECK(to.process_changes(changes).dead_lettered == 2);
}

TEST_CASE(
    "changes that cannot be read do not eat the time that is kept for answering, nor are they begun after a stop") {
    std::vector<support::bare_change> changes;
    for (std::size_t i = 0; i < 50; ++i) { changes.push_back(change_of("{" + std::to_string(i), 100 + i)); }
    rig to;
    to.script.always("dead.send", fault::meanwhile([&] { to.clock.advance(300ms); }));
    const auto until = deadline::in(3s, to.clock.now());
    const auto report = to.process_changes(changes, until);
    CHECK_FALSE(until.passed(to.clock.now()));
    CHECK(report.dead_lettered == 9);
    CHECK(report.untried == 41);
    CHECK(response_of(report) == "109");
    CHECK(to.told.back() == "batch of 50");
    CHECK(to.told.size() == 10);

    std::stop_source stop;
    stop.request_stop();
    const std::span<const support::bare_change> all{changes};
    CHECK(to.processor.process(all, deadline::never(), stop.get_token()).untried == 50);
}
