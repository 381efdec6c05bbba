#include <adapters/sqlite/ttl_store.hpp>

#include <chrono>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <support/process.hpp>
#include <support/scratch_directory.hpp>

#include "../../laws/ttl_store.hpp"
#include "../../laws/ttl_store_processes.hpp"

namespace {

using namespace std::chrono_literals;
using freshet::errc;
using freshet::testing::manual_clock;
using store_type = adapters::sqlite::ttl_store<manual_clock>;
using adapters::sqlite::ttl_store_options;

static_assert(store_type::fence == freshet::fence_scope::shared);
static_assert(!freshet::shareable<store_type>);

const adapters::sqlite::database_options quick{.durable = false, .busy = 20ms, .read_only = false};
const adapters::sqlite::database_options patient{.durable = false, .busy = 20s, .read_only = false};

auto opened(const std::string& path, const manual_clock& clock, const ttl_store_options& options = {}) -> store_type {
    auto made = store_type::open(path, clock, options, quick);
    REQUIRE_MESSAGE(made.ok(), made.why().note);
    REQUIRE(made->file().run("PRAGMA synchronous = OFF")); // no power cut in a test
    return *std::move(made);
}

class store_file {
public:
    explicit store_file(ttl_store_options options = {}) : options_{std::move(options)} {}

