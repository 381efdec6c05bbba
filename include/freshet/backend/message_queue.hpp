#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <freshet/backend/message.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>

namespace freshet {

/// One entry of a request that was refused, by its place in the request.
struct entry_refusal {
    std::size_t entry{};
    error why;
    bool retry_helps{}; ///< whether the same entry may be taken another time
};

/// A message as a queue hands it out. Owns what it holds.
struct received_message {
    /// The queue's own name of the message, the same in every delivery, and never used again for another message.
    std::string id{};
    std::string receipt{}; ///< names this delivery
    std::string group_id{};
    std::string deduplication_id{};
    std::string body{};
    std::string sequence{}; ///< the change's sequence number, decimal digits; empty where it has none
    unsigned receive_count{1}; ///< this delivery included; of a dead letter maybe with those of its first queue
    time_point sent_at{};

    /// The message to send it on with, a view of this one.
    [[nodiscard]] auto view() const noexcept -> message_view {
        return {.queue = {}, .group_id = group_id, .deduplication_id = deduplication_id, .body = body,
                .sequence = sequence};
    }
};

struct receive_request {
    std::size_t limit{10};
    std::optional<duration> visibility{}; ///< absent: the queue's own
};

/// A `message_queue` takes messages and hands each out until somebody says that it is done.
///
/// A queue is FIFO or standard. `message_view::queue` is not read: the queue is the object.
///
/// Laws of sending:
///  1. `send` takes at most `limits().entries_per_request` entries and `request_bytes` bytes; an empty request is
///     `malformed` and a larger one `too_large`, as a whole. The inner list names each entry that was refused,
///     ascending; the others are stored when the call returns. Each entry succeeds or fails alone.
///  2. A failed call has an unknown outcome: all, some or none may be stored. Repeating it within the deduplication
///     time stores nothing twice in a FIFO queue.
///  3. An entry that breaks the queue's rules (a body that is empty or has characters that it does not take, a bad or
///     missing id, too many bytes) is refused alone, and `retry_helps` is false. An entry refused for want of room or
///     rate has `retry_helps`.
///  4. A FIFO queue needs a group id. It takes a message whose deduplication id it took within the deduplication time
///     (five minutes), be that one still there or not, and stores nothing; that time runs from the message that was
///     stored, and at its end the message is stored again. No id: the SHA-256 of the body stands for it. A standard
///     queue reads no deduplication id.
///  5. The entries of a request are stored in their order.
///
/// Laws of receiving:
///  6. `receive` gives at most `limit` messages and makes each invisible for the visibility time; nothing there is an
///     empty list, not an error. What is not erased by then is handed out again, with a greater `receive_count`. A
///     queue may count visibility times in whole seconds, rounded up, and have a cap of its own on them.
///  7. FIFO: messages of a group come in the order in which they were stored, several in one call if there are; while
///     one of a group is invisible, no call gives any of that group. A standard queue gives what is there in any order,
///     and may give a message twice.
///  8. `erase` ends a delivery and with it the message; the inner list names each receipt that was refused. An erased
///     message never comes again in a FIFO queue. There, the receipt of a message that was handed out again since and
///     is still there is refused with `expired`; one whose visibility time has passed otherwise may be refused. Erasing
///     twice succeeds, and so does a late erase of what has become a dead letter, which stays one. What is no receipt
///     of this queue is refused with `malformed`.
///  9. `change_visibility` sets the invisible time to start now: zero makes the message visible at once. A receipt
///     whose message was handed out again since, or is gone, is refused with `expired` and changes nothing; one whose
///     visibility time has passed otherwise may be refused. Both calls take any number of receipts.
/// 10. A queue may have a dead-letter queue and a number of receives; a message that was received so often is not
///     handed out another time: it is moved, with its group, body and sequence number, behind what is in the
///     dead-letter queue, whose deduplication does not apply to it. The dead-letter queue of a FIFO queue is FIFO.
/// 11. A queue keeps a message for its retention time and then drops it.
/// Time is the queue's own; it may differ from the caller's by the skew of their clocks.
template <class Q>
concept message_queue = requires(Q& q, std::span<const message_view> entries, const receive_request& request,
                                 std::span<const std::string> receipts, duration visibility) {
    { q.limits() } -> std::convertible_to<queue_limits>;
    { q.send(entries) } -> std::same_as<result<std::vector<entry_refusal>>>;
    { q.receive(request) } -> std::same_as<result<std::vector<received_message>>>;
    { q.erase(receipts) } -> std::same_as<result<std::vector<entry_refusal>>>;
    { q.change_visibility(receipts, visibility) } -> std::same_as<result<std::vector<entry_refusal>>>;
};

} // namespace freshet
