#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <freshet/backend/shareable.hpp>
#include <freshet/backend/ttl_store.hpp>
#include <freshet/core/time.hpp>

#include "../support/cases.hpp"
#include "ttl_store_steps.hpp"

namespace laws {

/// What a ttl_store must know.
struct stored_key {
    std::optional<cached> entry{};
    std::vector<std::uint64_t> invalidated{}; // the steps of its invalidations
    std::vector<freshet::time_point> invalidated_at{};
};

/// A look-up that may yet be followed by a put.
struct pending_load {
    std::string key;
    std::uint64_t step{};
    freshet::time_point asked_at;
    freshet::store_ticket ticket;
};

/// What a put after that look-up must do; nothing where the store may choose: it forgot meanwhile why it gave just this
/// ticket.
[[nodiscard]] inline auto must_stay(const stored_key& known, const pending_load& load, freshet::time_point now,
                                    freshet::duration fence) -> std::optional<bool> {
    if (known.invalidated.empty()) { return true; }
    if (known.invalidated.back() > load.step) { return false; }
    const auto forgotten = known.invalidated_at.back() + fence;
    if (load.asked_at < forgotten && forgotten <= now) { return std::nullopt; }
    return true;
}

} // namespace laws

TEST_CASE_TEMPLATE_DEFINE("whatever happens to keys, a store answers as a plain list of them would", Fixture,
                          laws_ttl_store_12) {
    using namespace std::chrono_literals;
    const auto rounds = support::cases(10);
    for (std::size_t round = 0; round < rounds; ++round) {
        const auto seed = support::seed() + round;
        CAPTURE(seed);
        std::mt19937_64 random{seed};
        const auto below = [&](auto n) { return static_cast<std::size_t>(random() % static_cast<std::size_t>(n)); };
        Fixture fixture;
        auto& store = fixture.store();
        const auto fence = fixture.fence_time();
        std::map<std::string, laws::stored_key> known;
        for (char name = 'a'; name != 'f'; ++name) { known[{name}]; }
        std::vector<laws::pending_load> loads;
        const auto invalidate = [&](laws::stored_key& one, std::uint64_t step) {
            one.entry.reset();
            one.invalidated.push_back(step);
            one.invalidated_at.push_back(fixture.clock().now());
        };
        const auto check = [&](const std::string& key) {
            auto found = laws::looked(store, key);
            auto wanted = known[key].entry;
            if (wanted && wanted->keep_until <= fixture.clock().now()) { wanted.reset(); }
            CHECK(found.entry == wanted);
            return found.ticket;
        };
        for (std::uint64_t step = 0; step < 200; ++step) {
            CAPTURE(step);
            const auto now = fixture.clock().now();
            const std::string key(1, static_cast<char>('a' + below(known.size())));
            const auto action = below(20);
            if (action < 7) {
                loads.push_back({key, step, now, check(key)});
            } else if (action < 14 && !loads.empty()) {
                const auto load = loads[loads.size() - 1 - below(std::min<std::size_t>(loads.size(), 10))];
                if (now - load.asked_at >= fence) { continue; } // must not be put
                auto& one = known[load.key];
                auto entry = laws::entry_of(fixture, std::to_string(step), freshet::duration{below(2 * fence.count())});
                if (below(4) == 0) { entry.value.reset(); }
                const auto put = store.put(load.key, entry, load.ticket);
                const auto stays = laws::must_stay(one, load, now, fence);
                if (stays == true) { CHECK_MESSAGE(put.ok(), (put.ok() ? "" : put.why().note)); }
                CHECK((put.ok() || laws::is_kept_out(put)));
                if (put.ok() && stays != false) { one.entry = entry; }
                check(load.key);
            } else if (action < 16) {
                REQUIRE(store.erase(key).ok());
                invalidate(known[key], step);
            } else if (action == 16) {
                REQUIRE(store.clear().ok());
                for (auto& [name, one] : known) { invalidate(one, step); }
            } else if (action < 19) {
                fixture.clock().advance(freshet::duration{below(fence.count() / 3)});
            } else if (const auto& entry = known[key].entry) { // to the end of an entry, or one microsecond before it
                fixture.clock().advance(
                    std::max<freshet::duration>(0us, entry->keep_until - now - freshet::duration{below(2)}));
                check(key);
            }
        }
        for (const auto& [key, one] : known) { check(key); }
    }
}

TEST_CASE_TEMPLATE_DEFINE("of threads that load and invalidate, none sees what was loaded before an invalidation ended",
                          Fixture, laws_ttl_store_13) {
    Fixture fixture;
    auto& store = fixture.store();
    if constexpr (freshet::shareable<std::remove_reference_t<decltype(store)>>) {
        std::atomic<int> source{0};
        std::atomic<int> promised{0}; // what every look-up finds that begins from now on, or something newer
        std::atomic<int> failures{0};
        std::atomic<bool> over{false};
        {
            std::vector<std::jthread> readers;
            for (int reader = 0; reader != 2; ++reader) {
                readers.emplace_back([&] {
                    while (!over) {
                        const auto least = promised.load();
                        const auto found = store.get("key");
                        if (!found.ok()) {
                            ++failures;
                            continue;
                        }
                        if (found->entry && std::stoi(*found->entry->value) < least) { ++failures; }
                        auto loaded = laws::entry_of(fixture, std::to_string(source.load()));
                        std::this_thread::yield();
                        if (const auto put = store.put("key", loaded, found->ticket); !put.ok()) {
                            failures += laws::is_kept_out(put) ? 0 : 1;
                        }
                    }
                });
            }
            for (int version = 1; version <= 60; ++version) {
                source = version;
                if (!(version % 5 == 0 ? store.clear() : store.erase("key")).ok()) { ++failures; }
                promised = version;
                std::this_thread::yield();
            }
            over = true;
        }
        CHECK(failures == 0);
    }
}
