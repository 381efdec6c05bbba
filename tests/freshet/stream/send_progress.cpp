#include <freshet/stream/send_progress.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/stream/message_batch.hpp>
#include <support/cases.hpp>

#include "../core/dies_with.hpp"

namespace {

using freshet::broken_groups;
using freshet::send_item;
using freshet::send_order;
using freshet::send_outcome;
using freshet::send_progress;
using indices = std::vector<std::size_t>;
using groups = std::vector<freshet::send_group>;

constexpr auto accepted = send_outcome::accepted;
constexpr auto retryable = send_outcome::retryable;
constexpr auto refused = send_outcome::refused;
constexpr auto unknown = send_outcome::unknown;
constexpr auto settled = send_outcome::settled;

/// The loop of the README, with `rounds` for its patience.
template <class Send>
void drive(const freshet::message_batch& batch, const std::vector<send_item>& items, send_progress& progress,
           const freshet::queue_limits& limits, int rounds, Send send) {
    int round = 0;
    for (auto wanted = progress.next_round(); !wanted.empty() && round != rounds; wanted = progress.next_round()) {
        ++round;
        const auto plan = freshet::plan_sends(items, wanted, limits);
        for (const auto i : plan.oversized()) { progress.report(i, send_outcome::refused); }
        for (std::size_t r = 0; r != plan.size(); ++r) {
            std::vector<std::size_t> entries;
            for (const auto i : plan[r]) {
                if (progress.may_send(i)) { entries.push_back(i); }
            }
            if (entries.empty()) { continue; }
            const auto outcomes = send(plan.queue(r), batch, entries);
            for (std::size_t e = 0; e != outcomes.size(); ++e) { progress.report(entries[e], outcomes[e]); }
        }
    }
}

} // namespace

TEST_CASE("a group is broken where a later entry was taken and an earlier one refused") {
    const std::vector<send_item> items{{"q", "a", 1}, {"q", "b", 1}, {"q", "a", 1},
                                       {"q", "b", 1}, {"q", "a", 1}, {"q", "c", 1}};
    const indices request{0, 1, 2, 3, 4, 5};
    const auto broken = [&](const std::vector<send_outcome>& outcomes) {
        return broken_groups(items, request, outcomes);
    };
    CHECK(broken({accepted, accepted, accepted, accepted, accepted, accepted}).empty());
    CHECK(broken({retryable, accepted, accepted, accepted, accepted, accepted}) == groups{{"q", "a"}});
    CHECK(broken({accepted, accepted, retryable, refused, retryable, retryable}).empty());
    CHECK(broken({accepted, refused, retryable, accepted, accepted, retryable}) == groups{{"q", "b"}, {"q", "a"}});
    CHECK(broken({unknown, unknown, unknown, unknown, unknown, unknown}).empty());
    CHECK(broken({unknown, settled, accepted, accepted, accepted, accepted}).empty());
}

TEST_CASE("a group is broken in its own queue, and what has no group is never broken") {
    const std::vector<send_item> items{{"p", "a", 1}, {"q", "a", 1}, {"p", "", 1}, {"p", "", 1}, {"q", "a", 1}};
    const std::vector<send_outcome> first_refused{retryable, accepted, retryable, accepted, accepted};
    CHECK(broken_groups(items, indices{0, 1, 2, 3, 4}, first_refused).empty());
    const std::vector<send_outcome> second_refused{accepted, retryable, retryable, accepted, accepted};
    CHECK(broken_groups(items, indices{0, 1, 2, 3, 4}, second_refused) == groups{{"q", "a"}});
}

TEST_CASE("an index that names no item ends the process with a line") {
    const std::vector<send_item> items{{"q", "a", 1}};
    const std::vector<send_outcome> outcomes{accepted};
    CHECK(dies_with([&] { static_cast<void>(broken_groups(items, indices{1}, outcomes)); }) ==
          "freshet: broken_groups: there is no such item\n");
    CHECK(dies_with([&] { static_cast<void>(broken_groups(items, indices{}, outcomes)); }) ==
          "freshet: broken_groups: one outcome for each entry is needed\n");
    send_progress progress{items};
    CHECK(dies_with([&] { static_cast<void>(progress.may_send(1)); }) ==
          "freshet: send_progress: there is no such item\n");
    CHECK(dies_with([&] { progress.report(1, accepted); }) == "freshet: send_progress: there is no such item\n");
}

