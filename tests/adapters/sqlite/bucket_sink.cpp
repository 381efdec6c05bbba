#include <adapters/sqlite/bucket_sink.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>

#include <support/process.hpp>
#include <support/scratch_directory.hpp>

#include "../../laws/bucket_sink.hpp"

namespace {

using namespace std::chrono_literals;
using freshet::errc;
using sink_type = adapters::sqlite::bucket_sink;

const adapters::sqlite::database_options quick{.durable = false, .busy = 20ms, .read_only = false};
const adapters::sqlite::database_options patient{.durable = false, .busy = 20s, .read_only = false};

auto opened(const std::string& path) -> sink_type {
    auto made = sink_type::open(path, quick);
    REQUIRE_MESSAGE(made.ok(), made.why().note);
    REQUIRE(made->file().run("PRAGMA synchronous = OFF")); // no power cut in a test
    return *std::move(made);
}

struct sink_file {
    support::scratch_directory in_;
    sink_type sink_ = opened(path());
    sink_type other_ = opened(path());

    [[nodiscard]] auto path() const -> std::string { return in_.file("b.db"); }
    auto sink() -> sink_type& { return sink_; }
    auto other() -> sink_type& { return other_; }
    auto ask(std::string_view sql) -> std::int64_t { return sink_.file().ask(sql).value_or(-1); }
};

/// The failure is this one, and its note is one line with these words in it.
template <class T>
void fails(const freshet::result<T>& what, errc code, std::string_view words) {
    REQUIRE(!what.ok());
    CAPTURE(what.why().note);
    CHECK(what.why().code == code);
    CHECK(what.why().note.find(words) != std::string::npos);
    CHECK(what.why().note.find('\n') == std::string::npos);
}

/// What a run finds that counts `count` records in each of some hours.
auto each_hour(int first, int end, std::uint64_t count) -> freshet::recounted {
    std::vector<laws::made_records> records;
    for (int at = first; at != end; ++at) {
        for (std::uint64_t n = 0; n != count; ++n) { records.push_back({laws::hour(at) + n * 7min % 1h, 1}); }
    }
    return laws::found_of(laws::hours(first, end), records);
}

/// Hours whose finer buckets do not add up to them: blocks that are not of one run.
auto broken_hours(sink_type& sink) -> std::size_t {
    std::size_t broken = 0;
    for (const auto& hour : laws::read(sink, 60min)) {
        std::uint64_t records = 0;
        for (const auto& each : laws::read(sink, 1min, {hour.start, hour.end()})) { records += each.count; }
        broken += records == hour.count ? 0 : 1;
    }
    return broken;
}

} // namespace

FRESHET_BUCKET_SINK_LAWS(sink_file);

TEST_CASE("connections to one file are one sink, and what it knows outlives them") {
    const support::scratch_directory in;
    freshet::run_ticket first;
    {
        auto one = opened(in.file("b.db"));
        first = laws::ticket_of(one);
        auto two = opened(in.file("b.db"));
        laws::replaced(two, each_hour(0, 3, 4), laws::ticket_of(two));
    }
    auto three = opened(in.file("b.db"));
    CHECK(laws::replaced(three, each_hour(0, 3, 5), first).overtaken == 3 * 77);
    CHECK(laws::holds(three, each_hour(0, 3, 4)));
    CHECK(laws::ticket_of(three).number == 3);
}

