#include <adapters/sqlite/message_queue.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <support/process.hpp>

#include "queues.hpp"

namespace {

using namespace sqlite_queues;

const adapters::sqlite::database_options patient{.durable = false, .busy = 20s, .read_only = false};

/// Calls a function when a connection is about to commit what it wrote.
void at_commit(queue_type& queue, std::function<void()>& call) {
    sqlite3_commit_hook(
        queue.file().raw(), [](void* f) { return (*static_cast<std::function<void()>*>(f))(), 0; }, &call);
}

/// A process that opens the queue, does something, and is killed when it is about to commit that.
template <class Do>
void killed_before_commit(const bench& b, Do act) {
    const support::signal_pipe ready;
    const support::signal_pipe never;
    support::process victim{[&] {
        auto queue = queue_type::open(b.path(), b.clock, of_fifo, patient);
        if (!queue) { return false; }
        static_cast<void>(queue->file().run("PRAGMA cache_size = 5")); // some of it is in the file's log by then
        std::function<void()> stop = [&] {
            ready.go();
            never.wait();
        };
        at_commit(*queue, stop);
        act(*queue);
        return true;
    }};
    ready.wait();
    victim.kill();
}

/// Notes what was received, one line a message, in the order in which it was: `group number`.
void note(int log, const std::vector<freshet::received_message>& messages) {
    std::string lines;
    for (const auto& message : messages) { lines += message.group_id + ' ' + message.body + '\n'; }
    static_cast<void>(::write(log, lines.data(), lines.size()));
}

/// Sends 300 messages of five groups as one of several producers; a request is repeated now and then.
auto produce(const bench& b, std::size_t producer) -> bool {
    auto queue = queue_type::open(b.path(), b.clock, of_fifo, patient);
    for (std::size_t n = 0; queue && n < 300; n += 10) {
        auto letters = request_of(n, 10, 5);
        for (auto& letter : letters) {
            letter.group += "of" + std::to_string(producer);
            letter.id = letter.group + "." + letter.body;
        }
        for (int times = 0; times < (n % 30 == 0 ? 2 : 1); ++times) {
            const auto sent = queue->send(laws::views(letters));
            if (!sent || !sent->empty()) { return false; }
        }
    }
    return queue.ok();
}

/// Receives, notes and erases, until there is nothing more and the producers are done.
auto consume(const bench& b) -> bool {
    auto queue = queue_type::open(b.path(), b.clock, of_fifo, patient);
    if (!queue) { return false; }
    const auto log = ::open(b.in.file("log").c_str(), O_WRONLY | O_APPEND | O_CREAT, 0600);
    while (true) {
        const bool last = std::filesystem::exists(b.in.file("done"));
        const auto size = queue->size();
        if (!size) { return false; }
        if (*size == 0 && last) { return true; }
        const auto got = queue->receive({.limit = 7});
        if (!got) { return false; }
        note(log, *got); // before anybody else can have the next of these groups
        const auto erased = queue->erase(laws::receipts(*got));
        if (!erased || !erased->empty()) { return false; }
    }
}

} // namespace

TEST_CASE("several producing and consuming processes: every message once, and in order in its group") {
    const bench b;
    {
        std::vector<std::unique_ptr<support::process>> producers;
        std::vector<std::unique_ptr<support::process>> consumers;
        for (std::size_t n = 0; n < 3; ++n) {
            producers.push_back(std::make_unique<support::process>([&, n] { return produce(b, n); }));
            consumers.push_back(std::make_unique<support::process>([&] { return consume(b); }));
        }
        for (auto& one : producers) { CHECK(one->went_well()); }
        std::ofstream{b.in.file("done")} << "";
        for (auto& one : consumers) { CHECK(one->went_well()); }
    }
    std::map<std::string, std::vector<std::uint64_t>> came;
    std::ifstream log{b.in.file("log")};
    std::string group;
    for (std::uint64_t n = 0; log >> group >> n;) { came[group].push_back(n); }
    CHECK(came.size() == 15);
    for (const auto& of_group : came) {
        CAPTURE(of_group.first);
        const auto& numbers = of_group.second;
        CHECK(numbers.size() == 60);
        CHECK(std::is_sorted(numbers.begin(), numbers.end()));
        CHECK(std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end());
    }
}

TEST_CASE("a producer killed before its commit has sent nothing, and its repetition sends everything") {
    const bench b;
    const auto letters = request_of(0, 10, 3);
    killed_before_commit(b, [&](queue_type& queue) { static_cast<void>(queue.send(laws::views(letters))); });
    auto queue = b.open();
    CHECK(queue.size().value_or(9) == 0);
    CHECK(rows(queue, "queue_lane") == 0);
    REQUIRE(laws::send(queue, letters).empty());
    CHECK(laws::drain(queue).size() == 10);
}

TEST_CASE("a consumer killed before its commit has received nothing, or erased nothing") {
    bench b;
    {
        auto queue = b.open();
        for (const auto* body : {"1", "2"}) { laws::put(queue, "g", body); }
    }
    SUBCASE("received") {
        killed_before_commit(b, [](queue_type& queue) { static_cast<void>(queue.receive()); });
        auto queue = b.open();
        const auto got = laws::take(queue);
        CHECK(laws::bodies(got) == std::vector<std::string>{"1", "2"});
        CHECK(got[0].receive_count == 1);
    }
    SUBCASE("erased") {
        std::vector<std::string> receipts;
        {
            auto queue = b.open();
            receipts = laws::receipts(laws::take(queue));
        }
        killed_before_commit(b, [&](queue_type& queue) { static_cast<void>(queue.erase(receipts)); });
        auto queue = b.open();
        CHECK(laws::take(queue).empty());
        CHECK(laws::erase(queue, {receipts[0]}).empty());
        b.clock.advance(30s);
        CHECK(laws::bodies(laws::take(queue)) == std::vector<std::string>{"2"});
    }
}

TEST_CASE("what a killed consumer received comes again when its visibility time ends") {
    bench b;
    {
        auto queue = b.open();
        for (const auto* body : {"1", "2"}) { laws::put(queue, "g", body); }
    }
    const support::signal_pipe ready;
    const support::signal_pipe never;
    support::process consumer{[&] {
        auto queue = queue_type::open(b.path(), b.clock, of_fifo, patient);
        const auto got = queue ? queue->receive() : queue.why();
        ready.go();
        never.wait();
        return got.ok();
    }};
    ready.wait();
    consumer.kill();
    auto queue = b.open();
    CHECK(laws::take(queue).empty());
    b.clock.advance(30s);
    const auto got = laws::take(queue);
    REQUIRE(laws::bodies(got) == std::vector<std::string>{"1", "2"});
    CHECK(got[0].receive_count == 2);
    CHECK(laws::erase(queue, laws::receipts(got)).empty());
}
