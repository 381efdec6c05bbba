#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/backend/clock.hpp>
#include <freshet/backend/message.hpp>
#include <freshet/backend/message_queue.hpp>
#include <freshet/core/observe.hpp>
#include <freshet/core/result.hpp>
#include <freshet/stream/message_batch.hpp>
#include <freshet/stream/send_plan.hpp>
#include <freshet/stream/send_progress.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/random_source.hpp>
#include <freshet/work/retry_plan.hpp>

namespace freshet {

/// The queues that messages go to, by the names that the messages have for them. Borrowed.
template <class Queue>
using queues_by_name = std::map<std::string, Queue*, std::less<>>;

struct message_sender_options {
    send_order order{send_order::strict};
    retry_options retries{};  ///< of what a queue refused or did not answer, within one call
    std::uint64_t seed{1};    ///< of the jitter
};

/// A request was answered, or failed as a whole: then `why` says how, and it is unknown what the queue has.
struct request_sent {
    std::string_view queue;
    std::size_t sent{};
    std::size_t failed{};
    const error* why{};

    static constexpr std::string_view name = "request_sent";
    template <class Visitor>
    void fields(Visitor&& visit) const {
        visit("queue", queue);
        visit("sent", sent);
        visit("failed", failed);
        if (why != nullptr) { visit("why", std::string_view{why->note}); }
    }
};

/// A queue refused a group's earlier entry and took a later one of the same request (`send_order::fast`).
struct order_broken {
    std::string_view queue;
    std::string_view group;

    static constexpr std::string_view name = "order_broken";
    template <class Visitor>
    void fields(Visitor&& visit) const {
        visit("queue", queue);
        visit("group", group);
    }
};

/// What became of one message.
struct send_fate {
    send_outcome outcome{send_outcome::not_sent};
    std::optional<error> why; ///< absent where the queue has it, and where it was not tried
    /// Whether the message itself is to blame: a queue refused this entry, and not for its rate, or failed when it was
    /// asked to take this one alone, between requests that it answered.
    bool own{};
};

struct send_report {
    std::size_t sent{};   ///< messages that a queue has
    std::size_t failed{}; ///< those that none has
    std::vector<send_fate> fates;
};

/// Sends messages to their queues in plans and rounds, so that no group's later message overtakes an earlier one.
///
/// A request that fails as a whole is tried again in halves, down to single messages: so one message that a queue
/// cannot stomach holds up its group and not its neighbours. A queue that fails is left alone for the rest of a round,
/// so that the others are not kept waiting.
template <class Queue, class Timer, class Observer = unobserved>
class message_sender {
public:
    using emits = event_list<request_sent, order_broken>;

    static_assert(
        requires(Queue& q, std::span<const message_view> some) {
            { q.limits() } -> std::convertible_to<queue_limits>;
            { q.send(some) } -> std::same_as<result<std::vector<entry_refusal>>>;
        },
        "to be sent to, a queue needs limits() -> queue_limits and send(std::span<const message_view>) -> "
        "result<std::vector<entry_refusal>>");
    static_assert(timer<Timer>, "a sender needs a timer: now() -> time_point, wait(duration, std::stop_token) -> bool");

    explicit message_sender(queues_by_name<Queue> queues, Timer& timer, message_sender_options options = {},
                            Observer seen = {})
        : queues_{std::move(queues)}, timer_{timer}, options_{options}, plan_{options.retries}, random_{options.seed},
          seen_{std::move(seen)} {}

