#include <stream_to_fifo/backends.hpp>
#include <stream_to_fifo/program.hpp>
#include <stream_to_fifo/settings.hpp>

#include <cstddef>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <adapters/aws/client.hpp>
#include <adapters/aws/queue_admin.hpp>
#include <fake_aws/server.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <support/scratch_directory.hpp>

#include "stream_to_fifo_queues.hpp"

namespace {

using namespace to_queues;
using fake_aws::fault_kind;

/// Five changes, the third of which is poison.
auto poisoned() -> json {
    auto records = json::array({record(1), record(2), record(3), record(4), record(5)});
    records[2]["dynamodb"]["NewImage"]["odd"] = {{"Q", "?"}};
    return records;
}

/// Records that are none, in every way that matters, between good ones.
auto hostile() -> std::string {
    std::vector<std::string> records;
    int number = 0;
    const auto good = [&] { records.push_back(record(++number).dump()); };
    const auto bad = [&](auto spoil) {
        auto one = record(++number);
        spoil(one);
        records.push_back(one.dump());
        good();
    };
    good();
    bad([](json& r) { r["dynamodb"]["Keys"]["PK"] = {{"N", "1"}}; }); // another table's
    bad([](json& r) { r["dynamodb"]["NewImage"]["n"] = {{"N", "1e999"}}; });
    bad([](json& r) { r["dynamodb"]["NewImage"]["reasoning"] = {{"S", std::string{"a\0b\x1f\x7f", 6}}}; });
    bad([](json& r) { r["dynamodb"].erase("Keys"); });
    records.push_back("7");
    records.push_back("null");
    good();
    std::string event = R"({"Records":[)";
    for (const auto& one : records) { event += (&one == &records.front() ? "" : ",") + one; }
    return event + "]}\n";
}

template <class Destination>
void same_as_file(const std::string& input) {
    const auto expected = to_file_from(input);
    REQUIRE(!expected.all.empty());
    Destination to;
    if constexpr (requires { to.is_patient; }) { to.is_patient = true; }
    const auto got = to.send(input);
    CAPTURE(got.said);
    CHECK(got.code == expected.code);
    CHECK((to.drain() == expected.all));
    if (expected.code == 0) {
        CHECK(got.responses == expected.responses);
        CHECK(got.said.empty());
        CHECK(to.letters().empty());
    }
}

} // namespace

TEST_CASE_TEMPLATE("queues get what the file would: each message with its body and ids, each group in its order",
                   Destination, in_sqlite, in_aws) {
    same_as_file<Destination>(sample(20));
    same_as_file<Destination>(event_of(json::array({record(1), record(2)})) + "\n \t\n" + event_of(json::array()));
}

TEST_CASE_TEMPLATE("of a hostile event the good records go where they should, and the bad ones to the dead letters",
                   Destination, in_sqlite, in_aws) {
    same_as_file<Destination>(hostile());
    Destination to;
    const auto got = to.send(event_of(poisoned()) + hostile() + event_of(json::array({record(9)})));
    CHECK(got.code == 1);
    CHECK((got.responses == std::vector{success, success, success}));
    const auto letters = to.letters();
    REQUIRE(letters.size() == 5);
    CHECK(letters[0].id == "e3");
    CHECK(letters[0].sequence == "103");
    for (const auto& letter : letters) { CHECK(letter.complete); }
}

TEST_CASE_TEMPLATE("a line that is no event fails as a whole, in one line of the log, and the lines around it do not",
                   Destination, in_sqlite, in_aws) {
    Destination to;
    const auto around = [](int number) { return event_of(json::array({record(number)})); };
    auto wanted = quiet();
    wanted.level = support::log_level::error;
    const auto got = to.send(around(1) + "{\"Records\":[{]}\n" + around(2), wanted);
    CHECK(got.code == 1);
    CAPTURE(got.said);
    CHECK(got.said.starts_with("ERROR: Refused the event on line 2: "));
    CHECK(got.said.find('\n') == got.said.size() - 1);
    CHECK((got.responses ==
           std::vector<std::string>{success, R"({"batchItemFailures":[{"itemIdentifier":""}]})", success}));
    CHECK(to.drain().size() == 2);
}

