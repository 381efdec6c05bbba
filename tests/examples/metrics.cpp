#include <metrics/intake.hpp>
#include <metrics/item_rows.hpp>
#include <metrics/line_counts.hpp>
#include <metrics/log_block.hpp>
#include <metrics/outcome.hpp>
#include <metrics/record.hpp>
#include <metrics/recounting.hpp>
#include <metrics/shadow.hpp>
#include <metrics/sparkline.hpp>
#include <metrics/table_types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/rfc3339.hpp>
#include <support/scratch_directory.hpp>

namespace {

using namespace std::chrono_literals;
using metrics::skip_reason;

const support::log quiet{static_cast<support::log_level>(99)};

auto at(std::string_view text) -> freshet::time_point { return freshet::parse_rfc3339(text).value(); }

/// What an intake gave, and what it said.
struct taken {
    metrics::intake_report report;
    std::vector<std::string> ids;
    std::string said;
};

auto take(const std::string& lines, const metrics::selection& of = {}) -> taken {
    taken made;
    const support::log log{support::log_level::info, &made.said};
    std::istringstream in{lines};
    made.report = metrics::intake{"in", of, log}.read(
        in, [&](const metrics::record& each, auto instant) { made.ids.push_back(each.id + (instant ? "" : "?")); });
    return made;
}

auto line(const std::string& id, const std::string& more = R"("createdAt":"2024-01-19T14:37:23Z")") -> std::string {
    return R"({"table":"items","id":")" + id + R"(","accountId":"acc",)" + more + "}\n";
}

auto counted(const std::string& lines, const freshet::time_range& window, const metrics::selection& of = {})
    -> metrics::outcome {
    metrics::line_counts counts{window};
    std::istringstream in{lines};
    auto report =
        metrics::intake{"in", of, quiet}.read(in, [&](const auto& each, auto when) { counts.add(each, when); });
    return counts.outcome_of(std::move(report));
}

const freshet::time_range two_hours{at("2024-01-19T13:00:00Z"), at("2024-01-19T15:00:00Z")};

// The log block that its readers know.
constexpr std::string_view golden = R"(============================================================
METRICS AGGREGATION LAMBDA
============================================================
Stream records: 15
Affected: 1 table/account pairs
  - items / acc-abc123...
Time window: 2024-01-19 13:00 to 2024-01-19 15:00

============================================================
Processing items for account acc-abc123...
============================================================
[1/3] Querying items...
[1/3] Retrieved 1,234 items records
[2/3] Counting into buckets...
  Processed: 1,234 records (0 skipped - no timestamp)
  Cross-check: 1,234 in 1-min buckets vs 1,234 records ✓
     1min:  120 buckets,  1234 total records
     5min:   24 buckets,  1234 total records
    15min:    8 buckets,  1234 total records
    60min:    2 buckets,  1234 total records
[2/3] Generated 154 bucket updates
[3/3] Updating AggregatedMetrics...
[3/3] ✓ Updated 154 buckets successfully

============================================================
✓ SUCCESS: 154 buckets updated
============================================================
)";

auto series_of_the_example() -> metrics::series_log {
    metrics::series_log log;
    log.series = {"items", "acc-abc123def456"};
    log.read = 1'234;
    log.check = freshet::cross_check_report{
        1'234, {{1min, 120, 1'234}, {5min, 24, 1'234}, {15min, 8, 1'234}, {60min, 2, 1'234}}, std::nullopt};
    log.updated = 154;
    return log;
}

auto outcome_of_the_example() -> metrics::outcome {
    metrics::outcome made;
    made.header.stream_records = 15;
    made.header.affected = {{"items", "acc-abc123def456"}};
    made.header.window = two_hours;
    made.series = {series_of_the_example()};
    return made;
}

} // namespace

TEST_CASE("a record is read from a line whatever else is in it, and in whatever order") {
    const auto read = metrics::read_record(
        R"({"createdAt":"2024-01-19T14:37:23Z","more":[{"id":1}],"id":"a\u0062","accountId":"acc","table":"items"})");
    REQUIRE(read.ok());
    CHECK(read->series == freshet::series_key{"items", "acc"});
    CHECK(read->id == "ab");
    CHECK(read->created_at == "2024-01-19T14:37:23Z");
    CHECK(read->updated_at.empty());
}

