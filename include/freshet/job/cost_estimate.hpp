#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>

#include <freshet/core/time.hpp>

namespace freshet {

/// Learns what a group costs from what groups cost: mean plus four mean deviations, which few will exceed.
///
/// A copyable value. Until it has seen one, a group costs the first guess. Nothing here overflows: what costs more than
/// a year costs a year, less than nothing costs nothing.
///
/// Source: RFC 6298, "Computing TCP's Retransmission Timer", section 2 (gains 1/8 and 1/4), without its clock
/// granularity and bounds.
class cost_estimate {
public:
    constexpr cost_estimate() = default;
    explicit constexpr cost_estimate(duration first_guess) noexcept : guess_{bounded(first_guess)} {}

    constexpr void learn(duration cost) noexcept {
        cost = bounded(cost);
        if (!learned_) {
            learned_ = true;
            mean_ = cost;
            deviation_ = cost / 2;
            return;
        }
        deviation_ += (std::max(mean_ - cost, cost - mean_) - deviation_) / 4;
        mean_ += (cost - mean_) / 8;
    }

    /// What a group cost that failed: it makes the estimate greater, never less, since many fail early.
    constexpr void learn_failure(duration cost) noexcept {
        if (cost > per_group()) { learn(cost); }
    }

    /// Whether it goes by more than the first guess.
    [[nodiscard]] constexpr auto learned() const noexcept -> bool { return learned_; }

    /// What one more will cost at most, as a rule.
    [[nodiscard]] constexpr auto per_group() const noexcept -> duration {
        return learned_ ? mean_ + 4 * deviation_ : guess_;
    }

    /// How long so many take, `at_once` of them at the same time (0 is read as 1).
    [[nodiscard]] constexpr auto expects(std::size_t groups, std::size_t at_once) const noexcept -> duration {
        at_once = std::max<std::size_t>(at_once, 1);
        const auto turns = groups / at_once + (groups % at_once == 0 ? 0 : 1);
        const auto cost = static_cast<std::size_t>(per_group().count());
        constexpr auto most = static_cast<std::size_t>(duration::max().count());
        if (cost != 0 && turns > most / cost) { return duration::max(); }
        return duration{static_cast<duration::rep>(turns * cost)};
    }

private:
    [[nodiscard]] static constexpr auto bounded(duration cost) noexcept -> duration {
        return std::clamp<duration>(cost, duration::zero(), std::chrono::years{1});
    }

    duration guess_{std::chrono::seconds{6}};
    duration mean_{};
    duration deviation_{};
    bool learned_{};
};

} // namespace freshet
