#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <freshet/backend/clock.hpp>
#include <freshet/backend/executor.hpp>
#include <freshet/backend/shareable.hpp>
#include <freshet/backend/ttl_store.hpp>
#include <freshet/cache/freshness.hpp>
#include <freshet/cache/key_text.hpp>
#include <freshet/cache/loader_answer.hpp>
#include <freshet/core/observe.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/isolated.hpp>

namespace freshet {

struct updater_options {
    duration period{std::chrono::minutes{5}};    ///< between two runs
    duration overlap{std::chrono::minutes{1}};   ///< that an entry outlives the run after it
    duration load_time{std::chrono::minutes{1}}; ///< a load's deadline; shorter than the store's fence time
};

/// What became of a key.
enum class update_outcome : std::uint8_t {
    added,        ///< there was no entry
    updated,      ///< it took an older entry's place
    overtaken,    ///< it was invalidated since its load began; nothing was kept
    load_failed,  ///< the older entry stays
    store_failed, ///< the older entry stays, as far as the store's failure lets one know
    not_begun,    ///< because of a stop or the deadline
};

/// The outcome's name as it stands in the enumeration, for logs.
[[nodiscard]] constexpr auto name_of(update_outcome outcome) noexcept -> std::string_view {
    switch (outcome) {
        case update_outcome::added: return "added";
        case update_outcome::updated: return "updated";
        case update_outcome::overtaken: return "overtaken";
        case update_outcome::load_failed: return "load_failed";
        case update_outcome::store_failed: return "store_failed";
        case update_outcome::not_begun: return "not_begun";
    }
    return "unknown";
}

template <class Key>
struct key_update {
    Key key;
    update_outcome outcome{update_outcome::not_begun};
    std::optional<error> why{}; ///< of a failure
    duration took{};

    /// The key's entry is new, or is gone because it should be.
    [[nodiscard]] auto ok() const noexcept -> bool { return outcome <= update_outcome::overtaken; }
};

/// What a run did, key by key in their order.
template <class Key>
struct update_report {
    std::vector<key_update<Key>> keys;
    duration took{};

    [[nodiscard]] auto succeeded() const noexcept -> std::size_t {
        std::size_t good = 0;
        for (const auto& each : keys) { good += each.ok() ? 1 : 0; }
        return good;
    }
    [[nodiscard]] auto failed() const noexcept -> std::size_t { return keys.size() - succeeded(); }

    /// Fails, as the first key that failed did, when no key succeeded and there were any: then the run itself has
    /// failed. `expired` where none was begun.
    [[nodiscard]] auto as_result() const -> result<void> {
        if (keys.empty() || succeeded() != 0) { return {}; }
        const auto none = "none of " + std::to_string(keys.size()) + " keys was updated";
        const auto first = std::find_if(keys.begin(), keys.end(), [](const auto& each) { return each.why; });
        if (first == keys.end()) { return error{errc::expired, none + ", the run was stopped or had no time"}; }
        return error{first->why->code, none + "; the first that failed: " + first->why->note};
    }
};

/// What a run did about a key.
struct key_updated {
    static constexpr std::string_view name = "key_updated";
    std::string_view key; ///< as `key_text` shows it
    update_outcome outcome;
    duration took;
    std::string_view note; ///< why it failed; empty where it did not
    void fields(auto&& visit) const {
        visit("key", key);
        visit("outcome", name_of(outcome));
        visit("took", took);
        visit("note", note);
    }
};

/// Loads a set of keys anew, some at a time, and puts them into a store for the period until the next run and a little
/// more, so that the entries outlive a run that is late.
///
/// One key's failure is its own, and leaves its old entry. `load(key, deadline)` answers with a `result` of a value, an
/// optional one, or of `loaded`; whatever it throws is that key's failure; it is called by several threads at once. A
/// load that comes too late is a failure (`expired`). A store that refuses a load for another key's sake has it loaded
/// once more; a second such refusal is a failure (`store_failed`, with `conflict`). Borrows the store and the clock,
/// which threads may share.
template <class Store, class Clock, class Observer = unobserved>
class updater {
    static_assert(ttl_store<Store> && shareable<Store>,
                  "an updater needs a ttl_store that threads may share, as freshet::ttl_store has it");
    static_assert(clock<Clock> && shareable<Clock>,
                  "an updater needs a clock that threads may share: now() -> time_point, and is_shareable");

public:
    using key_type = typename Store::key_type;
    using mapped_type = typename Store::mapped_type;
    using emits = event_list<key_updated>;

