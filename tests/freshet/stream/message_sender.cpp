#include <freshet/stream/message_sender.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/observe.hpp>
#include <freshet/letter/queue_id.hpp>
#include <freshet/stream/message_batch.hpp>
#include <freshet/testing/fault.hpp>
#include <support/cases.hpp>
#include <support/part_stream.hpp>

namespace {

using freshet::deadline;
using freshet::duration;
using freshet::entry_refusal;
using freshet::errc;
using freshet::error;
using freshet::message_batch;
using freshet::message_sender;
using freshet::message_sender_options;
using freshet::message_view;
using freshet::send_outcome;
using freshet::send_report;
using freshet::testing::fault;
using support::emptied;
using support::sequences;
using namespace std::chrono_literals;
using numbers = std::vector<std::size_t>;

void add(message_batch& messages, std::string_view queue, std::string_view group, std::size_t sequence,
         std::string body = {}) {
    const auto number = std::to_string(sequence);
    const auto id = "d" + number;
    if (body.empty()) { body = "m" + number; }
    messages.add({.queue = queue, .group_id = group, .deduplication_id = id, .body = body, .sequence = number},
                 sequence);
}

/// Messages 0, 1, 2, … to `parts`, the groups in turn.
auto batch_of(std::size_t count, std::size_t groups) -> message_batch {
    message_batch messages;
    for (std::size_t i = 0; i < count; ++i) { add(messages, "parts", "g" + std::to_string(i % groups), i); }
    return messages;
}

auto no_one(std::size_t, const error&) -> bool { return false; }

/// A sender to the queues `parts` and `others`, with what it told.
struct rig : support::part_queues {
    std::vector<std::string> told{};
    std::vector<std::size_t> refused{};
    bool cares{true}; ///< whether somebody takes care of what is refused

    auto send(const message_batch& messages, message_sender_options options = {}, deadline until = deadline::never(),
              const std::stop_token& stop = {}) -> send_report {
        freshet::watch seen{freshet::on<freshet::request_sent>([&](const freshet::request_sent& event) {
                                told.push_back(std::string{event.queue} + " " + std::to_string(event.sent) + "+" +
                                               std::to_string(event.failed) + (event.why != nullptr ? " failed" : ""));
                            }),
                            freshet::on<freshet::order_broken>([&](const freshet::order_broken& event) {
                                told.push_back(std::string{event.queue} + " broke " + std::string{event.group});
                            })};
        message_sender sender{freshet::queues_by_name<support::test_queue>{{"parts", &parts}, {"others", &others}},
                              clock, options, std::move(seen)};
        return sender.send(messages, until, stop, [&](std::size_t i, const error&) {
            refused.push_back(i);
            return cares;
        });
    }
};

/// What fails as a whole, whenever one of its entries is poison.
struct touchy_queue {
    support::plain_queue& stored;
    errc code{errc::unavailable};
    std::set<std::string, std::less<>> poison{};
    std::size_t requests{};
    bool down{};

    auto limits() const -> freshet::queue_limits { return stored.limits(); }
    auto send(std::span<const message_view> entries) -> freshet::result<std::vector<entry_refusal>> {
        ++requests;
        for (const auto& entry : entries) {
            if (down || poison.contains(entry.body)) { return error{code, "touchy: cannot stomach it"}; }
        }
        return stored.send(entries);
    }
};

auto outcomes(const send_report& report, send_outcome wanted) -> numbers {
    numbers found;
    for (std::size_t i = 0; i < report.fates.size(); ++i) {
        if (report.fates[i].outcome == wanted) { found.push_back(i); }
    }
    return found;
}

auto to_blame(const send_report& report) -> numbers {
    numbers found;
    for (std::size_t i = 0; i < report.fates.size(); ++i) {
        if (report.fates[i].own) { found.push_back(i); }
    }
    return found;
}

auto counting(std::size_t count) -> std::string {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) { all += (i == 0 ? "" : " ") + std::to_string(i); }
    return all;
}

} // namespace

