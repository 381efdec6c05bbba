#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include <freshet/backend/ttl_store.hpp>
#include <freshet/cache/mixed_hash.hpp>

namespace freshet::detail {

/// Whose loads may be shared: of one key, with equal tickets; while the store fails, between invalidations here.
template <class Key>
struct load_id {
    Key key;
    store_ticket ticket;
    std::uint64_t invalidations{}; ///< with a ticket zero
    friend auto operator==(const load_id&, const load_id&) -> bool = default;
};

template <class Key>
struct hash_of_load_id {
    [[nodiscard]] auto operator()(const load_id<Key>& id) const -> std::size_t {
        const auto own = mixed_hash(std::hash<Key>{}(id.key)) ^ (id.ticket.key + id.invalidations);
        return static_cast<std::size_t>(mixed_hash(own) ^ id.ticket.space);
    }
};

} // namespace freshet::detail
