#pragma once

#include <stop_token>
#include <utility>

#include <freshet/backend/clock.hpp>
#include <freshet/core/time.hpp>
#include <freshet/work/wall_clock.hpp>

namespace support {

/// The machine's clock, put forward or back.
class shifted_clock {
public:
    using is_shareable = void;

    explicit shifted_clock(freshet::duration by = {}) noexcept : by_{by} {}

    [[nodiscard]] auto now() const noexcept -> freshet::time_point { return clock_.now() + by_; }
    [[nodiscard]] auto wait(freshet::duration span, std::stop_token stop) const -> bool {
        return clock_.wait(span, std::move(stop));
    }

private:
    freshet::wall_clock clock_;
    freshet::duration by_;
};

static_assert(freshet::timer<shifted_clock>);

} // namespace support