TEST_CASE("ten entries with three refusals are counted seven and three") {
    for (const bool retry_helps : {false, true}) {
        rig to;
        to.cares = false;
        to.script.next({fault::refuse({1, 4, 9}, errc::unavailable, retry_helps)});
        const auto report = to.send(batch_of(10, 10), {.retries = {.retries = 0}});
        CHECK(report.sent == 7);
        CHECK(report.failed == 3);
        CHECK(to.told == std::vector<std::string>{"parts 7+3"});
        CHECK(outcomes(report, retry_helps ? send_outcome::retryable : send_outcome::refused) == numbers{1, 4, 9});
        CHECK(to_blame(report) == numbers{1, 4, 9});
        CHECK(report.fates[4].why->code == errc::unavailable);
        CHECK_FALSE(report.fates[5].why);
        CHECK(to.refused == (retry_helps ? numbers{} : numbers{1, 4, 9}));
        CHECK(sequences(to.stored_parts) == "0 2 3 5 6 7 8");
    }
}

TEST_CASE("nothing to send is nothing sent") {
    rig to;
    const auto report = to.send({});
    CHECK(report.sent + report.failed + report.fates.size() == 0);
    CHECK(to.script.calls().empty());
}

TEST_CASE("a refusal at any place that a retry helps is sent again, and each group keeps its order") {
    for (unsigned which = 0; which < 1'024; which += which < 16 || which > 1'000 ? 1 : 7) {
        CAPTURE(which);
        numbers places;
        for (std::size_t i = 0; i < 10; ++i) {
            if ((which >> i & 1U) != 0) { places.push_back(i); }
        }
        rig to;
        to.script.next("parts.send", {fault::refuse(places, errc::unavailable, true)});
        const auto report = to.send(batch_of(20, 10));
        CHECK(report.sent == 20);
        CHECK(to_blame(report).empty());
        CHECK(to.refused.empty());
        std::map<std::string, std::string> by_group;
        for (const auto& message : emptied(to.stored_parts)) { by_group[message.group_id] += message.sequence + " "; }
        CHECK(by_group.size() == 10);
        for (std::size_t g = 0; g < 10; ++g) {
            CHECK(by_group["g" + std::to_string(g)] == std::to_string(g) + " " + std::to_string(g + 10) + " ");
        }
    }
}

TEST_CASE(
    "a refusal at any place that no retry helps holds its group, or lets it go on where somebody has the message") {
    for (std::size_t place = 0; place < 10; ++place) {
        for (const bool cares : {false, true}) {
            CAPTURE(place);
            CAPTURE(cares);
            rig to;
            to.cares = cares;
            to.script.next("parts.send", {fault::refuse({place}, errc::malformed, false)});
            const auto report = to.send(batch_of(20, 10));
            CHECK(to.refused == numbers{place});
            CHECK(report.sent == (cares ? 19U : 18U));
            CHECK(report.failed == 20 - report.sent);
            CHECK(report.fates[place].outcome == (cares ? send_outcome::settled : send_outcome::refused));
            CHECK(report.fates[place + 10].outcome == (cares ? send_outcome::accepted : send_outcome::not_sent));
            CHECK(to_blame(report) == numbers{place});
            CHECK(emptied(to.stored_parts).size() == report.sent);
        }
    }
}

TEST_CASE("the server takes a request and the connection drops: it is sent again and stored once") {
    for (std::size_t stored = 0; stored <= 10; ++stored) {
        CAPTURE(stored);
        rig to;
        to.script.next({stored == 10 ? fault::after() : fault::partly(stored)});
        const auto report = to.send(batch_of(20, 10));
        CHECK(report.sent == 20);
        CHECK(sequences(to.stored_parts) == counting(20));
        CHECK(to.script.unused().empty());
    }
}

TEST_CASE("no message of a group goes before an earlier one whose fate is unknown") {
    rig to;
    to.script.next({fault::before()});
    const auto report = to.send(batch_of(3, 1), {.retries = {.retries = 0}});
    CHECK(report.sent == 0);
    CHECK(outcomes(report, send_outcome::unknown) == numbers{0});
    CHECK(outcomes(report, send_outcome::not_sent) == numbers{1, 2});
    CHECK(to.script.count("parts.send") == 1);
}

