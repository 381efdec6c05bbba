#include <metrics/command_line.hpp>
#include <metrics/program.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
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
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <adapters/graphql/fake_appsync.hpp>
#include <adapters/sqlite/database.hpp>
#include <fake_aws/server.hpp>
#include <freshet/work/wall_clock.hpp>
#include <support/scratch_directory.hpp>

#include "metrics_command.hpp"

auto run_metrics(int argc, const char* const* argv) -> int {
    const auto read = metrics::read_settings(argc, argv);
    return read.wanted ? metrics::run(*read.wanted) : read.exit_code;
}

namespace {

using namespace std::chrono_literals;
using nlohmann::json;

auto content(const std::string& path) -> std::string {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

/// The program's own code, in the child that a test has made.
[[noreturn]] void be_the_program(const std::vector<std::string>& words) {
    std::vector<const char*> argv{"metrics"};
    for (const auto& word : words) { argv.push_back(word.c_str()); }
    const auto code = run_metrics(static_cast<int>(argv.size()), argv.data());
    std::fflush(stdout);
    ::_exit(code);
}

auto code_of(pid_t child) -> int {
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// What the program says and ends with.
struct ended {
    int code{};
    std::string out;
    std::string err;
};

/// The program in a process of its own.
class running {
public:
    explicit running(const std::vector<std::string>& words, const std::map<std::string, std::string>& variables = {}) {
        std::fflush(stdout);
        child_ = ::fork();
        if (child_ != 0) { return; }
        for (const auto& [name, value] : variables) { ::setenv(name.c_str(), value.c_str(), 1); }
        ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
        ::dup2(::open(out_.c_str(), O_WRONLY | O_CREAT, 0600), STDOUT_FILENO);
        ::dup2(::open(err_.c_str(), O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
        be_the_program(words);
    }

    /// Waits for so many lines on stdout; gives up after a minute.
    void await_lines(std::ptrdiff_t lines) const {
        const auto last = std::chrono::steady_clock::now() + 60s;
        const auto said = [&] {
            const auto text = content(out_);
            return std::count(text.begin(), text.end(), '\n');
        };
        while (said() < lines && std::chrono::steady_clock::now() < last) { std::this_thread::yield(); }
    }
    [[nodiscard]] auto end(int signal = 0) const -> ended {
        if (signal != 0) { ::kill(child_, signal); }
        const auto code = code_of(child_);
        return {code, content(out_), content(err_)};
    }

private:
    support::scratch_directory files_;
    std::string out_{files_.file("out")};
    std::string err_{files_.file("err")};
    pid_t child_{};
};

auto program(const std::vector<std::string>& words, const std::map<std::string, std::string>& variables = {}) -> ended {
    return running{words, variables}.end();
}

/// A file with some lines of everything.
struct input {
    support::scratch_directory scratch{};
    std::string file{scratch.file("in")};
    std::string directory{scratch.file("data")};
    std::vector<std::string> now{"--now", "2024-01-19T14:40:00Z"};

    input() {
        std::ofstream out{file};
        for (int i = 0; i != 200; ++i) {
            const std::string table = i / 2 % 3 == 0 ? "tasks" : "items";
            const auto minute = std::to_string(10 + i % 50);
            out << R"({"table":")" << table << R"(","id":")" << i << R"(","accountId":"a)" << i % 2
                << R"(","createdAt":"2024-01-19T1)" << 2 + i % 3 << ':' << minute
                << R"(:07Z","updatedAt":"2024-01-19T1)" << 3 + i % 3 << ':' << minute << ":07Z\"}\n";
        }
        out << "oops\n"
            << R"({"table":"items","id":"x"})"
            << "\n"
            << R"({"table":"items","id":"2"})"
            << "\n";
    }
    [[nodiscard]] auto with(std::vector<std::string> words) const -> std::vector<std::string> {
        words.insert(words.end(), now.begin(), now.end());
        return words;
    }
};

} // namespace

TEST_CASE("a file, a table in memory and one in SQLite have the same counts to say") {
    const input it;
    const auto lines = program(it.with({"--input", it.file, "--json"}));
    CHECK(lines.code == 1);
    const auto document = json::parse(lines.out);
    CHECK(document["window"] == json{{"start", "2024-01-19T13:00:00Z"}, {"end", "2024-01-19T15:00:00Z"}});
    CHECK(document["records"] == 133);
    CHECK(document["skipped"] == json{{"malformed_line", 1}, {"no_timestamp", 1}});
    CHECK(document["duplicates"] == 1);
    CHECK(document["cross_check"] == true);
    std::size_t per_width[61]{};
    for (const auto& each : document["buckets"]) {
        per_width[each["minutes"].get<int>()] += each["count"].get<std::size_t>();
    }
    for (const auto minutes : {1, 5, 15, 60}) { CHECK(per_width[minutes] == 133); }

    const std::vector<std::vector<std::string>> backends{
        {"--backend", "memory"}, {"--backend", "memory", "--cache"}, {"--dir", it.directory}};
    for (auto words : backends) {
        words.insert(words.end(), {"--input", it.file, "--json"});
        const auto loaded = program(it.with(words));
        CHECK(loaded.code == 1);
        CHECK(loaded.out == lines.out);
    }
    const auto kept = program(it.with({"--backend", "sqlite:" + it.directory, "--json"}));
    CHECK(kept.code == 1);
    auto same = document;
    same["skipped"].erase("malformed_line");
    same["duplicates"] = 0;
    CHECK(json::parse(kept.out) == same);
    CHECK(kept.err.find("INFO: Stream records: 0\n") != std::string::npos);
}

TEST_CASE("a selection counts its own, in a file as in a table") {
    const input it;
    const auto lines = program(it.with({"--input", it.file, "--json", "--table", "tasks", "--account", "a1"}));
    CHECK(lines.code == 1); // a line that cannot be read may be of anybody
    CHECK(json::parse(lines.out)["records"].get<int>() > 0);
    REQUIRE(program(it.with({"--input", it.file, "--dir", it.directory})).code == 1);
    const auto kept = program(it.with({"--dir", it.directory, "--json", "--table", "tasks", "--account", "a1"}));
    CHECK(json::parse(kept.out)["buckets"] == json::parse(lines.out)["buckets"]);
    CHECK(json::parse(program(it.with({"--dir", it.directory, "--json", "--table", "nobody's"})).out)["records"] == 0);
}

TEST_CASE("the window is of the hour of now, and may be very long") {
    const input it;
    const auto records = [&](const std::vector<std::string>& more) {
        auto words = std::vector<std::string>{"--input", it.file, "--json"};
        words.insert(words.end(), more.begin(), more.end());
        return json::parse(program(words).out)["records"].get<int>();
    };
    CHECK(records({"--now", "2024-01-19T14:59:59.999999Z", "--hours", "1"}) == 66);
    CHECK(records({"--now", "2024-01-19T15:00:00Z", "--hours", "1"}) == 0);
    CHECK(records({"--now", "2024-01-19T16:00:00+01:00", "--hours", "2"}) == 66);
    CHECK(records({"--now", "2024-01-19T14:00:00Z", "--hours", "200000"}) == 200);
}

TEST_CASE(
    "text goes to stdout, the lines that were skipped to stderr, and nothing is drawn where there is no terminal") {
    const input it;
    const auto done = program(it.with({"--input", it.file}));
    CHECK(done.out.starts_with("====="));
    CHECK(done.out.find("Input records: 203\n  ⚠ 1 skipped - malformed line\n  ⚠ 1 duplicates passed over\n") !=
          std::string::npos);
    CHECK(done.out.find("█") == std::string::npos);
    CHECK(done.err.find(it.file + ":201: malformed_line: ") != std::string::npos);
    CHECK(done.err.find("99.9% of 200 records were seen within ") != std::string::npos);
    CHECK(done.err.find(": a window of 3 hours holds them\n") != std::string::npos);
    const auto quiet = program(it.with({"--input", it.file, "--json"}), {{"LOG_LEVEL", "ERROR"}});
    CHECK(quiet.err.empty());
}

TEST_CASE("on a terminal each width has a row of blocks, no wider than the terminal") {
    const input it;
    winsize size{};
    size.ws_col = 40;
    size.ws_row = 25;
    int screen = -1;
    std::fflush(stdout);
    const auto child = ::forkpty(&screen, nullptr, nullptr, &size);
    if (child == 0) { be_the_program(it.with({"--input", it.file})); }
    std::string seen;
    char some[4096];
    for (auto got = ::read(screen, some, sizeof some); got > 0; got = ::read(screen, some, sizeof some)) {
        seen.append(some, static_cast<std::size_t>(got));
    }
    ::close(screen);
    CHECK(code_of(child) == 1);
    const auto at = seen.find("    60min ██", seen.find("SUCCESS"));
    const auto row = seen.find("     1min ", seen.find("SUCCESS"));
    REQUIRE(row != std::string::npos);
    CHECK(at != std::string::npos);
    const auto line = seen.substr(row, seen.find('\r', row) - row);
    const auto columns = std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xc0) != 0x80; });
    CHECK(columns == 40);
    CHECK(line.find("█") != std::string::npos);
}

