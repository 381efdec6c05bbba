#include <freshet/cache/table_cache.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <future>
#include <latch>
#include <random>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/testing/manual_clock.hpp>
#include <support/cases.hpp>
#include <support/watched_table.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::deadline;
using freshet::errc;
using freshet::error;
using freshet::presence;
using freshet::result;
using freshet::scan_origin;
using freshet::table_cache_options;
using freshet::testing::manual_clock;
using support::watched_table;
using cached_table = freshet::cached_table<watched_table>;
using answer = result<freshet::scan_answer<freshet::document>>;

/// Counts the callers that wait for another's scan: such a caller, if he has a deadline, looks at the clock when he
/// asks, when he is judged, and again and again while he waits.
class attended_clock {
public:
    using is_shareable = void;

    [[nodiscard]] auto now() const noexcept -> freshet::time_point {
        if (looks_ != nobodys && ++looks_ == 4) { ++waiting_; }
        return time.now();
    }
    /// From now on this thread is such a caller.
    static void attend() { looks_ = 0; }
    void await(std::size_t callers) const {
        while (waiting_ < callers) { std::this_thread::yield(); }
    }

    manual_clock time{};

private:
    static constexpr int nobodys = -1;
    static inline thread_local int looks_ = nobodys;
    mutable std::atomic<std::size_t> waiting_{};
};

/// A table whose first scan after `hold()` stands still before its first page, until it is told to go on.
struct bench {
    attended_clock clock{};
    watched_table table{clock.time, {.page_rows = 3}};
    std::atomic<bool> holding{};
    std::latch held{1};
    std::latch go_on{1};
    std::atomic<presence> sleeping{presence::no};
    std::vector<std::future<answer>> asked{};

    bench() {
        for (const auto* sort : {"a", "b", "c", "d"}) { table.write(sort); }
        table.before_page = [this]() -> result<void> {
            if (holding.exchange(false)) {
                held.count_down();
                go_on.wait();
            }
            return {};
        };
    }
    bench(const bench&) = delete;
    auto operator=(const bench&) -> bench& = delete;

    template <class Policy = freshet::sleeping_aware>
    auto cache(table_cache_options options = {}, Policy policy = {}) {
        options.sleepers = [this]() -> result<presence> { return sleeping.load(); };
        return freshet::table_cache{std::vector{cached_table{"t", table, table.key_function()}}, clock, options,
                                    std::move(policy)};
    }
    /// Has a thread of its own scan.
    template <class Cache>
    void ask(Cache& cache, std::stop_token stop = {}, freshet::duration within = 24h) {
        asked.push_back(std::async(std::launch::async, [&cache, until = deadline::in(within, clock.time.now()), stop] {
            attended_clock::attend();
            return cache.scan("t", until, stop);
        }));
    }
    /// Has a thread scan, and returns when that stands still.
    template <class Cache>
    void ask_and_hold(Cache& cache, std::stop_token stop = {}) {
        holding = true;
        asked.push_back(
            std::async(std::launch::async, [&cache, stop] { return cache.scan("t", deadline::never(), stop); }));
        held.wait();
    }
    auto answers() -> std::vector<answer> {
        std::vector<answer> all;
        for (auto& one : asked) { all.push_back(one.get()); }
        return all;
    }
};

auto count(const std::vector<answer>& answers, scan_origin origin) -> std::ptrdiff_t {
    return std::count_if(answers.begin(), answers.end(), [&](const auto& one) { return one && one->origin == origin; });
}

} // namespace

TEST_CASE("all who ask while a scan runs share the next one, which began after they asked") {
    bench b;
    auto cache = b.cache();
    REQUIRE(cache.scan("t").ok());
    b.ask_and_hold(cache);
    for (int n = 0; n != 6; ++n) { b.ask(cache); }
    b.clock.await(6);
    b.table.write("e");
    b.go_on.count_down();
    const auto all = b.answers();
    CHECK(b.table.scans == 3);
    CHECK(count(all, scan_origin::scanned) == 2);
    CHECK(count(all, scan_origin::shared) == 5);
    for (std::size_t n = 1; n != all.size(); ++n) {
        CHECK(all[n]->rows->find({"p", "e"}) != nullptr);
        CHECK(all[n]->rows == all[1]->rows);
        CHECK(all[n]->verdict.reason == freshet::refresh_reason::no_sleepers);
    }
}

