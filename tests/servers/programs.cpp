// The programs themselves, on the servers: what they leave behind is what they leave behind on SQLite, and a bad day is
// one line and exit code 3. FRESHET_PROGRAMS names the directory where they are.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <adapters/aws/client.hpp>
#include <adapters/aws/message_queue.hpp>
#include <adapters/aws/queue_admin.hpp>
#include <adapters/sqlite/database.hpp>
#include <fake_aws/server.hpp>
#include <freshet/backend/message_queue.hpp>
#include <freshet/core/time.hpp>
#include <receipts/sample_events.hpp>
#include <support/http_server.hpp>
#include <support/run_program.hpp>
#include <support/scratch_directory.hpp>
#include <support/server_process.hpp>

namespace {

using nlohmann::json;
using variables = std::map<std::string, std::string>;

auto program(const std::string& name) -> std::string {
    const auto* directory = std::getenv("FRESHET_PROGRAMS");
    REQUIRE_MESSAGE(directory != nullptr, "FRESHET_PROGRAMS names the directory of the programs");
    return std::string{directory} + "/" + name;
}

auto now() -> freshet::time_point { return std::chrono::floor<freshet::duration>(std::chrono::system_clock::now()); }

auto variables_of(const adapters::aws::settings& settings) -> variables {
    return {{"AWS_ENDPOINT_URL", settings.endpoint},
            {"AWS_REGION", settings.region},
            {"AWS_ACCESS_KEY_ID", settings.keys.access_key},
            {"AWS_SECRET_ACCESS_KEY", settings.keys.secret_key},
            {"AWS_SESSION_TOKEN", settings.keys.session_token},
            {"AWS_ENDPOINT_URL_DYNAMODB", ""},
            {"AWS_ENDPOINT_URL_DYNAMODB_STREAMS", ""},
            {"AWS_ENDPOINT_URL_SQS", ""},
            {"AWS_CA_BUNDLE", ""},
            {"DEAD_LETTER_QUEUE_URL", ""},
            {"MONITORED_FIELDS_RECEIPT_METADATA", ""},
            {"MONITORED_FIELDS_RECEIPT_WORD_LABEL", ""},
            {"DYNAMODB_TABLE_NAME", ""},
            {"LOG_LEVEL", "ERROR"}};
}

/// A server that stands in for AWS, and the settings that it lets in.
struct stand_in {
    std::string name;
    std::unique_ptr<fake_aws::server> fake{};
    std::unique_ptr<support::server_process> moto{};
    adapters::aws::settings settings{};
};

/// The fake, and moto where it can be had.
auto stand_ins() -> std::vector<stand_in> {
    std::vector<stand_in> all(1);
    all[0].name = "the fake";
    all[0].fake = std::make_unique<fake_aws::server>(now);
    all[0].settings = all[0].fake->settings();
    auto moto = support::start_moto();
    if (moto) {
        auto& one = all.emplace_back();
        one.name = "moto_server";
        one.moto = *std::move(moto);
        one.settings.endpoint = one.moto->endpoint();
        one.settings.region = "us-east-1";
        one.settings.keys = {"any", "any", ""};
    } else {
        MESSAGE("without moto_server: " << moto.why().note);
    }
    return all;
}

/// All embeddings of a demonstration, one a line.
auto embeddings_in(const std::string& directory) -> std::vector<std::string> {
    auto file = adapters::sqlite::database::open(directory + "/embeddings.sqlite", {.read_only = true});
    REQUIRE(file.ok());
    auto rows = file->prepare("SELECT collection || ' ' || id || ' ' || metadata FROM embedding ORDER BY 1");
    REQUIRE(rows.ok());
    std::vector<std::string> all;
    while (*rows->step()) {
        auto line = std::string{rows->text(0)};
        const auto begin = line.find('{'); // the order of keys tells when each came
        all.push_back(line.substr(0, begin) + json::parse(line.substr(begin)).dump());
    }
    return all;
}

/// What a queue holds, as its groups have it: bodies and deduplication ids, in order.
auto drained(adapters::aws::message_queue& queue) -> std::map<std::string, std::vector<std::string>> {
    std::map<std::string, std::vector<std::string>> groups;
    for (;;) {
        const auto some = queue.receive({10, std::nullopt});
        REQUIRE_MESSAGE(some.ok(), (some.ok() ? "" : some.why().note));
        if (some->empty()) { return groups; }
        std::vector<std::string> receipts;
        for (const auto& message : *some) {
            groups[message.group_id].push_back(message.deduplication_id + " " + message.sequence + " " + message.body);
            receipts.push_back(message.receipt);
        }
        REQUIRE(queue.erase(receipts).ok());
    }
}

/// Events in a file, and queues for what they make.
struct events_file {
    support::scratch_directory files;
    std::string path = files.file("events.jsonl");

