#include <freshet/cache/single_flight.hpp>

#include <atomic>
#include <barrier>
#include <cstddef>
#include <cstdint>
#include <latch>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "../../support/cases.hpp"

namespace {

using flights = freshet::single_flight<std::string, int>;

auto brought(int value) -> std::shared_ptr<const int> { return std::make_shared<const int>(value); }

/// Boards on another thread, which says so before it waits.
auto waiter(flights& of, std::latch& boarded, std::shared_ptr<const int>& got, bool& led) -> std::jthread {
    return std::jthread{[&] {
        auto seat = of.board("a");
        led = seat.leads();
        boarded.count_down();
        if (!led) { got = seat.wait(); }
    }};
}

/// All are equal; a copy throws when no more may be made.
struct fragile_id {
    int* copies_left;
    fragile_id(int* left) : copies_left{left} {}
    fragile_id(const fragile_id& other) : copies_left{other.copies_left} {
        if ((*copies_left)-- <= 0) { throw std::runtime_error{"copy"}; }
    }
    auto operator=(const fragile_id&) -> fragile_id& = delete;
    friend auto operator==(const fragile_id&, const fragile_id&) -> bool { return true; }
};
struct hash_of_fragile_id {
    auto operator()(const fragile_id&) const -> std::size_t { return 1; }
};

} // namespace

TEST_CASE("who boards first leads, and all who board before he lands have his outcome") {
    flights of;
    auto leader = of.board("a");
    REQUIRE(leader.leads());
    CHECK_FALSE(leader.alone());
    constexpr std::size_t waiters = 6;
    std::vector<std::shared_ptr<const int>> got(waiters);
    bool led[waiters]{};
    {
        std::latch boarded{waiters};
        std::vector<std::jthread> crew;
        for (std::size_t i = 0; i != waiters; ++i) { crew.push_back(waiter(of, boarded, got[i], led[i])); }
        boarded.wait();
        leader.land(brought(7));
    }
    CHECK_FALSE(leader.leads());
    for (std::size_t i = 0; i != waiters; ++i) {
        CHECK_FALSE(led[i]);
        REQUIRE(got[i] != nullptr);
        CHECK(*got[i] == 7);
    }
}

TEST_CASE("a flight that has landed is nobody's: who comes then leads the next one") {
    flights of;
    CHECK(of.landed_so_far() == 0);
    {
        auto first = of.board("a");
        CHECK(first.landed_before() == 0);
        first.land(brought(1));
    }
    CHECK_MESSAGE(of.landed_so_far() == 1, "the seat's end does not land it again");
    auto second = of.board("a");
    CHECK(second.leads());
    CHECK(second.landed_before() == 1);
    auto other = of.board("b");
    CHECK_MESSAGE(other.leads(), "of different things each has his own flight");
}

TEST_CASE("a leader who gives up leaves no flight behind, and those who wait are told so") {
    flights of;
    auto got = brought(1);
    bool led = true;
    {
        std::latch boarded{1};
        std::jthread other;
        {
            auto leader = of.board("a");
            auto moved = std::move(leader);
            CHECK(moved.leads());
            CHECK_FALSE(leader.leads()); // NOLINT(bugprone-use-after-move): that is what is looked at
            other = waiter(of, boarded, got, led);
            boarded.wait();
        }
    }
    CHECK_FALSE(led);
    CHECK(got == nullptr);
    CHECK(of.board("a").leads());
}

TEST_CASE("who leads a flight and asks for it again is alone, and its outcome is that of the lead") {
    flights of;
    auto leader = of.board("a");
    {
        const auto again = of.board("a");
        CHECK(again.alone());
        CHECK_FALSE(again.leads());
    }
    CHECK_MESSAGE(of.landed_so_far() == 0, "who is alone lands nothing");
    leader.land(brought(1));
    CHECK(of.board("a").leads());
}

TEST_CASE("of threads that would wait in a circle, the one that would close it is told to fetch alone") {
    for (const std::size_t threads : {2U, 3U, 5U}) {
        CAPTURE(threads);
        for (int round = 0; round != 20; ++round) {
            flights of;
            std::atomic<int> refused{0};
            std::atomic<int> wrong{0};
            std::barrier all_lead{static_cast<std::ptrdiff_t>(threads)};
            {
                std::vector<std::jthread> crew;
                for (std::size_t i = 0; i != threads; ++i) {
                    crew.emplace_back([&, i] {
                        auto mine = of.board(std::to_string(i));
                        all_lead.arrive_and_wait();
                        auto next = of.board(std::to_string((i + 1) % threads));
                        const auto got = next.leads() ? nullptr : next.wait();
                        if (next.leads()) {
                            next.land(brought(100));
                        } else if (!got) {
                            ++refused;
                        } else if (*got != static_cast<int>((i + 1) % threads)) {
                            ++wrong;
                        }
                        mine.land(brought(static_cast<int>(i)));
                    });
                }
            }
            CHECK(refused == 1);
            CHECK(wrong == 0);
        }
    }
}

TEST_CASE("threads that lead and wait for each other in any pattern all come to an end") {
    const auto rounds = support::cases(30);
    for (std::size_t round = 0; round < rounds; ++round) {
        const auto seed = support::seed() + round;
        CAPTURE(seed);
        freshet::single_flight<int, int> of;
        std::atomic<int> wrong{0};
        {
            std::vector<std::jthread> crew;
            for (std::uint64_t worker = 0; worker != 6; ++worker) {
                crew.emplace_back([&, worker] {
                    std::mt19937_64 random{seed * 8 + worker};
                    for (int n = 0; n != 50; ++n) {
                        std::vector<std::pair<int, decltype(of)::seat>> nested; // each as if in the loader of the last
                        for (auto depth = random() % 4; depth != 0; --depth) {
                            const auto id = static_cast<int>(random() % 5);
                            auto seat = of.board(id);
                            if (seat.leads()) {
                                nested.emplace_back(id, std::move(seat));
                            } else if (!seat.alone()) {
                                if (const auto got = seat.wait(); got && *got != id) { ++wrong; }
                            }
                        }
                        for (; !nested.empty(); nested.pop_back()) { // one in eight gives up
                            auto& [id, seat] = nested.back();
                            if (random() % 8 != 0) { seat.land(std::make_shared<const int>(id)); }
                        }
                    }
                });
            }
        }
        CHECK(wrong == 0);
        for (int id = 0; id != 5; ++id) { CHECK(of.board(id).leads()); }
    }
}

TEST_CASE("a copy of an id that throws leaves no flight behind that nobody leads") {
    for (int good_copies = 0;; ++good_copies) {
        CAPTURE(good_copies);
        REQUIRE(good_copies < 10);
        freshet::single_flight<fragile_id, int, hash_of_fragile_id> of;
        int left = good_copies;
        bool threw = false;
        try {
            auto leader = of.board({&left});
            CHECK(leader.leads());
        } catch (const std::runtime_error&) { threw = true; }
        left = 10;
        std::jthread{[&] { CHECK(of.board({&left}).leads()); }}.join();
        if (!threw) { break; }
    }
}
