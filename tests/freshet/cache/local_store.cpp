#include <freshet/cache/local_store.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <freshet/core/observe.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <freshet/work/anchored_clock.hpp>

#include "../../laws/ttl_store.hpp"

namespace {

using namespace std::chrono_literals;
using freshet::removal_cause;
using freshet::testing::manual_clock;
using text_store = freshet::local_store<std::string, std::string, manual_clock>;

static_assert(freshet::ttl_store<text_store>);
static_assert(freshet::shareable<text_store>);
static_assert(text_store::fence == freshet::fence_scope::process);
static_assert(!std::is_constructible_v<text_store, manual_clock>);
static_assert(!std::is_copy_constructible_v<text_store> && !std::is_move_constructible_v<text_store>);
static_assert(freshet::ttl_store<freshet::local_store<int, std::shared_ptr<const int>, freshet::anchored_clock>>);

struct store_of_one_part {
    manual_clock clock_;
    text_store store_{clock_, {.max_entries = 1'000}};

    auto store() -> text_store& { return store_; }
    auto clock() -> manual_clock& { return clock_; }
    [[nodiscard]] auto fence_time() const -> freshet::duration { return 15min; }
};

struct store_of_many_parts : store_of_one_part {
    text_store store_{clock_};

    auto store() -> text_store& { return store_; }
};

constexpr freshet::time_point start = freshet::time_point{1'736'936'000s};

template <class Value>
[[nodiscard]] auto entry_of(Value value, freshet::duration keep = 1h) -> freshet::cache_entry<Value> {
    return {std::move(value), start, start + keep, start + keep};
}

template <class Value>
void put(auto& store, const auto& key, Value value, freshet::duration keep = 1h) {
    REQUIRE(store.put(key, entry_of<Value>(std::move(value), keep), store.get(key)->ticket).ok());
}

[[nodiscard]] auto has(auto& store, const auto& key) -> bool { return store.get(key)->entry.has_value(); }

/// What a store told of its removals, one line each.
struct removal_log {
    using is_shareable = void;
    std::vector<std::string>* lines;
    void on(const freshet::entry_removed& e) const {
        lines->push_back(std::string{e.key} + " " + std::string{name_of(e.cause)});
    }
};

struct weigh_size {
    auto operator()(const auto&, const freshet::cache_entry<std::string>& entry) const -> std::size_t {
        return entry.value ? entry.value->size() : 0;
    }
};
using weighing_store = freshet::local_store<int, std::string, manual_clock, weigh_size, removal_log>;

} // namespace

FRESHET_TTL_STORE_LAWS(store_of_one_part, store_of_many_parts);

TEST_CASE("a store never has more entries than it may, and a small one forgets nothing before it is full") {
    for (const std::size_t most : {1u, 2u, 3u, 4u, 5u, 63u, 64u, 1'000u, 4'095u}) {
        CAPTURE(most);
        manual_clock clock;
        freshet::local_store<std::size_t, std::size_t, manual_clock> store{clock, {.max_entries = most}};
        for (std::size_t i = 0; i != most; ++i) { put(store, i, i); }
        CHECK(store.size() == most);
        for (std::size_t i = 0; i != most; ++i) { CHECK(store.get(i)->entry->value == i); }
        for (std::size_t i = most; i != 3 * most + 10; ++i) {
            put(store, i, i);
            CHECK(store.get(i)->entry->value == i);
            CHECK(store.size() == most);
        }
    }
}

TEST_CASE("a large store has room in every part, and all parts together keep to the bound") {
    manual_clock clock;
    constexpr std::size_t most = 10'007;
    freshet::local_store<std::size_t, std::size_t, manual_clock> store{clock, {.max_entries = most}};
    for (std::size_t i = 0; i != most * 9 / 10; ++i) { put(store, i, i); }
    CHECK(store.size() == most * 9 / 10);
    for (std::size_t i = 0; i != 3 * most; ++i) { put(store, i << 40, i); }
    CHECK(store.size() == most);
}

TEST_CASE("a store without room keeps nothing, and one may ask for room without end") {
    manual_clock clock;
    text_store none{clock, {.max_entries = 0}};
    put(none, "key", std::string{"value"});
    CHECK_FALSE(has(none, "key"));
    CHECK(none.size() == 0);
    text_store endless{clock, {.max_entries = std::numeric_limits<std::size_t>::max()}};
    put(endless, "key", std::string{"value"});
    CHECK(has(endless, "key"));
}

TEST_CASE("what is used stays when things pass that are used once") {
    manual_clock clock;
    freshet::local_store<int, int, manual_clock> store{clock, {.max_entries = 100}};
    for (int key = 0; key != 50; ++key) {
        put(store, key, key);
        CHECK(has(store, key));
        CHECK(has(store, key));
    }
    for (int key = 1'000; key != 11'000; ++key) { put(store, key, key); }
    for (int key = 0; key != 50; ++key) { CHECK(has(store, key)); }
}

TEST_CASE("whoever comes back soon after he was evicted stays longer") {
    manual_clock clock;
    freshet::local_store<int, int, manual_clock> store{clock, {.max_entries = 100}};
    for (int key = 0; key != 110; ++key) { put(store, key, key); }
    REQUIRE_FALSE(has(store, 0));
    put(store, 0, 0);
    for (int key = 1'000; key != 1'100; ++key) { put(store, key, key); }
    CHECK(has(store, 0));
    CHECK_FALSE(has(store, 50));
}

TEST_CASE("what has expired goes when it is met, by a look-up, by its turn or by a sweep") {
    manual_clock clock{start};
    std::vector<std::string> lines;
    freshet::local_store<int, int, manual_clock, freshet::weigh_nothing, removal_log> store{
        clock, {.max_entries = 10}, {}, {&lines}};
    for (int key = 0; key != 10; ++key) { put(store, key, key, key < 5 ? 1min : 1h); }
    clock.advance(1min);
    CHECK(store.size() == 10);
    CHECK_FALSE(has(store, 3));
    CHECK(store.size() == 9);
    CHECK(lines == std::vector<std::string>{"3 expired"});
    put(store, 10, 10);
    put(store, 11, 11);
    CHECK(lines == std::vector<std::string>{"3 expired", "0 expired"});
    CHECK(store.sweep() == 3);
    CHECK(lines.size() == 5);
    CHECK(store.size() == 7);
    CHECK(store.sweep() == 0);
    for (const int key : {5, 6, 7, 8, 9, 10, 11}) { CHECK(has(store, key)); }
}

TEST_CASE("a clock that is set back and far ahead makes nothing undefined") {
    manual_clock clock{start};
    text_store store{clock};
    put(store, "key", std::string{"value"});
    clock.advance(-24h * 365 * 100);
    CHECK(has(store, "key"));
    CHECK(store.sweep() == 0);
    clock.advance(24h * 365 * 200);
    CHECK_FALSE(has(store, "key"));
}

TEST_CASE("touch is no use, and moves nothing but the times") {
    manual_clock clock{start};
    freshet::local_store<int, int, manual_clock> store{clock, {.max_entries = 100}};
    put(store, 0, 7);
    const auto ticket = store.get(1)->ticket;
    for (int i = 0; i != 4; ++i) {
        REQUIRE(store.touch(0, freshet::cache_entry<int>{9, start, start + 2h, start + 3h}, ticket).ok());
    }
    clock.advance(2h);
    for (int key = 1; key != 100; ++key) { put(store, key, key, 9h); }
    put(store, 100, 100, 9h);
    CHECK_MESSAGE(!has(store, 0), "it was the first to come");
    put(store, 0, 7, 2h);
    CHECK_MESSAGE(!has(store, 0), "it was over when it came");
}

TEST_CASE("touch gives an entry its times where it was loaded at the same instant, and else changes nothing") {
    manual_clock clock{start};
    text_store store{clock};
    const auto entry = entry_of<std::string>("value");
    const auto ticket = store.get("key")->ticket;
    auto longer = entry_of<std::string>("other", 2h);
    REQUIRE(store.touch("key", longer, ticket).ok());
    CHECK_FALSE(has(store, "key"));
    REQUIRE(store.put("key", entry, ticket).ok());
    REQUIRE(store.touch("key", longer, ticket).ok());
    longer.value = "value";
    CHECK(store.get("key")->entry == longer);
    auto another = longer;
    another.loaded_at += 1us;
    REQUIRE(store.touch("key", another, ticket).ok());
    CHECK(store.get("key")->entry == longer);
    clock.advance(2h);
    REQUIRE(store.touch("key", entry_of<std::string>("value", 9h), ticket).ok());
    CHECK_MESSAGE(!has(store, "key"), "what has expired stays so");
}

TEST_CASE("invalidations by the million cost no memory that a ticket could notice, and are never forgotten") {
    manual_clock clock{start};
    freshet::local_store<int, int, manual_clock> store{clock, {.max_entries = 10}};
    const auto late = store.get(1)->ticket;
    REQUIRE(store.erase(1).ok());
    for (int key = 2; key != 100'000; ++key) { REQUIRE(store.erase(key).ok()); }
    clock.advance(24h * 3'650);
    CHECK_FALSE(store.put(1, freshet::cache_entry<int>{1, start, clock.now() + 1h, clock.now() + 1h}, late).ok());
    CHECK_FALSE(has(store, 1));
}

TEST_CASE("few keys share the memory of their invalidations") {
    manual_clock clock{start};
    freshet::local_store<int, int, manual_clock> store{clock, {.max_entries = 10}};
    std::vector<freshet::store_ticket> before;
    for (int key = 0; key != 1'000; ++key) { before.push_back(store.get(key)->ticket); }
    REQUIRE(store.erase(1'000).ok());
    int touched = 0;
    for (int key = 0; key != 1'000; ++key) {
        touched += store.get(key)->ticket != before[static_cast<std::size_t>(key)] ? 1 : 0;
    }
    CHECK(touched < 8);
}

TEST_CASE("each removal is told once, with its cause") {
    manual_clock clock{start};
    std::vector<std::string> lines;
    freshet::local_store<std::string, int, manual_clock, freshet::weigh_nothing, removal_log> store{
        clock, {.max_entries = 3}, {}, {&lines}};
    const auto told = [&] { return std::exchange(lines, {}); };
    using list = std::vector<std::string>;
    put(store, "a", 1);
    CHECK(told() == list{});
    put(store, "a", 2);
    CHECK(told() == list{"a replaced"});
    REQUIRE(store.erase("a").ok());
    REQUIRE(store.erase("a").ok());
    CHECK(told() == list{"a erased"});
    for (const auto* key : {"a", "b", "c", "d"}) { put(store, key, 1); }
    CHECK(told() == list{"a evicted"});
    const auto late = store.get("e")->ticket;
    REQUIRE(store.clear().ok());
    CHECK(told() == list{"b cleared", "c cleared", "d cleared"});
    CHECK_FALSE(store.put("e", entry_of(1), late).ok());
    CHECK_MESSAGE(told() == list{}, "what was refused was never there");
}

TEST_CASE("events show text keys as they are, numbers in decimal, and nothing of others") {
    manual_clock clock{start};
    std::vector<std::string> lines;
    freshet::local_store<std::int64_t, int, manual_clock, freshet::weigh_nothing, removal_log> numbers{
        clock, {}, {}, {&lines}};
    put(numbers, std::numeric_limits<std::int64_t>::min(), 1);
    REQUIRE(numbers.clear().ok());
    freshet::local_store<std::optional<int>, int, manual_clock, freshet::weigh_nothing, removal_log> others{
        clock, {}, {}, {&lines}};
    put(others, std::optional{1}, 1);
    REQUIRE(others.clear().ok());
    CHECK(lines == std::vector<std::string>{"-9223372036854775808 cleared", " cleared"});
}

TEST_CASE("a put that is refused says which key, in one line, and why") {
    manual_clock clock{start};
    text_store store{clock};
    const auto late = store.get("a\nb")->ticket;
    REQUIRE(store.erase("a\nb").ok());
    const auto refused = store.put("a\nb", entry_of<std::string>("x"), late);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.why() ==
          freshet::error{freshet::errc::conflict, "local store: a\\x0ab: invalidated since it was looked up"});
}

TEST_CASE("weights are bounded too: what has to go makes room, and what is too heavy alone is refused") {
    manual_clock clock{start};
    for (const std::size_t entries : {100u, 100'000u}) {
        CAPTURE(entries);
        std::vector<std::string> lines;
        weighing_store store{clock, {.max_entries = entries, .max_weight = 100}, {}, {&lines}};
        for (int key = 0; key != 10; ++key) { put(store, key, std::string(10, 'x')); }
        CHECK(store.size() == 10);
        CHECK(store.weight() == 100);
        put(store, 10, std::string(25, 'x'));
        CHECK(has(store, 10));
        CHECK(store.size() == 8);
        CHECK(store.weight() == 95);
        put(store, 11, std::string(100, 'x'));
        CHECK(has(store, 11));
        CHECK(store.size() == 1);
        CHECK(store.weight() == 100);
        CHECK(lines.size() == 11);

        const auto ticket = store.get(12)->ticket;
        const auto refused = store.put(12, entry_of(std::string(101, 'x')), ticket);
        REQUIRE_FALSE(refused.ok());
        CHECK(refused.why() == freshet::error{freshet::errc::too_large,
                                              "local store: 12: the entry weighs 101, and the store takes 100 in all"});
        CHECK_MESSAGE(has(store, 11), "nothing made room for it");
        CHECK_FALSE(store.put(11, entry_of(std::string(101, 'x')), ticket).ok());
        CHECK_MESSAGE(!has(store, 11), "it was older than what the source has now");
        CHECK(store.weight() == 0);
    }
}

TEST_CASE("an entry that replaces another weighs instead of it") {
    manual_clock clock{start};
    std::vector<std::string> lines;
    weighing_store store{clock, {.max_entries = 100, .max_weight = 100}, {}, {&lines}};
    put(store, 1, std::string(60, 'x'));
    put(store, 2, std::string(40, 'x'));
    put(store, 1, std::string(60, 'y'));
    CHECK(lines == std::vector<std::string>{"1 replaced"});
    CHECK(store.weight() == 100);
    put(store, 1, std::string(10, 'y'));
    CHECK(store.weight() == 50);
    put(store, 3, std::string(50, 'z'));
    CHECK(store.size() == 3);
    put(store, 3, std::string(51, 'z'));
    CHECK(has(store, 3));
    CHECK(store.weight() <= 100);
    REQUIRE(store.erase(3).ok());
    REQUIRE(store.clear().ok());
    CHECK(store.weight() == 0);
}

TEST_CASE("an invalidation that comes while others make room keeps out what was loaded before it") {
    manual_clock clock{start};
    std::function<void()> act = [] {};
    const auto watch = freshet::shared_watch{freshet::on<freshet::entry_removed>([&act](const auto&) { act(); })};
    freshet::local_store<int, std::string, manual_clock, weigh_size, std::remove_const_t<decltype(watch)>> store{
        clock, {.max_entries = 100'000, .max_weight = 100}, {}, watch};
    for (int key = 0; key != 10; ++key) { put(store, key, std::string(10, 'x')); }
    const auto ticket = store.get(100)->ticket;
    act = [&] { REQUIRE(store.erase(100).ok()); };
    const auto late = store.put(100, entry_of(std::string(95, 'y')), ticket);
    REQUIRE_FALSE(late.ok());
    CHECK(late.why().code == freshet::errc::conflict);
    CHECK_FALSE(has(store, 100));
    CHECK(store.size() < 10);
    CHECK(store.weight() == 10 * store.size());
}

TEST_CASE("weights are counted also where they are not bounded") {
    manual_clock clock{start};
    freshet::local_store<int, std::string, manual_clock, weigh_size> store{clock, {.max_entries = 2}};
    put(store, 1, std::string(1'000, 'x'));
    put(store, 2, std::string(10, 'x'), 1min);
    CHECK(store.weight() == 1'010);
    put(store, 3, std::string(1, 'x'));
    CHECK(store.weight() == 11);
    clock.advance(1min);
    CHECK(store.sweep() == 1);
    CHECK(store.weight() == 1);
}

namespace {

/// Neither default constructible nor assignable nor movable but by copying; copies and comparisons may throw.
struct odd_value {
    explicit odd_value(int its) : number{its} { ++alive; }
    odd_value(const odd_value& other) : number{other.number} {
        if (copies_left == 0) { throw std::runtime_error{"copy"}; }
        --copies_left;
        ++alive;
    }
    auto operator=(const odd_value&) -> odd_value& = delete;
    ~odd_value() { --alive; }
    friend auto operator==(const odd_value& a, const odd_value& b) -> bool { return a.number == b.number; }

    const int number;
    static inline int copies_left = 1'000'000;
    static inline int alive = 0;
};

} // namespace

template <>
struct std::hash<odd_value> {
    auto operator()(const odd_value& value) const -> std::size_t {
        if (value.number < 0) { throw std::runtime_error{"hash"}; }
        return 42;
    }
};

TEST_CASE(
    "keys and values need not be more than copied, compared and hashed, if badly; what they throw changes nothing") {
    {
        manual_clock clock{start};
        freshet::local_store<odd_value, odd_value, manual_clock> store{clock, {.max_entries = 50}};
        const auto entry = [](int number) {
            freshet::cache_entry<odd_value> made{std::nullopt, start, start + 1h, start + 1h};
            made.value.emplace(number);
            return made;
        };
        const auto holds = [&](int number) {
            const auto found = store.get(odd_value{number});
            return found->entry && found->entry->value->number == number;
        };
        const auto ticket = store.get(odd_value{0})->ticket;
        for (int i = 0; i != 50; ++i) {
            const auto made = entry(i);
            REQUIRE(store.put(odd_value{i}, made, ticket).ok());
        }
        for (int i = 0; i != 50; ++i) { CHECK(holds(i)); }
        CHECK_THROWS_AS(static_cast<void>(store.get(odd_value{-1})), std::runtime_error);
        CHECK_THROWS_AS(static_cast<void>(store.erase(odd_value{-1})), std::runtime_error);

        const odd_value seven{7};
        const odd_value fresh{100};
        const auto made = entry(1'007);
        const auto alive = odd_value::alive;
        for (const auto* key : {&seven, &fresh}) {
            for (const int copies : {0, 1}) { // the key's copy throws, or the value's
                CAPTURE(copies);
                odd_value::copies_left = copies;
                CHECK_THROWS_AS(static_cast<void>(store.put(*key, made, ticket)), std::runtime_error);
                CHECK(odd_value::alive == alive);
                CHECK(store.size() == 50);
            }
        }
        odd_value::copies_left = 0;
        CHECK_THROWS_AS(static_cast<void>(store.get(seven)), std::runtime_error);
        odd_value::copies_left = 1'000'000;
        CHECK(odd_value::alive == alive);
        for (int i = 0; i != 50; ++i) { CHECK(holds(i)); }
        REQUIRE(store.put(fresh, made, ticket).ok());
        CHECK(store.size() == 50);
        for (int i = 0; i < 50; i += 3) { REQUIRE(store.erase(odd_value{i}).ok()); }
        int held = 0;
        for (int i = 0; i != 50; ++i) { held += holds(i) ? 1 : 0; }
        CHECK(held + 1 == static_cast<int>(store.size()));
    }
    CHECK(odd_value::alive == 0);
}

namespace {

/// Its destructor uses what it was given, if it was made to.
struct reentrant_value {
    std::function<void()> at_end;
    reentrant_value(std::function<void()> its) : at_end{std::move(its)} {}
    reentrant_value(const reentrant_value&) = default; // and so it has no move
    ~reentrant_value() {
        if (at_end) { at_end(); }
    }
};

} // namespace

TEST_CASE("a value's destructor may use the store, in every call that can end a value") {
    manual_clock clock{start};
    freshet::local_store<int, reentrant_value, manual_clock> store{clock, {.max_entries = 2}};
    int ends = 0;
    const auto busy = [&] {
        ++ends;
        if (ends > 1'000) { return; }
        static_cast<void>(store.size() + store.sweep());
        static_cast<void>(store.erase(77));
        const auto found = store.get(78);
    };
    const auto put_busy = [&](int key) {
        REQUIRE(store
                    .put(key,
                         freshet::cache_entry<reentrant_value>{reentrant_value{busy}, start, start + 1h, start + 1h},
                         store.get(key)->ticket)
                    .ok());
    };
    const auto ended = [&] { return std::exchange(ends, 0) > 0; };
    for (int key = 0; key != 4; ++key) { put_busy(key); }
    CHECK(ended());
    put_busy(3);
    CHECK(ended());
    REQUIRE(store.erase(3).ok());
    CHECK(ended());
    put_busy(5);
    REQUIRE(store.clear().ok());
    CHECK(ended());
    put_busy(6);
    clock.advance(1h);
    CHECK_FALSE(has(store, 6));
    CHECK(ended());
    clock.advance(-1h);
    put_busy(7);
    clock.advance(1h);
    CHECK(store.sweep() == 1);
    CHECK(ended());
}

TEST_CASE("an observer may use the store, however deep, and what it throws passes through") {
    manual_clock clock{start};
    std::function<void(const freshet::entry_removed&)> act = [](const auto&) {};
    const auto log = freshet::shared_watch{freshet::on<freshet::entry_removed>([&act](const auto& e) { act(e); })};
    freshet::local_store<int, std::shared_ptr<int>, manual_clock, freshet::weigh_nothing,
                         std::remove_const_t<decltype(log)>>
        store{clock, {.max_entries = 1}, {}, log};
    const auto counted = std::make_shared<int>(1);
    int next = 0;
    const auto put_next = [&] { put(store, next++, counted); };
    act = [&](const auto&) {
        if (next != 1'500) { put_next(); }
    };
    put_next();
    put_next();
    CHECK_MESSAGE((next > 1'000 && next < 1'500), "at last there is no room even for what is on its way in");
    CHECK(store.size() <= 1);
    CHECK(counted.use_count() == 1 + static_cast<long>(store.size()));

    act = [](const auto&) { throw std::runtime_error{"observer"}; };
    for (int i = 0; i != 3; ++i) {
        if (store.size() == 0) { put_next(); }
        CHECK_THROWS_AS(static_cast<void>(store.clear()), std::runtime_error);
        CHECK(store.size() == 0);
        CHECK(counted.use_count() == 1);
    }
}

TEST_CASE("a clear is one of all parts also where the observer throws") {
    manual_clock clock{start};
    bool throws = true;
    const auto log = freshet::shared_watch{freshet::on<freshet::entry_removed>([&](const auto&) {
        if (throws) { throw std::runtime_error{"observer"}; }
    })};
    freshet::local_store<int, int, manual_clock, freshet::weigh_nothing, std::remove_const_t<decltype(log)>> store{
        clock, {}, {}, log};
    const auto late = store.get(7)->ticket;
    for (int key = 0; key != 1'000; ++key) { put(store, key, 1); }
    CHECK_THROWS_AS(static_cast<void>(store.clear()), std::runtime_error);
    CHECK(store.size() == 0);
    CHECK(store.put(7, entry_of(1), late).why().code == freshet::errc::conflict);
    throws = false;
    for (int key = 0; key != 1'000; ++key) { put(store, key, 1); }
    CHECK(store.size() == 1'000);
}
