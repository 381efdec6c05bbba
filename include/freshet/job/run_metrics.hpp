#pragma once

#include <string_view>

#include <freshet/backend/run_report.hpp>

/// What an execution of a job is measured by once it has ended: the names that its metrics have wherever they are
/// published, and that alarms ask for.
namespace freshet::run_metrics {

inline constexpr std::string_view job = "Job"; ///< the dimension
inline constexpr std::string_view executions = "Executions";
inline constexpr std::string_view duration_ms = "Duration";
inline constexpr std::string_view error_rate = "ErrorRate"; ///< in percent, as `error_percent`
inline constexpr std::string_view errors = "Errors";        ///< groups that failed
inline constexpr std::string_view labels_validated = "LabelsValidated";
inline constexpr std::string_view labels_updated = "LabelsUpdated";

/// Of the groups that had their turn, how many in a hundred failed; 100 for an execution that failed as a whole.
[[nodiscard]] inline auto error_percent(const run_report& report) noexcept -> double {
    if (report.state == run_state::failed) { return 100; }
    return report.worked == 0 ? 0 : 100 * static_cast<double>(report.failed) / static_cast<double>(report.worked);
}

} // namespace freshet::run_metrics