TEST_CASE("a line that is no record says why") {
    const std::vector<std::pair<std::string, std::string>> lines{
        {"nonsense", "no JSON object"},
        {"[]", "no JSON object"},
        {R"({"table":"t","id":"a")", "the text ends too soon"},
        {R"({"table":"t","id":"a"} x)", "bytes behind the object"},
        {R"({"table":"t"})", "no id"},
        {R"({"table":"t","id":""})", "no id"},
        {R"({"table":"t","id":null})", "no id"},
        {R"({"id":"a"})", "no table"},
        {R"({"table":"t","id":7})", "an id that is no text"},
        {R"({"table":["t"],"id":"a"})", "a table that is no text"},
        {R"({"table":"t","id":"a","accountId":7})", "an accountId that is no text"},
        {R"({"table":"t","id":"a","id":"b"})", "a name that repeats"},
        {R"({"table":"t","id":"a","more":{"x":1,"x":1}})", "a name that repeats"},
        {"{\"table\":\"t\",\"id\":\"\xff\"}", "invalid UTF-8"},
        {R"({"table":"t","id":")" + std::string(301, 'a') + "\"}", "a table, accountId or id of more than 300 bytes"},
    };
    for (const auto& each : lines) {
        CAPTURE(each.first);
        const auto read = metrics::read_record(each.first);
        REQUIRE(!read.ok());
        CHECK(read.fault().reason == each.second);
    }
}

TEST_CASE("an account may be missing or null, and is then the empty one") {
    for (const auto* account : {"", R"("accountId":null,)", R"("accountId":"",)"}) {
        const auto read = metrics::read_record(std::string{R"({"table":"t",)"} + account + R"("id":"a"})");
        REQUIRE(read.ok());
        CHECK(read->series.account.empty());
    }
}

TEST_CASE("an updatedAt of more than 300 bytes is none: it would make a row that no table takes") {
    for (const std::size_t size : {300U, 301U, 500'000U}) {
        CAPTURE(size);
        const auto read =
            metrics::read_record(R"({"table":"t","id":"a","updatedAt":")" + std::string(size, '1') + "\"}");
        REQUIRE(read.ok());
        CHECK(read->updated_at.size() == (size == 300 ? 300 : 0));
    }
}

TEST_CASE("each line that is not counted is told with its number and reason: no line is dropped silently") {
    const auto lines = line("a") + "\n  \r\n" + line("b", R"("createdAt":null)") + line("c", R"("createdAt":"")") +
                       line("d", R"("createdAt":"2024-02-30T00:00:00Z")") + line("e", R"("createdAt":1705675043)") +
                       line("f", R"("createdAt":"9999-12-31T23:59:59-01:00")") + "oops\n" +
                       line("g", R"("createdAt":"2024-01-19T14:37:23")") + line("h", R"("more":1)");
    const auto read = take(lines);
    CHECK(read.report.lines == 9);
    CHECK(read.report.skipped == std::map<skip_reason, std::uint64_t>{{skip_reason::malformed_line, 1},
                                                                      {skip_reason::no_timestamp, 3},
                                                                      {skip_reason::bad_timestamp, 4}});
    CHECK(read.report.duplicates == 0);
    CHECK(read.ids == std::vector<std::string>{"a", "b?", "c?", "d?", "e?", "f?", "g?", "h?"});
    CHECK(read.said ==
          "WARNING: in:4: no_timestamp: no createdAt\n"
          "WARNING: in:5: no_timestamp: no createdAt\n"
          "WARNING: in:6: bad_timestamp: createdAt is no RFC 3339 time: 2024-02-30T00:00:00Z\n"
          "WARNING: in:7: bad_timestamp: createdAt is no RFC 3339 time: 1705675043\n"
          "WARNING: in:8: bad_timestamp: createdAt is no RFC 3339 time: 9999-12-31T23:59:59-01:00\n"
          "WARNING: in:9: malformed_line: no JSON object (byte 0)\n"
          "WARNING: in:10: bad_timestamp: createdAt is no RFC 3339 time: 2024-01-19T14:37:23\n"
          "WARNING: in:11: no_timestamp: no createdAt\n");
}

