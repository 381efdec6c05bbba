#pragma once

#include <fmt/format.h>

#include <freshet/core/printable.hpp>
#include <freshet/stream/batch_report.hpp>
#include <freshet/stream/consumer.hpp>
#include <freshet/stream/message_sender.hpp>
#include <freshet/stream/pump.hpp>
#include <support/log.hpp>

namespace demo {

/// Writes what the stream's components report into the log.
struct reporter {
    using level = support::log_level;
    support::log log;

    void on(const freshet::batch_processed& event) const {
        log.line(level::info, "Processing {} DynamoDB stream records", event.report.records());
        if (event.report.messages_sent == 0) { return; }
        log.line(level::info, "Sent {} messages to compaction queue", event.report.messages_sent);
    }
    void on(const freshet::record_failed& event) const { record(event.event_id, event.why); }
    void on(const freshet::record_dead_lettered& event) const { record(event.letter.id, event.letter.why); }
    void on(const freshet::request_sent& event) const {
        if (event.why == nullptr) { return; }
        log.line(level::warning, "A request to queue {} failed: {}", event.queue, event.why->note);
    }
    void on(const freshet::stream_gap& event) const {
        log.line(level::error, "Changes behind {} were trimmed before they were read: the store must be made anew",
                 freshet::printable(event.position));
    }
    void on(const freshet::stream_failed& event) const {
        log.line(level::warning, "The stream cannot be used: {}", event.why.note);
    }
    void on(const freshet::message_applied& event) const {
        log.line(level::debug, "Applied {} to {}", event.sequence, freshet::printable(event.item));
    }
    void on(const freshet::message_dropped& event) const {
        log.line(level::debug, "Dropped {} of {}: it is not news", event.sequence, freshet::printable(event.item));
    }
    void on(const freshet::message_failed& event) const {
        log.line(level::warning, "Message {} could not be applied: {}", event.id, event.why.note);
    }
    void on(const freshet::message_dead_lettered& event) const {
        log.line(level::error, "Message {} is a dead letter: {}", event.letter.id, event.letter.why.note);
    }

private:
    void record(std::string_view id, const freshet::error& why) const {
        log.line(level::error, "Error processing stream record {}: {}",
                 id.empty() ? "(no event id)" : freshet::printable(id), why.note);
    }
};

} // namespace demo
