#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/backend/clock.hpp>
#include <freshet/backend/ledger.hpp>
#include <freshet/backend/message_queue.hpp>
#include <freshet/backend/projection.hpp>
#include <freshet/core/observe.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/sequence_number.hpp>
#include <freshet/core/time.hpp>
#include <freshet/letter/dead_letter.hpp>
#include <freshet/work/claimed.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/isolated.hpp>
#include <freshet/work/random_source.hpp>
#include <freshet/work/retry_plan.hpp>

namespace freshet {

/// How a queue delivers, and what the consumer makes of it.
enum class consumer_mode : std::uint8_t {
    fifo,     ///< in order within a group: every message in its turn
    standard, ///< in any order: gather, order by sequence number, apply the newest of each item
};

struct consumer_options {
    std::string queue{"queue"};  ///< its name, in ledger keys and letters
    std::string owner{"worker"}; ///< this worker to the ledger, and no other that may be alive
    consumer_mode mode{consumer_mode::fifo};
    std::size_t receive{10}; ///< messages of one call
    std::size_t gather{100}; ///< standard: messages to gather before they are applied
    /// A message that was received so often, and fails by itself, goes to the dead-letter queue; 0: none does. Let the
    /// queue's own limit be larger: it counts those that only waited behind a failing one too.
    unsigned receives{4};
    duration visibility{std::chrono::seconds{30}};
    duration lease{std::chrono::seconds{30}};               ///< of a claim
    duration poll{std::chrono::milliseconds{200}};          ///< between two looks at an empty queue
    retry_options retries{.base = std::chrono::seconds{1}}; ///< of when a message that failed is handed out again
    std::uint64_t seed{1};
};

/// What became of the messages of one or more receives; each is counted once.
struct consume_report {
    std::size_t received{};
    std::size_t applied{};
    std::size_t dropped{};       ///< not newer than what was applied, or applied before
    std::size_t coalesced{};     ///< standard: a newer one of the same item was applied instead
    std::size_t dead_lettered{};
    std::size_t failed{};        ///< will be delivered again
    std::size_t held{};          ///< not tried, because one before it failed; will be delivered again
    std::optional<error> why{};  ///< of the first failure

    auto operator+=(const consume_report& more) -> consume_report& {
        received += more.received, applied += more.applied, dropped += more.dropped, coalesced += more.coalesced;
        dead_lettered += more.dead_lettered, failed += more.failed, held += more.held;
        if (!why) { why = more.why; }
        return *this;
    }
};

/// An item of the projection is what the message says.
struct message_applied {
    std::string_view item;
    std::string_view sequence;
    unsigned receive_count{};

    static constexpr std::string_view name = "message_applied";
    template <class Visitor>
    void fields(Visitor&& visit) const {
        visit("item", item);
        visit("sequence", sequence);
        visit("receive_count", receive_count);
    }
};

/// A message was not newer than what had been applied to its item.
struct message_dropped {
    std::string_view item;
    std::string_view sequence;

    static constexpr std::string_view name = "message_dropped";
    template <class Visitor>
    void fields(Visitor&& visit) const {
        visit("item", item);
        visit("sequence", sequence);
    }
};

/// A message could not be applied, and stays in the queue.
struct message_failed {
    std::string_view id;
    std::string_view group;
    unsigned receive_count{};
    const error& why;

    static constexpr std::string_view name = "message_failed";
    template <class Visitor>
    void fields(Visitor&& visit) const {
        visit("id", id);
        visit("group", group);
        visit("receive_count", receive_count);
        visit("why", std::string_view{why.note});
    }
};

/// A message can never be applied; the dead-letter queue has it.
struct message_dead_lettered {
    const dead_letter& letter;