TEST_CASE("a bucket that has its count already is not written, one that is empty has no row") {
    sink_file s;
    REQUIRE(s.sink().file().run("CREATE TEMP TABLE writes (what TEXT, width INTEGER)"));
    for (const std::string what : {"INSERT", "UPDATE", "DELETE"}) {
        REQUIRE(s.sink().file().run("CREATE TEMP TRIGGER seen_" + what + " AFTER " + what +
                                    " ON main.bucket_counts BEGIN INSERT INTO writes VALUES ('" + what + "', " +
                                    (what == "DELETE" ? "OLD" : "NEW") + ".width); END"));
    }
    const auto writes = [&] {
        const auto seen = s.sink().file().ask_text(
            "SELECT group_concat(what || n, ' ') FROM"
            " (SELECT what, count(*) AS n FROM writes GROUP BY what ORDER BY 1)");
        REQUIRE(s.sink().file().run("DELETE FROM writes"));
        return seen.ok() ? seen->value_or("") : "?";
    };
    laws::replaced(s.sink(), each_hour(0, 24, 2), laws::ticket_of(s.sink()));
    CHECK(writes() == "INSERT" + std::to_string(24 * (2 + 2 + 1 + 1)));
    CHECK(s.ask("SELECT count(*) FROM bucket_counts") == 24 * 6);
    laws::replaced(s.sink(), each_hour(0, 24, 2), laws::ticket_of(s.sink()));
    CHECK(writes().empty());
    auto moved = each_hour(0, 24, 2);
    moved.buckets.front().start += 1min; // within its five minutes
    CHECK(laws::replaced(s.sink(), moved, laws::ticket_of(s.sink())) == freshet::replaced_counts{2, 24 * 77 - 2, 0});
    CHECK(writes() == "DELETE1 INSERT1");
    laws::replaced(s.sink(), each_hour(0, 23, 3), laws::ticket_of(s.sink()));
    CHECK(writes().find("UPDATE") != std::string::npos);
    laws::replaced(s.sink(), laws::found_of(laws::hours(0, 24), {}), laws::ticket_of(s.sink()));
    CHECK(s.ask("SELECT count(*) FROM bucket_counts") == 0);
}

TEST_CASE("the fence of a run is one row, however many hours it was of, until newer runs cut it") {
    sink_file s;
    const auto rows = [&] { return s.ask("SELECT count(*) FROM bucket_runs"); };
    const auto run_over = [&](int first, int end) {
        laws::replaced(s.sink(), laws::found_of(laws::hours(first, end), {}), laws::ticket_of(s.sink()));
        return rows();
    };
    CHECK(run_over(-5'000, 5'000) == 1);
    CHECK(run_over(-5'000, 5'000) == 1);
    CHECK(run_over(10, 20) == 3);
    CHECK(run_over(15, 25) == 4);
    CHECK(run_over(5'000, 5'001) == 5);
    CHECK(run_over(-9'000, 9'000) == 1);
    CHECK(s.ask("SELECT max(ticket) = 6 FROM bucket_runs") == 1);
}

TEST_CASE("people read the counts in the view `buckets`") {
    sink_file s;
    const auto found = laws::found_of({laws::hour(-1), laws::hour(1)}, {{laws::hour(0) - 1us, 3}, {laws::hour(0), 4}});
    laws::replaced(s.sink(), found, laws::ticket_of(s.sink()));
    auto row = s.sink().file().prepare(
        "SELECT records_of, account, start, count FROM buckets WHERE minutes = ?1"
        " ORDER BY start",
        15);
    REQUIRE(row.ok());
    REQUIRE(row->step().value_or(false));
    CHECK(row->text(0) == laws::a_series.table);
    CHECK(row->text(1) == laws::a_series.account);
    CHECK(row->text(2) == "1969-12-31T23:45:00.000Z");
    CHECK(row->number(3) == 3);
    REQUIRE(row->step().value_or(false));
    CHECK(row->text(2) == "1970-01-01T00:00:00.000Z");
    CHECK(!row->step().value_or(true));
}

