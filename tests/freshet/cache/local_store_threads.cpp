#include <freshet/cache/local_store.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <freshet/core/observe.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <support/cases.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::testing::manual_clock;

struct weigh_length {
    auto operator()(const int&, const freshet::cache_entry<std::string>& entry) const -> std::size_t {
        return entry.value ? entry.value->size() : 0;
    }
};

constexpr int threads = 3;

/// Runs `act(random)` many times on each thread.
void on_threads(auto&& act) {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::vector<std::jthread> running;
    for (unsigned thread = 0; thread != threads; ++thread) {
        running.emplace_back([&act, seed, thread] {
            std::mt19937_64 random{seed + thread};
            for (int i = 0; i != 10'000; ++i) { act(random); }
        });
    }
}

} // namespace

TEST_CASE("of threads that load and invalidate many keys, none sees what was loaded before an invalidation ended") {
    for (const std::size_t most : {20u, 9'000u}) { // one lock, with evictions, and many
        CAPTURE(most);
        manual_clock clock;
        freshet::local_store<int, std::uint64_t, manual_clock> store{clock, {.max_entries = most}};
        constexpr std::size_t keys = 40;
        std::array<std::atomic<std::uint64_t>, keys> source{};
        std::array<std::atomic<std::uint64_t>, keys> promised{}; // what every look-up finds that begins now, or newer
        const auto lift = [](std::atomic<std::uint64_t>& to, std::uint64_t version) {
            for (auto old = to.load(); old < version && !to.compare_exchange_weak(old, version);) {}
        };
        std::atomic<int> failures{0};
        on_threads([&](auto& random) {
            const auto at = static_cast<std::size_t>(random() % keys);
            const auto key = static_cast<int>(at);
            const auto action = random() % 100;
            if (action == 0) {
                std::array<std::uint64_t, keys> versions{};
                for (std::size_t i = 0; i != keys; ++i) { versions[i] = source[i].load(); }
                failures += store.clear().ok() ? 0 : 1;
                for (std::size_t i = 0; i != keys; ++i) { lift(promised[i], versions[i]); }
            } else if (action < 15) {
                const auto version = ++source[at];
                failures += store.erase(key).ok() ? 0 : 1;
                lift(promised[at], version);
            } else {
                const auto least = promised[at].load();
                const auto found = store.get(key);
                if (found->entry && found->entry->value < least) { ++failures; }
                const auto version = source[at].load();
                if (action < 30) { std::this_thread::yield(); }
                const auto now = clock.now();
                const auto put = store.put(key, {version, now, now + 1h, now + 1h}, found->ticket);
                if (!put.ok() && put.why().code != freshet::errc::conflict) { ++failures; }
            }
        });
        CHECK(failures == 0);
        CHECK(store.size() <= most);
    }
}

TEST_CASE("threads keep to the bounds, lose no value and tell of each removal once") {
    for (const std::size_t most : {30u, 9'000u}) {
        for (const std::size_t weight : {0u, 200u}) {
            CAPTURE(most);
            CAPTURE(weight);
            manual_clock clock;
            std::atomic<long> removed{0};
            const freshet::shared_watch watch{freshet::on<freshet::entry_removed>([&](const auto&) { ++removed; })};
            freshet::local_store<int, std::string, manual_clock, weigh_length, std::remove_const_t<decltype(watch)>>
                store{clock, {.max_entries = most, .max_weight = weight}, {}, watch};
            std::atomic<long> kept{0};
            std::atomic<int> failures{0};
            on_threads([&](auto& random) {
                const auto key = static_cast<int>(random() % 100);
                const auto found = store.get(key);
                if (found->entry && *found->entry->value != std::string(found->entry->value->size(), 'x')) {
                    ++failures;
                }
                const auto action = random() % 300;
                const auto now = clock.now();
                if (action == 0) {
                    failures += store.clear().ok() ? 0 : 1;
                } else if (action == 1) {
                    store.sweep();
                } else if (action == 2) {
                    clock.advance(1us);
                } else if (action < 30) {
                    failures += store.erase(key).ok() ? 0 : 1;
                } else if (action < 50) {
                    const freshet::cache_entry<std::string> entry{"", now, now, now + 2us};
                    failures += store.touch(key, entry, found->ticket).ok() ? 0 : 1;
                } else {
                    const auto keep = now + freshet::duration{random() % 20};
                    const auto put =
                        store.put(key, {std::string(1 + random() % 60, 'x'), now, now, keep}, found->ticket);
                    kept += put.ok() ? 1 : 0;
                }
                if (store.size() > most || (weight != 0 && store.weight() > weight)) { ++failures; }
            });
            CHECK(failures == 0);
            CHECK(kept - removed == static_cast<long>(store.size()));
            CHECK(store.clear().ok());
            CHECK(store.size() == 0);
            CHECK(store.weight() == 0);
        }
    }
}
