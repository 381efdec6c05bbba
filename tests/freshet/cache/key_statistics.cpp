#include <freshet/cache/key_statistics.hpp>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <adapters/memory/ttl_store.hpp>
#include <freshet/cache/ttl_cache.hpp>
#include <freshet/testing/manual_clock.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::cache_hit;
using freshet::cache_miss;
using freshet::cache_origin;
using freshet::errc;
using freshet::error;
using freshet::key_count;
using freshet::key_statistics;
using freshet::result;
using freshet::testing::manual_clock;
using counts = std::vector<key_count>;

} // namespace

TEST_CASE("each key has its own hits and misses, and its ratio of them") {
    key_statistics seen{10};
    CHECK(seen.keys().empty());
    for (const auto origin : {cache_origin::fresh, cache_origin::stale_error, cache_origin::stale_refreshing}) {
        seen.on(cache_hit{"b", origin, 1s});
    }
    seen.on(cache_miss{"b"});
    seen.on(cache_miss{"a"});
    CHECK(seen.keys() == counts{{"a", 0, 1}, {"b", 3, 1}});
    CHECK(seen.keys()[0].hit_ratio() == 0);
    CHECK(seen.keys()[1].hit_ratio() == 0.75);
    CHECK(seen.others() == key_count{"others", 0, 0});
    CHECK_MESSAGE(seen.others().hit_ratio() == 0, "nobody asked");
}

TEST_CASE("keys that find no room are counted together, and those that have it go on") {
    key_statistics seen{2};
    for (const auto* key : {"a", "b", "c", "d", "a"}) { seen.on(cache_miss{key}); }
    for (const auto* key : {"c", "b"}) { seen.on(cache_hit{key, cache_origin::fresh, 0s}); }
    CHECK(seen.keys() == counts{{"a", 0, 2}, {"b", 1, 1}});
    CHECK(seen.others() == key_count{"others", 1, 2});

    key_statistics none{0};
    none.on(cache_miss{"a"});
    CHECK(none.keys().empty());
    CHECK(none.others().misses == 1);
}

TEST_CASE("a cache's questions are counted by their keys, each once, also those that an old answer saved") {
    manual_clock clock;
    adapters::memory::ttl_store<manual_clock, int> store{clock};
    key_statistics seen{10};
    freshet::ttl_cache cache{store, clock, {{.ttl = 1min, .stale_if_error = 1h}}, seen.observer()};
    const auto good = [] { return result<int>{1}; };
    const auto bad = [] { return result<int>{error{errc::unavailable, "down"}}; };
    CHECK(cache.get_or_load("a", good).ok());
    CHECK(cache.get_or_load("a", good).ok());
    CHECK(cache.get("a").ok());
    CHECK_FALSE(cache.get_or_load("b", bad).ok());
    CHECK(cache.get("b").ok());
    clock.advance(1min);
    CHECK(cache.get_or_load("a", bad)->origin == cache_origin::stale_error);
    CHECK(seen.keys() == counts{{"a", 3, 1}, {"b", 0, 2}});
    const auto all = cache.statistics();
    CHECK(all.hits + all.stale == 3);
    CHECK(all.misses == 3);
}

TEST_CASE("a watch of more than this counts too, and threads may share the counts") {
    manual_clock clock;
    adapters::memory::ttl_store<manual_clock, int> store{clock};
    key_statistics seen{2};
    freshet::ttl_cache cache{store,
                             clock,
                             {},
                             freshet::shared_watch{freshet::on<cache_hit>([&](const auto& e) { seen.on(e); }),
                                                   freshet::on<cache_miss>([&](const auto& e) { seen.on(e); })}};
    {
        std::vector<std::jthread> crew;
        for (int worker = 0; worker != 4; ++worker) {
            crew.emplace_back([&] {
                for (int n = 0; n != 300; ++n) {
                    static_cast<void>(cache.get_or_load(std::to_string(n % 5), [] { return result<int>{1}; }));
                }
            });
        }
    }
    const auto keys = seen.keys();
    REQUIRE(keys.size() == 2);
    for (const auto& each : keys) { CHECK(each.hits + each.misses == 240); }
    CHECK(seen.others().hits + seen.others().misses == 720);
}
