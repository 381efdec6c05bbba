#pragma once

#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include <freshet/cache/freshness.hpp>
#include <freshet/core/time.hpp>

namespace freshet {

/// The scans of one table that callers share: at most one runs, and at most one is the next. Has no lock of its own.
template <class Outcome>
class scan_flights {
public:
    struct flight {
        time_point began_at{};
        bool overtaken{}; ///< the table was invalidated since it began
        bool over{};
        std::optional<Outcome> outcome{}; ///< absent when it is over: its caller went away
        std::thread::id leader{};
    };

    /// The scan for one who asks now: the next one; or one that began at most `join_window` before, if that is not
    /// zero.
    [[nodiscard]] auto board(time_point asked_at, duration join_window) -> std::shared_ptr<flight> {
        if (running_ && !running_->overtaken && join_window > duration::zero() && running_->began_at <= asked_at &&
            detail::span_between(running_->began_at, asked_at) <= join_window) {
            return running_;
        }
        if (!next_) { next_ = std::make_shared<flight>(); }
        return next_;
    }
    /// The next scan begins, led by this thread; none runs.
    void begin(time_point now) {
        next_->began_at = now;
        next_->leader = std::this_thread::get_id();
        running_ = std::exchange(next_, nullptr);
    }
    /// What runs answers only those who share it already.
    void overtake() {
        if (running_) { running_->overtaken = true; }
    }
    void end() {
        running_->over = true;
        running_.reset();
    }

    [[nodiscard]] auto busy() const noexcept -> bool { return running_ != nullptr; }
    [[nodiscard]] auto led_by(std::thread::id thread) const noexcept -> bool {
        return running_ && running_->leader == thread;
    }

private:
    std::shared_ptr<flight> running_;
    std::shared_ptr<flight> next_;
};

} // namespace freshet
