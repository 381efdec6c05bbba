#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <fake_aws/answer.hpp>
#include <fake_aws/sqs_message.hpp>
#include <fake_aws/sqs_queue.hpp>

namespace fake_aws {

/// An attribute of queues that is a number, with what it may be and what it is where nobody says.
struct sqs_number {
    std::string_view name;
    std::int64_t least, most, usual;
};
inline constexpr std::array<sqs_number, 5> sqs_numbers{{{"DelaySeconds", 0, 900, 0},
                                                        {"MaximumMessageSize", 1'024, 1'048'576, 1'048'576},
                                                        {"MessageRetentionPeriod", 60, 1'209'600, 345'600},
                                                        {"ReceiveMessageWaitTimeSeconds", 0, 20, 0},
                                                        {"VisibilityTimeout", 0, 43'200, 30}}};

/// An attribute of FIFO queues that is one of two words, the first where nobody says.
struct sqs_choice {
    std::string_view name, usual, other;
};
inline constexpr std::array<sqs_choice, 4> sqs_choices{{{"FifoQueue", "true", "true"},
                                                        {"ContentBasedDeduplication", "false", "true"},
                                                        {"DeduplicationScope", "queue", "messageGroup"},
                                                        {"FifoThroughputLimit", "perQueue", "perMessageGroupId"}}};

/// Whether a queue may be given the attribute.
[[nodiscard]] inline auto is_settable(std::string_view name) -> bool {
    for (const auto& one : sqs_numbers) {
        if (one.name == name) { return true; }
    }
    for (const auto& one : sqs_choices) {
        if (one.name == name) { return true; }
    }
    return name == "RedrivePolicy" || name == "RedriveAllowPolicy" || name == "Policy" ||
           name == "SqsManagedSseEnabled" || name == "KmsMasterKeyId" || name == "KmsDataKeyReusePeriodSeconds";
}

[[nodiscard]] inline auto default_attributes(bool fifo) -> sqs_queue::attribute_map {
    sqs_queue::attribute_map all{{"SqsManagedSseEnabled", "true"}};
    for (const auto& one : sqs_numbers) { all.emplace(one.name, std::to_string(one.usual)); }
    if (fifo) {
        for (const auto& one : sqs_choices) { all.emplace(one.name, one.usual); }
    }
    return all;
}

/// Reads the member `Attributes` of a request; why the service refuses it.
[[nodiscard]] inline auto read_attributes(const nlohmann::json& body, bool fifo, sqs_queue::attribute_map& into)
    -> std::optional<answer> {
    const auto given = body.value("Attributes", nlohmann::json::object());
    for (const auto& [name, json] : given.items()) {
        const auto bad = [&, name = name] {
            return refusal("InvalidAttributeValue", "Invalid value for the parameter " + name + ".");
        };
        if (!json.is_string()) { return refusal("SerializationException", "an attribute's value is no text"); }
        const auto value = json.get<std::string>();
        if (!is_settable(name)) { return refusal("InvalidAttributeName", "Unknown Attribute " + name + "."); }
        for (const auto& one : sqs_numbers) {
            if (one.name != name) { continue; }
            std::int64_t number = -1;
            const auto* end = value.data() + value.size();
            if (std::from_chars(value.data(), end, number).ptr != end || number < one.least || number > one.most) {
                return bad();
            }
        }
        for (const auto& one : sqs_choices) {
            if (one.name != name) { continue; }
            if (!fifo) { return refusal("InvalidAttributeName", "Unknown Attribute " + name + "."); }
            if (value != one.usual && value != one.other) { return bad(); }
        }
        into[name] = value;
    }
    // Its number may come as text; the service gives it back as a number.
    if (const auto redrive = into.find("RedrivePolicy"); redrive != into.end() && !redrive->second.empty()) {
        auto policy = nlohmann::json::parse(redrive->second, nullptr, false);
        const auto count = policy.is_object() ? text_in(policy, "maxReceiveCount") : std::nullopt;
        if (count) {
            std::int64_t number = 0;
            std::from_chars(count->data(), count->data() + count->size(), number);
            policy["maxReceiveCount"] = number;
            redrive->second = policy.dump();
        }
    }
    return std::nullopt;
}

} // namespace fake_aws
