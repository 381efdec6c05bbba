#include <table_cache/program.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <freshet/work/random_source.hpp>
#include <support/cases.hpp>
#include <support/environment_variable.hpp>
#include <support/scratch_directory.hpp>
#include <table_cache/command_line.hpp>

namespace {

using namespace std::chrono_literals;
using email_agent::outcome;
using email_agent::settings;
using email_agent::timeline;
using std::string_literals::operator""s;
using lines = std::vector<std::string>;

/// What a day came to, and what was said of it.
struct played {
    outcome all;
    lines said;

    /// The lines that begin so, without that.
    [[nodiscard]] auto about(std::string_view start) const -> lines {
        lines found;
        for (const auto& line : said) {
            if (line.starts_with(start)) { found.push_back(line.substr(start.size(), line.size() - start.size() - 1)); }
        }
        return found;
    }
    [[nodiscard]] auto of(std::string_view table) const -> const email_agent::table_outcome& {
        return all.tables.find(table)->second;
    }
};

/// Few rows, so that a test is quick: three pages of students.
auto few_rows() -> settings {
    settings wanted;
    wanted.rows["students"] = 501;
    return wanted;
}

auto play(const settings& wanted, const timeline& day) -> played {
    played made;
    std::mutex mutex;
    const email_agent::transcript to{wanted.level, [&](const std::string& line) {
                                         const std::scoped_lock lock{mutex};
                                         made.said.push_back(line);
                                     }};
    auto done = email_agent::play(wanted, day, to);
    REQUIRE_MESSAGE(done.ok(), done.why().note);
    made.all = *std::move(done);
    return made;
}
auto storm() -> timeline {
    auto day = email_agent::storm();
    REQUIRE(day.ok());
    return *std::move(day);
}

/// A day of `HH:MM:SS` and the rest of a line.
auto day_of(const std::vector<std::pair<std::string, std::string>>& entries) -> timeline {
    std::stringstream text;
    for (const auto& [at, what] : entries) { text << R"({"at":"2025-01-15T)" << at << R"(Z",)" << what << "}\n"; }
    return email_agent::read_timeline(text, [](std::size_t line, const std::string& why) { FAIL(line, ": ", why); });
}
auto step(const std::string& order, const std::string& name) -> std::string {
    return R"("do":"step","order":")" + order + R"(","step":")" + name + '"';
}
const std::string sleep_20 = R"("do":"sleep","order":"wo-20")";

auto repeated(std::size_t times, const std::string& line, lines more = {}) -> lines {
    lines all(times, line);
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

} // namespace

TEST_CASE("the storm costs what its summary says, and each answer is as young as it must be") {
    const auto done = play(settings{}, storm());
    CHECK(done.all.wrong.empty());
    CHECK(done.all.code() == email_agent::all_well);
    CHECK(email_agent::as_text(done.all, true) ==
          R"(table        scans  uncached  pages  uncached  read units  uncached  saved
-----------  -----  --------  -----  --------  ----------  --------  -----
students        11        31     55       155         319       899    580
pools           11        31     11        31         5.5      15.5     10
prompts          9        28      9        28        22.5        70   47.5
stages           3         0      3         0         5.5      15.5     10
events           3         0      3         0         4.5        14    9.5
work_orders      0         0      0         0          87      15.5  -71.5
all             37        90     81       214         444    1029.5  585.5
saved 585.5 of 1029.5 read units: 56.9 %
31 steps, 0 failed; 298 answers checked: none was older than it may be, and the counters agree
)");
}

TEST_CASE("each call of the storm says what the cache did, and why") {
    const auto done = play(few_rows(), storm());
    const auto scan = [](const std::string& why) {
        return "refresh (" + why + "), 501 rows in 3 pages, 12.5 read units";
    };
    lines expected = repeated(1, scan("never_loaded"), lines(3, scan("no_sleepers"))); // in the morning
    expected.push_back(scan("interval_elapsed"));
    const auto hits = [&](std::size_t times, const std::string& age) {
        for (std::size_t n = 0; n != times; ++n) { expected.push_back("hit (within_interval), age " + age); }
    };
    hits(1, "0s"), hits(2, "60s"), hits(2, "120s"), hits(2, "180s"), hits(2, "240s");
    expected.push_back(scan("start_message"));
    hits(2, "30s"), hits(2, "90s"), hits(2, "150s"), hits(2, "210s"), hits(2, "270s");
    expected.push_back(scan("interval_elapsed"));
    hits(1, "30s");
    for (int n = 0; n != 4; ++n) { expected.push_back(scan("no_sleepers")); } // in the evening
    CHECK(done.about("[CACHE] students: ") == expected);
    CHECK(done.about("[CACHE] all tables: ") == lines{"invalidated (start_message)"}); // not by the status message
    const auto stages = done.about("[CACHE] stages: ");
    REQUIRE(stages.size() == 31);
    CHECK(stages[0] == "read (never_loaded), 1 row, 0.5 read units");
    CHECK(stages[4] == "refresh (never_loaded), 6 rows in 1 page, 0.5 read units");
    CHECK(stages[5] == "hit (within_interval), age 0s");
    CHECK(stages[30] == "read (no_sleepers), 1 row, 0.5 read units");
    CHECK(done.about("2025-01-15T18:05:00Z wo-23 Test: ") == lines{"65 recipients, 1 letter"});
}

