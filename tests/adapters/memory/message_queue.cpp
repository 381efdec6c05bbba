#include <adapters/memory/message_queue.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <freshet/testing/manual_clock.hpp>

#include "../../freshet/core/dies_with.hpp"
#include "../../laws/message_queue.hpp"

namespace {

using namespace std::chrono_literals;
using queue_type = adapters::memory::message_queue<freshet::testing::manual_clock>;

static_assert(freshet::shareable<queue_type>);

struct queues {
    freshet::testing::manual_clock clock_;
    queue_type dead_{clock_, {.name = "dead"}};
    queue_type fifo_{clock_, {.name = "fifo", .max_receives = 3}, &dead_};
    queue_type standard_{clock_, {.name = "standard", .fifo = false}};

    auto fifo() -> queue_type& { return fifo_; }
    auto dead() -> queue_type& { return dead_; }
    auto standard() -> queue_type& { return standard_; }
    auto clock() -> freshet::testing::manual_clock& { return clock_; }
};

} // namespace

FRESHET_MESSAGE_QUEUE_LAWS(queues);

TEST_CASE("a message that is dropped in flight frees its group, and its receipt erases nothing") {
    queues fixture;
    auto& queue = fixture.fifo();
    laws::put(queue, "g", "old");
    fixture.clock().advance(1h);
    laws::put(queue, "g", "young");
    fixture.clock().advance(95h - 1s);
    const auto old = laws::take_one(queue, {.limit = 1, .visibility = 10h});
    CHECK(queue.size() == 2);
    CHECK(laws::take(queue).empty());
    fixture.clock().advance(1s);
    CHECK(queue.size() == 1);
    CHECK(laws::told(laws::take(queue)) == "young");
    CHECK(laws::erase(queue, {old.receipt}).empty());
    CHECK(laws::hide(queue, {old.receipt}, 1s).size() == 1);
    CHECK(queue.size() == 1);
}

TEST_CASE("a queue's own message size refuses an entry alone") {
    freshet::testing::manual_clock clock;
    queue_type queue{clock, {.name = "small", .limits = {.message_bytes = 1024}}};
    CHECK(queue.limits().message_bytes == 1024);
    const auto refused = laws::send(
        queue, {{"g", "a", std::string(1024, 'x'), {}}, {"g", "b", std::string(1025, 'x'), {}}, {"g", "c", "c", {}}});
    REQUIRE(refused.size() == 1);
    CHECK(refused[0].entry == 1);
    CHECK(refused[0].why.code == freshet::errc::too_large);
    CHECK(!refused[0].retry_helps);
    CHECK(queue.size() == 2);
}

TEST_CASE("a receive gives no more than a request has, and nothing where nothing is asked for") {
    queues fixture;
    for (int i = 0; i < 15; ++i) { laws::put(fixture.fifo(), "g", std::to_string(i)); }
    CHECK(laws::take(fixture.fifo(), {.limit = 0}).empty());
    CHECK(laws::take(fixture.fifo(), {.limit = 100}).size() == 10);
}

TEST_CASE("messages come oldest first, over all groups that are free") {
    queues fixture;
    for (const auto* body : {"a1", "b2", "a3", "c4", "b5", "c6"}) {
        laws::put(fixture.fifo(), std::string{body[0]}, body);
    }
    CHECK(laws::told(laws::take(fixture.fifo(), {.limit = 3})) == "a1 b2 a3");
    CHECK(laws::told(laws::take(fixture.fifo())) == "c4 c6");
}

TEST_CASE("a standard queue's dead letters go to a standard queue") {
    freshet::testing::manual_clock clock;
    queue_type dead{clock, {.name = "dead", .fifo = false}};
    queue_type queue{clock, {.name = "standard", .fifo = false, .max_receives = 1}, &dead};
    laws::put(queue, "", "x");
    laws::put(queue, "", "y");
    CHECK(laws::take(queue, {.limit = 1, .visibility = 0s}).size() == 1);
    CHECK(laws::told(laws::take(queue)) == "y");
    CHECK(queue.size() == 1);
    CHECK(laws::told(laws::take(dead)) == "x");
}

