#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include <freshet/backend/run_report.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/report/emf.hpp>
#include <support/run_emf.hpp>

namespace validation {

/// The namespace of the program's metrics, and of the alarms on them.
inline constexpr auto metrics_namespace = "validation";

/// Appends the metrics of a run that has ended to a file, for CloudWatch, whose time is `now`; `-` is stdout.
[[nodiscard]] inline auto append_metrics(const std::string& name, const freshet::run_report& report,
                                         freshet::time_point now) -> freshet::result<void> {
    const auto lines = freshet::emf_lines(support::run_emf(report, metrics_namespace), now);
    if (!lines) { return lines.why(); }
    std::string text;
    for (const auto& line : *lines) { (text += line) += '\n'; }
    auto* const file = name == "-" ? stdout : std::fopen(name.c_str(), "ab");
    bool written =
        file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size() && std::fflush(file) == 0;
    auto why = written ? 0 : errno;
    if (file != nullptr && file != stdout && std::fclose(file) != 0 && written) {
        written = false;
        why = errno;
    }
    if (written) { return {}; }
    return freshet::error{freshet::errc::denied,
                          freshet::printable(name) + ": metrics cannot be written: " + std::strerror(why)};
}

} // namespace validation