    explicit updater(Store& store, const Clock& clock, updater_options options = {}, Observer seen = {})
        : store_{store}, clock_{clock}, options_{options}, seen_{std::move(seen)} {}
    explicit updater(Store&, const Clock&&, updater_options = {}, Observer = {}) = delete;

    /// As many keys at once as the executor has workers. No key begins after a stop or at the deadline. The observer is
    /// told at the end, in the keys' order.
    template <class Executor, class Load>
    [[nodiscard]] auto run(Executor& workers, std::span<const key_type> keys, Load&& load,
                           const deadline& until = deadline::never(), const std::stop_token& stop = {})
        -> update_report<key_type> {
        static_assert(executor<Executor>, "an updater needs an executor: each(std::size_t n, body) -> void");
        static_assert(std::is_invocable_v<Load&, const key_type&, const deadline&>,
                      "an updater's load is called with a key and a freshet::deadline");
        const auto began = clock_.now();
        update_report<key_type> report;
        for (const auto& key : keys) { report.keys.push_back({key}); }
        workers.each(keys.size(), [&](std::size_t i) {
            const auto start = clock_.now();
            if (stop.stop_requested() || until.passed(start)) { return; }
            auto& mine = report.keys[i];
            update(mine, load, start, until);
            mine.took = age_of(start, clock_.now());
        });
        report.took = age_of(began, clock_.now());
        for (const auto& each : report.keys) { tell(each); }
        return report;
    }

private:
    template <class Load>
    void update(key_update<key_type>& mine, Load& load, time_point start, const deadline& until) {
        const auto fail = [&](update_outcome outcome, error why) {
            mine.outcome = outcome;
            mine.why = std::move(why);
        };
        const auto look = [&] { return isolated([&] { return store_.get(mine.key); }); };
        auto seen = look();
        for (bool again = false; seen; again = true) {
            const auto entry = load_entry(mine.key, load, start, until);
            if (!entry) { return fail(update_outcome::load_failed, entry.why()); }
            const auto kept = isolated([&] { return store_.put(mine.key, *entry, seen->ticket); });
            if (kept) {
                mine.outcome = seen->entry ? update_outcome::updated : update_outcome::added;
                return;
            }
            if (kept.why().code != errc::conflict) { return fail(update_outcome::store_failed, kept.why()); }
            seen = look();
            if (seen && (!seen->entry || seen->entry->loaded_at >= start)) {
                mine.outcome = update_outcome::overtaken;
                return;
            }
            // An older entry is there still: the refusal was none of this key's. The new ticket may hide an
            // invalidation, and so needs a load of its own.
            if (again) { return fail(update_outcome::store_failed, kept.why()); }
            start = clock_.now();
        }
        fail(update_outcome::store_failed, seen.why());
    }

    template <class Load>
    [[nodiscard]] auto load_entry(const key_type& key, Load& load, time_point start, const deadline& until)
        -> result<cache_entry<mapped_type>> {
        const auto in_time = std::min(deadline::in(options_.load_time, start), until);
        auto brought = detail::as_loaded<mapped_type>([&]() -> decltype(auto) { return load(key, in_time); });
        if (!brought) { return brought.why(); }
        if (in_time.passed(clock_.now())) { return error{errc::expired, "the load took longer than it may"}; }
        const auto next_run = detail::later_by(start, options_.period);
        const auto gone_at =
            brought->ttl ? detail::later_by(start, *brought->ttl) : detail::later_by(next_run, options_.overlap);
        return cache_entry<mapped_type>{std::move(brought->value), start, gone_at, gone_at};
    }

    void tell(const key_update<key_type>& mine) {
        if constexpr (hears<Observer, key_updated>) {
            const key_text text{mine.key};
            emit(seen_, key_updated{text.view(), mine.outcome, mine.took,
                                    mine.why ? std::string_view{mine.why->note} : std::string_view{}});
        }
    }

    Store& store_;
    const Clock& clock_;
    updater_options options_;
    [[no_unique_address]] observer_for<Observer, emits> seen_;
};

} // namespace freshet
