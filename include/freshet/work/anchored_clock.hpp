#pragma once

#include <chrono>
#include <ctime>

#include <freshet/backend/clock.hpp>
#include <freshet/core/time.hpp>

namespace freshet {

/// The time of day as it was when this was made, and from then on as much later as time has passed.
///
/// For what lives in one process: whoever sets the machine's clock makes nothing expire early, or never. Time that the
/// machine sleeps passes. Two of these, and other clocks, drift apart by as much as the machine's clock was set since.
class anchored_clock {
public:
    using is_shareable = void;

    anchored_clock() noexcept : start_{std::chrono::floor<duration>(std::chrono::system_clock::now()) - since_boot()} {}

    [[nodiscard]] auto now() const noexcept -> time_point { return start_ + since_boot(); }

private:
    // Linux's clock that counts the sleep too; std::chrono has none.
    [[nodiscard]] static auto since_boot() noexcept -> duration {
        std::timespec passed{};
        ::clock_gettime(CLOCK_BOOTTIME, &passed);
        return std::chrono::seconds{passed.tv_sec} +
               std::chrono::floor<duration>(std::chrono::nanoseconds{passed.tv_nsec});
    }

    time_point start_;
};

static_assert(clock<anchored_clock>);

} // namespace freshet
