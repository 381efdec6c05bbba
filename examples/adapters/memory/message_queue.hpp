#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <freshet/backend/clock.hpp>
#include <freshet/backend/message_queue.hpp>
#include <freshet/backend/shareable.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <adapters/later.hpp>
#include <adapters/queue_rules.hpp>

namespace adapters::memory {

/// A queue in this process, with the rules of an Amazon SQS FIFO or standard queue. It ends with the object.
///
/// An operation costs the logarithm of the number of groups and of messages in flight, for each message that it sends,
/// hands out, moves or drops. Never fails as a whole but for a request that breaks the rules. Messages whose receives
/// are used up are moved by the `receive` that comes upon them; their retention starts anew in the dead-letter queue,
/// and its deduplication does not touch them. A receipt whose visibility time has passed still erases a message that
/// was not handed out since, and no longer changes its visibility.
template <class Clock>
class message_queue {
    static_assert(freshet::clock<Clock>, "a queue's Clock needs now() const, which returns a freshet::time_point");

public:
    using is_shareable = void;

    /// Borrows the clock and the dead-letter queue. With `max_receives` there must be one, and of the same kind.
    message_queue(const Clock& clock, queue_options options, message_queue* dead_letters = nullptr)
        : clock_{clock}, options_{std::move(options)}, dead_letters_{dead_letters} {
        if (options_.max_receives == 0) { return; }
        if (dead_letters_ == nullptr || dead_letters_->options_.fifo != options_.fifo) {
            freshet::abort_on_misuse("a queue with max_receives needs a dead-letter queue of its own kind");
        }
    }
    message_queue(const Clock&&, queue_options, message_queue* = nullptr) = delete;

    [[nodiscard]] auto limits() const -> const freshet::queue_limits& { return options_.limits; }

    [[nodiscard]] auto send(std::span<const freshet::message_view> entries)
        -> freshet::result<std::vector<freshet::entry_refusal>> {
        if (auto looked_at = check_request(entries, options_); !looked_at) { return std::move(looked_at).why(); }
        const std::scoped_lock lock{mutex_};
        const auto now = catch_up();
        std::vector<freshet::entry_refusal> refused;
        for (std::size_t i = 0; i < entries.size(); ++i) {
            if (auto why = why_refused(entries[i], options_)) {
                refused.push_back({i, *std::move(why), false});
                continue;
            }
            auto id = options_.fifo ? deduplication_id_of(entries[i]) : std::string{};
            if (options_.fifo && !take_id(id, now)) { continue; }
            freshet::received_message message;
            message.group_id = entries[i].group_id;
            message.deduplication_id = std::move(id);
            message.body = entries[i].body;
            message.sequence = entries[i].sequence;
            store(std::move(message), now);
        }
        return refused;
    }

    /// At most `limits().entries_per_request` messages, whatever is asked for; of all groups the oldest first.
    [[nodiscard]] auto receive(const freshet::receive_request& request)
        -> freshet::result<std::vector<freshet::received_message>> {
        const std::scoped_lock lock{mutex_};
        const auto now = catch_up();
        const auto visible_at = later(now, request.visibility.value_or(options_.visibility));
        const auto limit = std::min(request.limit, options_.limits.entries_per_request);
        std::vector<freshet::received_message> given;
        std::vector<std::uint64_t> locked; // what is next in groups that this call gives messages of
        while (given.size() < limit && !ready_.empty()) {
            auto& first = *find(*ready_.begin());
            ready_.erase(ready_.begin());
            const auto* next = first.behind;
            if (options_.max_receives != 0 && first.message.receive_count >= options_.max_receives) {
                bury(first);
            } else {
                given.push_back(hand_out(first, visible_at));
            }
            if (next == nullptr) { continue; }
            ready_.insert(next->number);
            if (next->its_lane->in_flight != 0) { locked.push_back(next->number); }
        }
        for (const auto number : locked) { ready_.erase(number); }
        return given;
    }

    [[nodiscard]] auto erase(std::span<const std::string> receipts)
        -> freshet::result<std::vector<freshet::entry_refusal>> {
        return each_delivery(receipts, [&](stored* of, freshet::time_point) -> std::optional<freshet::error> {
            if (of != nullptr) { remove(*of); }
            return std::nullopt;
        });
    }

