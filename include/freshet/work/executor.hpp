#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <thread>
#include <vector>

#include <freshet/backend/executor.hpp>

namespace freshet {

/// Runs tasks one after the other, in their order, on the calling thread.
class inline_executor {
public:
    using is_shareable = void;

    template <class Body>
    void each(std::size_t n, Body&& body) const {
        for (std::size_t i = 0; i < n; ++i) { body(i); }
    }
};

/// Runs tasks on the calling thread and up to `workers - 1` others, which live for one call.
///
/// Each thread takes the next task when it is done with one. Where a thread cannot be started, those that were and the
/// caller do its share.
class thread_executor {
public:
    using is_shareable = void;

    explicit thread_executor(unsigned workers) noexcept : workers_{workers} {}

    template <class Body>
    void each(std::size_t n, Body&& body) const {
        std::atomic<std::size_t> next{0};
        const auto drain = [&] {
            for (auto i = next++; i < n; i = next++) { body(i); }
        };
        std::vector<std::jthread> crew; // joined before `next` and `drain` go
        try {
            for (unsigned w = 1; w < workers_ && w < n; ++w) { crew.emplace_back(drain); }
        } catch (const std::exception&) {
            // No thread or no memory for it: fewer workers.
        }
        drain();
    }

private:
    unsigned workers_;
};

static_assert(executor<inline_executor> && executor<thread_executor>);

} // namespace freshet
