#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/backend/clock.hpp>
#include <freshet/backend/message_queue.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <adapters/later.hpp>
#include <adapters/queue_rules.hpp>
#include <adapters/sqlite/queue_store.hpp>

namespace adapters::sqlite {

/// A queue in an SQLite file, beside others: several processes share it, one object belongs to one thread at a time.
///
/// A call costs the same however many messages there are, and is one transaction; what passing time does to many
/// messages at once (old ones to drop, dead letters to move) `receive` does in several short ones. The options are the
/// object's, not the file's; only FIFO or standard goes with the name.
template <class Clock>
class message_queue {
    static_assert(freshet::clock<Clock>, "a queue's Clock needs now() const, which returns a freshet::time_point");

public:
    /// Opens the queue of that name, or makes it, its dead-letter queue and the file. The clock is borrowed.
    ///
    /// `malformed`: receives are limited, and no other queue is named for the dead letters. `denied`: the file has one
    /// of the queues as the other kind, FIFO or standard.
    [[nodiscard]] static auto open(const std::string& path, const Clock& clock, queue_options options,
                                   const database_options& file = {}) -> freshet::result<message_queue> {
        if (options.max_receives > 0 && (options.dead_letters.empty() || options.dead_letters == options.name)) {
            return freshet::error{freshet::errc::malformed,
                                  "queue " + options.name + ": no queue for its dead letters"};
        }
        auto opened = queue_store::open(path, options, file);
        if (!opened) { return opened.why(); }
        return message_queue{*std::move(opened), clock, std::move(options)};
    }
    static auto open(const std::string&, const Clock&&, queue_options, const database_options& = {})
        -> freshet::result<message_queue> = delete;

    [[nodiscard]] auto limits() const noexcept -> const freshet::queue_limits& { return options_.limits; }

    [[nodiscard]] auto send(std::span<const freshet::message_view> entries)
        -> freshet::result<std::vector<freshet::entry_refusal>> {
        if (auto good = check_request(entries, options_); !good) { return good.why(); }
        auto writing = store_.file().begin();
        if (!writing) { return writing.why(); }
        const auto now = clock_->now();
        if (auto tidy = store_.forget(ticks(now)); !tidy) { return tidy.why(); }
        if (auto tidy = store_.drop(end_of_retention(now)); !tidy) { return tidy.why(); }
        std::vector<freshet::entry_refusal> refused;
        for (std::size_t i = 0; i < entries.size(); ++i) {
            if (auto why = why_refused(entries[i], options_)) {
                refused.push_back({i, *std::move(why), false});
            } else if (auto stored = store(entries[i], now); !stored) {
                return stored.why();
            }
        }
        return writing->commit().transform([&] { return std::move(refused); });
    }

    /// Gives no more messages than a request may have entries, whatever the limit.
    [[nodiscard]] auto receive(const freshet::receive_request& request = {})
        -> freshet::result<std::vector<freshet::received_message>> {
        while (true) {
            auto writing = store_.file().begin();
            if (!writing) { return writing.why(); }
            std::vector<freshet::received_message> taken;
            auto more = take(request, taken);
            if (!more) { return more.why(); }
            if (auto kept = writing->commit(); !kept) { return kept.why(); }
            if (!*more) { return taken; }
        }
    }

    [[nodiscard]] auto erase(std::span<const std::string> receipts)
        -> freshet::result<std::vector<freshet::entry_refusal>> {
        return each(receipts, true, [&](const auto& delivery) { return store_.erase(delivery); });
    }

    /// Refused with `expired`: the receipt of an earlier delivery, or of a message that is no longer there.
    [[nodiscard]] auto change_visibility(std::span<const std::string> receipts, freshet::duration visibility)
        -> freshet::result<std::vector<freshet::entry_refusal>> {
        const auto until = ticks(later(clock_->now(), visibility));
        return each(receipts, false, [&](const auto& delivery) { return store_.hide(delivery, until); });
    }

    /// How many messages the queue keeps, invisible ones included. Takes longer with more of them.
    [[nodiscard]] auto size() -> freshet::result<std::size_t> { return store_.count(end_of_retention(clock_->now())); }

    /// This queue's own connection.
    [[nodiscard]] auto file() noexcept -> database& { return store_.file(); }

private:
    message_queue(queue_store store, const Clock& clock, queue_options options)
        : store_{std::move(store)}, clock_{&clock}, options_{std::move(options)} {}

    [[nodiscard]] static auto ticks(freshet::time_point at) noexcept -> std::int64_t {
        return at.time_since_epoch().count();
    }
    /// What was stored then, or before, is no longer kept.
    [[nodiscard]] auto end_of_retention(freshet::time_point now) const noexcept -> std::int64_t {
        return ticks(earlier(now, options_.retention));
    }

    [[nodiscard]] auto store(const freshet::message_view& message, freshet::time_point now) -> freshet::result<void> {
        if (!options_.fifo) { return store_.store(message, {}, ticks(now)); }
        const auto id = deduplication_id_of(message);
        auto is_new = store_.admit(id, ticks(now), ticks(later(now, options_.deduplication)));
        if (!is_new) { return is_new.why(); }
        return *is_new ? store_.store(message, id, ticks(now)) : freshet::result<void>{};
    }

    /// True: time has done so much that another transaction must go on with it.
    [[nodiscard]] auto take(const freshet::receive_request& request, std::vector<freshet::received_message>& taken)
        -> freshet::result<bool> {
        const auto now = clock_->now();
        auto more = store_.drop(end_of_retention(now));
        if (!more || *more) { return more; }
        if (auto ready = store_.unblock(ticks(now)); !ready) { return ready.why(); }
        const auto hidden_until = later(now, request.visibility.value_or(options_.visibility));
        const auto limit = std::min(request.limit, options_.limits.entries_per_request);
        return store_.take(limit, ticks(now), ticks(hidden_until), taken);
    }

    /// Does `end` to the delivery of each receipt; it gives the lane, or 0 where it found no such delivery.
    template <class End>
    [[nodiscard]] auto each(std::span<const std::string> receipts, bool may_be_gone, End end)
        -> freshet::result<std::vector<freshet::entry_refusal>> {
        auto writing = store_.file().begin();
        if (!writing) { return writing.why(); }
        std::vector<freshet::entry_refusal> refused;
        const auto refuse = [&](std::size_t i, freshet::errc code, std::string_view why) {
            refused.push_back({i, {code, "queue " + options_.name + ": receipt " + freshet::printable(receipts[i]) +
                                             ": " + std::string{why}}, false});
        };
        std::set<std::int64_t> lanes;
        for (std::size_t i = 0; i < receipts.size(); ++i) {
            const auto delivery = store_.delivery_of(receipts[i]);
            if (!delivery) {
                refuse(i, freshet::errc::malformed, "is none of this queue");
                continue;
            }
            auto lane = end(*delivery);
            if (!lane) { return lane.why(); }
            if (*lane != 0) {
                lanes.insert(*lane);
                continue;
            }
            auto there = store_.has(delivery->message);
            if (!there) { return there.why(); }
            if (*there) { refuse(i, freshet::errc::expired, "its message was handed out since"); }
            else if (!may_be_gone) { refuse(i, freshet::errc::expired, "its message is no longer there"); }
        }
        for (const auto lane : lanes) {
            if (auto settled = store_.settle(lane); !settled) { return settled.why(); }
        }
        return writing->commit().transform([&] { return std::move(refused); });
    }

    queue_store store_;
    const Clock* clock_;
    queue_options options_;
};

static_assert(freshet::message_queue<message_queue<freshet::testing::manual_clock>>);

} // namespace adapters::sqlite
