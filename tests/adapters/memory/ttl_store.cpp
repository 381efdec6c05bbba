#include <adapters/memory/ttl_store.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <type_traits>

#include <freshet/testing/manual_clock.hpp>

#include "../../laws/ttl_store.hpp"

namespace {

using namespace std::chrono_literals;
using freshet::testing::manual_clock;
using store_type = adapters::memory::ttl_store<manual_clock>;

static_assert(freshet::shareable<store_type>);
static_assert(store_type::fence == freshet::fence_scope::process);
static_assert(!std::is_constructible_v<store_type, manual_clock>);

struct one_store {
    manual_clock clock_;
    store_type store_{clock_};

    auto store() -> store_type& { return store_; }
    auto clock() -> manual_clock& { return clock_; }
    [[nodiscard]] auto fence_time() const -> freshet::duration { return 15min; }
};

/// Forgets soon, and so in the midst of what the laws do.
struct forgetful_store {
    manual_clock clock_;
    store_type store_{clock_, {.fence_time = 3s}};

    auto store() -> store_type& { return store_; }
    auto clock() -> manual_clock& { return clock_; }
    [[nodiscard]] auto fence_time() const -> freshet::duration { return 3s; }
};

} // namespace

FRESHET_TTL_STORE_LAWS(one_store, forgetful_store);

TEST_CASE("a store forgets what has expired, and invalidations when the fence's time is over") {
    one_store fixture;
    auto& store = fixture.store();
    auto& clock = fixture.clock();
    REQUIRE(store.put("short", laws::entry_of(fixture, "value", 1min), laws::ticket_of(store, "short")).ok());
    REQUIRE(store.erase("erased").ok());
    REQUIRE(store.erase("used").ok());
    REQUIRE(store.put("used", laws::entry_of(fixture, "value", 1min), laws::ticket_of(store, "used")).ok());
    const auto entry = laws::entry_of(fixture, "value", 1h);
    REQUIRE(store.put("long", entry, laws::ticket_of(store, "long")).ok());
    REQUIRE(store.put("touched", entry, laws::ticket_of(store, "touched")).ok());
    CHECK(store.size() == 5);
    REQUIRE(store.touch("touched", laws::retimed(entry, clock.now(), clock.now()), {}).ok());
    CHECK(laws::lacks(store, "never there"));
    CHECK(store.size() == 4);
    clock.advance(1min - 1us);
    CHECK(store.size() == 4);
    clock.advance(1us);
    CHECK(store.size() == 3);
    clock.advance(14min - 1us);
    CHECK(store.size() == 3);
    clock.advance(1us);
    CHECK(store.size() == 1);
    clock.advance(45min);
    CHECK(store.size() == 0);
    REQUIRE(store.erase("erased").ok());
    REQUIRE(store.clear().ok());
    CHECK(store.size() == 0);
}

TEST_CASE("what is refused leaves nothing behind") {
    one_store fixture;
    auto& store = fixture.store();
    const auto late = laws::ticket_of(store, "key");
    REQUIRE(store.clear().ok());
    CHECK(laws::is_kept_out(store.put("key", laws::entry_of(fixture, "old"), late)));
    CHECK(store.size() == 0);
}

TEST_CASE("what was loaded before an invalidation is kept out also when it took longer than the fence's time") {
    one_store fixture;
    auto& store = fixture.store();
    const auto late = laws::ticket_of(store, "key");
    REQUIRE(store.erase("key").ok());
    fixture.clock().advance(24h);
    CHECK(laws::is_kept_out(store.put("key", laws::entry_of(fixture, "old"), late)));
    CHECK(store.size() == 0);
    const auto good = laws::ticket_of(store, "key");
    fixture.clock().advance(24h);
    CHECK_MESSAGE(store.put("key", laws::entry_of(fixture, "new"), good).ok(), "nothing was invalidated meanwhile");
}

TEST_CASE("a store keeps values of any type") {
    manual_clock clock;
    adapters::memory::ttl_store<manual_clock, std::shared_ptr<const int>> store{clock};
    const auto now = clock.now();
    const auto seven = std::make_shared<const int>(7);
    REQUIRE(store.put("key", {seven, now, now, now + 1s}, store.get("key")->ticket).ok());
    CHECK(store.get("key")->entry->value == seven);
}
