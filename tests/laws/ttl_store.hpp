#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/backend/ttl_store.hpp>
#include <freshet/core/time.hpp>

#include "ttl_store_random.hpp"
#include "ttl_store_steps.hpp"
#include "ttl_store_touch.hpp"

TEST_CASE_TEMPLATE_DEFINE("what was put is found again, equal to the microsecond, and every look-up gives a ticket",
                          Fixture, laws_ttl_store_1) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& store = fixture.store();
    const auto now = fixture.clock().now();
    CHECK(laws::lacks(store, "key"));
    const laws::cached entry{"value", now - 1us, now + 999'999us, now + 1h + 1us};
    REQUIRE(store.put("key", entry, laws::ticket_of(store, "key")).ok());
    CHECK(laws::holds(store, "key", entry));
    CHECK_MESSAGE(laws::holds(store, "key", entry), "looking takes nothing away");
    CHECK(laws::lacks(store, "other"));

    const laws::cached odd{"", now + 2h, freshet::time_point::min(), freshet::time_point::max()};
    REQUIRE(store.put("key", odd, laws::ticket_of(store, "key")).ok());
    CHECK_MESSAGE(laws::holds(store, "key", odd), "no time but keep_until is the store's affair");
    fixture.clock().advance(24h * 3'650);
    CHECK(laws::holds(store, "key", odd));
}

TEST_CASE_TEMPLATE_DEFINE("an entry is found until its keep_until, and not from that very instant on", Fixture,
                          laws_ttl_store_2) {
    using namespace std::chrono_literals;
    for (const auto keep : {1us, 1'500'000us, 60'000'000us}) {
        CAPTURE(keep.count());
        Fixture fixture;
        auto& store = fixture.store();
        const auto entry = laws::entry_of(fixture, "value", keep);
        const auto ticket = laws::ticket_of(store, "key");
        REQUIRE(store.put("key", entry, ticket).ok());
        CHECK(laws::holds(store, "key", entry));
        fixture.clock().advance(keep - 1us);
        CHECK(laws::holds(store, "key", entry));
        fixture.clock().advance(1us);
        CHECK(laws::lacks(store, "key"));
        fixture.clock().advance(1us);
        CHECK(laws::lacks(store, "key"));
        const auto next = laws::entry_of(fixture, "next");
        CHECK_MESSAGE(store.put("key", next, ticket).ok(), "to expire is no invalidation");
        CHECK(laws::holds(store, "key", next));
    }
}

TEST_CASE_TEMPLATE_DEFINE("an entry without a value is an entry, and no empty one", Fixture, laws_ttl_store_3) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& store = fixture.store();
    const auto none = laws::entry_of(fixture, std::nullopt, 1min);
    const auto empty = laws::entry_of(fixture, "");
    for (const auto& entry : {none, empty, laws::entry_of(fixture, "value"), none}) {
        REQUIRE(store.put("key", entry, laws::ticket_of(store, "key")).ok());
        CHECK(laws::holds(store, "key", entry));
    }
    fixture.clock().advance(1min);
    CHECK(laws::lacks(store, "key"));
}

TEST_CASE_TEMPLATE_DEFINE("of puts with good tickets the last one stays, also where it is over already", Fixture,
                          laws_ttl_store_4) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& store = fixture.store();
    const auto first_ticket = laws::ticket_of(store, "key");
    const auto second_ticket = laws::ticket_of(store, "key");
    const auto first = laws::entry_of(fixture, "first");
    const auto second = laws::entry_of(fixture, "second", 1min);
    CHECK(store.put("key", second, second_ticket).ok());
    CHECK(store.put("key", first, first_ticket).ok());
    CHECK(laws::holds(store, "key", first));
    CHECK_MESSAGE(store.put("key", second, second_ticket).ok(), "a ticket may be used again");
    CHECK(store.put("key", second, second_ticket).ok());
    CHECK(laws::holds(store, "key", second));
    for (const auto ago : {0us, 1us, 3'600'000'000us}) {
        auto over = first;
        over.keep_until = fixture.clock().now() - ago;
        CHECK(store.put("key", second, second_ticket).ok());
        CHECK(store.put("key", over, first_ticket).ok());
        CHECK(laws::lacks(store, "key"));
    }
}

