#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <freshet/backend/change.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
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
[[nodiscard]] inline auto delivered_record(const freshet::stream_record& record, std::string_view stream)
    -> std::string {
    std::string text{record.bytes};
    if (!record.event_source_arn.empty()) { return text; }
    std::string member = ",\"eventSourceARN\":";
    freshet::detail::append_json_string(member, stream);
    return text.insert(text.rfind('}'), member);
}

/// A record as the change that it tells of; `malformed` where it lacks the table's key.
template <class Row>
[[nodiscard]] auto change_of(const freshet::stream_record& record, const item_table_options& options,
                             std::string_view stream) -> freshet::result<freshet::change<Row>> {
    static_assert(std::is_same_v<Row, freshet::document> || std::is_same_v<Row, unread>,
                  "a stream of items gives freshet::document, or adapters::unread");
    const auto partition = record.keys.find(options.partition);
    const auto sort = options.sort.empty() ? std::nullopt : record.keys.find(options.sort);
    if (!partition || (!sort && !options.sort.empty())) {
        return freshet::error{freshet::errc::malformed, "the record " + std::string{record.sequence.view()} +
                                                            " does not have the table's key attributes"};
    }
    freshet::change<Row> change;
    change.key = {std::string{partition->text()}, sort ? std::string{sort->text()} : std::string{}};
    change.sequence = record.sequence;
    change.kind = record.name;
    change.cause = record.expired_by_ttl() ? freshet::change_cause::expiry : freshet::change_cause::write;
    change.made_at = record.created_at;
    change.record = delivered_record(record, stream);
    if constexpr (std::is_same_v<Row, freshet::document>) {
        const auto told = detail::member_text(record.bytes, "dynamodb").value_or("{}");
        const auto read = [&](bool there, std::string_view name, std::optional<Row>& side) -> freshet::result<void> {
            if (!there) { return {}; }
            auto item = freshet::document::parse(std::string{detail::member_text(told, name).value_or("")});
            if (!item) { return std::move(item).why(); }
            side = *std::move(item);
            return {};
        };
        if (auto old = read(record.old_image.has_value(), "OldImage", change.before); !old) { return old.why(); }
        if (auto made = read(record.new_image.has_value(), "NewImage", change.after); !made) { return made.why(); }
    }
    return change;
}

} // namespace adapters::aws
