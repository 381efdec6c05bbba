#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <freshet/backend/change.hpp>
#include <freshet/core/parsed.hpp>
#include <freshet/core/sequence_number.hpp>
#include <freshet/core/time.hpp>
#include <freshet/item/attribute.hpp>

namespace freshet {

namespace detail {
class record_parser;
} // namespace detail

/// What happened to the item, in the stream's word.
using event_name = change_kind;

/// The name as the stream writes it: `INSERT`, `MODIFY`, `REMOVE`.
[[nodiscard]] constexpr auto name_of(event_name name) noexcept -> std::string_view {
    constexpr std::string_view names[]{"INSERT", "MODIFY", "REMOVE"};
    return names[static_cast<std::size_t>(name)];
}

/// Which images the stream is set up to carry (`StreamViewType`).
enum class stream_view_type : std::uint8_t { keys_only, new_image, old_image, new_and_old_images };

/// One change record of a DynamoDB stream: views into the event's bytes, valid until the next `decode`.
///
/// What the service may leave out is optional or an empty text. An absent image is unknown, not empty.
struct stream_record {
    std::string_view bytes; ///< the record's own JSON text
    std::string_view event_id;
    std::string_view event_version;
    std::string_view event_source;
    std::string_view aws_region;
    std::string_view event_source_arn;
    event_name name{};
    sequence_number sequence;
    image keys;
    std::optional<image> new_image;
    std::optional<image> old_image;
    std::optional<time_point> created_at; ///< ApproximateCreationDateTime, cut to microseconds
    std::optional<std::uint64_t> size_bytes;
    std::optional<stream_view_type> view_type;
    std::string_view identity_type; ///< userIdentity, which the service sets on its own deletions
    std::string_view identity_principal;

    /// Whether time to live removed the item. The identity alone does not say so: it must be a REMOVE.
    [[nodiscard]] constexpr auto expired_by_ttl() const noexcept -> bool {
        return name == event_name::remove && identity_type == "Service" &&
               identity_principal == "dynamodb.amazonaws.com";
    }
};

/// A record that is right, or the fault that makes it unusable with whatever still tells which record it was.
class decoded_record {
public:
    [[nodiscard]] auto ok() const noexcept -> bool { return !fault_; }
    explicit operator bool() const noexcept { return ok(); }

    /// The record; `ok()` must hold.
    [[nodiscard]] auto operator*() const -> const stream_record& {
        if (fault_) { abort_on_misuse(fault_->reason); }
        return record_;
    }
    [[nodiscard]] auto operator->() const -> const stream_record* { return &**this; }

    /// What is wrong, with a byte offset into the event; `!ok()` must hold.
    [[nodiscard]] auto fault() const -> const parse_fault& {
        if (!fault_) { abort_on_misuse("the fault of a good record was asked for"); }
        return *fault_;
    }

    /// The record's own JSON text, good or not.
    [[nodiscard]] auto bytes() const noexcept -> std::string_view { return record_.bytes; }
    /// The event id, or an empty text where it cannot be read.
    [[nodiscard]] auto event_id() const noexcept -> std::string_view { return record_.event_id; }
    /// The sequence number's text, or an empty text where it cannot be read.
    [[nodiscard]] auto sequence() const noexcept -> std::string_view {
        return has_sequence_ ? record_.sequence.view() : std::string_view{};
    }
    /// The item's key, if that much can be read.
    [[nodiscard]] auto keys() const noexcept -> std::optional<image> {
        return has_keys_ ? std::optional{record_.keys} : std::nullopt;
    }

private:
    friend class event_decoder;
    friend class detail::record_parser;

    stream_record record_;
    std::optional<parse_fault> fault_;
    bool has_sequence_{};
    bool has_keys_{};
};

} // namespace freshet
