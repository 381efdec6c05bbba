#include <stream_to_fifo/program.hpp>
#include <stream_to_fifo/command_line.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <streambuf>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <receipts/sample_events.hpp>

namespace {

using nlohmann::json;
using stream_to_fifo::run;
using stream_to_fifo::settings;

/// A directory of this test's own, gone with it.
class scratch {
public:
    scratch() {
        auto pattern = (std::filesystem::temp_directory_path() / "freshet-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    scratch(const scratch&) = delete;
    auto operator=(const scratch&) -> scratch& = delete;
    ~scratch() { std::filesystem::remove_all(path_); }

    [[nodiscard]] auto operator/(std::string_view name) const -> std::string { return (path_ / name).string(); }
    [[nodiscard]] auto lines(std::string_view name) const -> std::vector<std::string> {
        std::ifstream file{*this / name};
        std::vector<std::string> all;
        for (std::string line; std::getline(file, line);) { all.push_back(line); }
        return all;
    }

private:
    std::filesystem::path path_;
};

/// Sets an environment variable while it lives.
class environment {
public:
    environment(const char* name, const char* value) : name_{name} { ::setenv(name, value, 1); }
    environment(const environment&) = delete;
    auto operator=(const environment&) -> environment& = delete;
    ~environment() { ::unsetenv(name_); }

private:
    const char* name_;
};

struct finished {
    int code{};
    std::vector<std::string> messages;
    std::vector<std::string> responses;
};

/// Runs the program over `input`, quietly.
auto run_on(const std::string& input, settings wanted = {}) -> finished {
    const scratch here;
    wanted.output = here / "messages";
    wanted.response = here / "responses";
    wanted.level = static_cast<support::log_level>(99);
    std::istringstream in{input};
    const auto code = stream_to_fifo::run_on(wanted, in, "test");
    return {code, here.lines("messages"), here.lines("responses")};
}

auto read(std::vector<const char*> arguments) -> support::wanted_or_exit<stream_to_fifo::settings> {
    arguments.insert(arguments.begin(), "stream_to_fifo");
    return stream_to_fifo::read_settings(static_cast<int>(arguments.size()), arguments.data(), "about");
}

/// Five changes of one label each, with ascending sequence numbers 101 to 105.
auto five_records() -> json {
    json records = json::array();
    for (int i = 1; i <= 5; ++i) {
        const auto sort = "RECEIPT#00001#LINE#00001#WORD#0000" + std::to_string(i) + "#LABEL#TOTAL";
        const auto image = [](const char* status) { return json{{"validation_status", {{"S", status}}}}; };
        records.push_back(
            {{"eventID", "e" + std::to_string(i)},
             {"eventName", "MODIFY"},
             {"dynamodb",
              {{"Keys", {{"PK", {{"S", "IMAGE#550e8400-e29b-41d4-a716-446655440000"}}}, {"SK", {{"S", sort}}}}},
               {"OldImage", image("PENDING")},
               {"NewImage", image("VALID")},
               {"ApproximateCreationDateTime", 1'736'936'000 + i},
               {"SequenceNumber", std::to_string(100 + i)}}}});
    }
    return records;
}

auto event_of(const json& records) -> std::string { return json{{"Records", records}}.dump() + '\n'; }

} // namespace

TEST_CASE("all well: each message is a line with queue, group, dedup and body, and the response is empty") {
    const auto got = run_on(event_of(five_records()));
    CHECK(got.code == 0);
    REQUIRE(got.messages.size() == 5);
    const auto first = json::parse(got.messages.front());
    CHECK(first.size() == 4);
    CHECK(first["queue"] == "words");
    CHECK(first["group"] == "IMAGE#550e8400-e29b-41d4-a716-446655440000#RECEIPT#1#LINE#1#WORD#1");
    CHECK(first["dedup"] == "e1");
    CHECK(first["body"]["changes"] == json::parse(R"({"validation_status":{"old":"PENDING","new":"VALID"}})"));
    CHECK(got.responses == std::vector<std::string>{R"({"batchItemFailures":[]})"});
}

TEST_CASE(
    "the third of five records is poison: exit code 1, its number is the checkpoint, the others make their messages") {
    auto records = five_records();
    records[2]["dynamodb"]["NewImage"]["odd"] = {{"Q", "?"}};
    const auto got = run_on(event_of(records));
    CHECK(got.code == 1);
    CHECK(got.messages.size() == 4);
    CHECK(got.responses == std::vector<std::string>{R"({"batchItemFailures":[{"itemIdentifier":"103"}]})"});
}

TEST_CASE("a line that is no event fails as a whole, and the lines around it do not") {
    const auto good = event_of(five_records());
    const auto got = run_on(good + good.substr(0, 300) + "\n\n" + good);
    CHECK(got.code == 1);
    CHECK(got.messages.size() == 10);
    const std::string success = R"({"batchItemFailures":[]})";
    const std::string refused = R"({"batchItemFailures":[{"itemIdentifier":""}]})";
    CHECK(got.responses == std::vector<std::string>{success, refused, success});
}

TEST_CASE("records older than the limit make no message and are no failure; one made at the limit does") {
    settings wanted;
    wanted.messages.oldest = freshet::time_point{std::chrono::seconds{1'736'936'003}};
    const auto got = run_on(event_of(five_records()), wanted);
    CHECK(got.code == 0);
    CHECK(got.messages.size() == 3);
}

TEST_CASE("the sample events make the same messages each time, and some of every kind of change") {
    std::string input;
    for (const auto& event : receipts::sample_events{}.make(20)) { input += event + '\n'; }
    settings wanted;
    wanted.messages.builder.inserts = true;
    const auto once = run_on(input, wanted);
    CHECK(once.code == 0);
    CHECK(once.messages == run_on(input, wanted).messages);
    std::map<std::string, int> kinds;
    for (const auto& line : once.messages) {
        const auto message = json::parse(line);
        ++kinds[message["queue"].get<std::string>() + ' ' + message["body"]["event_name"].get<std::string>()];
    }
    CHECK(kinds.size() == 6); // two queues, three events
}

TEST_CASE("an output that cannot be written ends the run with exit code 3") {
    std::istringstream in{event_of(five_records())};
    settings wanted;
    wanted.output = "/dev/full";
    wanted.level = static_cast<support::log_level>(99);
    CHECK(stream_to_fifo::run_on(wanted, in, "test") == 3);
}

TEST_CASE("no file is two of input, output and response: opening one would destroy the other") {
    const scratch here;
    const auto events = here / "events";
    std::ofstream{events} << event_of(five_records());
    std::filesystem::create_hard_link(events, here / "link");
    settings wanted;
    wanted.level = support::log_level::critical;
    wanted.input = events;
    for (const auto& output : {events, here / "link", here / "./events"}) {
        wanted.output = output;
        CHECK(run(wanted) == 2);
    }
    wanted.output = here / "new";
    for (const auto& response : {events, here / "new", here / "./new"}) {
        wanted.response = response;
        CHECK(run(wanted) == 2);
    }
    CHECK(here.lines("events").size() == 1);
    CHECK_FALSE(std::filesystem::exists(here / "new"));
    wanted.response = here / "responses";
    CHECK(run(wanted) == 0);
}

TEST_CASE("an input that breaks off is no success") {
    struct broken : std::streambuf {
        auto underflow() -> int_type override { throw std::runtime_error{"the disk is gone"}; }
    } buffer;
    std::istream in{&buffer};
    const scratch here;
    settings wanted;
    wanted.output = here / "messages";
    wanted.level = static_cast<support::log_level>(99);
    CHECK(stream_to_fifo::run_on(wanted, in, "test") == 3);
}

TEST_CASE("settings keep their defaults unless the command line says otherwise") {
    const auto plain = read({}).wanted;
    REQUIRE(plain.has_value());
    CHECK(plain->messages.builder.modifies);
    CHECK(plain->messages.builder.removes);
    CHECK_FALSE(plain->messages.builder.inserts);
    CHECK(plain->messages.detector.null_is_absent);
    CHECK_FALSE(plain->messages.oldest.has_value());
    CHECK(plain->level == support::log_level::info);

    const auto asked = read({"--events", "insert,remove", "--max-age", "1h", "--now", "2025-01-15T10:00:00Z"}).wanted;
    REQUIRE(asked.has_value());
    CHECK(asked->messages.builder.inserts);
    CHECK_FALSE(asked->messages.builder.modifies);
    CHECK(asked->messages.oldest == *freshet::parse_rfc3339("2025-01-15T09:00:00Z"));
    CHECK(read({"--max-age", "604800s", "--now", "2025-01-15T10:00:00Z"}).wanted.has_value());
    const environment unset{"LOG_LEVEL", ""};
    const environment left_alone{"MONITORED_FIELDS_RECEIPT_METADATA", ""};
    CHECK(read({}).wanted.has_value());
    CHECK(read({}).wanted->messages.fields == receipts::default_monitored_fields());
    const environment lower{"LOG_LEVEL", "warn"};
    CHECK(read({}).wanted->level == support::log_level::warning);
}

TEST_CASE("monitored fields come from the environment, for the entities that have routes") {
    const environment fields{"MONITORED_FIELDS_RECEIPT_METADATA", "address, place.id"};
    const auto asked = read({}).wanted;
    REQUIRE(asked.has_value());
    CHECK(asked->messages.fields[0] == freshet::monitored_fields{"address", "place.id"});
    CHECK(asked->messages.fields[1] == receipts::default_monitored_fields()[1]);
}

TEST_CASE("a backend is named with --backend, or a directory with --dir") {
    CHECK(read({}).wanted->to == stream_to_fifo::backend::none);
    for (const auto& arguments :
         {std::vector<const char*>{"--backend", "sqlite:some/where"}, {"--dir", "some/where"}}) {
        const auto asked = read(arguments).wanted;
        REQUIRE(asked.has_value());
        CHECK(asked->to == stream_to_fifo::backend::sqlite);
        CHECK(asked->directory == "some/where");
        CHECK_FALSE(asked->max_age.has_value());
    }
    CHECK(read({"--dir", "x", "--max-age", "1h"}).wanted->max_age == std::chrono::hours{1});
    CHECK(read({"--dir", "x", "--json"}).wanted.has_value()); // its document has stdout for itself

    CHECK(read({"--backend", "aws"}).exit_code == 2);
    const environment lines{"LINES_QUEUE_URL", "http://there/lines"};
    CHECK(read({"--backend", "aws"}).exit_code == 2);
    const environment words{"WORDS_QUEUE_URL", "http://there/words"};
    const auto asked = read({"--backend", "aws"}).wanted;
    REQUIRE(asked.has_value());
    CHECK(asked->to == stream_to_fifo::backend::aws);
    CHECK(asked->queues.lines == "http://there/lines");
    CHECK(asked->queues.words == "http://there/words");
    CHECK(asked->queues.dead_letters.empty());
    CHECK(read({"--backend", "aws", "--max-age", "1h"}).exit_code == 2); // they would have nowhere to go
    const environment dead{"DEAD_LETTER_QUEUE_URL", "http://there/dead"};
    CHECK(read({"--backend", "aws", "--max-age", "1h"}).wanted->queues.dead_letters == "http://there/dead");
}

TEST_CASE("what makes no sense with a backend is exit code 2") {
    for (const auto& arguments :
         {std::vector<const char*>{"--backend", "redis"}, {"--backend", ""}, {"--backend", "sqlite"},
          {"--backend", "sqlite:"}, {"--dir", ""}, {"--dir", "x", "--backend", "sqlite:x"},
          {"--dir", "x", "--backend", "aws"}, {"--dir", "x", "--output", "messages"}, {"--dir", "x", "--output", "-"},
          {"--dir", "x", "--json", "--response", "-"},
          {"--dir", "x", "--max-age", "1h", "--now", "2025-01-15T10:00:00Z"}}) {
        CAPTURE(arguments.back());
        CHECK(read(arguments).exit_code == 2);
    }
}

TEST_CASE("what cannot be meant is exit code 2") {
    CHECK(read({"--bogus"}).exit_code == 2);
    CHECK(read({"--events", "rename"}).exit_code == 2);
    CHECK(read({"--json"}).exit_code == 2); // its document and the messages would share stdout
    CHECK(read({"--now", "2025-01-15T10:00:00Z"}).exit_code == 2);
    for (const char* age : {"", "5", "5x", "-5s", "0s", "5 s", "36526d", "9999999999999999999s"}) {
        CAPTURE(age);
        CHECK(read({"--max-age", age, "--now", "2025-01-15T10:00:00Z"}).exit_code == 2);
    }
    CHECK(read({"--max-age", "5s", "--now", "yesterday"}).exit_code == 2);
    {
        const environment level{"LOG_LEVEL", "LOUD"};
        CHECK(read({}).exit_code == 2);
    }
    {
        const environment fields{"MONITORED_FIELDS_RECEIPT_WORD_LABEL", "label,,reasoning"};
        CHECK(read({}).exit_code == 2);
    }
    settings nowhere;
    nowhere.input = "/nonexistent/events";
    CHECK(run(nowhere) == 2);
    settings directory;
    directory.input = "/";
    CHECK(run(directory) == 2);
}
