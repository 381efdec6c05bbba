#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <freshet/backend/series_key.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>

namespace freshet {

/// How many records of a series were made from `start` on and before `start + width`.
///
/// `start` is a whole multiple of the width, counted from 1970.
struct bucket {
    duration width{};
    time_point start{};
    std::uint64_t count{};

    [[nodiscard]] constexpr auto end() const noexcept -> time_point { return start + width; }
    friend constexpr auto operator==(const bucket&, const bucket&) -> bool = default;
};

/// The place of a run among the runs of its series: of two, the one with the greater number began to read later.
struct run_ticket {
    std::uint64_t number{};
    friend constexpr auto operator==(const run_ticket&, const run_ticket&) -> bool = default;
};

/// What a run found in a range of time.
struct recounted {
    time_range range;             ///< of whole buckets of the last width
    std::vector<duration> widths; ///< ascending, each divides the next
    std::vector<bucket> buckets;  ///< those that are not empty, by width, then by start; all others of the range are
};

/// What became of a run's counts, in numbers of buckets; all together are those of its widths in its range.
struct replaced_counts {
    std::size_t written{};   ///< had another count
    std::size_t unchanged{}; ///< had this count already, and cost no write of their own
    std::size_t overtaken{}; ///< have the count of a later run
    friend auto operator==(const replaced_counts&, const replaced_counts&) -> bool = default;
};

/// A `bucket_sink` keeps the counts of series, and lets no older run undo what a later one found.
///
/// The widest buckets of a run are replaced each for itself, with all buckets that lie in it: together they are a block.
///
/// Laws:
///  1. `begin_run(series)` gives a ticket greater than every one of that series that was given before, to whomever, also
///     where the answer was lost. None is given twice.
///  2. After `replace(series, found, ticket)`, `read` gives the found count of every bucket of these widths in the range;
///     those that are not named among the found, or named with 0, are empty. Other widths, times and series are as they
///     were. A range that is not of whole widest buckets, widths that do not ascend and divide each other, and buckets
///     that do not fit them, are out of order or named twice, are `malformed`, and change nothing. An empty range
///     replaces nothing.
///  3. A block that a run with a greater ticket has replaced stays as it is, also where that run found nothing to
///     change there: it counts as overtaken, and the call succeeds. The same ticket may replace again.
///  4. A block is replaced in one step: no reader, no other run and no failure comes between its buckets. Blocks may be
///     replaced one after the other: a failed call may have replaced some of them. It may be repeated.
///  5. The count of a bucket that has it already is not written again.
///  6. `read(series, range, width)` gives the buckets of that width that begin in the range and are not empty, ascending
///     by start. It sees every `replace` that ended before it began. What was never counted is not told from what is
///     empty.
/// Runs of a series whose widths have one in common have the widest in common, too; else what is read is not promised. A
/// sink over a service that cannot do one of these says which, where its type is documented.
template <class S>
concept bucket_sink = requires(S& s, const series_key& series, const time_range& range, duration width,
                               const recounted& found, const run_ticket& ticket) {
    { s.begin_run(series) } -> std::same_as<result<run_ticket>>;
    { s.replace(series, found, ticket) } -> std::same_as<result<replaced_counts>>;
    { s.read(series, range, width) } -> std::same_as<result<std::vector<bucket>>>;
};

} // namespace freshet
