#include <adapters/sqlite/change_stream.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/backend/change.hpp>
#include <freshet/backend/change_stream.hpp>
#include <freshet/core/result.hpp>

#include <adapters/change_record.hpp>
#include <laws/change_stream.hpp>
#include <support/process.hpp>

#include "items_file.hpp"

using namespace adapters::sqlite::testing;
using freshet::errc;

FRESHET_CHANGE_STREAM_LAWS(on_sqlite);

namespace {

constexpr auto day = std::chrono::hours{24};

void put_n(items_file& f, std::int64_t n) { REQUIRE(f.table.put(item("P", std::to_string(n), n))); }

/// The `n` of the changes from a position on; -1 before them where there is a gap.
auto read_from(changes& stream, const freshet::stream_position& position) -> std::vector<std::int64_t> {
    std::vector<std::int64_t> seen;
    const auto batch = must(stream.read(position, 1000));
    if (batch.gap) { seen.push_back(-1); }
    for (const auto& change : batch.changes) { seen.push_back(n_of(*change.after)); }
    return seen;
}

using numbers = std::vector<std::int64_t>;

} // namespace

TEST_CASE("a change is trimmed exactly at the end of its day, whether or not anybody has removed it") {
    items_file f;
    const auto start = must(f.stream.oldest());
    put_n(f, 1);
    f.clock.advance(std::chrono::hours{1});
    put_n(f, 2);
    const auto behind_first = f.stream.position_after(*f.stream.read(start, 1), 0);
    f.clock.advance(day - std::chrono::hours{1} - freshet::duration{1});
    CHECK(read_from(f.stream, start) == numbers{1, 2});
    CHECK(*f.stream.oldest() == start);
    f.clock.advance(freshet::duration{1});
    CHECK(f.logged() == 2);
    CHECK(read_from(f.stream, start) == numbers{-1, 2});
    CHECK(*f.stream.oldest() == behind_first);
    CHECK(read_from(f.stream, behind_first) == numbers{2}); // lost nothing
    f.clock.advance(day);
    CHECK(read_from(f.stream, behind_first) == numbers{-1});
    CHECK(*f.stream.oldest() == *f.stream.latest());
    CHECK(read_from(f.stream, *f.stream.latest()).empty());
}

TEST_CASE("saving a checkpoint removes what is trimmed, and what was trimmed stays so when the clock steps back") {
    items_file f;
    const auto start = must(f.stream.oldest());
    put_n(f, 1);
    f.clock.advance(std::chrono::hours{1});
    put_n(f, 2);
    f.clock.advance(day);
    put_n(f, 3);
    REQUIRE(f.stream.save_checkpoint("reader", start));
    CHECK(f.logged() == 1);
    CHECK(*f.stream.checkpoint("reader") == start);
    f.clock.advance(-2 * day);
    CHECK(read_from(f.stream, start) == numbers{-1, 3});
    auto other = must(changes::open(f.path, f.clock, with_indexes, reading));
    CHECK(read_from(other, start) == numbers{-1, 3});
    put_n(f, 4);
    CHECK(read_from(f.stream, start) == numbers{-1, 3, 4});
}

TEST_CASE("what is trimmed and not yet removed from the file is not read") {
    items_file f;
    const auto start = must(f.stream.oldest());
    for (auto n = 1; n <= 3; ++n) { put_n(f, n); }
    REQUIRE(f.stream.file().run("UPDATE item_stream SET trimmed = 2"));
    CHECK(read_from(f.stream, start) == numbers{-1, 3});
    CHECK(read_from(f.stream, *f.stream.oldest()) == numbers{3});
    REQUIRE(f.stream.save_checkpoint("reader", start));
    CHECK(f.logged() == 1);
}

TEST_CASE("a change dated back behind a newer one is kept as long as that") {
    items_file f;
    const auto start = must(f.stream.oldest());
    put_n(f, 1);
    f.clock.advance(-std::chrono::hours{10});
    put_n(f, 2);
    f.clock.advance(day + std::chrono::hours{5}); // the second is too old, the first is not
    CHECK(read_from(f.stream, start) == numbers{1, 2});
    REQUIRE(f.stream.save_checkpoint("reader", start));
    CHECK(f.logged() == 2);
}

