#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <freshet/backend/bucket_sink.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>
#include <freshet/count/record_tally.hpp>
#include <metrics/intake.hpp>
#include <metrics/log_block.hpp>
#include <metrics/record.hpp>
#include <metrics/settings.hpp>

namespace metrics {

using json = nlohmann::ordered_json;

/// The counts of several series together: by width, then by start.
class summed_buckets {
public:
    void add(const freshet::bucket& each) { counts_[{each.width, each.start}] += each.count; }

    [[nodiscard]] auto all() const -> std::vector<freshet::bucket> {
        std::vector<freshet::bucket> made;
        made.reserve(counts_.size());
        for (const auto& [place, count] : counts_) { made.push_back({place.first, place.second, count}); }
        return made;
    }

private:
    std::map<std::pair<freshet::duration, freshet::time_point>, std::uint64_t> counts_;
};

/// What one run has to say.
struct outcome {
    run_header header{};
    intake_report input{}; ///< of the lines that were read in it
    std::vector<series_log> series{};
    freshet::skipped_records beside{};      ///< in the table, of series that were not counted this time
    std::uint64_t records{};                ///< counted in the window
    std::vector<freshet::bucket> buckets{}; ///< of the window, all series together; by width, then by start

    void set_input(intake_report read) {
        const auto malformed = read.skipped.find(skip_reason::malformed_line);
        header.input_records = read.lines;
        if (malformed != read.skipped.end()) {
            header.notes.push_back(detail::grouped(malformed->second) + " skipped - malformed line");
        }
        if (read.duplicates != 0) {
            header.notes.push_back(detail::grouped(read.duplicates) + " duplicates passed over");
        }
        input = std::move(read);
    }

    /// Counts as they are kept.
    void set_buckets(std::vector<freshet::bucket> kept) {
        for (const auto& each : kept) { records += each.width == kept.front().width ? each.count : 0; }
        buckets = std::move(kept);
    }

    /// By reason: of the lines, and of what was found in the table.
    [[nodiscard]] auto skipped() const -> std::map<skip_reason, std::uint64_t> {
        auto all = input.skipped;
        const auto add = [&all](std::uint64_t no_timestamp, std::uint64_t bad_timestamp) {
            if (no_timestamp != 0) { all[skip_reason::no_timestamp] += no_timestamp; }
            if (bad_timestamp != 0) { all[skip_reason::bad_timestamp] += bad_timestamp; }
        };
        for (const auto& each : series) {
            if (each.steps != 2) { add(each.no_timestamp, each.bad_timestamp); } // else they are of the lines
        }
        add(beside.no_timestamp, beside.bad_timestamp);
        return all;
    }
    /// The code that it ends the program with.
    [[nodiscard]] auto code() const -> exit_code {
        if (!checked()) { return check_failed; }
        const auto failed = [](const series_log& each) { return each.fault.has_value(); };
        const auto first = std::find_if(series.begin(), series.end(), failed);
        if (first == series.end()) { return skipped().empty() ? all_well : some_failed; }
        return std::all_of(series.begin(), series.end(), failed) ? code_of_failure(*first->fault) : some_failed;
    }
    [[nodiscard]] auto checked() const -> bool {
        return std::all_of(series.begin(), series.end(), [](const auto& each) { return !each.check_failed; });
    }
};

namespace detail {

[[nodiscard]] inline auto instant_text(freshet::time_point at) -> std::string {
    const auto text = freshet::format_rfc3339(at, 0);
    return text ? std::string{text->view()} : std::string{};
}

} // namespace detail

/// Buckets as JSON: widths in minutes, times in UTC.
[[nodiscard]] inline auto as_json(std::span<const freshet::bucket> buckets) -> json {
    auto all = json::array();
    for (const auto& each : buckets) {
        all.push_back({{"minutes", std::chrono::floor<std::chrono::minutes>(each.width).count()},
                       {"start", detail::instant_text(each.start)},
                       {"end", detail::instant_text(each.end())},
                       {"count", each.count}});
    }
    return all;
}

[[nodiscard]] inline auto as_json(const outcome& of) -> json {
    auto skipped = json::object();
    for (const auto& [why, times] : of.skipped()) { skipped[std::string{name_of(why)}] = times; }
    return {{"window",
             {{"start", detail::instant_text(of.header.window.start)},
              {"end", detail::instant_text(of.header.window.end)}}},
            {"records", of.records},
            {"skipped", std::move(skipped)},
            {"duplicates", of.input.duplicates},
            {"cross_check", of.checked()},
            {"buckets", as_json(of.buckets)}};
}

/// The whole log block.
[[nodiscard]] inline auto as_text(const outcome& of) -> std::string {
    auto text = header_text(of.header);
    for (const auto& each : of.series) { text += series_text(each); }
    return text + footer_text(of.series);
}

} // namespace metrics
