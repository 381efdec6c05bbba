#include <freshet/cache/ttl_cache.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include <doctest/doctest.h>

#include <freshet/cache/local_store.hpp>
#include <freshet/core/observe.hpp>

#include "cache_bench.hpp"

namespace {

using namespace std::chrono_literals;
using freshet::cache_origin;
using freshet::cache_statistics;
using freshet::deadline;
using freshet::duration;
using freshet::errc;
using freshet::error;
using freshet::result;
using freshet::ttl_cache;
using freshet::testing::fault;
using freshet::testing::manual_clock;
using tests::cache_bench;
using tests::cache_type;
using tests::down;
using tests::line;

static_assert(freshet::shareable<cache_type>);
static_assert(!std::is_copy_constructible_v<cache_type>);
static_assert(!std::is_constructible_v<cache_type, tests::faulty_store&, manual_clock>, "a clock is borrowed");

/// Of one key, that is a number.
struct number_store {
    using is_shareable = void;
    using key_type = int;
    using mapped_type = std::shared_ptr<const std::string>;
    static constexpr auto fence = freshet::fence_scope::process;
    std::optional<freshet::cache_entry<mapped_type>> entry{};
    auto get(int) -> result<freshet::looked_up<mapped_type>> { return freshet::looked_up<mapped_type>{entry, {}}; }
    auto put(int, const freshet::cache_entry<mapped_type>& it, const freshet::store_ticket&) -> result<void> {
        entry = it;
        return {};
    }
    auto touch(int, const freshet::cache_entry<mapped_type>&, const freshet::store_ticket&) -> result<void> {
        return {};
    }
    auto erase(int) -> result<void> { return {}; }
    auto clear() -> result<void> { return {}; }
};

} // namespace

// --- expire after write

TEST_CASE("a value is loaded once, and answers until it is as old as its time to live") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.ttl = 6min}}};
    CHECK(line(cache.get("a")) == "nothing");
    CHECK(line(cache.get_or_load("a", b.gives(1))) == "1 loaded 0s");
    b.clock.advance(6min - 1us);
    CHECK(cache.get_or_load("a", b.gives(2))->age == 6min - 1us);
    CHECK(line(cache.get("a")) == "1 fresh 359s");
    b.clock.advance(1us);
    CHECK(line(cache.get("a")) == "nothing");
    CHECK(line(cache.get_or_load("a", b.gives(3))) == "3 loaded 0s");
    CHECK(b.loads == 2);
}

TEST_CASE("a value's age counts from the start of its load, and so does its time to live") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.ttl = 10s}}};
    CHECK(line(cache.get_or_load("a", b.takes(4s, 1))) == "1 loaded 4s");
    b.clock.advance(6s - 1us);
    CHECK(line(cache.get("a")) == "1 fresh 9s");
    b.clock.advance(1us);
    CHECK(line(cache.get("a")) == "nothing");
}

TEST_CASE("a loader may say how long a value is fresh; zero or less: it answers and is not kept") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.ttl = 10s}}};
    CHECK(line(cache.get_or_load("long", b.gives(1, 1h))) == "1 loaded 0s");
    CHECK(line(cache.get_or_load("short", b.gives(2, 1s))) == "2 loaded 0s");
    for (const auto span : {0s, -1s}) { CHECK(line(cache.get_or_load("not", b.gives(3, span))) == "3 loaded 0s"); }
    CHECK_FALSE(b.has("not"));
    b.clock.advance(1s);
    CHECK(line(cache.get("short")) == "nothing");
    b.clock.advance(1h - 1s - 1us);
    CHECK(line(cache.get("long")) == "1 fresh 3599s");
    CHECK(b.script.count("store.put") == 2);
}