TEST_CASE("a storm of sleepers that wake together costs one scan") {
    bench b;
    b.sleeping = presence::yes;
    auto cache = b.cache();
    SUBCASE("where nothing was loaded") {}
    SUBCASE("where the interval has elapsed") {
        REQUIRE(cache.scan("t").ok());
        b.clock.time.advance(10min);
        b.table.scans = 0;
    }
    b.ask_and_hold(cache);
    for (int n = 0; n != 6; ++n) { b.ask(cache); }
    b.clock.await(6);
    b.go_on.count_down();
    const auto all = b.answers();
    CHECK(b.table.scans == 1);
    CHECK(count(all, scan_origin::scanned) == 1);
    CHECK(count(all, scan_origin::kept) == 6);
}

TEST_CASE("who is slow to look again, when the scan before his ended, still has the one that he shares") {
    static thread_local bool slow = false;
    bench b;
    std::latch other{1};
    auto cache = b.cache({}, [&](const freshet::refresh_facts& facts) -> freshet::refresh_verdict {
        if (slow && facts.loaded_at) { other.wait(); }
        return freshet::always{}(facts);
    });
    b.ask_and_hold(cache);
    auto late = std::async(std::launch::async, [&] {
        attended_clock::attend();
        slow = true;
        return cache.scan("t", deadline::in(24h, b.clock.time.now()));
    });
    b.ask(cache);
    b.clock.await(2);
    b.go_on.count_down();
    CHECK(count(b.answers(), scan_origin::scanned) == 2);
    other.count_down();
    CHECK(late.get()->origin == scan_origin::shared);
    CHECK(b.table.scans == 2);
}

TEST_CASE("who was judged before a scan ended, and asks for one after it, uses what it brought") {
    static thread_local bool slow = false;
    bench b;
    std::latch judged{1};
    std::latch scanned{1};
    auto cache = b.cache({}, [&](const freshet::refresh_facts& facts) -> freshet::refresh_verdict {
        if (slow && !facts.loaded_at) {
            judged.count_down();
            scanned.wait();
            slow = false;
        }
        return freshet::never{}(facts);
    });
    auto late = std::async(std::launch::async, [&] {
        slow = true;
        return cache.scan("t");
    });
    judged.wait();
    CHECK(cache.scan("t")->origin == scan_origin::scanned);
    scanned.count_down();
    CHECK(late.get()->origin == scan_origin::kept);
    CHECK(b.table.scans == 1);
}

TEST_CASE("who may use what is kept waits for no scan") {
    bench b;
    std::atomic<bool> refresh{false};
    auto cache = b.cache({}, [&refresh](const freshet::refresh_facts& facts) -> freshet::refresh_verdict {
        if (refresh) { return {freshet::refresh_action::refresh, freshet::refresh_reason::always}; }
        return freshet::never{}(facts);
    });
    REQUIRE(cache.scan("t").ok());
    refresh = true;
    b.ask_and_hold(cache);
    refresh = false;
    CHECK(cache.scan("t")->origin == scan_origin::kept);
    CHECK(cache.row("t", {"p", "a"})->origin == scan_origin::kept);
    CHECK(cache.state().tables[0].rows == 4);
    b.go_on.count_down();
    CHECK(count(b.answers(), scan_origin::scanned) == 1);
}

TEST_CASE("those who share a scan that fails have its error, and nobody tries again") {
    bench b;
    auto cache = b.cache();
    auto code = errc::failed;
    const auto before = std::exchange(b.table.before_page, {});
    SUBCASE("an error") {
        code = errc::throttled;
        b.table.before_page = [&]() -> result<void> {
            if (auto held = before(); !held || b.table.scans == 1) { return held; }
            return error{errc::throttled, "slower"};
        };
    }
    SUBCASE("an exception") {
        b.table.before_page = [&]() -> result<void> {
            if (auto held = before(); !held || b.table.scans == 1) { return held; }
            throw std::runtime_error{"broken"};
        };
    }
    b.ask_and_hold(cache);
    for (int n = 0; n != 6; ++n) { b.ask(cache); }
    b.clock.await(6);
    b.go_on.count_down();
    const auto all = b.answers();
    CHECK(all[0].ok());
    for (std::size_t n = 1; n != all.size(); ++n) { CHECK(all[n].why().code == code); }
    CHECK(b.table.scans == 2);
    CHECK(cache.state().tables[0].rows == 4); // of the scan before
}

