#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>

#include <freshet/backend/ttl_store.hpp>
#include <freshet/cache/eviction_queues.hpp>
#include <freshet/core/time.hpp>

namespace freshet::detail {

/// A weight that is always zero and takes no room.
struct no_weight {
    constexpr explicit no_weight(std::size_t) noexcept {}
    constexpr operator std::size_t() const noexcept { return 0; }
};

/// An entry and its key as a `local_store` keeps them: what a `cache_entry` says, packed, and the place in the queues.
template <class Key, class Value, class Weight>
class local_store_node {
public:
    local_store_node(const Key& its_key, const cache_entry<Value>& entry, std::size_t its_weight)
        : key{its_key},
          weight{its_weight},
          loaded_at_{entry.loaded_at},
          fresh_until_{entry.fresh_until},
          keep_until_{entry.keep_until} {
        if (entry.value) {
            std::construct_at(std::addressof(value_), *entry.value);
            place.has_value = 1;
        }
    }
    ~local_store_node() {
        if (place.has_value != 0) { std::destroy_at(std::addressof(value_)); }
    }
    local_store_node(const local_store_node&) = delete;
    auto operator=(const local_store_node&) -> local_store_node& = delete;

    /// A copy of the entry.
    void copy_to(std::optional<cache_entry<Value>>& entry) const {
        auto& copy = entry.emplace();
        copy.loaded_at = loaded_at_;
        copy.fresh_until = fresh_until_;
        copy.keep_until = keep_until_;
        if (place.has_value != 0) { copy.value.emplace(value_); }
    }
    void touch(const cache_entry<Value>& entry) noexcept {
        if (loaded_at_ != entry.loaded_at) { return; }
        fresh_until_ = entry.fresh_until;
        keep_until_ = entry.keep_until;
    }
    [[nodiscard]] auto is_over(time_point now) const noexcept -> bool { return keep_until_ <= now; }

    const Key key;
    [[no_unique_address]] const Weight weight;
    queue_place place;

private:
    time_point loaded_at_;
    time_point fresh_until_;
    time_point keep_until_;
    union {
        Value value_; // an optional's flag would cost eight bytes
    };
};

} // namespace freshet::detail