    explicit events_file(std::size_t receipts) {
        std::ofstream to{path};
        for (const auto& event : receipts::sample_events{}.make(receipts)) { to << event << '\n'; }
    }
};

} // namespace

TEST_CASE("the same demonstration leaves the same embeddings on SQLite, on the fake and on moto") {
    const support::scratch_directory files;
    const std::vector<std::string> wanted{"--receipts", "6", "--edits", "80", "--seed", "7", "--json"};
    const auto run = [&](const std::string& name, std::vector<std::string> words, const variables& with) {
        words.insert(words.begin(), {program("demo"), "--dir", files.file(name)});
        words.insert(words.end(), wanted.begin(), wanted.end());
        const auto done = support::run_program(std::move(words), with);
        CAPTURE(name);
        CAPTURE(done.err);
        REQUIRE(done.code == 0);
        const auto said = json::parse(done.out);
        CHECK(said["verify"]["differences"] == 0);
        CHECK(said["edit"]["edits"] == 80);
        CHECK(said["label_counts"]["words"] > 10);
        CHECK(said["label_counts"]["hits"] == said["label_counts"]["reads"]);
        CHECK(said["label_counts"]["differences"] == 0);
        CHECK(said["validation"]["labels"]["updated"] > 10);
        CHECK(said["validation"]["metadata"]["items"] > 3);
        CHECK(said["validation"]["wrong"].empty());
        CHECK(said["table_cache"]["wrong"].empty());
        return embeddings_in(files.file(name));
    };
    const auto on_sqlite = run("sqlite", {"--no-sync"}, {{"LOG_LEVEL", "ERROR"}});
    REQUIRE(on_sqlite.size() > 100);
    for (const auto& one : stand_ins()) {
        CHECK(run(one.name, {"--backend", "aws"}, variables_of(one.settings)) == on_sqlite);
    }
}

TEST_CASE("the directory of a demonstration on one backend is refused for another, whatever the role: exit code 3") {
    const fake_aws::server server{now};
    const auto with = variables_of(server.settings());
    const support::scratch_directory files;
    const auto on_sqlite = files.file("sqlite");
    const auto on_aws = files.file("aws");
    const auto run = [&](const std::string& role, const std::vector<std::string>& words) {
        std::vector<std::string> all{program("demo")};
        if (!role.empty()) { all.push_back(role); }
        all.insert(all.end(), words.begin(), words.end());
        return support::run_program(std::move(all), with);
    };
    REQUIRE(run("load", {"--dir", on_sqlite, "--receipts", "2", "--no-sync"}).code == 0);
    REQUIRE(run("", {"--backend", "aws", "--dir", on_aws, "--receipts", "2", "--edits", "0"}).code == 0);
    for (const auto* role : {"", "load", "write", "pump", "consume", "verify", "redrive"}) {
        CAPTURE(role);
        const auto refused = run(role, {"--backend", "aws", "--dir", on_sqlite});
        CHECK(refused.code == 3);
        CHECK(refused.err == "demo: " + on_sqlite + ": has a demonstration on SQLite, and its embeddings\n");
    }
    for (const auto* role : {"", "load", "verify"}) {
        CAPTURE(role);
        const auto refused = run(role, {"--dir", on_aws});
        CHECK(refused.code == 3);
        CHECK(refused.err == "demo: " + on_aws + ": has embeddings, and not the table that they are made from\n");
    }
}

TEST_CASE("the same events make the same messages in a file, on the fake and on moto") {
    const events_file events{12};
    const auto in_file = events.files.file("messages.jsonl");
    const auto written = support::run_program(
        {program("stream_to_fifo"), "--input", events.path, "--output", in_file}, {{"LOG_LEVEL", "ERROR"}});
    CAPTURE(written.err);
    REQUIRE(written.code == 0);
    std::map<std::string, std::map<std::string, std::multiset<std::string>>> wanted; // by queue and group
    std::ifstream lines{in_file};
    for (std::string line; std::getline(lines, line);) {
        const auto message = json::parse(line);
        const auto at = line.find(R"("body":)") + 7;
        wanted[message["queue"]][message["group"]].insert(message["dedup"].get<std::string>() + " " +
                                                          line.substr(at, line.size() - 1 - at));
    }
    REQUIRE(wanted.size() == 2);
    for (const auto& one : stand_ins()) {
        CAPTURE(one.name);
        const adapters::aws::client client{one.settings};
        auto with = variables_of(one.settings);
        for (const auto& [queue, groups] : wanted) {
            auto url = adapters::aws::create_queue(client, {.name = queue + ".fifo"});
            REQUIRE_MESSAGE(url.ok(), (url.ok() ? "" : url.why().note));
            with[queue == "lines" ? "LINES_QUEUE_URL" : "WORDS_QUEUE_URL"] = *url;
        }
        const auto sent =
            support::run_program({program("stream_to_fifo"), "--backend", "aws", "--input", events.path}, with);
        CAPTURE(sent.err);
        REQUIRE(sent.code == 0);
        for (const auto& [name, groups] : wanted) {
            auto queue = adapters::aws::message_queue::open(
                client, with[name == "lines" ? "LINES_QUEUE_URL" : "WORDS_QUEUE_URL"]);
            REQUIRE(queue.ok());
            std::map<std::string, std::multiset<std::string>> came;
            for (const auto& [group, messages] : drained(*queue)) {
                for (const auto& message : messages) {
                    const auto id = message.find(' '); // the sequence number is not in the file
                    came[group].insert(message.substr(0, id) + message.substr(message.find(' ', id + 1)));
                }
            }
            CHECK(came == groups);
        }
    }
}

