#pragma once

#include <charconv>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string_view>

#include <freshet/core/rfc3339.hpp>
#include <freshet/item/attribute.hpp>
#include <freshet/item/json_string.hpp>
#include <freshet/item/plain_json.hpp>
#include <freshet/item/stream_record.hpp>
#include <freshet/key/key_field.hpp>
#include <freshet/stream/change_detector.hpp>

namespace freshet {

namespace detail {

/// Escapes U+FFFE and U+FFFF, which JSON allows as they are and queues refuse in a body; returns the new end.
inline auto escape_noncharacters(char* begin, char* end) noexcept -> char* {
    const auto is_one = [](const char* p) {
        return p[0] == '\xef' && p[1] == '\xbf' && (p[2] == '\xbe' || p[2] == '\xbf');
    };
    std::size_t count = 0;
    for (char* at = begin;
         (at = static_cast<char*>(std::memchr(at, '\xef', static_cast<std::size_t>(end - at)))) != nullptr; ++at) {
        count += end - at >= 3 && is_one(at) ? 1 : 0;
    }
    // From the back, so that each byte moves once; the text is valid UTF-8, so the three bytes are always one
    // character.
    char* const new_end = end + 3 * count;
    for (char* out = new_end; out != end;) {
        if (end - begin >= 3 && is_one(end - 3)) {
            end -= 3;
            out -= 6;
            put(out, end[2] == '\xbe' ? "\\ufffe" : "\\uffff");
        } else {
            *--out = *--end;
        }
    }
    return new_end;
}

/// The image that shows the item at this event, or null where the stream does not carry it.
[[nodiscard]] inline auto snapshot_of(const stream_record& record) noexcept -> const image* {
    const auto& shown = record.name == event_name::remove ? record.old_image : record.new_image;
    return shown ? &*shown : nullptr;
}

} // namespace detail

/// What a message's body is made of.
struct message_parts {
    const stream_record& record;
    const entity_key& key;
    const change_set& changes;
};

/// The most bytes that `write_message_body` needs.
[[nodiscard]] inline auto message_body_bound(const message_parts& of) noexcept -> std::size_t {
    constexpr std::size_t frame = 512; // the member names, the punctuation, the time, the event name
    const auto text = [](std::string_view raw) { return detail::json_string_bound(raw.size()); };
    // What is copied as it stands in the event may hold noncharacters, which double when they are escaped.
    const auto value = [](attribute read) { return 2 * plain_json_bound(read); };
    const auto side = [&](const std::optional<attribute>& read) {
        return read ? value(*read) : std::string_view{"null"}.size();
    };

    auto bound = frame + text(of.key.entity) + text(of.record.event_id) + text(of.record.aws_region);
    for (const auto& field : of.key.fields) {
        bound += text(field.name) + text(field.text) + std::string_view{":18446744073709551615,"}.size();
    }
    for (const auto& change : of.changes.changes) {
        bound += text(change.field) + std::string_view{R"(:{"old":,"new":},)"}.size();
        bound += side(change.before) + side(change.after);
    }
    if (const auto* snapshot = detail::snapshot_of(of.record)) {
        for (const auto member : *snapshot) {
            bound += text(member.name()) + std::string_view{":,"}.size() + value(member);
        }
    }
    return bound;
}

/// Writes the body of a change message and returns the end.
///
/// A JSON object: `source` ("dynamodb_stream"), `entity_type`, `entity_data` (the key's fields, numbers as numbers),
/// `changes` (`{field: {"old": …, "new": …}}`, an absent side is `null`), `event_name`, `timestamp` (when the change
/// was made, in UTC with milliseconds), `stream_record_id`, `aws_region` and `record_snapshot` (every attribute of the
/// new image, or of the old one on REMOVE, as plain JSON). What the record does not say is `null`.
inline auto write_message_body(char* out, const message_parts& of) -> char* {
    const auto& record = of.record;
    const auto put = [&](std::string_view text) { out = detail::put(out, text); };
    const auto put_text = [&](std::string_view text) { out = detail::write_json_string(out, text); };
    const auto put_known = [&](std::string_view text) { text.empty() ? put("null") : put_text(text); };
    const auto put_side = [&](const std::optional<attribute>& side) {
        side ? static_cast<void>(out = write_plain_json(out, *side)) : put("null");
    };

    char* const begin = out;
    put(R"({"source":"dynamodb_stream","entity_type":)");
    put_text(of.key.entity);
    put(R"(,"entity_data":{)");
    for (const auto& field : of.key.fields) {
        if (&field != of.key.fields.data()) { *out++ = ','; }
        put_text(field.name);
        *out++ = ':';
        if (field.kind == key_field_kind::number) { out = std::to_chars(out, out + 20, field.number).ptr; }
        else { put_text(field.text); }
    }
    put(R"(},"changes":{)");
    for (const auto& change : of.changes.changes) {
        if (&change != of.changes.changes.data()) { *out++ = ','; }
        put_text(change.field);
        put(R"(:{"old":)");
        put_side(change.before);
        put(R"(,"new":)");
        put_side(change.after);
        *out++ = '}';
    }
    put(R"(},"event_name":")");
    put(name_of(record.name));
    put(R"(","timestamp":)");
    const auto time = record.created_at ? format_rfc3339(*record.created_at) : parsed<rfc3339_text>{parse_fault{}};
    put_known(time ? time->view() : std::string_view{});
    put(R"(,"stream_record_id":)");
    put_known(record.event_id);
    put(R"(,"aws_region":)");
    put_known(record.aws_region);
    put(R"(,"record_snapshot":)");
    if (const auto* snapshot = detail::snapshot_of(record)) {
        *out++ = '{';
        for (const auto value : *snapshot) {
            if (out[-1] != '{') { *out++ = ','; }
            out = write_plain_json_name(out, value);
            out = write_plain_json(out, value);
        }
        *out++ = '}';
    } else {
        put("null");
    }
    *out++ = '}';
    return detail::escape_noncharacters(begin, out);
}

} // namespace freshet