TEST_CASE("twenty skipped lines are told one by one, the others as a sum") {
    std::string lines;
    for (int i = 0; i != 25; ++i) { lines += "x\n"; }
    const auto read = take(lines);
    CHECK(read.report.skipped.at(skip_reason::malformed_line) == 25);
    CHECK(read.said.find("in:20: ") != std::string::npos);
    CHECK(read.said.find("in:21: ") == std::string::npos);
    CHECK(read.said.ends_with("WARNING: in: 5 more lines skipped\n"));
}

TEST_CASE("of the records with one table and id the first is taken, whatever their accounts and times are") {
    const auto read = take(line("a") + line("a") + line("b", R"("createdAt":"x")") + line("b") +
                           R"({"table":"tasks","id":"a","createdAt":"2024-01-19T14:37:23Z"})" + "\n" +
                           R"({"table":"items","id":"a","createdAt":"2024-01-20T14:37:23Z"})");
    CHECK(read.report.duplicates == 3);
    CHECK(read.report.all_skipped() == 1);
    CHECK(read.ids == std::vector<std::string>{"a", "b?", "a"});
}

TEST_CASE("no two pairs of table and id are duplicates, whatever bytes are in them") {
    const auto record = [](const std::string& table, const std::string& id) {
        return R"({"table":")" + table + R"(","id":")" + id + "\"}\n";
    };
    const auto read = take(record("a", R"(b\u0000c)") + record(R"(a\u0000b)", "c") + record("a", "b#c") +
                           record("a#b", "c") + record("a", "b%23c") + record("a", R"(b\u0000c)"));
    CHECK(read.ids.size() == 5);
    CHECK(read.report.duplicates == 1);
}

TEST_CASE("what is not selected is passed over, and a line that cannot be read is always selected") {
    const auto lines = line("a") + line("a") + "oops\n" +
                       R"({"table":"items","id":"b","accountId":"other","createdAt":"no time"})" + "\n" +
                       R"({"table":"tasks","id":"c","accountId":"acc"})";
    const auto by_table = take(lines, {.table = "tasks"});
    CHECK(by_table.ids == std::vector<std::string>{"c?"});
    CHECK(by_table.report.lines == 2);
    CHECK(by_table.report.duplicates == 0);
    CHECK(by_table.report.all_skipped() == 2);
    const auto by_account = take(lines, {.table = {}, .account = "other"});
    CHECK(by_account.ids == std::vector<std::string>{"b?"});
    CHECK(take(lines, {.table = "items", .account = ""}).ids.empty());
}

TEST_CASE("lines end in LF or CRLF, the last one may lack it, and one above a mebibyte is malformed") {
    auto crlf = line("a");
    crlf.insert(crlf.size() - 1, "\r");
    auto last = line("c");
    last.pop_back();
    const auto read = take(crlf + std::string(metrics::longest_line + 1, 'x') + "\n" + line("b") + last);
    CHECK(read.ids == std::vector<std::string>{"a", "b", "c"});
    CHECK(read.said == "WARNING: in:2: malformed_line: a line of more than 1 MiB\n");
    const auto wide =
        line("d", R"("createdAt":"2024-01-19T14:37:23Z","x":")" + std::string(metrics::longest_line - 200, 'x') + '"');
    CHECK(take(wide).ids == std::vector<std::string>{"d"});
    CHECK(take(std::string(3 * metrics::longest_line, 'x')).report.all_skipped() == 1);
}

TEST_CASE("records fall into the buckets that hold their instants, the start with and the end without") {
    const auto out = counted(line("a", R"("createdAt":"2024-01-19T14:37:23Z")") +
                                 line("b", R"("createdAt":"2024-01-19T15:37:59.999999+01:00")") +
                                 line("c", R"("createdAt":"2024-01-19T13:00:00Z")") +
                                 line("d", R"("createdAt":"2024-01-19T12:59:59.999999Z")") +
                                 line("e", R"("createdAt":"2024-01-19T15:00:00Z")"),
                             two_hours);
    CHECK(out.records == 3);
    const auto bucket = [](int minutes, std::string_view start, std::uint64_t count) {
        return freshet::bucket{std::chrono::minutes{minutes}, at(start), count};
    };
    CHECK(out.buckets ==
          std::vector<freshet::bucket>{bucket(1, "2024-01-19T13:00:00Z", 1), bucket(1, "2024-01-19T14:37:00Z", 2),
                                       bucket(5, "2024-01-19T13:00:00Z", 1), bucket(5, "2024-01-19T14:35:00Z", 2),
                                       bucket(15, "2024-01-19T13:00:00Z", 1), bucket(15, "2024-01-19T14:30:00Z", 2),
                                       bucket(60, "2024-01-19T13:00:00Z", 1), bucket(60, "2024-01-19T14:00:00Z", 2)});
    REQUIRE(out.series.size() == 1);
    CHECK(out.series.front().outside == 2);
}

