#pragma once

#include <concepts>
#include <cstdint>
#include <optional>

#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>

namespace freshet {

/// What a store keeps under a key.
template <class Value>
struct cache_entry {
    std::optional<Value> value; ///< absent: it is known that the source has none
    time_point loaded_at{};     ///< when the load of it began
    time_point fresh_until{};   ///< the reader's affair: the store does not look at it
    time_point keep_until{};    ///< from this instant on the store has it no more
    friend auto operator==(const cache_entry&, const cache_entry&) -> bool = default;
};

/// What a look-up saw of a store's invalidations, for the `put` of what is loaded after it. Only its store reads it.
struct store_ticket {
    std::uint64_t space{}; ///< of all keys
    std::uint64_t key{};
    friend auto operator==(const store_ticket&, const store_ticket&) -> bool = default;
};

/// The entry of a key, if there is one, and in any case the ticket.
template <class Value>
struct looked_up {
    std::optional<cache_entry<Value>> entry;
    store_ticket ticket;
};

/// Whose invalidations a store's tickets know of.
enum class fence_scope : std::uint8_t {
    process, ///< those made through this object
    shared,  ///< everybody's
};

/// A `ttl_store` keeps entries by their keys for a time, and keeps out what was loaded before an invalidation.
///
/// Laws:
///  1. After a `put`, `get` of its key gives an equal entry, until its `keep_until`, another `put`, an `erase` of that
///     key or a `clear`; sooner where the store needs the room. From the instant `keep_until` on `get` does not give
///     it; the store may delete it later.
///  2. `erase` invalidates a key and `clear` all keys, whether there is an entry or not.
///  3. A `put` with a ticket that was got before an invalidation of its key, or of all, is never seen by a `get` that
///     begins after the invalidation ended. It fails with `conflict`, or is stored where nobody looks any more. `fence`
///     says whose invalidations count. A good ticket may be refused where the memory of an older invalidation ended
///     between the look-up and the `put`, and where a store remembers the invalidations of several keys as one.
///  4. An invalidation is remembered for at least the store's own fence time. A load that takes longer than that must
///     not be put.
///  5. A `put` invalidates nothing: of two with good tickets the last one stays.
///  6. `touch` gives the stored entry of a key the `fresh_until` and `keep_until` of `entry`, if `get` would give one
///     and it was loaded at the same instant as `entry`; otherwise it changes nothing and succeeds. Its value is
///     never changed, and none comes back.
///  7. Two look-ups of a key with equal tickets had no invalidation of it between them that is still remembered.
///  8. A failed call has an unknown outcome, and may be repeated.
/// Time is the store's own; it may differ from the caller's by the skew of their clocks.
template <class S>
concept ttl_store = requires(S& s, const typename S::key_type& key, const cache_entry<typename S::mapped_type>& entry,
                             const store_ticket& ticket) {
    { S::fence } -> std::convertible_to<fence_scope>;
    { s.get(key) } -> std::same_as<result<looked_up<typename S::mapped_type>>>;
    { s.put(key, entry, ticket) } -> std::same_as<result<void>>;
    { s.touch(key, entry, ticket) } -> std::same_as<result<void>>;
    { s.erase(key) } -> std::same_as<result<void>>;
    { s.clear() } -> std::same_as<result<void>>;
};

} // namespace freshet
