#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include <freshet/backend/clock.hpp>
#include <freshet/backend/executor.hpp>
#include <freshet/backend/shareable.hpp>
#include <freshet/backend/ttl_store.hpp>
#include <freshet/cache/at_end.hpp>
#include <freshet/cache/cache_entries.hpp>
#include <freshet/cache/cache_events.hpp>
#include <freshet/cache/cache_journal.hpp>
#include <freshet/cache/cache_statistics.hpp>
#include <freshet/cache/cached.hpp>
#include <freshet/cache/freshness.hpp>
#include <freshet/cache/invalidation_counts.hpp>
#include <freshet/cache/key_text.hpp>
#include <freshet/cache/load_id.hpp>
#include <freshet/cache/loader_answer.hpp>
#include <freshet/cache/remembered_keys.hpp>
#include <freshet/cache/single_flight.hpp>
#include <freshet/cache/ttl_cache_options.hpp>
#include <freshet/core/observe.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/isolated.hpp>

namespace freshet {

/// Answers from a store, and from the source where the store has no answer that is fresh enough.
///
/// A loader is called with its deadline, or with nothing, and answers with a `result` of a value, of an optional one,
/// or of `loaded`. Whatever it throws is a failed load. Of those who miss a key at the same time, one loads and the
/// others have what he got, value or error. A loader may ask the same cache, also for its own key, and wait for loads
/// that wait for it; circles through several caches, or through threads that a loader waits for, are not seen.
///
/// What was loaded before an invalidation is never kept, and answers only who asked before it ended: invalidations of
/// this cache, and, where the store's `fence` is shared, everybody's, so far as the store can be asked. A store that
/// fails costs the caching and not the answer: it comes from the source, and its origin says so.
///
/// Thread safe; the store and the clock must be so too. Borrows both.
template <class Store, class Clock, class Observer = unobserved>
class ttl_cache {
    static_assert(ttl_store<Store>,
                  "a ttl_cache needs a ttl_store: key_type, mapped_type, fence, get, put, touch, "
                  "erase and clear, as freshet::ttl_store has them");
    static_assert(shareable<Store>,
                  "a ttl_cache's store is used by several threads at once: it says so with "
                  "`using is_shareable = void;`");
    static_assert(clock<Clock> && shareable<Clock>,
                  "a ttl_cache needs a clock that threads may share: now() -> time_point, and is_shareable");
    static_assert(std::same_as<Observer, unobserved> || shareable<Observer>,
                  "a ttl_cache's observer is called by several threads at once: a shared_watch is the word that its "
                  "functions may be");

public:
    using is_shareable = void;
    using key_type = typename Store::key_type;
    using mapped_type = typename Store::mapped_type;
    using answer_type = cached<mapped_type>;
    using emits = typename detail::cache_journal<key_type, Observer>::emits;

    explicit ttl_cache(Store& store, const Clock& clock, ttl_cache_options options = {}, Observer seen = {})
        : store_{store},
          clock_{clock},
          options_{options},
          entries_{store, clock, options},
          journal_{std::move(seen)},
          paused_{options.remembered},
          due_{options.remembered} {}
    explicit ttl_cache(Store&, const Clock&&, ttl_cache_options = {}, Observer = {}) = delete;
    ttl_cache(const ttl_cache&) = delete;
    auto operator=(const ttl_cache&) -> ttl_cache& = delete;

    /// What is kept and fresh; absent where nothing is. Never loads. Fails when the store does.
    [[nodiscard]] auto get(const key_type& key) -> result<std::optional<answer_type>> {
        auto seen = look(key);
        if (seen.good.fresh) { return std::optional{old_answer(key, seen, cache_origin::fresh, seen.at)}; }
        journal_.missed(key);
        if (seen.store_failure) { return *std::move(seen.store_failure); }
        return std::nullopt;
    }

    /// What is kept and fresh; else what `load` brings.
    ///
    /// Fails as the loader did, and with `expired` when it came too late, unless an old answer may stand in. A `load`
    /// that answers with nothing says that the source has none: the answer has no value then.
    template <class Load>
    [[nodiscard]] auto get_or_load(const key_type& key, Load&& load) -> result<answer_type> {
        auto asked = ask(key);
        if (asked.answer) { return *std::move(asked.answer); }
        if (!asked.loads()) {
            if (const auto outcome = asked.seat->wait()) { return answer_of_another(key, asked, *outcome); }
        }
        return answer_of(key, asked, *carry_out(key, asked, [&](deadline until) {
                             return detail::loader_answer<mapped_type>(load, until);
                         }));
    }