TEST_CASE("the JSON document sums the series and says what was passed over") {
    const auto out = counted(line("a") + line("a") + "oops\n" + line("b", R"("createdAt":null)") +
                                 R"({"table":"tasks","id":"a","createdAt":"2024-01-19T14:37:01Z"})",
                             {at("2024-01-19T14:00:00Z"), at("2024-01-19T15:00:00Z")});
    CHECK(metrics::as_json(out).dump() ==
          R"({"window":{"start":"2024-01-19T14:00:00Z","end":"2024-01-19T15:00:00Z"},"records":2,)"
          R"("skipped":{"malformed_line":1,"no_timestamp":1},"duplicates":1,"cross_check":true,"buckets":[)"
          R"({"minutes":1,"start":"2024-01-19T14:37:00Z","end":"2024-01-19T14:38:00Z","count":2},)"
          R"({"minutes":5,"start":"2024-01-19T14:35:00Z","end":"2024-01-19T14:40:00Z","count":2},)"
          R"({"minutes":15,"start":"2024-01-19T14:30:00Z","end":"2024-01-19T14:45:00Z","count":2},)"
          R"({"minutes":60,"start":"2024-01-19T14:00:00Z","end":"2024-01-19T15:00:00Z","count":2}]})");
    CHECK(out.code() == metrics::some_failed);
}

TEST_CASE("the log block is the one that its readers know, to the letter") {
    CHECK(metrics::as_text(outcome_of_the_example()) == golden);
}

TEST_CASE("the log block of a file says what was read, and of no update") {
    auto out = outcome_of_the_example();
    out.header.stream_records.reset();
    metrics::intake_report read;
    read.lines = 1'300;
    read.duplicates = 3;
    read.skipped[skip_reason::malformed_line] = 2;
    out.set_input(read);
    auto& log = out.series.front();
    log.steps = 2;
    log.series.account = "";
    out.header.affected.front().account = "";
    log.bad_timestamp = 4;
    log.outside = 57;
    const auto text = metrics::as_text(out);
    for (const auto* part :
         {"Input records: 1300\n  ⚠ 2 skipped - malformed line\n  ⚠ 3 duplicates passed over\nAffected: 1 ",
          "  - items / (none)\n", "Processing items for account (none)\n",
          "[1/2] Retrieved 1,234 items records\n  Outside the time window: 57\n[2/2] Counting",
          "(0 skipped - no timestamp)\n  ⚠ 4 skipped - bad timestamp\n  Cross-check: ",
          "[2/2] Generated 154 bucket updates\n\n====", "✓ SUCCESS: 154 buckets counted\n"}) {
        CAPTURE(part);
        CHECK(text.find(part) != std::string::npos);
    }
    CHECK(text.find("Stream records") == std::string::npos);
    CHECK(text.find("Updat") == std::string::npos);
}

TEST_CASE("the log block marks a failure where it happened, and the last line counts the failed pairs") {
    auto out = outcome_of_the_example();
    metrics::series_log unread;
    unread.series = {"tasks", "a\x1b[2J"};
    unread.fault = freshet::error{freshet::errc::unavailable, "the source\nis away"};
    out.series.push_back(unread);
    const auto text = metrics::as_text(out);
    CHECK(text.find("[1/3] Querying tasks...\n[1/3] ✗ the source\\x0ais away\n") != std::string::npos);
    CHECK(text.find("✗ FAILED: 1 of 2 table/account pairs, 154 buckets updated\n") != std::string::npos);
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(out.code() == metrics::some_failed);
    out.series.erase(out.series.begin());
    CHECK(out.code() == metrics::unreachable);
}

