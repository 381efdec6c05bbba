#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/backend/bucket_sink.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>

namespace adapters {

// What every bucket_sink asks of a run's counts. Blocks are told apart by their widest width, so that ladders of one
// series that share a width must share the widest, too: a bucket lies in one block.

/// How many whole buckets of this width the range has, however far apart its ends are.
[[nodiscard]] constexpr auto buckets_in(const freshet::time_range& range, freshet::duration width) -> std::size_t {
    if (range.empty()) { return 0; }
    const auto ticks = [](freshet::time_point at) { return static_cast<std::uint64_t>(at.time_since_epoch().count()); };
    return (ticks(range.end) - ticks(range.start)) / static_cast<std::uint64_t>(width.count());
}
[[nodiscard]] inline auto buckets_in(const freshet::time_range& range, std::span<const freshet::duration> widths)
    -> std::size_t {
    std::size_t all = 0;
    for (const auto width : widths) { all += buckets_in(range, width); }
    return all;
}

/// Those of this width that begin in the range; `all` ascend by width, then by start.
[[nodiscard]] inline auto part_of(std::span<const freshet::bucket> all, freshet::duration width,
                                  const freshet::time_range& range) -> std::span<const freshet::bucket> {
    if (range.empty()) { return {}; }
    const auto first_from = [&](freshet::time_point start) {
        return std::partition_point(all.begin(), all.end(), [&](const freshet::bucket& each) {
            return std::pair{each.width, each.start} < std::pair{width, start};
        });
    };
    return {first_from(range.start), first_from(range.end)};
}

/// What makes `had` into `found`, both of one width and ascending: counts to write, 0 for one to remove.
[[nodiscard]] inline auto changed_buckets(std::span<const freshet::bucket> had, std::span<const freshet::bucket> found)
    -> std::vector<freshet::bucket> {
    std::vector<freshet::bucket> changed;
    auto old = had.begin();
    const auto is_gone = [&](const freshet::bucket& each) { changed.push_back({each.width, each.start, 0}); };
    for (const auto& each : found) {
        for (; old != had.end() && old->start < each.start; ++old) { is_gone(*old); }
        const bool known = old != had.end() && old->start == each.start;
        if (each.count != (known ? old->count : 0)) { changed.push_back(each); }
        old += known ? 1 : 0;
    }
    std::for_each(old, had.end(), is_gone);
    return changed;
}

/// `malformed` where a run's counts have not the shape that a bucket_sink takes: at least one width, widths that ascend
/// and divide each other, a range of whole widest buckets, and buckets that are of these widths, lie in it whole, and
/// ascend by width, then by start. A bucket that is named with no record is as one that is not named.
[[nodiscard]] inline auto check_recounted(const freshet::recounted& found) -> freshet::result<void> {
    const auto malformed = [](std::string_view what, freshet::duration width, std::string_view why) {
        return freshet::error{freshet::errc::malformed, "recounted: " + std::string{what} + " of " +
                                                            std::to_string(width.count()) + " us " + std::string{why}};
    };
    const auto is_whole = [](freshet::time_point at, freshet::duration width) {
        return at.time_since_epoch() % width == freshet::duration::zero();
    };
    const auto& widths = found.widths;
    if (widths.empty()) { return freshet::error{freshet::errc::malformed, "recounted: no widths"}; }
    for (std::size_t i = 0; i != widths.size(); ++i) {
        if (widths[i] <= freshet::duration::zero()) { return malformed("a width", widths[i], "is none"); }
        if (i == 0) { continue; }
        if (widths[i] <= widths[i - 1]) { return malformed("a width", widths[i], "is not above the one before it"); }
        if (widths[i] % widths[i - 1] != freshet::duration::zero()) {
            return malformed("a width", widths[i], "is not divided by the one before it");
        }
    }
    if (!is_whole(found.range.start, widths.back()) || !is_whole(found.range.end, widths.back())) {
        return malformed("a range", widths.back(), "buckets does not begin and end with one");
    }
    const freshet::bucket* before = nullptr;
    for (const auto& each : found.buckets) {
        if (!std::binary_search(widths.begin(), widths.end(), each.width)) {
            return malformed("a bucket", each.width, "is of none of the widths");
        }
        if (!is_whole(each.start, each.width)) { return malformed("a bucket", each.width, "begins within one"); }
        if (!found.range.contains(each.start)) { return malformed("a bucket", each.width, "is out of the range"); }
        if (before != nullptr && std::pair{before->width, before->start} >= std::pair{each.width, each.start}) {
            return malformed("a bucket", each.width, "is not behind the one before it");
        }
        before = &each;
    }
    return {};
}

} // namespace adapters
