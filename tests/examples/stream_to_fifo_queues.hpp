#pragma once

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <istream>
#include <iterator>
#include <map>
#include <memory>
#include <sstream>
#include <string>
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
#include <freshet/letter/dead_letter.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <receipts/sample_events.hpp>
#include <stream_to_fifo/backends.hpp>
#include <stream_to_fifo/program.hpp>
#include <stream_to_fifo/settings.hpp>

#include <laws/letters.hpp>
#include <support/environment_variable.hpp>
#include <support/scratch_directory.hpp>

namespace to_queues {

using namespace std::chrono_literals;
using freshet::testing::manual_clock;
using nlohmann::json;
using stream_to_fifo::backend;
using stream_to_fifo::settings;

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

[[nodiscard]] inline auto lines_of(const std::string& path) -> std::vector<std::string> {
    std::ifstream file{path};
    std::vector<std::string> all;
    for (std::string line; std::getline(file, line);) { all.push_back(line); }
    return all;
}

/// The messages of a queue's group, each as deduplication id and body, in their order.
using messages = std::map<std::pair<std::string, std::string>, std::vector<std::string>>;

/// Takes all that is in a queue.
void drain_into(messages& to, auto& queue, const std::string& name) {
    for (const auto& one : laws::drain(queue)) {
        to[{name, one.group_id}].push_back(one.deduplication_id + " " + json::parse(one.body).dump());
    }
}

struct finished {
    int code{};
    std::string said;
    std::vector<std::string> responses;
};

[[nodiscard]] inline auto quiet() -> settings {
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
[[nodiscard]] inline auto to_file_from(const std::string& input) -> to_file {
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
            drain_into(all, queue, name);
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
        drain_into(all, lines_, "lines");
        drain_into(all, words_, "words");
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
            environment_.push_back(std::make_unique<support::environment_variable>(name, value));
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
    std::vector<std::unique_ptr<support::environment_variable>> environment_;
};

[[nodiscard]] inline auto sample(std::size_t receipts) -> std::string {
    std::string input;
    for (const auto& event : receipts::sample_events{}.make(receipts)) { input += event + '\n'; }
    return input;
}

/// A change of a label, of a word of its own.
[[nodiscard]] inline auto record(int number) -> json {
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
[[nodiscard]] inline auto event_of(const json& records) -> std::string {
    return json{{"Records", records}}.dump() + '\n';
}

inline const std::string success = R"({"batchItemFailures":[]})";

} // namespace to_queues