TEST_CASE("a failed entry itself may be sent again in the same round") {
    const std::vector<send_item> items{{"q", "a", 1}, {"q", "a", 1}, {"q", "a", 1}};
    for (const auto outcome : {retryable, unknown}) {
        send_progress progress{items};
        progress.report(1, outcome);
        CHECK(progress.may_send(0));
        CHECK(progress.may_send(1));
        CHECK(!progress.may_send(2));
    }
}

TEST_CASE("groups of the same name in two queues do not hold each other") {
    const std::vector<send_item> items{{"lines", "a", 1}, {"words", "a", 1}, {"lines", "a", 1}};
    send_progress progress{items};
    progress.report(0, refused);
    CHECK(progress.may_send(1));
    CHECK(!progress.may_send(2));
    CHECK(progress.next_round() == indices{1});
    CHECK(progress.held() == indices{2});
}

TEST_CASE("what has no group holds nothing and waits for nothing") {
    const std::vector<send_item> items{{"q", "", 1}, {"q", "", 1}, {"q", "a", 1}, {"q", "", 1}};
    send_progress progress{items};
    progress.report(0, retryable);
    progress.report(1, refused);
    for (std::size_t i = 0; i < items.size(); ++i) { CHECK(progress.may_send(i)); }
    CHECK(progress.next_round() == indices{0, 2, 3});
    CHECK(progress.held().empty());
}

TEST_CASE("it is finished when every item has its last answer, and not while one waits") {
    CHECK(send_progress{{}}.finished());
    const std::vector<send_item> items{{"q", "a", 1}, {"q", "b", 1}, {"q", "b", 1}};
    send_progress progress{items};
    CHECK(!progress.finished());
    progress.report(0, settled);
    progress.report(2, refused);
    for (const auto waits : {send_outcome::not_sent, retryable, unknown}) {
        progress.report(1, waits);
        CHECK(!progress.finished());
    }
    progress.report(1, accepted);
    CHECK(progress.finished());

    send_progress holds{items}; // nothing can be sent any more, and yet item 2 has no answer
    holds.report(0, accepted);
    holds.report(1, refused);
    CHECK(holds.next_round().empty());
    CHECK(!holds.finished());
}

