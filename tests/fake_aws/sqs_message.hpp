#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <freshet/core/time.hpp>

#include <fake_aws/answer.hpp>
#include <fake_aws/md5.hpp>

namespace fake_aws {

/// Why the service refuses one entry of a batch. A call of its own says the same as a refusal of the whole.
struct sqs_refusal {
    std::string code; ///< as `Failed[].Code` spells it
    std::string text;
    int status{400};
    bool whole{}; ///< refuses every entry of the batch

    [[nodiscard]] auto alone() const -> answer {
        if (code == "InvalidParameterValue") { return refusal("InvalidParameterValueException", text, status); }
        if (code == "MissingParameter") { return refusal("MissingRequiredParameterException", text, status); }
        return refusal(code, text, status);
    }
};

[[nodiscard]] inline auto bad_value(std::string_view value, std::string_view parameter, std::string_view reason)
    -> sqs_refusal {
    return {"InvalidParameterValue", "Value " + std::string{value} + " for parameter " + std::string{parameter} +
                                         " is invalid. Reason: " + std::string{reason}};
}

[[nodiscard]] inline auto missing(std::string_view parameter) -> sqs_refusal {
    return {"MissingParameter", "The request must contain the parameter " + std::string{parameter} + "."};
}

/// A message as a queue keeps it.
struct sqs_message {
    std::uint64_t number{}; ///< its place in the queue
    std::string id{};
    std::string body{};
    std::string group{};
    std::string deduplication{};
    std::string sequence{};
    std::string sender{"AIDAFAKE"};
    std::string dead_letter_source{}; ///< the ARN of the queue that it was moved from
    std::string receipt{};            ///< of the last delivery by this queue
    nlohmann::json attributes = nlohmann::json::object();
    freshet::time_point sent_at{};
    freshet::time_point kept_since{};
    freshet::time_point visible_at{};
    freshet::time_point first_received_at{};
    freshet::time_point received_at{};
    unsigned receives{}; ///< by all queues
};

/// The string member, or nothing.
[[nodiscard]] inline auto text_in(const nlohmann::json& body, const char* name) -> std::optional<std::string> {
    const auto at = body.find(name);
    if (at == body.end() || !at->is_string()) { return std::nullopt; }
    return at->get<std::string>();
}

/// The integer member, or nothing.
[[nodiscard]] inline auto integer_in(const nlohmann::json& body, const char* name) -> std::optional<std::int64_t> {
    const auto at = body.find(name);
    if (at == body.end() || !at->is_number_integer()) { return std::nullopt; }
    return at->get<std::int64_t>();
}

/// The first character that no message may have, as its number in hexadecimal; nothing where there is none.
/// Source: Amazon SQS, `SendMessage`.
[[nodiscard]] inline auto refused_character(std::string_view utf8) -> std::optional<std::string> {
    for (std::size_t i = 0; i < utf8.size();) {
        const auto lead = static_cast<unsigned char>(utf8[i]);
        const std::size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        std::uint32_t code = size == 1 ? lead : lead & (0x7fU >> size);
        for (std::size_t k = 1; k < size && i + k < utf8.size(); ++k) {
            code = code << 6 | (static_cast<unsigned char>(utf8[i + k]) & 0x3fU);
        }
        const bool taken = code == 0x9 || code == 0xa || code == 0xd || (code >= 0x20 && code <= 0xd7ff) ||
                           (code >= 0xe000 && code <= 0xfffd) || (code >= 0x10000 && code <= 0x10ffff);
        if (!taken) {
            std::string hex;
            do { hex.insert(hex.begin(), "0123456789ABCDEF"[code % 16]); } while ((code /= 16) != 0);
            return hex;
        }
        i += size;
    }
    return std::nullopt;
}

/// Whether it has 1 to `most` characters, each a letter, a digit, or one of `others`.
[[nodiscard]] inline auto is_name(std::string_view text, std::size_t most, std::string_view others) -> bool {
    return !text.empty() && text.size() <= most && std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               others.find(c) != std::string_view::npos;
    });
}

/// A group, deduplication or attempt id: 1 to 128 letters, digits and punctuation.
[[nodiscard]] inline auto is_token(std::string_view text) -> bool {
    return is_name(text, 128, R"(!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~)");
}

/// Bytes of a message against its queue's limit: the body, and of each attribute name, type and value.
[[nodiscard]] inline auto bytes_of(const nlohmann::json& entry) -> std::size_t {
    auto bytes = text_in(entry, "MessageBody").value_or("").size();
    const auto attributes = entry.find("MessageAttributes");
    if (attributes == entry.end() || !attributes->is_object()) { return bytes; }
    for (const auto& [name, value] : attributes->items()) {
        bytes += name.size() + text_in(value, "DataType").value_or("").size() +
                 text_in(value, "StringValue").value_or("").size();
        bytes += text_in(value, "BinaryValue").value_or("").size() / 4 * 3;
    }
    return bytes;
}

