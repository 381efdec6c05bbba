#include <stream_to_fifo/backends.hpp>
#include <stream_to_fifo/program.hpp>
#include <stream_to_fifo/settings.hpp>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <istream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <adapters/aws/client.hpp>
#include <adapters/aws/message_queue.hpp>
#include <adapters/aws/queue_admin.hpp>
#include <adapters/sqlite/message_queue.hpp>
#include <fake_aws/server.hpp>
#include <freshet/stream/dead_letter.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <laws/letters.hpp>
#include <receipts/sample_events.hpp>
#include <support/scratch_directory.hpp>

namespace {

using namespace std::chrono_literals;
using fake_aws::fault_kind;
using freshet::testing::manual_clock;
using nlohmann::json;
using stream_to_fifo::backend;
using stream_to_fifo::settings;

/// Sets an environment variable while it lives.
class variable {
public:
    variable(const char* name, const std::string& value) : name_{name} { ::setenv(name, value.c_str(), 1); }
    variable(const variable&) = delete;
    auto operator=(const variable&) -> variable& = delete;
    ~variable() { ::unsetenv(name_); }

private:
    const char* name_;
};

/// Keeps what is written to stderr while it lives.
class captured_stderr {
public:
    explicit captured_stderr(std::string path) : path_{std::move(path)}, before_{::dup(STDERR_FILENO)} {
        std::fflush(stderr);
        std::FILE* const file = std::fopen(path_.c_str(), "wb");
        REQUIRE(file != nullptr);
        ::dup2(::fileno(file), STDERR_FILENO);
        std::fclose(file);
    }
    captured_stderr(const captured_stderr&) = delete;
    auto operator=(const captured_stderr&) -> captured_stderr& = delete;
    ~captured_stderr() {
        if (before_ >= 0) { static_cast<void>(text()); }
    }
    /// What was written; it keeps no more.
    [[nodiscard]] auto text() -> std::string {
        std::fflush(stderr);
        ::dup2(before_, STDERR_FILENO);
        ::close(std::exchange(before_, -1));
        std::ifstream file{path_};
        return {std::istreambuf_iterator<char>{file}, {}};
    }

private:
    std::string path_;
    int before_;
};

auto lines_of(const std::string& path) -> std::vector<std::string> {
    std::ifstream file{path};
    std::vector<std::string> all;
    for (std::string line; std::getline(file, line);) { all.push_back(line); }
    return all;
}

/// The messages of a queue's group, each as deduplication id and body, in their order.
using messages = std::map<std::pair<std::string, std::string>, std::vector<std::string>>;

struct finished {
    int code{};
    std::string said;
    std::vector<std::string> responses;
};

auto quiet() -> settings {
    settings wanted;
    wanted.level = static_cast<support::log_level>(99);
    wanted.messages.builder.inserts = true;
    wanted.patience = 3s;
    wanted.retries.retries = 1;
    return wanted;
}

/// What the program writes to a file.
struct to_file {
    messages all;
    std::vector<std::string> responses;
    int code;
};
auto to_file_from(const std::string& input) -> to_file {
    const support::scratch_directory in;
    auto wanted = quiet();
    wanted.output = in.file("messages");
    wanted.response = in.file("responses");
    std::istringstream stream{input};
    to_file made{{}, {}, stream_to_fifo::run_on(wanted, stream, "test")};
    for (const auto& line : lines_of(wanted.output)) {
        const auto one = json::parse(line);
        made.all[{one["queue"], one["group"]}].push_back(one["dedup"].get<std::string>() + " " + one["body"].dump());
    }
    made.responses = lines_of(*wanted.response);
    return made;
}

/// The queues of a backend, and the program on them.
class destination {
public:
    destination() = default;
    destination(const destination&) = delete;
    auto operator=(const destination&) -> destination& = delete;
    virtual ~destination() = default;

    [[nodiscard]] auto send(const std::string& input, settings wanted) -> finished {
        prepare(wanted);
        if (!wanted.response) { wanted.response = in.file("responses"); }
        std::istringstream stream{input};
        captured_stderr said{in.file("stderr")};
        const auto code = run(wanted, stream);
        return {code, said.text(), lines_of(*wanted.response)};
    }
    [[nodiscard]] auto send(const std::string& input) -> finished { return send(input, quiet()); }

    /// All that is in the queues of lines and words, which are empty then.
    [[nodiscard]] virtual auto drain() -> messages = 0;
    /// The dead letters, which are gone then.
    [[nodiscard]] virtual auto letters() -> std::vector<freshet::dead_letter> = 0;

    support::scratch_directory in;
    manual_clock clock;

protected:
    virtual void prepare(settings& wanted) = 0;
    [[nodiscard]] virtual auto run(const settings& wanted, std::istream& input) -> int {
        return stream_to_fifo::run_to_queues_on(wanted, input, "test", clock);
    }

