#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include <freshet/cache/entry_removed.hpp>
#include <freshet/cache/eviction_queues.hpp>
#include <freshet/cache/flat_index.hpp>
#include <freshet/cache/node_slab.hpp>
#include <freshet/core/time.hpp>

namespace freshet::detail {

/// One lock's part of a `local_store`: its members are used while `mutex` is held.
///
/// A node is made, linked, unlinked and then given back; between the last two it is its remover's alone.
template <class Node>
class alignas(64) local_store_shard {
public:
    static constexpr std::size_t most_entries = 32'000;

    explicit local_store_shard(std::size_t most)
        : most_{most}, index_{most}, queues_{places_of{&nodes_}}, nodes_{most == 0 ? 0 : 2 * most + spare} {}
    ~local_store_shard() {
        queues_.each([this](node_id id) { std::destroy_at(&nodes_[id]); });
    }
    local_store_shard(const local_store_shard&) = delete;
    auto operator=(const local_store_shard&) -> local_store_shard& = delete;

    [[nodiscard]] auto find(std::uint32_t hash, const auto& key) const -> node_id {
        return index_.find(hash, [&](node_id id) { return nodes_[id].key == key; });
    }

    /// A node that is not linked; `no_node` where there is no room even for that.
    template <class... Parts>
    [[nodiscard]] auto make(std::uint32_t hash, const Parts&... parts) -> node_id {
        const auto id = nodes_.take();
        if (id == no_node) { return id; }
        try {
            std::construct_at(&nodes_[id], parts...);
        } catch (...) {
            nodes_.give_back(id, id);
            throw;
        }
        nodes_[id].place.hash = hash & ((1u << index_hash_bits) - 1);
        return id;
    }

    /// Makes sure that `link` finds room.
    void reserve_one() { index_.reserve_one(); }
    void link(node_id id) noexcept {
        queues_.add(id);
        index_.insert(nodes_[id].place.hash, id);
    }
    void unlink(node_id id) noexcept {
        queues_.remove(id);
        index_.erase(nodes_[id].place.hash, id);
    }
    /// `now`, of the same key, takes the place of `old`.
    void replace(node_id old, node_id now) noexcept {
        queues_.replace(old, now);
        index_.replace(nodes_[now].place.hash, old, now);
    }
    /// Unlinks who has to go; somebody must be there.
    [[nodiscard]] auto evict(time_point now) -> node_id {
        const auto id = queues_.evict([&](node_id it) { return nodes_[it].is_over(now); });
        index_.erase(nodes_[id].place.hash, id);
        return id;
    }
    [[nodiscard]] auto unlink_all() noexcept -> node_queue {
        index_ = flat_index{most_};
        return queues_.take_all();
    }

    void use(node_id id) noexcept { queues_.use(id); }
    void each(auto&& use) { queues_.each(use); }
    [[nodiscard]] auto size() const noexcept -> std::size_t { return queues_.size(); }
    [[nodiscard]] auto is_full() const noexcept -> bool { return size() >= most_; }

    /// What needs no lock, for nodes that are the caller's: `operator[]` and `chain`; and the place of a node by its
    /// id.
    [[nodiscard]] auto nodes() noexcept -> node_slab<Node>& { return nodes_; }
    [[nodiscard]] auto places() noexcept { return places_of{&nodes_}; }

    std::mutex mutex;
    std::uint64_t clears{};
    std::size_t weight{}; ///< of those that are linked

private:
    // After a `clear`, all nodes may be on their way out while new ones come; and others are on their way in.
    static constexpr std::size_t spare = 1'024;
    static_assert(2 * most_entries + spare < no_node);

    struct places_of {
        const node_slab<Node>* nodes;
        [[nodiscard]] auto operator()(node_id id) const noexcept -> queue_place& { return (*nodes)[id].place; }
    };

    std::size_t most_;
    flat_index index_;
    eviction_queues<places_of> queues_;
    node_slab<Node> nodes_;
};

} // namespace freshet::detail