    static constexpr std::string_view name = "message_dead_lettered";
    template <class Visitor>
    void fields(Visitor&& visit) const {
        visit("id", std::string_view{letter.id});
        visit("group", std::string_view{letter.group});
        visit("why", std::string_view{letter.why.note});
    }
};

/// Brings a projection up to date with the messages of a queue.
///
/// Receive, fence by sequence number, claim in the ledger, apply, delete. A message that is not newer than what was
/// last applied to its item is dropped, after removals too; so a repetition, however late, changes nothing. A message
/// that fails stops its group: nothing after it is applied or deleted, and all of it comes again. What cannot be read
/// goes to the dead-letter queue at once, and what keeps failing by itself (not for a backend that is `unavailable`)
/// does so in the end; then its group goes on. Effects happen once where the projection keeps its laws; work may happen
/// several times. The ledger remembers what was done: a projection that is made anew needs a new one, or another name
/// for the queue.
///
/// Borrows its backends. Not thread safe; several consumers, in one process or in many, may share a queue.
template <class Queue, class DeadQueue, class Ledger, class Projection, class Timer, class Observer = unobserved>
class consumer {
public:
    using emits = event_list<message_applied, message_dropped, message_failed, message_dead_lettered>;
    using update_type = typename Projection::update_type;

    static_assert(message_queue<Queue>, "a consumer needs a message_queue: limits, send, receive, erase and "
                                        "change_visibility, as freshet::message_queue has them");
    static_assert(message_queue<DeadQueue>, "a consumer's dead-letter queue is a freshet::message_queue too");
    static_assert(projection<Projection>, "a consumer needs a projection: read, item_of, last_applied and apply, as "
                                          "freshet::projection has them");
    static_assert(timer<Timer>,
                  "a consumer needs a timer: now() -> time_point, wait(duration, std::stop_token) -> bool");

    explicit consumer(Queue& queue, DeadQueue& dead_letters, Ledger& ledger, Projection& store, Timer& timer,
                      consumer_options options = {}, Observer seen = {})
        : queue_{queue}, dead_letters_{dead_letters}, ledger_{ledger}, store_{store}, timer_{timer},
          options_{std::move(options)}, plan_{options_.retries}, random_{options_.seed}, seen_{std::move(seen)} {}

    /// Receives once and handles what came (standard: until enough is gathered or there is no more).
    [[nodiscard]] auto step(deadline until = deadline::never(), std::stop_token stop = {}) -> result<consume_report> {
        const auto begun = timer_.now();
        delivery now{{}, deadline::in(options_.visibility, begun), until, std::move(stop)};
        const auto gathered_by = deadline::in(options_.visibility / 2, begun); // the other half is for applying
        if (out_of_time(now)) { return consume_report{}; }
        const auto most = options_.mode == consumer_mode::standard ? options_.gather : options_.receive;
        while (now.messages.size() < most) {
            auto some = queue_.receive({std::min(options_.receive, most - now.messages.size()), options_.visibility});
            if (!some && now.messages.empty()) { return std::move(some).why(); }
            if (!some || some->empty()) { break; }
            std::move(some->begin(), some->end(), std::back_inserter(now.messages));
            if (options_.mode == consumer_mode::fifo || out_of_time(now) || gathered_by.passed(timer_.now())) { break; }
        }
        now.report.received = now.messages.size();
        if (options_.mode == consumer_mode::standard) { apply_newest(now); }
        else { apply_in_order(now); }
        finish(now);
        return std::move(now.report);
    }

    /// Steps until the queue has nothing to hand out. Where a step fails, its error is the answer; what was done before
    /// is known to the observer.
    [[nodiscard]] auto drain(deadline until = deadline::never(), std::stop_token stop = {}) -> result<consume_report> {
        consume_report all;
        while (!stop.stop_requested() && !until.passed(timer_.now())) {
            auto some = step(until, stop);
            if (!some) { return some; }
            if (some->received == 0) { break; }
            all += *some;
        }
        return all;
    }

    /// Steps until the deadline or a stop, and waits for messages. A failure of the queue that waiting cannot cure
    /// (`denied`, `malformed`) ends it.
    [[nodiscard]] auto run(deadline until, std::stop_token stop) -> result<consume_report> {
        consume_report all;
        for (unsigned failures = 0; !stop.stop_requested() && !until.passed(timer_.now());) {
            auto some = step(until, stop);
            failures = some ? 0 : failures + 1;
            if (!some && some.why().code != errc::unavailable && some.why().code != errc::throttled) { return some; }
            if (some) { all += *some; }
            if (some && some->received != 0) { continue; }
            const auto wait = some ? options_.poll : jitter(some.why().code, failures);
            if (!until.allows(wait, timer_.now()) || !timer_.wait(wait, stop)) { break; }
        }
        return all;
    }

private:
    /// A message that was read: what it says, about which item, and when.
    struct reading {
        std::size_t message{};
        std::string item;
        sequence_number sequence;
        update_type update;
    };
    struct delivery {
        std::vector<received_message> messages;
        deadline visible; ///< from when on others may have them
        deadline until;
        std::stop_token stop;
        std::vector<std::string> done{};
        std::vector<std::size_t> left{}; ///< to be handed out again
        std::map<std::size_t, duration> wait_of{}; ///< after so long, where somebody else is at it
        consume_report report{};
    };

