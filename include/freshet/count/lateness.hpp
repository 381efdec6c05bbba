#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <freshet/core/time.hpp>

namespace freshet {

/// How long after they were made records are seen, in 976 counters: what it says is never too short, and at most a
/// sixteenth too long.
///
/// A copyable value without locks: threads observe for themselves and `merge`.
class lateness_histogram {
public:
    /// A record that is seen before it was made, as clocks that disagree have it, is not late.
    void observe(time_point made_at, time_point seen_at) noexcept {
        const auto late = seen_at > made_at ? static_cast<std::uint64_t>(seen_at.time_since_epoch().count()) -
                                                  static_cast<std::uint64_t>(made_at.time_since_epoch().count())
                                            : 0;
        ++counts_[place_of(late)];
        ++observed_;
    }
    void merge(const lateness_histogram& other) noexcept {
        for (std::size_t i = 0; i != counts_.size(); ++i) { counts_[i] += other.counts_[i]; }
        observed_ += other.observed_;
    }

    [[nodiscard]] auto observed() const noexcept -> std::uint64_t { return observed_; }

    /// No shorter than the lateness of this share of the records (0 to 1); absent where none was observed.
    [[nodiscard]] auto quantile(double share) const -> std::optional<duration> {
        if (observed_ == 0) { return std::nullopt; }
        const auto part = std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(observed_));
        const auto wanted = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(part), 1, observed_);
        std::size_t place = 0;
        for (auto reached = counts_[0]; reached < wanted; reached += counts_[place]) { ++place; }
        return longest_in(place);
    }

    /// How many buckets of this width a `current_window` needs, so that at least this share of the records is in it at
    /// the moment at which it is seen, wherever in its bucket it was made. Zero where none was observed.
    [[nodiscard]] auto suggested_window(double share, duration width) const -> std::size_t {
        const auto late = quantile(share);
        if (!late) { return 0; }
        return 1 + static_cast<std::size_t>(*late / width) + (*late % width == duration::zero() ? 0 : 1);
    }

private:
    // Each power of two is split into 16: below 16 a place for each microsecond.
    static constexpr std::size_t parts = 16;
    static constexpr std::size_t places = parts * 61;

    [[nodiscard]] static constexpr auto place_of(std::uint64_t late) noexcept -> std::size_t {
        if (late < parts) { return static_cast<std::size_t>(late); }
        const auto shift = static_cast<std::size_t>(std::bit_width(late)) - 5;
        return shift * parts + static_cast<std::size_t>(late >> shift);
    }
    [[nodiscard]] static constexpr auto longest_in(std::size_t place) noexcept -> duration {
        if (place < 2 * parts) { return duration{static_cast<duration::rep>(place)}; }
        const auto shift = place / parts - 1;
        const auto next = static_cast<std::uint64_t>(place % parts + parts + 1);
        const auto most = static_cast<std::uint64_t>(duration::max().count());
        const auto longest = (next << shift) - 1;
        return duration{static_cast<duration::rep>(std::bit_width(next) + shift > 63 ? most : std::min(longest, most))};
    }

    std::array<std::uint64_t, places> counts_{};
    std::uint64_t observed_{};
};

} // namespace freshet
