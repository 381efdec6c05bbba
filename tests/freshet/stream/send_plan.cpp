#include <freshet/stream/send_plan.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <support/cases.hpp>

#include "../core/dies_with.hpp"

namespace {

using freshet::plan_sends;
using freshet::queue_limits;
using freshet::send_item;
using freshet::send_order;
using freshet::send_plan;
using requests = std::vector<std::vector<std::size_t>>;

static_assert(freshet::send_item_of({"q", "g", "d", "body", "12"}).queue == "q");
static_assert(freshet::send_item_of({"q", "g", "d", "body", "12"}).group == "g");
static_assert(freshet::send_item_of({"q", "g", "d", "body", "12"}).bytes == 4 + 15 + 6 + 2);

auto unfold(const send_plan& plan) -> requests {
    requests all;
    for (std::size_t r = 0; r < plan.size(); ++r) { all.emplace_back(plan[r].begin(), plan[r].end()); }
    return all;
}

auto queues(const send_plan& plan) -> std::vector<std::string_view> {
    std::vector<std::string_view> all;
    for (std::size_t r = 0; r < plan.size(); ++r) { all.push_back(plan.queue(r)); }
    return all;
}

auto oversized(const send_plan& plan) -> std::vector<std::size_t> {
    return {plan.oversized().begin(), plan.oversized().end()};
}

/// The rule in words, without cleverness: look through the queue's requests after the group's last one, close what is
/// full or too small.
auto strict_by_search(const std::vector<send_item>& items, const queue_limits& limits) -> requests {
    struct open_request {
        std::string_view queue;
        std::vector<std::size_t> items;
        std::size_t bytes{};
        bool closed{};
    };
    std::vector<open_request> all;
    std::map<std::pair<std::string_view, std::string_view>, std::size_t> earliest;
    for (std::size_t i = 0; i < items.size(); ++i) {
        const auto [queue, group, bytes] = items[i];
        if (bytes > limits.message_bytes || bytes > limits.request_bytes) { continue; }
        auto r = group.empty() ? 0 : earliest[{queue, group}];
        for (; r < all.size(); ++r) {
            if (all[r].queue != queue || all[r].closed) { continue; }
            if (all[r].bytes + bytes <= limits.request_bytes) { break; }
            all[r].closed = true;
        }
        if (r == all.size()) { all.push_back({queue, {}}); }
        all[r].items.push_back(i);
        all[r].bytes += bytes;
        all[r].closed = all[r].closed || all[r].items.size() == limits.entries_per_request;
        earliest[{queue, group}] = r + 1;
    }
    requests found;
    for (auto& r : all) { found.push_back(r.items); }
    return found;
}

} // namespace

TEST_CASE("nothing to send is no request") {
    CHECK(plan_sends({}, queue_limits{}).empty());
    CHECK(plan_sends({}, queue_limits{}, send_order::fast).size() == 0);
}

TEST_CASE("ten groups go in one request and the eleventh item opens the next") {
    const std::string_view letters = "abcdefghijk";
    std::vector<send_item> items;
    for (std::size_t i = 0; i < letters.size(); ++i) { items.push_back({"q", letters.substr(i, 1), 1}); }
    for (const auto order : {send_order::strict, send_order::fast}) {
        CHECK(unfold(plan_sends(items, queue_limits{}, order)) == requests{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {10}});
    }
}

TEST_CASE("strict sends one message of a group in a request, and others fill the gaps") {
    const std::vector<send_item> items{{"q", "a", 1}, {"q", "a", 1}, {"q", "a", 1},
                                       {"q", "b", 1}, {"q", "c", 1}, {"q", "b", 1}};
    CHECK(unfold(plan_sends(items, queue_limits{})) == requests{{0, 3, 4}, {1, 5}, {2}});
}

TEST_CASE("fast sends full requests in the order of the items") {
    const std::vector<send_item> items(25, send_item{"q", "a", 1});
    const auto plan = plan_sends(items, queue_limits{}, send_order::fast);
    REQUIRE(plan.size() == 3);
    CHECK(plan[0].size() == 10);
    CHECK(plan[2].size() == 5);
    CHECK(plan_sends(items, queue_limits{}, send_order::strict).size() == 25);
}