    void apply_in_order(delivery& now) {
        std::set<std::string_view> stopped;
        for (std::size_t i = 0; i != now.messages.size(); ++i) {
            const auto& message = now.messages[i];
            if (stopped.contains(message.group_id) || out_of_time(now)) {
                stopped.insert(message.group_id); // also if the clock is set back now
                now.left.push_back(i);
                ++now.report.held;
                continue;
            }
            auto read = take_apart(now, i);
            if (read && apply(now, *read)) { now.done.push_back(message.receipt); }
            else if (!now.left.empty() && now.left.back() == i) { stopped.insert(message.group_id); }
        }
    }

    /// Of each item the newest message is applied, and the others with it.
    void apply_newest(delivery& now) {
        std::map<std::string, std::vector<reading>> by_item;
        for (std::size_t i = 0; i != now.messages.size(); ++i) {
            if (auto read = take_apart(now, i)) { by_item[read->item].push_back(*std::move(read)); }
        }
        for (auto& [item, readings] : by_item) {
            std::sort(readings.begin(), readings.end(),
                      [](const auto& a, const auto& b) { return a.sequence < b.sequence; });
            while (!readings.empty()) {
                const auto buried = now.report.dead_lettered;
                const auto failed = now.report.failed;
                if (!out_of_time(now) && apply(now, readings.back())) {
                    for (const auto& each : readings) { now.done.push_back(now.messages[each.message].receipt); }
                    now.report.coalesced += readings.size() - 1;
                    break;
                }
                if (now.report.dead_lettered != buried) {
                    readings.pop_back(); // the next one is the newest now
                    continue;
                }
                if (now.report.failed != failed) { readings.pop_back(); }
                for (const auto& each : readings) { now.left.push_back(each.message); }
                now.report.held += readings.size();
                break;
            }
        }
    }

    /// What the message says; nothing where it is in the dead-letter queue now, or is left for another time.
    auto take_apart(delivery& now, std::size_t i) -> std::optional<reading> {
        const auto& message = now.messages[i];
        std::optional<reading> read;
        const auto taken = isolated([&]() -> result<void> {
            const auto sequence = sequence_number::parse(message.sequence);
            if (!sequence) { return sequence.fault().as_error("message " + message.id); }
            auto update = store_.read(message);
            if (!update) { return std::move(update).why(); }
            std::string item = store_.item_of(*update);
            read.emplace(reading{i, std::move(item), *sequence, *std::move(update)});
            return {};
        });
        if (taken) { return read; }
        if (taken.why().code == errc::malformed) { bury(now, i, taken.why()); }
        else { leave(now, i, taken.why()); }
        return std::nullopt;
    }

    /// Whether the item is now at least as new as the update.
    auto apply(delivery& now, const reading& read) -> bool {
        const auto& message = now.messages[read.message];
        auto known = is_applied(read);
        if (!known) { return leave(now, read.message, known.why()); }
        if (*known) { return drop(now, read); }

        const auto key = options_.queue + "/" + read.item + "@" + std::string{read.sequence.view()};
        const auto done = do_claimed(ledger_, {key, options_.owner, options_.lease}, [&](const work_claim& claim) {
            return store_.apply(read.update, applied_mark{read.sequence, claim.token});
        });
        if (!done) {
            const auto code = done.why().code;
            known = is_applied(read); // the answer may have been lost, or somebody was faster
            if (known && *known) { return code == errc::conflict ? drop(now, read) : applied(now, read); }
            const bool own = code != errc::unavailable && code != errc::throttled && code != errc::conflict;
            const bool often = options_.receives != 0 && message.receive_count >= options_.receives;
            if (code == errc::malformed || (own && often)) { return bury(now, read.message, done.why()); }
            return leave(now, read.message, done.why());
        }
        if (done->state == claimed_state::already_done) {
            known = is_applied(read);
            if (known && *known) { return drop(now, read); }
            return leave(now, read.message,
                         known ? error{errc::conflict, key + ": done, and the projection does not have it"}
                               : known.why());
        }
        if (done->state == claimed_state::held) {
            now.wait_of[read.message] = deadline::at(done->held_until).remaining(timer_.now());
            return leave(now, read.message, {errc::conflict, "message " + message.id + ": another worker is at it"});
        }
        return applied(now, read);
    }