TEST_CASE("the kept counts can be printed, and what is not over yet is marked") {
    const input it;
    REQUIRE(program(it.with({"--input", it.file, "--dir", it.directory})).code == 1);
    const auto printed =
        program(it.with({"--dir", it.directory, "--series", "60", "--table", "tasks", "--account", "a1"}));
    CHECK(printed.code == 0);
    CHECK(printed.out.find("\ntasks / a1\n"
                           "2024-01-19T13:00:00Z       34\n"
                           "2024-01-19T14:00:00Z        0  (not over yet)\n") != std::string::npos);
    const auto minutes = program(it.with({"--dir", it.directory, "--series", "5", "--json"}));
    CHECK(json::accept(minutes.out));
    CHECK(minutes.err.find("INFO: items / a0\nINFO: 2024-01-19T13:00:00Z ") != std::string::npos);
}

TEST_CASE("three equal runs beside an old counter say that it can go") {
    const input it;
    const auto old = it.scratch.file("old.json");
    const auto count = [&] { std::ofstream{old} << program(it.with({"--input", it.file, "--json"})).out; };
    const auto words = it.with({"--input", it.file, "--shadow", old, "--shadow-runs", "2"});
    count();
    CHECK(program(words).out.find("in 1 of 2 runs\n") != std::string::npos);
    CHECK(program(words).out.find("in 1 of 2 runs, and this one had nothing new\n") != std::string::npos);
    std::ofstream{it.file, std::ios::app}
        << R"({"table":"items","id":"one more","accountId":"a0","createdAt":"2024-01-19T14:01:00Z"})"
        << "\n";
    count();
    CHECK(program(words).out.ends_with("in 2 of 2 runs: the old counter can be switched off\n"));
}