TEST_CASE("the README's loop loses nothing, inverts no group, and ends when nothing is retryable") {
    const auto seed = support::seed();
    CAPTURE(seed);
    MESSAGE("seed " << seed);
    std::mt19937_64 random{seed};
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    const std::array<std::string_view, 3> queues{"lines", "words", "metadata"};
    const std::array<std::string_view, 5> group_ids{"IMAGE#1", "IMAGE#2", "IMAGE#3", "IMAGE#4", ""};
    std::size_t finished = 0, held_ones = 0, given_up = 0;

    for (std::size_t round = 0; round < support::cases(600); ++round) {
        CAPTURE(round);
        freshet::message_batch batch;
        const auto count = below(60);
        for (std::size_t i = 0; i < count; ++i) {
            const auto id = std::to_string(i);
            const std::string body(below(40), 'x');
            batch.add({.queue = queues[below(3)], .group_id = group_ids[below(5)], .deduplication_id = id, .body = body,
                       .sequence = {}}, 0);
        }
        std::vector<send_item> items;
        for (const auto message : batch) { items.push_back(send_item_of(message)); }
        const freshet::queue_limits limits{.entries_per_request = 1 + below(10), .message_bytes = 37 + below(5),
                                           .request_bytes = 100};

        // The queue: takes what it wants of a request, once each by deduplication id, and its answer may get lost.
        std::map<std::pair<std::string_view, std::string_view>, std::vector<std::size_t>> taken;
        std::set<std::size_t> known, refused_ones;
        const auto poison = below(3) == 0 ? std::size_t{12} : std::numeric_limits<std::size_t>::max();
        const auto send = [&](std::string_view queue, const freshet::message_batch& all,
                              std::span<const std::size_t> entries) {
            std::size_t bytes = 0;
            std::vector<send_outcome> outcomes;
            REQUIRE(!entries.empty());
            REQUIRE(entries.size() <= limits.entries_per_request);
            for (const auto i : entries) {
                const auto message = all[i];
                bytes += message.payload_bytes();
                REQUIRE(message.queue == queue);
                REQUIRE(message.payload_bytes() <= limits.message_bytes);
                const auto dice = i % 13 == poison ? 10 : below(10);
                outcomes.push_back(dice < 7 ? accepted : dice < 10 ? retryable : refused);
                if (outcomes.back() == refused) { refused_ones.insert(i); }
                if (outcomes.back() != accepted || !known.insert(i).second) { continue; }
                taken[{queue, message.group_id}].push_back(i);
            }
            REQUIRE(bytes <= limits.request_bytes);
            if (below(10) == 0) { std::fill(outcomes.begin(), outcomes.end(), unknown); }
            return outcomes;
        };
        send_progress progress{items};
        const auto patience = below(4) == 0 ? 2 : 10'000;
        drive(batch, items, progress, limits, patience, send);

        std::set<std::pair<std::string_view, std::string_view>> stopped;
        bool all_answered = true, gave_up = false;
        for (std::size_t i = 0; i < items.size(); ++i) {
            CAPTURE(i);
            const auto outcome = progress.outcome(i);
            const std::pair group{items[i].queue, items[i].group};
            const bool too_large = items[i].bytes > limits.message_bytes;
            if (too_large) { REQUIRE(!known.contains(i)); }
            if (outcome == accepted) { REQUIRE(known.contains(i)); }
            if (outcome == refused) {
                REQUIRE((too_large || refused_ones.contains(i)));
                if (!group.second.empty()) { stopped.insert(group); }
            }
            if (outcome == accepted || outcome == refused) { continue; }
            all_answered = false;
            // What waits behind a refused one is not lost: `held` names it.
            if (stopped.contains(group)) { ++held_ones; }
            else { gave_up = true; }
        }
        REQUIRE(progress.finished() == all_answered);
        if (patience != 2) { REQUIRE(!gave_up); }
        REQUIRE(progress.next_round().empty() == !gave_up);
        for (const auto& [group, arrived] : taken) {
            if (!group.second.empty()) { REQUIRE(std::is_sorted(arrived.begin(), arrived.end())); }
        }
        finished += all_answered ? 1 : 0;
        given_up += gave_up ? 1 : 0;
    }
    if (support::cases(600) >= 600) {
        CHECK(finished > 0);
        CHECK(held_ones > 0);
        CHECK(given_up > 0);
    }
}

TEST_CASE("a refused entry holds its group's later ones back and nothing else") {
    const std::vector<send_item> items{{"q", "a", 1}, {"q", "b", 1}, {"q", "a", 1}, {"q", "b", 1}};
    for (const auto outcome : {retryable, refused, unknown}) {
        send_progress progress{items};
        CHECK(progress.next_round() == indices{0, 1, 2, 3});
        progress.report(0, outcome);
        progress.report(1, accepted);
        CHECK(!progress.may_send(2));
        CHECK(progress.may_send(3));
    }
}

TEST_CASE("the next round tries again what can be helped, in order, with what waited for it") {
    const std::vector<send_item> items{{"q", "a", 1}, {"q", "b", 1}, {"q", "a", 1}, {"q", "b", 1}, {"q", "c", 1}};
    send_progress progress{items};
    progress.report(0, retryable);
    progress.report(1, accepted);
    progress.report(3, unknown);
    CHECK(progress.next_round() == indices{0, 2, 3, 4});
    CHECK(progress.may_send(2));
}

TEST_CASE("what is refused for good holds its group until it is settled") {
    const std::vector<send_item> items{{"q", "a", 1}, {"q", "a", 1}, {"q", "b", 1}, {"q", "a", 1}};
    send_progress progress{items};
    progress.report(0, retryable);
    progress.report(1, refused);
    CHECK(progress.next_round() == indices{0, 2});
    CHECK(progress.held() == indices{3});
    progress.report(0, accepted);
    progress.report(2, accepted);
    progress.report(1, settled);
    CHECK(progress.next_round() == indices{3});
    CHECK(progress.held().empty());
    CHECK(progress.outcome(1) == settled);
    CHECK(progress.outcome(3) == send_outcome::not_sent);
}