TEST_CASE("no call scans or sorts, and a read looks at the buckets that it gives alone") {
    sink_file s;
    for (int n = 0; n != 200; ++n) {
        const freshet::series_key series{"receipts", std::to_string(n)};
        laws::replaced(s.sink(), each_hour(n, n + 5, 2), laws::ticket_of(s.sink(), series), series);
        laws::replaced(s.sink(), each_hour(n, n + 5, 2), laws::ticket_of(s.sink()));
    }
    CHECK(laws::read(s.sink(), 1min, laws::hours(100, 101)).size() == 2);
    std::size_t statements = 0;
    auto* file = s.sink().file().raw();
    for (auto* each = sqlite3_next_stmt(file, nullptr); each != nullptr; each = sqlite3_next_stmt(file, each)) {
        CAPTURE(sqlite3_sql(each));
        ++statements;
        CHECK(sqlite3_stmt_status(each, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0) == 0);
        CHECK(sqlite3_stmt_status(each, SQLITE_STMTSTATUS_SORT, 0) == 0);
        CHECK(sqlite3_stmt_status(each, SQLITE_STMTSTATUS_AUTOINDEX, 0) == 0);
    }
    CHECK(statements > 8);
    auto plan = s.sink().file().prepare(
        "EXPLAIN QUERY PLAN SELECT start, count FROM bucket_counts WHERE series = 1"
        " AND width = 1 AND start >= 1 AND start < 2 ORDER BY start");
    REQUIRE(plan.ok());
    REQUIRE(plan->step().value_or(false));
    CHECK(plan->text(3) == "SEARCH bucket_counts USING PRIMARY KEY (series=? AND width=? AND start>? AND start<?)");
    CHECK(!plan->step().value_or(true));
}

TEST_CASE("while another writes, a sink waits, and is unavailable when its time is over; readers never wait") {
    sink_file s;
    const auto ticket = laws::ticket_of(s.sink());
    laws::replaced(s.sink(), each_hour(0, 1, 1), ticket);
    {
        auto writing = s.other().file().begin();
        REQUIRE(writing);
        fails(s.sink().begin_run(laws::a_series), errc::unavailable, "BEGIN IMMEDIATE: database is locked");
        fails(s.sink().replace(laws::a_series, each_hour(0, 1, 2), ticket), errc::unavailable, "locked");
        CHECK(laws::holds(s.sink(), each_hour(0, 1, 1)));
    }
    laws::replaced(s.sink(), each_hour(0, 1, 2), ticket);
    CHECK(laws::holds(s.sink(), each_hour(0, 1, 2)));
}

TEST_CASE("a full disk is unavailable, and neither counts nor fences are changed") {
    sink_file s;
    const auto old = laws::ticket_of(s.sink());
    laws::replaced(s.sink(), each_hour(0, 2, 1), old);
    const auto ticket = laws::ticket_of(s.sink());
    const auto pages = s.ask("PRAGMA page_count");
    REQUIRE(s.sink().file().run("PRAGMA max_page_count = " + std::to_string(pages)));
    fails(s.sink().replace(laws::a_series, each_hour(0, 500, 2), ticket), errc::unavailable, "full");
    CHECK(laws::holds(s.sink(), each_hour(0, 2, 1)));
    CHECK(laws::replaced(s.sink(), each_hour(0, 2, 1), old).overtaken == 0);
    REQUIRE(s.sink().file().run("PRAGMA max_page_count = 100000"));
    laws::replaced(s.sink(), each_hour(0, 500, 2), ticket);
    CHECK(laws::holds(s.sink(), each_hour(0, 500, 2)));
}

TEST_CASE("a file that is no sink is denied") {
    const support::scratch_directory in;
    std::ofstream{in.file("text")} << std::string(5000, 'x');
    fails(sink_type::open(in.file("text"), quick), errc::denied, "not a database");
    fails(sink_type::open(in.path(), quick), errc::denied, "unable to open");
    { auto made = opened(in.file("b.db")); }
    auto reader = sink_type::open(in.file("b.db"), {.durable = false, .busy = 20ms, .read_only = true});
    REQUIRE(reader.ok());
    CHECK(laws::read(*reader, 1min).empty());
    CHECK(reader->begin_run(laws::a_series).why().code == errc::denied);
}

