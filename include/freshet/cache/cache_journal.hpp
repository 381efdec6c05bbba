#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <freshet/cache/cache_events.hpp>
#include <freshet/cache/cache_statistics.hpp>
#include <freshet/cache/cached.hpp>
#include <freshet/cache/key_text.hpp>
#include <freshet/core/observe.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>

namespace freshet::detail {

/// Counts what a cache does, and tells its observer. Each question is told as one `cache_hit` or one `cache_miss`.
template <class Key, class Observer>
class cache_journal {
public:
    using emits = event_list<cache_hit, cache_miss, cache_loaded, cache_load_failed, cache_load_overtaken,
                             cache_bypassed, cache_erased, cache_cleared>;

    explicit cache_journal(Observer seen) : seen_{std::move(seen)} {}

    void answered(const Key& key, cache_origin origin, duration age) {
        if (origin == cache_origin::loaded || origin == cache_origin::bypassed) { return missed(key); }
        counters_.add(origin == cache_origin::fresh ? hits : stale);
        tell<cache_hit>(key, origin, age);
    }
    /// Also where nothing was brought.
    void missed(const Key& key) {
        counters_.add(misses);
        tell<cache_miss>(key);
    }
    void shared() noexcept { counters_.add(shared_loads); }
    /// A loader was called, for one key or many; `loaded` and `load_failed` tell of each.
    void load_ended(duration took) noexcept { counters_.add(load_time, static_cast<std::uint64_t>(took.count())); }
    void loaded(const Key& key, duration took, bool found) {
        counters_.add(loads);
        tell<cache_loaded>(key, took, found);
    }
    void load_failed(const Key& key, const error& why, duration took) {
        counters_.add(load_failures);
        tell<cache_load_failed>(key, why, took);
    }
    void overtaken(const Key& key) {
        counters_.add(overtaken_loads);
        tell<cache_load_overtaken>(key);
    }
    void store_failed(const Key& key, const error& why) {
        counters_.add(store_failures);
        tell<cache_bypassed>(key, why);
    }
    void erased(const Key& key) { tell<cache_erased>(key); }
    void cleared(const result<void>& outcome) {
        if (outcome) { return emit(seen_, cache_cleared{}); }
        counters_.add(store_failures);
        emit(seen_, cache_bypassed{{}, outcome.why()});
    }

    [[nodiscard]] auto statistics() const noexcept -> cache_statistics {
        return {.hits = counters_.sum(hits),
                .stale = counters_.sum(stale),
                .misses = counters_.sum(misses),
                .loads = counters_.sum(loads),
                .load_failures = counters_.sum(load_failures),
                .shared = counters_.sum(shared_loads),
                .overtaken = counters_.sum(overtaken_loads),
                .store_failures = counters_.sum(store_failures),
                .load_time = duration{static_cast<duration::rep>(counters_.sum(load_time))}};
    }

private:
    enum kind : std::size_t {
        hits,
        stale,
        misses,
        loads,
        load_failures,
        shared_loads,
        overtaken_loads,
        store_failures,
        load_time,
        kinds
    };

    template <class Event, class... Parts>
    void tell(const Key& key, const Parts&... parts) {
        if constexpr (hears<Observer, Event>) {
            const key_text text{key};
            emit(seen_, Event{text.view(), parts...});
        }
    }

    [[no_unique_address]] observer_for<Observer, emits> seen_;
    striped_counters<kinds> counters_;
};

} // namespace freshet::detail