TEST_CASE("what is saved is the difference to a day without the cache, played by itself") {
    const auto day = storm();
    const auto with = play(few_rows(), day);
    auto wanted = few_rows();
    wanted.caching = false;
    const auto without = play(wanted, day);
    for (const auto name : email_agent::table_names) {
        CAPTURE(name);
        CHECK(with.of(name).without == without.of(name).with);
        CHECK(with.of(name).saved() == without.of(name).with - with.of(name).with);
    }
    CHECK(without.of("students").verdicts == std::map<std::string, std::size_t>{{"bypass (disabled)", 31}});
    CHECK(without.about("[CACHE] students: ")[0] == "bypass (disabled), 501 rows in 3 pages, 12.5 read units");
    CHECK(email_agent::as_text(without.all, false).find("uncached") == std::string::npos);
}

TEST_CASE("steps of one instant share their scans, however many are done at once") {
    timeline day = day_of({{"09:00:00", sleep_20}});
    for (int minute = 0; minute < 20; minute += 10) {
        for (std::size_t n = 1; n != 13; ++n) {
            day.push_back({day.front().at + std::chrono::minutes{minute},
                           email_agent::step_taken{email_agent::sample_id("work_orders", n), email_agent::step::send}});
        }
    }
    auto wanted = few_rows();
    for (const unsigned workers : {1U, 4U}) {
        wanted.workers = workers;
        const auto done = play(wanted, day);
        CHECK(done.all.code() == email_agent::all_well);
        for (const auto* name : {"students", "pools", "prompts"}) {
            CHECK(done.of(name).with.scans == 2);
            CHECK(done.of(name).without.scans == 24);
        }
    }
}

TEST_CASE("students that are followed are scanned once, and a start message finds them up to date") {
    auto wanted = few_rows();
    wanted.stream = true;
    const auto done = play(wanted, storm());
    CHECK(done.all.wrong.empty());
    CHECK(done.of("students").with.scans == 1);
    CHECK(done.of("students").without.scans == 31);
    CHECK(done.of("students").verdicts == std::map<std::string, std::size_t>{{"followed (kept)", 31}});
    const auto told = done.about("[CACHE] students: followed");
    CHECK(told.front() == " from now on (never_loaded), 501 rows in 3 pages, 12.5 read units");
    CHECK(std::count(told.begin(), told.end(), ", 1 change") == 1);
    CHECK(email_agent::as_text(done.all, true).find("students are followed: 1 scan, 1 change\n") != std::string::npos);
    CHECK(email_agent::as_json(done.all, true)["followed"]["scans"] == 1);
}

TEST_CASE("a step whose scan fails has failed, without another try, and unlocks its work order") {
    const auto done = play(few_rows(), day_of({{"10:00:00", sleep_20},
                                               {"10:00:00", step("wo-01", "Count")},
                                               {"10:10:00", R"("do":"fail","table":"pools")"},
                                               {"10:10:00", step("wo-01", "Test")},
                                               {"10:11:00", R"("do":"recover","table":"pools")"},
                                               {"10:11:00", step("wo-01", "Test")}}));
    CHECK(done.all.wrong.empty()); // the run without the cache fails there too
    CHECK(done.all.code() == email_agent::some_failed);
    CHECK(done.all.failed_steps == 1);
    CHECK(done.about("2025-01-15T10:10:00Z wo-01 Test ") == lines{"failed: table pools does not answer"});
    CHECK(done.about("[CACHE] pools: ") == lines{"refresh (never_loaded), 24 rows in 1 page, 0.5 read units",
                                                 "failed (interval_elapsed): table pools does not answer",
                                                 "refresh (interval_elapsed), 24 rows in 1 page, 0.5 read units"});
    CHECK(done.about("[CACHE] prompts: ").size() == 1); // the failed step went no further
    CHECK(done.about("[CACHE] students: ").back() == "hit (within_interval), age 60s"); // what it read before is kept
    CHECK(done.about("2025-01-15T10:11:00Z wo-01 Test: ").size() == 1);
}