TEST_CASE("a clock that is set back neither loses a message nor stores one twice") {
    queues fixture;
    auto& queue = fixture.fifo();
    laws::put(queue, "g", "first", "id");
    fixture.clock().advance(-24h);
    laws::put(queue, "g", "second", "id");
    laws::put(queue, "g", "third", "another");
    CHECK(laws::told(laws::take(queue)) == "first third");
    fixture.clock().advance(30s);
    CHECK(laws::told(laws::drain(queue)) == "first third");
    fixture.clock().advance(24h + 5min);
    laws::put(queue, "g", "fourth", "id");
    laws::put(queue, "g", "fifth", "another");
    CHECK(laws::told(laws::drain(queue)) == "fourth fifth");
}

TEST_CASE("for ever is a time to be invisible") {
    queues fixture;
    laws::put(fixture.fifo(), "g", "x");
    const auto got = laws::take_one(fixture.fifo(), {.visibility = freshet::duration::max()});
    fixture.clock().advance(50h);
    CHECK(laws::take(fixture.fifo()).empty());
    CHECK(laws::hide(fixture.fifo(), {got.receipt}, freshet::duration::max()).empty());
    CHECK(laws::take(fixture.fifo()).empty());
    CHECK(laws::hide(fixture.fifo(), {got.receipt}, 0s).empty());
    CHECK(laws::take(fixture.fifo()).size() == 1);
}

TEST_CASE("a queue with dead letters and nowhere to put them is a mistake") {
    freshet::testing::manual_clock clock;
    queue_type standard{clock, {.fifo = false}};
    constexpr auto words = "needs a dead-letter queue of its own kind";
    CHECK(dies_with([&] { queue_type{clock, {.max_receives = 1}}; }).find(words) != std::string::npos);
    CHECK(dies_with([&] { queue_type{clock, {.max_receives = 1}, &standard}; }).find(words) != std::string::npos);
}

TEST_CASE("of many threads, each message reaches one, and those of a group in order") {
    constexpr std::size_t groups = 7, each = 120, senders = 3, receivers = 3;
    queues fixture;
    auto& queue = fixture.fifo();
    std::atomic<std::size_t> left{groups * each};
    std::mutex log_lock;
    std::map<std::string, std::vector<std::string>> log;
    std::atomic<int> failures{0};
    {
        std::vector<std::jthread> threads;
        for (std::size_t s = 0; s < senders; ++s) {
            threads.emplace_back([&, s] {
                for (std::size_t i = 0; i < each; ++i) {
                    for (auto g = s; g < groups; g += senders) {
                        const laws::letter one{
                            "g" + std::to_string(g), "", std::to_string(g) + "/" + std::to_string(i), {}};
                        const auto view = one.view();
                        const auto sent = queue.send(std::span{&view, 1});
                        failures += sent.ok() && sent->empty() ? 0 : 1;
                    }
                }
            });
        }
        for (std::size_t r = 0; r < receivers; ++r) {
            threads.emplace_back([&] {
                while (left != 0) {
                    const auto got = queue.receive({.limit = 4});
                    if (!got.ok() || got->empty()) {
                        std::this_thread::yield();
                        continue;
                    }
                    {
                        const std::scoped_lock lock{log_lock};
                        for (const auto& message : *got) { log[message.group_id].push_back(message.body); }
                    }
                    const auto receipts = laws::receipts(*got);
                    const auto erased = queue.erase(receipts);
                    failures += erased.ok() && erased->empty() ? 0 : 1;
                    left -= got->size();
                }
            });
        }
    }
    CHECK(failures == 0);
    CHECK(queue.size() == 0);
    for (std::size_t g = 0; g < groups; ++g) {
        CAPTURE(g);
        std::vector<std::string> expected;
        for (std::size_t i = 0; i < each; ++i) { expected.push_back(std::to_string(g) + "/" + std::to_string(i)); }
        CHECK((log["g" + std::to_string(g)] == expected));
    }
}
