#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <freshet/backend/clock.hpp>
#include <freshet/backend/shareable.hpp>
#include <freshet/backend/ttl_store.hpp>
#include <freshet/cache/entry_removed.hpp>
#include <freshet/cache/key_text.hpp>
#include <freshet/cache/local_store_node.hpp>
#include <freshet/cache/local_store_shard.hpp>
#include <freshet/cache/mixed_hash.hpp>
#include <freshet/cache/node_slab.hpp>
#include <freshet/cache/removed_nodes.hpp>
#include <freshet/core/observe.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>

namespace freshet {

/// The weight of entries that are only counted.
struct weigh_nothing {
    constexpr auto operator()(const auto&, const auto&) const noexcept -> std::size_t { return 0; }
};

struct local_store_options {
    std::size_t max_entries{100'000}; ///< more than 131 million count as so many; with 0 nothing is ever kept
    /// In what `Weigh` counts; 0: no bound. `max_entries` should then be near what is expected: it decides on the
    /// parts.
    std::size_t max_weight{};
};

/// A `ttl_store` in this process: a bounded hash table with a lock each for parts of the keys.
///
/// `Key` has a `std::hash`, which need not be a good one, and `==`; `Value` can be copied. `weigh(key, entry)` is asked
/// once for each `put`. Calls never fail, but `put` with `conflict` (law 3), and with `too_large` where the entry alone
/// is heavier than `max_weight`; the key has no entry then. What a copy, a hash or `Weigh` throws passes through and
/// leaves the store as it was.
///
/// There are never more entries than `max_entries`, nor more weight than `max_weight`. Each lock's part, of 2,048 keys
/// or more, has its share of `max_entries`: a store for fewer than 4,096 evicts only when it is full, a larger one when
/// a part is. Who goes is decided as `detail::eviction_queues` says. What has expired goes when it is met: by a look-up
/// of its key, when it would be its turn to be evicted, or by `sweep`.
///
/// Of invalidations it remembers counts and no keys, so that they cost no memory and are never forgotten; up to 65,536
/// counts are shared by the keys, and with them the refusals.
///
/// Thread safe, if the clock is. Copies of keys and values are made under the lock; they are destroyed, weighed and
/// told to the observer outside, where they may use the store again. Memory of nodes is asked for as it is needed, and
/// kept until the store ends.
template <class Key, class Value, class Clock, class Weigh = weigh_nothing, class Observer = unobserved>
class local_store {
    static_assert(clock<Clock> && shareable<Clock>,
                  "a local_store needs a clock that threads may share: now() -> time_point, and is_shareable");
    static_assert(std::same_as<Observer, unobserved> || shareable<Observer>,
                  "a local_store's observer is called by several threads at once: a shared_watch is the word that its "
                  "functions may be");
    static_assert(std::is_invocable_r_v<std::size_t, const Weigh&, const Key&, const cache_entry<Value>&>,
                  "a local_store weighs with weigh(const Key&, const cache_entry<Value>&) -> std::size_t");

public:
    using is_shareable = void;
    using key_type = Key;
    using mapped_type = Value;
    using entry_type = cache_entry<Value>;
    using emits = event_list<entry_removed>;
    static constexpr auto fence = fence_scope::process;

    /// Borrows the clock.
    explicit local_store(const Clock& clock, local_store_options options = {}, Weigh weigh = {}, Observer seen = {})
        : clock_{clock}, max_weight_{options.max_weight}, weigh_{std::move(weigh)}, seen_{std::move(seen)} {
        const auto most = std::min(options.max_entries, max_shards * shard::most_entries);
        const auto shards = std::clamp<std::size_t>(std::bit_floor(most / shard_entries), 1, max_shards);
        generations_.resize(std::clamp<std::size_t>(std::bit_ceil(most), 1'024, 65'536));
        for (std::size_t i = 0; i != shards; ++i) {
            parts_.push_back(std::make_unique<shard>(most / shards + (i < most % shards ? 1 : 0)));
        }
    }
    explicit local_store(const Clock&&, local_store_options = {}, Weigh = {}, Observer = {}) = delete;
    local_store(const local_store&) = delete;
    auto operator=(const local_store&) -> local_store& = delete;