TEST_CASE("within the join window, and at its end exactly, a caller shares the scan that runs") {
    bench b;
    auto cache = b.cache({.join_window = 1s});
    b.ask_and_hold(cache);
    b.clock.time.advance(1s);
    b.ask(cache);
    b.clock.await(1);
    std::size_t scans = 1;
    SUBCASE("but not behind it") {
        b.clock.time.advance(1us);
        scans = 2;
    }
    SUBCASE("but not after an invalidation") {
        cache.heard("start");
        scans = 2;
    }
    SUBCASE("but not a scan that seems to begin in the future") {
        b.clock.time.advance(-1h);
        scans = 2;
    }
    SUBCASE("and so do others") {}
    b.ask(cache);
    b.clock.await(2);
    b.go_on.count_down();
    const auto all = b.answers();
    CHECK(all[1]->origin == scan_origin::shared);
    CHECK(all[2]->origin == (scans == 1 ? scan_origin::shared : scan_origin::scanned));
    CHECK(b.table.scans == scans);
}

TEST_CASE("where the caller whose scan it was goes away, one of those who wait scans for the others") {
    bench b;
    auto cache = b.cache({.join_window = 1h});
    std::stop_source stop;
    b.ask_and_hold(cache, stop.get_token());
    for (int n = 0; n != 6; ++n) { b.ask(cache); }
    b.clock.await(6);
    stop.request_stop();
    b.go_on.count_down();
    const auto all = b.answers();
    CHECK(all[0].why().code == errc::expired);
    CHECK(count(all, scan_origin::scanned) + count(all, scan_origin::shared) == 6);
    CHECK(count(all, scan_origin::scanned) == static_cast<std::ptrdiff_t>(b.table.scans) - 1);
}

TEST_CASE("who waits for another's scan leaves at his deadline, or when he is stopped, and the scan goes on") {
    bench b;
    auto cache = b.cache();
    b.ask_and_hold(cache);
    std::stop_source stop;
    SUBCASE("deadline") {
        b.ask(cache, {}, 1s);
        b.clock.await(1);
        b.clock.time.advance(1s);
    }
    SUBCASE("stop") {
        b.ask(cache, stop.get_token());
        b.clock.await(1);
        stop.request_stop();
    }
    SUBCASE("stop, without a deadline") {
        b.asked.push_back(
            std::async(std::launch::async, [&] { return cache.scan("t", deadline::never(), stop.get_token()); }));
        stop.request_stop();
    }
    CHECK(b.asked.back().get().why().code == errc::expired);
    b.asked.pop_back();
    b.go_on.count_down();
    CHECK(b.answers()[0]->origin == scan_origin::scanned);
}

TEST_CASE("random callers: who asks after an invalidation sees what was written before it, and nobody waits for ever") {
    CAPTURE(support::seed());
    for (std::size_t round = 0; round != support::cases(6); ++round) {
        bench b;
        b.sleeping = presence::yes;
        b.table.write("n", "0");
        auto cache = b.cache({.join_window = round % 2 == 0 ? 0us : 1h}, freshet::sleeping_aware{1ms});
        std::atomic<int> promised{0};
        std::atomic<int> broken{0};
        const auto value = [](const freshet::document& row) { return std::stoi(support::value_of(row)); };
        {
            std::vector<std::jthread> threads;
            for (unsigned t = 0; t != 4; ++t) {
                threads.emplace_back([&, t] {
                    std::mt19937_64 random{support::seed() + round * 100 + t};
                    for (int n = 0; n != 200; ++n) {
                        const int least = promised;
                        switch (random() % 5) {
                            case 0:
                            case 1: {
                                const auto all = cache.scan("t");
                                if (!all || value(*all->rows->find({"p", "n"})) < least) { ++broken; }
                                break;
                            }
                            case 2: {
                                const auto one = cache.row("t", {"p", "n"});
                                if (!one || value(*one->row) < least) { ++broken; }
                                break;
                            }
                            case 3: {
                                std::stop_source stop;
                                if (random() % 2 == 0) { stop.request_stop(); }
                                const auto until = deadline::in(1h, b.clock.now());
                                const auto all = cache.scan("t", until, stop.get_token());
                                if (!all && all.why().code != errc::expired) { ++broken; }
                                break;
                            }
                            default:
                                b.clock.time.advance(500us);
                                b.sleeping = random() % 4 == 0 ? presence::no : presence::yes;
                                static_cast<void>(cache.state());
                        }
                    }
                });
            }
            threads.emplace_back([&] {
                for (int n = 1; n != 100; ++n) {
                    const auto row = freshet::document::parse(R"({"PK":{"S":"p"},"SK":{"S":"n"},"V":{"S":")" +
                                                              std::to_string(n) + R"("}})");
                    if (!b.table.put(*row).ok()) { ++broken; }
                    cache.heard("start");
                    promised = n;
                    std::this_thread::yield();
                }
            });
        }
        CHECK(broken == 0);
    }
}