TEST_CASE("a request holds its byte budget to the byte") {
    const queue_limits limits{.message_bytes = 60, .request_bytes = 100};
    const std::vector<send_item> exact{{"q", "a", 60}, {"q", "b", 40}, {"q", "c", 1}};
    const std::vector<send_item> over{{"q", "a", 60}, {"q", "b", 41}, {"q", "c", 1}};
    for (const auto order : {send_order::strict, send_order::fast}) {
        CHECK(unfold(plan_sends(exact, limits, order)) == requests{{0, 1}, {2}});
        CHECK(unfold(plan_sends(over, limits, order)) == requests{{0}, {1, 2}});
    }
}

TEST_CASE("what no request can take is listed and does not disturb the rest") {
    const queue_limits limits{.message_bytes = 50, .request_bytes = 100};
    const std::vector<send_item> items{{"q", "a", 50}, {"q", "a", 51}, {"q", "b", 101}, {"q", "a", 50}};
    const auto strict = plan_sends(items, limits);
    CHECK(unfold(strict) == requests{{0}, {3}});
    CHECK(oversized(strict) == std::vector<std::size_t>{1, 2});
    CHECK(unfold(plan_sends(items, limits, send_order::fast)) == requests{{0, 3}});
    CHECK(oversized(plan_sends(items, {.message_bytes = 200, .request_bytes = 100})) == std::vector<std::size_t>{2});
}

TEST_CASE("a plan of some items names them by their place among all") {
    const std::vector<send_item> items{{"q", "a", 1}, {"q", "b", 1}, {"q", "a", 1}, {"q", "b", 99}, {"q", "a", 1}};
    const std::vector<std::size_t> which{0, 3, 4};
    const auto plan = plan_sends(items, which, {.message_bytes = 50});
    CHECK(unfold(plan) == requests{{0}, {4}});
    CHECK(oversized(plan) == std::vector<std::size_t>{3});
}

TEST_CASE("messages without bytes are planned by number alone") {
    const std::vector<send_item> items{{"q", "a", 0}, {"q", "b", 0}, {"q", "c", 0}};
    CHECK(unfold(plan_sends(items, {.entries_per_request = 2, .message_bytes = 0, .request_bytes = 0})) ==
          requests{{0, 1}, {2}});
}

TEST_CASE("a request is for one queue, and a group is one of its queue") {
    const std::vector<send_item> items{{"lines", "a", 1}, {"words", "a", 1}, {"lines", "a", 1}, {"words", "b", 1},
                                       {"lines", "b", 1}, {"", "a", 1},      {"words", "a", 1}, {"lines", "c", 1}};
    const auto strict = plan_sends(items, queue_limits{});
    CHECK(unfold(strict) == requests{{0, 4, 7}, {1, 3}, {2}, {5}, {6}});
    CHECK(queues(strict) == std::vector<std::string_view>{"lines", "words", "lines", "", "words"});
    const auto fast = plan_sends(items, queue_limits{}, send_order::fast);
    CHECK(unfold(fast) == requests{{0, 2, 4, 7}, {1, 3, 6}, {5}});
    CHECK(queues(fast) == std::vector<std::string_view>{"lines", "words", ""});
}

TEST_CASE("each queue's requests have limits of their own, and are numbered as they are opened") {
    std::vector<send_item> items;
    for (int i = 0; i < 21; ++i) { items.push_back({i % 2 == 0 ? "even" : "odd", "", 1}); }
    const auto plan = plan_sends(items, queue_limits{});
    CHECK(queues(plan) == std::vector<std::string_view>{"even", "odd", "even"});
    CHECK(unfold(plan)[2] == std::vector<std::size_t>{20});
    const queue_limits narrow{.message_bytes = 60, .request_bytes = 100};
    CHECK(unfold(plan_sends(std::vector<send_item>{{"p", "a", 60}, {"q", "a", 60}, {"p", "b", 40}, {"q", "b", 41}},
                            narrow)) == requests{{0, 2}, {1}, {3}});
}

TEST_CASE("items without a group keep no order and fill requests") {
    const std::vector<send_item> items(20, send_item{"standard", "", 1});
    CHECK(plan_sends(items, queue_limits{}).size() == 2);
    CHECK(plan_sends(items, queue_limits{}, send_order::fast).size() == 2);
    const std::vector<send_item> mixed{{"q", "a", 1}, {"q", "a", 1}, {"q", "", 1}, {"q", "", 1}};
    CHECK(unfold(plan_sends(mixed, queue_limits{})) == requests{{0, 2, 3}, {1}});
}

