#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <freshet/item/event_decoder.hpp>
#include <freshet/item/stream_record.hpp>

namespace support {

/// A text whose `@` marks the byte that a fault is to name.
struct marked_text {
    std::string text;
    std::size_t offset{};

    explicit marked_text(std::string_view marked) : text{marked}, offset{text.find('@')} {
        if (offset != std::string::npos) { text.erase(offset, 1); }
    }
};

/// A right record with the sequence number `sequence`; `more` goes into its member `dynamodb`.
[[nodiscard]] inline auto right_record(std::string_view sequence, std::string_view more = "") -> std::string {
    return R"({"eventID":"id-)" + std::string{sequence} +
           R"(","eventName":"MODIFY","dynamodb":{"Keys":{"PK":{"S":"p"},"SK":{"N":"7"}},"SequenceNumber":")" +
           std::string{sequence} + '"' + std::string{more} + "}}";
}

/// An event of a right record, `record`, and another right one.
[[nodiscard]] inline auto event_around(std::string_view record) -> std::string {
    return R"({"Records":[)" + right_record("100") + "," + std::string{record} + "," + right_record("300") + "]}";
}

/// What a failed record can still say.
enum class readable { everything, nothing, only_id, all_but_id, all_but_keys, all_but_sequence };

/// Checks that `record` fails with `reason` at the byte marked with `@`, and that its neighbours do not.
inline void check_record_refused(std::string_view marked_record, std::string_view reason,
                                 readable still = readable::everything) {
    const std::string record{marked_record};
    CAPTURE(record);
    const marked_text event{event_around(marked_record)};
    freshet::event_decoder decoder;
    const auto records = decoder.decode(event.text);
    REQUIRE(records.ok());
    REQUIRE(records->size() == 3);
    for (const std::size_t neighbour : {0U, 2U}) {
        REQUIRE((*records)[neighbour].ok());
        CHECK((*records)[neighbour].sequence() == (neighbour == 0 ? "100" : "300"));
        CHECK((*records)[neighbour]->keys.find("PK")->text() == "p");
    }
    const auto& failed = (*records)[1];
    REQUIRE(!failed.ok());
    CHECK(failed.fault().reason == reason);
    CHECK(failed.fault().offset == event.offset);
    CHECK(failed.bytes() == marked_text{marked_record}.text);
    using enum readable;
    CHECK(failed.event_id() == (still == nothing || still == all_but_id ? "" : "id-200"));
    CHECK(failed.sequence() == (still == nothing || still == only_id || still == all_but_sequence ? "" : "200"));
    const bool with_keys = still != nothing && still != only_id && still != all_but_keys;
    REQUIRE(failed.keys().has_value() == with_keys);
    if (with_keys) {
        CHECK(failed.keys()->find("PK")->text() == "p");
        CHECK(failed.keys()->find("SK")->text() == "7");
    }
}

/// The same for a record that is right but for one value in its new image.
inline void check_value_refused(std::string_view marked_value, std::string_view reason) {
    check_record_refused(right_record("200", R"(,"NewImage":{"a":{"L":[{"S":"x"}]},"wrong":)" +
                                                 std::string{marked_value} + R"(,"z":{"NULL":true}})"),
                         reason);
}

/// Whether a record with this value in its new image is right.
[[nodiscard]] inline auto value_is_right(std::string_view value) -> bool {
    freshet::event_decoder decoder;
    const auto event = event_around(right_record("200", R"(,"NewImage":{"right":)" + std::string{value} + "}"));
    const auto records = decoder.decode(event);
    return records && records->size() == 3 && (*records)[1].ok();
}

/// Checks that the whole event is refused with `reason` at the byte marked with `@`.
inline void check_event_refused(std::string_view marked_event, std::string_view reason) {
    const marked_text event{marked_event};
    CAPTURE(event.text);
    freshet::event_decoder decoder;
    const auto records = decoder.decode(event.text);
    REQUIRE(!records.ok());
    CHECK(records.fault().reason == reason);
    CHECK(records.fault().offset == event.offset);
}

} // namespace support