    auto applied(delivery& now, const reading& read) -> bool {
        ++now.report.applied;
        emit(seen_, message_applied{read.item, read.sequence.view(), now.messages[read.message].receive_count});
        return true;
    }

    [[nodiscard]] auto is_applied(const reading& read) -> result<bool> {
        bool applied = false;
        return isolated([&]() -> result<void> {
                   return store_.last_applied(read.item).transform([&](const std::optional<applied_mark>& last) {
                       applied = last && !(last->sequence < read.sequence);
                   });
               })
            .transform([&] { return applied; });
    }

    auto drop(delivery& now, const reading& read) -> bool {
        ++now.report.dropped;
        emit(seen_, message_dropped{read.item, read.sequence.view()});
        return true;
    }

    auto leave(delivery& now, std::size_t i, const error& why) -> bool {
        const auto& message = now.messages[i];
        now.left.push_back(i);
        ++now.report.failed;
        if (!now.report.why) { now.report.why = why; }
        emit(seen_, message_failed{message.id, message.group_id, message.receive_count, why});
        return false;
    }

    /// Hands the message to the dead-letter queue; the answer is that it was not applied.
    auto bury(delivery& now, std::size_t i, const error& why) -> bool {
        const auto& message = now.messages[i];
        const dead_letter letter{.origin = options_.queue,
                                 .id = message.id,
                                 .sequence = message.sequence,
                                 .group = message.group_id,
                                 .why = why,
                                 .attempts = message.receive_count,
                                 .first_seen = message.sent_at,
                                 .bytes = message.body};
        if (auto taken = send_dead_letter(dead_letters_, letter); !taken) {
            return leave(now, i, {taken.why().code, why.note + "; dead-letter queue: " + taken.why().note});
        }
        now.done.push_back(message.receipt);
        ++now.report.dead_lettered;
        emit(seen_, message_dead_lettered{letter});
        return false;
    }

    /// Deletes what is done, and has the rest come again after a wait. Where the queue does not answer, it all comes
    /// again by itself, and what is done is dropped then.
    void finish(delivery& now) {
        if (!now.done.empty()) { static_cast<void>(queue_.erase(std::span<const std::string>{now.done})); }
        std::map<std::string_view, std::vector<std::size_t>> by_group; // a group comes back together
        for (const auto i : now.left) { by_group[now.messages[i].group_id].push_back(i); }
        for (const auto& [group, left] : by_group) {
            auto wait = jitter(errc::unavailable, now.messages[left.front()].receive_count);
            std::vector<std::string> receipts;
            for (const auto i : left) {
                receipts.push_back(now.messages[i].receipt);
                if (const auto at = now.wait_of.find(i); at != now.wait_of.end()) { wait = std::max(wait, at->second); }
            }
            static_cast<void>(queue_.change_visibility(std::span<const std::string>{receipts}, wait));
        }
    }

    [[nodiscard]] auto out_of_time(const delivery& now) const -> bool {
        const auto moment = timer_.now();
        return now.stop.stop_requested() || now.until.passed(moment) || now.visible.passed(moment);
    }
    [[nodiscard]] auto jitter(errc code, unsigned attempts) -> duration {
        const auto longest = static_cast<std::uint64_t>(plan_.longest_wait(code, attempts).count());
        return duration{static_cast<duration::rep>(random_() % (longest + 1))};
    }

    Queue& queue_;
    DeadQueue& dead_letters_;
    Ledger& ledger_;
    Projection& store_;
    Timer& timer_;
    consumer_options options_;
    retry_plan plan_;
    random_source random_;
    [[no_unique_address]] observer_for<Observer, emits> seen_;
};

} // namespace freshet
