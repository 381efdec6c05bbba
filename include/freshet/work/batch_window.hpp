#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <freshet/core/time.hpp>
#include <freshet/work/deadline.hpp>

namespace freshet {

/// How much a batch collects, and how long its first item waits for others.
struct batch_limits {
    std::size_t items{100}; ///< 0 is read as 1
    std::size_t bytes{};    ///< 0: no limit
    duration window{std::chrono::seconds{5}};
};

/// What to do with the batch that is being collected.
struct window_verdict {
    enum class state : std::uint8_t {
        empty, ///< nothing to take
        open,  ///< more may come
        full,  ///< take it: no more fits
        due,   ///< take it: its first item has waited long enough
    };
    state is{state::empty};
    time_point until{}; ///< open: the instant from which on it is due

    [[nodiscard]] constexpr auto take() const noexcept -> bool { return is == state::full || is == state::due; }
    friend constexpr auto operator==(const window_verdict&, const window_verdict&) -> bool = default;
};

/// Counts what a batch has collected and says when it is to be taken; holds no items and no clock.
///
/// A copyable value. The driver asks `fits` before each item, adds it, asks `verdict`, and starts anew with `clear`
/// when it takes the batch. A clock that is set back makes the batch due at once, instead of late.
class batch_window {
public:
    constexpr batch_window() = default;
    explicit constexpr batch_window(const batch_limits& limits) noexcept : limits_{limits} {}

    /// Whether an item of so many bytes still belongs to this batch. The first always does, however large it is.
    [[nodiscard]] constexpr auto fits(std::size_t bytes) const noexcept -> bool {
        return items_ == 0 || (!full() && (limits_.bytes == 0 || bytes <= room()));
    }

    constexpr void add(std::size_t bytes, time_point now) noexcept {
        if (items_++ == 0) { first_at_ = now; }
        bytes_ += std::min(bytes, std::numeric_limits<std::size_t>::max() - bytes_);
    }

    [[nodiscard]] constexpr auto verdict(time_point now) const noexcept -> window_verdict {
        using state = window_verdict::state;
        if (items_ == 0) { return {}; }
        if (full()) { return {state::full}; }
        const auto due = deadline::in(limits_.window, first_at_);
        if (due.passed(now) || now < first_at_) { return {state::due}; }
        return {state::open, due.when()};
    }

    constexpr void clear() noexcept { items_ = bytes_ = 0; }

    [[nodiscard]] constexpr auto items() const noexcept -> std::size_t { return items_; }
    [[nodiscard]] constexpr auto bytes() const noexcept -> std::size_t { return bytes_; }

private:
    [[nodiscard]] constexpr auto full() const noexcept -> bool {
        return items_ >= limits_.items || (limits_.bytes != 0 && room() == 0);
    }
    [[nodiscard]] constexpr auto room() const noexcept -> std::size_t {
        return limits_.bytes - std::min(limits_.bytes, bytes_);
    }

    batch_limits limits_{};
    std::size_t items_{};
    std::size_t bytes_{};
    time_point first_at_{};
};

} // namespace freshet
