#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/letter/dead_letter.hpp>
#include <freshet/stream/batch_verdict.hpp>

namespace freshet {

/// What became of a batch. Each record is counted in exactly one of the first seven.
struct batch_report {
    std::size_t changed{};       ///< all its messages are in their queues
    std::size_t unchanged{};     ///< nothing monitored changed
    std::size_t ignored{};       ///< nobody asked for it
    std::size_t dead_lettered{}; ///< for good, and `expired` of them for their age
    std::size_t failed{};        ///< it will be delivered again
    std::size_t held{};          ///< not tried, because one before it in its group failed
    std::size_t untried{};       ///< not tried, mostly for want of time
    std::size_t expired{};
    std::size_t messages_sent{};
    std::size_t messages_failed{};
    std::size_t done_from_start{}; ///< so many records from the first one on are done
    duration took{};
    batch_response response{};
    std::optional<error> why{}; ///< of the first failure

    [[nodiscard]] auto records() const noexcept -> std::size_t {
        return changed + unchanged + ignored + dead_lettered + failed + held + untried;
    }
    /// Adds up what was counted; `response` stays.
    auto operator+=(const batch_report& more) -> batch_report& {
        changed += more.changed, unchanged += more.unchanged, ignored += more.ignored;
        dead_lettered += more.dead_lettered, failed += more.failed, held += more.held, untried += more.untried;
        expired += more.expired, messages_sent += more.messages_sent, messages_failed += more.messages_failed;
        done_from_start += more.done_from_start, took += more.took;
        if (!why) { why = more.why; }
        return *this;
    }
};

/// A record failed, and the stream will deliver it again.
struct record_failed {
    std::string_view event_id;
    std::string_view sequence;
    unsigned attempts{};
    const error& why;

    static constexpr std::string_view name = "record_failed";
    template <class Visitor>
    void fields(Visitor&& visit) const {
        visit("event_id", event_id);
        visit("sequence", sequence);
        visit("attempts", attempts);
        visit("why", std::string_view{why.note});
    }
};

/// The dead-letter queue has a record, which is thereby done.
struct record_dead_lettered {
    const dead_letter& letter;

    static constexpr std::string_view name = "record_dead_lettered";
    template <class Visitor>
    void fields(Visitor&& visit) const {
        visit("event_id", std::string_view{letter.id});
        visit("sequence", std::string_view{letter.sequence});
        visit("attempts", letter.attempts);
        visit("why", std::string_view{letter.why.note});
    }
};

/// A batch is through: what a monitor counts as an invocation, with its errors, its duration and its messages.
struct batch_processed {
    const batch_report& report;

    static constexpr std::string_view name = "batch_processed";
    template <class Visitor>
    void fields(Visitor&& visit) const {
        visit("records", report.records());
        visit("changed", report.changed);
        visit("unchanged", report.unchanged);
        visit("ignored", report.ignored);
        visit("dead_lettered", report.dead_lettered);
        visit("failed", report.failed + report.held + report.untried);
        visit("messages_sent", report.messages_sent);
        visit("messages_failed", report.messages_failed);
        visit("took", report.took);
    }
};

} // namespace freshet
