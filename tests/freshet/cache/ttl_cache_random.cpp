#include <freshet/cache/ttl_cache.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <adapters/memory/ttl_store.hpp>
#include <freshet/cache/local_store.hpp>
#include <freshet/testing/faults.hpp>
#include <freshet/testing/faulty_ttl_store.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <freshet/testing/shuffled_executor.hpp>

#include "../../support/cases.hpp"
#include "cache_model.hpp"

namespace {

using namespace std::chrono_literals;
using freshet::deadline;
using freshet::duration;
using freshet::errc;
using freshet::error;
using freshet::result;
using freshet::ttl_cache;
using freshet::ttl_cache_options;
using freshet::testing::fault;
using freshet::testing::manual_clock;
using tests::cache_model;
using tests::fault_kind;
using tests::planned_faults;
using tests::planned_load;
using memory_store = adapters::memory::ttl_store<manual_clock, int>;
using faulty_store = freshet::testing::faulty_ttl_store<memory_store>;
using loaded = freshet::loaded<int>;

class dice {
public:
    explicit dice(std::uint64_t seed) : random_{seed} {}
    [[nodiscard]] auto below(std::size_t n) -> std::size_t { return static_cast<std::size_t>(random_() % n); }
    [[nodiscard]] auto one_in(std::size_t n) -> bool { return below(n) == 0; }
    template <class T, std::size_t N>
    [[nodiscard]] auto any(const std::array<T, N>& of) -> T {
        return of[below(N)];
    }

private:
    std::mt19937_64 random_;
};

auto any_options(dice& random) -> ttl_cache_options {
    constexpr std::array<duration, 6> spans{0s, 0s, 1s, 10s, 60s, 700s};
    constexpr std::array<double, 5> parts{0.0, 0.0, 0.5, 0.9, 1.5};
    ttl_cache_options options;
    options.ttl = random.any(std::array<duration, 4>{1s, 10s, 60s, 2h});
    options.negative_ttl = random.any(spans);
    options.idle = random.any(spans);
    options.refresh_ahead = random.any(parts);
    options.stale_while_revalidate = random.any(spans);
    options.stale_if_error = random.any(spans);
    options.load_time = random.any(std::array<duration, 3>{1s, 5s, 1min});
    options.error_pause = random.any(spans);
    options.refreshing = random.one_in(2) ? freshet::refreshed_by::host : freshet::refreshed_by::caller;
    return options;
}

/// A cache and its model, which are told and asked the same.
class duel {
public:
    explicit duel(std::uint64_t seed) : random_{seed}, options_{any_options(random_)}, any_order_{seed} {}

    void step() {
        const std::string key(1, static_cast<char>('a' + random_.below(4)));
        const auto action = random_.below(40);
        if (action < 18) {
            ask(key);
        } else if (action < 21) {
            get(key);
        } else if (action < 23) {
            put(key);
        } else if (action < 25) {
            erase(key);
        } else if (action == 25) {
            clear();
        } else if (action < 28) {
            refresh();
        } else if (action < 30) {
            ask_many();
        } else {
            pass(random_.any(std::array<duration, 9>{1us, 1s, 1s, 5s, 10s, 60s, 60s, -2s, 1h}));
        }
        if (random_.one_in(100)) { pass(random_.one_in(2) ? 1h : -1h); }
        CHECK(cache_.statistics() == model_.counted);
        CHECK(clock_.now() == model_.now);
    }

private:
    [[nodiscard]] auto any_load(bool takes_time = true) -> planned_load {
        planned_load load;
        load.succeeds = !random_.one_in(4);
        if (!random_.one_in(4)) { load.value = ++version_; }
        if (random_.one_in(5)) { load.ttl = random_.any(std::array<duration, 5>{-1s, 0s, 1us, 7s, 1h}); }
        if (takes_time && random_.one_in(3)) {
            load.takes = random_.any(std::array<duration, 5>{1us, 1s - 1us, 1s, 4s, 1min});
        }
        return load;
    }
    [[nodiscard]] auto any_faults() -> planned_faults {
        planned_faults planned;
        const auto plan = [&](const char* operation, fault_kind& what) {
            if (!random_.one_in(40)) { return; }
            what = random_.one_in(2) ? fault_kind::before : fault_kind::after;
            script_.next(operation, {what == fault_kind::before ? fault::before() : fault::after()});
        };
        script_ = {};
        plan("store.get", planned.get);
        plan("store.put", planned.put);
        plan("store.touch", planned.touch);
        plan("store.erase", planned.erase);
        return planned;
    }
    [[nodiscard]] static auto outcome(const planned_load& load) -> result<loaded> {
        if (!load.succeeds) { return error{errc::unavailable, "down"}; }
        return loaded{load.value, load.ttl};
    }
    [[nodiscard]] static auto text(const result<freshet::cached<int>>& answer) -> std::string {
        return answer ? cache_model::text(answer->value, name_of(answer->origin), answer->age)
                      : std::string{name_of(answer.why().code)};
    }

