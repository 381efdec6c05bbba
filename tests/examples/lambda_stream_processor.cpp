#include <lambda/stream_processor.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <adapters/memory/message_queue.hpp>
#include <freshet/letter/dead_letter.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <lambda/runtime.hpp>
#include <receipts/sample_events.hpp>
#include <stream_to_fifo/program.hpp>
#include <support/cases.hpp>
#include <support/lambda_runtime.hpp>
#include <support/scratch_directory.hpp>

namespace {

using clock_type = freshet::testing::manual_clock;
using queue = adapters::memory::message_queue<clock_type>;
using lambda::invocation;
using nlohmann::json;

const support::log quiet{static_cast<support::log_level>(99)};
const std::string success = R"({"batchItemFailures":[]})";

/// `queue group dedup body` of each message in a queue.
auto contents(queue& of, std::string_view name) -> std::vector<std::string> {
    std::vector<std::string> all;
    for (;;) {
        const auto some = of.receive({.limit = 10});
        REQUIRE(some.ok());
        if (some->empty()) { return all; }
        std::vector<std::string> receipts;
        for (const auto& each : *some) {
            all.push_back(std::string{name} + ' ' + each.group_id + ' ' + each.deduplication_id + ' ' + each.body);
            receipts.push_back(each.receipt);
        }
        REQUIRE(of.erase(receipts).ok());
    }
}

/// A stream processor over queues of its own.
struct rig {
    clock_type clock{};
    queue lines{clock, {.name = "lines"}};
    queue words{clock, {.name = "words"}};
    queue dead{clock, {.name = "dead"}};
    lambda::stream_processor<queue, clock_type> process;

    explicit rig(bool letters = true) : process{lines, words, letters ? &dead : nullptr, clock, {}, quiet} {}