TEST_CASE("the program watches: what another process writes is counted, until SIGTERM or SIGINT") {
    const input it;
    REQUIRE(program(it.with({"--input", it.file, "--dir", it.directory})).code == 1);
    for (const auto signal : {SIGTERM, SIGINT}) {
        const running watching{it.with({"--dir", it.directory, "--watch", "--cache", "--json"})};
        watching.await_lines(1);
        freshet::wall_clock clock;
        {
            auto table = adapters::sqlite::table<freshet::wall_clock>::open(it.directory + "/metrics.sqlite", clock,
                                                                            metrics::item_table());
            REQUIRE(table.ok());
            const metrics::record task{{"tasks", "a0"}, "new " + std::to_string(signal), "2024-01-19T14:01:00Z", ""};
            REQUIRE(table->put(metrics::row_of(task).value(), {}).ok());
        }
        watching.await_lines(2);
        const auto end = watching.end(signal);
        CHECK(end.code == 1); // a record without a time is there all along
        const auto first = json::parse(end.out.substr(0, end.out.find('\n')));
        const auto second = json::parse(end.out.substr(end.out.find('\n')));
        CHECK(second["records"] == first["records"].get<int>() + 1);
        CHECK(second["skipped"] == first["skipped"]);
        CHECK(end.err.find("INFO: Stream records: 1\n") != std::string::npos);
    }
}