TEST_CASE("a request that fails because of one entry is halved until that one is alone, and its neighbours are sent") {
    for (std::size_t place = 0; place < 25; ++place) {
        for (const auto code : {errc::unavailable, errc::failed, errc::conflict, errc::expired}) {
            CAPTURE(place);
            CAPTURE(freshet::name_of(code));
            support::part_queues stored;
            touchy_queue queue{stored.stored_parts, code, {"m" + std::to_string(place)}};
            message_sender sender{freshet::queues_by_name<touchy_queue>{{"parts", &queue}}, stored.clock};
            const auto report = sender.send(batch_of(25, 25), deadline::never(), {}, no_one);
            CHECK(report.sent == 24);
            CHECK(report.failed == 1);
            CHECK(outcomes(report, send_outcome::unknown) == numbers{place});
            CHECK(to_blame(report) == numbers{place});
            CHECK(report.fates[place].why->code == code);
            CHECK(queue.requests < 40);
            CHECK(emptied(stored.stored_parts).size() == 24);
        }
    }
}

TEST_CASE("an entry for which a request is malformed or too large is refused once it is alone") {
    for (const auto code : {errc::malformed, errc::too_large}) {
        support::part_queues stored;
        touchy_queue queue{stored.stored_parts, code, {"m3"}};
        message_sender sender{freshet::queues_by_name<touchy_queue>{{"parts", &queue}}, stored.clock};
        numbers refused;
        const auto report = sender.send(batch_of(20, 10), deadline::never(), {}, [&](std::size_t i, const error& why) {
            refused.push_back(i);
            CHECK(why.code == code);
            return true;
        });
        CHECK(refused == numbers{3});
        CHECK(report.sent == 19);
        CHECK(report.fates[3].outcome == send_outcome::settled);
        CHECK(to_blame(report) == numbers{3});
    }
}

TEST_CASE("halving does not depend on how many retries there are, nor on how many entries a request takes") {
    for (const unsigned retries : {0U, 1U, 10U}) {
        for (const std::size_t entries : {1U, 2U, 7U, 100U}) {
            CAPTURE(retries);
            CAPTURE(entries);
            freshet::testing::manual_clock clock;
            support::plain_queue stored{clock, {.name = "parts", .limits = {.entries_per_request = entries}}};
            touchy_queue queue{stored, errc::unavailable, {"m4"}};
            message_sender sender{
                freshet::queues_by_name<touchy_queue>{{"parts", &queue}}, clock, {.retries = {.retries = retries}}};
            const auto report = sender.send(batch_of(100, 100), deadline::never(), {}, no_one);
            CHECK(report.sent == 99);
            CHECK(to_blame(report) == numbers{4});
        }
    }
}

TEST_CASE("a poisoned entry holds its own group alone") {
    support::part_queues stored;
    touchy_queue queue{stored.stored_parts, errc::unavailable, {"m3"}};
    message_sender sender{freshet::queues_by_name<touchy_queue>{{"parts", &queue}}, stored.clock};
    const auto report = sender.send(batch_of(50, 10), deadline::never(), {}, no_one);
    CHECK(report.sent == 45);
    CHECK(outcomes(report, send_outcome::not_sent) == numbers{13, 23, 33, 43});
}

TEST_CASE("a queue that is down has nothing, refuses nothing and blames no message") {
    for (const std::size_t count : {1U, 9U, 100U}) {
        for (const auto& what : {fault::before(), fault::before(errc::throttled), fault::after()}) {
            rig to;
            to.script.always("parts.send", what);
            const auto report = to.send(batch_of(count, count));
            CHECK(report.sent == 0);
            CHECK(report.failed == count);
            CHECK(to.refused.empty());
            CHECK(to_blame(report).empty());
        }
    }
}

TEST_CASE("a queue that goes down in the middle blames no message") {
    for (std::size_t good = 1; good < 3; ++good) {
        CAPTURE(good);
        rig to;
        to.script.next("parts.send", std::vector<fault>(good, fault::none()));
        to.script.always("parts.send", fault::before());
        const auto report = to.send(batch_of(30, 30));
        CHECK(report.sent == good * 10);
        CHECK(to_blame(report).empty());
    }
}

TEST_CASE("an entry that is refused because it goes too fast is not to blame") {
    rig to;
    to.script.always("parts.send", fault::refuse({0}, errc::throttled, true));
    const auto report = to.send(batch_of(10, 10));
    CHECK(report.sent == 9);
    CHECK(outcomes(report, send_outcome::retryable) == numbers{0});
    CHECK(to_blame(report).empty());
}

