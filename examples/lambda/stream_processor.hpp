#pragma once

#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <utility>

#include <adapters/aws/client.hpp>
#include <adapters/aws/message_queue.hpp>
#include <adapters/aws/settings.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/stream/batch_verdict.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/wall_clock.hpp>
#include <lambda/bootstrap.hpp>
#include <lambda/invocation.hpp>
#include <lambda/last_request.hpp>
#include <receipts/change_processor.hpp>
#include <receipts/fields_from_environment.hpp>
#include <support/environment.hpp>
#include <support/log.hpp>

namespace lambda {

/// Answers a DynamoDB stream's event with a partial batch response, and brings its changes to the queues.
///
/// An event that is no list of records fails the invocation. A response that fails the whole batch would have it
/// delivered again too, but only where the event source mapping reads partial responses: elsewhere it is a success, and
/// the records are lost. And a failed invocation shows in the `Errors` metric.
template <class Queue, class Timer>
class stream_processor {
public:
    /// Borrows the queues and the timer; `dead_letters` may be null. `slowest_request` is how long a queue may take to
    /// answer: nothing is sent when less is left, as far as three quarters of an invocation's time.
    stream_processor(Queue& lines, Queue& words, Queue* dead_letters, Timer& timer,
                     receipts::change_processor_options options, support::log log,
                     freshet::duration slowest_request = {})
        : timer_{timer},
          slowest_request_{slowest_request},
          processor_{lines, words, dead_letters, timer, std::move(options), log} {}

    auto operator()(const invocation& event, std::stop_token stop) -> freshet::result<std::string> {
        const auto until = last_request(event.deadline, timer_.now(), slowest_request_);
        auto report = processor_.process(event.payload, until, std::move(stop));
        if (report.records() == 0 && report.why) { return *std::move(report.why); }
        std::string response;
        freshet::write_response(response, report.response);
        return response;
    }

private:
    Timer& timer_;
    freshet::duration slowest_request_;
    receipts::change_processor<Queue, Timer> processor_;
};

namespace detail {

[[nodiscard]] inline auto variable(const char* name) -> std::string {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string{} : std::string{value};
}

/// The stream processor with the SQS queues that it owns.
class sqs_stream_processor {
    using queue = adapters::aws::message_queue;

public:
    explicit sqs_stream_processor(adapters::aws::settings settings)
        : slowest_request_{settings.total_timeout}, by_{std::move(settings)} {}
    sqs_stream_processor(const sqs_stream_processor&) = delete;
    auto operator=(const sqs_stream_processor&) -> sqs_stream_processor& = delete;

    [[nodiscard]] auto open(receipts::change_processor_options options, support::log log) -> freshet::result<void> {
        if (auto there = open("LINES_QUEUE_URL", lines_); !there) { return there; }
        if (auto there = open("WORDS_QUEUE_URL", words_); !there) { return there; }
        for (const auto* each : {&*lines_, &*words_}) {
            if (auto good = receipts::check_order_is_kept(each->about()); !good) { return good; }
        }
        if (variable("DEAD_LETTER_QUEUE_URL").empty()) {
            log.line(support::log_level::info,
                     "DEAD_LETTER_QUEUE_URL is not set: what cannot be processed is left to the event source mapping");
        } else if (auto there = open("DEAD_LETTER_QUEUE_URL", dead_letters_); !there) {
            return there;
        }
        processor_.emplace(*lines_, *words_, dead_letters_ ? &*dead_letters_ : nullptr, clock_, std::move(options), log,
                           slowest_request_);
        return {};
    }

    auto operator()(const invocation& event, std::stop_token stop) { return (*processor_)(event, std::move(stop)); }

private:
    [[nodiscard]] auto open(const char* name, std::optional<queue>& to) -> freshet::result<void> {
        auto url = variable(name);
        if (url.empty()) { return freshet::error{freshet::errc::denied, std::string{name} + ": not set"}; }
        auto opened = queue::open(by_, std::move(url));
        if (!opened) { return freshet::error{opened.why().code, std::string{name} + ": " + opened.why().note}; }
        to.emplace(*std::move(opened));
        return {};
    }

    freshet::duration slowest_request_;
    adapters::aws::client by_;
    freshet::wall_clock clock_;
    std::optional<queue> lines_;
    std::optional<queue> words_;
    std::optional<queue> dead_letters_;
    std::optional<stream_processor<queue, freshet::wall_clock>> processor_;
};

} // namespace detail

/// The stream processor as the environment wants it: `LINES_QUEUE_URL`, `WORDS_QUEUE_URL`, `DEAD_LETTER_QUEUE_URL`
/// (may be left out), `MONITORED_FIELDS_<ENTITY>`, `LOG_LEVEL`, and what `adapters::aws::settings_from_environment`
/// reads. The queues are asked what they are.
[[nodiscard]] inline auto make_stream_processor() -> freshet::result<function> {
    const auto level = support::log_level_or(support::log_level::info);
    if (!level) { return level.why(); }
    receipts::change_processor_options options;
    auto fields = receipts::fields_from_environment();
    if (!fields) { return std::move(fields).why(); }
    options.translation.fields = *std::move(fields);
    options.seed = std::random_device{}(); // many processes that failed together must not return together
    auto settings = adapters::aws::settings_from_environment();
    if (!settings) { return std::move(settings).why(); }
    settings->total_timeout = std::chrono::seconds{3};
    settings->retries.retries = 0; // the processor repeats what fails, and knows the deadline

    auto made = std::make_shared<detail::sqs_stream_processor>(*std::move(settings));
    if (auto open = made->open(std::move(options), support::log{*level}); !open) { return std::move(open).why(); }
    return function{[made](const invocation& event, std::stop_token stop) { return (*made)(event, std::move(stop)); }};
}

inline constexpr named_function stream_processor_function{"stream_processor", &make_stream_processor};

} // namespace lambda
