#include <adapters/sqlite/message_queue.hpp>

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>

#include "../../laws/message_queue.hpp"
#include "queues.hpp"

namespace {

using namespace sqlite_queues;

/// Three queues in one file, each with its own connection.
struct queues {
    support::scratch_directory in_;
    manual_clock clock_;
    queue_type fifo_ = opened(in_.file("q.db"), clock_, of_fifo);
    queue_type dead_ = opened(in_.file("q.db"), clock_, of_dead);
    queue_type standard_ = opened(in_.file("q.db"), clock_, of_standard);

    auto fifo() -> queue_type& { return fifo_; }
    auto dead() -> queue_type& { return dead_; }
    auto standard() -> queue_type& { return standard_; }
    auto clock() -> manual_clock& { return clock_; }
};

/// What SQLite did for a connection until now: steps of its machine, and those of them that should not be.
struct effort {
    std::int64_t steps{};
    std::int64_t scanned{};
    std::int64_t sorted{};

    explicit effort(queue_type& queue) {
        auto* file = queue.file().raw();
        for (auto* s = sqlite3_next_stmt(file, nullptr); s != nullptr; s = sqlite3_next_stmt(file, s)) {
            steps += sqlite3_stmt_status(s, SQLITE_STMTSTATUS_VM_STEP, 0);
            scanned += sqlite3_stmt_status(s, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0);
            sorted += sqlite3_stmt_status(s, SQLITE_STMTSTATUS_SORT, 0) +
                      sqlite3_stmt_status(s, SQLITE_STMTSTATUS_AUTOINDEX, 0);
        }
    }
};

} // namespace

FRESHET_MESSAGE_QUEUE_LAWS(queues);

TEST_CASE("connections to one file are one queue: its messages, locks, receipts and ids") {
    const bench b;
    auto one = b.open();
    auto two = b.open();
    laws::put(one, "g", "1", "id");
    laws::put(two, "g", "again", "id");
    laws::put(two, "g", "2");
    const auto got = laws::take_one(two, {.limit = 1});
    CHECK(got.body == "1");
    CHECK(laws::take(one).empty());
    CHECK(laws::erase(one, {got.receipt}).empty());
    CHECK(laws::bodies(laws::take(one)) == std::vector<std::string>{"2"});
}

TEST_CASE("a queue that is closed and opened again is as it was") {
    bench b;
    {
        auto queue = b.open();
        laws::put(queue, "g", "1", "id");
        laws::put(queue, "h", "2");
        CHECK(laws::take_one(queue, {.limit = 1}).body == "1");
    }
    auto queue = b.open();
    laws::put(queue, "g", "again", "id");
    CHECK(laws::bodies(laws::take(queue)) == std::vector<std::string>{"2"});
    b.clock.advance(30s);
    CHECK(laws::take_one(queue, {.limit = 1}).receive_count == 2);
    CHECK(queue.size().value_or(0) == 2);
}

TEST_CASE("queues of one file do not see each other, and refuse each other's receipts") {
    const bench b;
    auto one = b.open();
    auto other = b.open({.name = "other"});
    laws::put(one, "g", "1", "id");
    laws::put(other, "g", "2", "id");
    const auto got = laws::take_one(one);
    CHECK(got.body == "1");
    CHECK(laws::bodies(laws::take(other)) == std::vector<std::string>{"2"});
    const auto id = got.receipt.substr(0, got.receipt.rfind('-'));
    const std::vector<std::string> none{{}, "x", id, id + "-", id + "-0", id + "--1", id + "-1x", id + "-1 ", id + "-9",
                                        id + "-99999999999999999999", got.receipt + "-1"};
    for (const auto& receipt : none) {
        CAPTURE(receipt);
        CHECK(laws::erase(one, {receipt}).size() == 1);
    }
    const auto refused = laws::erase(other, {got.receipt});
    REQUIRE(refused.size() == 1);
    CHECK(refused[0].why.code == errc::malformed);
    CHECK(!refused[0].retry_helps);
    CHECK(one.size().value_or(0) == 1);
    CHECK(laws::erase(one, {got.receipt}).empty());
    CHECK(one.size().value_or(9) == 0);
    CHECK(other.size().value_or(0) == 1);
}

