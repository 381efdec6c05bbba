#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <freshet/backend/change.hpp>
#include <freshet/backend/series_key.hpp>
#include <freshet/core/time.hpp>
#include <freshet/count/dirty_ranges.hpp>
#include <freshet/count/finality.hpp>
#include <freshet/count/window.hpp>
#include <freshet/work/batch_window.hpp>

namespace freshet {

/// Where a row is counted.
struct series_side {
    std::string account;                    ///< as a `series_key` has it
    std::optional<time_point> created_at{}; ///< absent: none that can be read, and so in no bucket
    friend auto operator==(const series_side&, const series_side&) -> bool = default;
};

/// A table whose changes matter, and how many of them are a batch; `limits.bytes` is not looked at.
struct watched_table {
    std::string table; ///< as a `series_key` has it
    batch_limits limits{};
};

/// What it means for a count that the table itself removed a row, whose time to live had passed.
enum class on_expiry : std::uint8_t {
    recount, ///< the row counts no more
    keep,    ///< no reason to count; a recount for another reason does not find the row, and then it counts no more:
             ///< what is to be kept needs a lateness with which its hour is final before it expires
};

struct recount_trigger_options {
    duration width{std::chrono::hours{1}}; ///< of the widest buckets
    on_expiry expired{on_expiry::recount};
    std::optional<duration> lateness{}; ///< final buckets are not marked; absent: none is final
};

/// What came of a change.
enum class change_fate : std::uint8_t {
    marked,        ///< a bucket is to be counted anew
    irrelevant,    ///< the row stays in its buckets
    unknown_table, ///< not watched
    kept,          ///< the table removed the row, which is no reason to count
    no_image,      ///< the row as it was, or as it became, is not told
    no_account,    ///< the row says no account
    no_time,       ///< the row has no time that can be read, or one of no whole bucket of the time scale
    too_late,      ///< the bucket is final
};

/// The fate's name as it stands in the enumeration, for logs.
[[nodiscard]] constexpr auto name_of(change_fate fate) noexcept -> std::string_view {
    switch (fate) {
        case change_fate::marked: return "marked";
        case change_fate::irrelevant: return "irrelevant";
        case change_fate::unknown_table: return "unknown_table";
        case change_fate::kept: return "kept";
        case change_fate::no_image: return "no_image";
        case change_fate::no_account: return "no_account";
        case change_fate::no_time: return "no_time";
        case change_fate::too_late: return "too_late";
    }
    return "unknown";
}

/// Collects from the changes of tables which series are to be counted anew, and which times of them.
///
/// A change marks the bucket that its row was in and the one that it is in now: two of them where a row's time has
/// changed, two series where its account has. It marks nothing where the row stays where it is. A change that comes
/// again marks again, which costs a recount and changes no count. What a change does not tell is counted by reason
/// (`count`), and not made up: a row whose image is missing may have left a bucket that nobody counts anew.
///
/// `side_of(row)` answers with `std::optional<series_side>`, absent where the row has no account. Does no I/O. A value;
/// what `side_of` throws passes through.
template <class SideOf>
class recount_trigger {
public:
    using ranges_by_series = std::map<series_key, dirty_ranges>;

    recount_trigger(const std::vector<watched_table>& tables, SideOf side_of, recount_trigger_options options = {})
        : side_of_{std::move(side_of)}, options_{std::move(options)} {
        for (const auto& each : tables) {
            tables_.try_emplace(each.table,
                                pending{batch_window{{.items = each.limits.items, .window = each.limits.window}}});
        }
    }

