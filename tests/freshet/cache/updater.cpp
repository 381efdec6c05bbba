#include <freshet/cache/updater.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <latch>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <adapters/memory/table.hpp>
#include <adapters/memory/ttl_store.hpp>
#include <freshet/cache/every_row.hpp>
#include <freshet/cache/local_store.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <freshet/testing/shuffled_executor.hpp>
#include <freshet/work/executor.hpp>
#include <laws/items.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::deadline;
using freshet::errc;
using freshet::error;
using freshet::result;
using freshet::update_outcome;
using freshet::testing::manual_clock;
using memory_store = adapters::memory::ttl_store<manual_clock, int>;
using entry_type = freshet::cache_entry<int>;

/// A store that can be told to fail, or to throw, for a key.
class spoilt_store : public memory_store {
public:
    using memory_store::memory_store;
    std::set<std::string> cannot_get{};
    std::set<std::string> cannot_put{};
    std::set<std::string> throws_at_put{};

    auto get(const std::string& key) -> result<freshet::looked_up<int>> {
        if (cannot_get.contains(key)) { return error{errc::unavailable, "cannot get " + key}; }
        return memory_store::get(key);
    }
    auto put(const std::string& key, const entry_type& entry, const freshet::store_ticket& ticket) -> result<void> {
        if (cannot_put.contains(key)) { return error{errc::throttled, "cannot put " + key}; }
        if (throws_at_put.contains(key)) { throw std::runtime_error{"thrown by put"}; }
        return memory_store::put(key, entry, ticket);
    }
};

struct bench {
    manual_clock clock{};
    spoilt_store store{clock};
    freshet::inline_executor one_by_one{};

    auto entry(const std::string& key) -> std::optional<entry_type> { return store.get(key)->entry; }
    auto value(const std::string& key) -> std::optional<int> {
        const auto found = entry(key);
        return found ? found->value : std::nullopt;
    }
    void had(const std::string& key, int value, freshet::duration keep = 1h) {
        const auto now = clock.now();
        REQUIRE(store.put(key, {value, now, now + keep, now + keep}, store.get(key)->ticket).ok());
    }
};

const auto seven = [](const std::string&, const deadline&) -> result<int> { return 7; };

using strings = std::vector<std::string>;

auto outcomes_of(const freshet::update_report<std::string>& report) -> std::vector<update_outcome> {
    std::vector<update_outcome> all;
    for (const auto& each : report.keys) { all.push_back(each.outcome); }
    return all;
}

} // namespace

TEST_CASE("five workers load five keys at once, never six, and every key once") {
    bench b;
    freshet::updater update{b.store, b.clock};
    freshet::thread_executor workers{5};
    strings keys;
    for (int i = 0; i != 23; ++i) { keys.push_back("label " + std::to_string(i)); }
    std::latch five_are_in{5};
    std::mutex guard;
    int in = 0;
    int peak = 0;
    std::set<std::thread::id> threads;
    std::map<std::string, int> loads;
    const auto report = update.run(workers, keys, [&](const std::string& key, const deadline&) -> result<int> {
        bool early = false;
        {
            const std::scoped_lock lock{guard};
            early = loads.size() < 5;
            ++loads[key];
            threads.insert(std::this_thread::get_id());
            peak = std::max(peak, ++in);
        }
        if (early) { five_are_in.arrive_and_wait(); }
        const std::scoped_lock lock{guard};
        --in;
        return 1;
    });
    CHECK(peak == 5);
    CHECK(threads.size() == 5);
    CHECK(report.succeeded() == 23);
    CHECK(loads.size() == 23);
    CHECK(std::all_of(loads.begin(), loads.end(), [](const auto& each) { return each.second == 1; }));
    for (const auto& key : keys) { CHECK(b.value(key) == 1); }
}