TEST_CASE("a failed cross-check has a code of its own, and keeps the others' buckets") {
    auto out = outcome_of_the_example();
    out.series.push_back(metrics::detail::log_of(
        {"tasks", "b"}, {freshet::errc::failed, "cross-check: the buckets of 1 min hold 3 records of 4"}));
    CHECK(out.code() == metrics::check_failed);
    CHECK(metrics::as_json(out)["cross_check"] == false);
    CHECK(metrics::as_text(out).find("[2/3] ✗ cross-check: the buckets of 1 min hold 3 records of 4\n") !=
          std::string::npos);
}

TEST_CASE("what was written, what stayed, and what a later run has counted is told") {
    auto log = series_of_the_example();
    log.updated = 4;
    log.unchanged = 100;
    log.overtaken = 50;
    const auto text = metrics::series_text(log);
    CHECK(text.find("[3/3] ✓ Updated 4 buckets successfully\n  100 buckets were as found before\n"
                    "  ⚠ 50 buckets have the counts of a later run\n") != std::string::npos);
}

TEST_CASE("an account is shortened behind ten bytes, and never inside a character") {
    CHECK(metrics::detail::short_account("acc-abc123") == "acc-abc123");
    CHECK(metrics::detail::short_account("acc-abc1234") == "acc-abc123...");
    CHECK(metrics::detail::short_account("acc-abc12é4") == "acc-abc12...");
}

TEST_CASE("a sparkline is as high as its counts beside the largest, and no wider than it may be") {
    const auto bucket = [](int minute, std::uint64_t count) {
        return freshet::bucket{1min, two_hours.start + std::chrono::minutes{minute}, count};
    };
    const freshet::time_range eight{two_hours.start, two_hours.start + 8min};
    const std::vector<freshet::bucket> counts{bucket(0, 800), bucket(2, 1), bucket(3, 400), bucket(7, 100)};
    CHECK(metrics::sparkline(counts, eight, 80) == "█ ▁▄   ▁");
    CHECK(metrics::sparkline(counts, eight, 8) == "█ ▁▄   ▁");
    CHECK(metrics::sparkline(counts, eight, 4) == "█▄ ▁");
    CHECK(metrics::sparkline(counts, eight, 3) == "█▄▁");
    CHECK(metrics::sparkline(counts, eight, 0).empty());
    CHECK(metrics::sparkline({}, eight, 80).empty());
    CHECK(metrics::sparkline(std::vector{bucket(0, UINT64_MAX / 2)}, {eight.start, eight.start + 1min}, 80) == "█");
}

TEST_CASE("sparklines are a row a width") {
    const auto out = counted(line("a", R"("createdAt":"2024-01-19T13:00:00Z")"), two_hours);
    CHECK(metrics::sparklines(out.buckets, two_hours, 14) ==
          "     1min █   \n     5min █   \n    15min █   \n    60min █ \n");
}

TEST_CASE("the kind of records is the model of their DynamoDB table's name") {
    const auto of = [](std::string_view arn) { return metrics::type_of_table(metrics::table_in_arn(arn)); };
    CHECK(of("arn:aws:dynamodb:eu-west-1:123456789012:table/Item-xxx/stream/2024-01-19T00:00:00.000") == "items");
    CHECK(of("arn:aws:dynamodb:eu-west-1:123456789012:table/Task-abc-NONE/stream/x") == "tasks");
    CHECK(of("arn:aws:dynamodb:eu-west-1:123456789012:table/Evaluation-abc-NONE/stream/x") == "evaluations");
    CHECK(of("arn:aws:dynamodb:eu-west-1:123456789012:table/ItemHistory-abc/stream/x").empty());
    CHECK(of("arn:aws:dynamodb:eu-west-1:123456789012:table/item-abc").empty());
    CHECK(of("").empty());
}

TEST_CASE("no two pairs of texts have the same key") {
    CHECK(metrics::joined_key("a#", "b") == "a%23#b");
    CHECK(metrics::joined_key("a", "#b") == "a#%23b");
    CHECK(metrics::joined_key("a%23", "b") == "a%2523#b");
    CHECK(metrics::joined_key("", "") == "#");
}

