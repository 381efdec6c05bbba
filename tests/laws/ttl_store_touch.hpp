#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>

#include <freshet/backend/ttl_store.hpp>
#include <freshet/core/time.hpp>

#include "ttl_store_steps.hpp"

namespace laws {

/// The same load with other times, and with a value that must never be seen.
[[nodiscard]] inline auto retimed(const cached& entry, freshet::time_point fresh_until, freshet::time_point keep_until)
    -> cached {
    return {"another", entry.loaded_at, fresh_until, keep_until};
}

/// Touches, and finds what was touched with the new times and all else as it was.
[[nodiscard]] auto takes_times(auto& store, const std::string& key, cached entry, const cached& times) -> bool {
    REQUIRE(store.touch(key, times, ticket_of(store, key)).ok());
    entry.fresh_until = times.fresh_until;
    entry.keep_until = times.keep_until;
    return holds(store, key, entry);
}

} // namespace laws

TEST_CASE_TEMPLATE_DEFINE("touch gives an entry other times, longer or shorter, and changes nothing else of it",
                          Fixture, laws_ttl_store_14) {
    using namespace std::chrono_literals;
    for (const auto& value : {std::optional<std::string>{"value"}, std::optional<std::string>{""},
                              std::optional<std::string>{}, std::optional<std::string>{std::string{"\0\xff", 2}}}) {
        Fixture fixture;
        auto& store = fixture.store();
        const auto now = fixture.clock().now();
        auto entry = laws::entry_of(fixture, value, 1min);
        entry.loaded_at -= 1us;
        const auto other = laws::entry_of(fixture, "beside", 1min);
        REQUIRE(store.put("key", entry, laws::ticket_of(store, "key")).ok());
        REQUIRE(store.put("other", other, laws::ticket_of(store, "other")).ok());
        CHECK(laws::takes_times(store, "key", entry, laws::retimed(entry, now + 30s, now + 1h)));
        CHECK_MESSAGE(laws::takes_times(store, "key", entry, laws::retimed(entry, now + 30s, now + 1h)), "again");
        CHECK(laws::holds(store, "other", other));
        fixture.clock().advance(1min);
        CHECK(laws::takes_times(store, "key", entry, laws::retimed(entry, now, now + 61s)));
        fixture.clock().advance(1s - 1us);
        CHECK(laws::takes_times(store, "key", entry, laws::retimed(entry, freshet::time_point::min(), now + 62s)));
        fixture.clock().advance(1s);
        CHECK(!laws::lacks(store, "key"));
        fixture.clock().advance(1us);
        CHECK_MESSAGE(laws::lacks(store, "key"), "the last times count");
        REQUIRE(store.put("key", laws::entry_of(fixture, value), laws::ticket_of(store, "key")).ok());
        auto ever = laws::looked(store, "key").entry.value();
        CHECK(laws::takes_times(store, "key", ever,
                                laws::retimed(ever, freshet::time_point::max(), freshet::time_point::max())));
        fixture.clock().advance(24h * 365);
        CHECK(!laws::lacks(store, "key"));
    }
}