TEST_CASE("a table in DynamoDB has the counts of the file that was loaded") {
    const input it;
    const fake_aws::server server{[] { return freshet::wall_clock{}.now(); }};
    const auto settings = server.settings();
    const std::map<std::string, std::string> variables{{"AWS_ACCESS_KEY_ID", settings.keys.access_key},
                                                       {"AWS_SECRET_ACCESS_KEY", settings.keys.secret_key},
                                                       {"AWS_SESSION_TOKEN", settings.keys.session_token},
                                                       {"AWS_REGION", settings.region},
                                                       {"AWS_ENDPOINT_URL", settings.endpoint},
                                                       {"DYNAMODB_TABLE_NAME", "own"}};
    const auto missing = program(it.with({"--backend", "aws", "--json"}), variables);
    CHECK(missing.code == 3);
    CHECK(missing.err.starts_with("metrics: table own: "));
    const auto lines = program(it.with({"--input", it.file, "--json"}));
    const auto loaded = program(it.with({"--input", it.file, "--backend", "aws", "--json"}), variables);
    CHECK(loaded.code == 1);
    CHECK(loaded.out == lines.out);
    const auto kept = program(it.with({"--backend", "aws", "--json", "--cache"}), variables);
    CHECK(kept.code == 1);
    CHECK(json::parse(kept.out)["skipped"] == json{{"no_timestamp", 1}});
    CHECK(json::parse(kept.out)["buckets"] == json::parse(lines.out)["buckets"]);
}

TEST_CASE("the program counts one series over a GraphQL API, which a file of variables may name") {
    support::fake_appsync api;
    const support::scratch_directory scratch;
    std::ofstream{scratch.file("env")} << "export PLEXUS_API_URL='" << api.endpoint()
                                       << "'\nPLEXUS_API_KEY=" << support::fake_appsync::key() << "\n";
    for (const auto* id : {"a", "b"}) {
        api.put("Item", {{"id", id},
                         {"accountId", "acc"},
                         {"createdAt", "2024-01-19T14:10:00.000Z"},
                         {"updatedAt", "2024-01-19T14:10:00.000Z"}});
    }
    const auto count = [&](const std::string& now) {
        return program({"--backend", "graphql", "--env-file", scratch.file("env"), "--table", "items", "--account",
                        "acc", "--now", now, "--json"});
    };
    const auto done = count("2024-01-19T14:15:00Z");
    CHECK(done.code == 0);
    CHECK(json::parse(done.out)["records"] == 2);
    CHECK(json::parse(done.out)["buckets"].size() == 4);
    CHECK(json::parse(count("2024-01-19T16:15:00Z").out)["records"] == 0);
    CHECK(program({"--backend", "graphql", "--env-file", scratch.file("none"), "--table", "items", "--account", "acc"})
              .code == 3);
}

TEST_CASE(
    "runs over a GraphQL API are fenced by the field that the environment names, and one warning says if none is") {
    for (const auto* field : {"runNumber", ""}) {
        support::fake_appsync api{field};
        std::map<std::string, std::string> variables{{"PLEXUS_API_URL", api.endpoint()},
                                                     {"PLEXUS_API_KEY", support::fake_appsync::key()}};
        variables["METRICS_RUN_FIELD"] = field;
        const auto done = program(
            {"--backend", "graphql", "--table", "items", "--account", "acc", "--now", "2024-01-19T14:15:00Z", "--json"},
            variables);
        CHECK(done.code == 0);
        const auto stored = api.stored();
        const bool fenced = *field != '\0';
        CHECK(stored.size() == (fenced ? 1 + 154 : 1));
        const auto hour = stored.find({"acc", "items#2024-01-19T14:00:00Z#60"});
        CHECK((hour != stored.end() && hour->second.value(field, 0) == 1) == fenced);
        const auto warning = done.err.find("WARNING: METRICS_RUN_FIELD names no Int field of AggregatedMetrics: ");
        CHECK((warning == std::string::npos) == fenced);
        CHECK(done.err.find("WARNING", warning + 1) == std::string::npos);
    }
}

