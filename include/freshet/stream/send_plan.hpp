#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/backend/message.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/text_hash.hpp>

namespace freshet {

/// What a plan must know of a message. Items of the same queue and group are to arrive in the order in which they
/// stand; an empty group is no group, and its items keep no order.
struct send_item {
    std::string_view queue;
    std::string_view group;
    std::size_t bytes{}; ///< the message's `payload_bytes()`
};

[[nodiscard]] constexpr auto send_item_of(const message_view& message) noexcept -> send_item {
    return {message.queue, message.group_id, message.payload_bytes()};
}

/// What a refused entry may do to the order of its group: each entry of a request succeeds or fails alone, and what
/// was sent again after a later one was taken comes too late.
enum class send_order {
    strict, ///< at most one message of a group in a request: no refusal can invert a group
    fast,   ///< full requests: a refusal may invert a group inside one request (see `broken_groups`)
};

/// Which items go together in one request, as indices; the requests of a queue are to be sent one after the other.
class send_plan {
public:
    /// How many requests there are.
    [[nodiscard]] auto size() const noexcept -> std::size_t { return begins_.size() - 1; }
    [[nodiscard]] auto empty() const noexcept -> bool { return size() == 0; }

    /// The items of a request, ascending.
    [[nodiscard]] auto operator[](std::size_t request) const -> std::span<const std::size_t> {
        const auto begin = begins_[expect_request(request)];
        return std::span{items_}.subspan(begin, begins_[request + 1] - begin);
    }

    /// The queue that all items of a request go to: a view of an item's own text.
    [[nodiscard]] auto queue(std::size_t request) const -> std::string_view { return queues_[expect_request(request)]; }

    /// The items that no request can take, ascending. They hold nothing back here.
    [[nodiscard]] auto oversized() const noexcept -> std::span<const std::size_t> { return oversized_; }

private:
    friend auto plan_sends(std::span<const send_item>, std::span<const std::size_t>, const queue_limits&, send_order)
        -> send_plan;

    [[nodiscard]] auto expect_request(std::size_t request) const -> std::size_t {
        if (request >= size()) { abort_on_misuse("send_plan: there is no such request"); }
        return request;
    }

    std::vector<std::size_t> begins_{0};
    std::vector<std::string_view> queues_; // by request
    std::vector<std::size_t> items_;
    std::vector<std::size_t> oversized_;
};

namespace detail::sends {

/// One number for each group of each queue, 0 at first. Keeps views only.
///
/// One flat table, because with a node for each group the millionth message would cost several times the thousandth.
class group_table {
public:
    [[nodiscard]] auto size() const noexcept -> std::size_t { return size_; }

    /// Valid until the next call.
    [[nodiscard]] auto number(std::size_t queue, std::string_view group) -> std::size_t& {
        if (4 * (size_ + 1) > 3 * slots_.size()) { grow(); }
        const auto hash = static_cast<std::size_t>(hash_(queue, group)) | 1;
        auto at = home(hash);
        for (; slots_[at].hash != 0; at = (at + 1) & (slots_.size() - 1)) {
            const auto& here = slots_[at];
            if (here.hash == hash && here.queue == queue && here.group == group) { return slots_[at].value; }
        }
        ++size_;
        slots_[at] = {hash, queue, group, 0};
        return slots_[at].value;
    }

private:
    struct slot {
        std::size_t hash{}; ///< odd; 0 where the slot is free
        std::size_t queue{};
        std::string_view group;
        std::size_t value{};
    };

    [[nodiscard]] auto home(std::size_t hash) const -> std::size_t { return (hash >> 1) & (slots_.size() - 1); }
    void grow() {
        const auto old = std::exchange(slots_, std::vector<slot>(std::max<std::size_t>(16, 2 * slots_.size())));
        for (const auto& moved : old) {
            if (moved.hash == 0) { continue; }
            auto at = home(moved.hash);
            while (slots_[at].hash != 0) { at = (at + 1) & (slots_.size() - 1); }
            slots_[at] = moved;
        }
    }

    text_hash hash_{this};
    std::vector<slot> slots_;
    std::size_t size_{};
};

/// Numbers queues from 0 on, in the order in which they are first met. Keeps views only.
class queue_numbers {
public:
    [[nodiscard]] auto operator[](std::string_view queue) -> std::size_t {
        if (numbers_.size() != 0 && queue == last_queue_) { return last_; }
        auto& number = numbers_.number(0, queue); // from 1 on
        if (number == 0) { number = numbers_.size(); }
        last_queue_ = queue;
        return last_ = number - 1;
    }

private:
    group_table numbers_;
    std::string_view last_queue_; // neighbours mostly go the same way
    std::size_t last_{};
};

/// The requests of one queue that still have room, found from any request on without walking the full ones again and
/// again: each closed request points at a later one, and paths are halved as they are walked (union-find).
class open_requests {
public:
    /// `limits` must outlive it.
    explicit open_requests(const queue_limits& limits) : limits_{&limits} {}

    [[nodiscard]] auto size() const noexcept -> std::size_t { return requests_.size(); }

