#include <freshet/cache/local_store.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include <freshet/testing/manual_clock.hpp>

#include <support/count_allocations.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::testing::manual_clock;

void put(auto& store, const auto& key, std::uint64_t value) {
    const auto ticket = store.get(key)->ticket;
    const freshet::time_point start{};
    static_cast<void>(store.put(key, {value, start, start + 87'600h, start + 876'000h}, ticket));
}

} // namespace

TEST_CASE("a full store asks for no memory, whatever number of keys passes through it") {
    manual_clock clock;
    freshet::local_store<std::uint64_t, std::uint64_t, manual_clock> store{clock, {.max_entries = 10'000}};
    for (std::uint64_t key = 0; key != 50'000; ++key) { put(store, key, key); }
    const auto before = support::allocations.load();
    for (std::uint64_t key = 50'000; key != 1'000'000; ++key) { put(store, key, key); }
    for (std::uint64_t key = 0; key != 100'000; ++key) { static_cast<void>(store.erase(key)); }
    CHECK(support::allocations == before);
    CHECK(store.size() <= 10'000);
}

TEST_CASE("a hit asks for no memory") {
    manual_clock clock;
    freshet::local_store<std::string, std::uint64_t, manual_clock> store{clock};
    const std::string key(100, 'k');
    put(store, key, 7);
    const auto before = support::allocations.load();
    for (int i = 0; i != 100; ++i) { CHECK(store.get(key)->entry->value == 7); }
    CHECK(support::allocations == before);
}

TEST_CASE("a store that may become large starts small") {
    manual_clock clock;
    const auto before = support::allocations.load();
    freshet::local_store<std::uint64_t, std::uint64_t, manual_clock> store{clock, {.max_entries = 100'000}};
    const auto made = support::allocations.load();
    CHECK(made - before < 100);
    for (std::uint64_t key = 0; key != 10; ++key) { put(store, key, key); }
    CHECK(support::allocations - made <= 20);
}
