#pragma once

#include <algorithm>
#include <compare>
#include <limits>

#include <freshet/core/time.hpp>

namespace freshet {

/// The instant from which on it is too late; a value without a clock of its own.
///
/// Instants beyond the time scale's end are its end, and nothing here overflows. The sooner of two is `std::min(a, b)`.
class deadline {
public:
    [[nodiscard]] static constexpr auto at(time_point when) noexcept -> deadline { return deadline{when}; }
    /// `span` from now on; already passed where that is zero or less.
    [[nodiscard]] static constexpr auto in(duration span, time_point now) noexcept -> deadline {
        using limits = std::numeric_limits<duration::rep>;
        const auto from = now.time_since_epoch().count();
        if (span.count() > 0 && from > limits::max() - span.count()) { return never(); }
        if (span.count() < 0 && from < limits::min() - span.count()) { return deadline{time_point::min()}; }
        return deadline{now + span};
    }
    /// It is never too late.
    [[nodiscard]] static constexpr auto never() noexcept -> deadline { return deadline{time_point::max()}; }

    /// The instant itself; `time_point::max()` for never.
    [[nodiscard]] constexpr auto when() const noexcept -> time_point { return at_; }
    [[nodiscard]] constexpr auto passed(time_point now) const noexcept -> bool { return is_set() && now >= at_; }
    /// Zero once it has passed; `duration::max()` for never.
    [[nodiscard]] constexpr auto remaining(time_point now) const noexcept -> duration {
        if (passed(now)) { return duration::zero(); }
        const auto from = now.time_since_epoch().count();
        const auto most = std::numeric_limits<duration::rep>::max() + std::min<duration::rep>(from, 0);
        if (!is_set() || at_.time_since_epoch().count() > most) { return duration::max(); }
        return at_ - now;
    }
    /// Whether what takes `cost` and starts now ends before the deadline.
    [[nodiscard]] constexpr auto allows(duration cost, time_point now) const noexcept -> bool {
        return !is_set() || (!passed(now) && cost < remaining(now));
    }

    friend constexpr auto operator<=>(const deadline&, const deadline&) noexcept -> std::strong_ordering = default;

private:
    explicit constexpr deadline(time_point when) noexcept : at_{when} {}
    [[nodiscard]] constexpr auto is_set() const noexcept -> bool { return at_ != time_point::max(); }

    time_point at_;
};

} // namespace freshet
