#include <freshet/cache/coded_store.hpp>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <adapters/memory/ttl_store.hpp>
#include <freshet/cache/local_store.hpp>
#include <freshet/testing/manual_clock.hpp>

#include "../../laws/ttl_store.hpp"

namespace {

using namespace std::chrono_literals;
using freshet::errc;
using freshet::result;
using freshet::testing::manual_clock;
using byte_store = adapters::memory::ttl_store<manual_clock>;

struct same_bytes {
    using value_type = std::string;
    static constexpr std::uint32_t version = 1;
    [[nodiscard]] auto encode(const std::string& value) const -> std::string { return value; }
    [[nodiscard]] auto decode(std::string_view bytes) const -> result<std::string> { return std::string{bytes}; }
};

/// A whole number in decimal.
template <std::uint32_t Version>
struct decimal {
    using value_type = int;
    static constexpr std::uint32_t version = Version;
    [[nodiscard]] auto encode(int value) const -> std::string { return std::to_string(value); }
    [[nodiscard]] auto decode(std::string_view bytes) const -> result<int> {
        int value = 0;
        const auto [end, fault] = std::from_chars(bytes.data(), bytes.data() + bytes.size(), value);
        if (fault != std::errc{} || end != bytes.data() + bytes.size()) {
            return freshet::error{errc::malformed, "not a number"};
        }
        return value;
    }
};

static_assert(freshet::codec<same_bytes> && freshet::codec<decimal<1>>);
static_assert(freshet::ttl_store<freshet::coded_store<byte_store, decimal<1>>>);
static_assert(freshet::shareable<freshet::coded_store<byte_store, decimal<1>>>);
static_assert(freshet::coded_store<byte_store, decimal<1>>::fence == freshet::fence_scope::process);
static_assert(freshet::event<freshet::entry_undecodable>);

template <class Store>
struct on_store {
    manual_clock clock_;
    Store bytes_{clock_};
    freshet::coded_store<Store, same_bytes> store_{bytes_};

    auto store() -> freshet::coded_store<Store, same_bytes>& { return store_; }
    auto clock() -> manual_clock& { return clock_; }
    [[nodiscard]] auto fence_time() const -> freshet::duration { return 15min; }
};
using on_memory = on_store<byte_store>;
using on_local_store = on_store<freshet::local_store<std::string, std::string, manual_clock>>;

/// A store of numbers and what it says of its bytes.
template <class Codec>
struct numbers {
    manual_clock clock;
    byte_store bytes{clock};
    std::vector<std::string> undecodable{};
    struct recorder {
        using is_shareable = void;
        std::vector<std::string>* into;
        void on(const freshet::entry_undecodable& e) const { into->push_back(std::string{e.key} + ": " + e.why.note); }
    };
    freshet::coded_store<byte_store, Codec, recorder> store{bytes, Codec{}, recorder{&undecodable}};

    void write(const std::string& key, const std::string& text) {
        const auto now = clock.now();
        REQUIRE(bytes.put(key, {text, now, now + 1min, now + 1h}, laws::ticket_of(bytes, key)).ok());
    }
};

} // namespace

FRESHET_TTL_STORE_LAWS(on_memory, on_local_store);

TEST_CASE("values come back as they were put, and their bytes say the codec's version") {
    numbers<decimal<7>> it;
    const auto now = it.clock.now();
    const freshet::cache_entry<int> entry{-42, now, now + 1min, now + 1h};
    REQUIRE(it.store.put("key", entry, it.store.get("key")->ticket).ok());
    CHECK(it.store.get("key")->entry == entry);
    CHECK(it.bytes.get("key")->entry->value == "v7:-42");
    CHECK(it.undecodable.empty());
}

TEST_CASE("an entry without a value has no bytes, and is read by every version") {
    numbers<decimal<7>> it;
    const auto now = it.clock.now();
    const freshet::cache_entry<int> none{std::nullopt, now, now + 1min, now + 1h};
    REQUIRE(it.store.put("key", none, it.store.get("key")->ticket).ok());
    CHECK(it.bytes.get("key")->entry->value == std::nullopt);
    CHECK(it.store.get("key")->entry == none);
    CHECK(it.undecodable.empty());
}

