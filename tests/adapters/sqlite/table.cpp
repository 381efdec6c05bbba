#include <adapters/sqlite/table.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread> // the laws run writers on several
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>

#include <laws/table.hpp>
#include <support/process.hpp>

#include "items_file.hpp"

using namespace adapters::sqlite::testing;
using freshet::errc;

FRESHET_TABLE_LAWS(on_sqlite);

namespace {

using when = freshet::write_condition<freshet::document>;

/// What all statements of a connection did since the last time: rows stepped over in a search of a whole table, and
/// sorts.
struct effort {
    int full_scan_steps{};
    int sorts{};
    int steps{};
};

auto effort_of(adapters::sqlite::database& file) -> effort {
    effort sum;
    for (auto* s = sqlite3_next_stmt(file.raw(), nullptr); s != nullptr; s = sqlite3_next_stmt(file.raw(), s)) {
        sum.full_scan_steps += sqlite3_stmt_status(s, SQLITE_STMTSTATUS_FULLSCAN_STEP, 1);
        sum.sorts += sqlite3_stmt_status(s, SQLITE_STMTSTATUS_SORT, 1);
        sum.steps += sqlite3_stmt_status(s, SQLITE_STMTSTATUS_VM_STEP, 1);
    }
    return sum;
}

template <class T>
void fails(const freshet::result<T>& what, errc code, const std::string& path, std::string_view words) {
    REQUIRE(!what.ok());
    CAPTURE(what.why().note);
    CHECK(what.why().code == code);
    CHECK(what.why().note.starts_with(path + ": "));
    CHECK(what.why().note.find(words) != std::string::npos);
    CHECK(what.why().note.find('\n') == std::string::npos);
}

} // namespace

TEST_CASE("the change log has one entry for each write that changes something, and none for any other") {
    items_file f;
    REQUIRE(f.table.put(item("P", "1", 1)));
    CHECK(f.logged() == 1);
    const auto written = sqlite3_total_changes64(f.table.file().raw());
    REQUIRE(f.table.put(item("P", "1", 1)));
    REQUIRE(f.table.put(laws::item(R"({"n":{"N":"1.0"}, "SK":{"S":"1"},"PK":{"S":"\u0050"}})")));
    REQUIRE(f.table.put(item("P", "1", 1), when::if_present()));
    REQUIRE(f.table.update({"P", "1"}, {laws::item(R"({"n":{"N":"1e0"}})"), {"none"}}));
    REQUIRE(f.table.erase({"P", "2"}));
    CHECK(!f.table.put(item("P", "1", 2), when::if_absent()));
    CHECK(!f.table.put(laws::item(R"({"PK":{"S":"P"}})")));
    CHECK(sqlite3_total_changes64(f.table.file().raw()) == written); // not even the file was touched
    REQUIRE(f.table.file().run("UPDATE item SET text = text"));
    CHECK(f.logged() == 1);
    REQUIRE(f.table.update({"P", "1"}, {laws::item(R"({"n":{"N":"2"}})"), {}}));
    CHECK(f.logged() == 2);
    REQUIRE(f.table.erase({"P", "1"}));
    CHECK(f.logged() == 3);
    REQUIRE(f.table.put(item("P", "1", 2)));
    CHECK(f.logged() == 4);
}

TEST_CASE("rows, indexes and log are there when the file is opened again") {
    items_file f;
    REQUIRE(f.table.put(item("P", "1", 1, R"(,"GSI3PK":{"S":"V"})")));
    auto other = must(items::open(f.path, f.clock, with_indexes, quick));
    CHECK(n_of(**other.get({"P", "1"})) == 1);
    CHECK(other.query({"GSI3", "V", ""}, {})->rows.size() == 1);
    REQUIRE(other.put(item("P", "1", 2)));
    CHECK(n_of(**f.table.get({"P", "1"})) == 2);
    CHECK(f.table.query({"GSI3", "V", ""}, {})->rows.empty());
    CHECK(f.logged() == 2);
}