    [[nodiscard]] auto path() const -> std::string { return in_.file("c.db"); }
    auto store() -> store_type& { return store_; }
    auto clock() -> manual_clock& { return clock_; }
    [[nodiscard]] auto fence_time() const -> freshet::duration { return options_.fence_time; }
    auto rows() -> std::int64_t { return store_.file().ask("SELECT count(*) FROM ttl_entry").value_or(-1); }

private:
    ttl_store_options options_;
    support::scratch_directory in_;
    manual_clock clock_;
    store_type store_ = opened(path(), clock_, options_);
};

/// Forgets soon, and so in the midst of what the laws do.
struct forgetful_file : store_file {
    forgetful_file() : store_file{{.fence_time = 3s}} {}
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

} // namespace

FRESHET_TTL_STORE_LAWS(store_file, forgetful_file);

TEST_CASE("connections to one file and of one name are one store, and what it knows outlives them") {
    const support::scratch_directory in;
    manual_clock clock;
    const laws::cached old{"old", clock.now(), clock.now(), clock.now() + 1h};
    const laws::cached fresh{"new", clock.now(), clock.now(), clock.now() + 1h};
    auto one = opened(in.file("c.db"), clock);
    auto apart = opened(in.file("c.db"), clock, {.name = "apart"});
    for (const bool clears : {false, true}) {
        const auto late = laws::ticket_of(one, "key");
        const auto good_apart = laws::ticket_of(apart, "key");
        {
            auto two = opened(in.file("c.db"), clock);
            REQUIRE((clears ? two.clear() : two.erase("key")).ok());
            CHECK(laws::is_kept_out(one.put("key", old, late)));
            REQUIRE(two.put("key", fresh, laws::ticket_of(two, "key")).ok());
        }
        CHECK(laws::holds(one, "key", fresh));
        CHECK(laws::is_kept_out(one.put("key", old, late)));
        auto three = opened(in.file("c.db"), clock);
        CHECK(laws::is_kept_out(three.put("key", old, late)));
        CHECK(laws::holds(three, "key", fresh));
        CHECK(apart.put("key", old, good_apart).ok());
        CHECK(laws::holds(apart, "key", old));
    }
}

TEST_CASE("a key of any bytes is a key") {
    store_file s;
    auto& store = s.store();
    const auto entry = laws::entry_of(s, "value");
    const std::string keys[]{"\xff", "a\xc3", std::string(100'000, 'k'), std::string{"a\0b", 3},
                             std::string{"a\0c", 3}};
    for (const auto& key : keys) {
        CHECK(laws::lacks(store, key));
        const auto late = laws::ticket_of(store, key);
        REQUIRE(store.put(key, entry, late).ok());
        CHECK(laws::takes_times(store, key, entry, entry));
        REQUIRE(store.erase(key).ok());
        CHECK(laws::is_kept_out(store.put(key, entry, late)));
        REQUIRE(store.put(key, entry, laws::ticket_of(store, key)).ok());
        CHECK(laws::holds(store, key, entry));
    }
}

TEST_CASE("what is refused leaves nothing behind") {
    store_file s;
    const auto late = laws::ticket_of(s.store(), "key");
    REQUIRE(s.store().clear().ok());
    CHECK(laws::is_kept_out(s.store().put("key", laws::entry_of(s, "old"), late)));
    CHECK(s.rows() == 0);
}

TEST_CASE("what has expired and what is to be forgotten leaves the file, a few with each write") {
    store_file s;
    auto& store = s.store();
    for (int n = 0; n < 25; ++n) {
        const auto key = "k" + std::to_string(n);
        if (n % 2 == 0) { REQUIRE(store.erase(key).ok()); }
        REQUIRE(store.put(key, laws::entry_of(s, "value", 1min), laws::ticket_of(store, key)).ok());
    }
    CHECK(s.rows() == 25);
    s.clock().advance(1min);
    REQUIRE(store.erase("new").ok());
    CHECK(s.rows() == 16);
    REQUIRE(store.put("newer", laws::entry_of(s, "value", 1h), laws::ticket_of(store, "newer")).ok());
    CHECK_MESSAGE(s.rows() == 15, "those that were invalidated are remembered");
    s.clock().advance(14min);
    REQUIRE(store.erase("newest").ok());
    CHECK(s.rows() == 6);
    s.clock().advance(1min);
    for (int n = 0; n != 2; ++n) { REQUIRE(store.erase("newest").ok()); }
    CHECK(s.rows() == 2);
    REQUIRE(store.clear().ok());
    CHECK(s.rows() == 0);
}

TEST_CASE("what ends soon after an invalidation does not take it with it") {
    store_file s;
    auto& store = s.store();
    const auto late = laws::ticket_of(store, "key");
    REQUIRE(store.erase("key").ok());
    const auto entry = laws::entry_of(s, "value", 1min);
    REQUIRE(store.put("key", entry, laws::ticket_of(store, "key")).ok());
    REQUIRE(store.touch("key", laws::retimed(entry, {}, s.clock().now() + 1s), late).ok());
    s.clock().advance(15min - 1us);
    REQUIRE(store.erase("other").ok());
    CHECK(laws::is_kept_out(store.put("key", entry, late)));
}

TEST_CASE("a clock that is set back and on again lets nothing in that was looked up before an invalidation") {
    store_file s;
    auto& store = s.store();
    const auto late = laws::ticket_of(store, "key");
    s.clock().advance(-1h);
    REQUIRE(store.erase("key").ok());
    s.clock().advance(1h);
    CHECK(laws::is_kept_out(store.put("key", laws::entry_of(s, "old"), late)));
    REQUIRE(store.erase("other").ok());
    CHECK_MESSAGE(s.rows() == 1, "what is forgotten is swept");
    CHECK(laws::is_kept_out(store.put("key", laws::entry_of(s, "old"), late)));
    CHECK(store.put("key", laws::entry_of(s, "new"), laws::ticket_of(store, "key")).ok());
}

TEST_CASE("what was looked up after an invalidation is not refused when that is forgotten") {
    store_file s;
    auto& store = s.store();
    REQUIRE(store.erase("other").ok());
    s.clock().advance(15min - 1us);
    const auto good = laws::ticket_of(store, "key");
    s.clock().advance(1us);
    CHECK(store.put("key", laws::entry_of(s, "value"), good).ok());
    CHECK(s.rows() == 1);
}

TEST_CASE("no call but clear scans or sorts, however many keys there are") {
    store_file s;
    auto& store = s.store();
    for (int n = 0; n < 500; ++n) {
        const auto key = "k" + std::to_string(n);
        const auto entry = laws::entry_of(s, "value", 1min);
        REQUIRE(store.put(key, entry, laws::ticket_of(store, key)).ok());
        REQUIRE(store.touch(key, entry, laws::ticket_of(store, key)).ok());
        REQUIRE(store.erase(key).ok());
    }
    s.clock().advance(15min);
    REQUIRE(store.put("k1", laws::entry_of(s, "value"), laws::ticket_of(store, "k1")).ok());
    REQUIRE(store.clear().ok());
    auto* file = store.file().raw();
    for (auto* one = sqlite3_next_stmt(file, nullptr); one != nullptr; one = sqlite3_next_stmt(file, one)) {
        CAPTURE(sqlite3_sql(one));
        CHECK(sqlite3_stmt_status(one, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0) == 0);
        CHECK(sqlite3_stmt_status(one, SQLITE_STMTSTATUS_SORT, 0) == 0);
        CHECK(sqlite3_stmt_status(one, SQLITE_STMTSTATUS_AUTOINDEX, 0) == 0);
    }
}

TEST_CASE("while another writes, a store is read and waits to write, and is unavailable when its time is over") {
    store_file s;
    auto& store = s.store();
    const auto entry = laws::entry_of(s, "value");
    const auto ticket = laws::ticket_of(store, "key");
    REQUIRE(store.put("key", entry, ticket).ok());
    auto other = opened(s.path(), s.clock());
    {
        auto writing = other.file().begin();
        REQUIRE(writing);
        CHECK(laws::holds(store, "key", entry));
        fails(store.put("key", entry, ticket), errc::unavailable, s.path() + ": BEGIN IMMEDIATE: database is locked");
        fails(store.touch("key", entry, ticket), errc::unavailable, "locked");
        fails(store.erase("key"), errc::unavailable, "locked");
        fails(store.clear(), errc::unavailable, "locked");
    }
    CHECK(store.put("key", entry, ticket).ok());
}

TEST_CASE("a full disk is unavailable, and what was there stays") {
    store_file s;
    auto& store = s.store();
    const auto entry = laws::entry_of(s, "value");
    const auto ticket = laws::ticket_of(store, "key");
    REQUIRE(store.put("key", entry, ticket).ok());
    const auto pages = store.file().ask("PRAGMA page_count").value_or(0);
    REQUIRE(store.file().run("PRAGMA max_page_count = " + std::to_string(pages)));
    fails(store.put("key", laws::entry_of(s, std::string(100'000, 'v')), ticket), errc::unavailable, "full");
    CHECK(laws::holds(store, "key", entry));
}

TEST_CASE("a file that is no store is denied, as is one whose store somebody took out") {
    const support::scratch_directory in;
    const manual_clock clock;
    std::ofstream{in.file("text")} << std::string(5000, 'x');
    fails(store_type::open(in.file("text"), clock, {}, quick), errc::denied, "not a database");
    auto store = opened(in.file("c.db"), clock);
    REQUIRE(store.file().run("DELETE FROM ttl_store"));
    fails(store.get("key"), errc::denied, "the store cache is gone");
}

TEST_CASE("what a process looked up before another one invalidated, it cannot put") {
    for (const bool clears : {false, true}) {
        CAPTURE(clears);
        const support::scratch_directory in;
        const manual_clock clock;
        laws::keeps_out_the_late_process(
            [&](auto use) {
                auto store = store_type::open(in.file("c.db"), clock, {}, patient);
                return store.ok() && use(*store);
            },
            clears);
    }
}

TEST_CASE("of processes that load and invalidate, none sees what was loaded before an invalidation ended") {
    const support::scratch_directory in;
    const manual_clock clock;
    laws::keeps_processes_apart([&](auto use) {
        auto store = store_type::open(in.file("c.db"), clock, {}, patient);
        return store.ok() && use(*store);
    });
}
