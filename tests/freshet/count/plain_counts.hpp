#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/backend/bucket_sink.hpp>
#include <freshet/backend/series_key.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>

namespace count_bench {

using namespace std::chrono_literals;

[[nodiscard]] inline auto at(std::string_view text) -> freshet::time_point {
    return freshet::parse_rfc3339(text).value();
}

[[nodiscard]] inline auto text(freshet::time_point when) -> std::string {
    return std::string{freshet::format_rfc3339(when, 6).value().view()};
}

/// What a sink has for the series in these widths, from the year 1900 to 2100.
template <class Sink>
[[nodiscard]] auto all_counts(Sink& sink, const freshet::series_key& series, std::span<const freshet::duration> widths)
    -> std::vector<freshet::bucket> {
    std::vector<freshet::bucket> all;
    for (const auto width : widths) {
        for (const auto& each :
             sink.read(series, {at("1900-01-01T00:00:00Z"), at("2100-01-01T00:00:00Z")}, width).value()) {
            all.push_back(each);
        }
    }
    return all;
}

/// What the records say, counted as plainly as can be.
[[nodiscard]] inline auto naive_counts(const std::vector<freshet::time_point>& records,
                                       std::span<const freshet::duration> widths) -> std::vector<freshet::bucket> {
    std::map<std::pair<freshet::duration, freshet::time_point>, std::uint64_t> counts;
    for (const auto record : records) {
        for (const auto width : widths) {
            auto start = record - record.time_since_epoch() % width;
            if (start > record) { start -= width; }
            ++counts[{width, start}];
        }
    }
    std::vector<freshet::bucket> all;
    for (const auto& [place, count] : counts) { all.push_back({place.first, place.second, count}); }
    return all;
}

} // namespace count_bench