    /// Sends all messages; stops trying at the deadline, on a stop, and when the retries are used up.
    ///
    /// `refused(i, why)` is called for a message that no retry can help. Where it answers true, somebody took care of
    /// the message and its group goes on; otherwise the group's later messages are not sent.
    template <class Refused>
    [[nodiscard]] auto send(const message_batch& messages, deadline until, const std::stop_token& stop,
                            Refused&& refused) -> send_report {
        std::vector<send_item> items;
        for (const auto message : messages) { items.push_back(send_item_of(message)); }
        call now{messages, items, send_progress{items}, until, stop, {}, {}};
        now.fates.resize(items.size());
        for (unsigned attempts = 1; round(now, refused);) {
            if (!now.again && !now.settled) { break; }
            if (!now.again) { continue; } // only those that waited for the settled ones are left
            const auto next = plan_.verdict(*now.again, attempts, random_());
            if (!next.again && !now.split) { break; }
            attempts += now.split ? 0 : 1; // halves are no repetition: they do not use up a retry
            if (!until.allows(next.wait, timer_.now()) || !timer_.wait(next.wait, stop)) { break; }
        }
        return report(now);
    }

private:
    struct queue_lane {
        std::size_t entries;    ///< of a request; halved when one fails as a whole
        std::size_t answered{}; ///< requests
        bool failed{};          ///< a request failed as a whole
        bool back{};            ///< the last one was answered, after one that failed
        bool closed{};          ///< it makes no sense to go on in this call
    };
    /// A message that failed as the only entry of a request.
    struct lone_failure {
        std::size_t message;
        std::size_t answered; ///< by then
        bool back;
    };
    struct call {
        const message_batch& messages;
        const std::vector<send_item>& items;
        send_progress progress;
        deadline until;
        const std::stop_token& stop;
        std::vector<send_fate> fates;
        std::map<std::string_view, queue_lane> lanes;
        std::optional<errc> again{}; ///< what went wrong that another round may repair
        bool settled{};
        bool split{}; ///< requests became smaller
        std::vector<lone_failure> alone{};
    };

    [[nodiscard]] auto out_of_time(const call& now) const -> bool {
        return now.stop.stop_requested() || now.until.passed(timer_.now());
    }

    /// Whether there was something to do, and time for it.
    template <class Refused>
    auto round(call& now, Refused& refused) -> bool {
        now.again.reset();
        now.settled = now.split = false;
        const auto wanted = now.progress.next_round();
        std::map<std::string_view, std::vector<std::size_t>> by_queue;
        for (const auto i : wanted) { by_queue[now.items[i].queue].push_back(i); }
        bool any = false;
        for (const auto& [name, which] : by_queue) {
            const auto queue = queues_.find(name);
            if (queue == queues_.end()) {
                for (const auto i : which) {
                    note(now, i, send_outcome::unknown, {errc::denied, "no queue is called " + std::string{name}});
                }
                continue;
            }
            const auto limits = static_cast<queue_limits>(queue->second->limits());
            auto& lane = now.lanes.try_emplace(name, queue_lane{limits.entries_per_request}).first->second;
            if (lane.closed) { continue; }
            any = true;
            auto narrowed = limits;
            narrowed.entries_per_request = lane.entries;
            const auto plan = plan_sends(now.items, which, narrowed, options_.order);
            for (const auto i : plan.oversized()) {
                if (out_of_time(now)) { return false; }
                const auto most = std::min(limits.message_bytes, limits.request_bytes);
                refuse(now, i, {errc::too_large, "message of " + std::to_string(now.items[i].bytes) + " bytes: queue " +
                                                     std::string{name} + " takes " + std::to_string(most)},
                       refused);
            }
            unsigned failures = 0;
            for (std::size_t r = 0; r != plan.size() && !lane.closed && failures < 2; ++r) {
                if (out_of_time(now)) { return false; }
                std::vector<std::size_t> entries;
                for (const auto i : plan[r]) {
                    if (now.progress.may_send(i)) { entries.push_back(i); }
                }
                if (entries.empty() || request(now, *queue->second, name, lane, entries, refused)) { continue; }
                failures += entries.size() == 1 ? 1 : 2; // one message alone may be the cause
            }
        }
        return any;
    }

