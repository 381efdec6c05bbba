#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

#include <freshet/backend/clock.hpp>
#include <freshet/core/time.hpp>

namespace freshet {

/// The machine's time of day, and real waiting. The time steps when the machine's clock is set; waits do not.
class wall_clock {
public:
    using is_shareable = void;

    /// Cut to whole microseconds, never rounded up.
    [[nodiscard]] auto now() const noexcept -> time_point {
        return std::chrono::floor<duration>(std::chrono::system_clock::now());
    }

    /// A wait of more than a hundred years is one of a hundred years.
    [[nodiscard]] auto wait(duration span, std::stop_token stop) const -> bool {
        constexpr duration longest = std::chrono::years{100}; // an instant in nanoseconds overflows after 292
        if (span > duration::zero()) {
            std::mutex unshared;
            std::unique_lock lock{unshared};
            std::condition_variable_any never_notified;
            never_notified.wait_for(lock, stop, std::min(span, longest), [] { return false; });
        }
        return !stop.stop_requested();
    }
};

static_assert(timer<wall_clock>);

} // namespace freshet