TEST_CASE("a request that the plan does not have ends the process with a line") {
    const auto plan = plan_sends(std::vector<send_item>{{"q", "a", 1}}, queue_limits{});
    CHECK(dies_with([&] { static_cast<void>(plan[1]); }) == "freshet: send_plan: there is no such request\n");
    CHECK(dies_with([&] { static_cast<void>(plan.queue(1)); }) == "freshet: send_plan: there is no such request\n");
}

TEST_CASE("any plan keeps the limits, the order of each group, and every item exactly once") {
    const auto seed = support::seed();
    CAPTURE(seed);
    MESSAGE("seed " << seed);
    std::mt19937_64 random{seed};
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    std::vector<std::string> names;
    const std::array<std::string_view, 4> queues{"lines", "words", "", "labels"};
    names.emplace_back(); // no group
    for (int i = 0; i < 64; ++i) { names.push_back("IMAGE#550e8400#RECEIPT#" + std::to_string(i)); }

    for (std::size_t round = 0; round < support::cases(1200); ++round) {
        CAPTURE(round);
        const queue_limits limits{.entries_per_request = 1 + below(10), .message_bytes = 20 + below(60),
                                  .request_bytes = 40 + below(200)};
        const auto groups = 1 + below(names.size());
        const auto some_queues = 1 + below(queues.size());
        const auto most = 1 + below(90);
        std::vector<send_item> items(below(120));
        for (auto& item : items) {
            item = {queues[below(some_queues)], names[std::min(below(groups), below(groups))], below(most)};
        }

        for (const auto order : {send_order::strict, send_order::fast}) {
            const auto plan = plan_sends(items, limits, order);
            std::vector<int> seen(items.size());
            std::map<std::pair<std::string_view, std::string_view>, std::size_t> last_item, last_request;
            std::size_t newest = 0;
            for (const auto i : plan.oversized()) {
                ++seen[i];
                REQUIRE(items[i].bytes > std::min(limits.message_bytes, limits.request_bytes));
            }
            for (std::size_t r = 0; r < plan.size(); ++r) {
                std::size_t bytes = 0;
                REQUIRE(!plan[r].empty());
                REQUIRE(plan[r].size() <= limits.entries_per_request);
                for (const auto i : plan[r]) {
                    const auto& item = items[i];
                    ++seen[i];
                    bytes += item.bytes;
                    REQUIRE(item.bytes <= limits.message_bytes);
                    REQUIRE(item.queue == plan.queue(r));
                    if (item.group.empty()) { continue; }
                    const std::pair group{item.queue, item.group};
                    if (last_item.contains(group)) {
                        REQUIRE(last_item[group] < i);
                        if (order == send_order::strict) { REQUIRE(last_request[group] < r); }
                    }
                    last_item[group] = i;
                    last_request[group] = r;
                }
                REQUIRE((r == 0 || plan[r].front() > newest)); // numbered as they were opened
                newest = plan[r].front();
                REQUIRE(bytes <= limits.request_bytes);
            }
            REQUIRE(std::count(seen.begin(), seen.end(), 1) == static_cast<std::ptrdiff_t>(items.size()));
            if (order == send_order::strict) { REQUIRE(unfold(plan) == strict_by_search(items, limits)); }
        }
    }
}

TEST_CASE("where bytes are no matter strict needs as few requests as there can be") {
    const auto seed = support::seed();
    CAPTURE(seed);
    MESSAGE("seed " << seed);
    std::mt19937_64 random{seed};
    const std::string_view letters = "abcdefghijklmnopqrstuvwxyz";
    for (std::size_t round = 0; round < support::cases(200); ++round) {
        std::vector<send_item> items(random() % 200);
        std::map<std::string_view, std::size_t> sizes;
        std::size_t longest = 0;
        for (auto& item : items) {
            item = {"q", letters.substr(random() % letters.size(), 1), 1};
            longest = std::max(longest, ++sizes[item.group]);
        }
        const auto least = std::max(longest, (items.size() + 9) / 10);
        const auto got = plan_sends(items, queue_limits{}).size();
        CAPTURE(round);
        REQUIRE(got >= least);
        // First fit in the items' own order: at most the longest group's tail more than full requests.
        REQUIRE(got <= longest + items.size() / 10);
    }
}
