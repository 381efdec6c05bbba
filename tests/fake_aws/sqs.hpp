#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <freshet/core/sha256.hpp>
#include <freshet/core/time.hpp>

#include <fake_aws/answer.hpp>
#include <fake_aws/md5.hpp>
#include <fake_aws/sqs_attributes.hpp>
#include <fake_aws/sqs_judgement.hpp>
#include <fake_aws/sqs_message.hpp>
#include <fake_aws/sqs_queue.hpp>

namespace fake_aws {

/// Amazon SQS in memory: what it answers to the operations of its JSON protocol. Thread safe; its time is `now()`.
///
/// Strict where the service is: an entry without a group id refuses its whole batch, a name is free again a minute
/// after its queue was deleted, and the receive count of a dead letter goes on from that of its first queue.
/// A receive that waits does so for `longest_wait` at most, whatever it asks for.
/// Sources: Amazon SQS API Reference and Developer Guide, and what the service was seen to answer.
class sqs {
public:
    explicit sqs(std::function<freshet::time_point()> now,
                 std::chrono::milliseconds longest_wait = std::chrono::milliseconds{100})
        : now_{std::move(now)}, longest_wait_{longest_wait} {}

    /// What queue URLs start with.
    void set_endpoint(std::string endpoint) {
        const std::scoped_lock lock{mutex_};
        endpoint_ = std::move(endpoint);
    }

    [[nodiscard]] auto handle(std::string_view operation, const nlohmann::json& body) -> answer {
        using act = answer (sqs::*)(const nlohmann::json&);
        using act_on_queue = answer (sqs::*)(sqs_queue&, const nlohmann::json&);
        static const std::map<std::string_view, act> acts{{"CreateQueue", &sqs::create_queue},
                                                          {"GetQueueUrl", &sqs::get_queue_url},
                                                          {"ListQueues", &sqs::list_queues}};
        static const std::map<std::string_view, act_on_queue> acts_on_queue{
            {"DeleteQueue", &sqs::delete_queue},
            {"GetQueueAttributes", &sqs::get_attributes},
            {"SetQueueAttributes", &sqs::set_attributes},
            {"PurgeQueue", &sqs::purge},
            {"SendMessage", &sqs::send},
            {"SendMessageBatch", &sqs::send_batch},
            {"DeleteMessage", &sqs::erase},
            {"DeleteMessageBatch", &sqs::erase_batch},
            {"ChangeMessageVisibility", &sqs::hide},
            {"ChangeMessageVisibilityBatch", &sqs::hide_batch}};
        if (!body.is_object()) { return refusal("SerializationException", "the body is no JSON object"); }
        std::unique_lock lock{mutex_};
        if (const auto found = acts.find(operation); found != acts.end()) { return (this->*found->second)(body); }
        const auto found = acts_on_queue.find(operation);
        if (found == acts_on_queue.end() && operation != "ReceiveMessage") {
            return refusal("UnknownOperationException", "unknown operation " + std::string{operation});
        }
        auto* queue = at_url(text_in(body, "QueueUrl").value_or(""));
        if (queue == nullptr) { return no_queue(); }
        if (operation == "ReceiveMessage") { return receive(lock, *queue, body); }
        const auto said = (this->*found->second)(*queue, body);
        changed_.notify_all();
        return said;
    }

private:
    static constexpr std::size_t largest_request = 1'048'576;

    // --- queues

    [[nodiscard]] auto at_url(const std::string& url) -> sqs_queue* {
        const auto account = url.rfind("/123456789012/");
        return account == std::string::npos ? nullptr : named(url.substr(account + 14));
    }
    [[nodiscard]] auto named(std::string_view name) -> sqs_queue* {
        const auto at = queues_.find(name);
        if (at == queues_.end()) { return nullptr; }
        at->second.catch_up(now_());
        return &at->second;
    }
    [[nodiscard]] auto url_of(const std::string& name) const -> std::string {
        return endpoint_ + "/123456789012/" + name;
    }
    [[nodiscard]] static auto arn_of(const std::string& name) -> std::string {
        return "arn:aws:sqs:us-east-1:123456789012:" + name;
    }
    [[nodiscard]] static auto no_queue() -> answer {
        return refusal("QueueDoesNotExist", "The specified queue does not exist.");
    }

