#pragma once

#include <csignal>
#include <ctime>
#include <stop_token>
#include <thread>

namespace support {

/// Turns SIGTERM and SIGINT into a stop. Made before any other thread.
class stop_on_signal {
public:
    stop_on_signal() {
        sigemptyset(&awaited_);
        sigaddset(&awaited_, SIGTERM);
        sigaddset(&awaited_, SIGINT);
        pthread_sigmask(SIG_BLOCK, &awaited_, nullptr);
        waiter_ = std::jthread{[this](const std::stop_token& over) {
            const timespec glance{0, 50'000'000};
            while (!over.stop_requested()) {
                if (sigtimedwait(&awaited_, nullptr, &glance) > 0) { stop_.request_stop(); }
            }
        }};
    }

    [[nodiscard]] auto token() const noexcept -> std::stop_token { return stop_.get_token(); }

private:
    sigset_t awaited_{};
    std::stop_source stop_;
    std::jthread waiter_;
};

} // namespace support