TEST_CASE("a table that fails is not missed while its rows may be reused") {
    const auto done = play(few_rows(), day_of({{"10:00:00", sleep_20},
                                               {"10:00:00", step("wo-01", "Count")},
                                               {"10:05:00", R"("do":"fail","table":"pools")"},
                                               {"10:05:00", step("wo-02", "Count")}}));
    CHECK(done.all.failed_steps == 0);
    CHECK(done.all.wrong.empty());
    CHECK(done.of("pools").without.requests == 2); // one of them failed
}

TEST_CASE("a table has its own interval, and the variable's is that of the others") {
    const support::environment_variable variable{"CACHE_REFRESH_INTERVAL_SECS", "120"};
    const char* const words[]{"table_cache", "--interval", "pools=60", "--rows", "students=501"};
    const auto wanted = email_agent::read_settings(5, words).wanted;
    REQUIRE(wanted.has_value());
    const auto done = play(*wanted, day_of({{"10:00:00", sleep_20},
                                            {"10:00:00", step("wo-01", "Count")},
                                            {"10:00:59", step("wo-01", "Count")},
                                            {"10:01:00", step("wo-01", "Count")},
                                            {"10:01:59", step("wo-01", "Count")},
                                            {"10:02:00", step("wo-01", "Count")}}));
    CHECK(done.all.code() == email_agent::all_well);
    CHECK(done.of("pools").with.scans == 3);
    CHECK(done.of("students").with.scans == 2);
}

TEST_CASE("steps of orders, and states of orders, that there are not fail alone") {
    const auto* const new_order = R"("do":"write","table":"work_orders","row":{"id":"wo-97","stage":"none"})";
    const auto done = play(few_rows(), day_of({{"10:00:00", step("wo-99", "Count")},
                                               {"10:00:00", R"("do":"sleep","order":"wo-98")"},
                                               {"10:00:01", new_order},
                                               {"10:00:02", step("wo-97", "Count")},
                                               {"10:00:03", step("wo-01", "Count")}}));
    CHECK(done.all.wrong.empty());
    CHECK(done.all.failed_steps == 2);
    CHECK(done.all.failed_writes == 1);
    CHECK(done.about("2025-01-15T10:00:00Z wo-99 Count ") == lines{"failed: there is no work order wo-99"});
    CHECK(done.about("2025-01-15T10:00:02Z wo-97 Count ") == lines{"failed: work order wo-97: there is no stage none"});
}

