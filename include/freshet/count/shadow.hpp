#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include <freshet/backend/bucket_sink.hpp>
#include <freshet/core/time.hpp>

namespace freshet {

/// A bucket that two counters count differently.
struct differing_count {
    duration width{};
    time_point start{};
    std::uint64_t ours{};
    std::uint64_t theirs{};
    friend constexpr auto operator==(const differing_count&, const differing_count&) -> bool = default;
};

/// What a comparison found, in numbers of buckets that are not empty on both sides.
struct counts_comparison {
    std::size_t equal{};
    std::size_t different{};
    std::vector<differing_count> shown; ///< the first of the different ones, by width, then by start

    [[nodiscard]] auto same() const noexcept -> bool { return different == 0; }
};

/// Compares what two counters say of the same series and times. What one of them does not name is zero; what it names
/// several times is the sum.
[[nodiscard]] inline auto compare_counts(std::span<const bucket> ours, std::span<const bucket> theirs,
                                         std::size_t most_shown = 20) -> counts_comparison {
    std::map<std::pair<duration, time_point>, differing_count> all;
    const auto of = [&](const bucket& each) -> differing_count& {
        return all.try_emplace({each.width, each.start}, differing_count{each.width, each.start, 0, 0}).first->second;
    };
    for (const auto& each : ours) { of(each).ours += each.count; }
    for (const auto& each : theirs) { of(each).theirs += each.count; }
    counts_comparison found;
    for (const auto& [at, each] : all) {
        if (each.ours != each.theirs) {
            if (found.different++ < most_shown) { found.shown.push_back(each); }
        } else if (each.ours != 0) {
            ++found.equal;
        }
    }
    return found;
}

/// Says when an old counter has agreed with the new one for long enough to be switched off.
///
/// A number is all of its state: `in_a_row` is kept and given back by who needs it to outlive the process.
class shadow_switch {
public:
    /// `needed`: comparisons that agree, one after the other; zero is read as one.
    explicit constexpr shadow_switch(std::size_t needed, std::size_t in_a_row = 0) noexcept
        : needed_{std::max<std::size_t>(needed, 1)}, in_a_row_{in_a_row} {}

    /// A difference starts anew. Where both counted nothing, nothing is learned.
    void add(const counts_comparison& found) noexcept {
        if (!found.same()) {
            in_a_row_ = 0;
        } else if (found.equal != 0 && in_a_row_ < needed_) {
            ++in_a_row_;
        }
    }

    [[nodiscard]] constexpr auto in_a_row() const noexcept -> std::size_t { return in_a_row_; }
    [[nodiscard]] constexpr auto switched() const noexcept -> bool { return in_a_row_ >= needed_; }

private:
    std::size_t needed_;
    std::size_t in_a_row_;
};

} // namespace freshet