TEST_CASE("without a dead-letter queue a poison record fails and is named, and what follows in other events is sent") {
    in_aws to;
    to.has_dead_letters = false;
    const auto got = to.send(event_of(poisoned()) + event_of(json::array({record(6)})));
    CHECK(got.code == 1);
    CHECK((got.responses ==
           std::vector<std::string>{R"({"batchItemFailures":[{"itemIdentifier":"103"}]})", success}));
    CHECK(got.said.empty());
    CHECK(to.drain().size() == 5);
}

TEST_CASE_TEMPLATE("records that are too old are dead letters", Destination, in_sqlite, in_aws) {
    Destination to;
    auto old = record(1);
    old["dynamodb"]["ApproximateCreationDateTime"] = 1'736'936'000 - 61;
    auto wanted = quiet();
    wanted.max_age = 1min;
    CHECK(to.send(event_of(json::array({old, record(2)})), wanted).code == 1);
    CHECK(to.drain().size() == 1);
    const auto letters = to.letters();
    REQUIRE(letters.size() == 1);
    CHECK(letters[0].why.code == freshet::errc::expired);
}

TEST_CASE("an outage that passes is waited for, and no message is there twice") {
    const auto input = sample(5);
    for (const bool done : {true, false}) {
        for (const auto* operation : {"SendMessageBatch", "GetQueueAttributes"}) {
            CAPTURE(operation);
            in_aws to;
            to.fail({.kind = fault_kind::error_json, .operation = operation, .times = 40, .after = 2, .done = done});
            auto wanted = quiet();
            wanted.patience = 2min;
            const auto got = to.send(input, wanted);
            CHECK(got.code == 0);
            CHECK(got.said.empty());
            CHECK((to.drain() == to_file_from(input).all));
            CHECK(to.letters().empty());
            CHECK(to.server.faults().waiting() == 0);
        }
    }
}

TEST_CASE("an outage that lasts ends the run; from the line that it names on, nothing is lost and nothing is twice") {
    const auto input = sample(6);
    const auto expected = to_file_from(input).all;
    for (std::size_t after = 0; after < 12; after += 3) {
        CAPTURE(after);
        in_aws to;
        to.fail({.kind = fault_kind::error_json, .operation = "SendMessageBatch", .times = fake_aws::always,
                 .after = after});
        const auto got = to.send(input);
        CHECK(got.code == 3);
        CAPTURE(got.said);
        CHECK(got.said.starts_with("stream_to_fifo: test: go on from line "));
        CHECK(got.said.find('\n') == got.said.size() - 1);
        CHECK(got.said.find("queue ") != std::string::npos);
        const auto line = std::stoul(got.said.substr(got.said.find("line ") + 5));
        CHECK(line == got.responses.size());
        CHECK(got.responses.back() != success);

        to.server.faults().clear();
        std::istringstream all{input};
        std::string rest, skipped;
        for (std::size_t i = 1; i < line; ++i) { std::getline(all, skipped); }
        std::getline(all, rest, '\0');
        CHECK(to.send(rest).code == 0);
        CHECK((to.drain() == expected));
        CHECK(to.letters().empty());
    }
}

