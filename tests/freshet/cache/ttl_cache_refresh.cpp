#include <freshet/cache/ttl_cache.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/testing/shuffled_executor.hpp>
#include <freshet/work/executor.hpp>

#include "cache_bench.hpp"

namespace {

using namespace std::chrono_literals;
using freshet::deadline;
using freshet::refresh_report;
using freshet::refreshed_by;
using freshet::result;
using freshet::ttl_cache;
using freshet::testing::fault;
using tests::cache_bench;
using tests::down;
using tests::line;
using names = std::vector<std::string>;

} // namespace

TEST_CASE("with a host that refreshes, nobody waits for what is due: old answers serve until he has loaded") {
    cache_bench b;
    ttl_cache cache{b.store,
                    b.clock,
                    {{.ttl = 10s, .refresh_ahead = 0.5, .stale_while_revalidate = 20s}, 1min, 0s, refreshed_by::host}};
    freshet::inline_executor workers;
    const auto loads_two = [&](const std::string&, deadline) -> result<int> { return 2; };
    CHECK(line(cache.get_or_load("a", b.gives(1))) == "1 loaded 0s");
    CHECK(cache.refresh_due(workers, loads_two) == refresh_report{});
    b.clock.advance(5s);
    CHECK(line(cache.get_or_load("a", b.fails())) == "1 fresh 5s");
    b.clock.advance(5s);
    CHECK(line(cache.get_or_load("a", b.fails())) == "1 stale_refreshing 10s");
    CHECK(line(cache.get_or_load("a", b.fails())) == "1 stale_refreshing 10s");
    CHECK(cache.refresh_due(workers, loads_two) == refresh_report{.refreshed = 1});
    CHECK(line(cache.get_or_load("a", b.fails())) == "2 fresh 0s");
    CHECK(cache.refresh_due(workers, loads_two) == refresh_report{});
    b.clock.advance(30s - 1us);
    CHECK(line(cache.get_or_load("a", b.fails())) == "2 stale_refreshing 29s");
    b.clock.advance(1us);
    CHECK_MESSAGE(line(cache.get_or_load("a", b.gives(3))) == "3 loaded 0s", "what no host refreshes, callers load");
    CHECK(b.loads == 2);
    CHECK(cache.refresh_due(workers, loads_two) == refresh_report{.spared = 1});
}

TEST_CASE("beyond the time to revalidate a caller loads, and an old answer covers his error") {
    cache_bench b;
    ttl_cache cache{b.store,
                    b.clock,
                    {{.ttl = 10s, .stale_while_revalidate = 5s, .stale_if_error = 1h}, 1min, 30s, refreshed_by::host}};
    CHECK(cache.get_or_load("a", b.gives(1)).ok());
    b.clock.advance(15s);
    CHECK(line(cache.get_or_load("a", b.fails())) == "1 stale_error 15s");
    CHECK(line(cache.get_or_load("a", b.gives(2))) == "1 stale_error 15s");
    CHECK(b.loads == 2);
}

TEST_CASE("a host's load that fails leaves the old answer, and the source has its pause") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.ttl = 10s, .stale_while_revalidate = 1h}, 20s, 30s, refreshed_by::host}};
    freshet::inline_executor workers;
    CHECK(cache.get_or_load("a", b.gives(1)).ok());
    b.clock.advance(10s);
    int calls = 0;
    const auto refresh = [&](auto load) {
        static_cast<void>(cache.get_or_load("a", b.fails()));
        return cache.refresh_due(workers, [&](const std::string& key, deadline until) -> result<int> {
            CHECK(key == "a");
            CHECK(until == deadline::in(20s, b.clock.now()));
            ++calls;
            return load();
        });
    };
    CHECK(refresh(down) == refresh_report{.failed = 1});
    CHECK(line(cache.get_or_load("a", b.fails())) == "1 stale_error 10s");
    CHECK(refresh(down) == refresh_report{});
    CHECK(calls == 1);
    b.clock.advance(30s);
    CHECK(refresh([]() -> result<int> { throw 7; }) == refresh_report{.failed = 1});
    b.clock.advance(30s);
    CHECK(refresh(b.takes(20s, 5)) == refresh_report{.failed = 1});
    b.clock.advance(30s);
    CHECK(refresh(b.gives(6)) == refresh_report{.refreshed = 1});
    CHECK(line(cache.get("a")) == "6 fresh 0s");
    CHECK_MESSAGE(b.loads == 3, "no caller loaded after the first");
}

