#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <limits>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/backend/message.hpp>
#include <freshet/core/result.hpp>

namespace freshet {

/// What a plan must know of a message. All items of a plan go to one queue, in the order in which they stand.
struct send_item {
    std::string_view group;
    std::size_t bytes{}; ///< the message's `payload_bytes()`
};

[[nodiscard]] constexpr auto send_item_of(const message_view& message) noexcept -> send_item {
    return {message.group_id, message.payload_bytes()};
}

/// What a refused entry may do to the order of its group: each entry of a request succeeds or fails alone, and what
/// was sent again after a later one was taken comes too late.
enum class send_order {
    strict, ///< at most one message of a group in a request: no refusal can invert a group
    fast,   ///< full requests: a refusal may invert a group inside one request (see `broken_groups`)
};

/// Which items go together in one request, as indices; requests are to be sent one after the other.
class send_plan {
public:
    /// How many requests there are.
    [[nodiscard]] auto size() const noexcept -> std::size_t { return begins_.size() - 1; }
    [[nodiscard]] auto empty() const noexcept -> bool { return size() == 0; }

    /// The items of a request, ascending.
    [[nodiscard]] auto operator[](std::size_t request) const -> std::span<const std::size_t> {
        if (request >= size()) { abort_on_misuse("send_plan: there is no such request"); }
        return std::span{items_}.subspan(begins_[request], begins_[request + 1] - begins_[request]);
    }

    /// The items that no request can take, ascending. They hold nothing back here.
    [[nodiscard]] auto oversized() const noexcept -> std::span<const std::size_t> { return oversized_; }

private:
    friend auto plan_sends(std::span<const send_item>, std::span<const std::size_t>, const queue_limits&, send_order)
        -> send_plan;

    std::vector<std::size_t> begins_{0};
    std::vector<std::size_t> items_;
    std::vector<std::size_t> oversized_;
};

namespace detail::sends {

/// One number for each group, 0 at first. Keeps views only.
///
/// One flat table, because with a node for each group the millionth message would cost several times the thousandth.
class group_table {
public:
    [[nodiscard]] auto size() const noexcept -> std::size_t { return size_; }

    /// Valid until the next call.
    [[nodiscard]] auto operator[](std::string_view group) -> std::size_t& {
        if (4 * (size_ + 1) > 3 * slots_.size()) { grow(); }
        const auto hash = std::hash<std::string_view>{}(group) | 1;
        auto at = home(hash);
        for (; slots_[at].hash != 0; at = (at + 1) & (slots_.size() - 1)) {
            if (slots_[at].hash == hash && slots_[at].group == group) { return slots_[at].value; }
        }
        ++size_;
        slots_[at] = {hash, group, 0};
        return slots_[at].value;
    }

private:
    struct slot {
        std::size_t hash{}; ///< odd; 0 where the slot is free
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

    std::vector<slot> slots_;
    std::size_t size_{};
};

/// The requests that still have room, found from any request on without walking the full ones again and again: each
/// closed request points at a later one, and paths are halved as they are walked (union-find).
class open_requests {
public:
    explicit open_requests(const queue_limits& limits) : limits_{limits} {}

    [[nodiscard]] auto size() const noexcept -> std::size_t { return requests_.size(); }

    /// Puts `bytes` into the earliest open request from `earliest` on, or into a new one. A request in which something
    /// does not fit is closed: a small one could have fitted later, but to keep all of them open is to search them all.
    auto place(std::size_t earliest, std::size_t bytes) -> std::size_t {
        // Most groups are old and most requests before the frontier are closed: this spares them the walk.
        while (frontier_ < requests_.size() && requests_[frontier_].next != frontier_) { ++frontier_; }
        auto at = next_open(std::max(earliest, frontier_));
        while (at < requests_.size() && limits_.request_bytes - requests_[at].bytes < bytes) {
            close(at);
            at = next_open(at);
        }
        if (at == requests_.size()) { requests_.push_back({at, 0, 0}); }
        requests_[at].bytes += bytes;
        if (++requests_[at].entries == limits_.entries_per_request) { close(at); }
        return at;
    }

private:
    struct request {
        std::size_t next;
        std::size_t entries;
        std::size_t bytes;
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

    queue_limits limits_;
    std::vector<request> requests_;
    std::size_t frontier_{}; // every request before it is closed
};

} // namespace detail::sends

/// Plans the items of `which` (ascending indices into `items`), each in exactly one request or in `oversized`.
///
/// A request has at most `entries_per_request` items and `request_bytes` bytes. Within a group the order of `items`
/// holds: ascending requests, and ascending places inside one. `strict` puts each item into the earliest request after
/// its group's previous one that is still open; `fast` fills request after request. Time and memory are linear in the
/// number of items; the groups' texts must outlive the call only.
[[nodiscard]] inline auto plan_sends(std::span<const send_item> items, std::span<const std::size_t> which,
                                     const queue_limits& limits, send_order order = send_order::strict) -> send_plan {
    if (limits.entries_per_request == 0) { abort_on_misuse("plan_sends: a request takes at least one entry"); }
    constexpr auto nowhere = std::numeric_limits<std::size_t>::max();

    send_plan plan;
    detail::sends::group_table earliest; // the request after the group's last one
    detail::sends::open_requests requests{limits};
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
        if (order == send_order::fast) {
            request_of[i] = requests.place(std::max<std::size_t>(requests.size(), 1) - 1, item.bytes);
            continue;
        }
        auto& from = earliest[item.group];
        request_of[i] = requests.place(from, item.bytes);
        from = request_of[i] + 1;
    }

    // Counting sort by request; it keeps the order of the items inside one.
    plan.begins_.assign(requests.size() + 1, 0);
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
