#pragma once

#include <concepts>
#include <cstdint>
#include <string>

#include <freshet/backend/series_key.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time_range.hpp>

namespace freshet {

/// A record as a source lists it for counting.
struct listed_record {
    std::string id;         ///< one record, one id
    std::string created_at; ///< as the source has it; empty: it has none
    friend auto operator==(const listed_record&, const listed_record&) -> bool = default;
};

/// What a reader may count on about the order of a source's records.
enum class record_order : std::uint8_t {
    any,
    by_time, ///< by the whole second of `created_at`, ascending; the records of one second in any order
};

/// A `record_source` lists the records of a series by the time at which they were made.
///
/// Laws:
///  1. `list(series, range, request)`, from its first page to the one without a `next`, gives every record of the
///     series whose `created_at` lies in the range and that is there all the time, at least once. It may give others,
///     of other times or with a `created_at` that cannot be read: a reader passes over them. A record that is written or
///     removed meanwhile may be in it or not.
///  2. With `order == by_time`, records that can be read come in that order, also from page to page.
///  3. Pages are as a `table`'s: only an absent `next` ends the list, an empty page does not, and what is no token of
///     this source is `malformed`. A source reads page by page: no more than one is in memory.
/// Reads see every write that ended before they began, unless the source says otherwise of itself: one that lags counts
/// a change only when a later run does.
template <class S>
concept record_source =
    requires(S& s, const series_key& series, const time_range& range, const page_request& request) {
        { S::order } -> std::convertible_to<record_order>;
        { s.list(series, range, request) } -> std::same_as<result<page<listed_record>>>;
    };

} // namespace freshet
