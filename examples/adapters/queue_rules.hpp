#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <freshet/backend/message.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/sha256.hpp>
#include <freshet/core/time.hpp>
#include <freshet/item/json_string.hpp>
#include <freshet/letter/queue_id.hpp>

namespace adapters {

/// What a queue is. The defaults are those of an Amazon SQS FIFO queue.
struct queue_options {
    std::string name{};
    bool fifo{true};
    freshet::duration visibility{std::chrono::seconds{30}};
    freshet::duration deduplication{std::chrono::minutes{5}};
    freshet::duration retention{std::chrono::hours{96}};
    unsigned max_receives{};    ///< so often a message is handed out before it is a dead letter; 0: there are none
    std::string dead_letters{}; ///< the name of the queue that takes them
    freshet::queue_limits limits{};
};

/// The first byte of a character that a queue takes in no body, or nothing.
///
/// It takes U+0009, U+000A, U+000D, U+0020 to U+D7FF, U+E000 to U+FFFD and U+10000 to U+10FFFF, as UTF-8.
/// Source: Amazon SQS, `SendMessage`.
[[nodiscard]] inline auto find_refused_character(std::string_view text) noexcept -> std::optional<std::size_t> {
    const auto taken = freshet::detail::find_bad_utf8(text);
    const auto valid = text.substr(0, taken.value_or(text.size()));
    for (std::size_t i = 0; i < valid.size(); ++i) {
        const auto byte = static_cast<unsigned char>(valid[i]);
        if (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') { return i; }
        if (byte == 0xef && (valid.substr(i, 3) == "\xef\xbf\xbe" || valid.substr(i, 3) == "\xef\xbf\xbf")) {
            return i;
        }
    }
    return taken;
}

/// Whether the queue looks at a request of these entries at all: `malformed` without an entry, `too_large` with too
/// many of them, or too many bytes.
[[nodiscard]] inline auto check_request(std::span<const freshet::message_view> entries, const queue_options& queue)
    -> freshet::result<void> {
    const auto& limits = queue.limits;
    const auto refuse = [&](freshet::errc code, const std::string& why) -> freshet::error {
        return {code, "queue " + queue.name + ": " + why};
    };
    if (entries.empty()) { return refuse(freshet::errc::malformed, "a request without an entry"); }
    if (entries.size() > limits.entries_per_request) {
        return refuse(freshet::errc::too_large, "a request of " + std::to_string(entries.size()) + " entries, over " +
                                                    std::to_string(limits.entries_per_request));
    }
    std::size_t bytes = 0;
    for (const auto& entry : entries) { bytes += entry.payload_bytes(); }
    if (bytes > limits.request_bytes) {
        return refuse(freshet::errc::too_large,
                      "a request of " + std::to_string(bytes) + " bytes, over " + std::to_string(limits.request_bytes));
    }
    return {};
}

/// Why the queue never takes this message, however often it is sent; nothing where it does.
///
/// `too_large` for its bytes, `malformed` for the rest: a body that is empty or has a character that no queue takes,
/// an id that is too long or has a character beyond printable ASCII, no group id in a FIFO queue. A standard queue
/// reads no deduplication id, so it refuses none. Source: Amazon SQS, `SendMessage` and "Message quotas".
[[nodiscard]] inline auto why_refused(const freshet::message_view& message, const queue_options& queue)
    -> std::optional<freshet::error> {
    const auto refuse = [&](const std::string& why) -> std::optional<freshet::error> {
        return freshet::error{freshet::errc::malformed, "queue " + queue.name + ": " + why};
    };
    const auto bad_id = [&](std::string_view id) {
        return !id.empty() && (id.size() > queue.limits.id_bytes || !freshet::is_queue_id(id));
    };
    const auto bytes = message.payload_bytes();
    if (bytes > queue.limits.message_bytes) {
        return freshet::error{freshet::errc::too_large, "queue " + queue.name + ": a message of " +
                                                            std::to_string(bytes) + " bytes, over " +
                                                            std::to_string(queue.limits.message_bytes)};
    }
    if (message.body.empty()) { return refuse("a message without a body"); }
    if (const auto at = find_refused_character(message.body)) {
        return refuse("a character that no body may have, at byte " + std::to_string(*at));
    }
    if (find_refused_character(message.sequence)) { return refuse("a sequence number that is no text"); }
    if (queue.fifo && message.group_id.empty()) { return refuse("a message without a group id"); }
    if (bad_id(message.group_id)) { return refuse("not a group id: \"" + freshet::printable(message.group_id) + '"'); }
    if (queue.fifo && bad_id(message.deduplication_id)) {
        return refuse("not a deduplication id: \"" + freshet::printable(message.deduplication_id) + '"');
    }
    return std::nullopt;
}

/// The id that a FIFO queue knows a message by: its own, or the SHA-256 of its body, in hexadecimal.
[[nodiscard]] inline auto deduplication_id_of(const freshet::message_view& message) -> std::string {
    if (!message.deduplication_id.empty()) { return std::string{message.deduplication_id}; }
    const auto digits = freshet::hex(freshet::sha256_of(message.body));
    return {digits.data(), digits.size()};
}

} // namespace adapters