TEST_CASE("a record without a readable time is a row that no index has") {
    metrics::record record{{"items", ""}, "a", "no time", ""};
    const auto row = metrics::row_of(record);
    REQUIRE(row.ok());
    CHECK(metrics::text_in(*row, "createdAt") == "no time");
    CHECK(!row->image().find("series"));
    CHECK(!row->image().find("createdAtUtc"));
    CHECK(metrics::series_of(*row) == record.series);
    record.created_at = "2024-01-19t15:37:23.5+01:00";
    const auto timed = metrics::row_of(record);
    REQUIRE(timed.ok());
    CHECK(metrics::text_in(*timed, "createdAt") == record.created_at);
    CHECK(metrics::text_in(*timed, "createdAtUtc") == "2024-01-19T14:37:23.500000Z");
    CHECK(metrics::text_in(*timed, "series") == "items#");
}

namespace {

/// A run beside a file of another counter's, each time of another process.
struct beside {
    support::scratch_directory scratch{};
    std::string file{scratch.file("old")};
    std::size_t needed{3};

    void write(const std::string& text) const { std::ofstream{file} << text; }
    void write(const metrics::outcome& of) const { write(metrics::as_json(of).dump()); }
    [[nodiscard]] auto compare(const metrics::outcome& ours) const -> std::string {
        metrics::shadow_check check{file, needed};
        const auto told = check.compare(ours, quiet);
        return told ? *told : told.why().note;
    }
    [[nodiscard]] auto runs() const -> std::string {
        std::ifstream in{file + ".runs"};
        std::string text;
        std::getline(in, text);
        return text;
    }
};

/// As many records in a bucket of each width.
auto counted_times(int records) -> metrics::outcome {
    std::string lines;
    for (int i = 0; i != records; ++i) { lines += line(std::to_string(i)); }
    return counted(lines, two_hours);
}

} // namespace

TEST_CASE("an old counter can be switched off after three equal runs in a row, which a difference begins anew") {
    const beside it;
    const auto both = [&](int records) {
        const auto out = counted_times(records);
        it.write(out);
        return it.compare(out);
    };
    CHECK(it.compare(counted_times(1)) == "--shadow " + it.file + ": cannot be read");
    CHECK(both(1) == "✓ Shadow: 4 buckets are equal, in 1 of 3 runs");
    CHECK(both(2) == "✓ Shadow: 4 buckets are equal, in 2 of 3 runs");
    auto other = metrics::as_json(counted_times(2));
    other["buckets"][0]["count"] = 3;
    it.write(other.dump());
    CHECK(it.compare(counted_times(2)) == "⚠ Shadow: 1 buckets differ, 3 are equal");
    CHECK(both(2) == "✓ Shadow: 4 buckets are equal, in 1 of 3 runs");
    CHECK(both(3) == "✓ Shadow: 4 buckets are equal, in 2 of 3 runs");
    CHECK(both(4) == "✓ Shadow: 4 buckets are equal, in 3 of 3 runs: the old counter can be switched off");
}

TEST_CASE("a run on the counts of the run before it is not one more of those that are needed") {
    const beside it;
    const auto out = counted_times(1);
    it.write(out);
    CHECK(it.compare(out) == "✓ Shadow: 4 buckets are equal, in 1 of 3 runs");
    for (int times = 0; times != 3; ++times) {
        CHECK(it.compare(out) == "✓ Shadow: 4 buckets are equal, in 1 of 3 runs, and this one had nothing new");
    }
    it.write(metrics::as_json(out).dump(4)); // the same counts in other bytes
    CHECK(it.compare(out).ends_with("in 1 of 3 runs, and this one had nothing new"));
    it.write(counted_times(2));
    CHECK(it.compare(out).starts_with("⚠ Shadow: 4 buckets differ"));
    CHECK(it.compare(counted_times(2)) == "✓ Shadow: 4 buckets are equal, in 1 of 3 runs");
}

