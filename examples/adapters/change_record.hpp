#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <adapters/item_table.hpp>
#include <adapters/stream_place.hpp>
#include <freshet/backend/change.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/sha256.hpp>
#include <freshet/core/time.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/json_string.hpp>
#include <freshet/item/stream_record.hpp>

namespace adapters {

/// The row type of a stream whose reader uses only the records: no image is parsed, and both sides stay absent.
struct unread {};

/// One change as a table's log keeps it; views of the log's own bytes.
struct change_entry {
    std::uint64_t number{}; ///< counts the stream's changes from 1 on
    freshet::time_point made_at{};
    freshet::change_cause cause{};
    std::string_view partition;
    std::string_view sort;
    std::optional<std::string_view> before; ///< the item's text; absent: there was no row
    std::optional<std::string_view> after;

    [[nodiscard]] auto kind() const noexcept -> freshet::change_kind {
        return !before  ? freshet::change_kind::insert
               : !after ? freshet::change_kind::remove
                        : freshet::change_kind::modify;
    }
};

namespace detail {

/// Seconds since 1970 as a JSON number, with no more decimals than it needs.
inline void append_seconds(std::string& out, freshet::time_point instant) {
    constexpr std::uint64_t second = 1'000'000;
    const auto ticks = instant.time_since_epoch().count();
    const auto size = static_cast<std::uint64_t>(ticks < 0 ? -ticks : ticks);
    if (ticks < 0) { out += '-'; }
    out += std::to_string(size / second);
    if (size % second == 0) { return; }
    auto fraction = std::to_string(second + size % second);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    fraction.front() = '.'; // in place of the 1 that kept the zeros
    out += fraction;
}

inline void append_member(std::string& out, std::string_view name, std::string_view text) {
    freshet::detail::append_json_string(out += ',', name);
    freshet::detail::append_json_string(out += ':', text);
}

} // namespace detail

/// Appends the change as one record of a DynamoDB stream event, the same bytes each time.
///
/// The eventID is made from the stream and the number; SizeBytes counts the keys and images as they stand in the text.
///
/// Source: the Lambda developer guide, "Using Lambda with DynamoDB", and the DynamoDB Streams API reference.
inline void write_change_record(std::string& out, const change_entry& change, const item_table_options& options,
                                std::string_view stream) {
    using freshet::detail::append_json_string;
    const auto sequence = sequence_of(change.number);
    const auto id = freshet::hex(freshet::sha256{}.update(stream).update("@").update(sequence.view()).finish());
    out.reserve(out.size() + 1'024 + 2 * (change.partition.size() + change.sort.size()) +
                change.before.value_or("").size() + change.after.value_or("").size());

    (out += R"({"eventID":")").append(id.data(), 32);
    (out += R"(","eventName":")") += freshet::name_of(change.kind());
    out += R"(","eventVersion":"1.1","eventSource":"aws:dynamodb")";
    detail::append_member(out, "awsRegion", options.region);
    detail::append_seconds(out += R"(,"dynamodb":{"ApproximateCreationDateTime":)", change.made_at);
    out += ',';
    const auto counted = out.size();
    append_json_string(out += R"("Keys":{)", options.partition);
    append_json_string(out += R"(:{"S":)", change.partition);
    if (!options.sort.empty()) {
        append_json_string(out += "},", options.sort);
        append_json_string(out += R"(:{"S":)", change.sort);
    }
    out += "}}";
    if (change.after) { (out += R"(,"NewImage":)") += *change.after; }
    if (change.before) { (out += R"(,"OldImage":)") += *change.before; }
    const auto size = out.size() - counted;
    ((out += R"(,"SequenceNumber":")") += sequence.view()) += R"(","SizeBytes":)";
    (out += std::to_string(size)) += R"(,"StreamViewType":"NEW_AND_OLD_IMAGES"})";
    if (change.cause == freshet::change_cause::expiry) {
        out += R"(,"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"})";
    }
    detail::append_member(out, "eventSourceARN", stream);
    out += '}';
}

/// The change as a stream gives it; fails only where a text of the log is no item.
template <class Row>
[[nodiscard]] auto change_of(const change_entry& entry, const item_table_options& options, std::string_view stream)
    -> freshet::result<freshet::change<Row>> {
    static_assert(std::is_same_v<Row, freshet::document> || std::is_same_v<Row, unread>,
                  "a stream of items gives freshet::document, or adapters::unread");
    freshet::change<Row> change;
    change.key = {std::string{entry.partition}, std::string{entry.sort}};
    change.sequence = sequence_of(entry.number);
    change.kind = entry.kind();
    change.cause = entry.cause;
    change.made_at = entry.made_at;
    write_change_record(change.record, entry, options, stream);
    if constexpr (std::is_same_v<Row, freshet::document>) {
        const auto read = [](const std::optional<std::string_view>& text,
                             std::optional<Row>& side) -> freshet::result<void> {
            if (!text) { return {}; }
            auto item = freshet::document::parse(std::string{*text});
            if (!item) { return std::move(item).why(); }
            side = *std::move(item);
            return {};
        };
        if (auto before = read(entry.before, change.before); !before) { return std::move(before).why(); }
        if (auto after = read(entry.after, change.after); !after) { return std::move(after).why(); }
    }
    return change;
}

} // namespace adapters
