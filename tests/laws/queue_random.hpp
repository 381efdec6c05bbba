#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <freshet/backend/message_queue.hpp>
#include <freshet/core/time.hpp>
#include <freshet/testing/manual_clock.hpp>

#include "../support/cases.hpp"
#include "letters.hpp"
#include "queue_oracle.hpp"
#include "spoilers.hpp"

namespace laws {

/// Does something random to a FIFO queue, and has the oracle judge what comes of it.
template <class Fixture>
class random_hand {
public:
    random_hand(Fixture& fixture, std::uint64_t seed)
        : queue_{fixture.fifo()}, clock_{fixture.clock()}, random_{seed} {}

    void act() {
        switch (below(10)) {
            case 0:
            case 1:
            case 2: return send_some();
            case 3:
            case 4:
            case 5: return receive_some();
            case 6: return erase_some();
            case 7: return hide_some();
            case 8: return clock_.advance(freshet::duration{std::chrono::seconds{below(40)}});
            default: { // to an instant at which something changes, or one microsecond before it
                const auto to_edge = oracle_.edge(below(1000), clock_.now()) - clock_.now();
                clock_.advance(std::max(freshet::duration{0}, to_edge - freshet::duration{below(2)}));
            }
        }
    }

    [[nodiscard]] auto oracle() const -> const queue_oracle& { return oracle_; }

private:
    [[nodiscard]] auto below(std::size_t n) -> std::size_t { return static_cast<std::size_t>(random_() % n); }
    [[nodiscard]] auto one_of(std::initializer_list<int> seconds) -> freshet::duration {
        return std::chrono::seconds{*(seconds.begin() + below(seconds.size()))};
    }
    [[nodiscard]] static auto is_in(const std::vector<freshet::entry_refusal>& refused, std::size_t entry) -> bool {
        return std::any_of(refused.begin(), refused.end(), [&](const auto& r) { return r.entry == entry; });
    }

    void send_some() {
        const freshet::queue_limits limits = queue_.limits();
        std::vector<letter> letters(1 + below(std::min<std::size_t>(6, limits.entries_per_request)));
        for (auto& one : letters) {
            const auto number = std::to_string(made_++);
            one = {"g" + std::to_string(below(5)), "id" + std::to_string(below(40)), "body " + number, number};
            if (below(12) == 0) { spoilers[below(spoilers.size())].spoil(one); }
        }
        const auto refused = send(queue_, letters);
        for (std::size_t i = 0; i < letters.size(); ++i) {
            if (!is_in(refused, i)) { oracle_.sent(letters[i], clock_.now()); }
        }
    }

    void receive_some() {
        const auto visibility = one_of({30, 30, 5, 0});
        const auto got = take(queue_, {.limit = 1 + below(10), .visibility = visibility});
        oracle_.received(got, clock_.now(), visibility);
    }

    void erase_some() {
        const auto receipts = some_receipts();
        if (receipts.empty()) { return; }
        const auto refused = erase(queue_, receipts);
        for (std::size_t i = 0; i < receipts.size(); ++i) {
            oracle_.erased(receipts[i], is_in(refused, i), clock_.now());
        }
    }

    void hide_some() {
        const auto receipts = some_receipts();
        if (receipts.empty()) { return; }
        const auto visibility = one_of({0, 1, 45});
        const auto refused = hide(queue_, receipts, visibility);
        for (std::size_t i = 0; i < receipts.size(); ++i) {
            oracle_.hidden(receipts[i], is_in(refused, i), clock_.now(), visibility);
        }
    }

    /// Some of the newest, live and old ones.
    [[nodiscard]] auto some_receipts() -> std::vector<std::string> {
        std::vector<std::string> all;
        for (const auto& receipt : oracle_.receipts()) {
            if (!oracle_.may_be_dead(receipt, clock_.now())) { all.push_back(receipt); }
        }
        std::vector<std::string> chosen;
        for (auto i = all.size(); i > 0 && chosen.size() < 10 && all.size() - i < 15; --i) {
            if (below(3) == 0) { chosen.push_back(all[i - 1]); }
        }
        return chosen;
    }

    std::remove_reference_t<decltype(std::declval<Fixture&>().fifo())>& queue_;
    freshet::testing::manual_clock& clock_;
    std::mt19937_64 random_;
    queue_oracle oracle_;
    std::size_t made_{};
};

} // namespace laws

TEST_CASE_TEMPLATE_DEFINE("whatever is done to a FIFO queue, nothing is lost, doubled, out of order or given too soon",
                          Fixture, laws_message_queue_32) {
    using namespace std::chrono_literals;
    const auto rounds = support::cases(20);
    for (std::size_t round = 0; round < rounds; ++round) {
        const auto seed = support::seed() + round;
        CAPTURE(seed);
        Fixture fixture;
        laws::random_hand<Fixture> hand{fixture, seed};
        for (int step = 0; step < 200; ++step) {
            CAPTURE(step);
            hand.act();
        }
        fixture.clock().advance(1h);
        CHECK((laws::by_group(laws::drain_fully(fixture.fifo())) == hand.oracle().left(false)));
        CHECK((laws::by_group(laws::drain_fully(fixture.dead())) == hand.oracle().left(true)));
    }
}

TEST_CASE_TEMPLATE_DEFINE("whatever is done to a standard queue, nothing is lost and no live receipt is refused",
                          Fixture, laws_message_queue_33) {
    using namespace std::chrono_literals;
    const auto rounds = support::cases(10);
    for (std::size_t round = 0; round < rounds; ++round) {
        const auto seed = support::seed() + round;
        CAPTURE(seed);
        std::mt19937_64 random{seed};
        const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
        Fixture fixture;
        auto& queue = fixture.standard();
        std::set<std::string> sent;
        std::set<std::string> erased;
        std::vector<freshet::received_message> live; // since the clock moved last
        for (int step = 0; step < 100; ++step) {
            CAPTURE(step);
            switch (below(4)) {
                case 0: {
                    const auto body = std::to_string(sent.size());
                    laws::put(queue, below(2) == 0 ? "" : "g", body);
                    sent.insert(body);
                    break;
                }
                case 1:
                    for (auto& message : laws::take(queue, {.limit = 1 + below(10)})) {
                        CHECK(sent.contains(message.body));
                        live.push_back(std::move(message));
                    }
                    break;
                case 2:
                    if (live.empty()) { break; }
                    CHECK(laws::erase(queue, {live.back().receipt}).empty());
                    erased.insert(live.back().body);
                    live.pop_back();
                    break;
                default: fixture.clock().advance(freshet::duration{std::chrono::seconds{below(40)}}); live.clear();
            }
        }
        fixture.clock().advance(1h);
        for (int idle = 0; idle < 10; ++idle) {
            for (const auto& message : laws::drain_fully(queue)) { erased.insert(message.body); }
        }
        CHECK(erased == sent);
    }
}
