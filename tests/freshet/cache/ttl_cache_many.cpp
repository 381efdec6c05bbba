#include <freshet/cache/ttl_cache.hpp>

#include <chrono>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/observe.hpp>

#include "cache_bench.hpp"

namespace {

using namespace std::chrono_literals;
using freshet::deadline;
using freshet::errc;
using freshet::error;
using freshet::result;
using freshet::ttl_cache;
using tests::cache_bench;
using tests::down;
using tests::line;
using names = std::vector<std::string>;
using bulk = std::vector<result<freshet::loaded<int>>>;

} // namespace

TEST_CASE("of many keys those that are missed are loaded with one call, and all answers are in the asked order") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.ttl = 10s}, 20s}};
    CHECK(cache.put("b", 2).ok());
    b.clock.advance(1s);
    std::vector<names> calls;
    const auto load = [&](std::span<const std::string> wanted, deadline until) {
        CHECK(until == deadline::in(20s, b.clock.now()));
        calls.emplace_back(wanted.begin(), wanted.end());
        b.clock.advance(1s);
        bulk answers;
        for (const auto& key : wanted) {
            if (key == "bad") {
                answers.push_back(error{errc::throttled, "slow down"});
            } else if (key == "none") {
                answers.push_back(freshet::loaded<int>{std::nullopt});
            } else {
                answers.push_back(freshet::loaded<int>{key[0]});
            }
        }
        return answers;
    };
    const names keys{"c", "b", "a", "c", "bad", "none", "b"};
    const auto all = cache.get_or_load_all(keys, load);
    names lines;
    for (const auto& each : all) { lines.push_back(line(each)); }
    CHECK(lines == names{"99 loaded 1s", "2 fresh 1s", "97 loaded 1s", "99 loaded 1s", "throttled", "none loaded 1s",
                         "2 fresh 1s"});
    CHECK(calls == std::vector<names>{{"c", "a", "bad", "none"}});
    CHECK(line(cache.get("a")) == "97 fresh 1s");
    CHECK(cache.get_or_load_all(names{}, load).empty());
    CHECK(cache.get_or_load_all(names{"a", "b"}, load).size() == 2);
    CHECK_MESSAGE(calls.size() == 1, "nothing is missed, nothing is loaded");
    const auto counted = cache.statistics();
    CHECK_MESSAGE(counted.hits + counted.misses == 5 + 1 + 2, "a key that is named twice is one question");
}

TEST_CASE("a bulk loader that throws, or answers for another number of keys, fails all it was asked for") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock, {{.ttl = 10s, .stale_if_error = 1h}, 1min, 0s}};
    CHECK(cache.put("old", 1).ok());
    b.clock.advance(10s);
    const names keys{"a", "old"};
    const auto of = [&](auto load) {
        const auto all = cache.get_or_load_all(keys, load);
        CHECK(line(all[1]) == "1 stale_error 10s");
        CHECK(all[0].why().code == errc::failed);
        return all[0].why().note;
    };
    using span = std::span<const std::string>;
    CHECK(of([](span, deadline) -> bulk { throw std::runtime_error{"broken"}; }) == "broken");
    CHECK(of([](span, deadline) { return bulk(3, down().why()); }) == "ttl cache: the loader answered for 3 of 2 keys");
    CHECK(of([](span, deadline) { return bulk{}; }) == "ttl cache: the loader answered for 0 of 2 keys");
    CHECK(of([](span, deadline) -> result<bulk> { return error{errc::failed, "all"}; }) == "all");
}

TEST_CASE("of many keys each is kept out that was invalidated meanwhile, and only those") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock};
    const auto all = cache.get_or_load_all(names{"a", "b"}, [&](std::span<const std::string>, deadline) {
        CHECK(cache.erase("a").ok());
        return bulk{freshet::loaded<int>{1}, freshet::loaded<int>{2}};
    });
    CHECK(line(all[0]) == "1 loaded 0s");
    CHECK_FALSE(b.has("a"));
    CHECK(b.has("b"));
}

TEST_CASE("a bulk loader may ask for the keys that it loads") {
    cache_bench b;
    ttl_cache cache{b.store, b.clock};
    const auto all = cache.get_or_load_all(names{"a", "b"}, [&](std::span<const std::string> wanted, deadline) {
        bulk answers;
        for (const auto& key : wanted) {
            answers.push_back(freshet::loaded<int>{*cache.get_or_load(key, b.gives(key[0]))->value});
        }
        return answers;
    });
    CHECK(line(all[0]) == "97 loaded 0s");
    CHECK(line(all[1]) == "98 loaded 0s");
}

TEST_CASE("many keys are in time or late together, and what cannot be put in time answers and is not kept") {
    cache_bench b;
    const auto slow =
        freshet::shared_watch{freshet::on<freshet::cache_loaded>([&](const auto&) { b.clock.advance(1s); })};
    ttl_cache cache{b.store, b.clock, {{.ttl = 1h}, 20s}, slow};
    const auto loads_in = [&](freshet::duration span) {
        return [&b, span](std::span<const std::string> wanted, deadline) {
            b.clock.advance(span);
            return bulk(wanted.size(), freshet::loaded<int>{1});
        };
    };
    names lines;
    for (const auto& each : cache.get_or_load_all(names{"a", "b", "c"}, loads_in(18s))) { lines.push_back(line(each)); }
    CHECK(lines == names{"1 loaded 19s", "1 loaded 20s", "1 loaded 21s"});
    CHECK(b.has("a"));
    CHECK_FALSE(b.has("b"));
    CHECK_FALSE(b.has("c"));
    CHECK(cache.statistics().loads == 3);
    CHECK_MESSAGE(cache.statistics().load_time == 18s, "one call, whatever happened after it");
    for (const auto& each : cache.get_or_load_all(names{"d", "e"}, loads_in(20s))) { CHECK(line(each) == "expired"); }
    CHECK(cache.statistics().load_failures == 2);
    CHECK(cache.statistics().load_time == 38s);
}