TEST_CASE("a loader answers with a value, an optional one, or what is loaded, also where the value is a truth") {
    manual_clock clock;
    adapters::memory::ttl_store<manual_clock, bool> store{clock};
    ttl_cache cache{store, clock, {{.ttl = 10s, .negative_ttl = 10s}}};
    const auto brings = [&](auto answer) {
        CHECK(cache.erase("a").ok());
        const auto first = cache.get_or_load("a", [&] { return answer; });
        CHECK(cache.get("a")->value().value == first->value);
        return first->value;
    };
    CHECK(brings(result<bool>{false}) == false);
    CHECK(brings(result<std::optional<bool>>{false}) == false);
    CHECK(brings(result<std::optional<bool>>{std::nullopt}) == std::nullopt);
    CHECK(brings(result<freshet::loaded<bool>>{freshet::loaded<bool>{false}}) == false);
    CHECK(brings(result<freshet::loaded<bool>>{freshet::loaded<bool>{std::nullopt}}) == std::nullopt);
}

TEST_CASE("a value that is not to be kept takes away the stale one that it replaces") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.ttl = 10s, .stale_if_error = 1h}, 1min, 0s}};
    CHECK(cache.get_or_load("a", b.gives(1)).ok());
    b.clock.advance(10s);
    CHECK(line(cache.get_or_load("a", b.gives(2, 0s))) == "2 loaded 0s");
    CHECK(line(cache.get_or_load("a", b.fails())) == "unavailable");
    b.clock.advance(-10s);
    CHECK_MESSAGE(line(cache.get("a")) == "nothing", "nor does a step of the clock bring it back");
}

// --- nothing at the source

TEST_CASE("that the source has none is kept for its own time only") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.ttl = 1h, .negative_ttl = 10s}}};
    CHECK(line(cache.get_or_load("a", b.gives(std::nullopt, std::nullopt))) == "none loaded 0s");
    b.clock.advance(10s - 1us);
    CHECK(line(cache.get_or_load("a", b.gives(1))) == "none fresh 9s");
    b.clock.advance(1us);
    CHECK(line(cache.get_or_load("a", b.gives(1))) == "1 loaded 0s");
}

TEST_CASE("without a time of its own, that the source has none is not kept, but takes away a stale value") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.ttl = 10s, .stale_while_revalidate = 1h, .stale_if_error = 1h}}};
    for (int n = 0; n != 2; ++n) {
        CHECK(line(cache.get_or_load("a", b.gives(std::nullopt, std::nullopt))) == "none loaded 0s");
    }
    CHECK(b.loads == 2);
    CHECK(cache.get_or_load("a", b.gives(1)).ok());
    b.clock.advance(10s);
    CHECK(line(cache.get_or_load("a", b.gives(std::nullopt, std::nullopt))) == "none loaded 0s");
    CHECK_FALSE(b.has("a"));
    CHECK(line(cache.get_or_load("a", b.fails())) == "unavailable");
}

TEST_CASE("that the source has none covers an error as a value does") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.negative_ttl = 10s, .stale_if_error = 1min}}};
    CHECK(cache.get_or_load("a", b.gives(std::nullopt, std::nullopt)).ok());
    b.clock.advance(10s);
    CHECK(line(cache.get_or_load("a", b.fails())) == "none stale_error 10s");
}

// --- loads that fail, throw, or come late

TEST_CASE("a loader's error is the answer where nothing old may stand in, and is not kept") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.negative_ttl = 1h}}};
    const auto answer = cache.get_or_load("a", b.fails());
    CHECK(answer.why() == error{errc::unavailable, "source: down"});
    CHECK(line(cache.get_or_load("a", b.gives(1))) == "1 loaded 0s");
}

TEST_CASE("whatever a loader throws is a failed load, and poisons nothing") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.ttl = 10s, .stale_if_error = 1h}, 1min, 0s}};
    const auto words = [&](auto load) { return cache.get_or_load("a", load).why(); };
    CHECK(words([]() -> result<int> { throw std::runtime_error{"broken"}; }) == error{errc::failed, "broken"});
    CHECK(words([]() -> result<int> { throw 7; }).code == errc::failed);
    CHECK(words([](deadline) -> result<int> { throw std::string{"no std::exception"}; }).code == errc::failed);
    CHECK(cache.get_or_load("a", b.gives(1)).ok());
    b.clock.advance(10s);
    CHECK(line(cache.get_or_load("a", []() -> result<int> { throw 7; })) == "1 stale_error 10s");
    CHECK(cache.statistics().load_failures == 4);
    CHECK(cache.statistics().loads == 1);
}