TEST_CASE("a queue is not opened as the other kind, nor with dead letters that have no queue") {
    const bench b;
    auto queue = b.open();
    fails(queue_type::open(b.path(), b.clock, {.name = "fifo", .fifo = false}, quick), errc::denied,
          b.path() + ": queue fifo is FIFO");
    fails(queue_type::open(b.path(), b.clock, {.name = "x", .fifo = false, .max_receives = 1, .dead_letters = "dead"},
                           quick),
          errc::denied, "queue dead is FIFO");
    fails(queue_type::open(b.path(), b.clock, {.name = "x", .max_receives = 1}, quick), errc::malformed, "queue x");
    fails(queue_type::open(b.path(), b.clock, {.name = "x", .max_receives = 1, .dead_letters = "x"}, quick),
          errc::malformed, "queue x");
}

TEST_CASE("a message that was made visible late is hidden again, and what is gone cannot be") {
    bench b;
    auto queue = b.open();
    laws::put(queue, "g", "1");
    const auto got = laws::take_one(queue);
    b.clock.advance(1h);
    CHECK(laws::hide(queue, {got.receipt}, 30s).empty());
    CHECK(laws::take(queue).empty());
    CHECK(laws::hide(queue, {got.receipt}, freshet::duration::max()).empty());
    b.clock.advance(24h);
    CHECK(laws::take(queue).empty());
    CHECK(laws::erase(queue, {got.receipt}).empty());
    const auto refused = laws::hide(queue, {got.receipt}, 30s);
    REQUIRE(refused.size() == 1);
    CHECK(refused[0].why.code == errc::expired);
}

TEST_CASE("dead letters by the hundred are moved in order while something alive is found, and their lanes go") {
    bench b;
    auto queue = b.open();
    auto dead = b.open(of_dead);
    fill(queue, 250, 50);
    for (int round = 0; round < 3; ++round) {
        std::size_t got = 0;
        for (auto some = laws::take(queue); !some.empty(); some = laws::take(queue)) { got += some.size(); }
        CHECK(got == 250);
        b.clock.advance(30s);
    }
    laws::put(queue, "g7", "alive");
    CHECK(laws::bodies(laws::take(queue)) == std::vector<std::string>{"alive"});
    CHECK(laws::take(queue).empty());
    CHECK(queue.size().value_or(0) == 1);
    CHECK(dead.size().value_or(0) == 250);
    CHECK(rows(queue, "queue_lane") == 51);
    std::map<std::string, std::uint64_t> last;
    for (const auto& message : laws::drain(dead)) {
        const auto n = std::stoull(message.body) + 1;
        CHECK(n > last[message.group_id]);
        last[message.group_id] = n;
    }
    CHECK(last.size() == 50);
    CHECK(rows(queue, "queue_lane") == 1);
}

TEST_CASE("old messages by the hundred are dropped by one call, and old deduplication ids by the next ones") {
    bench b;
    auto queue = b.open();
    fill(queue, 250, 50);
    CHECK(!laws::take(queue).empty());
    b.clock.advance(96h);
    CHECK(queue.size().value_or(9) == 0);
    CHECK(laws::take(queue).empty());
    CHECK(rows(queue, "queue_message") == 0);
    CHECK(rows(queue, "queue_lane") == 0);
    for (int n = 0; n < 3; ++n) { laws::put(queue, "g", std::to_string(n)); }
    CHECK(rows(queue, "queue_taken") == 3);
    CHECK(laws::take(queue).size() == 3);
}

TEST_CASE("a deduplication id is free when its time ends, forgotten or not") {
    bench b;
    auto queue = b.open();
    fill(queue, 240, 50);
    b.clock.advance(1us);
    REQUIRE(laws::send(queue, request_of(240, 10, 50)).empty());
    b.clock.advance(5min);
    REQUIRE(laws::send(queue, request_of(240, 10, 50)).empty());
    CHECK(rows(queue, "queue_taken") == 150); // the ten were not among the hundred that went
    CHECK(queue.size().value_or(0) == 260);
}

