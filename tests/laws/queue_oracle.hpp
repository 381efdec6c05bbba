#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <freshet/backend/message_queue.hpp>
#include <freshet/core/time.hpp>

#include "letters.hpp"

namespace laws {

/// A plain list of messages that knows what a FIFO queue may do, and judges by it what a queue does.
///
/// For a queue that makes a message a dead letter after three receives and deduplicates for five minutes.
class queue_oracle {
public:
    /// Notes what a good message did to the queue: it is stored, or a duplicate.
    void sent(const letter& one, freshet::time_point now) {
        auto& until = taken_until_[one.id];
        if (now < until) { return; }
        until = now + std::chrono::minutes{5};
        stored_.push_back({one, {}, now, 0});
    }

    /// Judges an answer of `receive`, and notes it.
    void received(const std::vector<freshet::received_message>& answer, freshet::time_point now,
                  freshet::duration visibility) {
        const auto locked = locked_groups(now);
        CHECK_MESSAGE((!answer.empty() || !must_give(locked)), "something was there to give");
        std::map<std::string, std::size_t> place; // how far each group has been walked
        for (const auto& message : answer) {
            CAPTURE(message.body);
            REQUIRE_MESSAGE(!locked.contains(message.group_id), "of a group that has an invisible message");
            auto& at = place[message.group_id];
            const auto passes = [&](const kept& m) { return m.what.group != message.group_id || m.doomed(); };
            while (at < stored_.size() && passes(stored_[at])) { ++at; }
            REQUIRE_MESSAGE(at < stored_.size(), "erased, dead or never sent");
            auto& expected = stored_[at++];
            REQUIRE(message.body == expected.what.body);
            CHECK(message.deduplication_id == expected.what.id);
            CHECK(message.sequence == expected.what.sequence);
            CHECK(message.receive_count == expected.count + 1);
            ++expected.count;
            expected.visible_at = now + visibility;
            expected.receipt = message.receipt;
            CHECK_MESSAGE(body_of_.emplace(message.receipt, message.body).second, "a receipt was given twice");
            receipts_.push_back(message.receipt);
        }
    }

    /// Judges what `erase` said of one receipt, and notes it.
    void erased(const std::string& receipt, bool refused, freshet::time_point now) {
        const auto at = find(receipt);
        if (at == stored_.end()) {
            CHECK_MESSAGE((refused || !handed_out_since(receipt)), "the receipt of an earlier delivery was taken");
            return;
        }
        CHECK_MESSAGE((!refused || at->visible_at <= now), "the receipt of a delivery that is not over was refused");
        if (!refused) { stored_.erase(at); }
    }

    /// Judges what `change_visibility` said of one receipt, and notes it.
    void hidden(const std::string& receipt, bool refused, freshet::time_point now, freshet::duration visibility) {
        const auto at = find(receipt);
        if (at == stored_.end()) {
            CHECK_MESSAGE((refused || !handed_out_since(receipt)), "the receipt of an earlier delivery was taken");
            return;
        }
        CHECK_MESSAGE((!refused || at->visible_at <= now), "the receipt of a delivery that is not over was refused");
        if (!refused) { at->visible_at = now + visibility; }
    }

    /// Whether the message of the receipt may be in the dead-letter queue by now: then the queue may say anything.
    [[nodiscard]] auto may_be_dead(const std::string& receipt, freshet::time_point now) const -> bool {
        const auto& body = body_of_.at(receipt);
        return std::any_of(stored_.begin(), stored_.end(),
                           [&](const kept& m) { return m.what.body == body && m.doomed() && m.visible_at <= now; });
    }

    /// One of the next instants at which a message becomes visible or an id free; now, if there is none.
    [[nodiscard]] auto edge(std::size_t choice, freshet::time_point now) const -> freshet::time_point {
        std::set<freshet::time_point> edges;
        for (const auto& message : stored_) { edges.insert(message.visible_at); }
        for (const auto& [id, until] : taken_until_) { edges.insert(until); }
        edges.erase(edges.begin(), edges.upper_bound(now));
        return edges.empty() ? now : *std::next(edges.begin(), static_cast<std::ptrdiff_t>(choice % edges.size()));
    }

    /// The receipt of every delivery, the first one first.
    [[nodiscard]] auto receipts() const -> const std::vector<std::string>& { return receipts_; }

    /// The bodies of what is left in the queue, or for its dead-letter queue: by group, in order.
    [[nodiscard]] auto left(bool dead) const -> std::map<std::string, std::vector<std::string>> {
        std::map<std::string, std::vector<std::string>> all;
        for (const auto& message : stored_) {
            if (message.doomed() == dead) { all[message.what.group].push_back(message.what.body); }
        }
        return all;
    }

private:
    struct kept {
        letter what;
        std::string receipt; // of the last delivery
        freshet::time_point visible_at;
        unsigned count;

        [[nodiscard]] auto doomed() const -> bool { return count >= 3; }
    };

    [[nodiscard]] auto locked_groups(freshet::time_point now) const -> std::set<std::string> {
        std::set<std::string> locked;
        for (const auto& message : stored_) {
            if (message.visible_at > now) { locked.insert(message.what.group); }
        }
        return locked;
    }

    /// Whether there is a message to give without moving another one to the dead-letter queue first.
    [[nodiscard]] auto must_give(const std::set<std::string>& locked) const -> bool {
        std::set<std::string> seen;
        return std::any_of(stored_.begin(), stored_.end(), [&](const kept& m) {
            return seen.insert(m.what.group).second && !m.doomed() && !locked.contains(m.what.group);
        });
    }

    [[nodiscard]] auto handed_out_since(const std::string& receipt) const -> bool {
        const auto& body = body_of_.at(receipt);
        return std::any_of(stored_.begin(), stored_.end(),
                           [&](const kept& m) { return m.what.body == body && m.receipt != receipt; });
    }

    [[nodiscard]] auto find(const std::string& receipt) -> std::vector<kept>::iterator {
        return std::find_if(stored_.begin(), stored_.end(), [&](const kept& m) { return m.receipt == receipt; });
    }

    std::vector<kept> stored_; // in the order of storing, the dead letters among them
    std::map<std::string, freshet::time_point> taken_until_;
    std::map<std::string, std::string> body_of_; // by receipt
    std::vector<std::string> receipts_;
};

} // namespace laws