TEST_CASE("a loader is told its deadline; what comes then or later is `expired`, and not kept") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.ttl = 1h}, 20s}};
    const auto began = b.clock.now();
    const auto timed = [&](duration span) {
        return cache.get_or_load("a", [&](deadline until) -> result<int> {
            CHECK(until == deadline::in(20s, b.clock.now()));
            b.clock.advance(span);
            return 1;
        });
    };
    const auto late = timed(20s);
    CHECK(b.clock.now() == began + 20s);
    CHECK(late.why() == error{errc::expired, "ttl cache: a: the load took longer than it may"});
    CHECK_FALSE(b.has("a"));
    CHECK(line(timed(20s - 1us)) == "1 loaded 19s");
    CHECK(cache.statistics().load_failures == 1);
    CHECK(cache.statistics().load_time == 40s - 1us);
}

TEST_CASE("where a load comes too late, an old answer stands in") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.ttl = 1min, .stale_if_error = 1h}, 20s}};
    CHECK(cache.get_or_load("a", b.gives(1)).ok());
    b.clock.advance(1min);
    CHECK(line(cache.get_or_load("a", b.takes(20s, 2))) == "1 stale_error 80s");
    CHECK(b.memory.get("a")->entry->value == 1);
}

TEST_CASE("a loader that fails late failed by itself") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{}, 20s}};
    CHECK(line(cache.get_or_load("a", b.takes(1h, down()))) == "unavailable");
}

// --- loaders that ask the cache

TEST_CASE("a loader may ask for another key, and for its own: the inner load's value is as good") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock};
    const auto answer = cache.get_or_load("a", [&]() -> result<int> {
        const auto other =
            cache.get_or_load("b", [&]() -> result<int> { return *cache.get_or_load("a", b.gives(5))->value + 10; });
        CHECK(line(cache.get("a")) == "5 fresh 0s");
        return *other->value + 100;
    });
    CHECK(line(answer) == "115 loaded 0s");
    CHECK(line(cache.get("a")) == "115 fresh 0s");
    CHECK(line(cache.get("b")) == "15 fresh 0s");
}

TEST_CASE("a loader that asks for its own key with itself has the stale value, where there is one") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.ttl = 10s, .stale_while_revalidate = 1h}}};
    CHECK(cache.get_or_load("a", b.gives(1)).ok());
    b.clock.advance(10s);
    auto self = [&](auto& again) -> result<int> {
        const auto old = cache.get_or_load("a", [&] { return again(again); });
        CHECK(line(old) == "1 stale_refreshing 10s");
        return *old->value + 1;
    };
    CHECK(line(cache.get_or_load("a", [&] { return self(self); })) == "2 loaded 0s");
}

TEST_CASE("a loader that erases its own key and asks again has a load of its own, and the outer one is not kept") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock};
    const auto outer = cache.get_or_load("a", [&]() -> result<int> {
        CHECK(cache.erase("a").ok());
        CHECK(line(cache.get_or_load("a", b.gives(2))) == "2 loaded 0s");
        return 1;
    });
    CHECK_MESSAGE(line(outer) == "1 loaded 0s", "he asked before the invalidation");
    CHECK(line(cache.get("a")) == "2 fresh 0s");
    CHECK(cache.statistics().overtaken == 1);
}

// --- invalidations