TEST_CASE("a key that was due and is invalidated is loaded by who asks, and not by the host") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.ttl = 10s, .stale_while_revalidate = 1h}, 1min, 0s, refreshed_by::host}};
    freshet::inline_executor workers;
    int calls = 0;
    const auto load = [&](const std::string&, deadline) -> result<int> { return ++calls; };
    for (const bool clears : {false, true}) {
        CHECK(cache.get_or_load("a", b.gives(1)).ok());
        b.clock.advance(10s);
        CHECK(line(cache.get_or_load("a", b.fails())) == "1 stale_refreshing 10s");
        CHECK((clears ? cache.clear() : cache.erase("a")).ok());
        CHECK(cache.refresh_due(workers, load) == refresh_report{});
    }
    CHECK(calls == 0);
}

TEST_CASE("a host's load that an invalidation overtakes is not kept, and one without a store is spared") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.ttl = 10s, .stale_while_revalidate = 1h}, 1min, 0s, refreshed_by::host}};
    freshet::inline_executor workers;
    CHECK(cache.get_or_load("a", b.gives(1)).ok());
    b.clock.advance(10s);
    static_cast<void>(cache.get_or_load("a", b.fails()));
    b.script.next("store.get", {fault::before()});
    const auto erases = [&](const std::string& key, deadline) -> result<int> { return cache.erase(key).ok() ? 2 : 0; };
    CHECK(cache.refresh_due(workers, erases) == refresh_report{.spared = 1});
    static_cast<void>(cache.get_or_load("a", b.fails()));
    CHECK(cache.refresh_due(workers, erases) == refresh_report{.refreshed = 1});
    CHECK_FALSE(b.has("a"));
    CHECK(cache.statistics().overtaken == 1);
}

TEST_CASE("a host refreshes many keys in any order, and each loader may ask for the others") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.ttl = 10s, .stale_while_revalidate = 1h}, 1min, 0s, refreshed_by::host, 3}};
    freshet::testing::shuffled_executor workers{7};
    const names keys{"a", "b", "c", "d"};
    for (const auto& key : keys) { CHECK(cache.get_or_load(key, b.gives(1)).ok()); }
    b.clock.advance(10s);
    for (const auto& key : keys) { CHECK(cache.get_or_load(key, b.fails())->value == 1); }
    const auto report = cache.refresh_due(workers, [&](const std::string& key, deadline) -> result<int> {
        int sum = key[0];
        for (const auto& other : keys) { sum += *cache.get_or_load(other, b.fails())->value > 0 ? 1000 : 0; }
        return sum;
    });
    CHECK_MESSAGE(report == refresh_report{.refreshed = 3}, "so many as are remembered");
    CHECK(line(cache.get("c")) == "4099 fresh 0s");
    const auto loads_one = [](const std::string&, deadline) -> result<int> { return 1; };
    CHECK_MESSAGE(cache.refresh_due(workers, loads_one).spared >= 2, "the loaders asked for those that were due yet");
    CHECK(cache.get_or_load("d", b.fails())->value == 1);
    CHECK(cache.refresh_due(workers, loads_one).failed == 0);
    CHECK(line(cache.get("d")) == "1 fresh 0s");
}

TEST_CASE("what an executor's loads throw from the store or the observer is a failure of theirs") {
    cache_bench b;
    bool broken = false;
    ttl_cache cache{b.store,
                    b.clock,
                    {{.ttl = 10s, .stale_while_revalidate = 1h}, 1min, 0s, refreshed_by::host},
                    freshet::shared_watch{freshet::on<freshet::cache_loaded>([&](const auto&) {
                        if (broken) { throw std::runtime_error{"observer"}; }
                    })}};
    freshet::thread_executor workers{2};
    CHECK(cache.get_or_load("a", b.gives(1)).ok());
    b.clock.advance(10s);
    static_cast<void>(cache.get_or_load("a", b.fails()));
    broken = true;
    CHECK(cache.refresh_due(workers, [](const std::string&, deadline) -> result<int> { return 2; }) ==
          refresh_report{.failed = 1});
    CHECK_THROWS_AS(static_cast<void>(cache.get_or_load("b", b.gives(1))), std::runtime_error);
    broken = false;
    CHECK_MESSAGE(line(cache.get_or_load("b", b.gives(2))) == "2 loaded 0s", "no load is left under way");
}
