#include <adapters/sqlite/ledger.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <support/process.hpp>
#include <support/scratch_directory.hpp>

#include "../../laws/ledger.hpp"

namespace {

using namespace std::chrono_literals;
using freshet::claim_verdict;
using freshet::errc;
using freshet::testing::manual_clock;
using ledger_type = adapters::sqlite::ledger<manual_clock>;

const adapters::sqlite::database_options quick{.durable = false, .busy = 20ms, .read_only = false};
const adapters::sqlite::database_options patient{.durable = false, .busy = 20s, .read_only = false};

auto opened(const std::string& path, const manual_clock& clock) -> ledger_type {
    auto made = ledger_type::open(path, clock, {}, quick);
    REQUIRE_MESSAGE(made.ok(), made.why().note);
    REQUIRE(made->file().run("PRAGMA synchronous = OFF")); // no power cut in a test
    return *std::move(made);
}

struct ledger_file {
    support::scratch_directory in_;
    manual_clock clock_;
    ledger_type ledger_ = opened(path(), clock_);

    [[nodiscard]] auto path() const -> std::string { return in_.file("l.db"); }
    auto ledger() -> ledger_type& { return ledger_; }
    auto clock() -> manual_clock& { return clock_; }
    auto keys() -> std::int64_t { return ledger_.file().ask("SELECT count(*) FROM ledger_keys").value_or(-1); }
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

FRESHET_LEDGER_LAWS(ledger_file);

TEST_CASE("connections to one file are one ledger, and what it knows outlives them") {
    const support::scratch_directory in;
    manual_clock clock;
    auto one = opened(in.file("l.db"), clock);
    std::uint64_t token = 0;
    {
        auto two = opened(in.file("l.db"), clock);
        const auto first = laws::granted(one, "key", "a");
        CHECK(laws::ask(two, "key", "b").verdict == claim_verdict::held);
        token = laws::granted(two, "other", "b").token;
        CHECK(token > first.token);
        CHECK(two.complete(first).ok());
    }
    auto three = opened(in.file("l.db"), clock);
    CHECK(laws::ask(three, "key", "c").verdict == claim_verdict::completed);
    CHECK(laws::ask(three, "other", "c").verdict == claim_verdict::held);
    CHECK(laws::granted(three, "new", "c").token > token);
}

TEST_CASE("a key is remembered for fourteen days from its last use, and a token grows over a forgotten key") {
    ledger_file l;
    const auto days = [](int n) { return freshet::duration{24h * n}; };
    const auto done = laws::granted(l.ledger(), "done", "a");
    REQUIRE(l.ledger().complete(done));
    const auto left = laws::granted(l.ledger(), "left", "a", 30s);
    l.clock().advance(days(14) - 1us);
    CHECK(laws::ask(l.ledger(), "done", "b").verdict == claim_verdict::completed);
    l.clock().advance(1us);
    const auto again = laws::granted(l.ledger(), "done", "b");
    CHECK(again.token > left.token);
    CHECK(laws::ask(l.ledger(), "left", "b").verdict == claim_verdict::taken_over);
    CHECK(laws::is_conflict(l.ledger().complete(done)));
}

TEST_CASE("forgotten keys leave the file, a few with each claim") {
    ledger_file l;
    for (int n = 0; n < 25; ++n) {
        REQUIRE(l.ledger().complete(laws::granted(l.ledger(), "k" + std::to_string(n), "a")));
    }
    CHECK(l.keys() == 25);
    l.clock().advance(24h * 14);
    for (const auto left : {16, 7, 3}) {
        CHECK(laws::ask(l.ledger(), "new" + std::to_string(left), "a").mine());
        CHECK(l.keys() == left);
    }
    CHECK(laws::granted(l.ledger(), "k7", "b").key == "k7");
}

TEST_CASE("a lease longer than time itself ends at the end of time") {
    ledger_file l;
    const auto claim = laws::granted(l.ledger(), "key", "a", freshet::duration::max());
    CHECK(claim.expires_at == freshet::time_point::max());
    l.clock().advance(24h * 365'000);
    CHECK(laws::ask(l.ledger(), "key", "b").verdict == claim_verdict::held);
    const auto renewed = l.ledger().renew(claim, freshet::duration::max());
    REQUIRE(renewed);
    CHECK(renewed->expires_at == freshet::time_point::max());
}

TEST_CASE("no call scans or sorts, however many keys there are") {
    ledger_file l;
    std::vector<freshet::work_claim> claims;
    for (int n = 0; n < 500; ++n) { claims.push_back(laws::granted(l.ledger(), "k" + std::to_string(n), "a")); }
    for (const auto& claim : claims) {
        CHECK(l.ledger().renew(claim, 1min));
        CHECK(l.ledger().release(claim));
        CHECK(l.ledger().complete(claim));
    }
    l.clock().advance(24h * 15);
    CHECK(laws::granted(l.ledger(), "k1", "a").key == "k1");
    auto* file = l.ledger().file().raw();
    for (auto* s = sqlite3_next_stmt(file, nullptr); s != nullptr; s = sqlite3_next_stmt(file, s)) {
        CAPTURE(sqlite3_sql(s));
        CHECK(sqlite3_stmt_status(s, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0) == 0);
        CHECK(sqlite3_stmt_status(s, SQLITE_STMTSTATUS_SORT, 0) == 0);
        CHECK(sqlite3_stmt_status(s, SQLITE_STMTSTATUS_AUTOINDEX, 0) == 0);
    }
}

TEST_CASE("while another writes, a ledger waits, and is unavailable when its time is over") {
    ledger_file l;
    const auto claim = laws::granted(l.ledger(), "key", "a");
    auto other = opened(l.path(), l.clock());
    {
        auto writing = other.file().begin();
        REQUIRE(writing);
        fails(l.ledger().claim({"key", "b"}), errc::unavailable, l.path() + ": BEGIN IMMEDIATE: database is locked");
        fails(l.ledger().complete(claim), errc::unavailable, "locked");
        fails(l.ledger().release(claim), errc::unavailable, "locked");
        fails(l.ledger().renew(claim, 1s), errc::unavailable, "locked");
    }
    CHECK(laws::ask(l.ledger(), "key", "b").verdict == claim_verdict::held);
    CHECK(l.ledger().complete(claim));
}

TEST_CASE("a full disk is unavailable, and grants nothing that a crash would forget") {
    ledger_file l;
    const auto pages = l.ledger().file().ask("PRAGMA page_count").value_or(0);
    REQUIRE(l.ledger().file().run("PRAGMA max_page_count = " + std::to_string(pages)));
    const std::string key(100'000, 'k');
    fails(l.ledger().claim({key, "a"}), errc::unavailable, "full");
    CHECK(l.keys() == 0);
    REQUIRE(l.ledger().file().run("PRAGMA max_page_count = 100000"));
    CHECK(laws::granted(l.ledger(), key, "b").token > 0);
}

TEST_CASE("a file that is no ledger is denied") {
    const support::scratch_directory in;
    const manual_clock clock;
    std::ofstream{in.file("text")} << std::string(5000, 'x');
    fails(ledger_type::open(in.file("text"), clock, {}, quick), errc::denied, "not a database");
    fails(ledger_type::open(in.path(), clock, {}, quick), errc::denied, "unable to open");
}

TEST_CASE("processes that claim the same keys at once: each key is granted to one, and no token twice") {
    const support::scratch_directory in;
    const manual_clock clock;
    const support::signal_pipe gate;
    std::vector<std::unique_ptr<support::process>> workers;
    for (int n = 0; n < 4; ++n) {
        workers.push_back(std::make_unique<support::process>([&, n] {
            gate.wait();
            auto ledger = ledger_type::open(in.file("l.db"), clock, {}, patient);
            const auto log = ::open(in.file("log").c_str(), O_WRONLY | O_APPEND | O_CREAT, 0600);
            for (int key = 0; ledger && key < 100; ++key) {
                const auto name = "k" + std::to_string(key);
                const auto owner = "worker" + std::to_string(n);
                const auto answer = ledger->claim({name, owner});
                if (!answer) { return false; }
                if (!answer->mine()) { continue; }
                const auto line = name + ' ' + std::to_string(answer->claim.token) + '\n';
                if (::write(log, line.data(), line.size()) < 0) { return false; }
                if (!ledger->complete(answer->claim)) { return false; }
            }
            return ledger.ok();
        }));
    }
    for (int n = 0; n < 4; ++n) { gate.go(); }
    for (auto& worker : workers) { CHECK(worker->went_well()); }
    std::set<std::string> keys;
    std::set<std::uint64_t> tokens;
    std::size_t lines = 0;
    std::ifstream log{in.file("log")};
    std::string key;
    for (std::uint64_t token = 0; log >> key >> token; ++lines) {
        keys.insert(key);
        tokens.insert(token);
    }
    CHECK(lines == 100);
    CHECK(keys.size() == 100);
    CHECK(tokens.size() == 100);
}

TEST_CASE("a worker that is killed keeps its claim until the lease ends, and then it is taken over") {
    const support::scratch_directory in;
    manual_clock clock;
    const support::signal_pipe ready;
    const support::signal_pipe never;
    support::process worker{[&] {
        auto ledger = ledger_type::open(in.file("l.db"), clock, {}, patient);
        const auto answer = ledger ? ledger->claim({"key", "victim", 30s}) : ledger.why();
        ready.go();
        never.wait();
        return answer.ok();
    }};
    ready.wait();
    worker.kill();
    auto ledger = opened(in.file("l.db"), clock);
    CHECK(laws::ask(ledger, "key", "b").verdict == claim_verdict::held);
    clock.advance(30s);
    CHECK(laws::ask(ledger, "key", "b").verdict == claim_verdict::taken_over);
}
