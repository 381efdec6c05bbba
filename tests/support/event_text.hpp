#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <doctest/doctest.h>

#include <freshet/item/event_decoder.hpp>
#include <freshet/item/stream_record.hpp>

/// What tests of the stream room share.
namespace support {

/// One change record as text. Members hold JSON as it will stand in the event; an empty one is left out.
struct record_text {
    std::string event = "MODIFY";
    std::string keys = R"("PK":{"S":"ITEM#7"},"SK":{"S":"PART#001#LABEL#TOTAL"})";
    std::optional<std::string> old_image{}; ///< what stands between the braces
    std::optional<std::string> new_image{};
    std::string event_id = R"("c4ca4238a0b923820dcc509a6f75849b")";
    std::string sequence = R"("4421584500000000017450439091")";
    std::string time = "1736937000"; // 2025-01-15T10:30:00Z
    std::string region = R"("us-east-1")";
};

[[nodiscard]] inline auto to_json(const record_text& record) -> std::string {
    std::string text = R"({"eventName":")" + record.event + '"';
    const auto add = [&](std::string_view name, std::string_view value) {
        if (!value.empty()) { text.append(",\"").append(name).append("\":").append(value); }
    };
    add("eventID", record.event_id);
    add("awsRegion", record.region);
    text += R"(,"dynamodb":{"Keys":{)" + record.keys + '}';
    add("SequenceNumber", record.sequence);
    add("ApproximateCreationDateTime", record.time);
    if (record.old_image) { add("OldImage", '{' + *record.old_image + '}'); }
    if (record.new_image) { add("NewImage", '{' + *record.new_image + '}'); }
    return text + "}}";
}

[[nodiscard]] inline auto event_of(std::initializer_list<std::string_view> records) -> std::string {
    std::string text = R"({"Records":[)";
    for (const auto record : records) { text.append(text.ends_with('[') ? "" : ",").append(record); }
    return text + "]}";
}

/// An event that decodes as a whole, with the text and the decoder that its records are views into.
class decoded_event {
public:
    explicit decoded_event(std::string text) : text_{std::move(text)} {
        const auto decoded = decoder_.decode(text_);
        CAPTURE(text_);
        REQUIRE(decoded.ok());
        records_ = *decoded;
    }
    explicit decoded_event(const record_text& record) : decoded_event{event_of({to_json(record)})} {}
    decoded_event(const decoded_event&) = delete;
    auto operator=(const decoded_event&) -> decoded_event& = delete;

    [[nodiscard]] auto records() const -> std::span<const freshet::decoded_record> { return records_; }
    /// The first record, which must be a good one.
    [[nodiscard]] auto record() const -> const freshet::stream_record& {
        CAPTURE(text_);
        REQUIRE_FALSE(records_.empty());
        REQUIRE(records_.front().ok());
        return *records_.front();
    }

private:
    std::string text_;
    freshet::event_decoder decoder_;
    std::span<const freshet::decoded_record> records_;
};

} // namespace support
