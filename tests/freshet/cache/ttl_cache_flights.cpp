#include <freshet/cache/ttl_cache.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <latch>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <adapters/memory/ttl_store.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <freshet/work/executor.hpp>

#include "cache_bench.hpp"

namespace {

using namespace std::chrono_literals;
using freshet::deadline;
using freshet::errc;
using freshet::error;
using freshet::refreshed_by;
using freshet::result;
using freshet::ttl_cache;
using freshet::testing::manual_clock;
using tests::down;
using tests::line;
using names = std::vector<std::string>;
using bulk = std::vector<result<freshet::loaded<int>>>;

/// A store that tells how often it was asked, and can be broken.
struct counted_store : tests::memory_store {
    using ttl_store::ttl_store;
    std::atomic<int> looks{};
    std::atomic<bool> is_down{};
    std::atomic<bool> is_hooked{};
    std::function<void()> after_next_look{}; ///< if it is hooked
    auto get(const std::string& key) -> result<freshet::looked_up<int>> {
        auto found = ttl_store::get(key);
        if (is_hooked.exchange(false)) { after_next_look(); }
        ++looks;
        if (is_down) { return error{errc::unavailable, "store: down"}; }
        return found;
    }
};

struct bench {
    manual_clock clock{};
    counted_store store{clock};
    std::atomic<int> loads{};