    auto operator()(std::string event, freshet::deadline until = freshet::deadline::never(), std::stop_token stop = {})
        -> freshet::result<std::string> {
        return process({.request_id = "1", .deadline = until, .payload = std::move(event)}, std::move(stop));
    }
    auto messages() -> std::vector<std::string> {
        auto all = contents(lines, "lines");
        for (auto& each : contents(words, "words")) { all.push_back(std::move(each)); }
        return all;
    }
    auto letters() -> std::vector<freshet::dead_letter> {
        std::vector<freshet::dead_letter> all;
        const auto got = dead.receive({.limit = 10});
        REQUIRE(got.ok());
        for (const auto& each : *got) {
            auto read = freshet::parse_dead_letter(each.body);
            REQUIRE(read.ok());
            all.push_back(*std::move(read));
        }
        return all;
    }
};

/// A change of a word's label; `word` decides the group.
auto change(int word, int number) -> json {
    const auto sort = "RECEIPT#00001#LINE#00001#WORD#0000" + std::to_string(word) + "#LABEL#TOTAL";
    const auto image = [](const std::string& status) { return json{{"validation_status", {{"S", status}}}}; };
    return {{"eventID", "e" + std::to_string(number)},
            {"eventName", "MODIFY"},
            {"dynamodb",
             {{"Keys", {{"PK", {{"S", "IMAGE#550e8400-e29b-41d4-a716-446655440000"}}}, {"SK", {{"S", sort}}}}},
              {"OldImage", image("PENDING")},
              {"NewImage", image("VALID " + std::to_string(number))},
              {"ApproximateCreationDateTime", 1'736'936'000},
              {"SequenceNumber", std::to_string(number)}}}};
}

auto poisoned(json record) -> json {
    record["dynamodb"]["NewImage"]["odd"] = {{"Q", "?"}};
    return record;
}

auto event_of(const std::vector<json>& records) -> std::string { return json{{"Records", records}}.dump(); }

auto checkpoint(int number) -> std::string {
    return R"({"batchItemFailures":[{"itemIdentifier":")" + std::to_string(number) + R"("}]})";
}

/// A batch as it may come: mostly good, sometimes with poison, cut off, or not in time.
struct batch {
    std::string event;
    bool in_time{true};
};

auto batches(std::size_t count, std::mt19937_64& random) -> std::vector<batch> {
    std::vector<batch> all;
    for (int number = 1'000; all.size() != count;) {
        std::vector<json> records;
        for (auto left = random() % 8; left != 0; --left) {
            auto record = change(static_cast<int>(random() % 5), ++number);
            records.push_back(random() % 6 == 0 ? poisoned(std::move(record)) : std::move(record));
        }
        auto event = event_of(records);
        if (random() % 10 == 0) { event.resize(random() % event.size()); }
        all.push_back({std::move(event), random() % 20 != 0});
    }
    return all;
}

} // namespace

TEST_CASE("a record makes the messages that stream_to_fifo writes of it") {
    const auto events = receipts::sample_events{}.make(40);
    std::string input;
    rig there;
    for (const auto& event : events) {
        input += event + '\n';
        CHECK(there(event).value_or("") == success);
    }
    const support::scratch_directory scratch;
    stream_to_fifo::settings wanted;
    wanted.output = scratch.file("messages");
    wanted.level = static_cast<support::log_level>(99);
    std::istringstream in{input};
    REQUIRE(stream_to_fifo::run_on(wanted, in, "test") == 0);
    std::ifstream written{wanted.output};
    std::map<std::string, std::vector<std::string>> by_queue;
    for (std::string line; std::getline(written, line);) {
        const auto message = nlohmann::ordered_json::parse(line);
        const auto name = message["queue"].get<std::string>();
        const auto body = line.substr(line.find(R"(,"body":)") + 8);
        by_queue[name].push_back(name + ' ' + message["group"].get<std::string>() + ' ' +
                                 message["dedup"].get<std::string>() + ' ' + body.substr(0, body.size() - 1));
    }
    // what comes of several batches is in the order of each group, and of no group with another
    const auto sorted = [](std::vector<std::string> all) { return std::sort(all.begin(), all.end()), all; };
    const auto lines = sorted(contents(there.lines, "lines"));
    CHECK(lines.size() > 20);
    CHECK(lines == sorted(by_queue["lines"]));
    const auto words = sorted(contents(there.words, "words"));
    CHECK(words.size() > 40);
    CHECK(words == sorted(by_queue["words"]));
    CHECK(there.letters().empty());
}

TEST_CASE("through the runtime, responses and messages are those of the processor itself, thousands of times") {
    CAPTURE(support::seed());
    std::mt19937_64 random{support::seed()};
    const auto all = batches(support::cases(3'000), random);
    for (const bool letters : {true, false}) {
        CAPTURE(letters);
        rig direct{letters};
        receipts::change_processor<queue, clock_type> same{
            direct.lines, direct.words, letters ? &direct.dead : nullptr, direct.clock, {}, quiet};
        std::vector<std::string> expected; // empty: an error
        for (const auto& each : all) {
            const auto until = each.in_time ? freshet::deadline::never() : freshet::deadline::at({});
            const auto report = same.process(each.event, until);
            std::string response;
            if (report.records() != 0 || !report.why) { freshet::write_response(response, report.response); }
            expected.push_back(std::move(response));
        }

        support::lambda_runtime service;
        service.close_after_every(101);
        for (std::size_t i = 0; i != all.size(); ++i) {
            const auto* deadline = all[i].in_time ? "4102444800000" : "1";
            service.add({all[i].event, support::lambda_runtime::headers_of(std::to_string(i), deadline)});
        }
        rig served{letters};
        std::stop_source stop;
        const lambda::runtime_api api{service.address()};
        std::jthread runtime{[&] {
            const auto call = [&](const invocation& what, std::stop_token stopped) {
                return served.process(what, std::move(stopped));
            };
            CHECK(lambda::serve(api, call, stop.get_token(), quiet) == 0);
        }};
        const bool done = service.wait_for_answers(all.size());
        stop.request_stop();
        runtime.join();
        REQUIRE(done);

        const auto answers = service.answers();
        REQUIRE(answers.size() == all.size());
        std::size_t wrong = 0;
        std::size_t failures = 0;
        for (std::size_t i = 0; i != all.size(); ++i) {
            const bool error = expected[i].empty();
            failures += error ? 1 : 0;
            const bool good = answers[i].id == std::to_string(i) && answers[i].what == (error ? "error" : "response") &&
                              (error || answers[i].body == expected[i]);
            wrong += good ? 0 : 1;
        }
        CHECK(wrong == 0);
        CHECK(failures > 0);
        CHECK(failures < all.size() / 4);
        CHECK(served.messages() == direct.messages());
        CHECK(served.dead.size() == direct.dead.size());
        CHECK((served.dead.size() != 0) == letters);
    }
}

TEST_CASE("a poison record goes to the dead-letter queue as it came, and the batch is done") {
    rig there;
    const auto poison = poisoned(change(2, 102));
    CHECK(there(event_of({change(1, 101), poison, change(2, 103), change(3, 104)})).value_or("") == success);
    CHECK(there.messages().size() == 3);
    const auto letters = there.letters();
    REQUIRE(letters.size() == 1);
    CHECK(letters[0].id == "e102");
    CHECK(letters[0].bytes == poison.dump());
}

TEST_CASE("without a dead-letter queue a poison record is the checkpoint, each time; only its group waits for it") {
    rig there{false};
    const auto event = event_of({change(1, 101), poisoned(change(2, 102)), change(2, 103), change(3, 104)});
    for (int delivery = 0; delivery != 5; ++delivery) {
        CHECK(there(event).value_or("") == checkpoint(102));
    }
    CHECK(there.messages().size() == 2); // of words 1 and 3, once each
    CHECK(there(event_of({change(2, 103), change(3, 104)})).value_or("") == success); // the poison was discarded
    CHECK(there.messages().size() == 1);
}

TEST_CASE("old records are dead letters where somebody takes them, and are processed where nobody does") {
    for (const bool letters : {true, false}) {
        CAPTURE(letters);
        rig there{letters};
        there.clock.advance(std::chrono::hours{2});
        CHECK(there(event_of({change(1, 101)})).value_or("") == success);
        CHECK(there.messages().size() == (letters ? 0 : 1));
        CHECK(there.letters().size() == (letters ? 1 : 0));
    }
}

TEST_CASE("an event that is no list of records fails the invocation, and the next one is processed") {
    const auto good = event_of({change(1, 101)});
    const std::vector<std::string> malformed{
        "",
        "null",
        "[]",
        "not JSON",
        R"({"records":[]})",
        R"({"Records":{}})",
        R"({"Records":null})",
        good.substr(0, good.size() / 2),
        good.substr(0, good.size() - 1),
        good + std::string{'\0'},
        good + std::string{"\0junk", 5},
        std::string(6 * 1024 * 1024, '['),
        std::string(6 * 1024 * 1024, '\0'),
        R"({"Records":[)" + std::string(6 * 1024 * 1024, 'x'),
    };
    rig there;
    for (const auto& event : malformed) {
        CAPTURE(event.substr(0, 60));
        const auto answer = there(event);
        REQUIRE_FALSE(answer.ok());
        CHECK(answer.why().code == freshet::errc::malformed);
        CHECK(answer.why().note.find("event") == 0);
        CHECK(answer.why().note.size() < 500);
    }
    CHECK(there.messages().empty());
    CHECK(there.letters().empty());
    CHECK(there(good).value_or("") == success);
    CHECK(there.messages().size() == 1);
}

TEST_CASE("an event without records is done; one of 6 MB is as good as any") {
    rig there;
    CHECK(there(R"({"Records":[]})").value_or("") == success);
    std::vector<json> records;
    for (int i = 0; i != 60; ++i) {
        auto record = change(i % 5, 101 + i);
        record["dynamodb"]["NewImage"]["text"] = {{"S", std::string(100'000, 'x')}};
        records.push_back(std::move(record));
    }
    const auto event = event_of(records);
    CHECK(event.size() > 6'000'000);
    CHECK(there(event).value_or("") == success);
    CHECK(there.messages().size() == 60);
}

TEST_CASE("what there is no time for, and what a stop leaves, comes again: nothing is sent") {
    const auto event = event_of({change(1, 101), change(2, 102)});
    rig there;
    CHECK(there(event, freshet::deadline::at(there.clock.now())).value_or("") == checkpoint(101));
    std::stop_source stop;
    stop.request_stop();
    CHECK(there(event, freshet::deadline::never(), stop.get_token()).value_or("") == checkpoint(101));
    CHECK(there.messages().empty());
    CHECK(there(event, freshet::deadline::in(std::chrono::minutes{5}, there.clock.now())).value_or("") == success);
    CHECK(there.messages().size() == 2);
}

TEST_CASE("time for the slowest request is kept, as far as an invocation has it") {
    using namespace std::chrono_literals;
    clock_type clock;
    queue lines{clock, {.name = "lines"}};
    queue words{clock, {.name = "words"}};
    queue* const none = nullptr;
    lambda::stream_processor<queue, clock_type> process{lines, words, none, clock, {}, quiet, 5s};
    const auto left = [&](freshet::duration span, int number) {
        const invocation event{.request_id = "1", .deadline = freshet::deadline::in(span, clock.now()),
                               .payload = event_of({change(1, number)})};
        return process(event, {}).value_or("");
    };
    CHECK(left(20s, 101) == success);
    CHECK(left(3s, 102) == success);
    CHECK(left(600ms, 103) == checkpoint(103)); // 150 ms of it, and the processor's own 500 ms
}