    static void drain(auto& queue, const std::string& name, messages& to) {
        for (const auto& one : laws::drain(queue)) {
            to[{name, one.group_id}].push_back(one.deduplication_id + " " + json::parse(one.body).dump());
        }
    }
    [[nodiscard]] static auto letters_in(auto& queue) -> std::vector<freshet::dead_letter> {
        std::vector<freshet::dead_letter> all;
        for (const auto& one : laws::drain(queue)) {
            auto letter = freshet::parse_dead_letter(one.body);
            REQUIRE(letter.ok());
            all.push_back(*std::move(letter));
        }
        return all;
    }
};

class in_sqlite : public destination {
public:
    [[nodiscard]] auto drain() -> messages override {
        messages all;
        for (const auto* name : {"lines", "words"}) {
            auto queue = open(name);
            destination::drain(queue, name, all);
        }
        return all;
    }
    [[nodiscard]] auto letters() -> std::vector<freshet::dead_letter> override {
        auto queue = open("stream-dead");
        return letters_in(queue);
    }

private:
    void prepare(settings& wanted) override {
        wanted.to = backend::sqlite;
        wanted.directory = in.file("new/directory");
    }
    [[nodiscard]] auto open(const char* name) -> adapters::sqlite::message_queue<manual_clock> {
        auto queue = adapters::sqlite::message_queue<manual_clock>::open(in.file("new/directory/queues.sqlite"), clock,
                                                                         {.name = name});
        REQUIRE(queue.ok());
        return *std::move(queue);
    }
};

class in_aws : public destination {
public:
    [[nodiscard]] auto drain() -> messages override {
        messages all;
        destination::drain(lines_, "lines", all);
        destination::drain(words_, "words", all);
        return all;
    }
    [[nodiscard]] auto letters() -> std::vector<freshet::dead_letter> override { return letters_in(dead_); }
    void fail(fake_aws::fault one) { server.faults().add(std::move(one)); }

    fake_aws::server server{[this] { return clock.now(); }};
    bool has_dead_letters{true};
    bool is_patient{false}; ///< whether the client waits between its retries as the environment's does
    std::string secret{server.settings().keys.secret_key};

private:
    [[nodiscard]] auto run(const settings& wanted, std::istream& input) -> int override {
        if (is_patient) { return destination::run(wanted, input); }
        return stream_to_fifo::send_to(wanted, input, "test", clock,
                                       [&] { return stream_to_fifo::open_queues(client_, wanted.queues); });
    }
    void prepare(settings& wanted) override {
        const auto how = server.settings();
        environment_.clear();
        const auto set = [&](const char* name, const std::string& value) {
            environment_.push_back(std::make_unique<variable>(name, value));
        };
        set("AWS_ACCESS_KEY_ID", how.keys.access_key);
        set("AWS_SECRET_ACCESS_KEY", secret);
        set("AWS_REGION", how.region);
        set("AWS_ENDPOINT_URL", how.endpoint);
        wanted.to = backend::aws;
        if (wanted.queues.lines.empty()) { wanted.queues.lines = lines_.url(); }
        wanted.queues.words = words_.url();
        if (has_dead_letters) { wanted.queues.dead_letters = dead_.url(); }
    }
    [[nodiscard]] auto make(const char* name) -> adapters::aws::message_queue {
        const auto url = adapters::aws::create_queue(client_, {.name = name});
        REQUIRE(url.ok());
        auto queue = adapters::aws::message_queue::open(client_, *url);
        REQUIRE(queue.ok());
        return *std::move(queue);
    }

    adapters::aws::client client_{server.settings()};
    adapters::aws::message_queue lines_{make("lines")};
    adapters::aws::message_queue words_{make("words")};
    adapters::aws::message_queue dead_{make("dead")};
    std::vector<std::unique_ptr<variable>> environment_;
};

auto sample(std::size_t receipts) -> std::string {
    std::string input;
    for (const auto& event : receipts::sample_events{}.make(receipts)) { input += event + '\n'; }
    return input;
}

/// A change of a label, of a word of its own.
auto record(int number) -> json {
    const auto sort = "RECEIPT#00001#LINE#00001#WORD#0000" + std::to_string(number) + "#LABEL#TOTAL";
    const auto image = [](const char* status) { return json{{"validation_status", {{"S", status}}}}; };
    return {{"eventID", "e" + std::to_string(number)},
            {"eventName", "MODIFY"},
            {"dynamodb",
             {{"Keys", {{"PK", {{"S", "IMAGE#550e8400-e29b-41d4-a716-446655440000"}}}, {"SK", {{"S", sort}}}}},
              {"OldImage", image("PENDING")},
              {"NewImage", image("VALID")},
              {"ApproximateCreationDateTime", 1'736'936'000},
              {"SequenceNumber", std::to_string(100 + number)}}}};
}
auto event_of(const json& records) -> std::string { return json{{"Records", records}}.dump() + '\n'; }

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

const std::string success = R"({"batchItemFailures":[]})";

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

TEST_CASE_TEMPLATE("a line that is no event fails as a whole, and the lines around it do not", Destination, in_sqlite,
                   in_aws) {
    Destination to;
    const auto around = [](int number) { return event_of(json::array({record(number)})); };
    const auto got = to.send(around(1) + "{\"Records\":[{]}\n" + around(2));
    CHECK(got.code == 1);
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
