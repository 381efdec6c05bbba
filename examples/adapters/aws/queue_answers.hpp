#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <freshet/backend/message_queue.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>

#include <adapters/aws/client.hpp>
#include <adapters/aws/service_error.hpp>
#include <adapters/aws/settings.hpp>

namespace adapters::aws {

/// Asks SQS; `where` names the queue in what goes wrong. `denied` where there is no such queue.
[[nodiscard]] inline auto call_sqs(const client& by, std::string_view operation, const nlohmann::json& request,
                                   const std::string& where) -> freshet::result<nlohmann::json> {
    const auto answer = by.call(sqs, operation, request.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    const std::string_view refused_as = answer.refused_as;
    if (refused_as.ends_with("QueueDoesNotExist") || refused_as.ends_with("NonExistentQueue")) {
        return freshet::error{freshet::errc::denied, where + ": there is no such queue"};
    }
    auto read = read_json(answer, where);
    if (read || answer.body.ok()) { return read; }
    return freshet::error{read.why().code, where + ": " + read.why().note};
}

/// The member of that name where it is a text; empty where there is none.
[[nodiscard]] inline auto text_in(const nlohmann::json& object, const char* name) -> std::string {
    const auto* const text = object.is_object() && object.contains(name)
                                 ? object[name].get_ptr<const nlohmann::json::string_t*>()
                                 : nullptr;
    return text == nullptr ? std::string{} : *text;
}

/// The number that the member's text says, as SQS writes the numbers among its attributes; nothing where it says none.
[[nodiscard]] inline auto number_in(const nlohmann::json& object, const char* name) -> std::optional<std::int64_t> {
    const auto text = text_in(object, name);
    std::int64_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto [stop, bad] = std::from_chars(text.data(), end, number);
    return !text.empty() && stop == end && bad == std::errc{} ? std::optional{number} : std::nullopt;
}

/// What a caller can do about an entry of a batch that SQS names as failed.
///
/// Where a delivery is over, the message says so: its code may be that of what is no receipt. Source: Amazon SQS API
/// Reference, `BatchResultErrorEntry`; for the messages, "Troubleshooting issues in Amazon SQS".
[[nodiscard]] inline auto code_of_failed_entry(std::string_view code, std::string_view message, bool sender_fault)
    -> freshet::errc {
    using freshet::errc;
    constexpr auto moved_on = "not available for visibility timeout change";
    if (detail::holds_any(message, {"has expired", moved_on, "beyond the limit"})) { return errc::expired; }
    if (detail::holds_any(message, {"must be shorter than"})) { return errc::too_large; }
    const auto* const known = std::find_if(detail::known_errors.begin(), detail::known_errors.end(),
                                           [name = detail::bare_name(code)](const auto& each) {
                                               return each.name == name;
                                           });
    if (known != detail::known_errors.end()) { return known->code; }
    return sender_fault ? errc::malformed : errc::unavailable;
}

/// The refusals of a batch of so many entries, which are called by their places; ascending.
///
/// The outcome is unknown (`unavailable`) unless the answer mentions each entry once. An entry that was not allowed
/// fails the batch (`denied`): it is not to blame, and all others meet the same.
[[nodiscard]] inline auto read_batch_answer(const nlohmann::json& answer, std::size_t entries, const std::string& where)
    -> freshet::result<std::vector<freshet::entry_refusal>> {
    std::vector<bool> mentioned(entries);
    std::vector<freshet::entry_refusal> refused;
    std::optional<freshet::error> wrong;
    const auto each = [&](const char* list, auto use) {
        const auto found = answer.is_object() ? answer.find(list) : answer.end();
        if (found == answer.end() || !found->is_array()) { return; } // SQS leaves out a list that is empty
        for (const auto& entry : *found) {
            const auto place = number_in(entry, "Id");
            const bool known = place && *place >= 0 && static_cast<std::size_t>(*place) < entries;
            if (!known || mentioned[static_cast<std::size_t>(*place)]) {
                wrong = {freshet::errc::unavailable, where + ": an answer about an entry that was not asked about"};
                continue;
            }
            mentioned[static_cast<std::size_t>(*place)] = true;
            use(static_cast<std::size_t>(*place), entry);
        }
    };
    each("Successful", [](std::size_t, const nlohmann::json&) {});
    each("Failed", [&](std::size_t place, const nlohmann::json& entry) {
        const auto fault = entry.find("SenderFault");
        const bool sender_fault = fault != entry.end() && fault->is_boolean() && fault->get<bool>();
        const auto name = text_in(entry, "Code");
        const auto message = text_in(entry, "Message");
        const auto code = code_of_failed_entry(name, message, sender_fault);
        freshet::error why{code, where + ": " + freshet::printable(name) + ": " + freshet::printable(message, 200)};
        if (code == freshet::errc::denied) { wrong = why; }
        refused.push_back({place, std::move(why), !sender_fault || code == freshet::errc::throttled});
    });
    if (wrong) { return *std::move(wrong); }
    if (const auto lost = std::find(mentioned.begin(), mentioned.end(), false); lost != mentioned.end()) {
        return freshet::error{freshet::errc::unavailable, where + ": no answer about entry " +
                                                              std::to_string(lost - mentioned.begin())};
    }
    std::sort(refused.begin(), refused.end(), [](const auto& a, const auto& b) { return a.entry < b.entry; });
    return refused;
}

/// The messages of a `ReceiveMessage` answer; none where it has no list of them. `malformed` where one has no id, no
/// receipt or no body.
[[nodiscard]] inline auto read_messages(const nlohmann::json& answer, const std::string& where)
    -> freshet::result<std::vector<freshet::received_message>> {
    constexpr std::int64_t latest = 253'402'300'799'999; // the last millisecond of the year 9999
    std::vector<freshet::received_message> all;
    const auto found = answer.is_object() ? answer.find("Messages") : answer.end();
    if (found == answer.end() || !found->is_array()) { return all; }
    for (const auto& each : *found) {
        const auto of = [&](const char* name) { return each.is_object() ? each.value(name, nlohmann::json{}) : each; };
        const auto attributes = of("Attributes");
        const auto own = of("MessageAttributes");
        const auto sequence = own.is_object() ? own.find("sequence_number") : own.end();
        const auto number_of = [&](const char* name, std::int64_t least, std::int64_t most) {
            return std::clamp(number_in(attributes, name).value_or(least), least, most);
        };
        auto& message = all.emplace_back();
        message.id = text_in(each, "MessageId");
        message.receipt = text_in(each, "ReceiptHandle");
        message.body = text_in(each, "Body");
        message.group_id = text_in(attributes, "MessageGroupId");
        message.deduplication_id = text_in(attributes, "MessageDeduplicationId");
        if (sequence != own.end()) { message.sequence = text_in(*sequence, "StringValue"); }
        message.receive_count = static_cast<unsigned>(number_of("ApproximateReceiveCount", 1, 1'000'000'000));
        message.sent_at = freshet::time_point{std::chrono::milliseconds{number_of("SentTimestamp", 0, latest)}};
        if (message.id.empty() || message.receipt.empty() || message.body.empty()) {
            return freshet::error{freshet::errc::malformed,
                                  where + ": an answer with a message that has no id, no receipt or no body"};
        }
    }
    return all;
}

} // namespace adapters::aws