TEST_CASE("what was loaded before an erase or a clear is given to who asked before, and never kept") {
    for (const bool clears : {false, true}) {
        cache_bench b;
        ttl_cache cache{b.store, b.clock};
        const auto answer = cache.get_or_load("a", [&]() -> result<int> {
            CHECK((clears ? cache.clear() : cache.erase("a")).ok());
            return 1;
        });
        CHECK(line(answer) == "1 loaded 0s");
        CHECK_FALSE(b.has("a"));
        CHECK(line(cache.get_or_load("a", b.gives(2))) == "2 loaded 0s");
        CHECK(cache.statistics().overtaken == 1);
    }
}

TEST_CASE("what was loaded before another cache's erase over the same store is never kept") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock};
    ttl_cache other{b.store, b.clock, {{.ttl = 1s}}};
    CHECK(cache.get_or_load("a", [&]() -> result<int> { return other.erase("a").ok() ? 1 : 0; }).ok());
    CHECK(line(cache.get("a")) == "nothing");
    CHECK(cache.get_or_load("a", b.gives(2)).ok());
    b.clock.advance(1s);
    CHECK_MESSAGE(line(other.get("a")) == "2 fresh 1s", "an entry's fresh time is the one it was put with");
}

TEST_CASE("what is put answers at once, and what was being loaded meanwhile does not replace it") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.ttl = 10s}}};
    const auto answer = cache.get_or_load("a", [&]() -> result<int> {
        CHECK(cache.put("a", 2).ok());
        return 1;
    });
    CHECK(line(answer) == "1 loaded 0s");
    CHECK(line(cache.get("a")) == "2 fresh 0s");
    CHECK(cache.put("a", 3, 1h).ok());
    b.clock.advance(1h - 1us);
    CHECK(line(cache.get("a")) == "3 fresh 3599s");
    CHECK(cache.put("a", 4, 0s).ok());
    CHECK_MESSAGE(line(cache.get("a")) == "nothing", "not to be kept");
    CHECK(cache.erase("a").ok());
    CHECK(cache.erase("a").ok());
}

TEST_CASE("a value that is put while somebody else invalidates its key is not kept") {
    for (const auto* where : {"store.get", "store.put"}) {
        for (const bool clears : {false, true}) {
            CAPTURE(where);
            CAPTURE(clears);
            cache_bench b;
            ttl_cache cache{b.store, b.clock};
            b.script.next(where, {fault::meanwhile([&] { CHECK((clears ? cache.clear() : cache.erase("a")).ok()); })});
            CHECK(cache.put("a", 1).ok());
            CHECK_FALSE(b.has("a"));
            CHECK(cache.put("a", 2).ok());
            CHECK(line(cache.get("a")) == "2 fresh 0s");
        }
    }
}

TEST_CASE("a value that is put while somebody else's invalidation is under way is not kept") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock};
    b.script.next("store.erase", {fault::meanwhile([&] { CHECK(cache.put("a", 1).ok()); })});
    CHECK(cache.erase("a").ok());
    CHECK(line(cache.get("a")) == "nothing");
    CHECK(b.script.count("store.put") == 0);
}

TEST_CASE("what is put is kept while other keys are invalidated") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock};
    b.script.next("store.get", {fault::meanwhile([&] { CHECK(cache.erase("b").ok()); })});
    CHECK(cache.put("a", 1).ok());
    CHECK(line(cache.get("a")) == "1 fresh 0s");
}

TEST_CASE("a store that refuses whatever is loaded costs the caching, and nothing goes round in circles") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock};
    b.script.always("store.put", fault::before(errc::conflict));
    for (const auto* expected : {"1 loaded 0s", "2 loaded 0s", "3 loaded 0s"}) {
        CHECK(line(cache.get_or_load("a", b.gives(b.loads + 1))) == expected);
    }
    CHECK(cache.put("a", 7).ok());
    CHECK(line(cache.get("a")) == "nothing");
    CHECK(cache.statistics().overtaken == 3);
    CHECK(cache.statistics().store_failures == 0);
}

// --- a store that fails