TEST_CASE_TEMPLATE_DEFINE("erase takes away the entry of its key, clear that of every key, and both may be repeated",
                          Fixture, laws_ttl_store_5) {
    Fixture fixture;
    auto& store = fixture.store();
    const auto entry = laws::entry_of(fixture, "value");
    const auto fill = [&] {
        for (const auto* key : {"a", "b", "c"}) {
            REQUIRE(store.put(key, entry, laws::ticket_of(store, key)).ok());
            CHECK(laws::holds(store, key, entry));
        }
    };
    fill();
    REQUIRE(store.erase("b").ok());
    REQUIRE(store.erase("b").ok());
    REQUIRE(store.erase("never there").ok());
    CHECK(laws::holds(store, "a", entry));
    CHECK(laws::lacks(store, "b"));
    CHECK(laws::holds(store, "c", entry));
    fill();
    REQUIRE(store.clear().ok());
    for (const auto* key : {"a", "b", "c"}) { CHECK(laws::lacks(store, key)); }
    REQUIRE(store.clear().ok());
    fill();
    REQUIRE(store.erase("a").ok());
    CHECK(laws::lacks(store, "a"));
    CHECK(laws::holds(store, "b", entry));
}

TEST_CASE_TEMPLATE_DEFINE("what was loaded before its key was erased is not seen afterwards", Fixture,
                          laws_ttl_store_6) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& store = fixture.store();
    const auto old = laws::entry_of(fixture, "old");
    const auto fresh = laws::entry_of(fixture, "new");
    auto late = laws::ticket_of(store, "key");
    SUBCASE("looked up where there was nothing") {}
    SUBCASE("looked up where there was an entry") {
        REQUIRE(store.put("key", old, late).ok());
        late = laws::ticket_of(store, "key");
    }
    SUBCASE("looked up where there was an invalidation") {
        REQUIRE(store.erase("key").ok());
        late = laws::ticket_of(store, "key");
    }
    SUBCASE("looked up where there was an entry that had expired") {
        REQUIRE(store.put("key", laws::entry_of(fixture, "short", 1s), late).ok());
        fixture.clock().advance(1s);
        late = laws::ticket_of(store, "key");
    }
    SUBCASE("looked up where there was an invalidation and an entry") {
        REQUIRE(store.erase("key").ok());
        REQUIRE(store.put("key", old, laws::ticket_of(store, "key")).ok());
        late = laws::ticket_of(store, "key");
    }
    SUBCASE("looked up after a clear") {
        REQUIRE(store.clear().ok());
        late = laws::ticket_of(store, "key");
    }
    REQUIRE(store.erase("key").ok());
    laws::put_late(store, "key", old, late);
    CHECK(laws::lacks(store, "key"));
    const auto good = laws::ticket_of(store, "key");
    CHECK(store.put("key", fresh, good).ok());
    CHECK(laws::holds(store, "key", fresh));
    laws::put_late(store, "key", old, late);
    CHECK_MESSAGE(laws::holds(store, "key", fresh), "nor does it take away what is newer");
    CHECK_MESSAGE(store.put("key", fresh, good).ok(), "the newer ticket stays good");
    REQUIRE(store.erase("key").ok());
    for (const auto& ticket : {late, good}) {
        laws::put_late(store, "key", old, ticket);
        CHECK(laws::lacks(store, "key"));
    }
}