    [[nodiscard]] auto get(const Key& key) -> result<looked_up<Value>> {
        const auto at = place_of(key);
        const auto now = clock_.now();
        looked_up<Value> found;
        removals gone{at.part};
        {
            const std::scoped_lock lock{at.part.mutex};
            found.ticket = at.ticket();
            const auto id = at.part.find(at.hash, key);
            if (id != detail::no_node) {
                if (at.part.nodes()[id].is_over(now)) {
                    take_out(at.part, id, removal_cause::expired, gone);
                } else {
                    at.part.nodes()[id].copy_to(found.entry);
                    at.part.use(id);
                }
            }
        }
        gone.tell(seen_);
        return found;
    }

    [[nodiscard]] auto put(const Key& key, const entry_type& entry, const store_ticket& ticket) -> result<void> {
        const auto at = place_of(key);
        const std::size_t weight = weigh_(key, entry);
        const auto now = clock_.now();
        removals gone{at.part};
        const auto outcome = put_in(at, key, entry, ticket, weight, now, gone);
        gone.tell(seen_);
        if (outcome == put_outcome::stale) {
            return error{errc::conflict, about(key) + ": invalidated since it was looked up"};
        }
        if (outcome == put_outcome::heavy) {
            return error{errc::too_large, about(key) + ": the entry weighs " + std::to_string(weight) +
                                              ", and the store takes " + std::to_string(max_weight_) + " in all"};
        }
        return {};
    }

    /// The ticket is of no use here.
    [[nodiscard]] auto touch(const Key& key, const entry_type& entry, const store_ticket&) -> result<void> {
        const auto at = place_of(key);
        const auto now = clock_.now();
        const std::scoped_lock lock{at.part.mutex};
        const auto id = at.part.find(at.hash, key);
        if (id != detail::no_node && !at.part.nodes()[id].is_over(now)) { at.part.nodes()[id].touch(entry); }
        return {};
    }

    [[nodiscard]] auto erase(const Key& key) -> result<void> {
        const auto at = place_of(key);
        removals gone{at.part};
        {
            const std::scoped_lock lock{at.part.mutex};
            ++at.generation;
            const auto id = at.part.find(at.hash, key);
            if (id != detail::no_node) { take_out(at.part, id, removal_cause::erased, gone); }
        }
        gone.tell(seen_);
        return {};
    }

    [[nodiscard]] auto clear() -> result<void> {
        std::deque<removals> gone; // told of only when all are out, for the observer may throw
        for (const auto& part : parts_) { gone.emplace_back(*part); }
        for (std::size_t i = 0; i != parts_.size(); ++i) {
            auto& part = *parts_[i];
            const std::scoped_lock lock{part.mutex};
            ++part.clears;
            gone[i].add_all(part.unlink_all());
            add_weight(part, 0, part.weight);
        }
        for (; !gone.empty(); gone.pop_front()) { gone.front().tell(seen_, removal_cause::cleared); }
        return {};
    }

    /// Takes out what has expired, and tells how much that was. Looks at every entry.
    auto sweep() -> std::size_t {
        const auto now = clock_.now();
        std::size_t swept = 0;
        for (const auto& part : parts_) {
            removals gone{*part};
            {
                const std::scoped_lock lock{part->mutex};
                part->each([&](detail::node_id id) {
                    if (!part->nodes()[id].is_over(now)) { return; }
                    take_out(*part, id, removal_cause::expired, gone);
                    ++swept;
                });
            }
            gone.tell(seen_);
        }
        return swept;
    }

    /// How many entries there are, with those that have expired and were not met since.
    [[nodiscard]] auto size() const -> std::size_t {
        std::size_t sum = 0;
        for (const auto& part : parts_) {
            const std::scoped_lock lock{part->mutex};
            sum += part->size();
        }
        return sum;
    }

    /// What those weigh together.
    [[nodiscard]] auto weight() const noexcept -> std::size_t { return weight_.load(); }

private:
    static constexpr bool weighs = !std::same_as<Weigh, weigh_nothing>;
    using node = detail::local_store_node<Key, Value, std::conditional_t<weighs, std::size_t, detail::no_weight>>;
    using shard = detail::local_store_shard<node>;
    using removals = detail::removed_nodes<shard>;
    static constexpr std::size_t shard_entries = 2'048; // of which a part has at least so many, if there are several
    static constexpr std::size_t max_shards = 4'096;

    /// Where a key belongs.
    struct place {
        shard& part;
        std::uint64_t& generation; // invalidations of the keys that share it; the part's lock is its lock
        std::uint32_t hash;

        [[nodiscard]] auto ticket() const -> store_ticket { return {part.clears, generation}; }
    };

    enum class put_outcome : std::uint8_t { kept, stale, heavy };