    /// The same for many keys, in their order, with one call of `load` for those that are missed:
    /// `load(std::span<const Key>, deadline)` answers with a vector of `result<loaded<Value>>`, one a key.
    ///
    /// Each key fails alone. A loader that throws, or answers for another number of keys, fails all it was asked for.
    /// It is called once more for keys that others were loading and gave up, or cannot load before this caller is done.
    template <class Load>
    [[nodiscard]] auto get_or_load_all(std::span<const key_type> keys, Load&& load)
        -> std::vector<result<answer_type>> {
        std::vector<std::optional<result<answer_type>>> answers(keys.size());
        std::unordered_map<key_type, std::size_t> first;
        std::vector<std::pair<std::size_t, asked_for>> led;
        std::vector<std::pair<std::size_t, asked_for>> others;
        for (std::size_t i = 0; i != keys.size(); ++i) {
            if (!first.emplace(keys[i], i).second) { continue; }
            auto asked = ask(keys[i]);
            if (asked.answer) {
                answers[i] = *std::move(asked.answer);
            } else {
                (asked.loads() ? led : others).emplace_back(i, std::move(asked));
            }
        }
        fetch_all(keys, led, load, answers);
        led.clear();
        for (auto& [i, asked] : others) { // only now: whom they wait for may wait for what was loaded here
            if (const auto outcome = asked.seat->wait()) {
                answers[i] = answer_of_another(keys[i], asked, *outcome);
            } else {
                led.emplace_back(i, std::move(asked));
            }
        }
        fetch_all(keys, led, load, answers);
        std::vector<result<answer_type>> all;
        all.reserve(keys.size());
        for (const auto& key : keys) { all.push_back(*answers[first.at(key)]); }
        return all;
    }

    /// Keeps a value that the caller knows to be the newest, fresh for the cache's ttl or this one. What was loaded
    /// before is kept out as by `erase`. A value whose key is invalidated meanwhile is not kept, which is no failure;
    /// invalidations that do not come through this cache are not seen while the call lasts.
    [[nodiscard]] auto put(const key_type& key, mapped_type value, std::optional<duration> ttl = {}) -> result<void> {
        const auto now = clock_.now();
        const auto before = invalidations_.of(key);
        if (auto erased = erase(key); !erased) { return erased; }
        const auto seen = look(key);
        if (seen.store_failure) { return *seen.store_failure; }
        // Somebody else's invalidation may lie between this one's and the look-up, whose ticket knows it then.
        if (!invalidations_.is_one_alone(before, invalidations_.of(key))) { return {}; }
        auto kept = entries_.put(key, std::move(value), ttl, now, seen);
        if (kept || kept.why().code == errc::conflict) { return {}; }
        journal_.store_failed(key, kept.why());
        return kept;
    }

    /// Invalidates a key. When it fails, the outcome is unknown: it may be repeated.
    [[nodiscard]] auto erase(const key_type& key) -> result<void> {
        invalidations_.begin(key);
        auto erased = [&] { // the store may throw, and an invalidation without an end would keep out every put
            const detail::at_end done{[&] {
                invalidations_.end(key);
                paused_.forget(key);
                due_.forget(key);
            }};
            return store_.erase(key);
        }();
        if (erased) {
            journal_.erased(key);
        } else {
            journal_.store_failed(key, erased.why());
        }
        return erased;
    }

    /// Invalidates all keys. When it fails, the outcome is unknown: it may be repeated.
    [[nodiscard]] auto clear() -> result<void> {
        invalidations_.begin_all();
        auto cleared = [&] {
            const detail::at_end done{[&] {
                invalidations_.end_all();
                paused_.forget_all();
                due_.forget_all();
            }};
            return store_.clear();
        }();
        journal_.cleared(cleared);
        return cleared;
    }

    /// Loads anew what answered for the time being since the last call (`refreshed_by::host`), on the executor:
    /// `load(key, deadline)` answers as a loader does.
    template <class Executor, class Load>
    auto refresh_due(Executor& workers, Load&& load) -> refresh_report {
        static_assert(executor<Executor>, "refresh_due needs an executor: each(std::size_t n, body) -> void");
        const auto keys = due_.take();
        std::atomic<std::size_t> refreshed{};
        std::atomic<std::size_t> failed{};
        workers.each(keys.size(), [&](std::size_t i) {
            const auto done = isolated([&]() -> result<bool> { return refresh(keys[i], load); });
            if (!done) {
                ++failed;
            } else if (*done) {
                ++refreshed;
            }
        });
        return {refreshed, keys.size() - refreshed - failed, failed};
    }

