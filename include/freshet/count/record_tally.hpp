#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include <freshet/backend/record_source.hpp>
#include <freshet/core/parsed.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>
#include <freshet/count/bucket_counter.hpp>
#include <freshet/count/cross_check.hpp>
#include <freshet/count/id_set.hpp>

namespace freshet {

/// What a tally did about a record.
enum class record_fate : std::uint8_t {
    counted,
    outside,       ///< of a time that is not asked for
    duplicate,     ///< its id was there before; the first counts, whatever became of it
    no_timestamp,  ///< skipped: there is no text
    bad_timestamp, ///< skipped: the text is no RFC 3339 date-time
    out_of_order,  ///< before the second of the last one, of a source that lists by time: nothing was done
};

/// The fate's name as it stands in the enumeration, for logs.
[[nodiscard]] constexpr auto name_of(record_fate fate) noexcept -> std::string_view {
    switch (fate) {
        case record_fate::counted: return "counted";
        case record_fate::outside: return "outside";
        case record_fate::duplicate: return "duplicate";
        case record_fate::no_timestamp: return "no_timestamp";
        case record_fate::bad_timestamp: return "bad_timestamp";
        case record_fate::out_of_order: return "out_of_order";
    }
    return "unknown";
}

/// Why records were not counted, by reason.
struct skipped_records {
    std::uint64_t no_timestamp{};
    std::uint64_t bad_timestamp{};

    [[nodiscard]] constexpr auto total() const noexcept -> std::uint64_t { return no_timestamp + bad_timestamp; }
    friend constexpr auto operator==(const skipped_records&, const skipped_records&) -> bool = default;
};

struct tally_verdict {
    record_fate fate{};
    parse_fault why{}; ///< of a `bad_timestamp`

    [[nodiscard]] constexpr auto skipped() const noexcept -> bool {
        return fate == record_fate::no_timestamp || fate == record_fate::bad_timestamp;
    }
};

/// Counts each record of a range of time once, however often it is listed; a value without I/O.
///
/// Listed by time, a record repeats within its second, and only that second's ids are remembered (those of skipped
/// records with them); in any other order all ids are. A record whose time is not known is never counted as of another
/// one. The counter is what `bucket_counter` is, and comes empty.
template <class Counter = bucket_counter<>>
class record_tally {
public:
    record_tally(const time_range& within, record_order order, Counter empty = Counter{})
        : within_{within}, order_{order}, counter_{std::move(empty)} {}

    auto add(std::string_view id, std::string_view created_at) -> tally_verdict {
        if (created_at.empty()) { return skip(id, {record_fate::no_timestamp}, skipped_.no_timestamp); }
        const auto at = parse_rfc3339(created_at);
        if (!at) { return skip(id, {record_fate::bad_timestamp, at.fault()}, skipped_.bad_timestamp); }
        if (order_ == record_order::by_time) {
            const auto second = std::chrono::floor<std::chrono::seconds>(*at);
            if (second_ && second < *second_) { return {record_fate::out_of_order}; }
            if (second_ != second) { ids_.clear(); }
            second_ = second;
        }
        if (is_repeat(id)) { return {record_fate::duplicate}; }
        if (!within_.contains(*at)) {
            ++outside_;
            return {record_fate::outside};
        }
        counter_.add(*at);
        witness_.add(*at);
        return {record_fate::counted};
    }

    [[nodiscard]] auto counter() const noexcept -> const Counter& { return counter_; }
    /// Saw each counted record beside the counter.
    [[nodiscard]] auto witness() const noexcept -> const record_witness& { return witness_; }
    [[nodiscard]] auto within() const noexcept -> const time_range& { return within_; }
    [[nodiscard]] auto outside() const noexcept -> std::uint64_t { return outside_; }
    [[nodiscard]] auto duplicates() const noexcept -> std::uint64_t { return duplicates_; }
    [[nodiscard]] auto skipped() const noexcept -> const skipped_records& { return skipped_; }
    /// How many ids were remembered at most.
    [[nodiscard]] auto ids_kept() const noexcept -> std::size_t { return ids_kept_; }
    /// Where a list by time has come to.
    [[nodiscard]] auto second() const noexcept -> std::optional<std::chrono::sys_seconds> { return second_; }

private:
    [[nodiscard]] auto is_repeat(std::string_view id) -> bool {
        const auto fresh = ids_.insert(id);
        ids_kept_ = std::max(ids_kept_, ids_.size());
        duplicates_ += fresh ? 0 : 1;
        return !fresh;
    }
    [[nodiscard]] auto skip(std::string_view id, tally_verdict verdict, std::uint64_t& reason) -> tally_verdict {
        if (is_repeat(id)) { return {record_fate::duplicate}; }
        ++reason;
        return verdict;
    }

    time_range within_;
    record_order order_;
    Counter counter_;
    record_witness witness_{counter_.ladder().finest()};
    id_set ids_{};
    std::size_t ids_kept_{};
    std::optional<std::chrono::sys_seconds> second_{};
    std::uint64_t outside_{};
    std::uint64_t duplicates_{};
    skipped_records skipped_{};
};

} // namespace freshet