TEST_CASE("an invalidation that the store's observer leaves with a throw has ended: what is put after it is kept") {
    manual_clock clock;
    bool throws = false;
    const auto log = freshet::shared_watch{freshet::on<freshet::entry_removed>([&](const auto&) {
        if (throws) { throw std::runtime_error{"observer"}; }
    })};
    freshet::local_store<int, int, manual_clock, freshet::weigh_nothing, std::remove_const_t<decltype(log)>> store{
        clock, {}, {}, log};
    ttl_cache cache{store, clock, {{.ttl = 1h}}};
    for (const bool clears : {false, true}) {
        CAPTURE(clears);
        for (int key = 0; key != 100; ++key) { REQUIRE(cache.put(key, 1).ok()); }
        throws = true;
        CHECK_THROWS_AS(static_cast<void>(clears ? cache.clear() : cache.erase(7)), std::runtime_error);
        throws = false;
        CHECK(store.size() == (clears ? 0 : 99));
        CHECK(line(cache.get(7)) == "nothing");
        CHECK(cache.put(7, 2).ok());
        CHECK(line(cache.get(7)) == "2 fresh 0s");
    }
}

TEST_CASE("where the store cannot be asked, the answer comes from the source, says so, and is not kept") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock};
    CHECK(cache.get_or_load("a", b.gives(1)).ok());
    b.script.always("store.get", fault::before());
    CHECK(line(cache.get_or_load("a", b.gives(2))) == "2 bypassed 0s");
    CHECK(line(cache.get_or_load("a", b.fails())) == "unavailable");
    CHECK(line(cache.get("a")) == "unavailable");
    b.script.heal("store.get");
    CHECK(line(cache.get("a")) == "1 fresh 0s");
    const auto all = cache.statistics();
    CHECK(all.store_failures == 3);
    CHECK(all.misses == 4);
    CHECK(all.hits == 1);
}

TEST_CASE("where the store does not take what was loaded, it says so") {
    for (const auto& what : {fault::before(), fault::after(errc::throttled)}) {
        cache_bench b;
        ttl_cache cache{b.store, b.clock};
        b.script.next("store.put", {what});
        CHECK(line(cache.get_or_load("a", b.gives(1))) == "1 bypassed 0s");
        CHECK(cache.statistics().store_failures == 1);
    }
}

TEST_CASE("an invalidation that the store fails is the caller's to repeat; what he puts is then not kept") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock};
    CHECK(cache.put("a", 1).ok());
    b.script.next("store.erase", {fault::before(), fault::before()});
    b.script.next("store.clear", {fault::before(errc::throttled)});
    CHECK(cache.erase("a").why().code == errc::unavailable);
    CHECK(cache.put("a", 2).why().code == errc::unavailable);
    CHECK(cache.clear().why().code == errc::throttled);
    CHECK(line(cache.get("a")) == "1 fresh 0s");
    CHECK(cache.erase("a").ok());
    b.script.next("store.get", {fault::before()});
    CHECK(cache.put("a", 3).why().code == errc::unavailable);
    b.script.next("store.put", {fault::before()});
    CHECK(cache.put("a", 3).why().code == errc::unavailable);
    CHECK(line(cache.get("a")) == "nothing");
    CHECK(cache.statistics().store_failures == 5);
}

// --- the clock

TEST_CASE("a step of the clock makes nothing immortal, and no age is below zero") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.ttl = 10min}}};
    CHECK(cache.get_or_load("a", b.gives(1)).ok());
    b.clock.advance(-10min);
    CHECK(line(cache.get("a")) == "1 fresh 0s");
    b.clock.advance(-1us);
    CHECK_MESSAGE(line(cache.get_or_load("a", b.gives(2))) == "2 loaded 0s", "an hour back would make it immortal");
    b.clock.advance(1h);
    CHECK(line(cache.get_or_load("a", b.gives(3))) == "3 loaded 0s");
}