TEST_CASE("trim takes what was made before an instant, and the numbers go on when nothing is left") {
    items_file f;
    put_n(f, 1);
    f.clock.advance(std::chrono::seconds{1});
    const auto instant = f.clock.now();
    put_n(f, 2);
    const auto start = must(f.stream.oldest());
    REQUIRE(f.stream.trim(instant));
    CHECK(read_from(f.stream, start) == numbers{-1, 2});
    const auto latest = must(f.stream.latest());
    REQUIRE(f.stream.trim(freshet::time_point::max()));
    CHECK(f.logged() == 0);
    CHECK(*f.stream.latest() == latest);
    put_n(f, 3);
    CHECK(read_from(f.stream, latest) == numbers{3});
    const auto batch = must(f.stream.read(start, 10));
    REQUIRE(batch.changes.size() == 1);
    CHECK(batch.changes[0].sequence.view() == "100000000000000000003");
}

TEST_CASE("a stream without images has the same records, byte for byte, and absent sides") {
    items_file f;
    put_n(f, 1);
    REQUIRE(f.table.expire({"P", "1"}));
    auto bare = must(
        adapters::sqlite::change_stream<manual_clock, adapters::unread>::open(f.path, f.clock, with_indexes, quick));
    const auto start = must(f.stream.oldest());
    const auto full = must(f.stream.read(start, 10));
    const auto records = must(bare.read(start, 10));
    REQUIRE(full.changes.size() == 2);
    REQUIRE(records.changes.size() == 2);
    CHECK(records.next == full.next);
    for (auto i = 0U; i < 2; ++i) {
        CHECK(records.changes[i].record == full.changes[i].record);
        CHECK(records.changes[i].kind == full.changes[i].kind);
        CHECK(records.changes[i].cause == full.changes[i].cause);
        CHECK(!records.changes[i].before.has_value());
        CHECK(!records.changes[i].after.has_value());
    }
    CHECK(full.changes[1].cause == freshet::change_cause::expiry);
    CHECK(full.changes[1].kind == freshet::change_kind::remove);
}

TEST_CASE("a position and a checkpoint are good in every process that opens the file later") {
    items_file f;
    put_n(f, 1);
    REQUIRE(f.stream.save_checkpoint("reader", must(f.stream.latest())));
    put_n(f, 2);
    support::process other{[&] {
        auto stream = changes::open(f.path, f.clock, with_indexes, patient);
        if (!stream) { return false; }
        const auto saved = stream->checkpoint("reader");
        if (!saved || !*saved) { return false; }
        const auto batch = stream->read(**saved, 10);
        return batch && !batch->gap && batch->changes.size() == 1 &&
               stream->save_checkpoint("reader", batch->next).ok();
    }};
    CHECK(other.went_well());
    CHECK(**f.stream.checkpoint("reader") == *f.stream.latest());
}

TEST_CASE("a stream that only reads reads, and is denied saving") {
    items_file f;
    put_n(f, 1);
    auto reader = must(changes::open(f.path, f.clock, with_indexes, reading));
    CHECK(read_from(reader, *reader.oldest()) == numbers{1});
    const auto saved = reader.save_checkpoint("reader", *reader.latest());
    REQUIRE(!saved.ok());
    CHECK(saved.why().code == errc::denied);
    CHECK(saved.why().note.starts_with(f.path + ": "));
    CHECK(reader.checkpoint("reader")->has_value() == false);
}

TEST_CASE("reading and asking for places do not wait for a writer, saving a checkpoint does") {
    items_file f;
    put_n(f, 1);
    const auto open = must(f.table.file().begin());
    put_n(f, 2);
    CHECK(read_from(f.stream, *f.stream.oldest()) == numbers{1});
    CHECK(f.stream.checkpoint("reader").ok());
    CHECK(laws::code_of(f.stream.save_checkpoint("reader", *f.stream.latest())) == errc::unavailable);
    CHECK(f.stream.checkpoint("reader")->has_value() == false);
}

TEST_CASE("a position from after a copy of the file was taken is a gap in that copy") {
    items_file f;
    put_n(f, 1);
    REQUIRE(f.table.file().run("VACUUM INTO ?1", f.in.file("copy.db")));
    auto copy = must(changes::open(f.in.file("copy.db"), f.clock, with_indexes, quick));
    CHECK(read_from(copy, *f.stream.latest()).empty());
    put_n(f, 2);
    CHECK(read_from(copy, *f.stream.latest()) == numbers{-1, 1});
}

