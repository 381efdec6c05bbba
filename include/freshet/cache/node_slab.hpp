#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace freshet::detail {

/// The number of a node within its slab.
using node_id = std::uint16_t;

inline constexpr node_id no_node = 0xffff;

/// Memory for nodes of one kind, which never move: asked for some at a time as they are needed, and then kept.
///
/// Not thread safe, but for `operator[]`: a node that is taken may be used by its number while others are taken and
/// given back. Ends nobody's life: what was made in its nodes is to be destroyed before it.
template <class Node>
class node_slab {
public:
    explicit node_slab(std::size_t most)
        : most_{std::min<std::size_t>(most, no_node)},
          shift_{std::countr_zero(std::bit_floor(std::clamp<std::size_t>(most_ / 128, 16, 512)))},
          chunks_{std::make_unique<std::unique_ptr<cell[]>[]>((most_ >> shift_) + 1)} {}

    /// A node to construct in; `no_node` where `most` are taken.
    [[nodiscard]] auto take() -> node_id {
        if (free_ != no_node) { return std::exchange(free_, cell_of(free_).next_free); }
        if (used_ == most_) { return no_node; }
        auto& chunk = chunks_[used_ >> shift_];
        if (!chunk) { chunk.reset(new cell[std::size_t{1} << shift_]); }
        return static_cast<node_id>(used_++);
    }

    /// Nodes that have been destroyed: chained from the first to the last.
    void give_back(node_id first, node_id last) noexcept { chain(last, std::exchange(free_, first)); }

    [[nodiscard]] auto operator[](node_id id) const noexcept -> Node& { return cell_of(id).node; }

    /// Of nodes that have been destroyed `next` follows `id`. Thread safe as `operator[]` is.
    void chain(node_id id, node_id next) const noexcept { cell_of(id).next_free = next; }

private:
    union cell {
        cell() noexcept {}
        ~cell() {}
        Node node;
        node_id next_free;
    };

    [[nodiscard]] auto cell_of(node_id id) const noexcept -> cell& {
        return chunks_[id >> shift_][id & ((std::size_t{1} << shift_) - 1)];
    }

    std::size_t most_;
    int shift_;
    std::unique_ptr<std::unique_ptr<cell[]>[]> chunks_; // as many as there will ever be: readers need no lock
    std::size_t used_{};
    node_id free_{no_node};
};

} // namespace freshet::detail