    /// Whether the request was answered.
    template <class Refused>
    auto request(call& now, Queue& queue, std::string_view name, queue_lane& lane, std::span<const std::size_t> entries,
                 Refused& refused) -> bool {
        std::vector<message_view> views;
        for (const auto i : entries) { views.push_back(now.messages[i]); }
        const auto answer = queue.send(std::span<const message_view>{views});
        if (!answer) {
            failed(now, lane, entries, answer.why(), refused);
            emit(seen_, request_sent{name, 0, entries.size(), &answer.why()});
            return false;
        }
        ++lane.answered;
        lane.back = lane.failed;
        std::vector<send_outcome> outcomes(entries.size(), send_outcome::accepted);
        for (const auto& each : *answer) {
            if (each.entry < entries.size()) {
                outcomes[each.entry] = each.retry_helps ? send_outcome::retryable : send_outcome::refused;
            }
        }
        if constexpr (hears<Observer, order_broken>) {
            for (const auto& group : broken_groups(now.items, entries, outcomes)) {
                emit(seen_, order_broken{group.queue, group.group});
            }
        }
        for (std::size_t e = 0; e != entries.size(); ++e) {
            if (outcomes[e] == send_outcome::accepted) {
                now.progress.report(entries[e], send_outcome::accepted);
                now.fates[entries[e]] = {send_outcome::accepted, std::nullopt, false};
            }
        }
        for (const auto& each : *answer) {
            if (each.entry >= entries.size()) { continue; }
            if (!each.retry_helps) {
                refuse(now, entries[each.entry], each.why, refused);
                continue;
            }
            const bool rate = each.why.code == errc::throttled;
            note(now, entries[each.entry], send_outcome::retryable, each.why);
            now.fates[entries[each.entry]].own = !rate;
            try_again(now, rate ? errc::throttled : errc::unavailable);
        }
        emit(seen_, request_sent{name, entries.size() - answer->size(), answer->size(), nullptr});
        return true;
    }

    /// The whole request failed.
    template <class Refused>
    void failed(call& now, queue_lane& lane, std::span<const std::size_t> entries, const error& why, Refused& refused) {
        const bool alone = entries.size() == 1;
        if (alone && (why.code == errc::malformed || why.code == errc::too_large)) {
            return refuse(now, entries[0], why, refused);
        }
        for (const auto i : entries) { note(now, i, send_outcome::unknown, why); }
        const bool was_back = std::exchange(lane.back, false);
        if (why.code == errc::denied) {
            lane.closed = true;
            return;
        }
        if (why.code == errc::throttled) { return try_again(now, why.code); } // smaller requests are more requests
        if (alone) { now.alone.push_back({entries[0], lane.answered, was_back}); }
        lane.failed = true;
        lane.entries = std::max<std::size_t>(1, std::min(lane.entries, entries.size()) / 2);
        now.split = now.split || !alone;
        if (why.code == errc::unavailable || !alone) { try_again(now, errc::unavailable); } // a half may do better
    }

    /// The slowest one of what went wrong in a round decides how long to wait.
    static void try_again(call& now, errc code) {
        if (now.again != errc::throttled) { now.again = code; }
    }

    void note(call& now, std::size_t i, send_outcome outcome, error why) {
        now.progress.report(i, outcome);
        now.fates[i] = {outcome, std::move(why), false};
    }

    template <class Refused>
    void refuse(call& now, std::size_t i, error why, Refused& refused) {
        const bool settled = refused(i, why);
        note(now, i, settled ? send_outcome::settled : send_outcome::refused, std::move(why));
        now.fates[i].own = true;
        now.settled = now.settled || settled;
    }

    [[nodiscard]] static auto report(call& now) -> send_report {
        for (const auto& each : now.alone) {
            auto& fate = now.fates[each.message];
            const bool went_on = now.lanes.at(now.items[each.message].queue).answered > each.answered;
            if (fate.outcome == send_outcome::unknown && (each.back || went_on)) { fate.own = true; }
        }
        send_report all;
        all.fates = std::move(now.fates);
        for (const auto& fate : all.fates) { all.sent += fate.outcome == send_outcome::accepted ? 1 : 0; }
        all.failed = all.fates.size() - all.sent;
        return all;
    }

    queues_by_name<Queue> queues_;
    Timer& timer_;
    message_sender_options options_;
    retry_plan plan_;
    random_source random_;
    [[no_unique_address]] observer_for<Observer, emits> seen_;
};

} // namespace freshet