TEST_CASE("a count by an index is read to its last page, and kept with the run's times") {
    bench b;
    adapters::memory::table table{b.clock, {.indexes = {{"by_label", "label", "SK"}}}};
    for (int i = 0; i != 30; ++i) {
        REQUIRE(table
                    .put(laws::item(R"({"PK":{"S":"p"},"SK":{"S":")" + std::to_string(100 + i) +
                                    R"("},"label":{"S":")" + (i < 23 ? "DATE" : "TOTAL") + R"("}})"))
                    .ok());
    }
    freshet::updater update{b.store, b.clock};
    freshet::thread_executor workers{5};
    const strings keys{"DATE", "TOTAL", "NONE"};
    std::atomic<std::size_t> pages{0};
    const auto report = update.run(workers, keys, [&](const std::string& label, const deadline& until) -> result<int> {
        int count = 0;
        const auto read = freshet::every_row(
            table, {.index = "by_label", .partition = label}, 2,
            [&]() -> result<void> {
                if (until.passed(b.clock.now())) { return error{errc::expired, "no time"}; }
                return {};
            },
            [&](const freshet::document&) { ++count; });
        if (!read) { return read.why(); }
        pages += read->pages;
        return count;
    });
    CHECK(report.succeeded() == 3);
    CHECK(b.value("DATE") == 23);
    CHECK(b.value("TOTAL") == 7);
    CHECK(b.value("NONE") == 0);
    CHECK(pages >= 12 + 4 + 1);
}

TEST_CASE("a six-minute entry survives a five-minute schedule and no longer") {
    bench b;
    freshet::updater update{b.store, b.clock, {.period = 5min, .overlap = 1min}};
    const strings keys{"key"};
    const auto start = b.clock.now();
    REQUIRE(update.run(b.one_by_one, keys, seven).succeeded() == 1);
    CHECK(b.entry("key") == entry_type{7, start, start + 6min, start + 6min});
    b.clock.advance(5min);
    CHECK_MESSAGE(b.value("key") == 7, "when the next run starts");
    b.clock.advance(1min - 1us);
    CHECK_MESSAGE(b.value("key") == 7, "one overlap later, but for a microsecond");
    b.clock.advance(1us);
    CHECK(!b.entry("key"));
}

TEST_CASE("an entry's time counts from the start of its load, however long that took") {
    bench b;
    freshet::updater update{b.store, b.clock};
    const auto start = b.clock.now();
    const auto report = update.run(b.one_by_one, strings{"a", "b"}, [&](const std::string&, const deadline&) {
        b.clock.advance(20s);
        return result<int>{1};
    });
    CHECK(b.entry("a") == entry_type{1, start, start + 6min, start + 6min});
    CHECK(b.entry("b") == entry_type{1, start + 20s, start + 20s + 6min, start + 20s + 6min});
    CHECK(report.keys[0].took == 20s);
    CHECK(report.keys[1].took == 20s);
    CHECK(report.took == 40s);
}

TEST_CASE("a load may bring its own time to live, or the knowledge that there is nothing") {
    bench b;
    freshet::updater update{b.store, b.clock};
    b.had("gone", 1);
    const auto start = b.clock.now();
    const auto report = update.run(b.one_by_one, strings{"short", "none", "gone"},
                                   [](const std::string& key, const deadline&) -> result<freshet::loaded<int>> {
                                       if (key == "short") { return freshet::loaded<int>{1, 10s}; }
                                       if (key == "none") { return freshet::loaded<int>{std::nullopt}; }
                                       return freshet::loaded<int>{2, 0s};
                                   });
    CHECK(report.succeeded() == 3);
    CHECK(b.entry("short") == entry_type{1, start, start + 10s, start + 10s});
    CHECK(b.entry("none") == entry_type{std::nullopt, start, start + 6min, start + 6min});
    CHECK_MESSAGE(!b.entry("gone"), "what is not to be kept takes the older one's place all the same");
    const auto optional = update.run(b.one_by_one, strings{"maybe"}, [](const std::string&, const deadline&) {
        return result<std::optional<int>>{std::nullopt};
    });
    CHECK(optional.succeeded() == 1);
    CHECK(b.entry("maybe")->value == std::nullopt);
}

TEST_CASE("a period without end is one, and not a time of long ago") {
    bench b;
    constexpr auto ever = freshet::duration::max();
    freshet::updater update{b.store, b.clock, {.period = ever, .overlap = ever}};
    REQUIRE(update.run(b.one_by_one, strings{"key"}, seven).succeeded() == 1);
    CHECK(b.entry("key")->keep_until == freshet::time_point::max());
}

