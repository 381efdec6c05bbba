#include <freshet/testing/faulty_queue.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

using freshet::duration;
using freshet::entry_refusal;
using freshet::errc;
using freshet::error;
using freshet::message_view;
using freshet::receive_request;
using freshet::received_message;
using freshet::result;
using freshet::testing::fault;
using freshet::testing::faults;
using freshet::testing::faulty_queue;
using namespace std::chrono_literals;
using words = std::vector<std::string>;

/// Writes down bodies and receipts; refuses the body "bad".
struct plain_queue {
    std::vector<std::string> stored{}, erased{}, changed{};
    std::deque<std::string> waiting{};
    int sends{}, receives{};

    auto limits() const -> freshet::queue_limits { return {}; }
    auto send(std::span<const message_view> entries) -> result<std::vector<entry_refusal>> {
        ++sends;
        if (entries.empty()) { return error{errc::malformed, "queue: an empty request"}; }
        std::vector<entry_refusal> refusals;
        for (std::size_t i = 0; i < entries.size(); ++i) {
            if (entries[i].body == "bad") { refusals.push_back({i, {errc::malformed, "queue: bad"}, false}); }
            else { stored.emplace_back(entries[i].body); }
        }
        return refusals;
    }
    auto receive(const receive_request& request) -> result<std::vector<received_message>> {
        ++receives;
        std::vector<received_message> given;
        while (!waiting.empty() && given.size() < request.limit) {
            given.emplace_back().body = waiting.front();
            waiting.pop_front();
        }
        return given;
    }
    auto erase(std::span<const std::string> receipts) -> result<std::vector<entry_refusal>> {
        erased.insert(erased.end(), receipts.begin(), receipts.end());
        return std::vector<entry_refusal>{};
    }
    auto change_visibility(std::span<const std::string> receipts, duration visibility)
        -> result<std::vector<entry_refusal>> {
        for (const auto& r : receipts) { changed.push_back(r + " " + std::to_string(visibility.count())); }
        return std::vector<entry_refusal>{};
    }
};

static_assert(freshet::message_queue<plain_queue> && freshet::message_queue<faulty_queue<plain_queue>>);

struct bench {
    plain_queue queue{};
    faults script{};
    faulty_queue<plain_queue> faulty{queue, script};

    auto send(const words& bodies) -> result<std::vector<entry_refusal>> {
        std::vector<message_view> entries;
        for (const auto& body : bodies) {
            message_view entry;
            entry.body = body;
            entries.push_back(entry);
        }
        return faulty.send(entries);
    }
    auto receive(std::size_t limit) -> words {
        words bodies;
        for (const auto& message : faulty.receive({.limit = limit}).value()) { bodies.push_back(message.body); }
        return bodies;
    }
};

auto places(const std::vector<entry_refusal>& refusals) -> std::vector<std::size_t> {
    std::vector<std::size_t> found;
    for (const auto& refusal : refusals) { found.push_back(refusal.entry); }
    return found;
}

} // namespace

TEST_CASE("without faults every call goes through") {
    bench b;
    CHECK(places(b.send({"a", "bad", "c"}).value()) == std::vector<std::size_t>{1});
    CHECK(b.queue.stored == words{"a", "c"});
    b.queue.waiting = {"x", "y"};
    CHECK(b.receive(10) == words{"x", "y"});
    const words receipts{"r"};
    CHECK(b.faulty.erase(receipts)->empty());
    CHECK(b.faulty.change_visibility(receipts, 5us)->empty());
    CHECK(b.queue.erased == words{"r"});
    CHECK(b.queue.changed == words{"r 5"});
    CHECK(b.send({}).why().code == errc::malformed);
    CHECK(b.script.calls().size() == 5);
}

TEST_CASE("the server accepts and the connection drops") {
    bench b;
    b.script.next("queue.send", {fault::after()});
    CHECK(b.send({"a", "b"}).why().code == errc::unavailable);
    CHECK(b.queue.stored == words{"a", "b"});
}

