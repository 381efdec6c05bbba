#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include <freshet/core/parsed.hpp>
#include <freshet/core/time.hpp>

namespace freshet {

/// How many widths a ladder has at most.
inline constexpr std::size_t most_widths = 8;

/// How many of a ladder's finest buckets its widest holds at most: a counter keeps that many together in memory.
inline constexpr std::int64_t most_finest_in_widest = 1'048'576;

/// An `L` names widths of buckets, from the finest on, each a multiple of the one before.
///
/// Level 0 is the finest. `width(level)` is asked of levels before `size()` only.
template <class L>
concept bucket_ladder = std::equality_comparable<L> && requires(const L& l, std::size_t level) {
    { l.size() } -> std::same_as<std::size_t>;
    { l.width(level) } -> std::same_as<duration>;
    { l.widths() } -> std::same_as<std::span<const duration>>;
    { l.finest() } -> std::same_as<duration>;
    { l.widest() } -> std::same_as<duration>;
};

/// Refuses to compile two neighbouring widths of a ladder that do not fit; both are its template arguments.
template <unsigned Width, unsigned Next>
struct width_divides_the_next {
    static_assert(Width == 0 || (Next > Width && Next % Width == 0),
                  "each width of a ladder divides the next one, which is greater");
    static constexpr bool value = true;
};

/// Whether each of these widths divides the next; does not compile otherwise.
template <unsigned Width, unsigned... Wider>
inline constexpr bool widths_divide = true;
template <unsigned Width, unsigned Next, unsigned... Wider>
inline constexpr bool widths_divide<Width, Next, Wider...> =
    width_divides_the_next<Width, Next>::value&& widths_divide<Next, Wider...>;

/// Widths in minutes, checked and known at compile time: counting by them divides by constants.
template <unsigned Finest, unsigned... Wider>
struct minutes_ladder {
    static_assert(((Finest > 0) && ... && (Wider > 0)), "a width of a ladder is at least a minute");
    static_assert(widths_divide<Finest, Wider...>);
    static_assert(sizeof...(Wider) < most_widths, "a ladder has at most 8 widths");

    [[nodiscard]] static constexpr auto size() noexcept -> std::size_t { return all.size(); }
    [[nodiscard]] static constexpr auto width(std::size_t level) noexcept -> duration { return all[level]; }
    [[nodiscard]] static constexpr auto widths() noexcept -> std::span<const duration> { return all; }
    [[nodiscard]] static constexpr auto finest() noexcept -> duration { return all.front(); }
    [[nodiscard]] static constexpr auto widest() noexcept -> duration { return all.back(); }
    friend constexpr auto operator==(const minutes_ladder&, const minutes_ladder&) -> bool = default;

private:
    static constexpr std::array<duration, 1 + sizeof...(Wider)> all{std::chrono::minutes{Finest},
                                                                    std::chrono::minutes{Wider}...};
    static_assert(all.back().count() / all.front().count() <= most_finest_in_widest,
                  "the widest bucket of a ladder holds at most 1048576 of the finest");
};

/// 1, 5, 15 and 60 minutes.
using hour_ladder = minutes_ladder<1, 5, 15, 60>;

/// Widths that are known at run time, of any whole number of microseconds.
class ladder {
public:
    /// As `hour_ladder`.
    constexpr ladder() = default;

    /// The ladder of these widths; the offset of a fault is the index of the first width that does not fit.
    ///
    /// 1 to 8 widths, ascending from the finest on, each a multiple of the one before. The widest holds at most
    /// 1,048,576 of the finest: seconds in a week fit.
    [[nodiscard]] static constexpr auto of(std::span<const duration> widths) -> parsed<ladder> {
        if (widths.empty()) { return parse_fault{0, "a ladder has at least one width"}; }
        ladder made;
        made.size_ = 0;
        made.widths_ = {};
        for (const auto width : widths) {
            const auto at = made.size_;
            if (at == most_widths) { return parse_fault{at, "a ladder has at most 8 widths"}; }
            if (width <= duration::zero()) { return parse_fault{at, "a width is at least a microsecond"}; }
            if (at > 0 && (width <= made.widest() || width % made.widest() != duration::zero())) {
                return parse_fault{at, "each width of a ladder divides the next one, which is greater"};
            }
            if (at > 0 && width / made.finest() > most_finest_in_widest) {
                return parse_fault{at, "the widest bucket of a ladder holds at most 1048576 of the finest"};
            }
            made.widths_[made.size_++] = width;
        }
        return made;
    }

    [[nodiscard]] constexpr auto size() const noexcept -> std::size_t { return size_; }
    [[nodiscard]] constexpr auto width(std::size_t level) const noexcept -> duration { return widths_[level]; }
    [[nodiscard]] constexpr auto widths() const noexcept -> std::span<const duration> {
        return {widths_.data(), size_};
    }
    [[nodiscard]] constexpr auto finest() const noexcept -> duration { return widths_[0]; }
    [[nodiscard]] constexpr auto widest() const noexcept -> duration { return widths_[size_ - 1]; }
    friend constexpr auto operator==(const ladder&, const ladder&) -> bool = default;

private:
    std::array<duration, most_widths> widths_{hour_ladder::width(0), hour_ladder::width(1), hour_ladder::width(2),
                                              hour_ladder::width(3)};
    std::size_t size_{4};
};

} // namespace freshet
