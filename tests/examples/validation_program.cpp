#include <validation/program.hpp>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <freshet/testing/manual_clock.hpp>
#include <receipts/sample_receipts.hpp>
#include <support/scratch_directory.hpp>
#include <validation/scoring.hpp>
#include <validation/sqlite_place.hpp>
#include <validation/whole.hpp>

namespace {

using namespace std::chrono_literals;
using validation::command;

auto content(const std::string& path) -> std::string {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

/// What `act()` prints on stdout, and what it answers.
template <class Act>
auto printed(Act act) -> std::pair<std::string, int> {
    const support::scratch_directory files;
    const auto out = files.file("out");
    std::fflush(stdout);
    const auto kept = ::dup(STDOUT_FILENO);
    const auto to = ::open(out.c_str(), O_WRONLY | O_CREAT, 0600);
    ::dup2(to, STDOUT_FILENO);
    const auto code = act();
    std::fflush(stdout);
    ::dup2(kept, STDOUT_FILENO);
    ::close(kept);
    ::close(to);
    return {content(out), code};
}

/// The program on SQLite files of a directory of its own, run after run.
struct bench {
    support::scratch_directory scratch{};
    std::string directory{scratch.file("data")};
    std::string labels{scratch.file("labels")};
    std::string said{};
    validation::settings wanted{};
    freshet::testing::manual_clock clock{};
    validation::receipts_input input{};
    std::stop_source stop{};

    bench() {
        wanted.labels = labels;
        wanted.log = support::log{support::log_level::info, &said};
        input.receipts = receipts::sample_receipts{}.make(12);
    }

    auto run(command what) -> std::pair<std::string, int> {
        wanted.what = what;
        said.clear();
        clock.advance(1min);
        return printed([&] {
            const auto token = stop.get_token();
            const auto code =
                validation::in_directory(directory, {.durable = false}, true, clock, [&](auto& at) -> int {
                    return validation::program{wanted, input, at, clock, token}.run();
                });
            REQUIRE(code);
            return *code;
        });
    }
    auto run_json(command what) -> std::pair<nlohmann::json, int> {
        wanted.json = true;
        const auto ran = run(what);
        wanted.json = false;
        CAPTURE(ran.first);
        auto read = nlohmann::json::parse(ran.first, nullptr, false);
        REQUIRE_FALSE(read.is_discarded());
        return {std::move(read), ran.second};
    }
};

TEST_CASE("a run is told to a person and to a program, and its labels are in the file") {
    bench all;
    const auto [text, code] = all.run(command::pending_labels);
    CHECK(code == 0);
    CHECK(text.starts_with("pending-labels of 2025-01-15T"));
    CHECK(text.find(": complete in ") != std::string::npos);
    CHECK(text.find("receipts worked on: 0 failed, 0 dead letters") != std::string::npos);
    CHECK(all.said.find("12 receipts read, 12 of them new") != std::string::npos);
    const auto labels = content(all.labels);
    CHECK(labels.find("PENDING") == std::string::npos);

    const auto [report, again] = all.run_json(command::pending_labels);
    CHECK(again == 0);
    CHECK(report["state"] == "complete");
    CHECK(report["listed"] == 0);
    CHECK(all.said.find("0 of them new") != std::string::npos);
    CHECK(content(all.labels) == labels);
}

TEST_CASE("a run with a limit is well when it comes to it, and the next one goes on behind it") {
    bench all;
    all.wanted.most = 5;
    const auto [first, code] = all.run_json(command::metadata);
    CHECK(code == 0);
    CHECK(first["state"] == "stopped");
    CHECK(first["worked"] == 5);
    all.wanted.most.reset();
    const auto [second, well] = all.run_json(command::metadata);
    CHECK(well == 0);
    CHECK(second["worked"] == 7);
    CHECK(second["due"] == first["due"]);
    CHECK(all.said.find("metadata: goes on with the round of ") != std::string::npos);
}

TEST_CASE("a run that a stop ended before the end is not well") {
    bench all;
    all.stop.request_stop();
    CHECK(all.run(command::pending_labels).second == 1);
}

TEST_CASE("a deadline that has no room for a batch ends a run, and says so") {
    bench all;
    all.wanted.limit = 2s;
    all.wanted.lease = 1h;
    auto& clock = all.clock;
    const auto token = all.stop.get_token();
    all.wanted.what = command::pending_labels;
    const auto [text, code] = printed([&] {
        const auto ran = validation::in_directory(all.directory, {.durable = false}, true, clock, [&](auto& at) -> int {
            const auto query = at.receipts.query;
            at.receipts.query = [&, query](const auto& which, const auto& request) {
                clock.advance(300ms); // each reading takes its time
                return query(which, request);
            };
            return validation::program{all.wanted, all.input, at, clock, token}.run();
        });
        return *ran;
    });
    CHECK(code == 1);
    CHECK(text.find(": stopped in ") != std::string::npos);
    all.wanted.limit = {};
    CHECK(all.run(command::pending_labels).second == 0);
    CHECK(content(all.labels).find("PENDING") == std::string::npos);
}

TEST_CASE("a dry run prints what it would write, and writes nothing") {
    bench all;
    all.wanted.what = command::pending_labels;
    static_cast<void>(all.run(command::redrive)); // loads
    const auto before = content(all.labels);
    CHECK(before.find("PENDING") != std::string::npos);
    all.wanted.dry_run = true;
    for (const auto what : {command::pending_labels, command::process_all, command::reverify, command::metadata}) {
        const auto [text, code] = all.run(what);
        CHECK(code == 0);
        CHECK(text.find("would change IMAGE#") != std::string::npos);
        CHECK(text.find(": complete in ") != std::string::npos);
    }
    all.wanted.dry_run = false;
    static_cast<void>(all.run(command::redrive));
    CHECK(content(all.labels) == before);
    const auto [history, code] = all.run_json(command::runs);
    CHECK(code == 0);
    for (const auto& job : history) { CHECK(job["runs"].empty()); }
}

TEST_CASE("a dry run tells what the next run would do of a round that was begun") {
    bench all;
    all.wanted.most = 5;
    static_cast<void>(all.run(command::metadata));
    all.wanted.most.reset();
    all.wanted.dry_run = true;
    const auto [text, code] = all.run(command::metadata);
    CHECK(code == 0);
    CHECK(text.find(", 7 receipts worked on: ") != std::string::npos);
    CHECK(all.said.find("metadata: goes on with the round of ") != std::string::npos);
}

TEST_CASE("neither a dry run nor the history makes or writes a file") {
    bench all;
    static_cast<void>(all.run(command::redrive)); // loads
    std::filesystem::remove(all.directory + "/jobs.sqlite");
    std::filesystem::remove(all.directory + "/queues.sqlite");
    const auto table = content(all.directory + "/table.sqlite");
    all.input.receipts.clear();
    for (const auto what : {command::pending_labels, command::runs}) {
        all.wanted.what = what;
        all.wanted.dry_run = what != command::runs;
        all.wanted.where = validation::backend::sqlite;
        all.wanted.directory = all.directory;
        const auto ran = printed([&] {
            const auto code = validation::run_on(all.wanted, all.input, all.clock);
            REQUIRE(code);
            return *code;
        });
        CHECK(ran.second == 0);
    }
    CHECK(content(all.directory + "/table.sqlite") == table);
    CHECK_FALSE(std::filesystem::exists(all.directory + "/jobs.sqlite"));
    CHECK_FALSE(std::filesystem::exists(all.directory + "/queues.sqlite"));
}

TEST_CASE("a file that cannot be written is some failure, told before anything runs where that can be known") {
    for (const bool metrics : {false, true}) {
        bench all;
        (metrics ? all.wanted.metrics : all.wanted.labels) = all.scratch.file("none/file");
        const auto [text, code] = all.run(command::pending_labels);
        CHECK(code == 1);
        CHECK(text.empty());
    }
    bench full;
    full.clock.advance(freshet::wall_clock{}.now() - full.clock.now());
    full.wanted.metrics = "/dev/full";
    CHECK(full.run(command::pending_labels).second == 1);
}

TEST_CASE("a round that ends well tells the failures of its earlier runs") {
    bench all;
    static_cast<void>(all.run(command::redrive)); // loads
    {
        auto reports = adapters::sqlite::table<freshet::testing::manual_clock>::open(all.directory + "/jobs.sqlite",
                                                                                     all.clock, adapters::runs_table());
        REQUIRE(reports);
        adapters::run_store runs{*reports};
        const auto then = all.clock.now();
        REQUIRE(runs.put({.job = "pending-labels",
                          .run = "killed",
                          .due = then,
                          .started_at = then,
                          .seen_at = then,
                          .failed = 2,
                          .dead_lettered = 1}));
    }
    static_cast<void>(all.run(command::pending_labels));
    CHECK(all.said.find("earlier runs of this round had 2 failed receipts, 1 dead letters") != std::string::npos);
    static_cast<void>(all.run(command::pending_labels));
    CHECK(all.said.find("earlier runs") == std::string::npos);
}

TEST_CASE("an upload processes the receipts that are brought, and knows them again") {
    bench all;
    for (auto& receipt : all.input.receipts) {
        receipt.merchant = {};
        for (auto& word : receipt.words) { word.labels.clear(); }
    }
    const auto [first, code] = all.run_json(command::upload);
    CHECK(code == 0);
    CHECK(first["worked"] == 12);
    CHECK(first["job"].get<std::string>().starts_with("upload "));
    const auto labels = content(all.labels);
    CHECK(labels.find("\"VALID\"") != std::string::npos);
    const auto [second, again] = all.run_json(command::upload);
    CHECK(again == 0);
    CHECK(second["updated"] == 0);
    CHECK(second["job"] == first["job"]);
    CHECK(content(all.labels) == labels);
}

TEST_CASE("a receipt that cannot be read is some failure, told in a dead letter that stays until it can") {
    bench all;
    static_cast<void>(all.run(command::redrive)); // loads
    {
        auto table = adapters::sqlite::table<freshet::testing::manual_clock>::open(
            all.directory + "/table.sqlite", all.clock, receipts::receipts_table());
        REQUIRE(table);
        const auto orphan = receipts::item_text{}
                                .text("PK", "IMAGE#0ba2d2c0-93d5-4a0c-9c6b-2f4f8b8f6a01")
                                .text("SK", "RECEIPT#00001#LINE#00001#WORD#00001#LABEL#DATE")
                                .text("GSI3PK", "VALIDATION_STATUS#PENDING")
                                .text("validation_status", "PENDING")
                                .read();
        REQUIRE(table->put(*orphan));
    }
    const auto [report, code] = all.run_json(command::pending_labels);
    CHECK(code == 1);
    CHECK(report["failed"] == 1);
    CHECK(report["dead_lettered"] == 1);
    CHECK(all.said.find("WARNING: ") != std::string::npos);
    const auto [letters, still] = all.run_json(command::redrive);
    CHECK(still == 1);
    CHECK(letters["failed"] == 1);
}

TEST_CASE("the history tells what ran, what it costs, what was missed and what CloudWatch has no alarm for") {
    bench all;
    all.wanted.metrics = all.scratch.file("metrics");
    static_cast<void>(all.run(command::pending_labels));
    all.clock.advance(24h * 14);
    all.wanted.cloudwatch = true;
    all.wanted.rates = freshet::compute_rates{2, 0};
    const auto [history, code] = all.run_json(command::runs);
    CHECK(code == 4); // an alarm: two Sundays have passed
    REQUIRE(history.size() == 4);
    const auto& labels = history[0];
    CHECK(labels["job"] == "pending-labels");
    CHECK(labels["runs"].size() == 1);
    CHECK(labels["last_30_days"]["complete"] == 1);
    CHECK(labels["missed"].size() == 2);
    CHECK(labels["alarms"]["no_execution"]["state"] == "ALARM");
    CHECK(labels["cloudwatch"]["alarms"].size() == 3);
    const auto& quarterly = history[2];
    CHECK(quarterly["cloudwatch"]["alarms"].empty());
    CHECK(quarterly["cloudwatch"]["not_expressible"].size() == 3);
    CHECK(quarterly["month_estimate"]["executions"].get<double>() == doctest::Approx(1.0 / 3));
    CHECK(quarterly["month_estimate"]["cost"].get<double>() == doctest::Approx(900 * 3008.0 / 1024 * 2 / 3));
    const auto [text, same] = all.run(command::runs);
    CHECK(same == 4);
    CHECK(text.find("missed: 2025-01-19T02:00:00Z never_ran") != std::string::npos);
    CHECK(content(*all.wanted.metrics).empty()); // of a day that CloudWatch would not take
}

TEST_CASE("a file of labels is written as a whole, or the old one stays") {
    const support::scratch_directory scratch;
    const auto file = scratch.file("labels");
    REQUIRE(validation::write_whole(file, "old\n"));
    CHECK(content(file) == "old\n");
    REQUIRE(validation::write_whole(file, "new\n"));
    CHECK(content(file) == "new\n");
    CHECK(std::distance(std::filesystem::directory_iterator{scratch.path()}, {}) == 1);
    const auto none = validation::write_whole(scratch.file("none/labels"), "x");
    REQUIRE_FALSE(none);
    CHECK(none.why().note.find("No such file or directory") != std::string::npos);
    const auto full = validation::write_whole("/dev/full", "x");
    REQUIRE_FALSE(full);
    CHECK(full.why().note == "/dev/full: No space left on device");
    CHECK(std::filesystem::is_character_file("/dev/full"));
}

TEST_CASE("a score compares final labels with the truth, and refuses what is none of the two") {
    const support::scratch_directory scratch;
    const auto truth = scratch.file("truth"), labels = scratch.file("labels");
    constexpr auto image = "0ba2d2c0-93d5-4a0c-9c6b-2f4f8b8f6a01";
    std::ofstream{truth} << R"({"image_id":")" << image
                         << R"(","receipt_id":1,"metadata":{},"words":[{"line_id":1,"word_id":1,"text":"a","labels":[)"
                            R"({"label":"DATE","validation_status":"PENDING","truth":"VALID"}]},)"
                            R"({"line_id":1,"word_id":2,"text":"b","labels":[)"
                            R"({"label":"DATE","validation_status":"PENDING","truth":"INVALID"}]}]})"
                         << '\n';
    const auto line = [&](int word, const char* status) {
        return std::string{R"({"image_id":")"} + image + R"(","receipt_id":1,"line_id":1,"word_id":)" +
               std::to_string(word) + R"(,"label":"DATE","validation_status":")" + status + "\"}\n";
    };
    std::ofstream{labels} << line(1, "VALID") << line(2, "VALID");
    const auto [text, code] = printed([&]() -> int { return validation::print_score(truth, labels, true); });
    CHECK(code == 0);
    const auto score = nlohmann::json::parse(text);
    CHECK(score["balanced_accuracy"] == 0.5);
    CHECK(score["mistakes"].size() == 1);
    const auto [table, well] = printed([&]() -> int { return validation::print_score(truth, labels, false); });
    CHECK(well == 0);
    CHECK(table.find("0.5000") != std::string::npos);
    CHECK(printed([&]() -> int { return validation::print_score(truth, truth, true); }).second == 2);
    CHECK(printed([&]() -> int { return validation::print_score(scratch.file("no"), labels, true); }).second == 2);
}

} // namespace