TEST_CASE("one key's failure is its own, whatever it is, and leaves its old entry") {
    bench b;
    freshet::updater update{b.store, b.clock, {.load_time = 30s}};
    const strings keys{"good", "refuses", "throws", "throws an int", "late", "no get", "no put", "put throws", "last"};
    for (const auto& key : keys) { b.had(key, 1); }
    const auto old = *b.entry("refuses");
    b.store.cannot_get = {"no get"};
    b.store.cannot_put = {"no put"};
    b.store.throws_at_put = {"put throws"};
    freshet::testing::shuffled_executor shuffled{3};
    const auto report = update.run(shuffled, keys, [&](const std::string& key, const deadline&) -> result<int> {
        if (key == "refuses") { return error{errc::denied, "not yours"}; }
        if (key == "throws") { throw std::runtime_error{"thrown by load"}; }
        if (key == "throws an int") { throw 1; }
        if (key == "late") { b.clock.advance(30s); }
        return 2;
    });
    const std::vector<std::pair<update_outcome, std::optional<error>>> wanted{
        {update_outcome::updated, std::nullopt},
        {update_outcome::load_failed, error{errc::denied, "not yours"}},
        {update_outcome::load_failed, error{errc::failed, "thrown by load"}},
        {update_outcome::load_failed, error{errc::failed, "something was thrown that is no std::exception"}},
        {update_outcome::load_failed, error{errc::expired, "the load took longer than it may"}},
        {update_outcome::store_failed, error{errc::unavailable, "cannot get no get"}},
        {update_outcome::store_failed, error{errc::throttled, "cannot put no put"}},
        {update_outcome::store_failed, error{errc::failed, "thrown by put"}},
        {update_outcome::updated, std::nullopt}};
    REQUIRE(report.keys.size() == keys.size());
    b.store.cannot_get.clear();
    for (std::size_t i = 0; i != keys.size(); ++i) {
        CAPTURE(keys[i]);
        CHECK(report.keys[i].key == keys[i]);
        CHECK(report.keys[i].outcome == wanted[i].first);
        CHECK(report.keys[i].why == wanted[i].second);
        CHECK(report.keys[i].ok() == !wanted[i].second);
        CHECK(report.keys[i].took == (keys[i] == "late" ? 30s : 0s));
        if (report.keys[i].ok()) {
            CHECK(b.value(keys[i]) == 2);
        } else {
            CHECK(b.entry(keys[i]) == old);
        }
    }
    CHECK(report.succeeded() == 2);
    CHECK(report.failed() == 7);
    CHECK_MESSAGE(report.as_result().ok(), "a part is something");
}

TEST_CASE("the old entry of a key that failed lives on to its own end") {
    bench b;
    freshet::updater update{b.store, b.clock};
    const strings keys{"key"};
    REQUIRE(update.run(b.one_by_one, keys, seven).succeeded() == 1);
    b.clock.advance(5min);
    const auto failed = update.run(b.one_by_one, keys, [](const std::string&, const deadline&) -> result<int> {
        return error{errc::unavailable, "down"};
    });
    CHECK(failed.failed() == 1);
    CHECK(b.value("key") == 7);
    b.clock.advance(1min - 1us);
    CHECK(b.value("key") == 7);
    b.clock.advance(1us);
    CHECK(!b.entry("key"));
}

TEST_CASE("a run in which every key failed is a failure, as the first that failed") {
    bench b;
    freshet::updater update{b.store, b.clock};
    const auto fail = [](const std::string& key, const deadline&) -> result<int> {
        return error{errc::throttled, "no " + key};
    };
    const auto report = update.run(b.one_by_one, strings{"a", "b"}, fail);
    REQUIRE(!report.as_result().ok());
    CHECK(report.as_result().why() ==
          error{errc::throttled, "none of 2 keys was updated; the first that failed: no a"});
    auto mixed = report;
    mixed.keys.front() = {"a"};
    const error of_second{errc::throttled, "none of 2 keys was updated; the first that failed: no b"};
    CHECK_MESSAGE(mixed.as_result().why() == of_second, "a key that was not begun says nothing about why");
    CHECK_MESSAGE(update.run(b.one_by_one, strings{}, fail).as_result().ok(), "there was nothing to fail");
}