TEST_CASE("a queue that is down holds no other queue's messages") {
    rig to;
    to.script.always("parts.send", fault::before());
    auto messages = batch_of(20, 10);
    for (std::size_t i = 20; i < 40; ++i) { add(messages, "others", "g" + std::to_string(i % 10), i); }
    const auto report = to.send(messages);
    CHECK(report.sent == 20);
    CHECK(emptied(to.stored_others).size() == 20);
}

TEST_CASE("throttling backs off longer, whatever else fails in the same round") {
    const auto waited = [](const std::function<void(rig&)>& prepare) {
        duration all{};
        for (std::uint64_t seed = 1; seed <= 40; ++seed) {
            rig to;
            prepare(to);
            auto messages = batch_of(10, 10);
            add(messages, "others", "g", 10);
            const auto before = to.clock.now();
            static_cast<void>(to.send(messages, {.retries = {.retries = 1}, .seed = seed}));
            all += to.clock.now() - before;
        }
        return all / 40;
    };
    const auto slow = 400ms; // the average is half a second, of unavailable 50 ms
    const auto down = waited([](rig& to) { to.script.next({fault::before()}); });
    CHECK(down > 25ms);
    CHECK(down < 100ms);
    CHECK(waited([](rig& to) { to.script.next("parts.send", {fault::before(errc::throttled)}); }) > slow);
    CHECK(waited([](rig& to) { to.script.next("parts.send", {fault::refuse({2}, errc::throttled, true)}); }) > slow);
    for (const bool first : {true, false}) {
        CHECK(waited([&](rig& to) {
                  to.script.next("parts.send", {fault::before(first ? errc::throttled : errc::unavailable)});
                  to.script.next("others.send", {fault::before(first ? errc::unavailable : errc::throttled)});
              }) > slow);
        CHECK(waited([&](rig& to) {
                  to.script.next("parts.send", {fault::refuse({2}, first ? errc::throttled : errc::unavailable, true)});
                  to.script.next("others.send",
                                 {fault::refuse({0}, first ? errc::unavailable : errc::throttled, true)});
              }) > slow);
    }
}

TEST_CASE("a queue that asks to go slower is not asked more often: its requests stay whole") {
    rig to;
    to.script.next("parts.send", {fault::before(errc::throttled), fault::before(errc::throttled)});
    CHECK(to.send(batch_of(10, 10)).sent == 10);
    CHECK(to.script.count("parts.send") == 3);
}

TEST_CASE("nothing is begun at the deadline") {
    rig to;
    const auto report = to.send(batch_of(20, 20), {}, deadline::at(to.clock.now()));
    CHECK(outcomes(report, send_outcome::not_sent).size() == 20);
    CHECK(report.failed == 20);
    CHECK(to.script.calls().empty());
}

