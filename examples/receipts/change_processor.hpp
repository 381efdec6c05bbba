#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string_view>
#include <utility>
#include <vector>

#include <adapters/queue_rules.hpp>
#include <freshet/backend/message.hpp>
#include <freshet/backend/message_queue.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/stream/batch_report.hpp>
#include <freshet/stream/fifo_message_builder.hpp>
#include <freshet/stream/message_sender.hpp>
#include <freshet/stream/processor.hpp>
#include <freshet/stream/record_translator.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/retry_plan.hpp>
#include <receipts/change_messages.hpp>
#include <receipts/entities.hpp>
#include <receipts/routing.hpp>
#include <support/log.hpp>

namespace receipts {

/// `denied` for a queue that is not FIFO: it would keep neither the order of an item's changes nor repetitions out.
[[nodiscard]] inline auto check_order_is_kept(const adapters::queue_options& queue) -> freshet::result<void> {
    if (queue.fifo) { return {}; }
    return freshet::error{freshet::errc::denied, "queue " + queue.name + ": is no FIFO queue"};
}

/// Writes what becomes of change records into the log: the lines that operators search for.
struct change_log {
    using level = support::log_level;
    support::log log;

    void on(const freshet::batch_processed& event) const {
        if (event.report.records() == 0 && event.report.why) {
            return log.line(level::error, "Refused the event: {}", event.report.why->note);
        }
        log.line(level::info, "Processing {} DynamoDB stream records", event.report.records());
        if (event.report.messages_sent == 0) { return; }
        log.line(level::info, "Sent {} messages to compaction queue", event.report.messages_sent);
    }
    void on(const freshet::record_failed& event) const {
        record(event.event_id.empty() ? event.sequence : event.event_id, event.why);
    }
    void on(const freshet::record_dead_lettered& event) const { record(event.letter.id, event.letter.why); }
    void on(const freshet::request_sent& event) const {
        if (event.why == nullptr) { return; }
        log.line(level::warning, "A request to queue {} failed: {}", event.queue, event.why->note);
    }
    void on(const freshet::id_mapped& event) const {
        log.line(level::info, "Queues do not take the id '{}': '{}' stands for it", freshet::printable(event.raw),
                 event.id);
    }

private:
    void record(std::string_view id, const freshet::error& why) const {
        log.line(level::error, "Error processing stream record {}: {}",
                 id.empty() ? "(no event id)" : freshet::printable(id), why.note);
    }
};

/// A dead-letter queue, or none: then it takes nothing, and the records that it would have got stay failed.
template <class Queue>
class letters_if_any {
public:
    /// Borrows the queue, if there is one.
    explicit letters_if_any(Queue* queue) : queue_{queue} {}

    [[nodiscard]] auto limits() const -> freshet::queue_limits {
        return queue_ == nullptr ? freshet::queue_limits{} : static_cast<freshet::queue_limits>(queue_->limits());
    }
    [[nodiscard]] auto send(std::span<const freshet::message_view> entries)
        -> freshet::result<std::vector<freshet::entry_refusal>> {
        if (queue_ == nullptr) { return freshet::error{freshet::errc::denied, "there is none"}; }
        return queue_->send(entries);
    }

private:
    Queue* queue_;
};

struct change_processor_options {
    freshet::record_translator_options<registry> translation{default_translation()};
    /// Older records go to the dead-letter queue untried. Not read where there is none: nothing would take them, and
    /// records that never succeed would hold up the stream for ever.
    std::optional<freshet::duration> max_age{std::chrono::hours{1}};
    freshet::retry_options retries{}; ///< of what a queue refused or did not answer, within one call
    std::uint64_t seed{1};            ///< of the jitter

    [[nodiscard]] static auto default_translation() -> freshet::record_translator_options<registry> {
        freshet::record_translator_options<registry> options;
        options.fields = default_monitored_fields();
        return options;
    }
};

/// Brings changes of the receipts table to the queues of lines and of words: the one path of a record, be it from a
/// file or from a stream, and whatever the queues are.
///
/// A poison record goes to the dead-letter queue the first time that its retries within one call are used up: whether
/// the same process gets it again, nobody knows. Without a dead-letter queue it stays failed, and whoever delivers it
/// decides what becomes of it.
template <class Queue, class Timer>
class change_processor {
    using translator = freshet::record_translator<registry, routes, change_log>;

public:
    using processor_type = freshet::processor<translator, Queue, letters_if_any<Queue>, Timer, change_log>;

    /// Borrows the queues and the timer; `dead_letters` may be null.
    change_processor(Queue& lines, Queue& words, Queue* dead_letters, Timer& timer, change_processor_options options,
                     support::log log)
        : dead_letters_{dead_letters},
          processor_{translator{std::move(options.translation), change_log{log}},
                     {{"lines", &lines}, {"words", &words}},
                     dead_letters_,
                     timer,
                     {.retries = 0,
                      .max_age = dead_letters == nullptr ? std::nullopt : options.max_age,
                      .sending = {.retries = options.retries, .seed = options.seed}},
                     change_log{log}} {}

    /// As `freshet::processor::process` does it, for an event's text or for a span of changes.
    template <class Batch>
    auto process(const Batch& batch, freshet::deadline until = freshet::deadline::never(), std::stop_token stop = {})
        -> freshet::batch_report {
        return processor_.process(batch, until, std::move(stop));
    }

private:
    letters_if_any<Queue> dead_letters_;
    processor_type processor_;
};

} // namespace receipts