TEST_CASE("what was added, and what took another one's place, is told apart") {
    bench b;
    freshet::updater update{b.store, b.clock};
    b.had("there", 1);
    b.had("expired", 1, 0s);
    CHECK(outcomes_of(update.run(b.one_by_one, strings{"there", "expired", "new", "new"}, seven)) ==
          std::vector{update_outcome::updated, update_outcome::added, update_outcome::added, update_outcome::updated});
}

TEST_CASE("what was invalidated while it was loaded is not kept, and is no failure") {
    bench b;
    freshet::updater update{b.store, b.clock};
    b.had("key", 1);
    const auto report = update.run(b.one_by_one, strings{"key"}, [&](const std::string& key, const deadline&) {
        REQUIRE(b.store.erase(key).ok());
        return result<int>{2};
    });
    CHECK(outcomes_of(report) == std::vector{update_outcome::overtaken});
    CHECK(report.succeeded() == 1);
    CHECK(!b.entry("key"));
    const auto refuse = [](const std::string&, const deadline&) -> result<int> {
        return error{errc::conflict, "of the load"};
    };
    const auto conflict = update.run(b.one_by_one, strings{"key"}, refuse);
    CHECK_MESSAGE(outcomes_of(conflict) == std::vector{update_outcome::load_failed}, "a load's conflict is its own");
}

TEST_CASE("a load that is refused for another key's sake is made once more, and then kept, or a failure") {
    for (const int refusals : {1, 2}) {
        CAPTURE(refusals);
        bench b;
        freshet::updater update{b.store, b.clock};
        b.had("key", 1);
        REQUIRE(b.store.erase("one").ok());
        b.clock.advance(30s);
        if (refusals == 2) { REQUIRE(b.store.erase("two").ok()); }
        b.clock.advance(14min + 15s);
        int loads = 0;
        const auto report = update.run(b.one_by_one, strings{"key"}, [&](const std::string&, const deadline&) {
            ++loads;
            b.clock.advance(30s); // an invalidation's time ends: nobody knows any more whose it was
            return result<int>{2};
        });
        CHECK(loads == 2);
        CHECK(outcomes_of(report) ==
              std::vector{refusals == 1 ? update_outcome::updated : update_outcome::store_failed});
        CHECK(b.value("key") == (refusals == 1 ? 2 : 1));
        if (refusals == 2) { CHECK(report.keys[0].why->code == errc::conflict); }
        if (refusals == 1) { CHECK(b.entry("key")->loaded_at == b.clock.now() - 30s); }
    }
}

TEST_CASE("a key that is invalidated while it is loaded once more is not kept, and is no failure") {
    bench b;
    freshet::updater update{b.store, b.clock};
    b.had("key", 1);
    REQUIRE(b.store.erase("other").ok());
    b.clock.advance(15min - 1s);
    int loads = 0;
    const auto report = update.run(b.one_by_one, strings{"key"}, [&](const std::string&, const deadline&) {
        if (++loads == 2) { REQUIRE(b.store.erase("key").ok()); }
        b.clock.advance(1s);
        return result<int>{2};
    });
    CHECK(loads == 2);
    CHECK(outcomes_of(report) == std::vector{update_outcome::overtaken});
    CHECK(!b.entry("key"));
}

TEST_CASE("a load knows its deadline: its own time, or the run's where that is sooner") {
    bench b;
    freshet::updater update{b.store, b.clock, {.load_time = 1min}};
    const auto start = b.clock.now();
    std::vector<freshet::time_point> deadlines;
    const auto load = [&](const std::string&, const deadline& until) -> result<int> {
        deadlines.push_back(until.when());
        b.clock.advance(25s);
        return 1;
    };
    const auto report = update.run(b.one_by_one, strings{"a", "b", "c", "d"}, load, deadline::in(75s, start));
    CHECK(deadlines == std::vector<freshet::time_point>{start + 1min, start + 75s, start + 75s});
    CHECK(outcomes_of(report) == std::vector{update_outcome::added, update_outcome::added, update_outcome::load_failed,
                                             update_outcome::not_begun});
    CHECK(report.keys[2].why->code == errc::expired);
    CHECK(!report.keys[3].why);
    CHECK(report.succeeded() == 2);
    CHECK(report.failed() == 2);
    CHECK(!b.entry("c"));
}

