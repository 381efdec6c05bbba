#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

namespace freshet::detail {

/// Numbers blocks in order of arrival: 0, 1, 2, … for the first, second, third other one.
///
/// An open table of a power of two of slots, at most half full. Neighbouring blocks, which most are, spread evenly by
/// the multiplication (Knuth, The Art of Computer Programming, 6.4: Fibonacci hashing).
class block_index {
public:
    struct entry {
        std::uint64_t block{};
        std::size_t place{}; ///< of its arrival, from 0
    };
    static constexpr auto nowhere = static_cast<std::size_t>(-1);

    [[nodiscard]] auto size() const noexcept -> std::size_t { return size_; }

    /// The place of a block, or `nowhere`.
    [[nodiscard]] auto find(std::uint64_t block) const noexcept -> std::size_t {
        if (slots_.empty()) { return nowhere; }
        const auto& first = slots_[home_of(block)];
        return first.block == block ? first.place : slots_[slot_of(block)].place;
    }

    /// Gives a block that is nowhere yet its place, which is `size()` as it was before.
    auto add(std::uint64_t block) -> std::size_t {
        if (2 * (size_ + 1) > slots_.size()) {
            std::vector<entry> old(std::max<std::size_t>(16, 2 * slots_.size()), free);
            old.swap(slots_);
            shift_ -= old.empty() ? 4 : 1;
            for (const auto& each : old) {
                if (each.place != nowhere) { slots_[slot_of(each.block)] = each; }
            }
        }
        slots_[slot_of(block)] = {block, size_};
        return size_++;
    }

    /// All blocks, ascending.
    [[nodiscard]] auto ascending() const -> std::vector<entry> {
        std::vector<entry> all;
        all.reserve(size_);
        std::copy_if(slots_.begin(), slots_.end(), std::back_inserter(all),
                     [](const entry& each) { return each.place != nowhere; });
        std::sort(all.begin(), all.end(), [](const entry& a, const entry& b) { return a.block < b.block; });
        return all;
    }

private:
    static constexpr entry free{0, nowhere};

    [[nodiscard]] auto home_of(std::uint64_t block) const noexcept -> std::size_t {
        return static_cast<std::size_t>((block * 0x9e3779b97f4a7c15u) >> shift_);
    }

    /// The slot of this block, or the free one where it would stand.
    [[nodiscard, gnu::noinline]] auto slot_of(std::uint64_t block) const noexcept -> std::size_t {
        auto at = home_of(block);
        while (slots_[at].block != block && slots_[at].place != nowhere) { at = (at + 1) & (slots_.size() - 1); }
        return at;
    }

    std::vector<entry> slots_;
    std::size_t size_{};
    unsigned shift_{64}; // by which the number of slots is what remains of 64 bits
};

} // namespace freshet::detail