    /// Until so many look-ups have been made: those who made them then share what is under way, or wait for its end.
    void until_looks(int count) {
        while (store.looks < count) { std::this_thread::yield(); }
    }
    auto gives(int value) {
        return [this, value]() -> result<int> {
            ++loads;
            return value;
        };
    }
};
using cache_type = ttl_cache<counted_store, manual_clock>;
using answer = result<cache_type::answer_type>;

/// The answers of threads that ask while the first one's load is under way; the first one's comes first.
template <class Outcome>
auto ask_together(bench& b, cache_type& cache, int threads, Outcome&& outcome) -> std::vector<answer> {
    std::vector<answer> answers(static_cast<std::size_t>(threads), error{});
    const auto looks = b.store.looks.load();
    std::vector<std::jthread> crew;
    answers[0] = cache.get_or_load("a", [&]() -> result<int> {
        ++b.loads;
        for (std::size_t i = 1; i != answers.size(); ++i) {
            crew.emplace_back([&, i] { answers[i] = cache.get_or_load("a", b.gives(1'000)); });
        }
        b.until_looks(looks + threads);
        return outcome();
    });
    crew.clear();
    return answers;
}

} // namespace

TEST_CASE("of those who miss a key at the same time one loads, and the others have his value, or ask the store again") {
    bench b;
    cache_type cache{b.store, b.clock};
    const auto answers = ask_together(b, cache, 8, [] { return result<int>{7}; });
    CHECK(line(answers[0]) == "7 loaded 0s");
    for (const auto& each : answers) {
        REQUIRE(each.ok());
        CHECK(each->value == 7);
    }
    CHECK(b.loads == 1);
    const auto all = cache.statistics();
    CHECK(all.hits + all.misses == 8);
    CHECK(all.misses == all.shared + 1);
}

TEST_CASE("those who share a load share its error, each in his own way") {
    bench b;
    cache_type cache{b.store, b.clock};
    const auto answers = ask_together(b, cache, 8, []() -> result<int> { throw 7; });
    CHECK(answers[0].why().code == errc::failed);
    for (const auto& each : answers) {
        if (each) {
            CHECK_MESSAGE(each->value == 1'000, "he came when it had failed, and loaded");
        } else {
            CHECK(each.why().code == errc::failed);
        }
    }
    CHECK(line(cache.get_or_load("a", b.gives(2))) != "failed");
}

TEST_CASE("where the shared load fails, who has an old answer is covered by it") {
    bench b;
    cache_type cache{b.store, b.clock, {{.ttl = 10s, .stale_if_error = 1h}}};
    CHECK(cache.put("a", 1).ok());
    b.clock.advance(10s);
    for (const auto& each : ask_together(b, cache, 6, down)) { CHECK(line(each) == "1 stale_error 10s"); }
    CHECK_MESSAGE(b.loads == 1, "who came too late to share it met the pause");
    CHECK(cache.statistics().stale == 6);
}

TEST_CASE("while one loads anew, the others have the old answer at once") {
    for (const auto& [age, expected] : {std::pair{5s, "1 fresh 5s"}, std::pair{10s, "1 stale_refreshing 10s"}}) {
        bench b;
        cache_type cache{b.store, b.clock, {{.ttl = 10s, .refresh_ahead = 0.5, .stale_while_revalidate = 10s}}};
        CHECK(cache.put("a", 1).ok());
        b.clock.advance(age);
        answer other = error{};
        CHECK(
            line(cache.get_or_load("a", [&]() -> result<int> {
                std::jthread{[&] { other = cache.get_or_load("a", b.gives(2)); }}.join(); // does not wait for this load
                return 3;
            })) == "3 loaded 0s");
        CHECK(line(other) == expected);
        CHECK(b.loads == 0);
    }
}

TEST_CASE("who asks after an invalidation does not share a load that began before it") {
    bench b;
    cache_type cache{b.store, b.clock};
    for (const bool store_is_down : {false, true}) {
        b.store.is_down = store_is_down;
        const auto first = cache.get_or_load("a", [&]() -> result<int> {
            CHECK(cache.erase("a").ok());
            answer other = error{};
            std::jthread{[&] { other = cache.get_or_load("a", b.gives(2)); }}.join(); // would wait for ever
            CHECK(line(other) == (store_is_down ? "2 bypassed 0s" : "2 loaded 0s"));
            return 1;
        });
        CHECK(line(first) == (store_is_down ? "1 bypassed 0s" : "1 loaded 0s"));
    }
    CHECK(cache.statistics().overtaken == 1);
}

TEST_CASE("while the store is down, those who ask together share a load, and all are told") {
    bench b;
    b.store.is_down = true;
    cache_type cache{b.store, b.clock};
    for (const auto& each : ask_together(b, cache, 6, [] { return result<int>{1'000}; })) {
        CHECK(line(each) == "1000 bypassed 0s");
    }
    CHECK(cache.statistics().misses == 6);
    CHECK(cache.statistics().loads + cache.statistics().shared == 6);
}

TEST_CASE("threads whose loaders ask for each other's keys in a circle all have an answer, and the cache goes on") {
    for (const std::size_t threads : {2U, 3U, 4U}) {
        CAPTURE(threads);
        for (int round = 0; round != 10; ++round) {
            bench b;
            cache_type cache{b.store, b.clock};
            std::latch all_load{static_cast<std::ptrdiff_t>(threads)};
            std::vector<int> got(threads);
            const auto key = [&](std::size_t i) { return std::to_string(i % threads); };
            {
                std::vector<std::jthread> crew;
                for (std::size_t i = 0; i != threads; ++i) {
                    crew.emplace_back([&, i] {
                        const auto mine = cache.get_or_load(key(i), [&]() -> result<int> {
                            all_load.arrive_and_wait();
                            return *cache.get_or_load(key(i + 1), b.gives(100))->value + 1;
                        });
                        got[i] = *mine->value;
                    });
                }
            }
            CHECK_MESSAGE(b.loads == 1, "one of them closes the circle, and loads the next one's key alone");
            for (const auto each : got) { CHECK((each > 100 && each <= 100 + static_cast<int>(threads))); }
            for (std::size_t i = 0; i != threads; ++i) { CHECK(cache.get(key(i))->has_value()); }
        }
    }
}

TEST_CASE("a loader may ask for what another thread's bulk load brings, which waits for that loader's key") {
    bench b;
    cache_type cache{b.store, b.clock};
    std::latch a_loads{1};
    std::latch b_is_led{1};
    answer of_a = error{};
    std::vector<answer> of_bulk;
    {
        std::jthread loads_a{[&] {
            of_a = cache.get_or_load("a", [&]() -> result<int> {
                a_loads.count_down();
                b_is_led.wait();
                return *cache.get_or_load("b", b.gives(1))->value + 1;
            });
        }};
        std::jthread loads_many{[&] {
            a_loads.wait();
            of_bulk = cache.get_or_load_all(names{"b", "a"}, [&](std::span<const std::string> wanted, deadline) {
                CHECK(wanted.size() == 1);
                b_is_led.count_down();
                return bulk{freshet::loaded<int>{10}};
            });
        }};
    }
    CHECK(b.loads == 0);
    CHECK(line(of_a) == "11 loaded 0s");
    CHECK(line(of_bulk[0]) == "10 loaded 0s");
    CHECK(of_bulk[1]->value == 11);
}

TEST_CASE("a bulk loader that asks for a key whose loader waits for the bulk load closes no circle") {
    bench b;
    cache_type cache{b.store, b.clock};
    std::latch a_loads{1};
    std::latch b_is_led{1};
    std::atomic<int> own{0};
    {
        std::jthread loads_a{[&] {
            CHECK(cache
                      .get_or_load("a",
                                   [&]() -> result<int> {
                                       a_loads.count_down();
                                       b_is_led.wait();
                                       return *cache.get_or_load("b", b.gives(1))->value + 1;
                                   })
                      .ok());
        }};
        std::jthread loads_many{[&] {
            a_loads.wait();
            const auto all = cache.get_or_load_all(names{"b", "a"}, [&](std::span<const std::string>, deadline) {
                b_is_led.count_down();
                return bulk{freshet::loaded<int>{*cache.get_or_load("a", b.gives(1))->value + 10}};
            });
            own = *all[0]->value;
        }};
    }
    CHECK(b.loads == 1);
    CHECK((own == 11 || own == 12));
    CHECK(cache.get("a")->has_value());
    CHECK(cache.get("b")->has_value());
}

TEST_CASE("bulk loads of the same keys in other orders wait for each other without a circle") {
    for (int round = 0; round != 20; ++round) {
        bench b;
        cache_type cache{b.store, b.clock};
        std::atomic<int> loaded{0};
        std::atomic<int> wrong{0};
        {
            std::vector<std::jthread> crew;
            for (const auto& keys : {names{"a", "b", "c"}, names{"c", "a", "b"}, names{"b", "c", "a"}}) {
                crew.emplace_back([&, keys] {
                    const auto all = cache.get_or_load_all(keys, [&](std::span<const std::string> wanted, deadline) {
                        loaded += static_cast<int>(wanted.size());
                        bulk answers;
                        for (const auto& key : wanted) { answers.push_back(freshet::loaded<int>{key[0]}); }
                        return answers;
                    });
                    for (std::size_t i = 0; i != keys.size(); ++i) { wrong += all[i]->value == keys[i][0] ? 0 : 1; }
                });
            }
        }
        CHECK(wrong == 0);
        CHECK(loaded == 3);
    }
}

TEST_CASE("a load that ends between somebody's look-up and his taking the lead is seen, and his own is spared") {
    for (const bool host : {false, true}) {
        bench b;
        cache_type cache{b.store,
                         b.clock,
                         {{.ttl = 10s, .stale_while_revalidate = 1h, .stale_if_error = 1h},
                          1min,
                          0s,
                          host ? refreshed_by::host : refreshed_by::caller}};
        const auto other_loads = [&] { // as another thread would just then: put, and one flight more has landed
            CHECK(cache.get_or_load("b", b.gives(0)).ok());
            CHECK(cache.put("a", 2).ok());
        };
        if (!host) {
            b.store.after_next_look = other_loads;
            b.store.is_hooked = true;
            CHECK(line(cache.get_or_load("a", b.gives(3))) == "2 fresh 0s");
        } else {
            CHECK(cache.put("a", 1).ok());
            b.clock.advance(10s);
            CHECK(line(cache.get_or_load("a", b.gives(3))) == "1 stale_refreshing 10s");
            b.store.after_next_look = [&] {
                CHECK(cache.get_or_load("b", b.gives(0)).ok());
                const auto now = b.clock.now();
                CHECK(b.store.put("a", {2, now, now + 10s, now + 10s}, b.store.ttl_store::get("a")->ticket).ok());
            };
            b.store.is_hooked = true;
            freshet::inline_executor workers;
            const auto load = [&](const std::string&, deadline) -> result<int> { return ++b.loads; };
            CHECK(cache.refresh_due(workers, load).spared == 1);
            CHECK(line(cache.get("a")) == "2 fresh 0s");
        }
        CHECK_MESSAGE(b.loads == 1, "that of the other key");
    }
}

TEST_CASE("threads that miss a key at about the same time load it once") {
    for (int round = 0; round != 50; ++round) {
        bench b;
        cache_type cache{b.store, b.clock};
        {
            std::vector<std::jthread> crew;
            for (int i = 0; i != 4; ++i) {
                crew.emplace_back([&] { static_cast<void>(cache.get_or_load("a", b.gives(1))); });
            }
        }
        CHECK(b.loads == 1);
    }
}

TEST_CASE("a host's refresh and callers share one load of a key") {
    bench b;
    cache_type cache{b.store, b.clock, {{.ttl = 10s, .stale_while_revalidate = 5s}, 1min, 0s, refreshed_by::host}};
    CHECK(cache.put("a", 1).ok());
    b.clock.advance(10s);
    CHECK(line(cache.get_or_load("a", b.gives(2))) == "1 stale_refreshing 10s");
    answer other = error{};
    std::jthread caller;
    freshet::inline_executor workers;
    const auto report = cache.refresh_due(workers, [&](const std::string& key, deadline) -> result<int> {
        b.clock.advance(5s); // nothing old may serve from here on
        const auto looks = b.store.looks.load();
        caller = std::jthread{[&, key] { other = cache.get_or_load(key, b.gives(3)); }};
        b.until_looks(looks + 1);
        return 2;
    });
    caller.join();
    CHECK(report.refreshed == 1);
    CHECK(b.loads == 0);
    CHECK(other->value == 2);
}

namespace {

/// A value whose copies throw while they are told to.
struct fragile {
    static inline std::atomic<bool> breaks{false};
    int value{};
    fragile(int of) : value{of} {}
    fragile(const fragile& other) : value{other.value} {
        if (breaks) { throw std::runtime_error{"no copy"}; }
    }
    fragile(fragile&&) = default;
    auto operator=(const fragile& other) -> fragile& {
        value = fragile{other}.value;
        return *this;
    }
    auto operator=(fragile&&) -> fragile& = default;
    ~fragile() = default;
};

} // namespace

TEST_CASE("a value whose copy throws goes to its caller, and leaves no load under way") {
    manual_clock clock;
    adapters::memory::ttl_store<manual_clock, fragile> store{clock};
    ttl_cache cache{store, clock};
    const auto load = []() -> result<fragile> { return fragile{1}; };
    fragile::breaks = true;
    CHECK_THROWS_AS(static_cast<void>(cache.get_or_load("a", load)), std::runtime_error);
    CHECK_THROWS_AS(static_cast<void>(cache.get_or_load("a", load)), std::runtime_error);
    fragile::breaks = false;
    std::jthread{[&] { CHECK(cache.get_or_load("a", load)->value->value == 1); }}.join(); // would wait for ever
    fragile::breaks = true;
    CHECK_THROWS_AS(static_cast<void>(cache.get("a")), std::runtime_error);
    fragile::breaks = false;
    CHECK(cache.get("a")->has_value());
}

TEST_CASE("where the leader's own affairs throw, those who wait fetch for themselves") {
    bench b;
    std::atomic<bool> broken{true};
    ttl_cache cache{b.store, b.clock, {}, freshet::shared_watch{freshet::on<freshet::cache_loaded>([&](const auto&) {
                        if (broken.exchange(false)) { throw std::runtime_error{"observer"}; }
                    })}};
    std::vector<std::jthread> crew;
    std::atomic<int> good{0};
    CHECK_THROWS(static_cast<void>(cache.get_or_load("a", [&]() -> result<int> {
        for (int i = 0; i != 3; ++i) {
            crew.emplace_back([&] { good += cache.get_or_load("a", b.gives(2))->value == 2 ? 1 : 0; });
        }
        b.until_looks(4);
        return 1;
    })));
    crew.clear();
    CHECK(good == 3);
}