TEST_CASE("the deadline comes in the middle: what was not begun is not sent, and no wait reaches it") {
    rig to;
    to.script.at("parts.send", 2, fault::meanwhile([&] { to.clock.advance(2s); }));
    const auto report = to.send(batch_of(40, 40), {}, deadline::in(1s, to.clock.now()));
    CHECK(report.sent == 20);
    CHECK(outcomes(report, send_outcome::not_sent).size() == 20);
    CHECK(to.script.count("parts.send") == 2);

    rig down;
    down.script.always("parts.send", fault::before(errc::throttled));
    const auto begun = down.clock.now();
    CHECK(down.send(batch_of(10, 10), {.retries = {.retries = 1'000}}, deadline::in(10s, begun)).sent == 0);
    CHECK(down.clock.now() - begun < 10s);
}

TEST_CASE("after a stop nothing is begun") {
    for (const std::size_t request : {1U, 2U}) {
        rig to;
        std::stop_source stop;
        to.script.at("parts.send", request, fault::meanwhile([&] { stop.request_stop(); }));
        const auto report = to.send(batch_of(40, 40), {}, deadline::never(), stop.get_token());
        CHECK(report.sent == request * 10);
        CHECK(to.script.count("parts.send") == request);
    }
    rig to;
    std::stop_source stop;
    to.script.next({fault::meanwhile([&] { stop.request_stop(); })});
    to.script.next({fault::before()});
    const auto begun = to.clock.now();
    static_cast<void>(to.send(batch_of(10, 10), {}, deadline::never(), stop.get_token()));
    CHECK(to.clock.now() == begun);
}

TEST_CASE("a queue that nobody knows is told, and the others are served") {
    rig to;
    auto messages = batch_of(3, 3);
    add(messages, "nowhere", "g", 3);
    const auto report = to.send(messages);
    CHECK(report.sent == 3);
    CHECK(report.fates[3].why == error{errc::denied, "no queue is called nowhere"});
    CHECK(to_blame(report).empty());
    CHECK(to.refused.empty());
}

TEST_CASE("a queue that denies is asked once, and no message is to blame") {
    rig to;
    to.script.always("parts.send", fault::before(errc::denied));
    auto messages = batch_of(30, 30);
    add(messages, "others", "g", 30);
    to.script.next("others.send", {fault::before()});
    const auto report = to.send(messages);
    CHECK(report.sent == 1);
    CHECK(to.script.count("parts.send") == 1);
    CHECK(to_blame(report).empty());
    CHECK(outcomes(report, send_outcome::not_sent).size() == 20);
}

TEST_CASE("a message that no request takes is refused before it is tried, and its group goes on or stays") {
    for (const bool cares : {true, false}) {
        freshet::testing::manual_clock clock;
        support::plain_queue stored{clock, {.name = "parts", .limits = {.message_bytes = 1'000}}};
        message_sender sender{freshet::queues_by_name<support::plain_queue>{{"parts", &stored}}, clock};
        message_batch messages;
        add(messages, "parts", "g", 0);
        add(messages, "parts", "g", 1, std::string(1'000, 'x'));
        add(messages, "parts", "g", 2);
        std::vector<error> told;
        const auto report = sender.send(messages, deadline::never(), {}, [&](std::size_t i, const error& why) {
            CHECK(i == 1);
            told.push_back(why);
            return cares;
        });
        REQUIRE(told.size() == 1);
        CHECK(told[0].code == errc::too_large);
        CHECK(told[0].note == "message of 1022 bytes: queue parts takes 1000");
        CHECK(sequences(stored) == (cares ? "0 2" : "0"));
        CHECK(report.sent == (cares ? 2U : 1U));
        CHECK(to_blame(report) == numbers{1});
    }
}

TEST_CASE("a refusal may invert a group in a full request, and that is told") {
    rig to;
    to.script.next({fault::refuse({0, 3}, errc::unavailable, true)});
    const auto report = to.send(batch_of(10, 3), {.order = freshet::send_order::fast});
    CHECK(report.sent == 10);
    CHECK(to.told == std::vector<std::string>{"parts broke g0", "parts 8+2", "parts 2+0"});

    rig strict;
    strict.script.next({fault::refuse({0}, errc::unavailable, true)});
    CHECK(strict.send(batch_of(10, 3)).sent == 10);
    for (const auto& line : strict.told) { CHECK(line.find("broke") == std::string::npos); }
}

TEST_CASE("every request is told once, with what it sent and what not") {
    rig to;
    to.script.next({fault::before(), fault::none(), fault::refuse({1}, errc::unavailable, true)});
    CHECK(to.send(batch_of(10, 10)).sent == 10);
    CHECK(to.told == std::vector<std::string>{"parts 0+10 failed", "parts 5+0", "parts 4+1", "parts 1+0"});
}

TEST_CASE("whatever fails, each group's messages arrive in order, none is lost, and the report is true") {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    for (auto n = support::cases(300); n > 0; --n) {
        CAPTURE(n);
        rig to;
        to.cares = below(2) == 0;
        const bool can_refuse = below(2) == 0;
        std::vector<fault> wrong{fault::before(), fault::after(), fault::before(errc::throttled)};
        for (int i = 0; i < 3; ++i) {
            wrong.push_back(fault::partly(below(10)));
            wrong.push_back(fault::refuse({below(10)}, errc::unavailable, true));
            if (can_refuse) { wrong.push_back(fault::refuse({below(10)}, errc::malformed, false)); }
        }
        to.script.by_chance(0.1 * static_cast<double>(below(7)), random(), wrong);
        message_batch messages;
        const auto groups = 1 + below(20);
        for (std::size_t i = 0, count = below(60); i < count; ++i) {
            add(messages, below(3) == 0 ? "others" : "parts", "g" + std::to_string(below(groups)), i);
        }
        const auto report =
            to.send(messages, {.retries = {.retries = static_cast<unsigned>(below(6))}, .seed = random()});

        REQUIRE(report.fates.size() == messages.size());
        CHECK(report.sent + report.failed == messages.size());
        CHECK(report.sent == outcomes(report, send_outcome::accepted).size());
        std::set<std::size_t> stored;
        for (auto* queue : {&to.stored_parts, &to.stored_others}) {
            std::map<std::string, std::size_t> last;
            for (const auto& message : emptied(*queue)) {
                const auto number = static_cast<std::size_t>(std::stoul(message.sequence));
                CHECK(stored.insert(number).second);
                const auto [at, is_first] = last.try_emplace(message.group_id, number);
                CHECK((is_first || at->second < number));
                at->second = number;
            }
        }
        // What is said to be sent is there; what is said not to have been tried is not; and a group has no holes that
        // nobody took care of.
        std::set<std::pair<std::string, std::string>> stopped;
        for (std::size_t i = 0; i < messages.size(); ++i) {
            const auto outcome = report.fates[i].outcome;
            const std::pair group{std::string{messages[i].queue}, std::string{messages[i].group_id}};
            if (outcome == send_outcome::accepted) { CHECK(stored.contains(i)); }
            if (outcome == send_outcome::not_sent) { CHECK_FALSE(stored.contains(i)); }
            CHECK_FALSE((outcome == send_outcome::accepted && stopped.contains(group)));
            if (outcome != send_outcome::accepted && outcome != send_outcome::settled) { stopped.insert(group); }
        }
        CHECK(std::set<std::size_t>(to.refused.begin(), to.refused.end()).size() == to.refused.size());
    }
}

TEST_CASE("a thousand messages cost no more requests, and no more time, than ten times a hundred") {
    for (const std::size_t count : {100U, 1'000U}) {
        rig to;
        CHECK(to.send(batch_of(count, 50)).sent == count);
        CHECK(to.script.count("parts.send") == count / 10);
    }
}

TEST_CASE("a queue that is slow to fail does not keep the others waiting") {
    struct slow_queue {
        support::plain_queue& stored;
        freshet::testing::manual_clock& clock;
        bool down{};
        auto limits() const -> freshet::queue_limits { return stored.limits(); }
        auto send(std::span<const message_view> entries) -> freshet::result<std::vector<entry_refusal>> {
            if (!down) { return stored.send(entries); }
            clock.advance(std::chrono::seconds{5});
            return error{errc::unavailable, "slow: down"};
        }
    };
    rig to;
    slow_queue others{to.stored_others, to.clock, true}, parts{to.stored_parts, to.clock};
    message_batch messages;
    for (int i = 0; i < 60; ++i) {
        const auto id = std::to_string(i);
        for (const auto* queue : {"others", "parts"}) {
            messages.add({.queue = queue, .group_id = id, .deduplication_id = id, .body = "b", .sequence = id}, 0);
        }
    }
    message_sender sender{freshet::queues_by_name<slow_queue>{{"others", &others}, {"parts", &parts}}, to.clock};
    const auto report = sender.send(messages, deadline::in(std::chrono::seconds{30}, to.clock.now()), {}, no_one);
    CHECK(to.stored_parts.size() == 60);
    CHECK(report.sent == 60);
}

TEST_CASE("an outage blames no message that failed without an answer between") {
    rig to;
    message_sender_options options;
    options.retries.retries = 8;
    touchy_queue queue{to.stored_parts};
    queue.down = true;
    message_batch messages;
    for (int i = 0; i < 20; ++i) {
        const auto id = std::to_string(i);
        messages.add({.queue = "parts", .group_id = id, .deduplication_id = id, .body = "b", .sequence = id}, 0);
    }
    message_sender sender{freshet::queues_by_name<touchy_queue>{{"parts", &queue}}, to.clock, options};
    const auto report = sender.send(messages, deadline::never(), {}, no_one);
    CHECK(report.sent == 0);
    for (const auto& fate : report.fates) { CHECK_FALSE(fate.own); }
    CHECK(queue.requests < 40); // and it is not asked for each of them again and again
}
