#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
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
    explicit watched_queue(Queue queue, bool keeps_bodies = false)
        : queue_{std::move(queue)}, keeps_bodies_{keeps_bodies} {}

    [[nodiscard]] auto limits() const -> freshet::queue_limits { return queue_.limits(); }

    [[nodiscard]] auto send(std::span<const freshet::message_view> entries)
        -> freshet::result<std::vector<freshet::entry_refusal>> {
        auto answer = queue_.send(entries);
        if (!answer) {
            note(answer.why());
            return answer;
        }
        taken_ += entries.size() - std::min(entries.size(), answer->size());
        std::vector<bool> refused(entries.size());
        for (const auto& each : *answer) {
            if (each.retry_helps) { note(each.why); }
            if (each.entry < refused.size()) { refused[each.entry] = true; }
        }
        for (std::size_t i = 0; keeps_bodies_ && i != entries.size(); ++i) {
            if (!refused[i]) { bodies_.emplace_back(entries[i].body); }
        }
        return answer;
    }

    void forget() {
        taken_ = 0;
        trouble_.reset();
        bodies_.clear();
    }
    /// So many messages it took since the last `forget`.
    [[nodiscard]] auto taken() const noexcept -> std::size_t { return taken_; }
    /// The bodies of these messages, where it keeps them.
    [[nodiscard]] auto taken_bodies() const noexcept -> const std::vector<std::string>& { return bodies_; }
    /// What kept it from taking a message since then, and is not the message's fault.
    [[nodiscard]] auto trouble() const noexcept -> const std::optional<freshet::error>& { return trouble_; }

private:
    void note(const freshet::error& why) {
        using freshet::errc;
        if (why.code == errc::malformed || why.code == errc::too_large) { return; }
        if (why.code == errc::denied || !trouble_) { trouble_ = why; }
    }

    Queue queue_;
    bool keeps_bodies_;
    std::size_t taken_{};
    std::optional<freshet::error> trouble_;
    std::vector<std::string> bodies_;
};

} // namespace stream_to_fifo
