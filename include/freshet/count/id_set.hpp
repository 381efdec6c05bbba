#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/core/text_hash.hpp>

namespace freshet {

/// Remembers which ids were seen: their bytes in one string, 24 bytes and up to four words beside each.
///
/// `clear` takes no time, however many there were, and keeps the memory: who fills and clears it again and again
/// allocates nothing in the end.
class id_set {
public:
    /// Whether it was not there yet.
    auto insert(std::string_view id) -> bool {
        if (entries_.size() * 2 >= slots_.size()) { grow(); }
        const auto hash = hash_(0, id);
        const auto at = place_of(hash, id);
        if (is_used(at)) { return false; }
        slots_[at] = entries_.size();
        entries_.push_back({hash, texts_.size(), at});
        texts_ += id;
        return true;
    }
    [[nodiscard]] auto contains(std::string_view id) const -> bool {
        return !slots_.empty() && is_used(place_of(hash_(0, id), id));
    }

    [[nodiscard]] auto size() const noexcept -> std::size_t { return entries_.size(); }
    void clear() noexcept {
        entries_.clear();
        texts_.clear();
    }

private:
    struct entry {
        std::uint64_t hash{};
        std::size_t begin{}; // of its text
        std::size_t slot{};  // that names it
    };

    // A slot names an entry only if that entry names the slot: what `clear` leaves in the slots does no harm.
    [[nodiscard]] auto is_used(std::size_t slot) const noexcept -> bool {
        const auto named = slots_[slot];
        return named < entries_.size() && entries_[named].slot == slot;
    }
    [[nodiscard]] auto next(std::size_t slot) const noexcept -> std::size_t { return (slot + 1) & (slots_.size() - 1); }

    /// The slot that has it, or the one that it would get.
    [[nodiscard]] auto place_of(std::uint64_t hash, std::string_view id) const -> std::size_t {
        auto slot = hash & (slots_.size() - 1);
        for (; is_used(slot); slot = next(slot)) {
            const auto named = slots_[slot];
            if (entries_[named].hash == hash && text(named) == id) { break; }
        }
        return slot;
    }
    [[nodiscard]] auto text(std::size_t named) const -> std::string_view {
        const auto begin = entries_[named].begin;
        const auto end = named + 1 < entries_.size() ? entries_[named + 1].begin : texts_.size();
        return std::string_view{texts_}.substr(begin, end - begin);
    }
    void grow() {
        const auto old = std::exchange(entries_, {});
        slots_.assign(slots_.empty() ? 16 : slots_.size() * 2, 0);
        entries_.reserve(slots_.size() / 2);
        for (auto each : old) {
            each.slot = each.hash & (slots_.size() - 1);
            while (is_used(each.slot)) { each.slot = next(each.slot); }
            slots_[each.slot] = entries_.size();
            entries_.push_back(each);
        }
    }

    std::vector<std::size_t> slots_; // a power of two, at least twice the entries
    std::vector<entry> entries_;
    std::string texts_;
    detail::text_hash hash_{this};
};

} // namespace freshet
