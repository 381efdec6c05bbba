#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/core/epoch_seconds.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/item/attribute_parser.hpp>
#include <freshet/item/json_scanner.hpp>
#include <freshet/item/stream_record.hpp>

namespace freshet::detail {

/// Where an image stands on a tape that is still growing.
struct tape_range {
    std::size_t first{};
    std::size_t nodes{};
};

/// A record while it is read: everything but the views of its images.
struct raw_record {
    decoded_record record;
    std::optional<tape_range> keys;
    std::optional<tape_range> new_image;
    std::optional<tape_range> old_image;
};

/// Reads one element of an event's `Records`.
class record_parser {
public:
    record_parser(json_scanner& in, std::vector<attribute_node>& tape)
        : in_{in}, keys_{in, tape}, images_{in, tape}, tape_{tape} {}

    /// Reads one record into `out`. False: the event is no JSON. What else is wrong becomes the record's fault.
    [[nodiscard]] auto read(raw_record& out) -> bool {
        static_cast<void>(in_.peek());
        const char* const open = in_.position();
        out_ = &out;
        named_ = id_named_ = keys_named_ = sequence_named_ = false;
        if (in_.peek() != '{') {
            in_.refuse(open, "a record that is no object");
            if (!in_.skip_value()) { return false; }
        } else {
            if (!in_.members([&](const json_string& name) { return member(name); })) { return false; }
            missing(open);
        }
        record().bytes = {open, static_cast<std::size_t>(in_.position() - open)};
        out.record.fault_ = in_.refusal();
        in_.forget_refusal();
        return true;
    }

private:
    [[nodiscard]] auto record() -> stream_record& { return out_->record.record_; }

    /// Refuses a record that lacks, or contradicts, what every change record says.
    void missing(const char* open) {
        const auto& r = *out_;
        if (!named_) { in_.refuse(open, "a record without eventName"); }
        if (!r.keys) { in_.refuse(open, "a record without Keys"); }
        if (!r.record.has_sequence_) { in_.refuse(open, "a record without SequenceNumber"); }
        if (r.old_image && record().name == event_name::insert) { in_.refuse(open, "an INSERT with an OldImage"); }
        if (r.new_image && record().name == event_name::remove) { in_.refuse(open, "a REMOVE with a NewImage"); }
    }

    [[nodiscard]] auto member(const json_string& name) -> bool {
        auto& r = record();
        if (name.says("dynamodb")) { return change(); }
        if (name.says("eventID")) {
            if (!text(r.event_id, "an eventID that is no text")) { return false; }
            if (std::exchange(id_named_, true)) { r.event_id = {}; }
            return true;
        }
        if (name.says("eventName")) { return event(); }
        if (name.says("eventVersion")) { return text(r.event_version, "an eventVersion that is no text"); }
        if (name.says("eventSource")) { return source(); }
        if (name.says("awsRegion")) { return text(r.aws_region, "an awsRegion that is no text"); }
        if (name.says("eventSourceARN")) { return text(r.event_source_arn, "an eventSourceARN that is no text"); }
        if (name.says("userIdentity")) { return identity(); }
        return in_.skip_value();
    }

    [[nodiscard]] auto change() -> bool {
        if (in_.peek() != '{') { return refuse_and_skip("a dynamodb member that is no object"); }
        return in_.members([&](const json_string& name) {
            if (name.says("NewImage")) { return image(images_, out_->new_image, "a NewImage that is no object"); }
            if (name.says("OldImage")) { return image(images_, out_->old_image, "an OldImage that is no object"); }
            if (name.says("Keys")) { return keys() && only_once(keys_named_, out_->record.has_keys_); }
            if (name.says("SequenceNumber")) {
                return sequence() && only_once(sequence_named_, out_->record.has_sequence_);
            }
            if (name.says("ApproximateCreationDateTime")) { return created_at(); }
            if (name.says("SizeBytes")) { return size_bytes(); }
            if (name.says("StreamViewType")) { return view_type(); }
            return in_.skip_value();
        });
    }

    /// What tells which record it is cannot be read where it is said twice: nobody knows which one is meant.
    [[nodiscard]] static auto only_once(bool& named, bool& readable) -> bool {
        readable = !std::exchange(named, true) && readable;
        return true;
    }

    /// An optional member may be null, which some serialisers write for what is absent.
    [[nodiscard]] auto absent() -> bool { return in_.peek() == 'n'; }

    [[nodiscard]] auto text(std::string_view& out, std::string_view reason) -> bool {
        if (absent()) { return in_.skip_value(); }
        if (in_.peek() != '"') { return refuse_and_skip(reason); }
        json_string read;
        if (!in_.string(read)) { return false; }
        out = read.text;
        return true;
    }

    [[nodiscard]] auto event() -> bool {
        static_cast<void>(in_.peek());
        const char* const from = in_.position();
        std::string_view said;
        if (!text(said, "an eventName that is no text")) { return false; }
        for (const auto name : {event_name::insert, event_name::modify, event_name::remove}) {
            if (said == name_of(name)) {
                record().name = name;
                named_ = true;
                return true;
            }
        }
        if (!said.empty()) { in_.refuse(from, "an eventName that is none of INSERT, MODIFY, REMOVE"); }
        return true;
    }

    [[nodiscard]] auto source() -> bool {
        static_cast<void>(in_.peek());
        const char* const from = in_.position();
        if (!text(record().event_source, "an eventSource that is no text")) { return false; }
        if (!record().event_source.empty() && record().event_source != "aws:dynamodb") {
            in_.refuse(from, "an eventSource that is not aws:dynamodb");
        }
        return true;
    }

