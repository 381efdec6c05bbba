#include <freshet/stream/send_progress.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using freshet::broken_groups;
using freshet::send_item;
using freshet::send_order;
using freshet::send_outcome;
using freshet::send_progress;
using indices = std::vector<std::size_t>;
using names = std::vector<std::string_view>;

constexpr auto accepted = send_outcome::accepted;
constexpr auto retryable = send_outcome::retryable;
constexpr auto refused = send_outcome::refused;
constexpr auto unknown = send_outcome::unknown;
constexpr auto settled = send_outcome::settled;

} // namespace

TEST_CASE("a group is broken where a later entry was taken and an earlier one refused") {
    const std::vector<send_item> items{{"a", 1}, {"b", 1}, {"a", 1}, {"b", 1}, {"a", 1}, {"c", 1}};
    const indices request{0, 1, 2, 3, 4, 5};
    const auto broken = [&](const std::vector<send_outcome>& outcomes) {
        return broken_groups(items, request, outcomes);
    };
    CHECK(broken({accepted, accepted, accepted, accepted, accepted, accepted}).empty());
    CHECK(broken({retryable, accepted, accepted, accepted, accepted, accepted}) == names{"a"});
    CHECK(broken({accepted, accepted, retryable, refused, retryable, retryable}).empty());
    CHECK(broken({accepted, refused, retryable, accepted, accepted, retryable}) == names{"b", "a"});
    CHECK(broken({unknown, unknown, unknown, unknown, unknown, unknown}).empty());
    CHECK(broken({unknown, settled, accepted, accepted, accepted, accepted}).empty());
}

TEST_CASE("a refused entry holds its group's later ones back and nothing else") {
    const std::vector<send_item> items{{"a", 1}, {"b", 1}, {"a", 1}, {"b", 1}};
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
    const std::vector<send_item> items{{"a", 1}, {"b", 1}, {"a", 1}, {"b", 1}, {"c", 1}};
    send_progress progress{items};
    progress.report(0, retryable);
    progress.report(1, accepted);
    progress.report(3, unknown);
    CHECK(progress.next_round() == indices{0, 2, 3, 4});
    CHECK(progress.may_send(2));
}

TEST_CASE("what is refused for good holds its group until it is settled") {
    const std::vector<send_item> items{{"a", 1}, {"a", 1}, {"b", 1}, {"a", 1}};
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
    const std::vector<send_item> items{{"a", 1}, {"a", 1}};
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
    constexpr std::uint64_t seed = 99;
    CAPTURE(seed);
    MESSAGE("seed " << seed);
    std::mt19937_64 random{seed};
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    const std::string_view letters = "abcdefgh";
    std::size_t inversions = 0;

    for (int round = 0; round < 1500; ++round) {
        CAPTURE(round);
        const auto order = round % 2 == 0 ? send_order::strict : send_order::fast;
        std::vector<send_item> items(below(60));
        for (auto& item : items) { item = {letters.substr(below(letters.size()), 1), 1 + below(40)}; }
        const freshet::queue_limits limits{.entries_per_request = 1 + below(10), .message_bytes = 38,
                                           .request_bytes = 100};
        send_progress progress{items};
        std::map<std::string_view, std::size_t> newest; // what the queue has, by group
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
                    const auto group = items[sent[e]].group;
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

        std::map<std::string_view, bool> stopped;
        const auto held = progress.held();
        for (std::size_t i = 0; i < items.size(); ++i) {
            const auto outcome = progress.outcome(i);
            const bool waits = std::find(held.begin(), held.end(), i) != held.end();
            REQUIRE(waits == (outcome != accepted && outcome != refused && outcome != settled));
            if (order == send_order::strict) { REQUIRE(waits == (stopped[items[i].group] && outcome != refused)); }
            if (outcome == refused) { stopped[items[i].group] = true; }
        }
    }
    CHECK(inversions > 0); // under fast
}
