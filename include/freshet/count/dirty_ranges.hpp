#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>
#include <freshet/count/window.hpp>

namespace freshet {

/// The times whose counts may be wrong, as ranges of whole buckets of one width: ascending, and none touches the next.
class dirty_ranges {
public:
    /// The width is positive: that of the widest buckets that are counted.
    explicit dirty_ranges(duration width) noexcept : width_{width} {}

    /// The bucket that holds this instant.
    void add(time_point at) { add(bucket_around(at, width_)); }
    /// Every bucket that the range touches.
    void add(const time_range& range) {
        const auto whole = aligned(range, width_);
        if (whole.empty()) { return; }
        const auto first = std::lower_bound(ranges_.begin(), ranges_.end(), whole.start,
                                            [](const time_range& each, time_point at) { return each.end < at; });
        const auto last = std::upper_bound(first, ranges_.end(), whole.end,
                                           [](time_point at, const time_range& each) { return at < each.start; });
        if (first == last) {
            ranges_.insert(first, whole);
            return;
        }
        first->start = std::min(first->start, whole.start);
        first->end = std::max((last - 1)->end, whole.end);
        ranges_.erase(first + 1, last);
    }
    void add(const dirty_ranges& others) {
        for (const auto& each : others.ranges_) { add(each); }
    }

    /// Keeps the buckets that `to` touches, and no others.
    void cut(const time_range& to) {
        const auto whole = aligned(to, width_);
        for (auto& each : ranges_) { each = {std::max(each.start, whole.start), std::min(each.end, whole.end)}; }
        ranges_.erase(std::remove_if(ranges_.begin(), ranges_.end(), [](const auto& each) { return each.empty(); }),
                      ranges_.end());
    }

    [[nodiscard]] auto ranges() const& noexcept -> std::span<const time_range> { return ranges_; }
    auto ranges() const&& = delete;
    [[nodiscard]] auto empty() const noexcept -> bool { return ranges_.empty(); }
    [[nodiscard]] auto width() const noexcept -> duration { return width_; }
    friend auto operator==(const dirty_ranges&, const dirty_ranges&) -> bool = default;

private:
    duration width_;
    std::vector<time_range> ranges_;
};

} // namespace freshet
