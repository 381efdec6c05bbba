#include <label_counts/backends.hpp>
#include <label_counts/command_line.hpp>
#include <label_counts/program.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <adapters/sqlite/database.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <receipts/receipts_table.hpp>
#include <support/process.hpp>
#include <support/scratch_directory.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::cache_origin;
using freshet::update_outcome;
using nlohmann::json;
using manual_clock = freshet::testing::manual_clock;
using by_status = std::map<std::string, std::uint64_t, std::less<>>;
using counted = std::map<std::string, by_status, std::less<>>;

const support::log quiet{static_cast<support::log_level>(99)};

/// What SQLite itself counts in a table's file.
auto group_by(const std::string& directory) -> counted {
    auto file = adapters::sqlite::database::open(directory + "/table.sqlite", {.read_only = true});
    REQUIRE(file.ok());
    auto rows = file->prepare(
        "SELECT substr(json_extract(text, '$.GSI1PK.S'), 7) AS label,"
        " json_extract(text, '$.validation_status.S'), count(*)"
        " FROM item WHERE label IS NOT NULL GROUP BY 1, 2");
    REQUIRE(rows.ok());
    counted all;
    while (rows->step().value()) {
        all[std::string{rows->text(0)}][std::string{rows->text(1)}] = static_cast<std::uint64_t>(rows->number(2));
    }
    return all;
}

auto counted_in(const json& read) -> counted {
    counted all;
    for (const auto& each : read["labels"]) {
        if (each["total"] != 0) { all[each["label"]] = each["by_status"].get<by_status>(); }
    }
    return all;
}

/// A directory with the sample receipts, and runs on it by a clock.
struct rig {
    support::scratch_directory scratch{};
    std::string directory{scratch.file("data")};
    manual_clock clock{};
    std::vector<std::string> labels = label_counts::core_labels().value();

    rig() {
        const auto input = label_counts::sample_input();
        REQUIRE(input.ok());
        const auto done = label_counts::in_directory(directory, input->items, clock, [](auto&, auto&) { return 0; });
        REQUIRE_MESSAGE(done.ok(), (done.ok() ? "" : done.why().note));
    }

    template <class Use>
    void with(Use use) {
        const auto done = label_counts::in_directory(directory, {}, clock, [&](auto& table, auto& store) {
            use(table, store);
            return 0;
        });
        REQUIRE_MESSAGE(done.ok(), (done.ok() ? "" : done.why().note));
    }
    auto run(const std::string& failing = "") -> label_counts::run_report {
        label_counts::run_report report;
        with([&](auto& table, auto& store) {
            label_counts::failing_table broken{table, failing};
            report = label_counts::update(store, clock, label_counts::counter_of(broken, clock, {}), labels, {}, quiet);
        });
        return report;
    }
    auto read() -> label_counts::reading {
        label_counts::reading seen;
        with([&](auto& table, auto& store) {
            seen = label_counts::read(store, clock, label_counts::counter_of(table, clock, {}), labels, quiet);
        });
        return seen;
    }
};

/// What the program says and ends with.
struct ended {
    int code{};
    std::string out;
    std::string err;
};

/// Runs the program in a process of its own, with these variables set.
auto program(const std::vector<std::string>& words, const std::map<std::string, std::string>& variables = {},
             int signal_after_output = 0) -> ended {
    const support::scratch_directory files;
    const auto out = files.file("out");
    const auto err = files.file("err");
    const auto text = [](const std::string& path) {
        std::ifstream file{path, std::ios::binary};
        return std::string{std::istreambuf_iterator<char>{file}, {}};
    };
    std::fflush(stdout);
    const auto child = ::fork();
    if (child == 0) {
        for (const auto& [name, value] : variables) { ::setenv(name.c_str(), value.c_str(), 1); }
        ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT, 0600), STDOUT_FILENO);
        ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
        std::vector<const char*> argv{"label_counts"};
        for (const auto& word : words) { argv.push_back(word.c_str()); }
        const auto read = label_counts::read_settings(static_cast<int>(argv.size()), argv.data());
        const auto code = read.wanted ? label_counts::run(*read.wanted) : read.exit_code;
        std::fflush(stdout);
        ::_exit(code);
    }
    if (signal_after_output != 0) {
        const auto last = std::chrono::steady_clock::now() + 60s;
        while (text(out).empty() && std::chrono::steady_clock::now() < last) { std::this_thread::yield(); }
        ::kill(child, signal_after_output);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), text(out), text(err)};
}

} // namespace

TEST_CASE("the counts are those of SQLite's own GROUP BY, from the cache and in real time") {
    rig it;
    const auto truth = group_by(it.directory);
    CHECK(truth.size() == 5);
    CHECK(counted_in(label_counts::as_json(it.read())) == truth);
    CHECK(it.run().failed() == 0);
    const auto seen = it.read();
    CHECK(counted_in(label_counts::as_json(seen)) == truth);
    for (const auto& each : seen.labels) { CHECK(each.asked.hits == 2); }
    CHECK(seen.timed == it.labels.size());
}

