#pragma once

#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>

namespace freshet {

/// The instants in `[start, end)` at which a schedule fires, ascending: a range that finds each as it is asked for.
///
/// Keeps a copy of the schedule; its iterators point into it, so that it outlives them.
template <class Schedule>
class fire_times {
public:
    constexpr fire_times(Schedule schedule, time_range range) : schedule_{std::move(schedule)}, range_{range} {}

    class iterator {
    public:
        using value_type = time_point;
        using difference_type = std::ptrdiff_t;

        constexpr iterator() = default;

        [[nodiscard]] constexpr auto operator*() const -> time_point { return *at_; }
        constexpr auto operator++() -> iterator& {
            at_ = of_->after(*at_);
            return *this;
        }
        constexpr auto operator++(int) -> iterator {
            const auto before = *this;
            ++*this;
            return before;
        }
        friend constexpr auto operator==(const iterator& a, const iterator& b) -> bool { return a.at_ == b.at_; }
        friend constexpr auto operator==(const iterator& a, std::default_sentinel_t) -> bool { return !a.at_; }

    private:
        friend fire_times;
        constexpr iterator(const fire_times& of, std::optional<time_point> at) : of_{&of}, at_{at} {}

        const fire_times* of_{};
        std::optional<time_point> at_{};
    };

    [[nodiscard]] constexpr auto begin() const -> iterator {
        const auto start = range_.start;
        return {*this, after(start == time_point::min() ? start : start - duration{1})};
    }
    [[nodiscard]] constexpr auto end() const noexcept -> std::default_sentinel_t { return {}; }
    [[nodiscard]] constexpr auto empty() const -> bool { return begin() == end(); }

private:
    [[nodiscard]] constexpr auto after(time_point at) const -> std::optional<time_point> {
        const auto next = schedule_.next(at);
        return next && *next < range_.end ? next : std::nullopt;
    }

    Schedule schedule_;
    time_range range_;
};

} // namespace freshet