TEST_CASE_TEMPLATE_DEFINE("what is touched to end now or in the past is gone, and no touch brings it back", Fixture,
                          laws_ttl_store_15) {
    using namespace std::chrono_literals;
    for (const auto ago : {0us, 1us, 3'600'000'000us}) {
        CAPTURE(ago.count());
        Fixture fixture;
        auto& store = fixture.store();
        const auto now = fixture.clock().now();
        const auto entry = laws::entry_of(fixture, "value");
        const auto ticket = laws::ticket_of(store, "key");
        REQUIRE(store.put("key", entry, ticket).ok());
        REQUIRE(store.touch("key", laws::retimed(entry, now, now - ago), ticket).ok());
        CHECK(laws::lacks(store, "key"));
        REQUIRE(store.touch("key", entry, ticket).ok());
        CHECK(laws::lacks(store, "key"));
        CHECK_MESSAGE(store.put("key", entry, ticket).ok(), "to end is no invalidation");
        CHECK(laws::holds(store, "key", entry));
        fixture.clock().advance(1h);
        REQUIRE(store.touch("key", laws::retimed(entry, now, now + 24h), ticket).ok());
        CHECK_MESSAGE(laws::lacks(store, "key"), "nor what has expired by itself");
    }
}

TEST_CASE_TEMPLATE_DEFINE(
    "touch does nothing to what was loaded at another instant, and makes nothing where there is none", Fixture,
    laws_ttl_store_16) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& store = fixture.store();
    const auto now = fixture.clock().now();
    const auto first = laws::entry_of(fixture, "first");
    const auto ticket = laws::ticket_of(store, "key");
    const auto longer = laws::retimed(first, now + 2h, now + 4h);
    REQUIRE(store.touch("key", longer, ticket).ok());
    CHECK(laws::lacks(store, "key"));
    REQUIRE(store.put("key", first, ticket).ok());
    for (const auto off : {-1us, 1us, 3'600'000'000us}) {
        auto second = first;
        second.loaded_at += off;
        REQUIRE(store.put("key", second, ticket).ok());
        REQUIRE(store.touch("key", longer, ticket).ok());
        CHECK(laws::holds(store, "key", second));
    }
    const auto none = laws::entry_of(fixture, std::nullopt);
    REQUIRE(store.put("key", none, ticket).ok());
    REQUIRE(store.touch("other", none, laws::ticket_of(store, "other")).ok());
    CHECK(laws::lacks(store, "other"));
    CHECK(laws::takes_times(store, "key", none, longer));
}

TEST_CASE_TEMPLATE_DEFINE("touch does not revive what was invalidated, and lets in nothing that was loaded before",
                          Fixture, laws_ttl_store_17) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& store = fixture.store();
    const bool clears = [&] {
        bool all = false;
        SUBCASE("by erase") {}
        SUBCASE("by clear") { all = true; }
        return all;
    }();
    const auto entry = laws::entry_of(fixture, "value");
    const auto longer = laws::retimed(entry, entry.fresh_until, entry.keep_until + 24h);
    const auto late = laws::ticket_of(store, "key");
    REQUIRE(store.put("key", entry, late).ok());
    REQUIRE((clears ? store.clear() : store.erase("key")).ok());
    for (const auto& ticket : {late, laws::ticket_of(store, "key")}) {
        REQUIRE(store.touch("key", longer, ticket).ok());
        CHECK(laws::lacks(store, "key"));
    }
    laws::put_late(store, "key", entry, late);
    CHECK(laws::lacks(store, "key"));
    REQUIRE(store.put("key", entry, laws::ticket_of(store, "key")).ok());
    CHECK(laws::takes_times(store, "key", entry, longer));
    auto shorter = entry;
    shorter.keep_until = fixture.clock().now() + 1s;
    CHECK(laws::takes_times(store, "key", entry, shorter));
    fixture.clock().advance(1s);
    laws::put_late(store, "key", entry, late);
    CHECK_MESSAGE(laws::lacks(store, "key"), "what ends soon takes no invalidation with it");
}

TEST_CASE_TEMPLATE_DEFINE("a ticket stays as it is until something that concerns its key is invalidated", Fixture,
                          laws_ttl_store_18) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& store = fixture.store();
    const auto entry = laws::entry_of(fixture, "value", 1min);
    auto before = laws::ticket_of(store, "key");
    const auto is_same = [&] { return laws::ticket_of(store, "key") == before; };
    for (int round = 0; round != 3; ++round) {
        CAPTURE(round);
        CHECK_MESSAGE(is_same(), "a look-up");
        REQUIRE(store.put("key", entry, before).ok());
        CHECK_MESSAGE(is_same(), "a put");
        REQUIRE(store.touch("key", entry, before).ok());
        CHECK_MESSAGE(is_same(), "a touch");
        REQUIRE(store.erase("other").ok());
        REQUIRE(store.put("other", entry, laws::ticket_of(store, "other")).ok());
        CHECK_MESSAGE(is_same(), "what happens to another key");
        fixture.clock().advance(1us);
        CHECK_MESSAGE(is_same(), "time");
        REQUIRE((round == 1 ? store.clear() : store.erase("key")).ok());
        CHECK_MESSAGE(!is_same(), "an invalidation");
        before = laws::ticket_of(store, "key");
    }
    REQUIRE(store.erase("key").ok());
    REQUIRE(store.put("key", entry, laws::ticket_of(store, "key")).ok());
    CHECK_MESSAGE(!is_same(), "an invalidation with a put behind it");
}