TEST_CASE("a request is stored in part before the connection drops") {
    for (std::size_t stored = 0; stored <= 4; ++stored) {
        bench b;
        b.script.next("queue.send", {fault::partly(stored)});
        CHECK_FALSE(b.send({"a", "b", "c"}).ok());
        const words all{"a", "b", "c"};
        const auto most = static_cast<std::ptrdiff_t>(std::min<std::size_t>(stored, 3));
        CHECK(b.queue.stored == words(all.begin(), all.begin() + most));
        CHECK(b.queue.sends == (stored == 0 ? 0 : 1));
    }
    bench b;
    b.script.next("queue.erase", {fault::partly(1)});
    CHECK_FALSE(b.faulty.erase(words{"r", "s"}).ok());
    CHECK(b.queue.erased == words{"r"});
}

TEST_CASE("an entry is refused at every position, and the others go through") {
    for (std::size_t refused = 0; refused < 3; ++refused) {
        bench b;
        b.script.next({fault::refuse({refused}, errc::throttled, true)});
        const auto answer = b.send({"a", "b", "c"});
        REQUIRE(answer.ok());
        REQUIRE(places(*answer) == std::vector<std::size_t>{refused});
        CHECK(answer->front().why.code == errc::throttled);
        CHECK(answer->front().retry_helps);
        words rest{"a", "b", "c"};
        rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(refused));
        CHECK(b.queue.stored == rest);
    }
}

TEST_CASE("refusals of the script and of the queue stand in the request's order") {
    bench b;
    b.script.next({fault::refuse({4, 1}, errc::throttled, true)});
    const auto answer = b.send({"bad", "b", "c", "bad", "e", "bad"}).value();
    CHECK(places(answer) == std::vector<std::size_t>{0, 1, 3, 4, 5});
    CHECK(answer[0].why.code == errc::malformed);
    CHECK(answer[1].why.code == errc::throttled);
    CHECK(b.queue.stored == words{"c"});
}

TEST_CASE("where every entry is refused the queue is not asked") {
    bench b;
    b.script.next({fault::refuse({0, 1, 7}, errc::denied, false)});
    CHECK(places(b.send({"a", "b"}).value()) == std::vector<std::size_t>{0, 1});
    CHECK(b.queue.sends == 0);
}

TEST_CASE("a receive whose answer was lost took the messages all the same") {
    bench b;
    b.queue.waiting = {"x"};
    b.script.next({fault::after()});
    CHECK_FALSE(b.faulty.receive({}).ok());
    CHECK(b.receive(10).empty());
}

TEST_CASE("messages come twice, the second time with the next receive, within its limit") {
    bench b;
    b.queue.waiting = {"x", "y", "z"};
    b.script.next({fault::twice()});
    CHECK(b.receive(2) == words{"x", "y"});
    CHECK(b.receive(1) == words{"x"});
    CHECK(b.queue.receives == 1);
    CHECK(b.receive(10) == words{"y", "z"});
    CHECK(b.receive(10).empty());
}

TEST_CASE("messages that are given again are not given a third time by the same fault") {
    bench b;
    b.queue.waiting = {"x"};
    b.script.always("queue.receive", fault::twice());
    CHECK(b.receive(10) == words{"x"});
    CHECK(b.receive(10) == words{"x"});
    CHECK(b.receive(10).empty());
}

TEST_CASE("messages come in another order, each once") {
    bench b;
    words all;
    for (char letter = 'a'; letter <= 'z'; ++letter) { all.emplace_back(1, letter); }
    b.queue.waiting = {all.begin(), all.end()};
    b.script.next({fault::shuffled(7)});
    auto given = b.receive(26);
    CHECK(given != all);
    std::sort(given.begin(), given.end());
    CHECK(given == all);
}

TEST_CASE("two queues of one script are told apart by their names") {
    plain_queue orders, dead;
    faults script;
    faulty_queue first{orders, script, "orders"};
    faulty_queue second{dead, script, "dead"};
    script.always("dead.send", fault::before());
    const std::vector<message_view> one{{.queue = {}, .group_id = {}, .deduplication_id = {}, .body = "a",
                                         .sequence = {}}};
    CHECK(first.send(one).ok());
    CHECK_FALSE(second.send(one).ok());
    CHECK(dead.stored.empty());
}
