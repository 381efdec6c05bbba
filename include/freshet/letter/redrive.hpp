#pragma once

#include <chrono>
#include <cstddef>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <freshet/backend/message_queue.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/letter/dead_letter.hpp>
#include <freshet/letter/queue_id.hpp>
#include <freshet/work/isolated.hpp>

namespace freshet {

struct redrive_report {
    std::size_t received{};
    std::size_t redriven{};     ///< handled, and gone from the dead-letter queue
    std::size_t failed{};       ///< still there
    std::size_t held{};         ///< still there, behind one that failed, or for want of time
    std::optional<error> why{}; ///< of the first failure
};

/// Goes on for ever.
struct go_on_for_ever {
    [[nodiscard]] constexpr auto operator()() const noexcept -> bool { return true; }
};

/// Takes letters from a dead-letter queue, in order per group, and hands each to `handle(const received_message&)`.
///
/// A letter whose handling succeeds is deleted, and only then the next of its group is handled. One that fails stays,
/// with everything behind it in its group, and is visible again at the end; letters without a group wait for none. Ends
/// when the queue has none to hand out that is new, after `most` letters, or when `go_on()` says false, which is asked
/// before each receive and each letter. Killed in between, it repeats at most the letters that it was at: `resend_to`
/// and `reprocess_with` bear that.
template <class DeadQueue, class Handle, class GoOn = go_on_for_ever>
[[nodiscard]] auto redrive(DeadQueue& letters, Handle&& handle,
                           std::size_t most = std::numeric_limits<std::size_t>::max(), GoOn go_on = {})
    -> result<redrive_report> {
    static_assert(message_queue<DeadQueue>, "redrive takes letters from a message_queue: see freshet::message_queue");
    redrive_report report;
    std::set<std::string> stopped;
    std::map<std::string, std::string> left; // receipts by id: a letter may become visible again while this goes on
    bool news = true;
    while (news && report.received < most && go_on()) {
        news = false;
        const auto some = letters.receive({std::min<std::size_t>(10, most - report.received), std::nullopt});
        if (!some && report.received == 0) { return some.why(); }
        if (!some && !report.why) { report.why = some.why(); }
        if (!some || some->empty()) { break; }
        for (const auto& message : *some) {
            const bool is_new = left.insert_or_assign(message.id, message.receipt).second;
            if (!is_new) { continue; }
            news = true;
            ++report.received;
            const auto fail = [&](error why) {
                ++report.failed;
                if (!message.group_id.empty()) { stopped.insert(message.group_id); }
                if (!report.why) { report.why = std::move(why); }
            };
            if (stopped.contains(message.group_id) || !go_on()) {
                ++report.held;
                if (!message.group_id.empty()) { stopped.insert(message.group_id); }
                continue;
            }
            if (auto done = isolated(handle, message); !done) {
                fail(std::move(done).why());
                continue;
            }
            auto erased = letters.erase(std::span{&message.receipt, 1});
            if (!erased) { fail(std::move(erased).why()); }
            else if (!erased->empty()) { fail(std::move(erased->front().why)); }
            else {
                ++report.redriven;
                left.erase(message.id);
            }
        }
    }
    for (const auto& [id, receipt] : left) {
        static_cast<void>(letters.change_visibility(std::span{&receipt, 1}, duration::zero()));
    }
    return report;
}

namespace detail {

[[nodiscard]] inline auto letter_without_bytes(const dead_letter& letter) -> error {
    return {errc::denied, "dead letter " + printable(letter.id) + ": its bytes were left out"};
}

} // namespace detail

/// Sends a letter's message to the queue it came from: a `dead_letter` of a consumer, or a message that a queue itself
/// moved after too many receives.
///
/// It gets a deduplication id of its own, the same each time for one letter: the old one could still be remembered, and
/// the message be swallowed. It goes to this queue wherever it came from, so give each queue a dead-letter queue of its
/// own. The letter's id alone would not do: another dead-letter queue may have the same.
template <class Queue>
[[nodiscard]] auto resend_to(Queue& queue) {
    return [&queue](const received_message& letter) -> result<void> {
        auto message = letter.view();
        const auto parsed = parse_dead_letter(letter.body);
        if (parsed) {
            if (!parsed->complete) { return detail::letter_without_bytes(*parsed); }
            message.group_id = parsed->group;
            message.body = parsed->bytes;
            message.sequence = parsed->sequence;
        }
        const auto id = make_queue_id("redrive:" + letter.id + '\n' + letter.sequence + '\n' + letter.group_id + '\n' +
                                      letter.body);
        message.deduplication_id = id;
        auto sent = queue.send(std::span{&message, 1});
        if (!sent) { return std::move(sent).why(); }
        if (!sent->empty()) { return std::move(sent->front().why); }
        return {};
    };
}

/// Has a processor process the record of a letter again.
template <class Processor>
[[nodiscard]] auto reprocess_with(Processor& processor) {
    return [&processor](const received_message& letter) -> result<void> {
        const auto parsed = parse_dead_letter(letter.body);
        if (!parsed) { return parsed.why(); }
        if (!parsed->complete) { return detail::letter_without_bytes(*parsed); }
        return processor.reprocess(*parsed);
    };
}

} // namespace freshet