    /// Why a redrive policy cannot be that of a queue of this name.
    [[nodiscard]] auto check_redrive(const std::string& policy, const std::string& name) -> std::optional<answer> {
        const auto bad = [&](const char* why) { return bad_value(policy, "RedrivePolicy", why).alone(); };
        const auto json = nlohmann::json::parse(policy, nullptr, false);
        const auto target = json.is_object() ? text_in(json, "deadLetterTargetArn").value_or("") : "";
        const auto receives = json.is_object() ? integer_in(json, "maxReceiveCount").value_or(0) : 0;
        if (receives < 1 || receives > 1'000) { return bad("maxReceiveCount must be between 1 and 1000."); }
        auto* letters = target.starts_with(arn_of("")) ? named(target.substr(arn_of("").size())) : nullptr;
        if (letters == nullptr) { return bad("Dead letter target does not exist."); }
        if (letters->fifo() != name.ends_with(".fifo")) {
            return bad("Dead-letter queue must be same type of queue as the source.");
        }
        return std::nullopt;
    }

    [[nodiscard]] auto create_queue(const nlohmann::json& body) -> answer {
        const auto name = text_in(body, "QueueName").value_or("");
        const bool fifo = name.ends_with(".fifo");
        if (!is_name(fifo ? name.substr(0, name.size() - 5) : name, fifo ? 75 : 80, "-_")) {
            return refusal("InvalidParameterValueException",
                           "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length");
        }
        sqs_queue::attribute_map wanted;
        if (auto bad = read_attributes(body, fifo, wanted)) { return *bad; }
        if (fifo != (wanted.contains("FifoQueue") && wanted["FifoQueue"] == "true")) {
            return refusal("InvalidParameterValueException",
                           "The name of a FIFO queue must end with .fifo, and no other name may.");
        }
        if (wanted.contains("RedrivePolicy")) {
            if (auto bad = check_redrive(wanted["RedrivePolicy"], name)) { return *bad; }
        }
        if (const auto* there = named(name)) {
            for (const auto& [attribute, value] : wanted) {
                if (there->is(attribute, value)) { continue; }
                return refusal(
                    "QueueNameExists",
                    "A queue already exists with the same name and a different value for attribute " + attribute);
            }
        } else {
            const auto gone = deleted_.find(name);
            if (gone != deleted_.end() && now_() < gone->second + std::chrono::seconds{60}) {
                return refusal("QueueDeletedRecently",
                               "You must wait 60 seconds after deleting a queue before you can create another with "
                               "the same name.");
            }
            auto& made = queues_.try_emplace(name, name, arn_of(name), now_()).first->second;
            made.attributes = default_attributes(fifo);
            for (auto& [attribute, value] : wanted) { made.attributes[attribute] = value; }
        }
        return {200, {{"QueueUrl", url_of(name)}}};
    }

    [[nodiscard]] auto get_queue_url(const nlohmann::json& body) -> answer {
        const auto name = text_in(body, "QueueName").value_or("");
        if (named(name) == nullptr) { return no_queue(); }
        return {200, {{"QueueUrl", url_of(name)}}};
    }

    [[nodiscard]] auto list_queues(const nlohmann::json& body) -> answer {
        const auto prefix = text_in(body, "QueueNamePrefix").value_or("");
        const auto after = text_in(body, "NextToken").value_or("");
        const auto most = static_cast<std::size_t>(integer_in(body, "MaxResults").value_or(1'000));
        auto said = answer{};
        for (auto at = queues_.upper_bound(after); at != queues_.end(); ++at) {
            if (!at->first.starts_with(prefix)) { continue; }
            auto& urls = said.body["QueueUrls"];
            urls.push_back(url_of(at->first));
            if (urls.size() == most && body.contains("MaxResults")) {
                said.body["NextToken"] = at->first;
                break;
            }
        }
        return said;
    }

    [[nodiscard]] auto delete_queue(sqs_queue& queue, const nlohmann::json&) -> answer {
        const auto name = queue.name();
        deleted_[name] = now_();
        queues_.erase(name);
        return {};
    }

    [[nodiscard]] auto get_attributes(sqs_queue& queue, const nlohmann::json& body) -> answer {
        auto known = queue.attributes;
        const auto now = now_();
        std::size_t visible = 0, hidden = 0, delayed = 0;
        for (const auto& [number, message] : queue.messages()) {
            ++(queue.in_flight(number) ? hidden : message.visible_at > now ? delayed : visible);
        }
        known["ApproximateNumberOfMessages"] = std::to_string(visible);
        known["ApproximateNumberOfMessagesNotVisible"] = std::to_string(hidden);
        known["ApproximateNumberOfMessagesDelayed"] = std::to_string(delayed);
        known["QueueArn"] = queue.arn();
        known["CreatedTimestamp"] = std::to_string(seconds(queue.created_at()));
        known["LastModifiedTimestamp"] = std::to_string(seconds(queue.modified_at));
        answer said;
        for (const auto& name : body.value("AttributeNames", nlohmann::json::array())) {
            const auto wanted = name.is_string() ? name.get<std::string>() : "";
            if (wanted != "All" && !known.contains(wanted) && !is_settable(wanted)) {
                return refusal("InvalidAttributeName", "Unknown Attribute " + wanted + ".");
            }
            for (const auto& [attribute, value] : known) {
                if (wanted == "All" || wanted == attribute) { said.body["Attributes"][attribute] = value; }
            }
        }
        return said;
    }

    [[nodiscard]] auto set_attributes(sqs_queue& queue, const nlohmann::json& body) -> answer {
        sqs_queue::attribute_map wanted;
        if (auto bad = read_attributes(body, queue.fifo(), wanted)) { return *bad; }
        if (wanted.contains("FifoQueue")) {
            return refusal("InvalidAttributeValue",
                           "Invalid value for the parameter FifoQueue. Reason: Modifying "
                           "queue type is not supported.");
        }
        for (const auto& [attribute, value] : wanted) {
            if (attribute == "RedrivePolicy" && value.empty()) {
                queue.attributes.erase(attribute);
                continue;
            }
            if (attribute == "RedrivePolicy") {
                if (auto bad = check_redrive(value, queue.name())) { return *bad; }
            }
            queue.attributes[attribute] = value;
        }
        queue.modified_at = now_();
        return {};
    }

    [[nodiscard]] auto purge(sqs_queue& queue, const nlohmann::json&) -> answer {
        if (queue.purged_at && now_() < *queue.purged_at + std::chrono::seconds{60}) {
            return refusal("PurgeQueueInProgress",
                           "Only one PurgeQueue operation on " + queue.name() + " is allowed every 60 seconds.", 403);
        }
        queue.purged_at = now_();
        queue.purge();
        return {};
    }

    // --- messages

    /// Stores the message, unless it is a duplicate; what the service tells of it.
    [[nodiscard]] auto store(sqs_queue& queue, const nlohmann::json& entry) -> nlohmann::json {
        const auto now = now_();
        sqs_message message;
        message.id = names_.uuid();
        message.body = *text_in(entry, "MessageBody");
        message.attributes = entry.value("MessageAttributes", nlohmann::json::object());
        message.group = text_in(entry, "MessageGroupId").value_or("");
        message.sent_at = message.kept_since = now;
        message.visible_at =
            now + std::chrono::seconds{integer_in(entry, "DelaySeconds").value_or(queue.number("DelaySeconds"))};
        nlohmann::json told = {{"MD5OfMessageBody", md5_hex(message.body)}, {"MessageId", message.id}};
        if (const auto sum = md5_of_attributes(message.attributes); !sum.empty()) {
            told["MD5OfMessageAttributes"] = sum;
        }
        if (queue.fifo()) {
            const auto digits = freshet::hex(freshet::sha256_of(message.body));
            message.deduplication =
                text_in(entry, "MessageDeduplicationId").value_or(std::string{digits.data(), digits.size()});
            message.sequence = names_.sequence();
            told["SequenceNumber"] = message.sequence;
            if (const auto* first = queue.duplicate_of(message, now)) {
                told["MessageId"] = first->id;
                told["SequenceNumber"] = first->sequence;
                return told;
            }
        }
        queue.add(std::move(message));
        return told;
    }

    [[nodiscard]] auto send(sqs_queue& queue, const nlohmann::json& body) -> answer {
        if (const auto why = judge(queue, body)) { return why->alone(); }
        return {200, store(queue, body)};
    }

    [[nodiscard]] auto send_batch(sqs_queue& queue, const nlohmann::json& body) -> answer {
        if (auto bad = check_batch(body)) { return *bad; }
        std::size_t bytes = 0;
        for (const auto& entry : body["Entries"]) { bytes += bytes_of(entry); }
        if (bytes > largest_request) {
            return refusal("BatchRequestTooLong", "Batch requests cannot be longer than " +
                                                      std::to_string(largest_request) + " bytes. You have sent " +
                                                      std::to_string(bytes) + " bytes.");
        }
        for (const auto& entry : body["Entries"]) {
            const auto why = judge(queue, entry);
            if (why && why->whole) { return refusal("InvalidParameterValueException", why->text); }
        }
        return each_entry(body, [&](const nlohmann::json& entry, nlohmann::json& told) {
            auto why = judge(queue, entry);
            if (!why) { told.update(store(queue, entry)); }
            return why;
        });
    }

    [[nodiscard]] auto receive(std::unique_lock<std::mutex>& lock, sqs_queue& found, const nlohmann::json& body)
        -> answer {
        const auto name = found.name();
        const auto most = integer_in(body, "MaxNumberOfMessages").value_or(1);
        const auto visibility = integer_in(body, "VisibilityTimeout");
        const auto wait = integer_in(body, "WaitTimeSeconds").value_or(found.number("ReceiveMessageWaitTimeSeconds"));
        const auto attempt = text_in(body, "ReceiveRequestAttemptId");
        if (most < 1 || most > 10) {
            return bad_value(std::to_string(most), "MaxNumberOfMessages", "Must be between 1 and 10, if provided.")
                .alone();
        }
        if (visibility && (*visibility < 0 || *visibility > 43'200)) { return bad_visibility(*visibility).alone(); }
        if (wait < 0 || wait > 20) {
            return bad_value(std::to_string(wait), "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided.").alone();
        }
        if (attempt && !found.fifo()) {
            return bad_value(*attempt, "ReceiveRequestAttemptId",
                             "The request include parameter that is not valid for this queue type")
                .alone();
        }
        const auto until = std::chrono::steady_clock::now() +
                           std::min<std::chrono::milliseconds>(longest_wait_, std::chrono::seconds{wait});
        for (;;) {
            auto* queue = named(name); // it may have been deleted since
            if (queue == nullptr) { return no_queue(); }
            const auto given =
                receive_now(*queue, static_cast<std::size_t>(most),
                            std::chrono::seconds{visibility.value_or(queue->number("VisibilityTimeout"))}, attempt);
            if (!given.empty()) {
                answer said;
                for (const auto& message : given) { said.body["Messages"].push_back(tell(message, body)); }
                return said;
            }
            const auto left = until - std::chrono::steady_clock::now();
            if (left <= left.zero()) { return {}; }
            changed_.wait_for(lock, std::min<std::chrono::steady_clock::duration>(left, std::chrono::milliseconds{20}));
        }
    }

    [[nodiscard]] auto receive_now(sqs_queue& queue, std::size_t most, std::chrono::seconds visibility,
                                   const std::optional<std::string>& attempt) -> std::vector<sqs_message> {
        const auto now = now_();
        if (attempt) {
            if (auto again = queue.again(*attempt, visibility, now)) { return *std::move(again); }
        }
        auto given = queue.receive(most, visibility, now, names_,
                                   [&](const sqs_message& dead) { return bury(queue, dead, now); });
        if (attempt) { queue.note_attempt(*attempt, given, now); }
        return given;
    }

    /// Moves the message to the dead-letter queue, where there still is one.
    [[nodiscard]] auto bury(const sqs_queue& from, sqs_message dead, freshet::time_point now) -> bool {
        const auto policy = nlohmann::json::parse(from.attributes.at("RedrivePolicy"));
        const auto target = policy["deadLetterTargetArn"].get<std::string>();
        const auto letters = queues_.find(target.substr(arn_of("").size()));
        if (letters == queues_.end()) { return false; }
        dead.dead_letter_source = from.arn();
        dead.visible_at = now;
        if (letters->second.fifo()) { // of a standard queue it keeps its age
            dead.kept_since = now;
            dead.sequence = names_.sequence();
        }
        letters->second.add(std::move(dead));
        changed_.notify_all();
        return true;
    }

    [[nodiscard]] auto erase_one(sqs_queue& queue, const nlohmann::json& entry) -> std::optional<sqs_refusal> {
        const auto receipt = text_in(entry, "ReceiptHandle").value_or("");
        if (receipt.empty()) { return missing("ReceiptHandle"); }
        return queue.erase(receipt, now_());
    }
    [[nodiscard]] auto hide_one(sqs_queue& queue, const nlohmann::json& entry) -> std::optional<sqs_refusal> {
        const auto receipt = text_in(entry, "ReceiptHandle").value_or("");
        const auto timeout = integer_in(entry, "VisibilityTimeout");
        if (receipt.empty()) { return missing("ReceiptHandle"); }
        if (!timeout) { return missing("VisibilityTimeout"); }
        if (*timeout < 0 || *timeout > 43'200) { return bad_visibility(*timeout); }
        return queue.hide(receipt, std::chrono::seconds{*timeout}, now_());
    }

    [[nodiscard]] auto erase(sqs_queue& queue, const nlohmann::json& body) -> answer {
        const auto why = erase_one(queue, body);
        return why ? why->alone() : answer{};
    }
    [[nodiscard]] auto hide(sqs_queue& queue, const nlohmann::json& body) -> answer {
        const auto why = hide_one(queue, body);
        return why ? why->alone() : answer{};
    }
    [[nodiscard]] auto erase_batch(sqs_queue& queue, const nlohmann::json& body) -> answer {
        if (auto bad = check_batch(body)) { return *bad; }
        return each_entry(body, [&](const auto& entry, auto&) { return erase_one(queue, entry); });
    }
    [[nodiscard]] auto hide_batch(sqs_queue& queue, const nlohmann::json& body) -> answer {
        if (auto bad = check_batch(body)) { return *bad; }
        return each_entry(body, [&](const auto& entry, auto&) { return hide_one(queue, entry); });
    }

    /// Calls `act(entry, told)` for each entry, in order; the lists `Successful` and `Failed`, where they have entries.
    template <class Act>
    [[nodiscard]] static auto each_entry(const nlohmann::json& body, Act act) -> answer {
        answer said;
        for (const auto& entry : body["Entries"]) {
            nlohmann::json told = {{"Id", entry["Id"]}};
            if (const std::optional<sqs_refusal> why = act(entry, told)) {
                told["SenderFault"] = true;
                told["Code"] = why->code;
                told["Message"] = why->text;
                said.body["Failed"].push_back(std::move(told));
            } else {
                said.body["Successful"].push_back(std::move(told));
            }
        }
        return said;
    }

    std::function<freshet::time_point()> now_;
    std::chrono::milliseconds longest_wait_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string endpoint_{"http://127.0.0.1"};
    sqs_names names_;
    std::map<std::string, sqs_queue, std::less<>> queues_;
    std::map<std::string, freshet::time_point, std::less<>> deleted_;
};

} // namespace fake_aws