    [[nodiscard]] auto change_visibility(std::span<const std::string> receipts, freshet::duration visibility)
        -> freshet::result<std::vector<freshet::entry_refusal>> {
        return each_delivery(receipts, [&](stored* of, freshet::time_point now) -> std::optional<freshet::error> {
            if (of == nullptr || !of->in_flight) { return delivery_is_over(); }
            in_flight_.erase({of->visible_at, of->number});
            of->visible_at = later(now, visibility);
            in_flight_.insert({of->visible_at, of->number});
            return std::nullopt;
        });
    }

    /// How many messages are stored, those in flight included.
    [[nodiscard]] auto size() -> std::size_t {
        const std::scoped_lock lock{mutex_};
        catch_up();
        return size_;
    }

private:
    using taken_id = std::pair<std::string, freshet::time_point>; // a deduplication id, and when it is free again
    struct delivery {
        std::uint64_t number{}; // of the message
        unsigned count{};       // of its receives
    };
    struct stored;
    /// Messages that wait for each other: those of a group, or one message of a standard queue.
    struct lane {
        stored* first{};
        stored* last{};
        std::size_t in_flight{};
    };
    struct stored {
        freshet::received_message message; // `receive_count` is 0 until it is handed out
        std::uint64_t number{};
        freshet::time_point visible_at{};
        bool in_flight{};
        lane alone{}; // of a standard queue's message
        lane* its_lane{};
        stored* before{}; // in its lane
        stored* behind{};
    };

    [[nodiscard]] auto find(std::uint64_t number) const -> stored* {
        return number < first_ || number >= next_ ? nullptr : messages_[number - first_].get();
    }

    /// Makes the queue what it is at this instant: drops what is too old, and shows what was invisible long enough.
    auto catch_up() -> freshet::time_point {
        const auto now = clock_.now();
        while (!messages_.empty() && later(messages_.front()->message.sent_at, options_.retention) <= now) {
            remove(*messages_.front());
        }
        while (!in_flight_.empty() && in_flight_.begin()->first <= now) {
            auto& shown = *find(in_flight_.extract(in_flight_.begin()).value().second);
            shown.in_flight = false;
            if (--shown.its_lane->in_flight == 0) { ready_.insert(shown.its_lane->first->number); }
        }
        return now;
    }

    /// Whether no message of this id was taken within the deduplication time; notes that one is taken now.
    [[nodiscard]] auto take_id(std::string id, freshet::time_point now) -> bool {
        for (; !ids_.empty() && ids_.front().second <= now; ids_.pop_front()) {
            const auto known = taken_.find(ids_.front().first);
            if (known != taken_.end() && known->second == &ids_.front()) { taken_.erase(known); }
        }
        if (const auto known = taken_.find(id); known != taken_.end()) {
            if (now < known->second->second) { return false; }
            taken_.erase(known); // the clock was set back, so that something before it in `ids_` is not free yet
        }
        const auto& taken = ids_.emplace_back(std::move(id), later(now, options_.deduplication));
        taken_.emplace(taken.first, &taken);
        return true;
    }

    void store(freshet::received_message message, freshet::time_point now) {
        auto& added = *messages_.emplace_back(std::make_unique<stored>());
        added.number = next_++;
        added.message = std::move(message);
        added.message.id = std::to_string(added.number);
        added.message.receive_count = 0;
        added.message.sent_at = now;
        auto& its_lane = options_.fifo ? lanes_[added.message.group_id] : added.alone;
        added.its_lane = &its_lane;
        added.before = std::exchange(its_lane.last, &added);
        (added.before == nullptr ? its_lane.first : added.before->behind) = &added;
        if (added.before == nullptr) { ready_.insert(ready_.end(), added.number); }
        ++size_;
    }

    [[nodiscard]] auto hand_out(stored& of, freshet::time_point visible_at) -> freshet::received_message {
        ++of.message.receive_count;
        of.message.receipt = receipt_of({of.number, of.message.receive_count});
        of.visible_at = visible_at;
        of.in_flight = true;
        ++of.its_lane->in_flight;
        in_flight_.insert({visible_at, of.number});
        return of.message;
    }

    /// Moves the message to the dead-letter queue.
    void bury(stored& dead) {
        const std::scoped_lock lock{dead_letters_->mutex_}; // always after that of a queue that it serves
        dead_letters_->store(dead.message, dead_letters_->clock_.now());
        remove(dead);
    }