    template <class Row>
    void add(std::string_view table, const change<Row>& what, time_point now) {
        static_assert(std::is_invocable_r_v<std::optional<series_side>, SideOf&, const Row&>,
                      "side_of is called with a const row and answers with a std::optional<freshet::series_side>");
        const auto found = tables_.find(table);
        if (found == tables_.end()) { return note(change_fate::unknown_table); }
        if (what.cause == change_cause::expiry && options_.expired == on_expiry::keep) {
            return note(change_fate::kept);
        }
        const auto before = side(what.before);
        const auto after = side(what.after);
        if (before && before == after) { return note(change_fate::irrelevant); }
        std::array<bool, fates> seen{}; // a change of two sides may have two fates, and none twice
        const auto look = [&](const auto& row, const auto& at) { seen[index(place(*found, row, at, now))] = true; };
        if (what.before || what.kind != change_kind::insert) { look(what.before, before); }
        if (what.after || what.kind != change_kind::remove) { look(what.after, after); }
        if (seen[index(change_fate::marked)]) { found->second.window.add(0, now); }
        for (std::size_t i = 0; i != fates; ++i) { counts_[i] += seen[i] ? 1 : 0; }
    }

    /// Whether a table's batch is to be taken, and otherwise until when the first one waits.
    [[nodiscard]] auto due(time_point now) const -> window_verdict {
        window_verdict first;
        for (const auto& [table, batch] : tables_) {
            const auto one = batch.window.verdict(now);
            if (one.take()) { return one; }
            const bool open = one.is == window_verdict::state::open;
            if (open && (first.is != one.is || one.until < first.until)) { first = one; }
        }
        return first;
    }
    /// What the batches that are due have marked; they start anew.
    [[nodiscard]] auto take_due(time_point now) -> ranges_by_series {
        return take_if([now](const batch_window& window) { return window.verdict(now).take(); });
    }
    /// All that is marked.
    [[nodiscard]] auto take() -> ranges_by_series {
        return take_if([](const batch_window&) { return true; });
    }
    /// Marks what was taken and could not be counted: as one more change of its table, so that a batch of one is due at
    /// once.
    void put_back(const series_key& series, const dirty_ranges& ranges, time_point now) {
        const auto found = tables_.find(series.table);
        if (found == tables_.end() || ranges.empty()) { return; }
        marks_of(*found, series.account).add(ranges);
        found->second.window.add(0, now);
    }

    /// How many changes had this fate; one whose sides differ in theirs is counted for each.
    [[nodiscard]] auto count(change_fate fate) const noexcept -> std::uint64_t { return counts_[index(fate)]; }

private:
    static constexpr std::size_t fates = 8;

    struct pending {
        batch_window window;
        std::map<std::string, dirty_ranges> accounts{};
    };
    using table_map = std::map<std::string, pending, std::less<>>;

    [[nodiscard]] static constexpr auto index(change_fate fate) noexcept -> std::size_t {
        return static_cast<std::size_t>(fate);
    }
    void note(change_fate fate) { ++counts_[index(fate)]; }

    template <class Row>
    [[nodiscard]] auto side(const std::optional<Row>& row) -> std::optional<series_side> {
        return row ? std::invoke(side_of_, *row) : std::nullopt;
    }
    template <class Row>
    [[nodiscard]] auto place(typename table_map::value_type& table, const std::optional<Row>& row,
                             const std::optional<series_side>& side, time_point now) -> change_fate {
        if (!row) { return change_fate::no_image; }
        if (!side) { return change_fate::no_account; }
        if (!side->created_at) { return change_fate::no_time; }
        const auto bucket = bucket_around(*side->created_at, options_.width);
        if (bucket.empty()) { return change_fate::no_time; }
        if (is_final(bucket.end, now, options_.lateness)) { return change_fate::too_late; }
        marks_of(table, side->account).add(bucket);
        return change_fate::marked;
    }
    [[nodiscard]] auto marks_of(typename table_map::value_type& table, const std::string& account) -> dirty_ranges& {
        return table.second.accounts.try_emplace(account, options_.width).first->second;
    }
    template <class Wanted>
    [[nodiscard]] auto take_if(Wanted wanted) -> ranges_by_series {
        ranges_by_series all;
        for (auto& [table, batch] : tables_) {
            if (!wanted(batch.window)) { continue; }
            for (auto& [account, ranges] : batch.accounts) {
                all.emplace(series_key{table, account}, std::move(ranges));
            }
            batch.accounts.clear();
            batch.window.clear();
        }
        return all;
    }

    SideOf side_of_;
    recount_trigger_options options_;
    table_map tables_;
    std::array<std::uint64_t, fates> counts_{};
};

} // namespace freshet