TEST_CASE("a number of equal runs that an earlier release kept still counts") {
    const beside it;
    it.write(counted_times(1));
    std::ofstream{it.file + ".runs"} << "1\n";
    CHECK(it.compare(counted_times(1)) == "✓ Shadow: 4 buckets are equal, in 2 of 3 runs");
    std::ofstream{it.file + ".runs"} << "many\n";
    CHECK(it.compare(counted_times(1)) == "✓ Shadow: 4 buckets are equal, in 1 of 3 runs");
}

TEST_CASE("an old counter's document that is none is named, and the runs stay as they were") {
    const beside it;
    it.write(counted_times(1));
    REQUIRE(it.compare(counted_times(1)).ends_with("1 of 3 runs"));
    const auto runs = it.runs();
    const std::string window = R"("window":{"start":"2024-01-19T13:00:00Z","end":"2024-01-19T15:00:00Z"})";
    const std::string bucket_says = "its bucket 1 has no minutes, start or count";
    const std::vector<std::pair<std::string, std::string>> documents{
        {"", "is no JSON document with an array of buckets"},
        {"{}", "is no JSON document with an array of buckets"},
        {"[]", "is no JSON document with an array of buckets"},
        {R"({"buckets":[]})", "has no window with a start and an end"},
        {R"({"buckets":[],"window":{"start":"2024-01-19T13:00:00Z"}})", "has no window with a start and an end"},
        {R"({"buckets":[],"window":["2024-01-19T13:00:00Z"]})", "has no window with a start and an end"},
        {"{" + window + R"(,"buckets":[7]})", bucket_says},
        {"{" + window + R"(,"buckets":[{"minutes":1,"start":"soon","count":1}]})", bucket_says},
        {"{" + window + R"(,"buckets":[{"minutes":0,"start":"2024-01-19T14:37:00Z","count":1}]})", bucket_says},
        {"{" + window + R"(,"buckets":[{"minutes":1,"start":"2024-01-19T14:37:00Z"}]})", bucket_says},
        {"{" + window + R"(,"buckets":[{"minutes":1,"start":"2024-01-19T14:37:00Z","count":"1"}]})", bucket_says},
        {"{" + window + R"(,"buckets":[{"minutes":1,"start":"2024-01-19T14:37:00Z","count":-1}]})", bucket_says},
    };
    for (const auto& each : documents) {
        CAPTURE(each.first);
        it.write(each.first);
        CHECK(it.compare(counted_times(1)) == "--shadow " + it.file + ": " + each.second);
        CHECK(it.runs() == runs);
    }
}

TEST_CASE("an old counter's buckets of other times are not compared") {
    beside it;
    it.needed = 1;
    const auto now = counted(line("a"), two_hours);
    const auto long_ago = line("b", R"("createdAt":"2023-01-19T14:37:23Z")");
    it.write(counted(line("a") + long_ago, {at("2023-01-01T00:00:00Z"), two_hours.end}));
    CHECK(it.compare(now) == "✓ Shadow: 4 buckets are equal, in 1 of 1 runs: the old counter can be switched off");
}

TEST_CASE("an old counter that does not count the whole window is not compared, and the runs stay as they were") {
    const beside it;
    it.write(counted_times(1));
    REQUIRE(it.compare(counted_times(1)).ends_with("1 of 3 runs"));
    const auto runs = it.runs();
    for (const auto& window : {freshet::time_range{two_hours.start + 1h, two_hours.end},
                               freshet::time_range{two_hours.start, two_hours.end - 1min}}) {
        it.write(counted(line("a"), window));
        const auto said = it.compare(counted_times(2));
        CHECK(said.find(": is not compared: it counts from 2024-01-19 1") != std::string::npos);
        CHECK(said.ends_with(", and this run from 2024-01-19 13:00 to 2024-01-19 15:00"));
        CHECK(it.runs() == runs);
    }
}

TEST_CASE("a run with a series that failed is not compared, and the runs stay as they were") {
    const beside it;
    it.write(counted_times(1));
    REQUIRE(it.compare(counted_times(1)).ends_with("1 of 3 runs"));
    const auto runs = it.runs();
    auto failed = counted_times(1);
    failed.buckets.clear();
    failed.series.front().fault = freshet::error{freshet::errc::unavailable, "the source is away"};
    CHECK(it.compare(failed) == "--shadow " + it.file + ": is not compared with a run that failed");
    CHECK(it.runs() == runs);
}
