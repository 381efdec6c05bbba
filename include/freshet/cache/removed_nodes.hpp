#pragma once

#include <memory>
#include <mutex>

#include <freshet/cache/entry_removed.hpp>
#include <freshet/cache/eviction_queues.hpp>
#include <freshet/cache/key_text.hpp>
#include <freshet/cache/node_slab.hpp>
#include <freshet/core/observe.hpp>

namespace freshet::detail {

/// Nodes that were taken out of a shard while its lock was held, and are destroyed when this ends, while it is not.
///
/// For a destructor, or an observer, may use the store.
template <class Shard>
class removed_nodes {
public:
    explicit removed_nodes(Shard& shard) : shard_{shard} {}
    removed_nodes(const removed_nodes&) = delete;
    auto operator=(const removed_nodes&) -> removed_nodes& = delete;
    ~removed_nodes() {
        if (nodes_.size() == 0) { return; }
        nodes_.each(shard_.places(), [this](node_id id) {
            const auto next = shard_.places()(id).next;
            std::destroy_at(&shard_.nodes()[id]);
            shard_.nodes().chain(id, next);
        });
        const std::scoped_lock lock{shard_.mutex};
        shard_.nodes().give_back(nodes_.first(), nodes_.last());
    }

    void add(node_id id, removal_cause cause) noexcept { add(id, static_cast<unsigned>(cause)); }
    void add_all(const node_queue& nodes) noexcept { nodes_.append(shard_.places(), nodes); }

    /// For a node that was never linked: nobody is told of it.
    void add_unlinked(node_id id) noexcept { add(id, untold); }
    void take_back(node_id id) noexcept { nodes_.remove(shard_.places(), id); }

    /// Tells of each, why it was taken out.
    template <class Observer>
    void tell(Observer& observer) const {
        if constexpr (hears<Observer, entry_removed>) {
            nodes_.each(shard_.places(), [&](node_id id) {
                const auto cause = shard_.places()(id).cause;
                if (cause != untold) { tell(observer, id, static_cast<removal_cause>(cause)); }
            });
        }
    }
    /// Tells of each that it was taken out because of this.
    template <class Observer>
    void tell(Observer& observer, removal_cause cause) const {
        if constexpr (hears<Observer, entry_removed>) {
            nodes_.each(shard_.places(), [&](node_id id) { tell(observer, id, cause); });
        }
    }

private:
    static constexpr unsigned untold = 7;

    void add(node_id id, unsigned cause) noexcept {
        shard_.places()(id).cause = cause & 7;
        nodes_.push(shard_.places(), id);
    }
    void tell(auto& observer, node_id id, removal_cause cause) const {
        const key_text key{shard_.nodes()[id].key};
        emit(observer, entry_removed{key.view(), cause});
    }

    Shard& shard_;
    node_queue nodes_;
};

} // namespace freshet::detail
