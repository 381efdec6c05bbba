#pragma once

#include <chrono>
#include <cstdint>
#include <span>

#include <freshet/backend/run_report.hpp>
#include <freshet/core/time.hpp>
#include <freshet/job/recurring.hpp>

namespace freshet {

/// What the caller pays, in whichever currency: prices differ by region and change, so there are none here.
struct compute_rates {
    double per_gb_second{};
    double per_request{};
};

/// What executions cost, or are to cost.
struct compute_cost {
    double executions{}; ///< of an estimate as a mean: a quarterly job has a third of one a month
    double gb_seconds{};

    [[nodiscard]] constexpr auto at(const compute_rates& rates) const noexcept -> double {
        return gb_seconds * rates.per_gb_second + executions * rates.per_request;
    }
    constexpr auto operator+=(const compute_cost& other) noexcept -> compute_cost& {
        executions += other.executions;
        gb_seconds += other.gb_seconds;
        return *this;
    }
};

/// What one execution that takes so long costs with so many MB of memory.
///
/// A begun millisecond counts as a whole one, and 1,024 MB are a GB: so AWS Lambda bills.
/// Source: AWS Lambda's price list, "Duration".
[[nodiscard]] constexpr auto cost_of(duration took, unsigned memory_mb) noexcept -> compute_cost {
    const auto billed = std::chrono::ceil<std::chrono::milliseconds>(took);
    return {1, static_cast<double>(billed.count()) / 1'000 * (static_cast<double>(memory_mb) / 1'024)};
}

/// What these executions cost, or have cost so far.
[[nodiscard]] inline auto cost_of(std::span<const run_report> reports, unsigned memory_mb) -> compute_cost {
    compute_cost sum;
    for (const auto& each : reports) { sum += cost_of(each.took(), memory_mb); }
    return sum;
}

/// What a month costs where each execution takes so long: the mean of the year's months.
template <class Schedule>
[[nodiscard]] constexpr auto monthly_cost(const Schedule& schedule, duration each, unsigned memory_mb,
                                          std::chrono::year year) -> compute_cost {
    static_assert(recurring<Schedule>, "a schedule says when it fires: next, previous, between (freshet::recurring)");
    constexpr int months = 12;
    const time_point start{std::chrono::sys_days{year / 1 / 1}};
    const time_point end{std::chrono::sys_days{(year + std::chrono::years{1}) / 1 / 1}};
    std::uint64_t fires = 0;
    for ([[maybe_unused]] const auto due : schedule.between({start, end})) { ++fires; }
    const auto a_month = static_cast<double>(fires) / months;
    return {a_month, a_month * cost_of(each, memory_mb).gb_seconds};
}

} // namespace freshet