TEST_CASE_TEMPLATE_DEFINE("what was loaded before a clear is not seen afterwards, whatever its key", Fixture,
                          laws_ttl_store_7) {
    Fixture fixture;
    auto& store = fixture.store();
    const auto old = laws::entry_of(fixture, "old");
    const auto fresh = laws::entry_of(fixture, "new");
    REQUIRE(store.put("there", old, laws::ticket_of(store, "there")).ok());
    REQUIRE(store.erase("erased").ok());
    const std::vector<std::string> keys{"there", "erased", "never there"};
    std::map<std::string, freshet::store_ticket> late;
    for (const auto& key : keys) { late[key] = laws::ticket_of(store, key); }
    for (int clears = 0; clears != 2; ++clears) {
        REQUIRE(store.clear().ok());
        for (const auto& key : keys) {
            CAPTURE(key);
            laws::put_late(store, key, old, late[key]);
            CHECK(laws::lacks(store, key));
            CHECK(store.put(key, fresh, laws::ticket_of(store, key)).ok());
            laws::put_late(store, key, old, late[key]);
            CHECK(laws::holds(store, key, fresh));
        }
    }
    REQUIRE(store.erase("there").ok());
    CHECK(laws::lacks(store, "there"));
    laws::put_late(store, "there", old, late["there"]);
    CHECK(laws::lacks(store, "there"));
}

TEST_CASE_TEMPLATE_DEFINE("an invalidation of one key leaves the tickets of others good, and so does a put", Fixture,
                          laws_ttl_store_8) {
    Fixture fixture;
    auto& store = fixture.store();
    const auto a = laws::ticket_of(store, "a");
    const auto b = laws::ticket_of(store, "b");
    REQUIRE(store.erase("a").ok());
    REQUIRE(store.erase("c").ok());
    const auto entry = laws::entry_of(fixture, "value");
    CHECK(store.put("c", entry, laws::ticket_of(store, "c")).ok());
    CHECK(store.put("b", entry, b).ok());
    CHECK(laws::holds(store, "b", entry));
    laws::put_late(store, "a", entry, a);
    CHECK(laws::lacks(store, "a"));
}

TEST_CASE_TEMPLATE_DEFINE("an invalidation is remembered for the fence's time, whatever is put and expires meanwhile",
                          Fixture, laws_ttl_store_9) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& store = fixture.store();
    auto& clock = fixture.clock();
    const auto fence = fixture.fence_time();
    const bool clears = [&] {
        bool all = false;
        SUBCASE("of a key") {}
        SUBCASE("of all keys") { all = true; }
        return all;
    }();
    const auto invalidate = [&](const std::string& key) { REQUIRE((clears ? store.clear() : store.erase(key)).ok()); };
    const auto always = [&] { return laws::entry_of(fixture, "old", 24h * 365); };

    const auto bare = laws::ticket_of(store, "bare");
    const auto used = laws::ticket_of(store, "used");
    invalidate("bare");
    invalidate("used");
    CHECK(store.put("used", laws::entry_of(fixture, "short", fence / 4), laws::ticket_of(store, "used")).ok());
    clock.advance(fence / 2);
    CHECK(laws::lacks(store, "used"));
    laws::put_late(store, "used", always(), used);
    CHECK(laws::lacks(store, "used"));
    clock.advance(fence - fence / 2 - 1us);
    for (const auto* key : {"bare", "used"}) {
        laws::put_late(store, key, always(), *key == 'b' ? bare : used);
        CHECK(laws::lacks(store, key));
    }

    // an invalidation is known from another one, of which the memory ends in between
    const auto after_first = laws::ticket_of(store, "bare");
    clock.advance(2us);
    CHECK(laws::lacks(store, "bare"));
    invalidate("bare");
    laws::put_late(store, "bare", always(), after_first);
    CHECK(laws::lacks(store, "bare"));
}