TEST_CASE("between two runs a failing label keeps its counts, and the others equal GROUP BY") {
    rig it;
    CHECK(it.run().succeeded() == 7);
    const auto before = group_by(it.directory);
    it.clock.advance(5min);
    it.with([&](auto&, auto&) {
        auto file = adapters::sqlite::table<manual_clock>::open(it.directory + "/table.sqlite", it.clock,
                                                                receipts::receipts_table());
        REQUIRE(file.ok());
        for (const auto* label : {"LABEL#DATE", "LABEL#LINE_TOTAL"}) {
            const auto page = file->query({"GSI1", label, {}}, {.limit = 3});
            REQUIRE(page.ok());
            for (const auto& row : page->rows) {
                const auto text = [&](const char* name) { return std::string{row.image().find(name)->text()}; };
                REQUIRE(file->erase({text("PK"), text("SK")}).ok());
            }
        }
    });
    const auto run = it.run("DATE");
    CHECK(run.succeeded() == 6);
    CHECK(run.keys[3].outcome == update_outcome::load_failed);
    auto expected = group_by(it.directory);
    CHECK(expected != before);
    expected["DATE"] = before.at("DATE");
    CHECK(counted_in(label_counts::as_json(it.read())) == expected);
    CHECK(it.run().succeeded() == 7);
    CHECK(counted_in(label_counts::as_json(it.read())) == group_by(it.directory));
}

TEST_CASE("a process that is killed while it counts leaves whole counts, and the next run does the rest") {
    rig it;
    support::process killed{[&] {
        it.with([&](auto& table, auto& store) {
            const auto count = label_counts::counter_of(table, it.clock, {});
            const auto dies = [&](const std::string& label, const freshet::deadline& until) {
                if (label == "LINE_TOTAL") { ::kill(::getpid(), SIGKILL); }
                return count(label, until);
            };
            static_cast<void>(label_counts::update(store, it.clock, dies, it.labels, {.workers = 1}, quiet));
        });
        return true;
    }};
    CHECK(!killed.went_well());
    const auto truth = group_by(it.directory);
    const auto seen = it.read();
    CHECK(counted_in(label_counts::as_json(seen)) == truth);
    for (const auto& each : seen.labels) {
        const bool was_counted = each.label != "LINE_TOTAL" && each.label != "GRAND_TOTAL";
        CAPTURE(each.label);
        CHECK(each.asked.hits == (was_counted ? 2 : 0));
    }
    const auto run = it.run();
    CHECK(run.succeeded() == 7);
    CHECK(run.keys[4].outcome == update_outcome::updated);
    CHECK(run.keys[5].outcome == update_outcome::added);
}

TEST_CASE("the program counts and reads in one go, and each alone, on what another process has left") {
    const rig it;
    const auto all = program({"--dir", it.directory, "--json"});
    CHECK(all.code == 0);
    const auto document = json::parse(all.out);
    CHECK(document["update"]["succeeded"] == 7);
    CHECK(counted_in(document["read"]) == group_by(it.directory));
    CHECK(document["read"]["ratio"].get<double>() > 1);
    const auto metrics = it.scratch.file("metrics");
    const auto failing = program({"update", "--backend", "sqlite:" + it.directory, "--fail", "DATE", "--emf", metrics});
    CHECK(failing.code == 1);
    CHECK(failing.out.starts_with("7 labels: 6 succeeded, 1 failed, in "));
    const auto read = program({"read", "--dir", it.directory, "--json", "--emf", metrics});
    CHECK(read.code == 0);
    CHECK(read.err.empty());
    const auto seen = json::parse(read.out);
    for (const auto& each : seen["read"]["labels"]) { CHECK(each["hits"] == 2); }
    std::ifstream lines{metrics};
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line); ++count) { CHECK(json::accept(line)); }
    CHECK(count == 1 + 7 + 1);

    const auto until = freshet::wall_clock{}.now() + 6min;
    const auto over = program({"read", "--dir", it.directory, "--json", "--now", freshet::field_text(until)});
    const auto counted_anew = json::parse(over.out);
    for (const auto& each : counted_anew["read"]["labels"]) { CHECK(each["origin"] == "loaded"); }
}

TEST_CASE("without a backend the program runs on receipts that are made up, and on those of --input") {
    const auto made_up = program({});
    CHECK(made_up.code == 0);
    CHECK(made_up.out.find("LINE_TOTAL      1413  PENDING 907, VALID 506  fresh") != std::string::npos);
    const support::scratch_directory scratch;
    std::ofstream{scratch.file("in")}
        << R"({"image_id":"8b360bb7-7573-520b-9d7d-f4cefa69eebf","receipt_id":1,"metadata":{},"words":[{"line_id":1,)"
        << R"("word_id":1,"text":"9:30","labels":[{"label":"TIME","validation_status":"VALID"}]}]})"
        << "\nno receipt\n";
    const auto given = program({"--input", scratch.file("in"), "--json"});
    CHECK(given.code == 1);
    CHECK(given.err.starts_with("ERROR: " + scratch.file("in") + ":2: "));
    CHECK(counted_in(json::parse(given.out)["read"]) == counted{{"TIME", {{"VALID", 1}}}});
}

