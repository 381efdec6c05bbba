#pragma once

#include <cstddef>
#include <vector>

namespace support {

/// Goes through every way in which a test can make its choices: `do { … take(3) … } while (choices.next());`.
///
/// Each round makes the same choices as the last one up to a point, and there another one.
class every_choice {
public:
    /// One of 0 to `count - 1`.
    [[nodiscard]] auto take(std::size_t count) -> std::size_t {
        if (at_ == made_.size()) { made_.push_back({0, count}); }
        return made_[at_++].chosen;
    }
    /// Whether there is another round.
    [[nodiscard]] auto next() -> bool {
        at_ = 0;
        while (!made_.empty() && made_.back().chosen + 1 == made_.back().of) { made_.pop_back(); }
        if (made_.empty()) { return false; }
        ++made_.back().chosen;
        return true;
    }

private:
    struct choice {
        std::size_t chosen{};
        std::size_t of{};
    };
    std::vector<choice> made_;
    std::size_t at_{};
};

} // namespace support
