#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include <freshet/backend/ttl_store.hpp>
#include <freshet/cache/freshness.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/work/random_source.hpp>

namespace freshet::detail {

/// What a look-up saw.
template <class Value>
struct cache_sighting {
    time_point at;
    std::optional<error> store_failure{};
    store_ticket ticket{};
    bool occupied{};                           ///< the store has an entry, whatever it is good for
    std::optional<cache_entry<Value>> entry{}; ///< where it is good for something
    freshness good{};
};

/// A cache's entries in its store, as `expiry_options` judges them.
template <class Store, class Clock>
class cache_entries {
public:
    using key_type = typename Store::key_type;
    using mapped_type = typename Store::mapped_type;
    using entry_type = cache_entry<mapped_type>;
    using sighting = cache_sighting<mapped_type>;

    cache_entries(Store& store, const Clock& clock, const expiry_options& options)
        : store_{store}, clock_{clock}, options_{options} {}

    [[nodiscard]] auto look(const key_type& key) const -> sighting {
        auto found = store_.get(key);
        sighting seen{.at = clock_.now()};
        if (!found) {
            seen.store_failure = std::move(found).why();
            return seen;
        }
        seen.ticket = found->ticket;
        seen.occupied = found->entry.has_value();
        if (seen.occupied) { seen.good = judged(key, *found->entry, seen.at); }
        if (seen.good.may_cover) { seen.entry = std::move(found->entry); }
        return seen;
    }

    [[nodiscard]] auto judged(const key_type& key, const entry_type& entry, time_point now) const -> freshness {
        return judge(times_in(entry), now, options_, options_.jitter > 0 ? draw(key, entry.loaded_at) : 0);
    }

    /// Somebody had this entry as his answer.
    [[nodiscard]] auto touch(const key_type& key, const entry_type& entry, const store_ticket& ticket,
                             time_point now) const -> result<void> {
        if (options_.idle <= duration::zero()) { return {}; }
        const auto later = times_after_access(times_in(entry), now, options_);
        return store_.touch(key, {std::nullopt, later.loaded_at, later.fresh_until, later.keep_until}, ticket);
    }

    /// What is not to be kept takes the place of what was there, and is over itself.
    [[nodiscard]] auto put(const key_type& key, std::optional<mapped_type> value, std::optional<duration> fresh_for,
                           time_point loaded_at, const sighting& seen) const -> result<void> {
        const auto ttl = fresh_for.value_or(value ? options_.ttl : options_.negative_ttl);
        if (ttl > duration::zero()) {
            const auto times = times_of(loaded_at, ttl, clock_.now(), options_);
            return store_.put(key, {std::move(value), times.loaded_at, times.fresh_until, times.keep_until},
                              seen.ticket);
        }
        return seen.occupied ? store_.put(key, {std::nullopt, loaded_at, loaded_at, loaded_at}, seen.ticket)
                             : result<void>{};
    }

private:
    [[nodiscard]] static auto times_in(const entry_type& entry) -> entry_times {
        return {entry.loaded_at, entry.fresh_until, entry.keep_until};
    }
    /// The entry's own share of the jitter: the same number each time, in every process.
    [[nodiscard]] static auto draw(const key_type& key, time_point loaded_at) -> double {
        random_source own{std::hash<key_type>{}(key) ^
                          static_cast<std::uint64_t>(loaded_at.time_since_epoch().count())};
        return static_cast<double>(own() >> 11U) * 0x1p-53;
    }

    Store& store_;
    const Clock& clock_;
    expiry_options options_;
};

} // namespace freshet::detail
