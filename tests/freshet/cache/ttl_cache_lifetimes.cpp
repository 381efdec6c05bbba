#include <freshet/cache/ttl_cache.hpp>

#include <chrono>
#include <string>

#include <doctest/doctest.h>

#include "cache_bench.hpp"

namespace {

using namespace std::chrono_literals;
using freshet::result;
using freshet::ttl_cache;
using freshet::testing::fault;
using tests::cache_bench;
using tests::down;
using tests::line;

} // namespace

TEST_CASE("with an idle time an entry lives while it is asked for, and not beyond its hard time") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.ttl = 25s, .idle = 10s}}};
    CHECK(cache.get_or_load("a", b.gives(1)).ok());
    CHECK(cache.get_or_load("b", b.gives(1)).ok());
    b.clock.advance(10s - 1us);
    CHECK(line(cache.get("a")) == "1 fresh 9s");
    b.clock.advance(1us);
    CHECK(line(cache.get("b")) == "nothing");
    b.clock.advance(10s - 2us);
    CHECK(line(cache.get_or_load("a", b.gives(2))) == "1 fresh 19s");
    b.clock.advance(5s + 2us);
    CHECK(line(cache.get("a")) == "nothing");
    CHECK(b.loads == 2);
}

TEST_CASE("without an idle time no answer writes to the store") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock};
    CHECK(cache.get_or_load("a", b.gives(1)).ok());
    CHECK(cache.get("a").ok());
    CHECK(b.script.count("store.touch") == 0);
}

TEST_CASE("an access that cannot be written down is no reason not to answer") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.idle = 10s}}};
    CHECK(cache.get_or_load("a", b.gives(1)).ok());
    b.script.next("store.touch", {fault::before()});
    CHECK(line(cache.get("a")) == "1 fresh 0s");
    CHECK(cache.statistics().store_failures == 1);
}

TEST_CASE("the access of somebody who looked before an erase does not bring the entry back") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.idle = 10s}}};
    CHECK(cache.get_or_load("a", b.gives(1)).ok());
    b.script.next("store.touch", {fault::meanwhile([&] { CHECK(cache.erase("a").ok()); })});
    CHECK(line(cache.get("a")) == "1 fresh 0s");
    CHECK(line(cache.get("a")) == "nothing");
}

// --- refresh ahead, stale times, jitter

TEST_CASE("from the part of its life on that refresh ahead names, who asks loads anew, and an error changes nothing") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.ttl = 100s, .refresh_ahead = 0.8}, 1min, 5s}};
    CHECK(cache.get_or_load("a", b.gives(1)).ok());
    b.clock.advance(80s - 1us);
    CHECK(line(cache.get_or_load("a", b.gives(2))) == "1 fresh 79s");
    b.clock.advance(1us);
    CHECK(line(cache.get_or_load("a", b.fails())) == "1 fresh 80s");
    CHECK_MESSAGE(line(cache.get_or_load("a", b.gives(2))) == "1 fresh 80s", "the pause after an error");
    b.clock.advance(5s);
    CHECK(line(cache.get_or_load("a", b.gives(3))) == "3 loaded 0s");
    CHECK(b.loads == 3);
}

TEST_CASE("an error is covered by an old answer while it may, and the source has a pause") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.ttl = 10s, .stale_if_error = 60s}, 1min, 30s}};
    CHECK(cache.get_or_load("a", b.gives(1)).ok());
    b.clock.advance(10s);
    CHECK(line(cache.get_or_load("a", b.fails())) == "1 stale_error 10s");
    b.clock.advance(30s - 1us);
    CHECK(line(cache.get_or_load("a", b.gives(2))) == "1 stale_error 39s");
    CHECK(b.loads == 2);
    b.clock.advance(1us);
    CHECK(line(cache.get_or_load("a", b.fails())) == "1 stale_error 40s");
    b.clock.advance(30s - 1us);
    CHECK(line(cache.get_or_load("a", b.fails())) == "1 stale_error 69s");
    CHECK(b.loads == 3);
    b.clock.advance(1us);
    CHECK_MESSAGE(line(cache.get_or_load("a", b.fails())) == "unavailable", "it is over");
    CHECK_MESSAGE(line(cache.get_or_load("a", b.gives(4))) == "4 loaded 0s", "without an old answer there is no pause");
    CHECK(cache.statistics().stale == 4);
}

TEST_CASE("a load that succeeds ends the pause, whoever made it") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.ttl = 10s, .stale_if_error = 1h}, 1min, 1h}};
    CHECK(cache.get_or_load("a", b.gives(1)).ok());
    b.clock.advance(10s);
    SUBCASE("after an erase while the load that failed was under way") {
        CHECK(line(cache.get_or_load("a", [&]() -> result<int> {
                  CHECK(cache.erase("a").ok());
                  return down();
              })) == "1 stale_error 10s");
        CHECK(line(cache.get_or_load("a", b.gives(2))) == "2 loaded 0s");
    }
    SUBCASE("and an erase or a clear does, too") {
        CHECK(line(cache.get_or_load("a", b.fails())) == "1 stale_error 10s");
        CHECK(b.loads == 2);
        CHECK(cache.put("a", 2).ok());
    }
    b.clock.advance(10s);
    CHECK_MESSAGE(line(cache.get_or_load("a", b.gives(3))) == "3 loaded 0s", "nothing pauses any more");
}

TEST_CASE("a clock that was set back does not make the pause longer than it is") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.ttl = 2h, .refresh_ahead = 1e-9}, 1min, 30s}};
    b.clock.advance(1h);
    CHECK(cache.put("a", 1).ok());
    b.clock.advance(1min);
    CHECK(line(cache.get_or_load("a", b.fails())) == "1 fresh 60s");
    b.clock.advance(-1us);
    CHECK(line(cache.get_or_load("a", b.gives(2))) == "2 loaded 0s");
}

TEST_CASE("what is answered for the time being is judged when it answers: a long load that fails outlives it") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.ttl = 10s, .stale_if_error = 10s}}};
    CHECK(cache.get_or_load("a", b.gives(1)).ok());
    b.clock.advance(10s);
    CHECK(line(cache.get_or_load("a", b.takes(10s, down()))) == "unavailable");
}

TEST_CASE("entries of one time get due one after the other with jitter, none early, and none answers past its end") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.ttl = 100s, .jitter = 0.2, .stale_if_error = 10s}, 1min, 0s}};
    const int keys = 200;
    const auto ask_all = [&] {
        int fresh = 0;
        for (int n = 0; n != keys; ++n) {
            const auto answer = cache.get(std::to_string(n));
            fresh += *answer ? 1 : 0;
        }
        return fresh;
    };
    for (int n = 0; n != keys; ++n) { CHECK(cache.put(std::to_string(n), n).ok()); }
    b.clock.advance(100s - 1us);
    CHECK(ask_all() == keys);
    b.clock.advance(5s);
    const auto some = ask_all();
    CHECK(some > keys / 2);
    CHECK(some < keys);
    CHECK_MESSAGE(ask_all() == some, "each entry's own share stays");
    b.clock.advance(5s);
    CHECK(ask_all() < some);
    b.clock.advance(1us);
    CHECK(ask_all() == 0);
}