TEST_CASE("of an event that waits for an outage's end the log has the last attempt, and one line of the outage") {
    const auto input = sample(6);
    const auto logged = [&](std::size_t times, freshet::duration patience) {
        in_aws to;
        to.fail({.kind = fault_kind::error_json, .operation = "SendMessageBatch", .times = times, .after = 2});
        auto wanted = quiet();
        wanted.patience = patience;
        wanted.level = support::log_level::info;
        return to.send(input, wanted);
    };
    const auto count = [](const std::string& text, const std::string& words) {
        std::size_t found = 0;
        for (auto at = text.find(words); at != std::string::npos; at = text.find(words, at + 1)) { ++found; }
        return found;
    };
    const auto passed = logged(40, 2min);
    CAPTURE(passed.said);
    CHECK(passed.code == 0);
    CHECK(count(passed.said, "WARNING: Trying again: queue ") == 1);
    CHECK(count(passed.said, "INFO: Processing ") == passed.responses.size());
    CHECK(count(passed.said, "ERROR: ") == 0);

    const auto lasted = logged(fake_aws::always, 10s);
    CAPTURE(lasted.said);
    CHECK(lasted.code == 3);
    CHECK(count(lasted.said, "WARNING: Trying again: queue ") == 1);
    CHECK_MESSAGE(count(lasted.said, "INFO: Processing ") + 1 == lasted.responses.size(), "of those before it");
    CHECK(count(lasted.said, "stream_to_fifo: test: go on from line ") == 1);
    CHECK(count(lasted.said, "WARNING: A request to queue ") == 0);
    CHECK(count(lasted.said, "\n") == count(logged(fake_aws::always, 5min).said, "\n"));
}

TEST_CASE("a record that a queue never takes becomes one dead letter, and does not hold up what is behind it") {
    in_aws to;
    to.fail({.kind = fault_kind::refused,
             .operation = "SendMessageBatch",
             .times = fake_aws::always,
             .name = "InternalError",
             .chosen = [](std::size_t, const json& entry) { return entry["MessageDeduplicationId"] == "e1"; }});
    auto wanted = quiet();
    wanted.patience = 1min;
    wanted.level = support::log_level::error;
    const auto input = event_of(json::array({record(1), record(2)})) + event_of(json::array({record(3)}));
    const auto got = to.send(input, wanted);
    CAPTURE(got.said);
    CHECK(got.code == 1);
    CHECK((got.responses == std::vector{success, success}));
    const auto letters = to.letters();
    REQUIRE(letters.size() == 1);
    CHECK(letters[0].id == "e1");
    CHECK(got.said.find("Error processing stream record e1: ") != std::string::npos);
    std::size_t sent = 0;
    for (const auto& [group, all] : to.drain()) { sent += all.size(); }
    CHECK(sent == 2);
}

TEST_CASE("a refusal ends the run at once, with one line that says what a person must change") {
    const auto input = event_of(json::array({record(1)}));
    struct refusal {
        std::string words;
        void (*spoil)(in_aws&, settings&);
    };
    for (const auto& [words, spoil] : std::vector<refusal>{
             {"nothing is sent: queue lines.fifo: ", [](in_aws& to, settings&) { to.secret = "wrong"; }},
             {"nothing is sent: queue none.fifo: there is no such queue",
              [](in_aws& to, settings& wanted) {
                  wanted.queues.lines = to.server.endpoint() + "/123456789012/none.fifo";
              }},
             {"nothing is sent: queue lines.fifo: ",
              [](in_aws& to, settings&) { to.fail({.kind = fault_kind::html, .times = fake_aws::always}); }},
             {"nothing is sent: queue lines.fifo: ",
              [](in_aws& to, settings&) { to.fail({.kind = fault_kind::expired, .times = fake_aws::always}); }},
             {"nothing is sent: queue lines.fifo: ", [](in_aws& to, settings&) { to.server.stop(); }},
             {"test: go on from line 1: queue words.fifo: ",
              [](in_aws& to, settings&) {
                  to.fail({.kind = fault_kind::error_json, .operation = "SendMessageBatch", .times = fake_aws::always,
                           .name = "AccessDeniedException", .status = 403});
              }},
             {"not set: AWS_ACCESS_KEY_ID", nullptr},
         }) {
        in_aws to;
        to.is_patient = true;
        auto wanted = quiet();
        finished got;
        if (spoil != nullptr) {
            spoil(to, wanted);
            got = to.send(input, wanted);
        } else {
            wanted.to = backend::aws;
            std::istringstream stream{input};
            captured_stderr said{to.in.file("stderr")};
            got.code = stream_to_fifo::run_to_queues_on(wanted, stream, "test", to.clock);
            got.said = said.text();
        }
        CAPTURE(got.said);
        CHECK(got.code == 3);
        CHECK(got.said.find("stream_to_fifo: ") == 0);
        CHECK(got.said.find(words) != std::string::npos);
        CHECK(got.said.find('\n') == got.said.size() - 1);
        CHECK(got.said.find("secret/of") == std::string::npos);
    }
}

