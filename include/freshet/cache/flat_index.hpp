#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <freshet/cache/node_slab.hpp>

namespace freshet::detail {

/// How many bits of a key's hash the index looks at.
inline constexpr unsigned index_hash_bits = 25;

/// Finds nodes by their hashes: open addressing, linear probing, eight bytes a slot, grows up to what `most` nodes
/// need.
class flat_index {
public:
    explicit flat_index(std::size_t most) : most_{most} {}

    /// The node of this hash that `is_it`; `no_node` where there is none.
    [[nodiscard]] auto find(std::uint32_t hash, auto&& is_it) const -> node_id {
        if (slots_.empty()) { return no_node; }
        for (auto at = home_of(hash); slots_[at].id != no_node; at = after(at)) {
            if (slots_[at].hash == hash && is_it(slots_[at].id)) { return slots_[at].id; }
        }
        return no_node;
    }

    /// Makes sure that one more `insert` finds room; throws what an allocation throws, and has changed nothing then.
    void reserve_one() {
        if (room_for(slots_.size()) > count_) { return; }
        const auto wanted = std::min(std::max<std::size_t>(16, slots_.size() * 2), slots_for(most_));
        std::vector<slot> old(wanted);
        old.swap(slots_);
        for (const auto& each : old) {
            if (each.id != no_node) { place(each); }
        }
    }

    /// There was a `reserve_one` before, and the node is not in here.
    void insert(std::uint32_t hash, node_id id) noexcept {
        place({hash, id});
        ++count_;
    }

    /// The node is in here.
    void erase(std::uint32_t hash, node_id id) noexcept {
        auto hole = slot_of(hash, id);
        for (auto at = after(hole); slots_[at].id != no_node; at = after(at)) {
            // what would be found no more across the hole moves into it
            if (distance(home_of(slots_[at].hash), at) >= distance(hole, at)) {
                slots_[std::exchange(hole, at)] = slots_[at];
            }
        }
        slots_[hole] = slot{};
        --count_;
    }

    /// `now` takes the place of `before`, which has the same hash.
    void replace(std::uint32_t hash, node_id before, node_id now) noexcept { slots_[slot_of(hash, before)].id = now; }

    [[nodiscard]] auto size() const noexcept -> std::size_t { return count_; }

private:
    struct slot {
        std::uint32_t hash{};
        node_id id{no_node};
    };

    // At most four of five slots are taken.
    [[nodiscard]] static auto room_for(std::size_t slots) noexcept -> std::size_t { return slots - (slots + 4) / 5; }
    [[nodiscard]] static auto slots_for(std::size_t nodes) noexcept -> std::size_t { return nodes + nodes / 4 + 2; }

    [[nodiscard]] auto home_of(std::uint32_t hash) const noexcept -> std::size_t {
        return static_cast<std::size_t>((std::uint64_t{hash} * slots_.size()) >> index_hash_bits);
    }
    [[nodiscard]] auto after(std::size_t at) const noexcept -> std::size_t {
        return at + 1 == slots_.size() ? 0 : at + 1;
    }
    [[nodiscard]] auto distance(std::size_t from, std::size_t to) const noexcept -> std::size_t {
        return to >= from ? to - from : to + slots_.size() - from;
    }
    [[nodiscard]] auto slot_of(std::uint32_t hash, node_id id) const noexcept -> std::size_t {
        auto at = home_of(hash);
        while (slots_[at].id != id) { at = after(at); }
        return at;
    }
    void place(const slot& it) noexcept {
        auto at = home_of(it.hash);
        while (slots_[at].id != no_node) { at = after(at); }
        slots_[at] = it;
    }

    std::size_t most_;
    std::vector<slot> slots_;
    std::size_t count_{};
};

} // namespace freshet::detail