    [[nodiscard]] auto statistics() const noexcept -> cache_statistics { return journal_.statistics(); }

private:
    /// A call of a loader.
    struct load_call {
        time_point began;
        deadline until;
        time_point ended{};
    };
    struct outcome_of_load {
        result<loaded<mapped_type>> brought;
        time_point loaded_at{};
        cache_origin origin{cache_origin::loaded};
    };
    using flights = single_flight<detail::load_id<key_type>, outcome_of_load, detail::hash_of_load_id<key_type>>;
    using sighting = detail::cache_sighting<mapped_type>;

    /// What is known about a key when somebody asks, and what he does about it.
    struct asked_for {
        std::uint64_t landed_before{};
        std::uint64_t invalidations{};
        sighting seen{};
        std::optional<answer_type> answer{};
        std::optional<typename flights::seat> seat{};
        [[nodiscard]] auto loads() const -> bool { return seat->leads() || seat->alone(); }
    };

    [[nodiscard]] auto look(const key_type& key) -> sighting {
        auto seen = entries_.look(key);
        if (seen.store_failure) { journal_.store_failed(key, *seen.store_failure); }
        return seen;
    }
    [[nodiscard]] auto look_first(const key_type& key) -> asked_for {
        // In this order: what lands, and who invalidates, after the numbers were read is at worst thought unseen.
        const auto landed = flights_.landed_so_far();
        const auto invalidations = invalidations_.of(key);
        return {landed, invalidations, look(key)};
    }

    /// Looks, and answers or takes a seat in the load.
    [[nodiscard]] auto ask(const key_type& key) -> asked_for {
        auto asked = look_first(key);
        if (const auto origin = answers_at_once(key, asked.seen)) {
            asked.answer = old_answer(key, asked.seen, *origin, asked.seen.at);
            return asked;
        }
        board(key, asked);
        const auto& good = asked.seen.good;
        if (!asked.seat || (!asked.seat->leads() && good.may_revalidate)) {
            asked.answer = old_answer(key, asked.seen,
                                      good.fresh ? cache_origin::fresh : cache_origin::stale_refreshing, asked.seen.at);
        }
        return asked;
    }

    /// As what the entry that was seen answers without a load.
    [[nodiscard]] auto answers_at_once(const key_type& key, const sighting& seen) -> std::optional<cache_origin> {
        if (!seen.entry) { return std::nullopt; }
        if (seen.good.fresh && !seen.good.due) { return cache_origin::fresh; }
        if (is_paused(key, seen.at)) { return seen.good.fresh ? cache_origin::fresh : cache_origin::stale_error; }
        if (options_.refreshing == refreshed_by::host && seen.good.may_revalidate) {
            static_cast<void>(due_.remember(key, time_point::max(), seen.at)); // who finds no room is asked for again
            return seen.good.fresh ? cache_origin::fresh : cache_origin::stale_refreshing;
        }
        return std::nullopt;
    }

    [[nodiscard]] auto is_paused(const key_type& key, time_point now) const -> bool {
        const auto until = paused_.until(key);
        return now < until && detail::span_between(now, until) <= options_.error_pause;
    }

    /// Takes a seat; none where somebody's load ended between the look-up and that, and brought what is fresh.
    void board(const key_type& key, asked_for& asked) {
        auto& seat = asked.seat.emplace(
            flights_.board({key, asked.seen.ticket, asked.seen.store_failure ? asked.invalidations + 1 : 0}));
        if (!seat.leads() || seat.landed_before() == asked.landed_before) { return; }
        auto again = look(key);
        if (!again.good.fresh || again.good.due) { return; }
        seat.land(std::make_shared<const outcome_of_load>(
            outcome_of_load{loaded<mapped_type>{again.entry->value}, again.entry->loaded_at, cache_origin::fresh}));
        asked.seat.reset();
        asked.seen = std::move(again);
    }

    template <class Load>
    [[nodiscard]] auto refresh(const key_type& key, Load& load) -> result<bool> {
        auto asked = look_first(key);
        const auto& seen = asked.seen;
        if (seen.store_failure || (seen.entry && !seen.good.due) || is_paused(key, seen.at)) { return false; }
        board(key, asked);
        if (!asked.seat || !asked.seat->leads()) { return false; }
        const auto outcome = carry_out(key, asked, [&](deadline until) {
            return detail::as_loaded<mapped_type>([&]() -> decltype(auto) { return load(key, until); });
        });
        if (!outcome->brought) { return outcome->brought.why(); }
        return true;
    }

    template <class Load>
    auto carry_out(const key_type& key, asked_for& asked, Load&& load) -> std::shared_ptr<const outcome_of_load> {
        auto call = begin_load();
        auto brought = load(call.until);
        end_load(call);
        return keep(key, asked, std::move(brought), call);
    }

