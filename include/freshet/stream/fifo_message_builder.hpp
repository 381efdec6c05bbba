#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/backend/message.hpp>
#include <freshet/core/observe.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/sha256.hpp>
#include <freshet/item/stream_record.hpp>
#include <freshet/key/key_field.hpp>
#include <freshet/letter/queue_id.hpp>
#include <freshet/stream/change_detector.hpp>
#include <freshet/stream/message_batch.hpp>
#include <freshet/stream/message_body.hpp>

namespace freshet {

/// Where a record's message goes: a queue, and the group within it that keeps the order.
struct destination {
    std::string_view queue;
    std::string_view group;
};

/// An id was not one that queues take as it is, and another stands for it. Told also where the record then fails.
struct id_mapped {
    std::string_view raw;
    std::string_view id;
    id_mapping mapping{};

    static constexpr std::string_view name = "id_mapped";
    template <class Visitor>
    void fields(Visitor&& visit) const {
        visit("raw", raw);
        visit("id", id);
    }
};

/// What became of a record.
enum class build_verdict : std::uint8_t {
    built,     ///< its messages are in the batch
    unchanged, ///< nothing monitored changed
    ignored,   ///< an event that was not asked for, or one that goes nowhere
};

struct fifo_message_builder_options {
    bool inserts{false};
    bool modifies{true};
    bool removes{true};
    queue_limits limits{};
};

/// Turns a change record into the messages that tell others of it, for queues that keep the order of a group.
///
/// MODIFY makes messages when a monitored field changed, REMOVE and INSERT whenever they are asked for. All messages of
/// a record share one body (see `message_body.hpp`) and carry the record's sequence number. The deduplication id is the
/// record's event id, or the SHA-256 of the body where there is none; the second and later messages on one queue get a
/// suffix. A digest stands for the content as a queue's own deduplication has it: equal changes of one second that have
/// no event id are one message. Ids that a queue would refuse are mapped without collision (see `queue_id.hpp`), and each mapping is an
/// `id_mapped`.
///
/// Fails, and leaves the batch as it was, when a message or an id is larger than the limits (`too_large`), and when the
/// stream does not carry the images that the answer needs (`denied`: somebody must set it to NEW_AND_OLD_IMAGES).
template <class Observer = unobserved>
class fifo_message_builder {
public:
    using emits = event_list<id_mapped>;

    explicit fifo_message_builder(fifo_message_builder_options options = {}, Observer seen = {})
        : options_{options}, seen_{std::move(seen)} {}

    /// Whether the record makes messages, as `build` decides it: for callers who find out where they go only then.
    [[nodiscard]] auto judge(const stream_record& record, const change_set& changes) const -> result<build_verdict> {
        if (!asked_for(record.name)) { return build_verdict::ignored; }
        if (record.name == event_name::remove) { return build_verdict::built; }
        if (changes.verdict == change_verdict::cannot_tell) { return lacks_images(record); }
        const bool sends = record.name == event_name::insert || changes.verdict == change_verdict::changed;
        return sends ? build_verdict::built : build_verdict::unchanged;
    }

    /// Adds the record's messages to `out`, one a destination, marked as coming from record number `index`.
    [[nodiscard]] auto build(const stream_record& record, std::size_t index, const entity_key& key,
                             const change_set& changes, std::span<const destination> destinations, message_batch& out)
        -> result<build_verdict> {
        auto wanted = destinations.empty() ? result<build_verdict>{build_verdict::ignored} : judge(record, changes);
        if (!wanted || *wanted != build_verdict::built) { return wanted; }
        const auto begun = out.mark();
        const message_parts parts{record, key, changes};
        char* const begin = out.reserve(message_body_bound(parts));
        const auto body = out.commit(static_cast<std::size_t>(write_message_body(begin, parts) - begin));
        const auto sequence = out.write(record.sequence.view());
        for (std::size_t i = 0; i < destinations.size(); ++i) {
            unsigned ordinal = 1;
            for (std::size_t j = 0; j < i; ++j) { ordinal += destinations[j].queue == destinations[i].queue ? 1 : 0; }
            message_texts texts{.queue = out.write(destinations[i].queue),
                                .group_id = {},
                                .deduplication_id = {},
                                .body = body,
                                .sequence = sequence};
            texts.group_id = id(destinations[i].group, 1, out);
            texts.deduplication_id = deduplication_id(record, body, ordinal, out);
            out.add(texts, index);
            if (auto too_large = beyond_limits(out[out.size() - 1])) {
                out.roll_back(begun);
                too_large->note.insert(0, "record " + printable(record.event_id) + ": ");
                return *std::move(too_large);
            }
        }
        return build_verdict::built;
    }

private:
    [[nodiscard]] auto asked_for(event_name name) const -> bool {
        return name == event_name::insert   ? options_.inserts
               : name == event_name::modify ? options_.modifies
                                            : options_.removes;
    }

    [[nodiscard]] static auto lacks_images(const stream_record& record) -> error {
        return {errc::denied, "record " + printable(record.event_id) + ": the stream carries no " +
                                  (record.new_image ? "OldImage" : "NewImage") +
                                  ", so changes cannot be told; its view type must be NEW_AND_OLD_IMAGES"};
    }

    [[nodiscard]] auto beyond_limits(const message_view& message) const -> std::optional<error> {
        const auto& limits = options_.limits;
        const auto check = [](std::string_view what, std::size_t size, std::size_t most) -> std::optional<error> {
            if (size <= most) { return std::nullopt; }
            return error{errc::too_large,
                         std::string{what} + ": " + std::to_string(size) + ", the queue takes " + std::to_string(most)};
        };
        if (auto bad = check("bytes of a message", message.payload_bytes(), limits.message_bytes)) { return bad; }
        if (auto bad = check("bytes of a group id", message.group_id.size(), limits.id_bytes)) { return bad; }
        if (auto bad = check("bytes of a deduplication id", message.deduplication_id.size(), limits.id_bytes)) {
            return bad;
        }
        return check("attributes of a message", message.attributes().size(), limits.attributes);
    }

    [[nodiscard]] auto id(std::string_view raw, unsigned ordinal, message_batch& out) -> text_range {
        char* const begin = out.reserve(queue_id_capacity);
        const auto written = write_queue_id(begin, raw, ordinal);
        if (written.mapping != id_mapping::kept) {
            emit(seen_, id_mapped{raw, {begin, written.size}, written.mapping});
        }
        return out.commit(written.size);
    }

    [[nodiscard]] auto deduplication_id(const stream_record& record, text_range body, unsigned ordinal,
                                        message_batch& out) -> text_range {
        if (!record.event_id.empty()) { return id(record.event_id, ordinal, out); }
        std::array<char, 64> digest;
        write_hex(digest.data(), sha256_of(out.text(body)));
        return id({digest.data(), digest.size()}, ordinal, out);
    }

    fifo_message_builder_options options_;
    [[no_unique_address]] observer_for<Observer, emits> seen_;
};

} // namespace freshet