/// The checksum of the attributes that have a string value; empty where there is none.
/// Source: Amazon SQS Developer Guide, "Calculating the MD5 message digest for message attributes".
[[nodiscard]] inline auto md5_of_attributes(const nlohmann::json& attributes) -> std::string {
    std::string bytes;
    const auto put = [&](std::string_view text) {
        for (int shift = 24; shift >= 0; shift -= 8) { bytes += static_cast<char>(text.size() >> shift & 0xff); }
        bytes += text;
    };
    for (const auto& [name, value] : attributes.items()) { // in the order of names
        if (!text_in(value, "StringValue")) { continue; }
        put(name);
        put(*text_in(value, "DataType"));
        bytes += '\x01';
        put(*text_in(value, "StringValue"));
    }
    return bytes.empty() ? "" : md5_hex(bytes);
}

/// Since 1970, as the service tells instants.
[[nodiscard]] inline auto seconds(freshet::time_point at) -> std::int64_t {
    return std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count();
}
[[nodiscard]] inline auto milliseconds(freshet::time_point at) -> std::int64_t {
    return std::chrono::floor<std::chrono::milliseconds>(at.time_since_epoch()).count();
}

/// What a receive tells of the message: what it asks for.
[[nodiscard]] inline auto tell(const sqs_message& message, const nlohmann::json& request) -> nlohmann::json {
    nlohmann::json told = {{"MessageId", message.id},
                           {"ReceiptHandle", message.receipt},
                           {"Body", message.body},
                           {"MD5OfBody", md5_hex(message.body)}};
    const std::map<std::string, std::string> system{
        {"SenderId", message.sender},
        {"SentTimestamp", std::to_string(milliseconds(message.sent_at))},
        {"ApproximateReceiveCount", std::to_string(message.receives)},
        {"ApproximateFirstReceiveTimestamp", std::to_string(milliseconds(message.first_received_at))},
        {"SequenceNumber", message.sequence},
        {"MessageDeduplicationId", message.deduplication},
        {"MessageGroupId", message.group},
        {"DeadLetterQueueSourceArn", message.dead_letter_source}};
    for (const auto* list : {"AttributeNames", "MessageSystemAttributeNames"}) {
        for (const auto& name : request.value(list, nlohmann::json::array())) {
            for (const auto& [attribute, value] : system) {
                if (!value.empty() && (name == "All" || name == attribute)) { told["Attributes"][attribute] = value; }
            }
        }
    }
    for (const auto& name : request.value("MessageAttributeNames", nlohmann::json::array())) {
        const auto wanted = name.is_string() ? name.get<std::string>() : "";
        for (const auto& [attribute, value] : message.attributes.items()) {
            const bool by_prefix = wanted.ends_with(".*") && attribute.starts_with(wanted.substr(0, wanted.size() - 2));
            if (by_prefix || wanted == "All" || wanted == attribute) { told["MessageAttributes"][attribute] = value; }
        }
    }
    if (told.contains("MessageAttributes")) {
        told["MD5OfMessageAttributes"] = md5_of_attributes(told["MessageAttributes"]);
    }
    return told;
}

/// Makes the names that the service gives, none of them twice.
class sqs_names {
public:
    [[nodiscard]] auto uuid() -> std::string {
        auto hex = digits(32, 16);
        hex[12] = '4';
        hex[16] = '8';
        for (const std::size_t at : {8U, 13U, 18U, 23U}) { hex.insert(at, 1, '-'); }
        return hex;
    }
    [[nodiscard]] auto receipt() -> std::string { return "AQEB" + digits(120, 64) + "=="; }
    /// Twenty digits, more than 64 bits hold; each number is greater than the one before.
    [[nodiscard]] auto sequence() -> std::string {
        auto digits = std::to_string(sequence_ += 256 * (1 + random_() % 8));
        return "188" + std::string(17 - digits.size(), '0') + digits;
    }

private:
    [[nodiscard]] auto digits(std::size_t count, std::size_t base) -> std::string {
        static constexpr std::string_view all{"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/"};
        std::string text(count, '0');
        for (auto& digit : text) { digit = all[static_cast<std::size_t>(random_() % base)]; }
        return text;
    }

    std::mt19937_64 random_{std::random_device{}()};
    std::uint64_t sequence_{};
};

} // namespace fake_aws