    [[nodiscard]] auto begin_load() const -> load_call {
        const auto now = clock_.now();
        return {now, deadline::in(options_.load_time, now)};
    }
    void end_load(load_call& call) {
        call.ended = clock_.now();
        journal_.load_ended(age_of(call.began, call.ended));
    }

    /// Loads the keys of these questions with one call.
    template <class Load, class Asked, class Answers>
    void fetch_all(std::span<const key_type> keys, Asked& asked, Load& load, Answers& answers) {
        if (asked.empty()) { return; }
        std::vector<key_type> wanted;
        wanted.reserve(asked.size());
        for (const auto& each : asked) { wanted.push_back(keys[each.first]); }
        auto call = begin_load();
        auto brought = detail::loader_answers<mapped_type>(load, wanted, call.until);
        end_load(call);
        for (std::size_t n = 0; n != asked.size(); ++n) {
            auto& [i, question] = asked[n];
            answers[i] = answer_of(keys[i], question, *keep(keys[i], question, std::move(brought[n]), call));
        }
    }

    /// Puts what was loaded into the store, if it may, and tells those who wait.
    auto keep(const key_type& key, asked_for& asked, result<loaded<mapped_type>> brought, const load_call& call)
        -> std::shared_ptr<const outcome_of_load> {
        const auto took = age_of(call.began, call.ended);
        if (brought && call.until.passed(call.ended)) {
            const auto shown = printable(key_text{key}.view());
            brought = error{errc::expired, "ttl cache: " + shown + ": the load took longer than it may"};
        }
        auto outcome = std::make_shared<outcome_of_load>(outcome_of_load{std::move(brought), call.began});
        if (outcome->brought) {
            paused_.forget(key);
            journal_.loaded(key, took, outcome->brought->value.has_value());
            outcome->origin = store(key, asked.seen, *outcome, call.until);
        } else {
            if (asked.seen.entry) {
                paused_.remember(key, detail::later_by(call.ended, options_.error_pause), call.ended);
            }
            journal_.load_failed(key, outcome->brought.why(), took);
        }
        if (asked.seat->leads()) { asked.seat->land(outcome); }
        return outcome;
    }

    [[nodiscard]] auto store(const key_type& key, const sighting& seen, const outcome_of_load& outcome, deadline until)
        -> cache_origin {
        if (seen.store_failure) { return cache_origin::bypassed; }
        // In time when it was loaded, but others were put before it, and the store's fence may have ended since.
        if (until.passed(clock_.now())) { return cache_origin::loaded; }
        const auto kept = entries_.put(key, outcome.brought->value, outcome.brought->ttl, outcome.loaded_at, seen);
        if (kept) { return cache_origin::loaded; }
        if (kept.why().code == errc::conflict) {
            journal_.overtaken(key);
            return cache_origin::loaded;
        }
        journal_.store_failed(key, kept.why());
        return cache_origin::bypassed;
    }

    [[nodiscard]] auto answer_of_another(const key_type& key, asked_for& asked, const outcome_of_load& outcome)
        -> result<answer_type> {
        if (outcome.origin != cache_origin::fresh) { journal_.shared(); }
        return answer_of(key, asked, outcome);
    }

    [[nodiscard]] auto answer_of(const key_type& key, asked_for& asked, const outcome_of_load& outcome)
        -> result<answer_type> {
        const auto now = clock_.now();
        if (outcome.brought) {
            const auto age = age_of(outcome.loaded_at, now);
            journal_.answered(key, outcome.origin, age);
            return answer_type{outcome.brought->value, outcome.origin, age};
        }
        if (asked.seen.entry) {
            const auto good = entries_.judged(key, *asked.seen.entry, now);
            if (good.fresh) { return old_answer(key, asked.seen, cache_origin::fresh, now); }
            if (good.may_cover) { return old_answer(key, asked.seen, cache_origin::stale_error, now); }
        }
        journal_.missed(key);
        return outcome.brought.why();
    }

    /// The answer of the entry that was seen, which is taken out of it.
    [[nodiscard]] auto old_answer(const key_type& key, sighting& seen, cache_origin origin, time_point now)
        -> answer_type {
        if (const auto touched = entries_.touch(key, *seen.entry, seen.ticket, now); !touched) {
            journal_.store_failed(key, touched.why());
        }
        const auto age = age_of(seen.entry->loaded_at, now);
        journal_.answered(key, origin, age);
        return {std::move(seen.entry->value), origin, age};
    }

    Store& store_;
    const Clock& clock_;
    ttl_cache_options options_;
    detail::cache_entries<Store, Clock> entries_;
    detail::cache_journal<key_type, Observer> journal_;
    flights flights_;
    invalidation_counts<key_type> invalidations_;
    remembered_keys<key_type> paused_;
    remembered_keys<key_type> due_;
};

} // namespace freshet
