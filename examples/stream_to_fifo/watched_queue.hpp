#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <freshet/backend/message.hpp>
#include <freshet/backend/message_queue.hpp>
#include <freshet/core/result.hpp>

namespace stream_to_fifo {

/// A queue to send to that keeps in mind how it fared. Owns the queue.
template <class Queue>
class watched_queue {
public:
    explicit watched_queue(Queue queue) : queue_{std::move(queue)} {}

    [[nodiscard]] auto limits() const -> freshet::queue_limits { return queue_.limits(); }

    [[nodiscard]] auto send(std::span<const freshet::message_view> entries)
        -> freshet::result<std::vector<freshet::entry_refusal>> {
        auto answer = queue_.send(entries);
        if (!answer) {
            note(answer.why());
            return answer;
        }
        taken_ += entries.size() - std::min(entries.size(), answer->size());
        for (const auto& each : *answer) {
            if (each.retry_helps) { note(each.why); }
        }
        return answer;
    }

    void forget() {
        taken_ = 0;
        trouble_.reset();
    }
    /// So many messages it took since the last `forget`.
    [[nodiscard]] auto taken() const noexcept -> std::size_t { return taken_; }
    /// What kept it from taking a message since then, and is not the message's fault.
    [[nodiscard]] auto trouble() const noexcept -> const std::optional<freshet::error>& { return trouble_; }

private:
    void note(const freshet::error& why) {
        using freshet::errc;
        const bool passes = why.code == errc::unavailable || why.code == errc::throttled;
        if (why.code == errc::denied || (passes && !trouble_)) { trouble_ = why; }
    }

    Queue queue_;
    std::size_t taken_{};
    std::optional<freshet::error> trouble_;
};

} // namespace stream_to_fifo