TEST_CASE("a query of ten rows costs the same in a table of ten and of three thousand, and sorts nothing") {
    items_file f;
    const auto fill = [&](const std::string& partition, int count, const std::string& more) {
        std::vector<freshet::document> rows;
        for (auto i = 0; i < count; ++i) { rows.push_back(item(partition, std::to_string(1000 + i), i, more)); }
        REQUIRE(f.table.put_many(rows));
    };
    fill("few", 10, R"(,"GSI1PK":{"S":"L"},"GSI1SK":{"S":"a#1"},"GSI3PK":{"S":"VALID"})");
    const std::vector<freshet::index_query> queries{{"", "few", ""},
                                                    {"", "few", "100"},
                                                    {"", "few", "", "1000", "1009"},
                                                    {"", "few", "", "0"},
                                                    {"GSI1", "L", "a#"},
                                                    {"GSI1", "L", "", "a#1", "a#1"},
                                                    {"GSI1", "L", "", "", "az"},
                                                    {"GSI3", "VALID", ""}};
    const auto efforts = [&] {
        std::vector<int> steps;
        for (const auto& query : queries) {
            for (const std::size_t limit : {0U, 3U}) {
                effort_of(f.table.file());
                REQUIRE(laws::all_rows(f.table, &query, limit).size() == 10);
                const auto spent = effort_of(f.table.file());
                CHECK(spent.full_scan_steps == 0);
                CHECK(spent.sorts == 0);
                steps.push_back(spent.steps);
            }
        }
        return steps;
    };
    const auto before = efforts();
    fill("many", 1500, R"(,"GSI1PK":{"S":"L"},"GSI1SK":{"S":"b"},"GSI3PK":{"S":"INVALID"})");
    fill("other", 1500, R"(,"GSI1PK":{"S":"K"},"GSI1SK":{"S":"a#1"})");
    const auto after = efforts();
    for (std::size_t i = 0; i < before.size(); ++i) { CHECK(after[i] <= before[i] + 10); } // to see where it ends
}

TEST_CASE("the pages of a scan cost the same at its start and at its end") {
    items_file f;
    std::vector<freshet::document> rows;
    for (auto i = 0; i < 2000; ++i) { rows.push_back(item("P" + std::to_string(i % 7), std::to_string(10'000 + i))); }
    REQUIRE(f.table.put_many(rows));
    freshet::page_request request{std::nullopt, 100};
    std::vector<int> steps;
    do {
        effort_of(f.table.file());
        const auto page = must(f.table.scan(request));
        const auto spent = effort_of(f.table.file());
        CHECK(spent.sorts == 0);
        steps.push_back(spent.steps);
        request.from = page.next;
    } while (request.from);
    REQUIRE(steps.size() == 20);
    for (const auto spent : steps) { CHECK(spent <= 2 * steps[0]); }
}

TEST_CASE("keys with zero bytes and index attributes with odd names are found whole") {
    const support::scratch_directory in;
    const manual_clock clock;
    const adapters::item_table_options odd{
        .partition = R"(a"b.c$[0])", .sort = "'; --", .indexes = {{"i", R"(x"y\)", ""}}};
    auto table = must(adapters::sqlite::table<const manual_clock>::open(in.file("odd.db"), clock, odd, quick));
    const auto with = [&](const std::string& value, const std::string& indexed) {
        return laws::item(R"({"a\"b.c$[0]":{"S":"p"},"'; --":{"S":")" + value + R"("},"x\"y\\":{"S":")" + indexed +
                          R"("}})");
    };
    REQUIRE(table.put(with("k", "v")));
    REQUIRE(table.put(with(R"(k\u0000)", R"(v\u0000)")));
    REQUIRE(table.put(with(R"(k\u0000b)", R"(v\u0000b)")));
    using namespace std::string_literals;
    CHECK(table.get({"p", "k\0b"s})->has_value());
    CHECK(!table.get({"p", "k\0c"s})->has_value());
    CHECK(table.query({"", "p", "k"}, {})->rows.size() == 3);
    CHECK(table.query({"", "p", "k\0"s}, {})->rows.size() == 2);
    CHECK(table.query({"i", "v", ""}, {})->rows.size() == 1);
    CHECK(table.query({"i", "v\0"s, ""}, {})->rows.size() == 1);
    CHECK(table.query({"i", "v\0b"s, ""}, {})->rows.size() == 1);
}

TEST_CASE("many rows are put together or not at all") {
    items_file f;
    std::vector<freshet::document> rows;
    rows.push_back(item("P", "1", 1));
    rows.push_back(item("P", "2", 1));
    rows.push_back(laws::item(R"({"PK":{"S":"P"}})"));
    CHECK(laws::code_of(f.table.put_many(rows)) == errc::malformed);
    CHECK(f.rows() == 0);
    CHECK(f.logged() == 0);
    rows.pop_back();
    rows.push_back(item("P", "1", 2));
    REQUIRE(f.table.put_many(rows));
    CHECK(f.rows() == 2);
    CHECK(f.logged() == 3);
    REQUIRE(f.table.put_many({}));
}

TEST_CASE("a file with other keys, indexes or names is refused, and so is one that is no database") {
    items_file f;
    auto other = with_indexes;
    other.indexes.pop_back();
    fails(items::open(f.path, f.clock, other, quick), errc::denied, f.path, "holds items as");
    other = with_indexes;
    other.sort = "sort";
    fails(changes::open(f.path, f.clock, other, quick), errc::denied, f.path, "holds items as");
    other = with_indexes;
    other.name = "another";
    fails(items::open(f.path, f.clock, other, quick), errc::denied, f.path, "\"another\"");
    fails(items::open(f.in.path(), f.clock, with_indexes, quick), errc::denied, f.in.path(), "unable to open");
}

TEST_CASE("whoever does not know the clock of the change log cannot write past it") {
    items_file f;
    REQUIRE(f.table.put(item("P", "1")));
    auto stranger = must(adapters::sqlite::database::open(f.path, quick));
    fails(stranger.run("UPDATE item SET text = '{}'"), errc::failed, f.path, "freshet_now");
    fails(stranger.run("DELETE FROM item"), errc::failed, f.path, "freshet_now");
    CHECK(f.logged() == 1);
    CHECK(n_of(**f.table.get({"P", "1"})) == 0);
}

TEST_CASE("readers see the state before a transaction until it is committed, and do not wait") {
    items_file f;
    REQUIRE(f.table.put(item("P", "1", 1)));
    auto other = must(items::open(f.path, f.clock, with_indexes, quick));
    auto open = must(other.file().begin());
    REQUIRE(other.put(item("P", "1", 2)));
    REQUIRE(other.put(item("P", "2", 2)));
    CHECK(n_of(**f.table.get({"P", "1"})) == 1);
    CHECK(f.table.scan({})->rows.size() == 1);
    CHECK(f.logged() == 1);
    REQUIRE(open.commit());
    CHECK(n_of(**f.table.get({"P", "1"})) == 2);
    CHECK(f.logged() == 3);
}

TEST_CASE("a writer that others keep waiting beyond the busy time is told, and has changed nothing") {
    items_file f;
    REQUIRE(f.table.put(item("P", "1", 1)));
    auto other = must(items::open(f.path, f.clock, with_indexes, quick));
    {
        auto open = must(other.file().begin());
        fails(f.table.put(item("P", "1", 2)), errc::unavailable, f.path, "database is locked");
        fails(f.table.put(item("P", "1", 2), when::if_present()), errc::unavailable, f.path, "database is locked");
        fails(f.table.update({"P", "1"}, {item("P", "1", 3), {}}), errc::unavailable, f.path, "database is locked");
        fails(f.table.erase({"P", "1"}), errc::unavailable, f.path, "database is locked");
        fails(f.table.expire({"P", "1"}), errc::unavailable, f.path, "database is locked");
        fails(f.table.put_many({}), errc::unavailable, f.path, "database is locked");
        CHECK(n_of(**f.table.get({"P", "1"})) == 1);
    }
    REQUIRE(f.table.erase({"P", "1"}));
    CHECK(f.logged() == 2);
    CHECK(f.ask("SELECT cause FROM item_change WHERE sequence = 2") == 0); // the failed expiry left nothing behind
}

TEST_CASE("a full disk is unavailable, and neither row nor index nor log is half written") {
    items_file f;
    REQUIRE(f.table.put(item("P", "1", 1)));
    const auto pages = must(f.table.file().ask("PRAGMA page_count"));
    const auto set_limit = [&](std::int64_t limit) {
        REQUIRE(f.table.file().run("PRAGMA max_page_count = " + std::to_string(limit)));
    };
    const auto large = item("P", "2", 2, R"(,"GSI3PK":{"S":"V"},"x":{"S":")" + std::string(20'000, 'x') + "\"}");
    // a limit for every place at which the disk may be full: in the row, its index, the log
    auto failures = 0;
    for (auto more = 0; more < 12; ++more) {
        set_limit(pages + more);
        const auto written = f.table.put(large);
        if (written) { break; }
        ++failures;
        fails(written, errc::unavailable, f.path, "database or disk is full");
        CHECK(f.rows() == 1);
        CHECK(f.logged() == 1);
        CHECK(f.table.query({"GSI3", "V", ""}, {})->rows.empty());
    }
    CHECK(failures > 5);
    set_limit(1'000'000);
    REQUIRE(f.table.put(large));
    CHECK(f.logged() == 2);
    CHECK(f.ask("SELECT quick_check = 'ok' FROM pragma_quick_check") == 1);
}

TEST_CASE("a table that only reads is denied writing") {
    items_file f;
    REQUIRE(f.table.put(item("P", "1", 1)));
    auto reader = must(items::open(f.path, f.clock, with_indexes, reading));
    CHECK(n_of(**reader.get({"P", "1"})) == 1);
    fails(reader.put(item("P", "1", 2)), errc::denied, f.path, "readonly");
    fails(reader.erase({"P", "1"}), errc::denied, f.path, "readonly");
    CHECK(f.logged() == 1);
}

TEST_CASE("processes that count up the same row lose no step, and the log tells of each") {
    const support::scratch_directory in;
    const auto path = in.file("items.db");
    constexpr auto workers = 3;
    constexpr auto rounds = 40;
    std::vector<std::unique_ptr<support::process>> running;
    for (auto worker = 0; worker < workers; ++worker) {
        running.push_back(std::make_unique<support::process>([&, worker] {
            const manual_clock clock;
            auto table = adapters::sqlite::table<const manual_clock>::open(path, clock, with_indexes, patient);
            if (!table) { return false; }
            for (auto done = 0; done < rounds;) {
                const auto seen = table->get({"P", "1"});
                if (!seen) { return false; }
                const auto mine = ",\"by\":{\"S\":\"" + std::to_string(worker * rounds + done) + "\"}";
                const auto made = *seen ? table->put(item("P", "1", n_of(**seen) + 1, mine), when::if_unchanged(**seen))
                                        : table->put(item("P", "1", 1, mine), when::if_absent());
                if (made) {
                    ++done;
                } else if (made.why().code != errc::conflict) {
                    return false;
                }
            }
            return true;
        }));
    }
    for (auto& worker : running) { CHECK(worker->went_well()); }
    manual_clock clock;
    auto table = must(items::open(path, clock, with_indexes, quick));
    CHECK(n_of(**table.get({"P", "1"})) == workers * rounds);
    CHECK(must(table.file().ask("SELECT count(*) FROM item_change")) == workers * rounds);
}

TEST_CASE("a process killed inside a transaction leaves the old rows and no change") {
    items_file f;
    REQUIRE(f.table.put(item("P", "1", 1)));
    const support::signal_pipe ready;
    const support::signal_pipe never;
    support::process killed{[&] {
        auto table = items::open(f.path, f.clock, with_indexes, patient);
        if (!table) { return false; }
        const auto open = table->file().begin();
        static_cast<void>(table->file().run("PRAGMA cache_size = 5"));
        for (auto i = 1; i < 100; ++i) {
            if (!table->put(item("P", std::to_string(i), 2, R"(,"x":{"S":")" + std::string(1000, 'x') + "\"}"))) {
                return false;
            }
        }
        ready.go();
        never.wait();
        return open.ok();
    }};
    ready.wait();
    killed.kill();
    CHECK(f.rows() == 1);
    CHECK(f.logged() == 1);
    CHECK(n_of(**f.table.get({"P", "1"})) == 1);
    REQUIRE(f.table.put(item("P", "1", 3)));
    CHECK(f.logged() == 2);
}

TEST_CASE("a write with a condition inside another transaction of the same connection is refused, and harms neither") {
    items_file f;
    auto open = must(f.table.file().begin());
    REQUIRE(f.table.put(item("P", "1", 1)));
    fails(f.table.erase({"P", "1"}), errc::failed, f.path, "within a transaction");
    REQUIRE(open.commit());
    CHECK(f.rows() == 1);
}

TEST_CASE("a page without a limit has a row at least, whatever the options say") {
    items_file f;
    for (const auto* sort : {"1", "2"}) { REQUIRE(f.table.put(item("P", sort))); }
    auto options = with_indexes;
    options.page_rows = 0;
    auto table = must(items::open(f.path, f.clock, options, quick));
    CHECK(table.scan({})->rows.size() == 1);
    CHECK(laws::all_rows(table, nullptr, 0).size() == 2);
}

TEST_CASE("a row whose text is damaged is denied by its name, and the others are there") {
    items_file f;
    for (const auto* sort : {"1", "2\\n", "3"}) { REQUIRE(f.table.put(item("P", sort, 3))); }
    const auto seen = *f.table.get({"P", "2\n"});
    auto other = must(items::open(f.path, f.clock, with_indexes, quick));
    REQUIRE(other.file().run("UPDATE item SET text = substr(text, 1, 20) WHERE sk LIKE '2%'"));
    const std::string row = "row P / 2\\x0a: ";
    const freshet::row_key key{"P", "2\n"};
    fails(f.table.get(key), errc::denied, f.path, row);
    fails(f.table.scan({}), errc::denied, f.path, row);
    fails(f.table.query({"", "P", "2"}, {}), errc::denied, f.path, row);
    fails(f.table.update(key, {laws::item(R"({"n":{"N":"1"}})"), {}}), errc::denied, f.path, row);
    fails(f.table.update(key, {laws::item(R"({"n":{"N":"1"}})"), {}}, when::if_unchanged(*seen)), errc::denied, f.path,
          row);
    CHECK(laws::code_of(f.table.update({"P", "1"}, {laws::item(R"({"PK":{"S":"P"}})"), {}})) == errc::malformed);
    CHECK(n_of(**f.table.get({"P", "3"})) == 3);
    REQUIRE(f.table.put(item("P", "2\\n", 4)));
    CHECK(n_of(**f.table.get(key)) == 4);
}
