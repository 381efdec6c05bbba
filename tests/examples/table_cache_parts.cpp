#include <table_cache/cache_lines.hpp>
#include <table_cache/counted_table.hpp>
#include <table_cache/outcome.hpp>
#include <table_cache/storm.hpp>
#include <table_cache/timeline.hpp>
#include <table_cache/witness.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include <adapters/memory/table.hpp>
#include <freshet/cache/scan_all.hpp>
#include <freshet/testing/manual_clock.hpp>

namespace {

using namespace std::chrono_literals;
using email_agent::consistency;
using email_agent::price_of;
using email_agent::read_counts;
using email_agent::step;
using freshet::testing::manual_clock;
using std::string_literals::operator""s;
using memory_table = adapters::memory::table<manual_clock>;

auto row(const std::string& id, const std::string& more = "") -> freshet::document {
    auto made = freshet::document::parse(R"({"id":{"S":")" + id + "\"}" + more + "}");
    REQUIRE(made.ok());
    return *std::move(made);
}

/// Why the line is none of a timeline.
auto refusal(std::string_view members) -> std::string {
    const auto read = email_agent::parse_entry(R"({"at":"2025-01-15T10:00:00Z",)" + std::string{members} + "}");
    REQUIRE(!read.ok());
    CHECK(read.why().code == freshet::errc::malformed);
    return read.why().note;
}

} // namespace