TEST_CASE("the program watches until SIGTERM or SIGINT") {
    const rig it;
    for (const auto signal : {SIGTERM, SIGINT}) {
        const auto watched = program({"--dir", it.directory, "--watch", "--json"}, {}, signal);
        CHECK(watched.code == 0);
        CHECK(json::parse(watched.out)["update"]["succeeded"] == 7);
        CHECK(!json::parse(watched.out).contains("read"));
    }
    const auto often = program({"--dir", it.directory, "--watch", "--fail", "DATE", "--period", "1s"}, {}, SIGTERM);
    CHECK(often.code == 1);
}

TEST_CASE("what the program cannot do it says in one line, with the code for it") {
    const rig it;
    const auto file = it.scratch.file("file");
    std::ofstream{file} << "garbage, more than enough of it that it could be the head of a database, if it were one, "
                           "which it is not";
    const auto empty = it.scratch.file("empty");
    const auto broken = it.scratch.file("broken");
    const auto broken_cache = it.scratch.file("broken_cache");
    for (const auto& each : {empty, broken, broken_cache}) { REQUIRE(std::filesystem::create_directory(each)); }
    std::filesystem::copy_file(file, broken + "/table.sqlite");
    std::filesystem::copy_file(file, broken_cache + "/cache.sqlite");
    std::filesystem::copy_file(it.directory + "/table.sqlite", broken_cache + "/table.sqlite");

    struct bad_day {
        std::vector<std::string> words;
        int code;
        std::string says;
        std::map<std::string, std::string> variables{};
    };
    const std::vector<bad_day> days{
        {{"--dir", file}, 3, file + ": there is no table of receipts; --input loads one"},
        {{"--dir", empty}, 3, empty + ": there is no table of receipts; --input loads one"},
        {{"--dir", empty + "/none"}, 3, empty + "/none: there is no table of receipts; --input loads one"},
        {{"--dir", broken}, 3, broken + "/table.sqlite: PRAGMA application_id: file is not a database"},
        {{"--dir", broken_cache}, 3, broken_cache + "/cache.sqlite: PRAGMA application_id: file is not a database"},
        {{"--backend", "aws"},
         3,
         "the environment says too little about AWS: not set: AWS_ACCESS_KEY_ID",
         {{"AWS_ACCESS_KEY_ID", ""}}},
        {{"--backend", "postgres"}, 2, "--backend: 'postgres' is none of memory, sqlite:DIR, aws"},
        {{"--backend", "aws", "--dir", "d"}, 2, "--backend excludes --dir"},
        {{"--dir", ""}, 2, "--dir: the name of a directory is not empty"},
        {{"--cache", "http://x"}, 2, "--cache: redis address http://x: it does not begin with redis://"},
        {{"--fail", "NOBODY"}, 2, "--fail: 'NOBODY' is none of the CORE_LABELS"},
        {{}, 2, "CORE_LABELS: it names no label", {{"CORE_LABELS", ""}}},
        {{}, 2, "LOG_LEVEL: 'LOUD' is none of", {{"LOG_LEVEL", "LOUD"}}},
        {{"--workers", "0"}, 2, "--workers: '0' is no whole number from 1 to 1000"},
        {{"--period", "5"}, 2, "--period: '5' is no duration such as 90s, 5m, 1h, 2d"},
        {{"--now", "soon"}, 2, "--now: "},
        {{"read", "--watch"}, 2, "--watch is of runs: read has no use for it"},
        {{"--json", "--emf", "-"}, 2, "--json prints on stdout, so --emf must name a file"},
        {{"--emf", empty}, 2, empty + ": Is a directory"},
        {{"--input", empty}, 2, empty + ": Is a directory"},
        {{"--input", file}, 2, "ERROR: " + file + ":1: "},
        {{"--input", "/dev/null"}, 2, "/dev/null: has no receipts"},
        {{"nonsense"}, 2, "The following argument was not expected: nonsense"},
    };
    for (const auto& day : days) {
        CAPTURE(day.says);
        const auto end = program(day.words, day.variables);
        const bool bad_line = day.says.starts_with("ERROR");
        CHECK(end.code == day.code);
        CHECK(end.out.empty());
        CHECK(end.err.starts_with(bad_line ? day.says : "label_counts: " + day.says));
        CHECK(std::count(end.err.begin(), end.err.end(), '\n') == (bad_line ? 2 : 1));
    }
    const auto alone = program({"update", "--fail", "DATE"}, {{"CORE_LABELS", "DATE"}});
    CHECK(alone.code == 1);
    CHECK(alone.err.find("label_counts: the run failed: none of 1 keys was updated") != std::string::npos);
    const auto no_cache = program({"--cache", "redis://127.0.0.1:1"});
    CHECK(no_cache.code == 3);
    const auto bypassed = program({"read", "--cache", "redis://127.0.0.1:1"});
    CHECK(bypassed.code == 0);
    CHECK(bypassed.out.find("  bypassed  ") != std::string::npos);
    CHECK(bypassed.err.starts_with("WARNING: cache_bypassed key=MERCHANT_NAME error=unavailable"));
}