TEST_CASE("whatever a day brings, no step sees rows that are too old, and the counters agree") {
    CAPTURE(support::seed());
    freshet::random_source random{support::seed()};
    const auto any = [&](std::size_t below) { return static_cast<std::size_t>(random() % below); };
    for (std::size_t n = 0; n != support::cases(60); ++n) {
        CAPTURE(n);
        settings wanted;
        wanted.rows = {{"students", 30}, {"pools", 3},  {"prompts", 2},
                       {"stages", 2},    {"events", 2}, {"work_orders", 24}};
        wanted.stream = any(2) == 0;
        wanted.workers = static_cast<unsigned>(1 + any(4));
        if (any(2) == 0) { wanted.intervals["students"] = 60s; }
        timeline day;
        auto at = freshet::time_point{std::chrono::hours{480'000}};
        const auto order = [&] { return email_agent::sample_id("work_orders", 1 + any(5)); };
        const auto table = [&] { return std::string{email_agent::table_names[any(email_agent::table_names.size())]}; };
        for (int entry = 0; entry != 80; ++entry) {
            constexpr freshet::duration pauses[]{0s, 0s, 0s, 1us, 30s, 60s, 299s, 600s, 600s - 1us};
            at += pauses[any(std::size(pauses))];
            const auto what = any(20);
            if (what < 9) {
                day.push_back({at, email_agent::step_taken{order(), email_agent::steps[any(4)]}});
            } else if (what < 13) {
                day.push_back({at, email_agent::order_set{order(), any(3) == 0 ? "active" : "sleeping"}});
            } else if (what < 17) {
                const auto to = table();
                auto row = freshet::from_plain_json({{"id", email_agent::sample_id(to, 1 + any(4))}, {"v", any(3)}});
                REQUIRE(row.ok());
                day.push_back({at, email_agent::row_written{to, *std::move(row)}});
            } else if (what < 18) {
                day.push_back({at, email_agent::message_heard{any(3) == 0 ? "stop" : "start"}});
            } else {
                day.push_back({at, email_agent::table_broken{table(), what == 18}});
            }
        }
        const auto done = play(wanted, day);
        REQUIRE_MESSAGE(done.all.wrong.empty(), done.all.wrong.front());
    }
}

TEST_CASE("the storm in SQLite files costs what it costs in memory, also over the rows of an earlier day") {
    const support::scratch_directory files;
    const auto day = storm();
    auto wanted = few_rows();
    const auto in_memory = email_agent::as_text(play(wanted, day).all, true);
    wanted.directory = files.path();
    wanted.workers = 3;
    for (int day_in_files = 0; day_in_files != 2; ++day_in_files) {
        CHECK(email_agent::as_text(play(wanted, day).all, true) == in_memory);
    }
    wanted.stream = true;
    CHECK(play(wanted, day).of("students").with.scans == 1);
}

TEST_CASE("the program reads a file, leaves bad lines out, and says so by its exit code") {
    const support::scratch_directory files;
    settings wanted = few_rows();
    wanted.level = static_cast<support::log_level>(99);
    wanted.input = files.file("day");
    CHECK(email_agent::run(wanted) == 2); // there is no such file
    const auto write = [&](const std::string& text) { std::ofstream{*wanted.input} << text; };
    write("");
    CHECK(email_agent::run(wanted) == 2);
    write("wake\n");
    CHECK(email_agent::run(wanted) == 2);
    const auto good = R"({"at":"2025-01-15T10:00:00Z",)" + step("wo-01", "Send") + "}\n";
    write(good);
    CHECK(email_agent::run(wanted) == 0);
    write(good + "wake\n");
    CHECK(email_agent::run(wanted) == 1);
    wanted.json = true;
    CHECK(email_agent::run(wanted) == 1);
    wanted.input = files.path();
    CHECK(email_agent::run(wanted) == 2);
    wanted.input.reset();
    wanted.directory = "/dev/null/x";
    CHECK(email_agent::run(wanted) == 3);
}

TEST_CASE("the summary as JSON has all counters, and those without a cache alone where there is none") {
    const auto done = play(few_rows(), day_of({{"10:00:00", step("wo-01", "Count")}}));
    const auto json = email_agent::as_json(done.all, true);
    CHECK(json["steps"] == 1);
    CHECK(json["tables"]["students"]["read"] ==
          email_agent::json{{"requests", 3}, {"scans", 1}, {"pages", 3}, {"rows", 501}, {"read_units", 12.5}});
    CHECK(json["tables"]["students"]["calls"] == email_agent::json{{"refresh (never_loaded)", 1}});
    CHECK(json["all"]["saved"]["read_units"] == -0.5); // to ask whether orders sleep
    CHECK(json["wrong"] == email_agent::json::array());
    CHECK(!email_agent::as_json(done.all, false)["all"].contains("saved"));
}

TEST_CASE("settings are what the command line says; what it cannot mean ends with code 2") {
    const auto read = [](std::vector<const char*> words) {
        words.insert(words.begin(), "table_cache");
        return email_agent::read_settings(static_cast<int>(words.size()), words.data());
    };
    const auto usual = read({}).wanted;
    REQUIRE(usual.has_value());
    CHECK(usual->interval == 600s);
    CHECK(usual->caching);
    CHECK(usual->level == support::log_level::debug);
    const auto asked = read({"--dir", "x", "--no-cache", "--workers", "3", "--rows", "pools=7", "--reads", "strong",
                             "--seed", "9", "--interval", "pools=1", "--interval", "stages=2"})
                           .wanted;
    REQUIRE(asked.has_value());
    CHECK(asked->directory == "x");
    CHECK(!asked->caching);
    CHECK(asked->workers == 3);
    CHECK(asked->rows.find("pools")->second == 7);
    CHECK(asked->reads == email_agent::consistency::strong);
    CHECK(asked->seed == 9);
    CHECK(asked->intervals.size() == 2);
    CHECK(read({"--backend", "sqlite:y"}).wanted->directory == "y");
    CHECK(!read({"--backend", "memory"}).wanted->directory);
    CHECK(read({"--help"}).exit_code == 0);
    const std::vector<std::vector<const char*>> wrong{{"--bogus"},
                                                      {"--backend", "aws"},
                                                      {"--backend", "memory", "--dir", "x"},
                                                      {"--dir", ""},
                                                      {"--workers", "0"},
                                                      {"--workers", "2x"},
                                                      {"--rows", "7"},
                                                      {"--rows", "pools=0"},
                                                      {"--rows", "pupils=7"},
                                                      {"--reads", "weak"},
                                                      {"--rows", "work_orders=23"},
                                                      {"--interval", "pools"},
                                                      {"--seed", "-1"},
                                                      {"--interval", "pools=0"},
                                                      {"--interval", "pools=1s"},
                                                      {"--stream", "--no-cache"}};
    for (const auto& words : wrong) {
        CAPTURE(words.front());
        CHECK(read(words).exit_code == 2);
    }
    for (const auto* text : {"0", "ten", "-5", "99999999999"}) {
        const support::environment_variable variable{"CACHE_REFRESH_INTERVAL_SECS", text};
        CHECK(read({}).exit_code == 2);
    }
    const support::environment_variable variable{"LOG_LEVEL", "LOUD"};
    CHECK(read({}).exit_code == 2);
}