TEST_CASE("a read costs half a unit for every 4 KB that is begun, at least one, and a strong one twice that") {
    using email_agent::read_units;
    CHECK(price_of(0, consistency::eventual) == read_units{1});
    CHECK(price_of(4'096, consistency::eventual) == read_units{1});
    CHECK(price_of(4'097, consistency::eventual) == read_units{2});
    CHECK(price_of(4'097, consistency::strong) == read_units{4});
    CHECK(read_units{77}.text() == "38.5");
    CHECK(read_units{-3}.text() == "-1.5");
    CHECK(read_units{-2}.text() == "-1");
    CHECK(read_units{0}.text() == "0");
}

TEST_CASE("a counted table counts what was read, and costs what the history of its writes says") {
    manual_clock clock;
    memory_table stored{clock, email_agent::options_of("students")};
    email_agent::counted_table<memory_table> table{stored, "students", consistency::eventual};
    email_agent::table_history history;
    CHECK(freshet::scan_all(table, clock).ok());
    CHECK(table.counts() == history.scan_price(consistency::eventual)); // of no rows
    for (int n = 0; n != 251; ++n) {                                    // a page and one row
        const auto one = row("s" + std::to_string(n), R"(,"about":{"S":")" + std::string(100, 'x') + "\"}");
        REQUIRE(table.put(one).ok());
        history.write(clock.now(), email_agent::text_of(one, "id"), one);
    }
    const auto before = table.counts();
    const auto all = freshet::scan_all(table, clock);
    REQUIRE(all.ok());
    CHECK(all->rows.size() == 251);
    CHECK(table.counts() - before == history.scan_price(consistency::eventual));
    CHECK(history.scan_price(consistency::eventual) ==
          read_counts{.requests = 2, .scans = 1, .pages = 2, .rows = 251, .units = {8}}); // 250 items of 111 bytes
    static_cast<void>(table.read_here());
    CHECK(table.get({"s7", {}}).ok());
    CHECK(table.read_here() == history.row_price("s7", consistency::eventual));
    CHECK(table.get({"nobody", {}}).ok());
    CHECK(table.read_here() == history.row_price("nobody", consistency::eventual));
    CHECK(table.read_here() == read_counts{});
}

TEST_CASE("a counted table that fails answers no read, which costs a request and no units, until it recovers") {
    manual_clock clock;
    memory_table stored{clock, email_agent::options_of("pools")};
    email_agent::counted_table<memory_table> table{stored, "pools", consistency::strong};
    table.fail(true);
    CHECK(table.scan({}).why().note == "table pools does not answer");
    CHECK(!table.get({"p", {}}).ok());
    CHECK(table.put(row("p")).ok());
    CHECK(table.counts() == read_counts{.requests = 2});
    table.fail(false);
    CHECK(table.scan({})->rows.size() == 1);
}

TEST_CASE("what stood there is right until it is as old as the age: at the very age no more") {
    const freshet::time_point start{};
    email_agent::table_history history;
    history.write(start, "a", row("a"));
    history.forbid_older();
    const std::vector<freshet::document> before = [] {
        std::vector<freshet::document> rows;
        rows.push_back(row("a"));
        return rows;
    }();
    history.write(start + 60s, "a", row("a", R"(,"v":{"N":"2"})"));
    CHECK(history.had(before, start + 60s, 1us)); // the write may have come after the look, at the same instant
    CHECK(!history.had(before, start + 60s, 0s));
    CHECK(history.had(before, start + 660s - 1us, 600s));
    CHECK(!history.had(before, start + 660s, 600s));
    CHECK(history.had_row("a", &before.front(), start + 660s - 1us, 600s));
    CHECK(!history.had_row("a", &before.front(), start + 660s, 600s));
    CHECK(!history.had_row("a", nullptr, start + 61s, 600s));
    CHECK(history.had_row("b", nullptr, start + 61s, 0s));
    history.write(start + 70s, "b", row("b"));
    CHECK(history.had_row("b", nullptr, start + 71s, 600s)); // not yet, a second ago
    CHECK(!history.had_row("b", nullptr, start + 71s, 1s));
    history.forbid_older();
    CHECK(!history.had(before, start + 71s, 600s));
    CHECK(!history.had_row("b", nullptr, start + 71s, 600s));
}

TEST_CASE("rows may be as old as the interval while an order sleeps, and not at all otherwise") {
    email_agent::settings wanted;
    wanted.intervals["pools"] = 30s;
    email_agent::witness knows{wanted};
    const auto order = [](const std::string& state) { return row("wo-01", R"(,"state":{"S":")" + state + "\"}"); };
    CHECK(knows.oldest("students", true) == 0s);
    knows.wrote({}, "work_orders", order("sleeping"));
    CHECK(knows.oldest("students", true) == 600s);
    CHECK(knows.oldest("pools", true) == 30s);
    CHECK(knows.oldest("students", false) == 0s);
    knows.wrote({}, "work_orders", order("active"));
    CHECK(knows.oldest("students", true) == 0s);
    wanted.stream = true; // what is followed may lag
    CHECK(knows.oldest("students", true) == 30s);
    CHECK(knows.oldest("pools", true) == 0s);
}

TEST_CASE("counters that do not agree with what was told or foretold are named") {
    email_agent::table_outcome table;
    table.with = {.requests = 5, .scans = 1, .pages = 5, .rows = 10, .units = {10}};
    table.without = table.foretold = {.requests = 10, .scans = 2, .pages = 10, .rows = 20, .units = {20}};
    table.verdicts = {{"refresh (never_loaded)", 1}, {"hit (within_interval)", 1}};
    CHECK(email_agent::discrepancies("pools", table, 0).empty());
    CHECK(email_agent::discrepancies("pools", table, 1) ==
          std::vector{"pools: the cache told of 2 scans, and the table had 1"s});
    table.without.units.halves += 1;
    CHECK(email_agent::discrepancies("pools", table, 0) ==
          std::vector{
              "pools: 5 read units in 5 requests should be saved, and the difference to a run without the cache is "
              "5.5 in 5"s});
    email_agent::outcome out;
    CHECK(out.code() == email_agent::all_well);
    out.failed_steps = 1;
    CHECK(out.code() == email_agent::some_failed);
    out.wrong.emplace_back("x");
    CHECK(out.code() == email_agent::check_failed);
}

TEST_CASE("a line of a timeline says what happens when") {
    const auto parsed = [](std::string_view what) {
        auto read = email_agent::parse_entry(R"({"at":"2025-01-15T10:00:00Z",)" + std::string{what} + "}");
        REQUIRE_MESSAGE(read.ok(), read.why().note);
        CHECK(read->at == std::chrono::sys_days{std::chrono::year{2025} / 1 / 15} + 10h);
        return std::move(read->what);
    };
    const auto taken = parsed(R"("do":"step","order":"wo-1","step":"Dry-Run")");
    CHECK(std::get<email_agent::step_taken>(taken).order == "wo-1");
    CHECK(std::get<email_agent::step_taken>(taken).which == step::dry_run);
    CHECK(std::get<email_agent::message_heard>(parsed(R"("do":"message","action":"start")")).action == "start");
    const std::map<std::string, std::string> states{{"sleep", "sleeping"}, {"wake", "active"}, {"finish", "finished"}};
    for (const auto& [word, state] : states) {
        const auto set = std::get<email_agent::order_set>(parsed("\"do\":\"" + word + R"(","order":"wo-1")"));
        CHECK(set.order == "wo-1");
        CHECK(set.state == state);
    }
    const auto written = parsed(R"("do":"write","table":"pools","row":{"id":"p","open":true})");
    CHECK(std::get<email_agent::row_written>(written).table == "pools");
    CHECK(std::get<email_agent::row_written>(written).row.image().find("open")->boolean());
    CHECK(std::get<email_agent::table_broken>(parsed(R"("do":"fail","table":"pools")")).failing);
    CHECK(!std::get<email_agent::table_broken>(parsed(R"("do":"recover","table":"pools")")).failing);
}

TEST_CASE("a line that is none of a timeline is refused, and says why") {
    for (const auto* text : {"", "wake", "[]", R"({"at":)"}) {
        CHECK(email_agent::parse_entry(text).why().note == "no JSON object");
    }
    CHECK(email_agent::parse_entry("{}").why().note == "'at' must be there, and a text");
    CHECK(email_agent::parse_entry(R"({"at":"today","do":"wake"})").why().note.starts_with("'at': "));
    CHECK(refusal(R"("order":"wo-1")") == "'do' must be there, and a text");
    CHECK(refusal(R"("do":"stp")") ==
          "'stp' is nothing to do; step, message, sleep, wake, finish, write, fail and "
          "recover are");
    CHECK(refusal(R"("do":"step","order":7,"step":"Test")") == "'order' must be there, and a text");
    CHECK(refusal(R"("do":"step","order":"wo-1","step":"test")") ==
          "'test' is none of the steps Count, Test, Dry-Run, Send");
    CHECK(refusal(R"("do":"wake","order":"wo-1","table":"x")") == "'table' has no meaning here");
    CHECK(refusal(R"("do":"fail","table":"pool")") ==
          "'pool' is none of the tables students, pools, prompts, stages, events, work_orders");
    CHECK(refusal(R"("do":"write","table":"pools")") == "'row' must be there");
    CHECK(refusal(R"("do":"write","table":"pools","row":7)").find("an item is an object") != std::string::npos);
    CHECK(refusal(R"("do":"write","table":"pools","row":{"Id":"p"})") == "table pools: the key attribute id is absent");
}

TEST_CASE("bad lines are told by their numbers and left out, and blank ones are nothing") {
    std::istringstream in{
        "\n"
        R"({"at":"2025-01-15T10:00:00Z","do":"wake","order":"wo-1"})"
        "\r\n"
        "wake\n"
        R"({"at":"2025-01-15T09:59:59Z","do":"wake","order":"wo-2"})"
        "\n"
        R"({"at":"2025-01-15T10:00:00Z","do":"wake","order":"wo-3"})"};
    std::vector<std::pair<std::size_t, std::string>> bad;
    const auto all =
        email_agent::read_timeline(in, [&](std::size_t line, const std::string& why) { bad.emplace_back(line, why); });
    CHECK(all.size() == 2);
    CHECK(bad == decltype(bad){{3, "no JSON object"}, {4, "'at' is before that of an earlier line"}});
}

TEST_CASE("a cache's failures and doubts are lines too, on one line whatever a table says") {
    manual_clock clock;
    memory_table stored{clock, email_agent::options_of("pools")};
    email_agent::counted_tables<memory_table> tables{[&](std::string_view) -> memory_table& { return stored; },
                                                     consistency::eventual};
    std::string said;
    const email_agent::transcript to{support::log_level::warning, [&](const std::string& line) { said += line; }};
    email_agent::verdict_tally tally;
    email_agent::cache_lines lines{tables, to, tally};
    const freshet::error why{freshet::errc::unavailable, "a\nb"};
    lines.on(freshet::table_scanned{"pools", 1'234'567, 1, 0s, freshet::refresh_reason::never_loaded, true}); // info
    lines.on(freshet::table_read_failed{"pools", why, freshet::refresh_reason::no_sleepers});
    lines.on(freshet::snapshot_refused{"pools", why, 3});
    lines.on(freshet::table_bypassed{"pools", why});
    lines.on(freshet::refresh_undecided{"pools", why});
    lines.on(freshet::follower_lost{"there"});
    CHECK(said == R"([CACHE] pools: failed (no_sleepers): a\x0ab
[CACHE] pools: refused: a\x0ab
[CACHE] pools: not kept: a\x0ab
[CACHE] pools: undecided, so it is scanned: a\x0ab
[CACHE] students: changes were lost, so it is scanned
)");
    CHECK(tally.all() ==
          email_agent::verdict_tally::counts{{"pools", {{"failed (no_sleepers)", 1}, {"refresh (never_loaded)", 1}}}});
    CHECK(email_agent::counted(1'234'567, "row") == "1,234,567 rows");
    CHECK(email_agent::counted(999, "row") == "999 rows");
    CHECK(email_agent::counted(1, "row") == "1 row");
}

TEST_CASE("the storm's times ascend") {
    const auto day = email_agent::storm();
    REQUIRE(day.ok());
    for (std::size_t i = 1; i < day->size(); ++i) { CHECK((*day)[i - 1].at <= (*day)[i].at); }
}