TEST_CASE_TEMPLATE_DEFINE("keys that look alike are different keys, and of values every byte is kept", Fixture,
                          laws_ttl_store_10) {
    using namespace std::string_literals;
    Fixture fixture;
    auto& store = fixture.store();
    const std::vector<std::string> keys{""s,
                                        " "s,
                                        "a"s,
                                        "A"s,
                                        "a "s,
                                        "a'b\""s,
                                        "a\\"s,
                                        "a/b"s,
                                        "/"s,
                                        "0/a"s,
                                        "1/a"s,
                                        "é"s,
                                        "e\xcc\x81"s,
                                        "%"s,
                                        "*"s,
                                        "a*"s,
                                        "a%00"s,
                                        "a\0"s,
                                        "a\0b"s,
                                        "a\nb"s,
                                        "{a}"s,
                                        "a:b"s,
                                        "#generation"s,
                                        "a\r\n"s,
                                        "\xf0\x9f\x8c\x8a"s,
                                        std::string(1'000, 'k'),
                                        std::string(999, 'k')};
    std::vector<laws::cached> entries;
    for (std::size_t at = 0; at != keys.size(); ++at) {
        entries.push_back(laws::entry_of(fixture, std::to_string(at)));
        CAPTURE(keys[at]);
        REQUIRE(store.put(keys[at], entries[at], laws::ticket_of(store, keys[at])).ok());
    }
    for (std::size_t at = 0; at != keys.size(); ++at) { CHECK(laws::holds(store, keys[at], entries[at])); }
    for (std::size_t at = 0; at < keys.size(); at += 2) { REQUIRE(store.erase(keys[at]).ok()); }
    for (std::size_t at = 0; at != keys.size(); ++at) {
        CAPTURE(keys[at]);
        CHECK((at % 2 == 0 ? laws::lacks(store, keys[at]) : laws::holds(store, keys[at], entries[at])));
    }

    std::string all;
    for (int byte = 0; byte != 256; ++byte) { all += static_cast<char>(byte); }
    for (const auto& value :
         {"\0"s, "\xff"s, "\r\n"s, "nil"s, "null"s, all, all + "x"s, all + "xy"s, std::string(100'000, '\xfe')}) {
        const auto entry = laws::entry_of(fixture, value);
        REQUIRE(store.put("key", entry, laws::ticket_of(store, "key")).ok());
        CHECK(laws::holds(store, "key", entry));
    }
}

TEST_CASE_TEMPLATE_DEFINE("a key that a store cannot have is malformed in every call, and no other one's", Fixture,
                          laws_ttl_store_11) {
    Fixture fixture;
    auto& store = fixture.store();
    const auto entry = laws::entry_of(fixture, "value");
    for (const auto& key : {std::string{"\xff"}, std::string{"a\xc3"}, std::string(100'000, 'k')}) {
        const auto found = store.get(key);
        const auto ticket = found.ok() ? found->ticket : laws::ticket_of(store, "key");
        const auto put = store.put(key, entry, ticket);
        const auto touched = store.touch(key, entry, ticket);
        const auto erased = store.erase(key);
        CHECK(put.ok() == found.ok());
        CHECK(touched.ok() == found.ok());
        CHECK(erased.ok() == found.ok());
        if (found.ok()) {
            CHECK(laws::lacks(store, key));
            continue;
        }
        for (const auto& why : {found.why(), put.why(), touched.why(), erased.why()}) {
            CHECK(why.code == freshet::errc::malformed);
            CHECK(why.note.size() < 1'000);
        }
    }
    for (const auto* key : {"", "\xef\xbf\xbd", "a\xef\xbf\xbd", "a"}) { CHECK(laws::lacks(store, key)); }
}

/// Every law of `freshet::ttl_store`, on these fixtures.
///
/// A fixture is default constructible and then fresh and empty. It gives `store()`, of keys and values that are
/// `std::string`, `clock()`, the `manual_clock` that it obeys, and `fence_time()`, for how long the store promises to
/// remember an invalidation. The store has room for some megabytes, and knows keys of UTF-8 of 0 to 1,000 bytes.
#define FRESHET_TTL_STORE_LAWS(...)                            \
    TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_1, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_2, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_3, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_4, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_5, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_6, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_7, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_8, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_9, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_10, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_11, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_12, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_13, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_14, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_15, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_16, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_17, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_18, __VA_ARGS__)