TEST_CASE("a call does as much in a long queue as in a short one, and neither scans nor sorts") {
    for (const auto* kind : {"many groups", "few groups", "standard"}) {
        CAPTURE(kind);
        std::map<std::size_t, std::int64_t> steps;
        for (const std::size_t depth : {200U, 1200U}) {
            bench b;
            const std::string name{kind};
            auto queue = b.open(name == "standard" ? of_standard : of_fifo);
            fill(queue, depth, name == "few groups" ? 20 : depth / 2);
            // some in flight, some whose time has passed, some at their third receive
            for (int round = 0; round < 4; ++round) {
                for (int n = 0; n < 5; ++n) { CHECK(!laws::take(queue, {.limit = 4}).empty()); }
                b.clock.advance(29s);
            }
            const auto before = effort{queue}.steps;
            for (std::size_t n = 0; n < 10; ++n) {
                CHECK(laws::send(queue, request_of(depth + n * 10, 10, 50)).empty());
                const auto got = laws::take(queue);
                REQUIRE(!got.empty());
                CHECK(laws::hide(queue, {got[0].receipt}, 1min).empty());
                CHECK(laws::erase(queue, laws::receipts(got)).empty());
            }
            const effort after{queue};
            steps[depth] = after.steps - before;
            CHECK(after.scanned == 0);
            CHECK(after.sorted == 0);
        }
        CHECK(steps[1200] < steps[200] * 5 / 4);
    }
}

TEST_CASE("while another writes, a queue waits, and is unavailable when its time is over") {
    const bench b;
    auto queue = b.open();
    laws::put(queue, "g", "1");
    auto other = b.open();
    {
        auto writing = other.file().begin();
        REQUIRE(writing);
        const std::vector<std::string> receipts{"x"};
        const auto message = request_of(2, 1, 1);
        const auto entries = laws::views(message);
        fails(queue.send(entries), errc::unavailable, b.path() + ": BEGIN IMMEDIATE: database is locked");
        fails(queue.receive(), errc::unavailable, "locked");
        fails(queue.erase(receipts), errc::unavailable, "locked");
        fails(queue.change_visibility(receipts, 1s), errc::unavailable, "locked");
        CHECK_MESSAGE(queue.size().value_or(0) == 1, "a reader does not wait");
    }
    CHECK(laws::take_one(queue).receive_count == 1);
}

TEST_CASE("a full disk is unavailable, stores nothing of the request, and the repetition is no duplicate") {
    const bench b;
    auto queue = b.open();
    laws::put(queue, "g", "before");
    const auto pages = queue.file().ask("PRAGMA page_count").value_or(0);
    REQUIRE(queue.file().run("PRAGMA max_page_count = " + std::to_string(pages + 40)));
    auto letters = request_of(0, 10, 3);
    for (auto& letter : letters) { letter.body += std::string(30'000, 'x'); }
    fails(queue.send(laws::views(letters)), errc::unavailable, "full");
    CHECK(queue.size().value_or(0) == 1);
    CHECK(rows(queue, "queue_taken") == 1);
    CHECK(rows(queue, "queue_lane") == 1);
    CHECK(laws::bodies(laws::take(queue)) == std::vector<std::string>{"before"});
    REQUIRE(queue.file().run("PRAGMA max_page_count = 100000"));
    REQUIRE(laws::send(queue, letters).empty());
    CHECK(laws::drain(queue).size() == 10);
}

TEST_CASE("a damaged file is denied in one line, and so is a file of another kind") {
    const bench b;
    {
        auto queue = b.open();
        fill(queue, 500, 50);
    }
    {
        std::fstream file{b.path(), std::ios::in | std::ios::out | std::ios::binary};
        file.seekp(4096);
        for (int page = 0; page < 20; ++page) { file << std::string(4096, 'z'); }
    }
    auto queue = queue_type::open(b.path(), b.clock, of_fifo, quick);
    const auto entries = request_of(500, 10, 50);
    if (queue) { fails(queue->send(laws::views(entries)), errc::denied, b.path()); }
    else { fails(queue, errc::denied, b.path()); }
    std::ofstream{b.in.file("text")} << std::string(5000, 'x');
    fails(queue_type::open(b.in.file("text"), b.clock, of_fifo, quick), errc::denied, "not a database");
    fails(queue_type::open(b.in.file("none/q.db"), b.clock, of_fifo, quick), errc::denied, "unable to open");
}