    /// The number that a request got in the plan.
    [[nodiscard]] auto number(std::size_t at) const -> std::size_t { return requests_[at].number; }

    /// Puts `bytes` into the earliest open request from `earliest` on, or into a new one, which gets `new_number`. A
    /// request in which something does not fit is closed: a small one could have fitted later, but to keep all of them
    /// open is to search them all.
    [[nodiscard]] auto place(std::size_t earliest, std::size_t bytes, std::size_t new_number) -> std::size_t {
        // Most groups are old and most requests before the frontier are closed: this spares them the walk.
        while (frontier_ < requests_.size() && requests_[frontier_].next != frontier_) { ++frontier_; }
        auto at = next_open(std::max(earliest, frontier_));
        while (at < requests_.size() && limits_->request_bytes - requests_[at].bytes < bytes) {
            close(at);
            at = next_open(at);
        }
        if (at == requests_.size()) { requests_.push_back({at, 0, 0, new_number}); }
        requests_[at].bytes += bytes;
        if (++requests_[at].entries == limits_->entries_per_request) { close(at); }
        return at;
    }

private:
    struct request {
        std::size_t next;
        std::size_t entries;
        std::size_t bytes;
        std::size_t number;
    };

    void close(std::size_t at) { requests_[at].next = at + 1; }

    [[nodiscard]] auto next_open(std::size_t at) -> std::size_t {
        while (at < requests_.size() && requests_[at].next != at) {
            const auto next = requests_[at].next;
            if (next < requests_.size()) { requests_[at].next = requests_[next].next; }
            at = next;
        }
        return at;
    }

    const queue_limits* limits_;
    std::vector<request> requests_;
    std::size_t frontier_{}; // every request before it is closed
};

} // namespace detail::sends

/// Plans the items of `which` (ascending indices into `items`), each in exactly one request or in `oversized`.
///
/// All items of a request go to one queue; the requests of several queues are numbered in the order in which they were
/// opened. A request has at most `entries_per_request` items and `request_bytes` bytes; the limits are those of every
/// queue, so plan by `which` where queues differ. Within a queue's group the order of `items` holds: ascending
/// requests, and ascending places inside one; an item without a group goes wherever its queue has room. `strict` puts
/// each item into its queue's earliest request after its group's previous one that is still open; `fast` fills request
/// after request. Time and memory are linear in the number of items. The queues' texts must outlive the plan, the
/// groups' texts the call only.
[[nodiscard]] inline auto plan_sends(std::span<const send_item> items, std::span<const std::size_t> which,
                                     const queue_limits& limits, send_order order = send_order::strict) -> send_plan {
    if (limits.entries_per_request == 0) { abort_on_misuse("plan_sends: a request takes at least one entry"); }
    constexpr auto nowhere = std::numeric_limits<std::size_t>::max();

    send_plan plan;
    detail::sends::queue_numbers queues;
    std::vector<detail::sends::open_requests> requests; // by queue
    detail::sends::group_table after;                   // the request, in its queue, after the group's last one
    std::vector<std::size_t> request_of(which.size(), nowhere);
    for (std::size_t i = 0; i < which.size(); ++i) {
        if (which[i] >= items.size() || (i != 0 && which[i] <= which[i - 1])) {
            abort_on_misuse("plan_sends: the indices must ascend and name items");
        }
        const auto& item = items[which[i]];
        if (item.bytes > std::min(limits.message_bytes, limits.request_bytes)) {
            plan.oversized_.push_back(which[i]);
            continue;
        }
        const auto queue = queues[item.queue];
        if (queue == requests.size()) { requests.emplace_back(limits); }
        auto& open = requests[queue];
        std::size_t at = order == send_order::fast && open.size() != 0 ? open.size() - 1 : 0;
        if (order == send_order::fast || item.group.empty()) {
            at = open.place(at, item.bytes, plan.queues_.size());
        } else {
            auto& earliest = after.number(queue, item.group);
            at = open.place(earliest, item.bytes, plan.queues_.size());
            earliest = at + 1;
        }
        request_of[i] = open.number(at);
        if (request_of[i] == plan.queues_.size()) { plan.queues_.push_back(item.queue); }
    }

    // Counting sort by request; it keeps the order of the items inside one.
    plan.begins_.assign(plan.queues_.size() + 1, 0);
    for (const auto request : request_of) {
        if (request != nowhere) { ++plan.begins_[request + 1]; }
    }
    std::partial_sum(plan.begins_.begin(), plan.begins_.end(), plan.begins_.begin());
    plan.items_.resize(plan.begins_.back());
    auto free_at = plan.begins_;
    for (std::size_t i = 0; i < which.size(); ++i) {
        if (request_of[i] != nowhere) { plan.items_[free_at[request_of[i]]++] = which[i]; }
    }
    return plan;
}

/// Plans all items.
[[nodiscard]] inline auto plan_sends(std::span<const send_item> items, const queue_limits& limits,
                                     send_order order = send_order::strict) -> send_plan {
    std::vector<std::size_t> all(items.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    return plan_sends(items, all, limits, order);
}

} // namespace freshet
