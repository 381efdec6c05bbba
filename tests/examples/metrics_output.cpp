#include <metrics/output.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <adapters/memory/bucket_sink.hpp>
#include <adapters/memory/table.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <freshet/count/bucket_counter.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <metrics/program.hpp>
#include <metrics/recounting.hpp>
#include <metrics/table_source.hpp>
#include <support/printing.hpp>
#include <support/scratch_directory.hpp>

#include "metrics_command.hpp"

namespace {

using nlohmann::json;
using words = std::vector<std::string>;

const words now{"--now", "2024-01-19T14:40:00Z"};

auto content(const std::string& path) -> std::string {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

auto line(int id, const std::string& at) -> std::string {
    return R"({"table":"items","id":")" + std::to_string(id) + R"(","createdAt":")" + at + "\"}\n";
}

/// Enough records for a document of many pages.
auto many_lines() -> std::string {
    std::string all;
    for (int i = 0; i != 600; ++i) {
        all += line(i, "2024-01-19T1" + std::to_string(3 + i / 300) + ":" + std::to_string(10 + i / 6 % 50) + ":00Z");
    }
    return all;
}

struct ended {
    int code{};
    std::string out;
    std::string err;
};

/// What a child of the test says and ends with. An empty name of its input: it has none, and its stdin is closed.
auto in_child(const std::function<int()>& act, const std::string& in = "/dev/null", const std::string& out = {})
    -> ended {
    const support::scratch_directory scratch;
    const auto said = out.empty() ? scratch.file("out") : out;
    const auto told = scratch.file("err");
    std::fflush(stdout);
    const auto child = ::fork();
    if (child == 0) {
        if (in.empty()) {
            ::close(STDIN_FILENO);
        } else {
            ::dup2(::open(in.c_str(), O_RDONLY), STDIN_FILENO);
        }
        ::dup2(::open(said.c_str(), O_WRONLY | O_CREAT, 0600), STDOUT_FILENO);
        ::dup2(::open(told.c_str(), O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
        const auto code = [&]() noexcept { return act(); }(); // what is thrown is not of the test, but aborts
        std::fflush(stdout);
        ::_exit(code);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return {code, out.empty() ? content(said) : std::string{}, content(told)};
}

auto program(words given, const std::string& in = "/dev/null", const std::string& out = {}) -> ended {
    given.insert(given.end(), now.begin(), now.end());
    return in_child(
        [&] {
            std::vector<const char*> argv{"metrics"};
            for (const auto& word : given) { argv.push_back(word.c_str()); }
            return run_metrics(static_cast<int>(argv.size()), argv.data());
        },
        in, out);
}

struct input {
    support::scratch_directory scratch{};
    std::string file{scratch.file("in")};
    explicit input(const std::string& lines) { std::ofstream{file} << lines; }
};

/// A counter that loses one record in ten on its way to the buckets.
struct losing_counter : freshet::bucket_counter<> {
    void add(freshet::time_point at) {
        if (++seen % 10 != 0) { freshet::bucket_counter<>::add(at); }
    }
    std::size_t seen{};
};

} // namespace

TEST_CASE(
    "a full disk behind stdout is told in one line and ends the program with code 3, however much it had to say") {
    const input it{many_lines()};
    for (const auto& more : std::vector<words>{{"--json"}, {}, {"--json", "--dir", it.scratch.file("data")}}) {
        auto given = words{"--input", it.file, "--hours", "2"};
        given.insert(given.end(), more.begin(), more.end());
        const auto end = program(given, "/dev/null", "/dev/full");
        CHECK(end.code == 3);
        CHECK(end.err.find("metrics: stdout: cannot be written") != std::string::npos);
    }
    CHECK(program({"--input", it.file, "--json"}).out.size() > 8'192);
    CHECK(program({"--help"}, "/dev/null", "/dev/full").code == 0); // and does not abort
}

TEST_CASE("what could not be printed is told for the program in the end, be it little or much, and never thrown") {
    for (const std::size_t size : {1U, 4'096U, 100'000U}) {
        CAPTURE(size);
        const auto end = in_child(
            [&] {
                support::print(std::string(size, 'x'));
                return support::all_printed("name") ? 0 : 3;
            },
            "/dev/null", "/dev/full");
        CHECK(end.code == 3);
        CHECK(end.err.starts_with("name: stdout: cannot be written"));
        CHECK(end.err.ends_with("\n"));
    }
    const auto whole = in_child([] {
        support::print("some\n");
        return support::all_printed("name") ? 0 : 3;
    });
    CHECK(whole.code == 0);
    CHECK(whole.out == "some\n");
    CHECK(whole.err.empty());
}

TEST_CASE("records are read from stdin as they are from a file") {
    const input it{many_lines()};
    const auto file = program({"--input", it.file, "--json"});
    const auto stdin_too = program({"--input", "-", "--json"}, it.file);
    CHECK(stdin_too.code == 0);
    CHECK(stdin_too.out == file.out);
    CHECK(json::parse(file.out)["records"] == 600);
    const auto loaded = program({"--input", "-", "--json", "--dir", it.scratch.file("data")}, it.file);
    CHECK(loaded.code == 0);
    CHECK(loaded.out == file.out);
}

TEST_CASE("an empty stdin has no records, and one that cannot be read is told and is not an empty one") {
    const support::scratch_directory scratch;
    const auto empty = program({"--input", "-", "--json"});
    CHECK(empty.code == 0);
    CHECK(json::parse(empty.out)["records"] == 0);
    const std::vector<std::pair<std::string, std::string>> unreadable{{scratch.path(), "Is a directory"},
                                                                      {"", "Bad file descriptor"}};
    for (const auto& each : unreadable) {
        for (const auto& more : std::vector<words>{{}, {"--dir", scratch.file("data")}}) {
            auto given = words{"--input", "-", "--json"};
            given.insert(given.end(), more.begin(), more.end());
            const auto end = program(given, each.first);
            CHECK(end.code == 2);
            CHECK(end.out.empty());
            CHECK(end.err == "metrics: stdin: " + each.second + "\n");
        }
    }
}

TEST_CASE("a counter that loses records ends the program with code 4, and the document says that the check failed") {
    const input it{many_lines()};
    const auto end = in_child([&] {
        metrics::settings wanted;
        wanted.json = true;
        auto lines = metrics::input_file::open(it.file);
        if (!lines) { return -1; }
        const auto at = freshet::parse_rfc3339("2024-01-19T14:40:00Z").value();
        return metrics::run_on_lines<losing_counter>(wanted, *lines, at).value_or(-1);
    });
    CHECK(end.code == 4);
    CHECK(json::parse(end.out)["cross_check"] == false);
    CHECK(end.err.find("540 records were counted of 600") != std::string::npos);
}

TEST_CASE("a series whose counters lose records is not kept, and ends a run with code 4") {
    freshet::testing::manual_clock clock{freshet::parse_rfc3339("2024-01-19T14:40:00Z").value()};
    adapters::memory::table<freshet::testing::manual_clock> table{clock, metrics::item_table()};
    const freshet::series_key items{"items", "acc-1"};
    for (int i = 0; i != 20; ++i) {
        const metrics::record one{items, std::to_string(i), "2024-01-19T14:10:00Z", {}};
        REQUIRE(table.put(metrics::row_of(one).value(), {}).ok());
    }
    adapters::memory::bucket_sink sink;
    metrics::table_source source{table};
    metrics::affected_series affected;
    metrics::affect(affected, items);
    metrics::outcome made;
    made.header.window = freshet::current_window(clock.now(), 2);
    const support::log quiet{support::log_level::critical};
    made.series = metrics::recount_all<losing_counter>(source, sink, clock, affected, made.header.window, quiet);
    REQUIRE(made.series.size() == 1);
    CHECK(made.series[0].check_failed);
    CHECK(made.code() == 4);
    CHECK(sink.read(items, made.header.window, std::chrono::hours{1}).value().empty());
}

TEST_CASE("a shadow that cannot be compared with makes the run one that failed, and is told") {
    const input it{many_lines()};
    const auto old = it.scratch.file("old");
    std::ofstream{old} << program({"--input", it.file, "--json", "--hours", "1"}).out;
    const auto end = program({"--input", it.file, "--shadow", old});
    CHECK(end.code == 1);
    CHECK(end.err.find("ERROR: --shadow " + old + ": is not compared: it counts from ") != std::string::npos);
    CHECK(end.out.find("Shadow") == std::string::npos);
}