    void ask(const std::string& key) {
        const auto load = any_load();
        const auto faults = any_faults();
        const auto expected = model_.ask(key, load, faults);
        CHECK(text(cache_.get_or_load(key, [&]() -> result<loaded> {
                  clock_.advance(load.takes);
                  return outcome(load);
              })) == expected);
    }
    void get(const std::string& key) {
        const auto expected = model_.get(key, any_faults());
        const auto answer = cache_.get(key);
        CHECK((answer && !*answer ? "nothing" : text(answer ? result<freshet::cached<int>>{**answer} : answer.why())) ==
              expected);
    }
    void put(const std::string& key) {
        const auto load = any_load();
        const auto expected = model_.put(key, ++version_, load.ttl, any_faults());
        CHECK(cache_.put(key, version_, load.ttl).ok() == expected);
    }
    void erase(const std::string& key) {
        const auto expected = model_.erase(key, any_faults());
        CHECK(cache_.erase(key).ok() == expected);
    }
    void clear() {
        script_ = {};
        model_.clear();
        CHECK(cache_.clear().ok());
    }
    void refresh() {
        script_ = {};
        std::map<std::string, planned_load> loads;
        for (char name = 'a'; name != 'e'; ++name) { loads[{name}] = any_load(false); }
        const auto expected = model_.refresh(loads);
        const auto done =
            cache_.refresh_due(any_order_, [&](const std::string& key, deadline) { return outcome(loads.at(key)); });
        CHECK(std::to_string(done.refreshed) + " " + std::to_string(done.spared) + " " + std::to_string(done.failed) ==
              expected);
    }
    /// Loads that take no time: then many are as good as one after the other.
    void ask_many() {
        script_ = {};
        std::vector<std::string> keys;
        std::map<std::string, planned_load> loads;
        std::vector<std::string> expected;
        for (char name = 'a'; name != 'e'; ++name) {
            if (random_.one_in(2)) { continue; }
            keys.emplace_back(1, name);
            loads[keys.back()] = any_load(false);
            expected.push_back(model_.ask(keys.back(), loads[keys.back()], {}));
        }
        const auto answers = cache_.get_or_load_all(keys, [&](std::span<const std::string> wanted, deadline) {
            std::vector<result<loaded>> brought;
            for (const auto& key : wanted) { brought.push_back(outcome(loads.at(key))); }
            return brought;
        });
        std::vector<std::string> got;
        for (const auto& each : answers) { got.push_back(text(each)); }
        CHECK(got == expected);
    }
    void pass(duration span) {
        clock_.advance(span);
        model_.now += span;
    }

