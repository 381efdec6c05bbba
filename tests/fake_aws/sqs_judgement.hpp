#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <fake_aws/answer.hpp>
#include <fake_aws/sqs_message.hpp>
#include <fake_aws/sqs_queue.hpp>

namespace fake_aws {

/// Why the service refuses the attributes of a message.
[[nodiscard]] inline auto judge_attributes(const nlohmann::json& entry) -> std::optional<sqs_refusal> {
    const auto attributes = entry.value("MessageAttributes", nlohmann::json::object());
    const auto bad = [](std::string text) { return sqs_refusal{"InvalidParameterValue", std::move(text)}; };
    if (attributes.size() > 10) {
        return bad("Number of message attributes [" + std::to_string(attributes.size()) +
                   "] exceeds the allowed maximum [10].");
    }
    for (const auto& [name, value] : attributes.items()) {
        const auto type = text_in(value, "DataType").value_or("");
        if (!is_name(name, 256, "_-.")) { return bad("Message (user) attribute name '" + name + "' is invalid."); }
        const bool binary = type == "Binary" || type.starts_with("Binary.");
        const bool text =
            type == "String" || type.starts_with("String.") || type == "Number" || type.starts_with("Number.");
        if (!binary && !text) {
            return bad("The message attribute '" + name +
                       "' has an invalid message attribute type, the set of "
                       "supported type prefixes is Binary, Number, and String.");
        }
        const auto held = text_in(value, binary ? "BinaryValue" : "StringValue").value_or("");
        if (held.empty()) {
            return bad("Message (user) attribute '" + name + "' must contain a non-empty value of type '" +
                       (binary ? "Binary" : "String") + "'.");
        }
        if (text && refused_character(held)) {
            return sqs_refusal{"InvalidMessageContents",
                               "Message (user) attribute '" + name + "' has a character beyond the allowed set."};
        }
    }
    return std::nullopt;
}

/// Why the queue does not take this message.
[[nodiscard]] inline auto judge(const sqs_queue& queue, const nlohmann::json& entry) -> std::optional<sqs_refusal> {
    const auto whole = [](sqs_refusal why) {
        why.whole = true;
        return why;
    };
    const auto body = text_in(entry, "MessageBody").value_or("");
    const auto group = text_in(entry, "MessageGroupId");
    const auto id = text_in(entry, "MessageDeduplicationId");
    constexpr auto no_token = "can only include alphanumeric and punctuation characters. 1 to 128 in length";
    constexpr auto other_type = "The request include parameter that is not valid for this queue type";
    if (body.empty()) { return whole(missing("MessageBody")); }
    if (queue.fifo() && !group) { return whole(missing("MessageGroupId")); }
    if (queue.fifo() && !id && !queue.is("ContentBasedDeduplication", "true")) {
        return whole({"InvalidParameterValue",
                      "The queue should either have ContentBasedDeduplication enabled or "
                      "MessageDeduplicationId provided explicitly"});
    }
    if (group && !is_token(*group)) { return bad_value(*group, "MessageGroupId", no_token); }
    if (id && !queue.fifo()) { return bad_value(*id, "MessageDeduplicationId", other_type); }
    if (id && !is_token(*id)) { return bad_value(*id, "MessageDeduplicationId", no_token); }
    if (const auto delay = integer_in(entry, "DelaySeconds")) {
        if (queue.fifo()) { return bad_value(std::to_string(*delay), "DelaySeconds", other_type); }
        if (*delay < 0 || *delay > 900) {
            return bad_value(std::to_string(*delay), "DelaySeconds", "DelaySeconds must be >= 0 and <= 900");
        }
    }
    if (auto why = judge_attributes(entry)) { return why; }
    if (const auto character = refused_character(body)) {
        return sqs_refusal{"InvalidMessageContents",
                           "Invalid binary character '#x" + *character +
                               "' was found in the message body, the set of allowed characters is #x9 | #xA | "
                               "#xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"};
    }
    const auto most = queue.number("MaximumMessageSize");
    if (bytes_of(entry) > static_cast<std::size_t>(most)) {
        return sqs_refusal{"InvalidParameterValue",
                           "One or more parameters are invalid. Reason: Message must be "
                           "shorter than " +
                               std::to_string(most) + " bytes."};
    }
    return std::nullopt;
}

[[nodiscard]] inline auto bad_visibility(std::int64_t timeout) -> sqs_refusal {
    return bad_value(std::to_string(timeout), "VisibilityTimeout",
                     "VisibilityTimeout must be an integer between 0 and 43200");
}

/// Why the service looks at no entry of this batch.
[[nodiscard]] inline auto check_batch(const nlohmann::json& body) -> std::optional<answer> {
    const auto entries = body.find("Entries");
    if (entries == body.end() || !entries->is_array() || entries->empty()) {
        return refusal("EmptyBatchRequest", "There should be at least one entry in the request.");
    }
    if (entries->size() > 10) {
        return refusal("TooManyEntriesInBatchRequest",
                       "Maximum number of entries per request are 10. You have "
                       "sent " +
                           std::to_string(entries->size()) + ".");
    }
    std::set<std::string> ids;
    for (const auto& entry : *entries) {
        if (!entry.is_object()) { return refusal("SerializationException", "an entry is no JSON object"); }
        const auto id = text_in(entry, "Id").value_or("");
        if (!is_name(id, 80, "-_")) {
            return refusal("InvalidBatchEntryId",
                           "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
                           "It can be at most 80 letters long.");
        }
        if (!ids.insert(id).second) { return refusal("BatchEntryIdsNotDistinct", "Id " + id + " repeated."); }
    }
    return std::nullopt;
}

} // namespace fake_aws