TEST_CASE("bytes that are not of the codec's version are a miss and an event, also those that it could read") {
    numbers<decimal<7>> it;
    for (const auto* text : {"v6:42", "v70:42", "v8:42", "42", "", "v", "v7", "V7:42", " v7:42", "v07:42"}) {
        CAPTURE(text);
        it.undecodable.clear();
        it.write("key", text);
        const auto found = it.store.get("key");
        REQUIRE(found.ok());
        CHECK(!found->entry);
        CHECK(it.undecodable == std::vector<std::string>{"key: not of version v7"});
    }
}

TEST_CASE("bytes that the codec refuses are a miss and an event") {
    numbers<decimal<7>> it;
    for (const auto* text : {"v7:", "v7:4x", "v7: 4", "v7:99999999999999999999"}) {
        CAPTURE(text);
        it.undecodable.clear();
        it.write("key", text);
        CHECK(!it.store.get("key")->entry);
        CHECK(it.undecodable == std::vector<std::string>{"key: not a number"});
    }
}

TEST_CASE("what cannot be decoded is overwritten with the ticket that its look-up gave") {
    numbers<decimal<7>> it;
    it.write("key", "v6:42");
    const auto seen = it.store.get("key");
    REQUIRE(!seen->entry);
    const auto now = it.clock.now();
    REQUIRE(it.store.put("key", {43, now, now + 1min, now + 1h}, seen->ticket).ok());
    CHECK(it.store.get("key")->entry->value == 43);
    CHECK(it.undecodable.size() == 1);
}

TEST_CASE("the ticket of an undecodable entry knows of invalidations as any other") {
    numbers<decimal<7>> it;
    it.write("key", "v6:42");
    const auto seen = it.store.get("key");
    REQUIRE(it.store.erase("key").ok());
    const auto now = it.clock.now();
    const auto put = it.store.put("key", {43, now, now + 1min, now + 1h}, seen->ticket);
    REQUIRE(!put.ok());
    CHECK(put.why().code == errc::conflict);
    CHECK(!it.store.get("key")->entry);
}

TEST_CASE("programs of two versions share a store: each reads its own, and touching needs no decoding") {
    manual_clock clock;
    byte_store bytes{clock};
    freshet::coded_store<byte_store, decimal<1>> older{bytes};
    freshet::coded_store<byte_store, decimal<2>> newer{bytes};
    const auto now = clock.now();
    REQUIRE(older.put("key", {1, now, now + 1min, now + 1h}, older.get("key")->ticket).ok());
    CHECK(older.get("key")->entry->value == 1);
    CHECK(!newer.get("key")->entry);
    REQUIRE(newer.touch("key", {9, now, now + 2min, now + 2h}, newer.get("key")->ticket).ok());
    CHECK(older.get("key")->entry == freshet::cache_entry<int>{1, now, now + 2min, now + 2h});
    REQUIRE(newer.put("key", {2, now, now + 1min, now + 1h}, newer.get("key")->ticket).ok());
    CHECK(newer.get("key")->entry->value == 2);
    CHECK(!older.get("key")->entry);
}

TEST_CASE("a failure of the store below is the store's failure, and no event") {
    struct dead_store : byte_store {
        using byte_store::byte_store;
        auto get(const std::string&) -> result<freshet::looked_up<std::string>> {
            return freshet::error{errc::unavailable, "down"};
        }
    };
    manual_clock clock;
    dead_store bytes{clock};
    freshet::coded_store<dead_store, decimal<1>> store{bytes};
    const auto found = store.get("key");
    REQUIRE(!found.ok());
    CHECK(found.why() == freshet::error{errc::unavailable, "down"});
}

TEST_CASE("an undecodable entry's event shows its key and why") {
    const freshet::error why{errc::malformed, "not a number"};
    std::string text;
    freshet::entry_undecodable{"key", why}.fields(
        [&](std::string_view field, std::string_view value) { (text += field) += '=' + std::string{value} + ' '; });
    CHECK(text == "key=key note=not a number ");
}