TEST_CASE("a bad day is one line and exit code 3, and what was not sent then is sent later") {
    fake_aws::server server{now};
    const adapters::aws::client client{server.settings()};
    auto good = variables_of(server.settings());
    for (const auto* name : {"lines", "words"}) {
        auto url = adapters::aws::create_queue(client, {.name = std::string{name} + ".fifo"});
        REQUIRE(url.ok());
        good[name == std::string{"lines"} ? "LINES_QUEUE_URL" : "WORDS_QUEUE_URL"] = *url;
    }
    const support::http_server proxy{[](const support::http_request&) {
        return support::http_response{200, "<html><body>Please log in</body></html>", {{"Content-Type", "text/html"}}};
    }};
    struct bad_day {
        std::string name;
        variables change;
        std::string words;
    };
    const auto expired = fake_aws::expired_key();
    const std::vector<bad_day> days{
        {"a wrong secret", {{"AWS_SECRET_ACCESS_KEY", "wrong"}}, "signature"},
        {"an unknown key", {{"AWS_ACCESS_KEY_ID", "AKIANOBODY"}}, "token"},
        {"no credentials", {{"AWS_ACCESS_KEY_ID", ""}}, "AWS_ACCESS_KEY_ID"},
        {"a wrong region", {{"AWS_REGION", "eu-west-1"}}, "region"},
        {"an expired token",
         {{"AWS_ACCESS_KEY_ID", expired.access_key},
          {"AWS_SECRET_ACCESS_KEY", expired.secret_key},
          {"AWS_SESSION_TOKEN", expired.session_token}},
         "expired"},
        {"an endpoint that is down", {{"AWS_ENDPOINT_URL", "http://127.0.0.1:1"}}, "127.0.0.1:1"},
        {"a proxy that answers HTML", {{"AWS_ENDPOINT_URL", proxy.endpoint()}}, "text/html"},
        {"what is not there",
         {{"DYNAMODB_TABLE_NAME", "nowhere"},
          {"LINES_QUEUE_URL", server.endpoint() + "/123456789012/nowhere.fifo"}},
         "no"},
    };
    const events_file events{3};
    const support::scratch_directory files;
    const auto one_line = [](const std::string& text) {
        return text.ends_with('\n') && std::count(text.begin(), text.end(), '\n') == 1;
    };
    for (const auto& day : days) {
        CAPTURE(day.name);
        auto with = good;
        for (const auto& [name, value] : day.change) { with[name] = value; }
        const auto sent =
            support::run_program({program("stream_to_fifo"), "--backend", "aws", "--input", events.path}, with);
        CAPTURE(sent.err);
        CHECK(sent.code == 3);
        CHECK(one_line(sent.err));
        CHECK(sent.err.find(day.words) != std::string::npos);

        const auto edited = support::run_program(
            {program("demo"), "verify", "--backend", "aws", "--dir", files.file("data")}, with);
        CAPTURE(edited.err);
        CHECK(edited.code == 3);
        CHECK(one_line(edited.err));
        CHECK(edited.err.find(day.words) != std::string::npos);
        CHECK(edited.err.find(server.settings().keys.secret_key) == std::string::npos);
    }
    const auto sent = server.sqs().handle("ReceiveMessage", {{"QueueUrl", good["LINES_QUEUE_URL"]}});
    CHECK(sent.body.value("Messages", json::array()).empty());
    const auto later =
        support::run_program({program("stream_to_fifo"), "--backend", "aws", "--input", events.path}, good);
    CAPTURE(later.err);
    CHECK(later.code == 0);
    auto lines = adapters::aws::message_queue::open(client, good["LINES_QUEUE_URL"]);
    REQUIRE(lines.ok());
    CHECK(!drained(*lines).empty());
}