TEST_CASE("what is settled at once holds nothing") {
    const std::vector<send_item> items{{"q", "a", 1}, {"q", "a", 1}};
    send_progress progress{items};
    progress.report(0, settled);
    CHECK(progress.may_send(1));
}

TEST_CASE("no items are no work") {
    send_progress progress{{}};
    CHECK(progress.next_round().empty());
    CHECK(progress.held().empty());
}

TEST_CASE("under any refusals a strict driver never sends a group's later item before its earlier one") {
    const auto seed = support::seed();
    CAPTURE(seed);
    MESSAGE("seed " << seed);
    std::mt19937_64 random{seed};
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    const std::string_view letters = "abcdefgh";
    std::size_t inversions = 0;

    for (std::size_t round = 0; round < support::cases(1500); ++round) {
        CAPTURE(round);
        const auto order = round % 2 == 0 ? send_order::strict : send_order::fast;
        std::vector<send_item> items(below(60));
        for (auto& item : items) {
            item = {letters.substr(below(2), 1), letters.substr(below(5), below(6) == 0 ? 0 : 1), 1 + below(40)};
        }
        const freshet::queue_limits limits{.entries_per_request = 1 + below(10), .message_bytes = 38,
                                           .request_bytes = 100};
        send_progress progress{items};
        std::map<std::pair<std::string_view, std::string_view>, std::size_t> newest; // what was taken, by group
        const bool settles = below(2) == 0;

        for (auto which = progress.next_round(); !which.empty(); which = progress.next_round()) {
            const auto plan = plan_sends(items, which, limits, order);
            for (const auto i : plan.oversized()) { progress.report(i, settles ? settled : refused); }
            for (std::size_t r = 0; r < plan.size(); ++r) {
                indices sent;
                for (const auto i : plan[r]) {
                    if (progress.may_send(i)) { sent.push_back(i); }
                }
                std::vector<send_outcome> outcomes(sent.size());
                for (auto& outcome : outcomes) {
                    const auto dice = below(10);
                    outcome = dice < 7 ? accepted : dice < 9 ? retryable : refused;
                }
                const bool lost = below(10) == 0; // the queue took some, and nobody heard of it
                for (std::size_t e = 0; e < sent.size(); ++e) {
                    if (outcomes[e] != accepted) { continue; }
                    const std::pair group{items[sent[e]].queue, items[sent[e]].group};
                    if (group.second.empty()) { continue; }
                    if (newest.contains(group) && newest[group] > sent[e]) {
                        ++inversions;
                        REQUIRE(order == send_order::fast);
                    }
                    newest[group] = std::max(newest[group], sent[e]);
                }
                const auto broken = broken_groups(items, sent, outcomes);
                if (order == send_order::strict) { REQUIRE(broken.empty()); }
                for (std::size_t e = 0; e < sent.size(); ++e) {
                    progress.report(sent[e], lost ? unknown : outcomes[e]);
                }
            }
            if (!settles) { continue; }
            for (std::size_t i = 0; i < items.size(); ++i) {
                if (progress.outcome(i) == refused) { progress.report(i, settled); }
            }
        }

        std::map<std::pair<std::string_view, std::string_view>, bool> stopped;
        const auto held = progress.held();
        for (std::size_t i = 0; i < items.size(); ++i) {
            const auto outcome = progress.outcome(i);
            const bool waits = std::find(held.begin(), held.end(), i) != held.end();
            REQUIRE(waits == (outcome != accepted && outcome != refused && outcome != settled));
            const std::pair group{items[i].queue, items[i].group};
            if (order == send_order::strict && waits) { REQUIRE(stopped[group]); }
            if (outcome == refused && !group.second.empty()) { stopped[group] = true; }
        }
    }
    if (support::cases(1500) >= 1500) { CHECK(inversions > 0); } // under fast
}
