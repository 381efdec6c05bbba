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

/// An invalidation, and the step of it.
struct invalidation {
    std::uint64_t step{};
    freshet::time_point at;
};

/// A look-up that may yet be followed by a put.
struct pending_load {
    std::string key;
    std::uint64_t step{};
    freshet::time_point asked_at;
    freshet::store_ticket ticket;
};

/// What a ttl_store must know.
struct stored_key {
    std::optional<cached> entry{};
    std::vector<invalidation> invalidated{};
    std::vector<pending_load> looked{};
};

/// What a put after that look-up must do; nothing where the store may choose: it forgot meanwhile an invalidation,
/// which may have been why it gave just this ticket.
[[nodiscard]] inline auto must_stay(const std::map<std::string, stored_key>& known, const pending_load& load,
                                    freshet::time_point now, freshet::duration fence) -> std::optional<bool> {
    const auto& own = known.at(load.key).invalidated;
    if (!own.empty() && own.back().step > load.step) { return false; }
    for (const auto& [key, one] : known) {
        for (const auto& each : one.invalidated) {
            const auto forgotten = each.at + fence;
            if (load.asked_at < forgotten && forgotten <= now) { return std::nullopt; }
        }
    }
    return true;
}

/// Whether tickets differ wherever an invalidation that is still remembered lies between their look-ups.
[[nodiscard]] inline auto tells_invalidations(const stored_key& known, const freshet::store_ticket& ticket,
                                              freshet::time_point now, freshet::duration fence) -> bool {
    return std::none_of(known.looked.begin(), known.looked.end(), [&](const pending_load& before) {
        return before.ticket == ticket &&
               std::any_of(known.invalidated.begin(), known.invalidated.end(),
                           [&](const invalidation& each) { return each.step > before.step && now < each.at + fence; });
    });
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
            one.invalidated.push_back({step, fixture.clock().now()});
        };
        const auto wanted = [&](const std::string& key) {
            const auto& entry = known[key].entry;
            return entry && fixture.clock().now() < entry->keep_until ? entry : std::nullopt;
        };
        const auto check = [&](const std::string& key, std::uint64_t step) {
            auto& one = known[key];
            const auto now = fixture.clock().now();
            auto found = laws::looked(store, key);
            CHECK(found.entry == wanted(key));
            CHECK(laws::tells_invalidations(one, found.ticket, now, fence));
            one.looked.push_back({key, step, now, found.ticket});
            return one.looked.back();
        };
        for (std::uint64_t step = 0; step < 200; ++step) {
            CAPTURE(step);
            const auto now = fixture.clock().now();
            const std::string key(1, static_cast<char>('a' + below(known.size())));
            const auto action = below(23);
            if (action < 7) {
                loads.push_back(check(key, step));
            } else if (action < 14 && !loads.empty()) {
                const auto load = loads[loads.size() - 1 - below(std::min<std::size_t>(loads.size(), 10))];
                if (now - load.asked_at >= fence) { continue; } // must not be put
                auto& one = known[load.key];
                auto entry = laws::entry_of(fixture, std::to_string(step), freshet::duration{below(2 * fence.count())});
                if (below(4) == 0) { entry.value.reset(); }
                const auto put = store.put(load.key, entry, load.ticket);
                const auto stays = laws::must_stay(known, load, now, fence);
                if (stays == true) { CHECK_MESSAGE(put.ok(), (put.ok() ? "" : put.why().note)); }
                CHECK((put.ok() || laws::is_kept_out(put)));
                if (put.ok() && stays != false) { one.entry = entry; }
                check(load.key, step);
            } else if (action < 16) {
                REQUIRE(store.erase(key).ok());
                invalidate(known[key], step);
            } else if (action == 16) {
                REQUIRE(store.clear().ok());
                for (auto& [name, one] : known) { invalidate(one, step); }
            } else if (action < 20) {
                const auto ticket = check(key, step).ticket;
                const auto there = wanted(key);
                auto times = laws::entry_of(fixture, "another", freshet::duration{below(2 * fence.count())});
                if (there && below(4) != 0) { times.loaded_at = there->loaded_at; }
                if (below(4) == 0) { times.keep_until = now - freshet::duration{below(2)}; }
                REQUIRE(store.touch(key, times, ticket).ok());
                if (there && there->loaded_at == times.loaded_at) {
                    known[key].entry = {there->value, there->loaded_at, times.fresh_until, times.keep_until};
                }
                check(key, step);
            } else if (action < 22) {
                fixture.clock().advance(freshet::duration{below(fence.count() / 3)});
            } else if (const auto& entry = known[key].entry) { // to the end of an entry, or one microsecond before it
                fixture.clock().advance(
                    std::max<freshet::duration>(0us, entry->keep_until - now - freshet::duration{below(2)}));
                check(key, step);
            }
        }
        for (const auto& [key, one] : known) { check(key, 200); }
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