TEST_CASE("a load that ends a microsecond before its deadline is in time, and at it is not") {
    for (const auto took : {59'999'999us, 60'000'000us}) {
        bench b;
        freshet::updater update{b.store, b.clock, {.load_time = 1min}};
        const auto report = update.run(b.one_by_one, strings{"a"}, [&](const std::string&, const deadline&) {
            b.clock.advance(took);
            return result<int>{1};
        });
        CHECK(report.succeeded() == (took < 1min ? 1 : 0));
        CHECK(b.entry("a").has_value() == (took < 1min));
    }
}

TEST_CASE("after a stop no key begins, and those that began are finished") {
    bench b;
    freshet::updater update{b.store, b.clock};
    std::stop_source stop;
    const auto report = update.run(
        b.one_by_one, strings{"a", "b", "c"},
        [&](const std::string& key, const deadline&) -> result<int> {
            if (key == "b") { stop.request_stop(); }
            return 1;
        },
        deadline::never(), stop.get_token());
    CHECK(outcomes_of(report) == std::vector{update_outcome::added, update_outcome::added, update_outcome::not_begun});
    const auto none = update.run(b.one_by_one, strings{"a", "b"}, seven, deadline::never(), stop.get_token());
    CHECK(none.as_result().why() ==
          error{errc::expired, "none of 2 keys was updated, the run was stopped or had no time"});
    CHECK_MESSAGE(b.value("a") == 1, "the older entry stays");
}

TEST_CASE("the observer is told of each key at the end, in their order") {
    bench b;
    strings told;
    std::size_t loads = 0;
    auto seen = freshet::watch{freshet::on<freshet::key_updated>([&](const freshet::key_updated& e) {
        CHECK(loads == 3);
        told.push_back(std::string{e.key} + ' ' + std::string{name_of(e.outcome)} + ' ' +
                       std::to_string(e.took.count()) + ' ' + std::string{e.note});
    })};
    freshet::updater update{b.store, b.clock, {}, seen};
    b.had("c", 1);
    freshet::testing::shuffled_executor shuffled{1};
    static_cast<void>(
        update.run(shuffled, strings{"a", "b", "c"}, [&](const std::string& key, const deadline&) -> result<int> {
            b.clock.advance(3us);
            ++loads;
            if (key == "b") { return error{errc::unavailable, "down"}; }
            return 1;
        }));
    CHECK(told == strings{"a added 3 ", "b load_failed 3 down", "c updated 3 "});
}

TEST_CASE("an update's event names its fields") {
    std::string text;
    const auto visit = [&](std::string_view field, const auto& value) {
        (text += field) += '=';
        if constexpr (requires { value.count(); }) {
            text += std::to_string(value.count()) + ' ';
        } else {
            (text += value) += ' ';
        }
    };
    freshet::key_updated{"DATE", update_outcome::store_failed, 5us, "down"}.fields(visit);
    CHECK(text == "key=DATE outcome=store_failed took=5 note=down ");
    for (const auto& [outcome, name] :
         std::map<update_outcome, std::string_view>{{update_outcome::added, "added"},
                                                    {update_outcome::updated, "updated"},
                                                    {update_outcome::overtaken, "overtaken"},
                                                    {update_outcome::load_failed, "load_failed"},
                                                    {update_outcome::store_failed, "store_failed"},
                                                    {update_outcome::not_begun, "not_begun"}}) {
        CHECK(name_of(outcome) == name);
    }
}

TEST_CASE("keys of numbers are updated, and shown in decimal") {
    manual_clock clock;
    freshet::local_store<int, int, manual_clock> store{clock};
    strings told;
    freshet::updater update{store, clock, {}, freshet::watch{freshet::on<freshet::key_updated>([&](const auto& e) {
                                told.emplace_back(e.key);
                            })}};
    const std::vector<int> keys{-1, 42};
    freshet::inline_executor one_by_one;
    const auto report = update.run(one_by_one, keys, [](int key, const deadline&) { return result<int>{key}; });
    CHECK(report.succeeded() == 2);
    CHECK(store.get(42)->entry->value == 42);
    CHECK(told == strings{"-1", "42"});
}
