#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include <freshet/core/result.hpp>

namespace freshet {

/// How many failed groups a run puts up with.
struct failure_limits {
    std::uint64_t count{std::numeric_limits<std::uint64_t>::max()}; ///< in all
    unsigned percent{50};                                           ///< of those that had their turn; see `failed`
    std::uint64_t percent_from{10}; ///< such groups, before which the percentage says nothing
    std::uint64_t in_a_row{9};      ///< without a good one between: what all depend on is down
};

/// Counts the failures of a run, and says whether it goes on.
///
/// A copyable value. The count and the percentage are those of AWS Step Functions' distributed map
/// (`ToleratedFailureCount`, `ToleratedFailurePercentage`); a long run that starts to go wrong shows in the row.
class failure_budget {
public:
    constexpr failure_budget() = default;
    explicit constexpr failure_budget(const failure_limits& limits) noexcept : limits_{limits} {}

    constexpr void succeeded() noexcept {
        ++worked_;
        row_ = 0;
    }
    /// A group that is `malformed` says nothing of what all depend on: it counts in all, and neither in the row nor for
    /// the percentage.
    constexpr void failed(errc why = errc::failed) noexcept {
        ++worked_;
        ++failed_;
        if (why == errc::malformed) {
            ++malformed_;
            return;
        }
        longest_ = std::max(longest_, ++row_);
    }

    /// Whether there were more failures than are put up with; stays so.
    [[nodiscard]] constexpr auto spent() const noexcept -> bool {
        // Exact, and without a product that overflows.
        const auto judged = worked_ - malformed_;
        const auto tolerated = judged / 100 * limits_.percent + judged % 100 * limits_.percent / 100;
        return failed_ > limits_.count || longest_ > limits_.in_a_row ||
               (judged >= limits_.percent_from && failed_ - malformed_ > tolerated);
    }

    [[nodiscard]] constexpr auto worked() const noexcept -> std::uint64_t { return worked_; }
    [[nodiscard]] constexpr auto failures() const noexcept -> std::uint64_t { return failed_; }

private:
    failure_limits limits_{};
    std::uint64_t worked_{};
    std::uint64_t failed_{};
    std::uint64_t malformed_{};
    std::uint64_t row_{};
    std::uint64_t longest_{};
};

} // namespace freshet
