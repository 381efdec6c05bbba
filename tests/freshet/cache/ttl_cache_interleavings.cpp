#include <freshet/cache/ttl_cache.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <adapters/memory/ttl_store.hpp>
#include <freshet/cache/local_store.hpp>
#include <freshet/testing/manual_clock.hpp>

#include "../../support/every_choice.hpp"

namespace {

using namespace std::chrono_literals;
using freshet::cache_origin;
using freshet::errc;
using freshet::error;
using freshet::result;
using freshet::time_point;
using freshet::ttl_cache_options;
using freshet::testing::manual_clock;
using support::every_choice;

/// What the source had when a load began.
struct tagged {
    int version{};
    time_point began{};
};

/// Tells how often it was asked, so that a thread can be seen to have looked.
template <class Store>
struct watched : Store {
    using Store::Store;
    std::atomic<int> looks{};
    auto get(const std::string& key) {
        auto found = Store::get(key);
        ++looks;
        return found;
    }
};

using memory_store = adapters::memory::ttl_store<manual_clock, tagged>;
using local_store = freshet::local_store<std::string, tagged, manual_clock>;

enum class step : std::uint8_t { ask_a, ask_b, erase_a, put_a, clear, pass_time, other_erases_a, thread_asks_a };
constexpr std::array step_names{"ask a", "ask b",     "erase a",        "put a",
                                "clear", "pass time", "other erases a", "thread asks a"};

/// A source, a store, two caches over it, and a script of steps that is made up as it goes: whenever a loader runs, any
/// of the steps that are left may come before it returns.
template <class Store>
class world {
public:
    world(const ttl_cache_options& options, every_choice& choices, std::size_t steps, std::size_t kinds)
        : cache_{store_, clock_, options},
          other_{store_, clock_, options},
          options_{options},
          choices_{choices},
          left_{steps},
          kinds_{kinds} {}

    /// What went wrong, after the steps that were made; empty where nothing did.
    [[nodiscard]] auto run() -> std::string {
        while (left_ > 0) { make(choices_.take(kinds_)); }
        threads_.clear();
        check_store();
        const auto all = cache_.statistics();
        if (all.hits + all.stale + all.misses != questions_) { complain("the questions are not all counted"); }
        return wrong_.empty() ? wrong_ : script_ + "=> " + wrong_;
    }

private:
    struct source {
        std::atomic<int> version{1};
        int loading{};
    };

    void make(std::size_t chosen) {
        --left_;
        script_ += step_names.at(chosen) + std::string{", "};
        switch (static_cast<step>(chosen)) {
            case step::ask_a: ask("a"); break;
            case step::ask_b: ask("b"); break;
            case step::erase_a:
                ++of("a").version;
                succeeds(cache_.erase("a"));
                break;
            case step::put_a:
                ++of("a").version;
                succeeds(cache_.put("a", {of("a").version, clock_.now()}));
                break;
            case step::clear:
                ++of("a").version;
                ++of("b").version;
                succeeds(cache_.clear());
                break;
            case step::pass_time: clock_.advance(10s); break;
            case step::other_erases_a:
                ++of("a").version;
                succeeds(other_.erase("a"));
                break;
            case step::thread_asks_a: thread_asks(); break;
        }
        check_store();
    }

    void ask(const std::string& key) {
        auto& from = of(key);
        const int least = from.version;
        const bool was_loading = from.loading != 0;
        bool called = false;
        bool failed = false;
        time_point began{};
        ++questions_;
        const auto answer = cache_.get_or_load(key, [&](freshet::deadline) -> result<tagged> {
            called = true;
            began = clock_.now();
            const tagged seen{from.version, began};
            ++from.loading;
            script_ += "[";
            while (left_ > 0) {
                const auto chosen = choices_.take(kinds_ + 1);
                if (chosen == kinds_) { break; }
                make(chosen);
            }
            --from.loading;
            failed = choices_.take(2) == 1;
            script_ += failed ? "fails] " : "] ";
            if (failed) { return error{errc::unavailable, "down"}; }
            return seen;
        });
        const auto now = clock_.now();
        const bool late = called && now - began >= options_.load_time;
        if (!answer) {
            if (!called || !(late || failed)) {
                complain("an answer is missing");
            } else if ((answer.why().code == errc::expired) != (late && !failed)) {
                complain("another error");
            }
            return;
        }
        if (!answer->value) { return complain("no value"); }
        if (answer->value->version < least) { complain("an answer from before an invalidation"); }
        if (answer->age != now - answer->value->began) { complain("a wrong age"); }
        if (!fits(answer->origin, answer->age, called, failed || late, was_loading)) {
            complain("origin " + std::string{name_of(answer->origin)});
        }
    }

