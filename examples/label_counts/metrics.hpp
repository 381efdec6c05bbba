#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/report/emf.hpp>
#include <label_counts/reading.hpp>
#include <label_counts/updating.hpp>

/// What CloudWatch is told, in the namespace `label_counts`.
namespace label_counts {

namespace detail {

[[nodiscard]] inline auto metrics_at(freshet::time_point now) -> freshet::emf_document {
    return {.metrics_namespace = "label_counts", .timestamp = now};
}
inline void add(freshet::emf_document& to, std::string name, double value, freshet::metric_unit unit) {
    to.metrics.push_back({std::move(name), {value}, unit});
}

} // namespace detail

/// Of a run: how many labels succeeded and failed, its duration, and that of each label's counting and keeping.
[[nodiscard]] inline auto metrics_of(const run_report& run, freshet::time_point now)
    -> std::vector<freshet::emf_document> {
    using unit = freshet::metric_unit;
    auto made = detail::metrics_at(now);
    detail::add(made, "succeeded", static_cast<double>(run.succeeded()), unit::count);
    detail::add(made, "failed", static_cast<double>(run.failed()), unit::count);
    detail::add(made, "run_duration", static_cast<double>(run.took.count()), unit::microseconds);
    freshet::emf_metric each{"label_duration", {}, unit::microseconds};
    for (const auto& label : run.keys) { each.values.push_back(static_cast<double>(label.took.count())); }
    made.metrics.push_back(std::move(each));
    return {std::move(made)};
}

/// Of a reading: each label's hit ratio, by the dimension `label`; and, where both were timed, how long a read from the
/// cache and a count in real time take.
[[nodiscard]] inline auto metrics_of(const reading& done, freshet::time_point now)
    -> std::vector<freshet::emf_document> {
    using unit = freshet::metric_unit;
    std::vector<freshet::emf_document> all;
    for (const auto& each : done.labels) {
        auto& made = all.emplace_back(detail::metrics_at(now));
        made.properties = {{"label", each.label}};
        made.dimension_sets = {{"label"}};
        detail::add(made, "hits", static_cast<double>(each.asked.hits), unit::count);
        detail::add(made, "misses", static_cast<double>(each.asked.misses), unit::count);
        detail::add(made, "hit_ratio", each.asked.hit_ratio(), unit::none);
    }
    if (done.timed != 0) {
        auto& made = all.emplace_back(detail::metrics_at(now));
        detail::add(made, "read_from_cache", done.cached_read().count(), unit::microseconds);
        detail::add(made, "count_in_real_time", done.real_time_count().count(), unit::microseconds);
    }
    return all;
}

struct metric_lines {
    std::string text;
    std::vector<freshet::error> refused; ///< documents that CloudWatch would not take
};

/// Documents as lines of CloudWatch's embedded metric format, those that it takes at `now`.
[[nodiscard]] inline auto lines_of(const std::vector<freshet::emf_document>& all, freshet::time_point now)
    -> metric_lines {
    metric_lines made;
    for (const auto& each : all) {
        const auto lines = freshet::emf_lines(each, now);
        if (!lines) {
            made.refused.push_back(lines.why());
            continue;
        }
        for (const auto& line : *lines) { (made.text += line) += '\n'; }
    }
    return made;
}

/// A file that metrics are appended to; `-` is stdout, and nothing is nowhere.
class metrics_file {
public:
    [[nodiscard]] static auto open(const std::optional<std::string>& name) -> freshet::result<metrics_file> {
        metrics_file made;
        if (name == "-") { made.file_.reset(stdout); }
        if (!name || name == "-") { return made; }
        made.file_.reset(std::fopen(name->c_str(), "ab"));
        if (made.file_ == nullptr) {
            return freshet::error{freshet::errc::denied, freshet::printable(*name) + ": " + std::strerror(errno)};
        }
        return made;
    }

    /// The metrics of a run or of a reading that was done `at`, for CloudWatch, whose time is `now`.
    ///
    /// What CloudWatch would not take is left out; a failure then says of how much, and why of the first of it.
    template <class Report>
    [[nodiscard]] auto write(const Report& report, freshet::time_point at, freshet::time_point now)
        -> freshet::result<void> {
        if (file_ == nullptr) { return {}; }
        const auto all = metrics_of(report, at);
        const auto [text, refused] = lines_of(all, now);
        if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size() || std::fflush(file_.get()) != 0) {
            return freshet::error{freshet::errc::unavailable,
                                  std::string{"metrics cannot be written: "} + std::strerror(errno)};
        }
        if (refused.empty()) { return {}; }
        return freshet::error{freshet::errc::malformed,
                              fmt::format("{} of {} documents of metrics are left out; the first: {}", refused.size(),
                                          all.size(), refused.front().note)};
    }

private:
    struct close {
        void operator()(std::FILE* file) const {
            if (file != stdout) { std::fclose(file); }
        }
    };
    std::unique_ptr<std::FILE, close> file_;
};

} // namespace label_counts
