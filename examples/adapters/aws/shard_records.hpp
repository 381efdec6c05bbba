#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <freshet/backend/change.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/sequence_number.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/event_decoder.hpp>
#include <freshet/item/json_scanner.hpp>
#include <freshet/item/json_string.hpp>
#include <freshet/item/stream_record.hpp>

#include <adapters/change_record.hpp>
#include <adapters/item_table.hpp>

namespace adapters::aws {

namespace detail {

/// The value of one member of a JSON object, as it stands in the text; nothing where there is none.
[[nodiscard]] inline auto member_text(std::string_view object, std::string_view wanted)
    -> std::optional<std::string_view> {
    freshet::detail::scan_memory memory;
    freshet::detail::json_scanner in{object, memory};
    std::optional<std::string_view> found;
    const bool read = in.members([&](const freshet::detail::json_string& name) {
        static_cast<void>(in.peek());
        const char* const from = in.position();
        const bool ours = name.text == wanted;
        if (!in.skip_value()) { return false; }
        if (ours) { found = std::string_view{from, static_cast<std::size_t>(in.position() - from)}; }
        return true;
    });
    return read ? found : std::nullopt;
}

/// What a member says that is a JSON string; nothing where it is another thing, or empty.
[[nodiscard]] inline auto member_string(std::string_view object, std::string_view wanted)
    -> std::optional<std::string> {
    const auto token = member_text(object, wanted);
    if (!token || !token->starts_with('"')) { return std::nullopt; }
    freshet::detail::scan_memory memory;
    freshet::detail::json_scanner in{*token, memory};
    freshet::detail::json_string said;
    return in.string(said) && !said.text.empty() ? std::optional{std::string{said.text}} : std::nullopt;
}

} // namespace detail

/// A record of a GetRecords answer as Lambda delivers it: its own bytes, and which stream it is of.
///
/// Source: the Lambda developer guide, "Using Lambda with DynamoDB"; GetRecords leaves the `eventSourceARN` out.
[[nodiscard]] inline auto delivered_record(const freshet::decoded_record& record, std::string_view stream)
    -> std::string {
    std::string text{record.bytes()};
    if (record ? !record->event_source_arn.empty() : detail::member_text(text, "eventSourceARN").has_value()) {
        return text;
    }
    std::string member = ",\"eventSourceARN\":";
    freshet::detail::append_json_string(member, stream);
    return text.insert(text.rfind('}'), member);
}

/// A record as the change that it tells of; `malformed` where the table's key or the sequence number cannot be read.
///
/// Whatever else is wrong with a record is for those to meet who decode its bytes: the sides stay absent, the instant
/// is unknown, the cause is a write, and the kind `modify` where the record names none.
template <class Row>
[[nodiscard]] auto change_of(const freshet::decoded_record& record, const item_table_options& options,
                             std::string_view stream) -> freshet::result<freshet::change<Row>> {
    static_assert(std::is_same_v<Row, freshet::document> || std::is_same_v<Row, unread>,
                  "a stream of items gives freshet::document, or adapters::unread");
    const auto refuse = [&](std::string_view why) -> freshet::error {
        const auto number = record.sequence().empty() ? "without a readable number" : std::string{record.sequence()};
        return {freshet::errc::malformed, "the record " + number + ": " + std::string{why}};
    };
    const auto sequence = freshet::sequence_number::parse(record.sequence());
    const auto keys = record.keys();
    if (!sequence || !keys) { return refuse(record.fault().reason); }
    const auto partition = keys->find(options.partition);
    const auto sort = options.sort.empty() ? std::nullopt : keys->find(options.sort);
    if (!partition || (!sort && !options.sort.empty())) { return refuse("it lacks the table's key attributes"); }
    freshet::change<Row> change;
    change.key = {std::string{partition->text()}, sort ? std::string{sort->text()} : std::string{}};
    change.sequence = *sequence;
    change.record = delivered_record(record, stream);
    if (!record) {
        change.kind = freshet::change_kind::modify;
        const auto said = detail::member_string(record.bytes(), "eventName");
        for (const auto kind : {freshet::change_kind::insert, freshet::change_kind::remove}) {
            if (said == freshet::name_of(kind)) { change.kind = kind; }
        }
        return change;
    }
    change.kind = record->name;
    change.cause = record->expired_by_ttl() ? freshet::change_cause::expiry : freshet::change_cause::write;
    change.made_at = record->created_at;
    if constexpr (std::is_same_v<Row, freshet::document>) {
        const auto told = detail::member_text(record.bytes(), "dynamodb").value_or("{}");
        const auto side = [&](bool there, std::string_view name) -> std::optional<Row> {
            if (!there) { return std::nullopt; }
            auto item = freshet::document::parse(std::string{detail::member_text(told, name).value_or("")});
            return item ? std::optional{*std::move(item)} : std::nullopt;
        };
        change.before = side(record->old_image.has_value(), "OldImage");
        change.after = side(record->new_image.has_value(), "NewImage");
    }
    return change;
}

} // namespace adapters::aws