TEST_CASE("what the program cannot do it says in one line, with the code for it") {
    const input it;
    const auto broken = it.scratch.file("broken");
    REQUIRE(std::filesystem::create_directory(broken));
    std::ofstream{broken + "/metrics.sqlite"} << "garbage, more than enough of it that it could be the head of a "
                                                 "database, if it were one, which it is not";
    struct bad_day {
        std::vector<std::string> words;
        int code;
        std::string says;
        std::map<std::string, std::string> variables{};
    };
    const std::vector<bad_day> days{
        {{}, 2, "there is nothing to count: --input, --backend or --dir says what"},
        {{"--input", it.scratch.file("none")}, 2, it.scratch.file("none") + ": No such file or directory"},
        {{"--input", it.scratch.path()}, 2, it.scratch.path() + ": Is a directory"},
        {{"--input", "lines.gz"}, 2, "lines.gz: is compressed: zcat it, and --input - reads stdin"},
        {{"--input", it.scratch.file("none"), "--dir", it.directory}, 2, it.scratch.file("none") + ": No such file"},
        {{"--dir", it.directory}, 3, it.directory + ": there is no table of records; --input loads one"},
        {{"--dir", broken}, 3, broken + "/metrics.sqlite: PRAGMA application_id: file is not a database"},
        {{"--dir", ""}, 2, "--dir: the name of a directory is not empty"},
        {{"--backend", "memory", "--dir", "d"}, 2, "--backend excludes --dir"},
        {{"--backend", "postgres"}, 2, "--backend: 'postgres' is none of memory, sqlite:DIR, aws, graphql"},
        {{"--backend", "aws"},
         3,
         "the environment says too little about AWS: not set: AWS_ACCESS_KEY_ID",
         {{"AWS_ACCESS_KEY_ID", ""}}},
        {{"--backend", "graphql"}, 2, "--backend graphql counts one --table of one --account"},
        {{"--backend", "graphql", "--table", "items", "--account", "a", "--watch"},
         2,
         "--input, --watch, --cache and --series are of another backend than graphql"},
        {{"--backend", "graphql", "--table", "items", "--account", "a"},
         3,
         "the environment says too little about the GraphQL API: not set: PLEXUS_API_URL"},
        {{"--backend", "memory", "--env-file", "f"}, 2, "--env-file is of --backend graphql"},
        {{"--input", it.file, "--watch"}, 2, "--watch, --cache and --series are of a backend"},
        {{"--input", it.file, "--hours", "0"}, 2, "--hours: '0' is no whole number from 1 to 100000000"},
        {{"--input", it.file, "--hours", "20000000"}, 2, "--hours: the window leaves the years 0 to 9999"},
        {{"--input", it.file, "--now", "soon"}, 2, "--now: "},
        {{"--backend", "memory", "--series", "7"}, 2, "--series: 7 is none of 1, 5, 15, 60"},
        {{"--input", it.file, "--shadow-runs", "2"}, 2, "--shadow-runs is of --shadow"},
        {{"--input", it.file}, 2, "LOG_LEVEL: 'LOUD' is none of", {{"LOG_LEVEL", "LOUD"}}},
        {{"nonsense"}, 2, "The following argument was not expected: nonsense"},
    };
    for (const auto& day : days) {
        CAPTURE(day.says);
        const auto end = program(day.words, day.variables);
        CHECK(end.code == day.code);
        CHECK(end.out.empty());
        CHECK(end.err.starts_with("metrics: " + day.says));
        CHECK(std::count(end.err.begin(), end.err.end(), '\n') == 1);
    }
    CHECK(!std::filesystem::exists(it.directory));
    const auto help = program({"--help"});
    CHECK(help.code == 0);
    CHECK(help.err.empty());
    CHECK(help.out.starts_with("Counts records"));
    CHECK(help.out.find("METRICS_RUN_FIELD: ") != std::string::npos);
}
