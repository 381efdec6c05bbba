#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <freshet/cache/flat_index.hpp>
#include <freshet/cache/node_slab.hpp>

namespace freshet::detail {

/// What a node knows of its place in the queues, and of its use.
struct queue_place {
    node_id before{no_node};
    node_id next{no_node};
    std::uint32_t hash : index_hash_bits{};
    std::uint32_t uses : 2 {}; // since it was queued last, at most three
    std::uint32_t in_main : 1 {};
    std::uint32_t has_value : 1 {}; // the node's own affair, here because there is room
    std::uint32_t cause : 3 {};     // its owner's affair: why it was taken out
};

/// A queue of nodes, linked by their places.
class node_queue {
public:
    void push(const auto& places, node_id id) noexcept {
        places(id).before = last_;
        places(id).next = no_node;
        (last_ == no_node ? first_ : places(last_).next) = id;
        last_ = id;
        ++size_;
    }
    void remove(const auto& places, node_id id) noexcept {
        const auto before = places(id).before;
        const auto next = places(id).next;
        (before == no_node ? first_ : places(before).next) = next;
        (next == no_node ? last_ : places(next).before) = before;
        --size_;
    }
    /// `now` stands where `old` stood.
    void replace(const auto& places, node_id old, node_id now) noexcept {
        const auto before = places(now).before = places(old).before;
        const auto next = places(now).next = places(old).next;
        (before == no_node ? first_ : places(before).next) = now;
        (next == no_node ? last_ : places(next).before) = now;
    }
    /// Appends all of another queue.
    void append(const auto& places, const node_queue& more) noexcept {
        if (more.size_ == 0) { return; }
        places(more.first_).before = last_;
        (last_ == no_node ? first_ : places(last_).next) = more.first_;
        last_ = more.last_;
        size_ += more.size_;
    }
    /// Calls `use` with each; it may remove that one.
    void each(const auto& places, auto&& use) const {
        for (auto id = first_; id != no_node;) { use(std::exchange(id, places(id).next)); }
    }
    [[nodiscard]] auto last() const noexcept -> node_id { return last_; }
    [[nodiscard]] auto first() const noexcept -> node_id { return first_; }
    [[nodiscard]] auto size() const noexcept -> std::size_t { return size_; }

private:
    node_id first_{no_node};
    node_id last_{no_node};
    std::uint32_t size_{};
};

/// Remembers hashes of what was evicted lately: sixteen bits each, in one place each, where the next one to come
/// replaces it.
class evicted_hashes {
public:
    /// Room for about three quarters of so many; what was remembered in less room is forgotten.
    ///
    /// Measured: with fewer, a change of what is popular costs hits; with more, keys of much the same popularity drive
    /// each other out.
    void reserve(std::size_t entries) {
        const auto least = entries * 2 / 3 + 1;
        if (marks_.size() < least) { std::vector<std::uint16_t>(least + least / 8).swap(marks_); }
    }
    void add(std::uint32_t hash) noexcept { marks_[place_of(hash)] = mark_of(hash); }
    /// Whether it was there; it is there no more.
    [[nodiscard]] auto take(std::uint32_t hash) noexcept -> bool {
        if (marks_.empty() || marks_[place_of(hash)] != mark_of(hash)) { return false; }
        marks_[place_of(hash)] = 0;
        return true;
    }

private:
    // The place comes of the upper bits, the mark of the lower ones; zero is no mark.
    [[nodiscard]] auto place_of(std::uint32_t hash) const noexcept -> std::size_t {
        return static_cast<std::size_t>((std::uint64_t{hash} * marks_.size()) >> index_hash_bits);
    }
    [[nodiscard]] static auto mark_of(std::uint32_t hash) noexcept -> std::uint16_t {
        return static_cast<std::uint16_t>((hash & 0xffff) | 1);
    }

    std::vector<std::uint16_t> marks_;
};

/// Decides who has to go, with two queues and a memory, as the S3-FIFO of Yang, Zhang, Qiu, Yue and Rashmi (SOSP 2023).
///
/// What is new waits in a small queue, a tenth of all; who is used there twice goes on to the main queue, who is not is
/// evicted, and only his hash remembered. Who comes again while it is remembered goes to the main queue at once. There
/// each use saves from one eviction, three at most. So a scan of things that are used once passes through the small
/// queue and pushes out nothing else, and a use moves nothing: it counts up to three.
template <class Places>
class eviction_queues {
public:
    /// `places(id)` is a node's `queue_place&`.
    explicit eviction_queues(Places places) : places_{std::move(places)} {}

    void add(node_id id) noexcept {
        places_(id).uses = 0;
        places_(id).in_main = evicted_.take(places_(id).hash);
        queue_of(id).push(places_, id);
    }
    void use(node_id id) noexcept {
        if (places_(id).uses != 3) { places_(id).uses = (places_(id).uses + 1) & 3; }
    }
    void remove(node_id id) noexcept { queue_of(id).remove(places_, id); }
    void replace(node_id old, node_id now) noexcept {
        places_(now).uses = places_(old).uses;
        places_(now).in_main = places_(old).in_main;
        queue_of(old).replace(places_, old, now);
    }

    /// Takes out who has to go, and tells it; somebody must be there. Whoever `is_over` goes when his turn comes.
    [[nodiscard]] auto evict(auto&& is_over) -> node_id {
        evicted_.reserve(size());
        for (;;) {
            const bool from_small = main_.size() == 0 || small_.size() * 10 >= size();
            auto& queue = from_small ? small_ : main_;
            const auto id = queue.first();
            auto& place = places_(id);
            queue.remove(places_, id);
            if (is_over(id)) { return id; }
            if (from_small && place.uses < 2) {
                evicted_.add(place.hash);
                return id;
            }
            if (!from_small && place.uses == 0) { return id; }
            place.uses = from_small ? 0 : (place.uses - 1) & 3;
            place.in_main = 1;
            main_.push(places_, id);
        }
    }

    [[nodiscard]] auto size() const noexcept -> std::size_t { return small_.size() + main_.size(); }

    /// Calls `use` with each; it may remove that one.
    void each(auto&& use) {
        small_.each(places_, use);
        main_.each(places_, use);
    }

    /// All who are there, and nobody is there any more.
    [[nodiscard]] auto take_all() noexcept -> node_queue {
        small_.append(places_, std::exchange(main_, {}));
        return std::exchange(small_, {});
    }

private:
    [[nodiscard]] auto queue_of(node_id id) noexcept -> node_queue& { return places_(id).in_main ? main_ : small_; }

    [[no_unique_address]] Places places_;
    node_queue small_;
    node_queue main_;
    evicted_hashes evicted_;
};

} // namespace freshet::detail
