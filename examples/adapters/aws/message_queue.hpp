#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <freshet/backend/message_queue.hpp>
#include <freshet/backend/shareable.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>

#include <adapters/aws/client.hpp>
#include <adapters/aws/queue_admin.hpp>
#include <adapters/aws/queue_answers.hpp>
#include <adapters/queue_rules.hpp>

namespace adapters::aws {

struct message_queue_options {
    /// How long a receive waits at the service for a first message; whole seconds, 20 at most, and less than the
    /// client's own timeout.
    freshet::duration wait{};
};

/// An Amazon SQS queue, FIFO or standard; as many objects and processes as want may use it.
///
/// Entries that break the queue's rules are refused here, and the others are sent: SQS would refuse them all. A request
/// that the client repeats does nothing twice in a FIFO queue: a repeated send is a duplicate, and a repeated receive
/// gives the messages of the answer that was lost. In a standard queue a repeated send may store a message twice, and
/// the messages of a lost answer come again after their visibility time.
///
/// Visibility times are whole seconds, rounded up, and at most 12 hours; `change_visibility` refuses with `expired`
/// what would hold a message longer than that since it was received. A receipt whose visibility time has passed is
/// refused in a FIFO queue. The receive count of a dead letter goes on from that of the queue that it came from.
class message_queue {
public:
    using is_shareable = void;

    /// Asks the queue of this URL what it is; `denied` where there is none. The client is borrowed.
    [[nodiscard]] static auto open(const client& by, std::string url, message_queue_options options = {})
        -> freshet::result<message_queue> {
        auto found = describe_queue(by, url);
        if (!found) { return std::move(found).why(); }
        return message_queue{by, std::move(url), *std::move(found), options};
    }
    static auto open(const client&&, std::string, message_queue_options = {})
        -> freshet::result<message_queue> = delete;

    [[nodiscard]] auto limits() const noexcept -> const freshet::queue_limits& { return queue_.limits; }

    [[nodiscard]] auto send(std::span<const freshet::message_view> entries) const
        -> freshet::result<std::vector<freshet::entry_refusal>> {
        if (auto good = check_request(entries, queue_); !good) { return std::move(good).why(); }
        std::vector<freshet::entry_refusal> refused;
        std::vector<std::size_t> places;
        auto batch = json::array();
        for (std::size_t i = 0; i < entries.size(); ++i) {
            if (auto why = why_refused(entries[i], queue_)) {
                refused.push_back({i, *std::move(why), false});
                continue;
            }
            places.push_back(i);
            batch.push_back(as_entry(entries[i]));
        }
        if (places.empty()) { return refused; }
        auto answer = send_batch("SendMessageBatch", std::move(batch));
        if (!answer) { return answer; }
        for (auto& each : *answer) { refused.push_back({places[each.entry], std::move(each.why), each.retry_helps}); }
        std::sort(refused.begin(), refused.end(), [](const auto& a, const auto& b) { return a.entry < b.entry; });
        return refused;
    }

    /// Ten messages a request: a greater limit takes further ones, as long as they come back full. What came is given
    /// although a later request fails.
    [[nodiscard]] auto receive(const freshet::receive_request& request = {}) const
        -> freshet::result<std::vector<freshet::received_message>> {
        std::vector<freshet::received_message> all;
        const bool hides = request.visibility.value_or(queue_.visibility) > freshet::duration::zero();
        while (all.size() < request.limit) {
            const auto most = std::min(request.limit - all.size(), queue_.limits.entries_per_request);
            auto some = receive_at_most(most, request.visibility, all.empty());
            if (!some && all.empty()) { return some; }
            if (!some) { break; }
            const bool full = some->size() >= most;
            all.insert(all.end(), std::move_iterator{some->begin()}, std::move_iterator{some->end()});
            if (!full || !hides) { break; } // what stays visible would only come again
        }
        return all;
    }

    [[nodiscard]] auto erase(std::span<const std::string> receipts) const
        -> freshet::result<std::vector<freshet::entry_refusal>> {
        return each_receipt("DeleteMessageBatch", receipts, json::object());
    }

    [[nodiscard]] auto change_visibility(std::span<const std::string> receipts, freshet::duration visibility) const
        -> freshet::result<std::vector<freshet::entry_refusal>> {
        return each_receipt("ChangeMessageVisibilityBatch", receipts,
                            {{"VisibilityTimeout", visibility_seconds(visibility)}});
    }

    /// About how many messages the queue has, invisible ones included: SQS may be a minute behind.
    [[nodiscard]] auto size() const -> freshet::result<std::size_t> { return count_messages(*by_, url_); }

    [[nodiscard]] auto url() const noexcept -> const std::string& { return url_; }
    /// What the queue said of itself when it was opened.
    [[nodiscard]] auto about() const noexcept -> const queue_options& { return queue_; }

private:
    using json = nlohmann::json;

