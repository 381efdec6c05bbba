#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <stop_token>
#include <utility>
#include <vector>

#include <freshet/backend/series_key.hpp>
#include <freshet/core/observe.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time_range.hpp>
#include <freshet/count/bucket_counter.hpp>
#include <freshet/count/dirty_ranges.hpp>
#include <freshet/count/ladder.hpp>
#include <freshet/count/recount.hpp>
#include <freshet/count/recount_events.hpp>
#include <freshet/report/log_line.hpp>
#include <freshet/work/deadline.hpp>
#include <metrics/log_block.hpp>
#include <metrics/outcome.hpp>
#include <support/log.hpp>

namespace metrics {

/// Series, and what of each changed beside the window.
using affected_series = std::map<freshet::series_key, freshet::dirty_ranges>;

/// The place of a series among those that are affected.
inline auto affect(affected_series& all, const freshet::series_key& series) -> freshet::dirty_ranges& {
    return all.try_emplace(series, freshet::hour_ladder::widest()).first->second;
}

namespace detail {

[[nodiscard]] inline auto log_of(const freshet::recount_report& report) -> series_log {
    series_log made;
    made.series = report.series;
    made.outside = report.outside;
    made.duplicates = report.duplicates;
    made.no_timestamp = report.skipped.no_timestamp;
    made.bad_timestamp = report.skipped.bad_timestamp;
    made.read = report.records + report.outside + report.duplicates + report.skipped.total();
    made.check = report.check;
    made.updated = report.replaced.written;
    made.unchanged = report.replaced.unchanged;
    made.overtaken = report.replaced.overtaken;
    return made;
}
[[nodiscard]] inline auto log_of(const freshet::series_key& series, freshet::error why) -> series_log {
    series_log made;
    made.series = series;
    made.check_failed = why.note.starts_with("cross-check: ");
    made.fault = std::move(why);
    return made;
}

/// The same times and the fewest others, in no more than so many ranges.
[[nodiscard]] inline auto joined(const freshet::dirty_ranges& of, std::size_t most) -> freshet::dirty_ranges {
    const auto all = of.ranges();
    if (all.size() <= most) { return of; }
    std::vector<freshet::duration> gaps;
    for (std::size_t i = 1; i != all.size(); ++i) { gaps.push_back(all[i].start - all[i - 1].end); }
    const auto widest_joined = gaps.begin() + static_cast<std::ptrdiff_t>(all.size() - most - 1);
    std::nth_element(gaps.begin(), widest_joined, gaps.end());
    const auto width = *widest_joined;
    auto ties = 1 + std::count(gaps.begin(), widest_joined, width); // of that width, so many are joined and no more
    freshet::dirty_ranges made{of.width()};
    auto last = all.front();
    for (const auto& each : all.subspan(1)) {
        const auto gap = each.start - last.end;
        if (gap < width || (gap == width && ties-- > 0)) {
            last.end = each.end;
        } else {
            made.add(std::exchange(last, each));
        }
    }
    made.add(last);
    return made;
}

} // namespace detail

/// How many ranges of a series a run counts each for itself, at most: each costs a transaction.
inline constexpr std::size_t most_ranges = 100;

/// Counts each series anew, in the window and where it changed. A series that fails keeps none of the others from being
/// counted. A source that keeps records is told of the changes first. Borrows source, sink and clock.
template <class Counter = freshet::bucket_counter<>, class Source, class Sink, class Clock>
[[nodiscard]] auto recount_all(Source& source, Sink& sink, const Clock& clock, const affected_series& affected,
                               const freshet::time_range& window, const support::log& log,
                               const freshet::deadline& until = freshet::deadline::never(),
                               const std::stop_token& stop = {}) -> std::vector<series_log> {
    const auto warn = [&log](const auto& event) {
        log.line(support::log_level::warning, "{}", freshet::log_line(event));
    };
    freshet::recount recount{source, sink, clock, freshet::recount_options{},
                             freshet::watch{freshet::on<freshet::record_skipped>(warn)}, Counter{}};
    const auto count = [&](const freshet::series_key& series,
                           const freshet::dirty_ranges& dirty) -> freshet::result<series_log> {
        if constexpr (requires { source.changed(series, dirty.ranges()); }) {
            if (auto told = source.changed(series, dirty.ranges()); !told) { return std::move(told).why(); }
        }
        auto marked = dirty;
        marked.add(window);
        const auto ranges = detail::joined(marked, most_ranges);
        const auto report = recount.run(series, ranges.ranges(), until, stop);
        if (!report) { return report.why(); }
        auto told = detail::log_of(*report);
        told.ranges_beside = ranges.ranges().size() - 1;
        return told;
    };
    std::vector<series_log> all;
    for (const auto& [series, dirty] : affected) {
        auto told = count(series, dirty);
        all.push_back(told ? *std::move(told) : detail::log_of(series, told.why()));
    }
    return all;
}

/// What the sink has for these series in the window, all together: by width, then by start.
template <class Sink, class AllSeries>
[[nodiscard]] auto window_counts(Sink& sink, const AllSeries& all, const freshet::time_range& window)
    -> freshet::result<std::vector<freshet::bucket>> {
    summed_buckets sum;
    for (const auto& series : all) {
        for (const auto width : freshet::hour_ladder::widths()) {
            const auto kept = sink.read(series, window, width);
            if (!kept) { return kept.why(); }
            for (const auto& each : *kept) { sum.add(each); }
        }
    }
    return sum.all();
}

} // namespace metrics