TEST_CASE("processes that recount the same hours at once: no ticket twice, and each hour is of the newest run") {
    const support::scratch_directory in;
    const support::signal_pipe gate;
    std::vector<std::unique_ptr<support::process>> workers;
    for (int n = 0; n < 4; ++n) {
        workers.push_back(std::make_unique<support::process>([&, n] {
            gate.wait();
            auto sink = sink_type::open(in.file("b.db"), patient);
            if (!sink) { return false; }
            std::ofstream noted{in.file("replaced" + std::to_string(n))};
            const auto replace = [&](int hour, const freshet::run_ticket& ticket) {
                const auto found = each_hour(hour, hour + 1, ticket.number);
                noted << hour << ' ' << ticket.number << '\n';
                return sink->replace(laws::a_series, found, ticket).ok();
            };
            const auto oldest = sink->begin_run(laws::a_series);
            if (!oldest) { return false; }
            for (int run = 0; run < 25; ++run) {
                const auto ticket = sink->begin_run(laws::a_series);
                if (!ticket) { return false; }
                const auto first = (run + n) % 3;
                for (auto at = first; at != first + 4; ++at) { // range by range, as a run does
                    if (!replace(at, *ticket)) { return false; }
                }
            }
            for (int at = 0; at != 6; ++at) { // the run that began first is the last to write
                if (!replace(at, *oldest)) { return false; }
            }
            return noted.flush().good();
        }));
    }
    for (int n = 0; n < 4; ++n) { gate.go(); }
    for (auto& worker : workers) { CHECK(worker->went_well()); }
    auto sink = opened(in.file("b.db"));
    CHECK(laws::ticket_of(sink).number == 105);
    CHECK(broken_hours(sink) == 0);
    std::map<freshet::time_point, std::uint64_t> newest; // as the workers say
    for (int n = 0; n < 4; ++n) {
        std::ifstream noted{in.file("replaced" + std::to_string(n))};
        int lines = 0;
        int hour = 0;
        for (std::uint64_t ticket = 0; noted >> hour >> ticket; ++lines) {
            auto& best = newest[laws::hour(hour)];
            best = std::max(best, ticket);
        }
        CHECK(lines == 25 * 4 + 6);
    }
    std::map<freshet::time_point, std::uint64_t> kept;
    for (const auto& hour : laws::read(sink, 60min)) { kept[hour.start] = hour.count; }
    CHECK(kept.size() == 6);
    CHECK(kept == newest);
}

TEST_CASE("a writer that is killed in the midst of a block leaves the blocks and fences as they were") {
    const support::scratch_directory in;
    auto sink = opened(in.file("b.db"));
    laws::replaced(sink, each_hour(0, 4, 3), laws::ticket_of(sink));
    const support::signal_pipe inside;
    const support::signal_pipe never;
    struct pipes {
        const support::signal_pipe& inside;
        const support::signal_pipe& never;
    } of{inside, never};
    support::process worker{[&] {
        auto own = sink_type::open(in.file("b.db"), patient);
        if (!own) { return false; }
        const auto stop = [](sqlite3_context* context, int, sqlite3_value**) {
            const auto& them = *static_cast<pipes*>(sqlite3_user_data(context));
            them.inside.go();
            them.never.wait();
        };
        sqlite3_create_function(own->file().raw(), "stop_here", 0, SQLITE_UTF8, &of, stop, nullptr, nullptr);
        const auto set = own->file().run(
            "CREATE TEMP TRIGGER stops AFTER INSERT ON main.bucket_counts"
            " WHEN NEW.width = 300000000 BEGIN SELECT stop_here(); END");
        const auto ticket = own->begin_run(laws::a_series);
        const bool done = set && ticket && own->replace(laws::a_series, each_hour(0, 4, 8), *ticket).ok();
        inside.go(); // too late: nothing stopped it
        return done;
    }};
    inside.wait();
    worker.kill();
    CHECK(laws::holds(sink, each_hour(0, 4, 3)));
    CHECK(laws::replaced(sink, each_hour(0, 4, 3), {1}) == freshet::replaced_counts{0, 4 * 77, 0});
    CHECK(laws::ticket_of(sink).number == 3);
}