    message_queue(const client& by, std::string url, queue_options queue, message_queue_options options)
        : by_{&by}, url_{std::move(url)}, queue_{std::move(queue)}, options_{options} {}

    [[nodiscard]] auto as_entry(const freshet::message_view& message) const -> json {
        json entry{{"MessageBody", message.body}};
        if (!message.group_id.empty()) { entry["MessageGroupId"] = message.group_id; }
        if (queue_.fifo) { entry["MessageDeduplicationId"] = deduplication_id_of(message); }
        for (const auto& attribute : message.attributes()) {
            entry["MessageAttributes"][std::string{attribute.name}] = {{"DataType", attribute.type},
                                                                       {"StringValue", attribute.value}};
        }
        return entry;
    }

    /// At most ten entries; the refusals by their places among them.
    [[nodiscard]] auto send_batch(std::string_view operation, json entries) const
        -> freshet::result<std::vector<freshet::entry_refusal>> {
        const auto count = entries.size();
        for (std::size_t i = 0; i < count; ++i) { entries[i]["Id"] = std::to_string(i); }
        const auto answer = call_sqs(*by_, operation, {{"QueueUrl", url_}, {"Entries", std::move(entries)}}, where());
        if (!answer) { return answer.why(); }
        return read_batch_answer(*answer, count, where());
    }

    [[nodiscard]] auto receive_at_most(std::size_t most, std::optional<freshet::duration> visibility,
                                       bool may_wait) const
        -> freshet::result<std::vector<freshet::received_message>> {
        json request{{"QueueUrl", url_},
                     {"MaxNumberOfMessages", most},
                     {"WaitTimeSeconds", may_wait ? std::min<std::int64_t>(20, whole_seconds(options_.wait)) : 0},
                     {"MessageSystemAttributeNames", {"All"}},
                     {"MessageAttributeNames", {"All"}}};
        if (visibility) { request["VisibilityTimeout"] = visibility_seconds(*visibility); }
        if (queue_.fifo) { request["ReceiveRequestAttemptId"] = new_attempt(); }
        const auto answer = call_sqs(*by_, "ReceiveMessage", request, where());
        if (!answer) { return answer.why(); }
        return read_messages(*answer, where());
    }

    /// Does the operation to each receipt; one that is there twice is sent once.
    [[nodiscard]] auto each_receipt(std::string_view operation, std::span<const std::string> receipts,
                                    const json& with) const -> freshet::result<std::vector<freshet::entry_refusal>> {
        std::map<std::string_view, std::vector<std::size_t>> places;
        std::vector<std::string_view> wanted;
        std::vector<freshet::entry_refusal> refused;
        for (std::size_t i = 0; i < receipts.size(); ++i) {
            if (!may_be_receipt(receipts[i])) {
                refused.push_back({i, {freshet::errc::malformed, where() + ": no receipt: " +
                                                                     freshet::printable(receipts[i])}, false});
                continue;
            }
            auto& same = places[receipts[i]];
            if (same.empty()) { wanted.push_back(receipts[i]); }
            same.push_back(i);
        }
        for (std::size_t from = 0; from < wanted.size(); from += queue_.limits.entries_per_request) {
            const auto until = std::min(wanted.size(), from + queue_.limits.entries_per_request);
            auto batch = json::array();
            for (auto i = from; i < until; ++i) {
                batch.push_back(with);
                batch.back()["ReceiptHandle"] = wanted[i];
            }
            auto answer = send_batch(operation, std::move(batch));
            if (!answer) { return answer; }
            for (const auto& each : *answer) {
                for (const auto place : places[wanted[from + each.entry]]) {
                    refused.push_back({place, each.why, each.retry_helps});
                }
            }
        }
        std::sort(refused.begin(), refused.end(), [](const auto& a, const auto& b) { return a.entry < b.entry; });
        return refused;
    }

    /// Whether SQS could have given such a receipt: one that it could not may spoil the request of all others.
    [[nodiscard]] static auto may_be_receipt(std::string_view receipt) -> bool {
        constexpr std::size_t longest = 1024;
        return !receipt.empty() && receipt.size() <= longest &&
               std::all_of(receipt.begin(), receipt.end(), [](char c) { return c > ' ' && c <= '~'; });
    }

    /// Names a receive, so that its repetition is not another one.
    [[nodiscard]] static auto new_attempt() -> std::string {
        std::random_device random;
        std::string name;
        for (int i = 0; i < 4; ++i) { name += std::to_string(random()) + '-'; }
        return name;
    }

    [[nodiscard]] auto where() const -> std::string { return "queue " + queue_.name; }

    const client* by_;
    std::string url_;
    queue_options queue_;
    message_queue_options options_;
};

static_assert(freshet::message_queue<message_queue>);
static_assert(freshet::shareable<message_queue>);

} // namespace adapters::aws
