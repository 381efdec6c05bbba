#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace freshet {

/// Memory for decoded strings that stays in place until `reset`, which keeps it for the next use.
///
/// Moving it takes the pieces along, where they are, and leaves an empty arena behind.
class text_arena {
public:
    text_arena() = default;
    text_arena(text_arena&& other) noexcept { swap(other); }
    auto operator=(text_arena&& other) noexcept -> text_arena& {
        text_arena{std::move(other)}.swap(*this);
        return *this;
    }
    /// `size` writable bytes; `shrink_last` gives back what was not needed of the newest piece.
    [[nodiscard]] auto allocate(std::size_t size) -> char* {
        if (left_ < size) { add_block(size); }
        char* piece = next_;
        next_ += size;
        left_ -= size;
        return piece;
    }

    /// The newest piece ends at `end` after all.
    void shrink_last(char* end) noexcept {
        left_ += static_cast<std::size_t>(next_ - end);
        next_ = end;
    }

    /// Forgets every piece. Several blocks become one, so that steady work ends up without allocation.
    void reset() {
        if (blocks_.size() > 1) {
            blocks_.clear();
            left_ = 0;
            add_block(total_);
            return;
        }
        if (!blocks_.empty()) {
            next_ = blocks_.front().get();
            left_ = total_;
        }
    }

    void swap(text_arena& other) noexcept {
        blocks_.swap(other.blocks_);
        std::swap(next_, other.next_);
        std::swap(left_, other.left_);
        std::swap(total_, other.total_);
    }

private:
    void add_block(std::size_t wanted) {
        const auto size = std::max({wanted, total_, std::size_t{4096}});
        if (blocks_.empty()) { total_ = 0; }
        blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
        next_ = blocks_.back().get();
        left_ = size;
        total_ += size;
    }

    std::vector<std::unique_ptr<char[]>> blocks_;
    char* next_{};
    std::size_t left_{};
    std::size_t total_{}; // of all blocks
};

} // namespace freshet