    dice random_;
    ttl_cache_options options_;
    manual_clock clock_{};
    memory_store memory_{clock_, {.fence_time = 24h * 3'650}};
    freshet::testing::faults script_{};
    faulty_store store_{memory_, script_};
    ttl_cache<faulty_store, manual_clock> cache_{store_, clock_, options_};
    cache_model model_{options_};
    freshet::testing::shuffled_executor any_order_;
    int version_{};
};

/// How the threads of a test share a source: its version is moved on, then its key is invalidated.
struct versions {
    std::mutex writing; ///< of two writers, one knows what is the newest
    std::atomic<int> current{1};
    std::atomic<int> promised{1}; ///< whoever asks from now on has this one, or a newer one
};

template <class Store>
void race(Store& store, manual_clock& clock, const ttl_cache_options& options, std::uint64_t seed) {
    ttl_cache cache{store, clock, options};
    ttl_cache other{store, clock, options};
    const std::vector<std::string> keys{"a", "b", "c"};
    std::array<versions, 3> sources;
    const auto place = [](const std::string& key) { return static_cast<std::size_t>(key[0] - 'a'); };
    std::atomic<int> wrong{0};
    std::atomic<std::uint64_t> questions{0};
    const auto check = [&](const auto& answer, int least) {
        ++questions;
        if (answer && (!answer->value || *answer->value < least)) { ++wrong; }
        if (!answer && answer.why().code != errc::unavailable && answer.why().code != errc::expired) { ++wrong; }
    };
    const auto steps = support::cases(300);
    const auto work = [&](std::uint64_t worker) {
        dice random{seed * 16 + worker};
        const auto load = [&](const std::string& key) -> result<int> {
            const int seen = sources[place(key)].current;
            if (random.one_in(4)) { std::this_thread::yield(); }
            if (random.one_in(8)) { return error{errc::unavailable, "down"}; }
            return seen;
        };
        for (std::size_t step = 0; step != steps; ++step) {
            auto& mine = random.one_in(4) ? other : cache;
            const auto& key = keys[random.below(keys.size())];
            auto& source = sources[place(key)];
            const auto action = random.below(20);
            if (random.one_in(50)) { clock.advance(3s); }
            if (action < 12) {
                const int least = source.promised;
                check(mine.get_or_load(key, [&] { return load(key); }), least);
            } else if (action < 14) { // a loader that asks for another key, any circle of them
                const int least = source.promised;
                const auto& inner = keys[random.below(keys.size())];
                check(mine.get_or_load(key,
                                       [&]() -> result<int> {
                                           auto brought = load(key);
                                           const int inner_least = sources[place(inner)].promised;
                                           check(mine.get_or_load(inner, [&] { return load(inner); }), inner_least);
                                           return brought;
                                       }),
                      least);
            } else if (action < 16) {
                std::array<int, 3> least{};
                for (std::size_t i = 0; i != keys.size(); ++i) { least[i] = sources[i].promised; }
                const auto all = mine.get_or_load_all(keys, [&](std::span<const std::string> wanted, deadline) {
                    std::vector<result<loaded>> brought;
                    for (const auto& each : wanted) {
                        const auto one = load(each);
                        brought.push_back(one ? result<loaded>{loaded{*one}} : result<loaded>{one.why()});
                    }
                    return brought;
                });
                for (std::size_t i = 0; i != keys.size(); ++i) { check(all[i], least[i]); }
            } else if (action < 19) {
                const std::scoped_lock lock{source.writing};
                const int version = ++source.current;
                wrong += (action < 18 ? mine.erase(key) : mine.put(key, version)).ok() ? 0 : 1;
                source.promised = version;
            } else {
                const std::scoped_lock lock{sources[0].writing, sources[1].writing, sources[2].writing};
                for (auto& each : sources) { ++each.current; }
                wrong += mine.clear().ok() ? 0 : 1;
                for (auto& each : sources) { each.promised = each.current.load(); }
            }
        }
    };
    {
        std::vector<std::jthread> crew;
        for (std::uint64_t worker = 0; worker != 4; ++worker) { crew.emplace_back(work, worker); }
    }
    CHECK(wrong == 0);
    const auto first = cache.statistics();
    const auto second = other.statistics();
    CHECK(first.hits + first.stale + first.misses + second.hits + second.stale + second.misses == questions);
    CHECK(first.store_failures + second.store_failures == 0);
}

void race_rounds(auto&& make_store) {
    const auto rounds = support::cases(10);
    for (std::size_t round = 0; round < rounds; ++round) {
        const auto seed = support::seed() + round;
        CAPTURE(seed);
        manual_clock clock;
        const auto store = make_store(clock);
        race(*store, clock,
             {{.ttl = 10s, .refresh_ahead = round % 2 == 0 ? 0.0 : 1e-9, .stale_if_error = 10s}, 1min, 0s}, seed);
    }
}

} // namespace

TEST_CASE("whatever is asked, put, invalidated and goes wrong, a cache answers as a plain map with a clock does") {
    const auto rounds = support::cases(200);
    for (std::size_t round = 0; round < rounds; ++round) {
        const auto seed = support::seed() + round;
        CAPTURE(seed);
        duel both{seed};
        for (int step = 0; step != 500; ++step) {
            CAPTURE(step);
            both.step();
        }
    }
}

TEST_CASE("with jitter an entry is fresh at least for its time, at most for so much longer, and not past its end") {
    const auto rounds = support::cases(200);
    for (std::size_t round = 0; round < rounds; ++round) {
        const auto seed = support::seed() + round;
        CAPTURE(seed);
        dice random{seed};
        auto options = any_options(random);
        options.jitter = random.any(std::array<double, 4>{0.1, 0.5, 1.0, 20.0});
        options.refreshing = freshet::refreshed_by::caller;
        options.idle = 0s;
        manual_clock clock;
        memory_store store{clock};
        ttl_cache cache{store, clock, options};
        const auto ttl = static_cast<double>(options.ttl.count());
        const auto hard = options.ttl + std::max(options.stale_while_revalidate, options.stale_if_error);
        const auto ahead = options.refresh_ahead > 0 && options.refresh_ahead < 1 ? options.refresh_ahead : 1.0;
        std::map<std::string, freshet::time_point> loaded_at;
        for (int step = 0; step != 200; ++step) {
            CAPTURE(step);
            const auto key = std::to_string(random.below(4));
            const auto age = loaded_at.count(key) == 0 ? duration::max() : clock.now() - loaded_at[key];
            bool called = false;
            const auto answer = cache.get_or_load(key, [&]() -> result<int> {
                called = true;
                return 1;
            });
            const auto part = static_cast<double>(age.count()) / ttl;
            if (called) {
                CHECK((part >= ahead - 1e-9 || age >= hard));
                loaded_at[key] = clock.now();
            } else {
                CHECK(answer->origin == freshet::cache_origin::fresh);
                CHECK(part <= ahead + options.jitter);
                CHECK(age < hard);
            }
            clock.advance(duration{static_cast<duration::rep>(random.below(static_cast<std::size_t>(ttl / 2)))});
        }
    }
}

TEST_CASE("of threads that ask and invalidate, none has what was loaded before an invalidation that he asked after") {
    race_rounds([](manual_clock& clock) { return std::make_unique<memory_store>(clock); });
}

TEST_CASE("nor has any over a local store, also where it has no room") {
    race_rounds([](manual_clock& clock) {
        return std::make_unique<freshet::local_store<std::string, int, manual_clock>>(
            clock, freshet::local_store_options{.max_entries = 2});
    });
}
