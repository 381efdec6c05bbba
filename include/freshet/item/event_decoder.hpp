#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <freshet/item/attribute.hpp>
#include <freshet/item/json_scanner.hpp>
#include <freshet/item/record_parser.hpp>
#include <freshet/item/stream_record.hpp>

namespace freshet {

/// Decodes a batch of change records: the event that Lambda hands to a function, or what GetRecords answers.
///
/// Records, attributes and texts are views into the event's bytes (or into this decoder, where a string holds
/// escapes); they are valid until the next `decode` and as long as the event's bytes are. A decoder keeps its
/// memory, so that steady work does not allocate. Not thread safe; one decoder a thread.
class event_decoder {
public:
    /// The event's records, in order, each good or with its own fault; or the fault that spoils the whole event.
    ///
    /// Bad JSON syntax or encoding anywhere spoils the event: truncation, trailing bytes, NUL, invalid UTF-8, bad
    /// escapes, lone surrogates. So does an event that has no array `Records` or names a member twice outside
    /// its records. Whatever else is wrong inside a record is that record's fault alone.
    ///
    /// Source: the Lambda developer guide ("Using Lambda with DynamoDB") and the DynamoDB Streams API reference.
    [[nodiscard]] auto decode(std::string_view event) -> parsed<std::span<const decoded_record>> {
        memory_.reset();
        tape_.clear();
        raw_.clear();
        records_.clear();
        if (event.size() >= std::numeric_limits<std::uint32_t>::max()) {
            return parse_fault{0, "an event of 4 GiB or more"};
        }

        detail::json_scanner in{event, memory_};
        detail::record_parser records{in, tape_};
        bool found = false;
        const auto member = [&](const detail::json_string& name) {
            if (name.text != "Records" || found || in.peek() != '[') { return in.skip_value(); }
            found = true;
            return in.elements([&] { return record(in, records); });
        };
        if (in.peek() != '{' && !in.at_end()) {
            in.refuse(in.position(), "an event that is no object");
            static_cast<void>(in.skip_value());
        } else if (in.members(member) && !found) {
            in.refuse(event.data(), "an event without an array of Records");
        }
        if (!in.error() && !in.at_end()) { in.fail(in.position(), "bytes behind the event"); }
        if (in.error()) { return *in.error(); }
        if (in.refusal()) { return *in.refusal(); }
        return resolve();
    }

private:
    /// A refusal from outside the records is kept beside those that the records take for themselves.
    [[nodiscard]] auto record(detail::json_scanner& in, detail::record_parser& parser) -> bool {
        const auto earlier = in.refusal();
        in.forget_refusal();
        const bool read = parser.read(raw_.emplace_back());
        if (earlier) { in.refuse(*earlier); }
        return read;
    }

    /// Turns tape positions into views, now that the tape has stopped moving.
    [[nodiscard]] auto resolve() -> std::span<const decoded_record> {
        const auto view = [&](const detail::tape_range& at) { return image{tape_.data() + at.first, at.nodes}; };
        for (auto& raw : raw_) {
            auto& record = records_.emplace_back(raw.record);
            if (raw.keys) { record.record_.keys = view(*raw.keys); }
            if (raw.new_image) { record.record_.new_image = view(*raw.new_image); }
            if (raw.old_image) { record.record_.old_image = view(*raw.old_image); }
        }
        return records_;
    }

    detail::scan_memory memory_;
    std::vector<detail::attribute_node> tape_;
    std::vector<detail::raw_record> raw_;
    std::vector<decoded_record> records_;
};

} // namespace freshet