TEST_CASE("a store whose clock differs by seconds makes entries live so much shorter, and no longer than their time") {
    manual_clock clock;
    manual_clock of_store{clock.now()};
    tests::memory_store store{of_store};
    ttl_cache cache{store, clock, {{.ttl = 10s}}};
    cache_bench b;
    for (const auto skew : {3s, -3s}) {
        of_store.advance(skew);
        CHECK(cache.erase("a").ok());
        CHECK(cache.get_or_load("a", b.gives(1)).ok());
        for (int second = 1; second != 15; ++second) {
            clock.advance(1s);
            of_store.advance(1s);
            CHECK(cache.get("a")->has_value() == (second < (skew > 0s ? 7 : 10)));
        }
        of_store.advance(-skew);
    }
}

// --- what is told

TEST_CASE("each question is told as one hit or one miss, with the loads and failures between") {
    cache_bench b;
    std::string told;
    const auto note = [&told](const auto& e) {
        told += std::string{e.name} + " ";
        e.fields([&told](std::string_view field, const auto& value) {
            if constexpr (std::is_convertible_v<decltype(value), std::string_view>) {
                if (field != "note") { told += std::string{std::string_view{value}} + " "; }
            }
        });
    };
    using namespace freshet;
    ttl_cache cache{b.store,
                    b.clock,
                    {{.ttl = 10s, .idle = 1h, .stale_if_error = 1h}, 1min, 30s},
                    shared_watch{on<cache_hit>(note), on<cache_miss>(note), on<cache_loaded>(note),
                                 on<cache_load_failed>(note), on<cache_load_overtaken>(note), on<cache_bypassed>(note),
                                 on<cache_erased>(note), on<cache_cleared>(note)}};
    const auto tells = [&](auto&& call) {
        told.clear();
        static_cast<void>(call());
        return told;
    };
    CHECK(tells([&] { return cache.get("a"); }) == "cache_miss a ");
    CHECK(tells([&] { return cache.get_or_load("a", b.gives(1)); }) == "cache_loaded a cache_miss a ");
    CHECK(tells([&] { return cache.get("a"); }) == "cache_hit a fresh ");
    b.clock.advance(10s);
    CHECK(tells([&] { return cache.get_or_load("a", b.fails()); }) ==
          "cache_load_failed a unavailable cache_hit a stale_error ");
    CHECK(tells([&] { return cache.get_or_load("a", b.fails()); }) == "cache_hit a stale_error ");
    CHECK(tells([&] { return cache.erase("a"); }) == "cache_erased a ");
    CHECK(tells([&] { return cache.get_or_load("a", [&]() -> result<int> { return cache.clear().ok() ? 1 : 0; }); }) ==
          "cache_cleared cache_loaded a cache_load_overtaken a cache_miss a ");
    b.script.next("store.get", {fault::before()});
    CHECK(tells([&] { return cache.get_or_load("a", b.fails()); }) ==
          "cache_bypassed a unavailable cache_load_failed a unavailable cache_miss a ");
    b.script.next("store.clear", {fault::before()});
    CHECK(tells([&] { return cache.clear(); }) == "cache_bypassed  unavailable ");
    CHECK(cache.statistics() ==
          cache_statistics{
              .hits = 1, .stale = 2, .misses = 4, .loads = 2, .load_failures = 2, .overtaken = 1, .store_failures = 2});
}

TEST_CASE("values of any type are cached, also those that cannot be compared, and keys that are numbers") {
    number_store store;
    manual_clock clock;
    std::string seen;
    ttl_cache cache{
        store, clock, {}, freshet::shared_watch{freshet::on<freshet::cache_miss>([&](const freshet::cache_miss& e) {
            seen += e.key;
        })}};
    const auto load = []() -> result<std::shared_ptr<const std::string>> {
        return std::make_shared<const std::string>("value");
    };
    const auto first = cache.get_or_load(42, load);
    CHECK(**first->value == "value");
    CHECK_MESSAGE(cache.get_or_load(42, load)->value == first->value, "the very same object");
    CHECK(seen == "42");
}
