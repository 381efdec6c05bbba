#include <lambda/bootstrap.hpp>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <adapters/aws/client.hpp>
#include <adapters/aws/message_queue.hpp>
#include <adapters/aws/queue_admin.hpp>
#include <fake_aws/server.hpp>
#include <lambda/stream_processor.hpp>
#include <receipts/sample_events.hpp>
#include <support/lambda_runtime.hpp>
#include <support/process.hpp>
#include <support/scratch_directory.hpp>

namespace {

using nlohmann::json;
using support::lambda_runtime;
using variables = std::map<std::string, std::string>;

const std::string success = R"({"batchItemFailures":[]})";

/// The program in a process of its own, which begins when it is told its environment.
///
/// Made before any thread: a process has only the thread that made it.
class program {
public:
    explicit program(int expected_code)
        : process_{[this, expected_code] { return live() == expected_code; }} {}

    void begin(const variables& environment) const {
        std::string text;
        for (const auto& [name, value] : environment) { text += name + "=" + value + '\0'; }
        REQUIRE(::write(pipe_.to(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
        pipe_.close_to();
    }
    /// Whether it ended with the code that was expected.
    [[nodiscard]] auto ended_so() -> bool { return process_.went_well(); }
    void signal(int number) const { REQUIRE(::kill(process_.id(), number) == 0); }

    /// What it wrote to stderr.
    [[nodiscard]] auto lines() const -> std::vector<std::string> {
        std::ifstream file{scratch_.file("stderr")};
        std::vector<std::string> all;
        for (std::string line; std::getline(file, line);) { all.push_back(line); }
        return all;
    }

private:
    class text_pipe {
    public:
        text_pipe() {
            if (::pipe2(ends_, O_CLOEXEC) != 0) { std::abort(); }
        }
        text_pipe(const text_pipe&) = delete;
        auto operator=(const text_pipe&) -> text_pipe& = delete;
        ~text_pipe() {
            close_to();
            ::close(ends_[0]);
        }
        [[nodiscard]] auto from() const -> int { return ends_[0]; }
        [[nodiscard]] auto to() const -> int { return ends_[1]; }
        void close_to() const {
            if (const auto end = std::exchange(ends_[1], -1); end != -1) { ::close(end); }
        }

    private:
        mutable int ends_[2]{};
    };

    [[nodiscard]] auto live() const -> int {
        pipe_.close_to();
        ::clearenv();
        std::string text;
        for (char c{}; ::read(pipe_.from(), &c, 1) == 1;) {
            if (c != '\0') { text += c; continue; }
            const auto equals = text.find('=');
            ::setenv(text.substr(0, equals).c_str(), text.c_str() + equals + 1, 1);
            text.clear();
        }
        const auto file = ::open(scratch_.file("stderr").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        ::dup2(file, STDERR_FILENO);
        return lambda::run_if_asked({&lambda::stream_processor_function, 1}).value_or(-1);
    }

    support::scratch_directory scratch_;
    text_pipe pipe_;
    support::process process_; // the last: its function uses the others
};

/// SQS with the three queues, and the environment that a stream processor needs.
struct cloud {
    fake_aws::server server{[] { return freshet::wall_clock{}.now(); }};
    adapters::aws::client client{server.settings()};
    lambda_runtime service{};
    variables environment{};

    cloud() {
        const auto settings = server.settings();
        environment = {{"AWS_LAMBDA_RUNTIME_API", service.address()},
                       {"_HANDLER", "stream_processor.handler"},
                       {"AWS_ACCESS_KEY_ID", settings.keys.access_key},
                       {"AWS_SECRET_ACCESS_KEY", settings.keys.secret_key},
                       {"AWS_SESSION_TOKEN", settings.keys.session_token},
                       {"AWS_REGION", settings.region},
                       {"AWS_ENDPOINT_URL", settings.endpoint},
                       {"LINES_QUEUE_URL", make("lines")},
                       {"WORDS_QUEUE_URL", make("words")},
                       {"DEAD_LETTER_QUEUE_URL", make("dead")}};
    }

    auto make(const std::string& name) -> std::string {
        const auto url = adapters::aws::create_queue(client, {.name = name});
        REQUIRE(url.ok());
        return *url;
    }
    /// Takes what is in a queue.
    auto messages(const std::string& variable) -> std::vector<freshet::received_message> {
        auto queue = adapters::aws::message_queue::open(client, environment.at(variable));
        REQUIRE(queue.ok());
        std::vector<freshet::received_message> all;
        for (;;) {
            auto some = queue->receive({.limit = 10});
            REQUIRE(some.ok());
            if (some->empty()) { return all; }
            std::vector<std::string> receipts;
            for (const auto& each : *some) { receipts.push_back(each.receipt); }
            REQUIRE(queue->erase(receipts).ok());
            all.insert(all.end(), std::move_iterator{some->begin()}, std::move_iterator{some->end()});
        }
    }
    /// Whether an operation is asked for within a minute.
    [[nodiscard]] auto wait_for_request(std::string_view operation) const -> bool {
        const auto last = std::chrono::steady_clock::now() + std::chrono::minutes{1};
        while (server.requests(operation) == 0) {
            if (std::chrono::steady_clock::now() > last) { return false; }
            std::this_thread::yield();
        }
        return true;
    }
};

/// Events of the receipts as if they happened now: none of their records is old.
auto fresh_events(std::size_t receipts, std::size_t records_per_event) -> std::vector<std::string> {
    auto events = receipts::sample_events{}.make(receipts, records_per_event);
    const auto now = std::chrono::floor<std::chrono::seconds>(freshet::wall_clock{}.now()).time_since_epoch().count();
    for (auto& each : events) {
        auto event = nlohmann::ordered_json::parse(each);
        for (auto& record : event["Records"]) { record["dynamodb"]["ApproximateCreationDateTime"] = now; }
        each = event.dump();
    }
    return events;
}

/// An event of one change of a word's label.
auto one_change() -> std::string {
    for (const auto& text : fresh_events(5, 1)) {
        const auto event = json::parse(text);
        const auto& record = event["Records"][0];
        const auto sort = record["dynamodb"]["Keys"]["SK"]["S"].get<std::string>();
        if (record["eventName"] == "REMOVE" && sort.find("#LABEL#") != std::string::npos) { return text; }
    }
    FAIL("no label was removed");
    return {};
}

/// What a program says and reports that cannot begin in this environment.
struct refusal_to_begin {
    std::vector<std::string> lines;
    std::vector<lambda_runtime::answer> answers;
    bool ended_so{};
};

auto refused(const variables& changes, const std::set<std::string>& without = {}) -> refusal_to_begin {
    program it{1};
    cloud around;
    around.service.add("never taken");
    for (const auto& [name, value] : changes) { around.environment[name] = value; }
    for (const auto& name : without) { around.environment.erase(name); }
    it.begin(around.environment);
    const auto ended = it.ended_so();
    return {it.lines(), around.service.answers(), ended};
}

} // namespace

TEST_CASE("events become messages in SQS, in a process that ends well on SIGTERM while it waits for more") {
    program it{0};
    cloud around;
    const auto events = fresh_events(30, 10);
    for (const auto& each : events) { around.service.add(each); }
    auto poison = json::parse(one_change());
    poison["Records"][0]["dynamodb"]["OldImage"]["odd"] = {{"Q", "?"}};
    around.service.add(poison.dump());
    around.service.add("no event");
    it.begin(around.environment);
    REQUIRE(around.service.wait_for_answers(events.size() + 2));
    REQUIRE(around.service.wait_until_asked());
    it.signal(SIGTERM);
    CHECK(it.ended_so());

    const auto answers = around.service.answers();
    REQUIRE(answers.size() == events.size() + 2);
    for (std::size_t i = 0; i != events.size() + 1; ++i) {
        CHECK(answers[i] == lambda_runtime::answer{"response", std::to_string(i + 1), success, ""});
    }
    CHECK(answers.back().what == "error");
    CHECK(answers.back().error_type == "Function.malformed");

    std::size_t built = 0;
    std::size_t failed = 0;
    std::size_t processed = 0;
    for (const auto& line : it.lines()) {
        unsigned count = 0;
        if (std::sscanf(line.c_str(), "INFO: Sent %u messages to compaction queue", &count) == 1) { built += count; }
        if (std::sscanf(line.c_str(), "INFO: Processing %u DynamoDB stream records", &count) == 1) { ++processed; }
        failed += line.starts_with("ERROR: Error processing stream record ") ? 1 : 0;
    }
    CHECK(around.messages("LINES_QUEUE_URL").size() + around.messages("WORDS_QUEUE_URL").size() == built);
    CHECK(built > 50);
    CHECK(processed == events.size() + 1);
    CHECK(failed == 1);
    CHECK(around.messages("DEAD_LETTER_QUEUE_URL").size() == 1);
}

TEST_CASE("SIGTERM and SIGINT while an invocation is under way: it is answered, and no other is taken") {
    for (const auto number : {SIGTERM, SIGINT}) {
        program it{0};
        cloud around;
        around.server.faults().add({.kind = fake_aws::fault_kind::slow,
                                    .operation = "SendMessageBatch",
                                    .span = std::chrono::milliseconds{300}});
        around.service.add(one_change());
        around.service.add("never taken");
        it.begin(around.environment);
        REQUIRE(around.wait_for_request("SendMessageBatch"));
        it.signal(number);
        CHECK(it.ended_so());
        const auto answers = around.service.answers();
        CHECK(answers == std::vector<lambda_runtime::answer>{{"response", "1", success, ""}});
        CHECK(around.messages("WORDS_QUEUE_URL").size() == 1);
    }
}

TEST_CASE("a queue that is down leaves the records to the stream: the answer names the first of them, in time") {
    program it{0};
    cloud around;
    around.server.faults().add({.kind = fake_aws::fault_kind::error_json,
                                .operation = "SendMessageBatch",
                                .times = fake_aws::always});
    const auto event = one_change();
    around.service.add(event);
    it.begin(around.environment);
    REQUIRE(around.service.wait_for_answers(1));
    const auto sequence = json::parse(event)["Records"][0]["dynamodb"]["SequenceNumber"].get<std::string>();
    CHECK(around.service.answers().front().body ==
          R"({"batchItemFailures":[{"itemIdentifier":")" + sequence + R"("}]})");
    around.server.faults().clear();
    around.service.add(event);
    REQUIRE(around.service.wait_for_answers(2));
    CHECK(around.service.answers().back().body == success);
    it.signal(SIGTERM);
    CHECK(it.ended_so());
    CHECK(around.messages("WORDS_QUEUE_URL").size() == 1);
    CHECK(around.messages("DEAD_LETTER_QUEUE_URL").empty());
}

TEST_CASE("what the environment lacks or has wrong is told to the service and in one line: exit code 1") {
    struct environment_case {
        variables changes;
        std::set<std::string> without;
        std::string names;
    };
    const std::vector<environment_case> cases{
        {{{"_HANDLER", "resume_processor.handler"}}, {}, "_HANDLER: 'resume_processor.handler'"},
        {{{"_HANDLER", ""}}, {}, "_HANDLER"},
        {{}, {"LINES_QUEUE_URL"}, "LINES_QUEUE_URL: not set"},
        {{}, {"WORDS_QUEUE_URL"}, "WORDS_QUEUE_URL: not set"},
        {{{"LINES_QUEUE_URL", "http://127.0.0.1:1/1/none.fifo"}}, {}, "LINES_QUEUE_URL: "},
        {{{"DEAD_LETTER_QUEUE_URL", "no URL"}}, {}, "DEAD_LETTER_QUEUE_URL: "},
        {{{"LOG_LEVEL", "LOUD"}}, {}, "LOG_LEVEL: 'LOUD'"},
        {{{"MONITORED_FIELDS_RECEIPT_METADATA", "address,,place"}}, {}, "MONITORED_FIELDS_RECEIPT_METADATA"},
        {{}, {"AWS_REGION"}, "AWS_REGION"},
        {{{"AWS_SECRET_ACCESS_KEY", "wrong"}}, {}, "LINES_QUEUE_URL: "},
    };
    for (const auto& each : cases) {
        CAPTURE(each.names);
        const auto got = refused(each.changes, each.without);
        CHECK(got.ended_so);
        REQUIRE(got.lines.size() == 1);
        CAPTURE(got.lines[0]);
        CHECK(got.lines[0].starts_with("CRITICAL: The function cannot be started: "));
        CHECK(got.lines[0].find(each.names) != std::string::npos);
        REQUIRE(got.answers.size() == 1);
        CHECK(got.answers[0].what == "init/error");
        CHECK(json::parse(got.answers[0].body)["errorMessage"].get<std::string>().find(each.names) !=
              std::string::npos);
    }
}

TEST_CASE("a runtime API that nobody serves is one line and exit code 3") {
    program it{3};
    cloud around;
    std::string gone;
    { gone = lambda_runtime{}.address(); }
    around.environment["AWS_LAMBDA_RUNTIME_API"] = gone;
    around.environment["LOG_LEVEL"] = "CRITICAL";
    it.begin(around.environment);
    CHECK(it.ended_so());
    const auto lines = it.lines();
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].starts_with("CRITICAL: the runtime API at http://" + gone));
}
