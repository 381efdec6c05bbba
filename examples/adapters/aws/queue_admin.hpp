#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>

#include <adapters/aws/client.hpp>
#include <adapters/aws/queue_answers.hpp>
#include <adapters/queue_rules.hpp>

namespace adapters::aws {

/// Seconds, rounded up; none where the span is less than zero.
[[nodiscard]] constexpr auto whole_seconds(freshet::duration span) noexcept -> std::int64_t {
    const auto down = std::chrono::duration_cast<std::chrono::seconds>(std::max(span, freshet::duration::zero()));
    return down.count() + (down < span ? 1 : 0);
}

/// A visibility time as SQS takes it: whole seconds, 12 hours at most.
[[nodiscard]] constexpr auto visibility_seconds(freshet::duration span) noexcept -> std::int64_t {
    return std::min<std::int64_t>(whole_seconds(span), 43'200);
}

/// What a queue is called at SQS: the name of a FIFO queue ends in `.fifo`.
[[nodiscard]] inline auto service_name(std::string name, bool fifo) -> std::string {
    return fifo && !name.ends_with(".fifo") ? name + ".fifo" : name;
}

namespace detail {

/// The last part of a URL or of an ARN, for people.
[[nodiscard]] inline auto queue_called(std::string_view url) -> std::string {
    return freshet::printable(url.substr(url.find_last_of("/:") + 1));
}

[[nodiscard]] inline auto queue_attributes(const client& by, const std::string& url)
    -> freshet::result<nlohmann::json> {
    const auto where = "queue " + queue_called(url);
    auto answer = call_sqs(by, "GetQueueAttributes", {{"QueueUrl", url}, {"AttributeNames", {"All"}}}, where);
    if (!answer) { return answer; }
    const auto found = answer->is_object() ? answer->find("Attributes") : answer->end();
    if (found == answer->end() || !found->is_object()) {
        return freshet::error{freshet::errc::malformed, where + ": an answer without attributes"};
    }
    return nlohmann::json(std::move(*found));
}

} // namespace detail

/// The URL of the queue of that name, as it is called at SQS; `denied` where there is none.
[[nodiscard]] inline auto queue_url(const client& by, const std::string& name) -> freshet::result<std::string> {
    const auto where = "queue " + freshet::printable(name);
    const auto answer = call_sqs(by, "GetQueueUrl", {{"QueueName", name}}, where);
    if (!answer) { return answer.why(); }
    auto url = text_in(*answer, "QueueUrl");
    if (url.empty()) { return freshet::error{freshet::errc::malformed, where + ": an answer without a URL"}; }
    return url;
}

/// What the queue of this URL says that it is; its dead letters are not looked for. `denied` where there is none.
[[nodiscard]] inline auto describe_queue(const client& by, const std::string& url) -> freshet::result<queue_options> {
    const auto found = detail::queue_attributes(by, url);
    if (!found) { return found.why(); }
    const auto number = [&](const char* name, std::int64_t usual, std::int64_t most) {
        return std::clamp<std::int64_t>(number_in(*found, name).value_or(usual), 0, most);
    };
    queue_options queue;
    queue.name = detail::queue_called(url);
    queue.fifo = text_in(*found, "FifoQueue") == "true" || queue.name.ends_with(".fifo");
    queue.visibility = std::chrono::seconds{number("VisibilityTimeout", 30, 43'200)};
    queue.retention = std::chrono::seconds{number("MessageRetentionPeriod", 345'600, 1'209'600)};
    const auto most = static_cast<std::int64_t>(queue.limits.message_bytes);
    queue.limits.message_bytes = static_cast<std::size_t>(number("MaximumMessageSize", most, most));
    return queue;
}

/// About how many messages there are: visible, in flight and delayed.
[[nodiscard]] inline auto count_messages(const client& by, const std::string& url) -> freshet::result<std::size_t> {
    const auto found = detail::queue_attributes(by, url);
    if (!found) { return found.why(); }
    std::size_t all = 0;
    for (const auto* name : {"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible",
                             "ApproximateNumberOfMessagesDelayed"}) {
        all += static_cast<std::size_t>(std::max<std::int64_t>(0, number_in(*found, name).value_or(0)));
    }
    return all;
}

/// Makes the queue, and answers with its URL; one that is there already is left as it is.
///
/// A FIFO queue gets the ending `.fifo`, and so does the name of its dead-letter queue, which must be there (`denied`).
/// Times are whole seconds, rounded up. SQS deduplicates for five minutes, whatever the options say.
[[nodiscard]] inline auto create_queue(const client& by, const queue_options& wanted) -> freshet::result<std::string> {
    const auto name = service_name(wanted.name, wanted.fifo);
    nlohmann::json attributes{{"VisibilityTimeout", std::to_string(visibility_seconds(wanted.visibility))},
                              {"MessageRetentionPeriod", std::to_string(whole_seconds(wanted.retention))}};
    if (wanted.fifo) {
        attributes["FifoQueue"] = "true";
        attributes["ContentBasedDeduplication"] = "false";
    }
    if (wanted.limits.message_bytes < freshet::queue_limits{}.message_bytes) {
        attributes["MaximumMessageSize"] = std::to_string(wanted.limits.message_bytes);
    }
    if (wanted.max_receives > 0) {
        const auto dead = queue_url(by, service_name(wanted.dead_letters, wanted.fifo));
        if (!dead) { return dead.why(); }
        const auto there = detail::queue_attributes(by, *dead);
        if (!there) { return there.why(); }
        attributes["RedrivePolicy"] = nlohmann::json{{"deadLetterTargetArn", text_in(*there, "QueueArn")},
                                                     {"maxReceiveCount", std::to_string(wanted.max_receives)}}
                                          .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }
    const auto where = "queue " + freshet::printable(name);
    const nlohmann::json request{{"QueueName", name}, {"Attributes", std::move(attributes)}};
    const auto answer = call_sqs(by, "CreateQueue", request, where);
    if (!answer && answer.why().code == freshet::errc::conflict) { return queue_url(by, name); }
    if (!answer) { return answer.why(); }
    auto url = text_in(*answer, "QueueUrl");
    if (url.empty()) { return freshet::error{freshet::errc::malformed, where + ": an answer without a URL"}; }
    return url;
}

} // namespace adapters::aws