TEST_CASE("a reader beside writing processes gets every change once, each row's in order, and no gap") {
    items_file f;
    constexpr auto writers = 3;
    constexpr auto rounds = 60;
    std::vector<std::unique_ptr<support::process>> running;
    for (auto writer = 0; writer < writers; ++writer) {
        running.push_back(std::make_unique<support::process>([&, writer] {
            auto table = items::open(f.path, f.clock, with_indexes, patient);
            if (!table) { return false; }
            for (auto n = 1; n <= rounds; ++n) {
                if (!table->put(item("P" + std::to_string(writer), std::to_string(n % 3), n))) { return false; }
            }
            return true;
        }));
    }
    auto position = must(f.stream.oldest());
    std::map<freshet::row_key, std::vector<std::int64_t>> seen;
    std::uint64_t last = 0;
    const auto read_all = [&] {
        while (true) {
            const auto batch = must(f.stream.read(position, 7));
            CHECK(!batch.gap);
            for (const auto& change : batch.changes) {
                seen[change.key].push_back(n_of(*change.after));
                CHECK(adapters::number_of(change.sequence) == ++last);
            }
            position = batch.next;
            if (batch.changes.empty()) { return; }
        }
    };
    for (auto tries = 0; tries < 20'000 && last < 50; ++tries) { read_all(); } // while they write
    for (auto& writer : running) { CHECK(writer->went_well()); }
    read_all();
    CHECK(last == writers * rounds);
    REQUIRE(seen.size() == writers * 3);
    for (const auto& [key, all] : seen) {
        numbers expected;
        for (auto n = 1; n <= rounds; ++n) {
            if (std::to_string(n % 3) == key.sort) { expected.push_back(n); }
        }
        CHECK(all == expected);
    }
}

TEST_CASE("reading a batch costs the same at both ends of a long log") {
    items_file f;
    std::vector<freshet::document> rows;
    for (auto i = 0; i < 3000; ++i) { rows.push_back(item("P", std::to_string(10'000 + i), i)); }
    const auto first = must(f.stream.oldest());
    REQUIRE(f.table.put_many(rows));
    const auto steps_of_read = [&](const freshet::stream_position& position) {
        const auto reset = [&] {
            auto sum = 0;
            auto* file = f.stream.file().raw();
            for (auto* s = sqlite3_next_stmt(file, nullptr); s != nullptr; s = sqlite3_next_stmt(file, s)) {
                CHECK(sqlite3_stmt_status(s, SQLITE_STMTSTATUS_SORT, 1) == 0);
                sum += sqlite3_stmt_status(s, SQLITE_STMTSTATUS_VM_STEP, 1);
            }
            return sum;
        };
        reset();
        REQUIRE(f.stream.read(position, 100)->changes.size() == 100);
        return reset();
    };
    const auto at_start = steps_of_read(first);
    const auto late = f.stream.position_after(*f.stream.read(first, 2900), 2899);
    CHECK(steps_of_read(late) <= at_start + 50);
}

TEST_CASE("a change whose text is damaged is denied by its row's name") {
    items_file f;
    const auto start = must(f.stream.latest());
    REQUIRE(f.table.put(item("P", "1", 1)));
    REQUIRE(f.table.put(item("P", "2", 2)));
    auto other = must(items::open(f.path, f.clock, with_indexes, quick));
    REQUIRE(other.file().run("UPDATE item_change SET after = substr(after, 1, 20) WHERE sk = '2'"));
    CHECK(f.stream.read(start, 1).ok());
    const auto batch = f.stream.read(start, 2);
    REQUIRE(!batch.ok());
    CHECK(batch.why().code == freshet::errc::denied);
    CHECK(batch.why().note.starts_with(f.path + ": row P / 2: "));
}

TEST_CASE("for ever is a time to keep changes, also for a clock before 1970") {
    items_file f;
    auto stream = must(changes::open(f.path, f.clock, with_indexes, quick, freshet::duration::max()));
    f.clock.advance(std::chrono::hours{-24} - f.clock.now().time_since_epoch());
    const auto start = must(stream.latest());
    REQUIRE(f.table.put(item("P", "1", 1)));
    for (const int years : {0, 100, 1'000}) {
        f.clock.advance(std::chrono::hours{24 * 365} * years);
        const auto batch = must(stream.read(start, 9));
        CHECK(!batch.gap);
        CHECK(batch.changes.size() == 1);
    }
}