    [[nodiscard]] auto fits(cache_origin origin, freshet::duration age, bool called, bool failed,
                            bool was_loading) const -> bool {
        const auto stale = age - options_.ttl;
        switch (origin) {
            case cache_origin::loaded: return (called && !failed) || (!called && !threads_.empty());
            case cache_origin::fresh: return (!called || failed) && stale < 0s;
            case cache_origin::stale_refreshing:
                return !called && (was_loading || !threads_.empty()) && stale >= 0s &&
                       stale < options_.stale_while_revalidate;
            case cache_origin::stale_error: // also in the pause after an error
                return (!called || failed) && stale >= 0s &&
                       stale < std::max(options_.stale_if_error, options_.stale_while_revalidate);
            case cache_origin::bypassed: return false;
        }
        return false;
    }

    /// Whatever else happens, it must have what is not older than when it asks.
    void thread_asks() {
        ++questions_;
        const int looks = store_.looks;
        threads_.emplace_back([this, least = of("a").version.load()] {
            auto& from = of("a");
            const auto answer = cache_.get_or_load("a", [&]() -> result<tagged> {
                return tagged{from.version, clock_.now()};
            });
            if (answer && answer->value->version < least) { complain("a thread's answer from before an invalidation"); }
        });
        while (store_.looks == looks) { std::this_thread::yield(); }
    }

    void check_store() {
        for (const auto* key : {"a", "b"}) {
            const auto found = store_.Store::get(key);
            if (found->entry && found->entry->value && found->entry->value->version < of(key).version) {
                complain("the store has " + std::string{key} + " from before an invalidation");
            }
        }
    }
    void succeeds(const result<void>& done) {
        if (!done) { complain(done.why().note); }
    }
    void complain(const std::string& what) {
        const std::scoped_lock lock{mutex_};
        wrong_ += what + "; ";
    }
    auto of(std::string_view key) -> source& { return sources_.at(key == "a" ? 0 : 1); }

    manual_clock clock_;
    watched<Store> store_{clock_};
    freshet::ttl_cache<watched<Store>, manual_clock> cache_;
    freshet::ttl_cache<watched<Store>, manual_clock> other_;
    ttl_cache_options options_;
    every_choice& choices_;
    std::size_t left_;
    std::size_t kinds_;
    std::array<source, 2> sources_{};
    std::uint64_t questions_{};
    std::string script_;
    std::mutex mutex_;
    std::string wrong_;
    std::vector<std::jthread> threads_;
};

/// Every script of so many steps.
template <class Store = memory_store>
void run_all(const ttl_cache_options& options, std::size_t steps, std::size_t kinds) {
    every_choice choices;
    std::size_t scripts = 0;
    do {
        ++scripts;
        if (const auto wrong = world<Store>{options, choices, steps, kinds}.run(); !wrong.empty()) {
            FAIL_CHECK(wrong);
            break;
        }
    } while (choices.next());
    CHECK(scripts > 2'000);
}

constexpr ttl_cache_options plain{{.ttl = 10s}, 1min};
constexpr ttl_cache_options stale{
    {.ttl = 10s, .refresh_ahead = 0.9, .stale_while_revalidate = 15s, .stale_if_error = 25s}, 1min, 5s};
constexpr ttl_cache_options hasty{{.ttl = 30s, .idle = 20s, .stale_if_error = 30s}, 10s, 0s};

} // namespace

TEST_CASE("no order and nesting of steps makes a cache give or keep what was loaded before an invalidation") {
    SUBCASE("with a time to live") { run_all(plain, 4, 7); }
    SUBCASE("with stale times and a pause after errors") { run_all(stale, 4, 7); }
    SUBCASE("over a local store") { run_all<local_store>(stale, 4, 7); }
    SUBCASE("with loads that come too late, and idle times") { run_all(hasty, 4, 7); }
}

TEST_CASE("nor does one in which other threads ask meanwhile, and share the load") {
    SUBCASE("with a time to live") { run_all(plain, 3, 8); }
    SUBCASE("with stale times and a pause after errors") { run_all(stale, 3, 8); }
}
