#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <freshet/backend/message_queue.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/sequence_number.hpp>

namespace freshet {

/// What a projection keeps beside each item: how far it is, and whose work that was.
struct applied_mark {
    sequence_number sequence;
    std::uint64_t token{}; ///< of the ledger's claim
    friend auto operator==(const applied_mark&, const applied_mark&) -> bool = default;
};

/// A `projection` is a store derived from a table, brought up to date one item at a time by messages.
///
/// `update_type` is what a message says, read once.
///
/// Laws:
///  1. `read` takes a message apart and changes nothing; one that it cannot use is `malformed`.
///  2. `item_of(update)` names the item that the update is about: equal texts for the same item, and only then.
///  3. An update carries the item's whole state, or says that the item is gone: applying the newest alone ends where
///     applying all of them in order does.
///  4. `apply(update, mark)` makes the item what the update says and stores the mark with it, in one step; a removal
///     leaves its mark behind. It fails with `conflict`, and changes nothing, when the stored mark's sequence is not
///     less than the new one's, or its token is greater: then somebody was faster. The very mark that is stored
///     succeeds again.
///  5. `last_applied(item)` is the mark that was stored last, of a removed item too; absent where there never was one.
///  6. A failed call has an unknown outcome, and may be repeated.
template <class P>
concept projection = requires(P& p, const received_message& message, const typename P::update_type& update,
                              std::string_view item, const applied_mark& mark) {
    { p.read(message) } -> std::same_as<result<typename P::update_type>>;
    { p.item_of(update) } -> std::convertible_to<std::string>;
    { p.last_applied(item) } -> std::same_as<result<std::optional<applied_mark>>>;
    { p.apply(update, mark) } -> std::same_as<result<void>>;
};

} // namespace freshet
