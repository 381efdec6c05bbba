#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <freshet/backend/bucket_sink.hpp>
#include <freshet/core/time_range.hpp>

namespace metrics {

/// The counts of a range as a row of at most `columns` blocks, each as high as its count beside the largest one; zero,
/// and nothing else, is a blank. Where the range has more buckets than that, each block is of as many as it takes.
///
/// The buckets are all of one width, and whatever is not named is empty.
[[nodiscard]] inline auto sparkline(std::span<const freshet::bucket> buckets, const freshet::time_range& range,
                                    std::size_t columns) -> std::string {
    constexpr std::array<std::string_view, 9> blocks{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    if (buckets.empty() || range.empty() || columns == 0) { return {}; }
    const auto width = buckets.front().width;
    const auto all = static_cast<std::size_t>((range.end - range.start + width - freshet::duration{1}) / width);
    const auto together = (all + columns - 1) / columns;
    std::vector<std::uint64_t> sums((all + together - 1) / together);
    for (const auto& each : buckets) {
        if (!range.contains(each.start)) { continue; }
        sums[static_cast<std::size_t>((each.start - range.start) / width) / together] += each.count;
    }
    const auto most = *std::max_element(sums.begin(), sums.end());
    std::string row;
    for (const auto sum : sums) {
        const auto eighths = most == 0 ? 0.0 : 8.0 * static_cast<double>(sum) / static_cast<double>(most);
        row += blocks[sum == 0 ? 0 : std::clamp<std::size_t>(static_cast<std::size_t>(eighths + 0.5), 1, 8)];
    }
    return row;
}

/// A row a width, each with its name before it and at most `columns` wide.
[[nodiscard]] inline auto sparklines(std::span<const freshet::bucket> buckets, const freshet::time_range& range,
                                     std::size_t columns) -> std::string {
    std::string text;
    while (!buckets.empty()) {
        const auto width = buckets.front().width;
        const auto other =
            std::find_if(buckets.begin(), buckets.end(), [&](const auto& each) { return each.width != width; });
        const auto level = buckets.first(static_cast<std::size_t>(other - buckets.begin()));
        const auto name = fmt::format("{}min", std::chrono::floor<std::chrono::minutes>(width).count());
        text += fmt::format("{:>9} {}\n", name, sparkline(level, range, columns - std::min<std::size_t>(columns, 10)));
        buckets = buckets.subspan(level.size());
    }
    return text;
}

} // namespace metrics