    /// Lambda writes `type` and `principalId`, the Streams API `Type` and `PrincipalId`.
    [[nodiscard]] auto identity() -> bool {
        if (absent()) { return in_.skip_value(); }
        if (in_.peek() != '{') { return refuse_and_skip("a userIdentity that is no object"); }
        return in_.members([&](const json_string& name) {
            if (name.says("type") || name.says("Type")) {
                return text(record().identity_type, "an identity type that is no text");
            }
            if (name.says("principalId") || name.says("PrincipalId")) {
                return text(record().identity_principal, "an identity principal that is no text");
            }
            return in_.skip_value();
        });
    }

    [[nodiscard]] auto image(attribute_parser& attributes, std::optional<tape_range>& out, std::string_view reason)
        -> bool {
        if (absent()) { return in_.skip_value(); }
        if (in_.peek() != '{') { return refuse_and_skip(reason); }
        const auto first = tape_.size();
        if (!attributes.image()) { return false; }
        out = tape_range{first, tape_.size() - first};
        return true;
    }

    /// A key is one or two attributes of the types S, N and B. It counts as readable if nothing in it is wrong.
    [[nodiscard]] auto keys() -> bool {
        static_cast<void>(in_.peek());
        const char* const from = in_.position();
        const auto earlier = in_.refusal();
        in_.forget_refusal();
        if (!image(keys_, out_->keys, "Keys that are no object")) { return false; }
        if (out_->keys && !in_.refusal()) {
            bool scalar = true;
            for (auto at = out_->keys->first; at != tape_.size(); ++at) {
                scalar = scalar && tape_[at].type <= attribute_type::binary;
            }
            if (!scalar) { in_.refuse(from, "a key attribute that is not of type S, N or B");
            } else if (out_->keys->nodes == 0 || out_->keys->nodes > 2) {
                in_.refuse(from, "a key of neither one nor two attributes");
            } else {
                out_->record.has_keys_ = true;
            }
        }
        if (earlier) { in_.refuse(*earlier); }
        return true;
    }

    [[nodiscard]] auto sequence() -> bool {
        static_cast<void>(in_.peek());
        const char* const from = in_.position();
        if (in_.peek() != '"') { return refuse_and_skip("a SequenceNumber that is no text"); }
        json_string read;
        if (!in_.string(read)) { return false; }
        const auto number = sequence_number::parse(read.text);
        if (!number) { return in_.refuse(from, number.fault().reason), true; }
        record().sequence = *number;
        out_->record.has_sequence_ = true;
        return true;
    }

    /// Epoch seconds as a number or as text, or an RFC 3339 text, as the service's command line prints it.
    [[nodiscard]] auto created_at() -> bool {
        if (absent()) { return in_.skip_value(); }
        const char* const from = in_.position();
        std::string_view said;
        json_string quoted;
        if (in_.peek() == '"') {
            if (!in_.string(quoted)) { return false; }
            said = quoted.text;
        } else if (in_.peek() == '-' || (in_.peek() >= '0' && in_.peek() <= '9')) {
            if (!in_.number(said)) { return false; }
        } else {
            return refuse_and_skip("an ApproximateCreationDateTime that is neither number nor text");
        }
        const auto seconds = parse_epoch_seconds(said);
        const auto instant = seconds ? seconds : parse_rfc3339(said);
        // An offset may carry a text of these years out of those that can be printed.
        if (instant && format_rfc3339(*instant)) { record().created_at = *instant; }
        else { in_.refuse(from, "an ApproximateCreationDateTime that is no time"); }
        return true;
    }

    [[nodiscard]] auto size_bytes() -> bool {
        if (absent()) { return in_.skip_value(); }
        if (in_.peek() != '-' && (in_.peek() < '0' || in_.peek() > '9')) {
            return refuse_and_skip("a SizeBytes that is no number");
        }
        const char* const from = in_.position();
        std::string_view digits;
        if (!in_.number(digits)) { return false; }
        std::uint64_t size = 0;
        const auto [end, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
        if (bad != std::errc{} || end != digits.data() + digits.size()) {
            return in_.refuse(from, "a SizeBytes that is no count of bytes"), true;
        }
        record().size_bytes = size;
        return true;
    }

    [[nodiscard]] auto view_type() -> bool {
        static_cast<void>(in_.peek());
        const char* const from = in_.position();
        std::string_view said;
        if (!text(said, "a StreamViewType that is no text")) { return false; }
        if (said == "NEW_AND_OLD_IMAGES") { record().view_type = stream_view_type::new_and_old_images; }
        else if (said == "NEW_IMAGE") { record().view_type = stream_view_type::new_image; }
        else if (said == "OLD_IMAGE") { record().view_type = stream_view_type::old_image; }
        else if (said == "KEYS_ONLY") { record().view_type = stream_view_type::keys_only; }
        else if (!said.empty()) { in_.refuse(from, "an unknown StreamViewType"); }
        return true;
    }

    auto refuse_and_skip(std::string_view reason) -> bool {
        in_.refuse(in_.position(), reason);
        return in_.skip_value();
    }

    json_scanner& in_;
    attribute_parser keys_; // one of each kind: an image resembles the image before
    attribute_parser images_;
    std::vector<attribute_node>& tape_;
    raw_record* out_{};
    bool named_{}; // eventName is one of the three
    bool id_named_{};
    bool keys_named_{};
    bool sequence_named_{};
};

} // namespace freshet::detail