    [[nodiscard]] auto place_of(const Key& key) -> place {
        const auto hash = detail::mixed_hash(std::hash<Key>{}(key));
        const auto upper = static_cast<std::size_t>(hash >> 32);
        // the number of parts divides that of the generations, so that each of these belongs to one part
        return {*parts_[upper & (parts_.size() - 1)], generations_[upper & (generations_.size() - 1)],
                static_cast<std::uint32_t>(hash & ((1u << detail::index_hash_bits) - 1))};
    }

    [[nodiscard]] auto put_in(const place& at, const Key& key, const entry_type& entry, const store_ticket& ticket,
                              std::size_t weight, time_point now, removals& gone) -> put_outcome {
        std::unique_lock lock{at.part.mutex};
        if (ticket != at.ticket()) { return put_outcome::stale; }
        const bool heavy = max_weight_ != 0 && weight > max_weight_;
        const auto made = heavy ? detail::no_node : at.part.make(at.hash, key, entry, weight);
        if (made == detail::no_node) {
            const auto old = at.part.find(at.hash, key);
            if (old != detail::no_node) { take_out(at.part, old, removal_cause::replaced, gone); }
            return heavy ? put_outcome::heavy : put_outcome::kept;
        }
        gone.add_unlinked(made);
        for (;;) {
            at.part.reserve_one();
            const auto old = at.part.find(at.hash, key);
            const bool replaces = old != detail::no_node;
            if ((replaces || !at.part.is_full()) &&
                add_weight(at.part, weight, replaces ? weight_of(at.part, old) : 0)) {
                gone.take_back(made);
                if (replaces) {
                    at.part.replace(old, made);
                    gone.add(old, removal_cause::replaced);
                } else {
                    at.part.link(made);
                }
                return put_outcome::kept;
            }
            if (at.part.size() != 0) {
                evict_one(at.part, now, old, gone);
                continue;
            }
            lock.unlock();
            evict_elsewhere(at.part, now);
            lock.lock();
            if (ticket != at.ticket()) { return put_outcome::stale; }
        }
    }

    void take_out(shard& part, detail::node_id id, removal_cause cause, removals& gone) {
        part.unlink(id);
        add_weight(part, 0, weight_of(part, id));
        gone.add(id, cause);
    }

    /// `old` is what will be replaced: if it is its turn, that is not because of the others.
    void evict_one(shard& part, time_point now, detail::node_id old, removals& gone) {
        const auto id = part.evict(now);
        add_weight(part, 0, weight_of(part, id));
        gone.add(id, id == old                       ? removal_cause::replaced
                     : part.nodes()[id].is_over(now) ? removal_cause::expired
                                                     : removal_cause::evicted);
    }

    /// One entry of another part, in turn, where there is one.
    void evict_elsewhere(const shard& own, time_point now) {
        for (std::size_t tried = 0; tried != parts_.size(); ++tried) {
            auto& part = *parts_[next_part_.fetch_add(1) & (parts_.size() - 1)];
            if (&part == &own) { continue; }
            removals gone{part};
            {
                const std::scoped_lock lock{part.mutex};
                if (part.size() == 0) { continue; }
                evict_one(part, now, detail::no_node, gone);
            }
            gone.tell(seen_);
            return;
        }
    }

    [[nodiscard]] static auto weight_of(shard& part, detail::node_id id) -> std::size_t {
        return part.nodes()[id].weight;
    }

    /// False, and nothing is changed, where that is more than the store may weigh.
    auto add_weight([[maybe_unused]] shard& part, [[maybe_unused]] std::size_t more, [[maybe_unused]] std::size_t less)
        -> bool {
        if constexpr (weighs) {
            auto sum = weight_.load();
            do {
                if (max_weight_ != 0 && more > less && sum - less + more > max_weight_) { return false; }
            } while (!weight_.compare_exchange_weak(sum, sum - less + more));
            part.weight += more - less;
        }
        return true;
    }

    [[nodiscard]] static auto about(const Key& key) -> std::string {
        return "local store: " + printable(key_text{key}.view());
    }

    const Clock& clock_;
    std::size_t max_weight_;
    [[no_unique_address]] Weigh weigh_;
    [[no_unique_address]] observer_for<Observer, emits> seen_;
    std::vector<std::uint64_t> generations_;
    std::vector<std::unique_ptr<shard>> parts_; // a power of two
    std::atomic<std::size_t> weight_{};
    std::atomic<std::size_t> next_part_{};
};

} // namespace freshet