    void remove(stored& gone) {
        auto& its_lane = *gone.its_lane;
        (gone.before == nullptr ? its_lane.first : gone.before->behind) = gone.behind;
        (gone.behind == nullptr ? its_lane.last : gone.behind->before) = gone.before;
        if (gone.in_flight) {
            in_flight_.erase({gone.visible_at, gone.number});
            --its_lane.in_flight;
        }
        ready_.erase(gone.number);
        if (its_lane.first != nullptr) {
            if (its_lane.in_flight == 0) { ready_.insert(its_lane.first->number); }
        } else if (options_.fifo) {
            lanes_.erase(gone.message.group_id);
        }
        --size_;
        messages_[gone.number - first_].reset();
        for (; !messages_.empty() && messages_.front() == nullptr; ++first_) { messages_.pop_front(); }
    }

    /// Calls `act(message, now)` for each receipt of a message's last delivery, with null where the message is gone;
    /// the refusals of all.
    template <class Act>
    [[nodiscard]] auto each_delivery(std::span<const std::string> receipts, Act act)
        -> std::vector<freshet::entry_refusal> {
        const std::scoped_lock lock{mutex_};
        const auto now = catch_up();
        std::vector<freshet::entry_refusal> refused;
        for (std::size_t i = 0; i < receipts.size(); ++i) {
            const auto named = delivery_in(receipts[i]);
            auto* of = named ? find(named->number) : nullptr;
            std::optional<freshet::error> why;
            if (!named || (of != nullptr && named->count > of->message.receive_count)) {
                why = freshet::error{freshet::errc::malformed,
                                     "queue " + options_.name + ": no receipt: " + freshet::printable(receipts[i])};
            } else if (of != nullptr && named->count < of->message.receive_count) {
                why = delivery_is_over();
            } else {
                why = act(of, now);
            }
            if (why) { refused.push_back({i, *std::move(why), false}); }
        }
        return refused;
    }

    [[nodiscard]] auto delivery_is_over() const -> freshet::error {
        return {freshet::errc::expired, "queue " + options_.name + ": the delivery of this receipt is over"};
    }

    [[nodiscard]] auto receipt_of(delivery of) const -> std::string {
        return stamp_ + '-' + std::to_string(of.number) + '-' + std::to_string(of.count);
    }

    /// The delivery that a receipt names; nothing where it is no receipt of this queue.
    [[nodiscard]] auto delivery_in(std::string_view receipt) const -> std::optional<delivery> {
        delivery named;
        auto rest = receipt.substr(std::min(receipt.size(), stamp_.size() + 1));
        const auto read = [&rest](auto& number) {
            const auto* stop = std::from_chars(rest.data(), rest.data() + rest.size(), number).ptr;
            rest.remove_prefix(static_cast<std::size_t>(stop - rest.data()));
            rest.remove_prefix(std::min<std::size_t>(rest.size(), 1)); // the dash
        };
        read(named.number);
        read(named.count);
        const bool given = named.number < next_ && named.count != 0 && receipt_of(named) == receipt;
        return given ? std::optional{named} : std::nullopt;
    }

    /// Tells a queue's receipts from those of every other one, of this process and of those before it.
    [[nodiscard]] static auto new_stamp() -> std::string {
        std::random_device random;
        return std::to_string(random()) + '.' + std::to_string(random());
    }

    const Clock& clock_;
    const std::string stamp_{new_stamp()};
    queue_options options_;
    message_queue* dead_letters_;
    std::mutex mutex_;
    std::deque<std::unique_ptr<stored>> messages_; // in the order of storing; null where one is gone
    std::uint64_t first_{};                        // the number of the first of them
    std::uint64_t next_{};
    std::size_t size_{};                          // of those that are not gone
    std::unordered_map<std::string, lane> lanes_; // by group id
    std::set<std::uint64_t> ready_;               // the first message of each lane that has none in flight
    std::set<std::pair<freshet::time_point, std::uint64_t>> in_flight_; // by the end of their invisible time
    std::deque<taken_id> ids_;
    std::unordered_map<std::string_view, const taken_id*> taken_; // views of what is in `ids_`
};

static_assert(freshet::message_queue<message_queue<freshet::testing::manual_clock>>);

} // namespace adapters::memory
