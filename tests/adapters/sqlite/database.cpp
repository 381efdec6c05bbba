#include <adapters/sqlite/database.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>

#include <support/cases.hpp>
#include <support/process.hpp>
#include <support/scratch_directory.hpp>

namespace {

using adapters::sqlite::database;
using adapters::sqlite::database_options;
using freshet::errc;

const database_options quick{.durable = false, .busy = std::chrono::milliseconds{20}, .read_only = false};
const database_options patient{.durable = false, .busy = std::chrono::seconds{20}, .read_only = false};
const database_options reading{.durable = false, .busy = std::chrono::milliseconds{20}, .read_only = true};

const std::string notes = "CREATE TABLE note (id INTEGER PRIMARY KEY, words TEXT UNIQUE, other TEXT) STRICT;";

auto opened(const std::string& path, const database_options& options = quick) -> database {
    auto made = database::open(path, options);
    REQUIRE_MESSAGE(made.ok(), made.why().note);
    return *std::move(made);
}

auto with_notes(const std::string& path, const database_options& options = quick) -> database {
    auto made = opened(path, options);
    const auto adopted = made.adopt("note", "1", notes);
    REQUIRE_MESSAGE(adopted.ok(), adopted.why().note);
    return made;
}

auto count(database& in) -> std::int64_t { return in.ask("SELECT count(*) FROM note").value_or(-1); }

/// The failure is this one, and its note is one line that begins with the path.
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

TEST_CASE("a statement gives back what it was given, zero bytes and extreme numbers included") {
    const support::scratch_directory in;
    auto db = with_notes(in.file("a.db"));
    const std::string words{"a\0b'\"\n\xc3\xa4", 8};
    REQUIRE(db.run("INSERT INTO note VALUES (?1, ?2, ?3)", std::numeric_limits<std::int64_t>::min(), words,
                   std::optional<std::string>{}));
    REQUIRE(db.run("INSERT INTO note VALUES (?1, ?2, ?3)", 7, std::string_view{}, nullptr));
    CHECK(db.changed() == 1);
    auto s = db.prepare("SELECT id, words, other FROM note ORDER BY id");
    REQUIRE(s);
    CHECK(s->step().value_or(false));
    CHECK(s->number(0) == std::numeric_limits<std::int64_t>::min());
    CHECK(s->text(1) == words);
    CHECK(s->is_null(2));
    CHECK(s->step().value_or(false));
    CHECK(!s->is_null(1)); // an empty text is not an absent one
    CHECK(s->text(1).empty());
    CHECK(!s->step().value_or(true));
    CHECK(!s->step().value_or(true)); // and does not start anew
}

TEST_CASE("the same SQL runs inside itself, and is prepared once where it does not") {
    const support::scratch_directory in;
    auto db = with_notes(in.file("a.db"));
    for (auto id = 1; id <= 3; ++id) { REQUIRE(db.run("INSERT INTO note (id) VALUES (?1)", id)); }
    constexpr auto sql = "SELECT id FROM note WHERE id >= ?1 ORDER BY id";
    std::vector<std::int64_t> seen;
    {
        auto outer = db.prepare(sql, 2);
        while (outer->step().value_or(false)) {
            auto inner = db.prepare(sql, 1);
            while (inner->step().value_or(false)) { seen.push_back(outer->number(0) * 10 + inner->number(0)); }
        }
    }
    CHECK(seen == std::vector<std::int64_t>{21, 22, 23, 31, 32, 33});
    const auto* first = db.prepare(sql, 1)->raw();
    CHECK(db.prepare(sql, 2)->raw() == first);
    auto moved = std::move(db);
    CHECK(moved.prepare(sql, 3)->raw() == first);
    CHECK(!moved.prepare(sql)->step().value_or(true)); // no value is left over from the last time
}

TEST_CASE("a transaction that is dropped never was, and its commit is seen by every connection") {
    const support::scratch_directory in;
    auto one = with_notes(in.file("a.db"));
    auto two = with_notes(in.file("a.db"));
    {
        auto t = one.begin();
        REQUIRE(t);
        REQUIRE(one.run("INSERT INTO note (id) VALUES (1)"));
        CHECK(count(two) == 0); // a reader neither waits nor sees
    }
    CHECK(count(one) == 0);
    auto t = one.begin();
    REQUIRE(t);
    REQUIRE(one.run("INSERT INTO note (id) VALUES (1)"));
    REQUIRE(t->commit());
    CHECK(count(two) == 1);
}

TEST_CASE("a read transaction sees one state throughout") {
    const support::scratch_directory in;
    auto writer = with_notes(in.file("a.db"));
    auto reader = opened(in.file("a.db"), reading);
    auto seen = reader.begin_read();
    REQUIRE(seen);
    CHECK(count(reader) == 0);
    REQUIRE(writer.run("INSERT INTO note (id) VALUES (1)"));
    CHECK(count(reader) == 0);
    CHECK(count(writer) == 1);
    REQUIRE(seen->commit());
    CHECK(count(reader) == 1);
}

TEST_CASE("a second writer waits, and beyond the busy time is told that the database is locked") {
    const support::scratch_directory in;
    auto one = with_notes(in.file("a.db"));
    auto two = opened(in.file("a.db"));
    {
        auto t = one.begin();
        REQUIRE(t);
        fails(two.run("INSERT INTO note (id) VALUES (2)"), errc::unavailable, in.file("a.db"),
              "INSERT INTO note (id) VALUES (2): database is locked");
        fails(two.begin(), errc::unavailable, in.file("a.db"), "BEGIN IMMEDIATE: database is locked");
        fails(two.adopt("other", "1", notes), errc::unavailable, in.file("a.db"), "database is locked");
        CHECK(two.adopt("note", "1", notes)); // what needs no writing does not wait
    }
    CHECK(two.run("INSERT INTO note (id) VALUES (2)"));
}

TEST_CASE("a breach of a table's own rule is a conflict, and a text beyond SQLite's limit is too large") {
    const support::scratch_directory in;
    auto db = with_notes(in.file("a.db"));
    REQUIRE(db.run("INSERT INTO note VALUES (1, 'a', NULL)"));
    fails(db.run("INSERT INTO note VALUES (2, 'a', NULL)"), errc::conflict, in.file("a.db"), "UNIQUE");
    sqlite3_limit(db.raw(), SQLITE_LIMIT_LENGTH, 1000);
    fails(db.run("INSERT INTO note VALUES (3, ?1, NULL)", std::string(2000, 'x')), errc::too_large, in.file("a.db"),
          "too big");
    fails(db.run("SELECT x FROM nowhere"), errc::failed, in.file("a.db"), "no such table");
    fails(db.run("INSERT INTO note VALUES (?1, 'b', 'c')", 4, "one too many"), errc::failed, in.file("a.db"), "range");
    CHECK(count(db) == 1);
}

TEST_CASE("a full disk is unavailable, leaves nothing half written, and passes") {
    const support::scratch_directory in;
    auto db = with_notes(in.file("a.db"));
    REQUIRE(db.run("PRAGMA max_page_count = 20"));
    {
        auto t = db.begin();
        REQUIRE(t);
        REQUIRE(db.run("INSERT INTO note VALUES (1, 'small', NULL)"));
        fails(db.run("INSERT INTO note VALUES (2, ?1, NULL)", std::string(200'000, 'x')), errc::unavailable,
              in.file("a.db"), "INSERT INTO note VALUES (2, ?1, NULL): database or disk is full");
        static_cast<void>(t->commit());
    }
    CHECK(db.ask("SELECT count(*) FROM note WHERE id = 2").value_or(-1) == 0);
    REQUIRE(db.run("PRAGMA max_page_count = 1000000"));
    CHECK(db.run("INSERT INTO note VALUES (2, ?1, NULL)", std::string(200'000, 'x')));
    CHECK(db.ask("SELECT quick_check = 'ok' FROM pragma_quick_check").value_or(0) == 1);
}

TEST_CASE("what cannot be opened is denied in one line") {
    const support::scratch_directory in;
    fails(database::open(in.path(), quick), errc::denied, in.path(), "unable to open");
    fails(database::open(in.file("missing/a.db"), quick), errc::denied, in.file("missing/a.db"), "unable to open");
    fails(database::open(in.file("none.db"), reading), errc::denied, in.file("none.db"), "unable to open");
    CHECK(!std::filesystem::exists(in.file("none.db")));
    fails(database::open("", quick), errc::denied, "", "unable to open");
    std::ofstream{in.file("text")} << std::string(5000, 'x');
    fails(database::open(in.file("text"), quick), errc::denied, in.file("text"), "file is not a database");
    std::ofstream{in.file("empty")} << "";
    fails(database::open(in.file("empty"), reading), errc::denied, in.file("empty"), "is empty");
    std::ofstream{in.file("a\nb")} << std::string(5000, 'x');
    fails(database::open(in.file("a\nb"), quick), errc::denied, in.file("a\\x0ab"), "not a database");
}

TEST_CASE("a connection that only reads is denied writing") {
    const support::scratch_directory in;
    auto writer = with_notes(in.file("a.db"));
    auto reader = opened(in.file("a.db"), reading);
    CHECK(reader.adopt("note", "1", notes));
    fails(reader.run("INSERT INTO note (id) VALUES (1)"), errc::denied, in.file("a.db"), "readonly");
    fails(reader.adopt("other", "1", notes), errc::denied, in.file("a.db"), "holds no other");
}

TEST_CASE("a damaged file is denied when the damage is met") {
    const support::scratch_directory in;
    {
        auto db = with_notes(in.file("a.db"));
        for (auto id = 0; id < 200; ++id) {
            REQUIRE(db.run("INSERT INTO note VALUES (?1, ?2, ?3)", id, std::to_string(id), std::string(500, 'x')));
        }
    } // the last one out writes everything into the file itself
    {
        std::fstream file{in.file("a.db"), std::ios::in | std::ios::out | std::ios::binary};
        file.seekp(8192);
        file << std::string(40'000, 'z');
    }
    auto db = database::open(in.file("a.db"), quick);
    const auto met =
        !db ? freshet::result<void>{db.why()} : db->run("SELECT sum(length(other)) FROM note WHERE words <> 'a'");
    fails(met, errc::denied, in.file("a.db"), "malformed");
}

TEST_CASE("another program's database is left as it was") {
    const support::scratch_directory in;
    const auto path = in.file("theirs.db");
    sqlite3* raw = nullptr;
    REQUIRE(sqlite3_open(path.c_str(), &raw) == SQLITE_OK);
    REQUIRE(sqlite3_exec(raw, "CREATE TABLE theirs (x)", nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(raw);
    const auto read = [&] {
        std::ifstream file{path, std::ios::binary};
        return std::string{std::istreambuf_iterator<char>{file}, {}};
    };
    const auto before = read();
    fails(database::open(path, quick), errc::denied, path, "is another program's database");
    CHECK(read() == before);
}

TEST_CASE("another version of a component is refused, and a second component lives beside the first") {
    const support::scratch_directory in;
    auto db = with_notes(in.file("a.db"));
    fails(db.adopt("note", "2", notes), errc::denied, in.file("a.db"), R"(holds note as "1", not as "2")");
    CHECK(db.adopt("list", "1", "CREATE TABLE list (id INTEGER) STRICT; CREATE INDEX by_id ON list (id);"));
    CHECK(db.adopt("list", "1", "not run again"));
    fails(db.adopt("bad", "1", "CREATE TABLE half (id INTEGER) STRICT; CREATE NONSENSE;"), errc::failed,
          in.file("a.db"), "create bad");
    CHECK(db.ask("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").value_or(-1) == 0);
}

TEST_CASE("a path that SQLite would take for something else is a file's path") {
    const support::scratch_directory in;
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(in.path());
    CHECK(database::open(":memory:", quick));
    CHECK(database::open("file:b.db?mode=memory", quick));
    std::filesystem::current_path(before);
    CHECK(std::filesystem::exists(in.file(":memory:")));
    CHECK(std::filesystem::exists(in.file("file:b.db?mode=memory")));
}

TEST_CASE("processes that open a new file at once all succeed, and it is made once") {
    for (std::size_t round = 0; round < support::cases(5); ++round) {
        const support::scratch_directory in;
        const support::signal_pipe gate;
        const support::signal_pipe opened;
        const support::signal_pipe next_gate;
        std::vector<std::unique_ptr<support::process>> openers;
        for (auto n = 0; n < 6; ++n) {
            openers.push_back(std::make_unique<support::process>([&, n] {
                gate.wait();
                auto db = database::open(in.file("a.db"), patient);
                opened.go();
                next_gate.wait();
                return db && db->adopt("note", "1", notes) && db->run("INSERT INTO note (id) VALUES (?1)", n);
            }));
        }
        for (auto n = 0; n < 6; ++n) { gate.go(); }
        for (auto n = 0; n < 6; ++n) { opened.wait(); }
        for (auto n = 0; n < 6; ++n) { next_gate.go(); }
        for (auto& opener : openers) { CHECK(opener->went_well()); }
        auto db = with_notes(in.file("a.db"));
        CHECK(count(db) == 6);
    }
}

TEST_CASE("a process killed inside a transaction leaves what was before it") {
    const support::scratch_directory in;
    auto db = with_notes(in.file("a.db"));
    REQUIRE(db.run("INSERT INTO note (id) VALUES (1)"));
    const support::signal_pipe ready;
    const support::signal_pipe never;
    support::process writer{[&] {
        auto own = database::open(in.file("a.db"), patient);
        if (!own) { return false; }
        auto t = own->begin();
        // more than the page cache holds, so that some of it is in the log of the file already
        static_cast<void>(own->run("PRAGMA cache_size = 5"));
        for (auto id = 2; id < 300; ++id) {
            if (!own->run("INSERT INTO note VALUES (?1, ?2, ?3)", id, std::to_string(id), std::string(1000, 'x'))) {
                return false;
            }
        }
        ready.go();
        never.wait();
        return true;
    }};
    ready.wait();
    writer.kill();
    CHECK(count(db) == 1);
    CHECK(db.run("INSERT INTO note (id) VALUES (2)"));
    CHECK(count(db) == 2);
}

TEST_CASE("the busy time may be for ever, or less than none") {
    const support::scratch_directory in;
    auto patience = [&](freshet::duration busy) {
        return opened(in.file("a.db"), {.durable = false, .busy = busy, .read_only = false})
            .ask("PRAGMA busy_timeout")
            .value_or(-1);
    };
    CHECK(patience(freshet::duration::max()) == std::numeric_limits<int>::max());
    CHECK(patience(std::chrono::hours{24 * 30}) == std::numeric_limits<int>::max());
    CHECK(patience(freshet::duration::min()) == 0);
    CHECK(patience(std::chrono::microseconds{1}) == 1);
}
