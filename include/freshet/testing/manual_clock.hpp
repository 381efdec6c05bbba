#pragma once

#include <atomic>
#include <stop_token>

#include <freshet/backend/clock.hpp>
#include <freshet/core/time.hpp>

namespace freshet::testing {

/// A timer that moves only when told to; waiting on it moves it.
class manual_clock {
public:
    using is_shareable = void;

    /// Starts in the year 2025, so that an instant of zero is long gone.
    explicit manual_clock(time_point start = time_point{std::chrono::seconds{1'736'936'000}}) noexcept
        : ticks_{start.time_since_epoch().count()} {}

    [[nodiscard]] auto now() const noexcept -> time_point { return time_point{duration{ticks_.load()}}; }
    void advance(duration by) noexcept { ticks_ += by.count(); }

    /// Moves on by `span` at once, unless a stop was asked for.
    [[nodiscard]] auto wait(duration span, const std::stop_token& stop) noexcept -> bool {
        if (stop.stop_requested()) { return false; }
        if (span > duration::zero()) { advance(span); }
        return true;
    }

private:
    std::atomic<duration::rep> ticks_;
};

static_assert(timer<manual_clock>);

} // namespace freshet::testing
