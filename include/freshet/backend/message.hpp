#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace freshet {

/// One named value that travels beside a message's body; all three are views of UTF-8 text.
struct message_attribute {
    std::string_view name;
    std::string_view type;
    std::string_view value;
    friend constexpr auto operator==(const message_attribute&, const message_attribute&) -> bool = default;
};

/// The attributes of one message: a range of none or one.
struct message_attributes {
    std::array<message_attribute, 1> slots{};
    std::size_t count{};

    [[nodiscard]] constexpr auto begin() const noexcept { return slots.data(); }
    [[nodiscard]] constexpr auto end() const noexcept { return slots.data() + count; }
    [[nodiscard]] constexpr auto size() const noexcept -> std::size_t { return count; }
    [[nodiscard]] constexpr auto empty() const noexcept -> bool { return count == 0; }
};

/// A message for a queue, as views into bytes that somebody else owns.
///
/// Same `queue` and `group_id` keeps order; an empty `group_id` is no group and keeps none. The same
/// `deduplication_id` is delivered once within the queue's own deduplication time, and not beyond it. Nothing here is
/// checked against the queue's limits.
struct message_view {
    std::string_view queue{};
    std::string_view group_id{};
    std::string_view deduplication_id{};
    std::string_view body{};
    std::string_view sequence{}; ///< the change's sequence number, decimal digits; empty where it has none

    /// The sequence number as the attribute `sequence_number`; none where there is no sequence number.
    ///
    /// Its type is String: up to 40 digits are more than a queue's Number type holds.
    [[nodiscard]] constexpr auto attributes() const noexcept -> message_attributes {
        if (sequence.empty()) { return {}; }
        return {{{{"sequence_number", "String", sequence}}}, 1};
    }

    /// What the message counts for against a queue's size limits: UTF-8 bytes of the body and of each attribute's
    /// name, type and value.
    [[nodiscard]] constexpr auto payload_bytes() const noexcept -> std::size_t {
        auto bytes = body.size();
        for (const auto& a : attributes()) { bytes += a.name.size() + a.type.size() + a.value.size(); }
        return bytes;
    }

    friend constexpr auto operator==(const message_view&, const message_view&) -> bool = default;
};

/// What a queue takes. The defaults are Amazon SQS's message quotas; a queue's own smaller message size wins:
/// `queue_limits{.message_bytes = 65'536}`.
struct queue_limits {
    std::size_t entries_per_request{10};
    std::size_t message_bytes{1'048'576}; ///< of one message's `payload_bytes()`
    std::size_t request_bytes{1'048'576}; ///< of all `payload_bytes()` of one request
    std::size_t id_bytes{128};            ///< of a group id and of a deduplication id
    std::size_t attributes{10};           ///< of one message

    /// The profile of endpoints that still take 256 KiB a message and a request.
    [[nodiscard]] static constexpr auto older_endpoint() noexcept -> queue_limits {
        queue_limits limits;
        limits.message_bytes = limits.request_bytes = 262'144;
        return limits;
    }

    friend constexpr auto operator==(const queue_limits&, const queue_limits&) -> bool = default;
};

} // namespace freshet