TEST_CASE("a directory that cannot be had is exit code 3, and a response that would destroy something is 2") {
    const support::scratch_directory in;
    std::ofstream{in.file("file")} << "x";
    std::ofstream{in.file("events")} << event_of(json::array({record(1)}));
    auto wanted = quiet();
    wanted.to = backend::sqlite;
    wanted.input = in.file("events");
    {
        captured_stderr said{in.file("stderr")};
        wanted.directory = in.file("file") + "/below";
        CHECK(stream_to_fifo::run_to_queues(wanted) == 3);
        wanted.directory = in.file("queues");
        wanted.response = in.file("events");
        CHECK(stream_to_fifo::run_to_queues(wanted) == 2);
        wanted.response = in.file("queues") + "/queues.sqlite";
        CHECK(stream_to_fifo::run_to_queues(wanted) == 2);
        wanted.response = "/dev/full";
        CHECK(stream_to_fifo::run_to_queues(wanted) == 3);
        wanted.response = in.file("responses");
        CHECK(stream_to_fifo::run_to_queues(wanted) == 0);
        CHECK(stream_to_fifo::run_to_queues(wanted) == 0);
        wanted.input = in.file("none");
        CHECK(stream_to_fifo::run_to_queues(wanted) == 2);
        wanted.response = in.file("queues") + "/queues.sqlite";
        CHECK(stream_to_fifo::run_to_queues(wanted) == 2);
        CHECK(said.text().find("has the queues") != std::string::npos);
    }
    CHECK(lines_of(in.file("events")).size() == 1);
    CHECK(lines_of(in.file("responses")) == std::vector{success});
}

TEST_CASE("the summary counts as that of the file does, and each queue's messages once, however often they were sent") {
    const auto input = sample(8);
    const support::scratch_directory in;
    auto wanted = quiet();
    wanted.output = in.file("messages");
    std::istringstream once{input}, again{input};
    std::FILE* const out = std::fopen(wanted.output.c_str(), "wb");
    REQUIRE(out != nullptr);
    stream_to_fifo::program file{wanted, once, "test", out, nullptr};
    CHECK(file.run() == 0);
    std::fclose(out);
    auto expected = json(file.summary().as_json());
    expected["dead_lettered"] = 0;

    {
        fake_aws::server server{[] { return freshet::time_point{1'736'936'000s}; }};
        const adapters::aws::client by{server.settings()};
        stream_to_fifo::queue_urls urls;
        urls.lines = adapters::aws::create_queue(by, {.name = "lines"}).value_or("");
        urls.words = adapters::aws::create_queue(by, {.name = "words"}).value_or("");
        auto queues = stream_to_fifo::open_queues(by, urls);
        REQUIRE(queues.ok());
        server.faults().add({.kind = fault_kind::error_json, .operation = "SendMessageBatch", .times = 30, .after = 3,
                             .done = true});
        manual_clock clock;
        wanted.patience = 2min;
        stream_to_fifo::queue_program it{wanted, again, "test", *std::move(queues), clock, nullptr};
        CHECK(it.run() == 0);
        CHECK(json(it.summary()) == expected);
    }
}
