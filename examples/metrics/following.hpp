#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/backend/change.hpp>
#include <freshet/backend/change_stream.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/count/lateness.hpp>
#include <freshet/count/record_tally.hpp>
#include <freshet/count/recount_trigger.hpp>
#include <freshet/item/document.hpp>
#include <metrics/item_rows.hpp>
#include <metrics/record.hpp>
#include <metrics/recounting.hpp>
#include <metrics/settings.hpp>
#include <metrics/table_types.hpp>

namespace metrics {

/// Where a row of `item_table` is counted.
struct side_of_row {
    [[nodiscard]] auto operator()(const freshet::document& row) const -> std::optional<freshet::series_side> {
        return freshet::series_side{text_in(row, "accountId"), read_instant(text_in(row, "createdAt"))};
    }
};

/// Reads a stream on from where the last one of the same selection was done, and collects what is to be counted anew.
///
/// Each kind of records has its own batch: as `table_types` has it, and of one change where that does not know it.
/// `by` names who counts: each has a place of its own in the stream. Borrows the stream and the selection.
template <class Stream>
class change_follower {
    static_assert(freshet::change_stream<Stream>, "a change_follower reads a freshet::change_stream");

public:
    change_follower(Stream& from, const selection& of, std::string_view by = "metrics")
        : from_{from},
          of_{of},
          reader_{std::string{by} + ' ' + joined_key(of.table.value_or(""), of.account.value_or(""))} {}

    /// Whether there may be changes that nobody told of: of which records, nobody knows.
    [[nodiscard]] auto gap() const noexcept -> bool { return gap_; }
    /// Whether that is because nobody has counted before.
    [[nodiscard]] auto first() const noexcept -> bool { return first_; }
    void close_gap() noexcept { gap_ = first_ = false; }

    /// How long after a record's time its change was made.
    [[nodiscard]] auto lateness() const noexcept -> const freshet::lateness_histogram& { return lateness_; }

    /// Reads all that there is now; how many changes.
    [[nodiscard]] auto read_on(freshet::time_point now) -> freshet::result<std::uint64_t> {
        return read_on(now, [] { return true; });
    }
    /// The same for as long as `go_on()` says so: who writes all the time never lets it come to an end.
    template <class GoOn>
    [[nodiscard]] auto read_on(freshet::time_point now, GoOn go_on) -> freshet::result<std::uint64_t> {
        if (!position_) {
            if (auto found = find_place(); !found) { return std::move(found).why(); }
        }
        std::uint64_t changes = 0;
        while (true) {
            auto batch = from_.read(*position_, 1'000);
            if (!batch) { return std::move(batch).why(); }
            gap_ = gap_ || batch->gap;
            for (const auto& change : batch->changes) { add(change, now); }
            changes += batch->changes.size();
            saved_ = saved_ && batch->changes.empty() && !batch->gap;
            position_ = std::move(batch->next);
            if (batch->changes.empty() || !go_on()) { return changes; }
        }
    }

    /// What is to be counted by now; with `all` also what might wait for more.
    [[nodiscard]] auto take(freshet::time_point now, bool all) -> affected_series {
        affected_series taken;
        for (auto& [kind, trigger] : triggers_) { taken.merge(all ? trigger.take() : trigger.take_due(now)); }
        std::erase_if(taken, [&](const auto& each) { return !of_.holds(each.first.table, each.first.account); });
        return taken;
    }
    /// It could not be counted: it is taken again.
    void put_back(const freshet::series_key& series, const freshet::dirty_ranges& ranges, freshet::time_point now) {
        trigger_of(series.table).put_back(series, ranges, now);
    }

    /// What a row of the table is now: it is remembered while it has no time that can be read.
    void saw(const freshet::document& row) { look_at(text_in(row, "PK"), &row); }
    /// Before all rows of the table are seen.
    void forget_timeless() { timeless_.clear(); }
    /// How many records have no time that can be read, by their series.
    [[nodiscard]] auto timeless() const -> std::map<freshet::series_key, freshet::skipped_records> {
        std::map<freshet::series_key, freshet::skipped_records> all;
        for (const auto& [key, row] : timeless_) {
            auto& of = all[row.series];
            ++(row.has_text ? of.bad_timestamp : of.no_timestamp);
        }
        return all;
    }
    /// The series for which that has changed since the last time.
    [[nodiscard]] auto take_timeless() -> std::set<freshet::series_key> { return std::exchange(changed_timeless_, {}); }

    /// All that was read is counted: the next one begins behind it. Nothing happens while anything waits, or where
    /// that is so already.
    [[nodiscard]] auto save() -> freshet::result<void> {
        const auto waits = [](const auto& each) {
            return each.second.due(freshet::time_point{}).is != freshet::window_verdict::state::empty;
        };
        if (saved_ || std::any_of(triggers_.begin(), triggers_.end(), waits)) { return {}; }
        return from_.save_checkpoint(reader_, *position_).transform([&] { saved_ = true; });
    }

private:
    using trigger_type = freshet::recount_trigger<side_of_row>;

    struct timeless_row {
        freshet::series_key series;
        bool has_text{};
        friend auto operator==(const timeless_row&, const timeless_row&) -> bool = default;
    };

    [[nodiscard]] auto find_place() -> freshet::result<void> {
        auto saved = from_.checkpoint(reader_);
        if (!saved) { return std::move(saved).why(); }
        if (*saved) {
            position_ = **std::move(saved);
            return {};
        }
        return from_.oldest().transform([&](freshet::stream_position first) {
            position_ = std::move(first);
            gap_ = first_ = true; // what came before the oldest change is told of by none
            saved_ = false;
        });
    }

    void add(const freshet::change<freshet::document>& change, freshet::time_point now) {
        // A record stays what kind it is: its table is a part of its key.
        const auto& row = change.after ? change.after : change.before;
        if (!row) { return; }
        const auto table = text_in(*row, "table");
        const auto account_of = [](const auto& side) { return side ? text_in(*side, "accountId") : std::string{}; };
        const bool wanted = of_.holds(table, account_of(change.before)) || of_.holds(table, account_of(change.after));
        if (!wanted) { return; }
        trigger_of(table).add(table, change, now);
        look_at(change.key.partition, change.after ? &*change.after : nullptr);
        const auto at =
            change.kind == freshet::change_kind::insert ? read_instant(text_in(*row, "createdAt")) : std::nullopt;
        if (at && change.made_at) { lateness_.observe(*at, *change.made_at); }
    }

    void look_at(const std::string& key, const freshet::document* row) {
        std::optional<timeless_row> now;
        if (row != nullptr) {
            const auto created_at = text_in(*row, "createdAt");
            if (!read_instant(created_at)) { now = {series_of(*row), !created_at.empty()}; }
        }
        const auto known = timeless_.find(key);
        if (known != timeless_.end()) {
            if (now == known->second) { return; }
            changed_timeless_.insert(known->second.series);
            timeless_.erase(known);
        }
        if (!now || !of_.holds(now->series.table, now->series.account)) { return; }
        changed_timeless_.insert(now->series);
        timeless_.emplace(key, *std::move(now));
    }

    [[nodiscard]] auto trigger_of(const std::string& table) -> trigger_type& {
        const auto found = triggers_.find(table);
        if (found != triggers_.end()) { return found->second; }
        const auto known =
            std::find_if(table_types.begin(), table_types.end(), [&](const auto& each) { return each.name == table; });
        const auto changes = known == table_types.end() ? 1 : known->changes;
        trigger_type made{{{table, {.items = changes, .window = longest_wait}}}, {}};
        return triggers_.emplace(table, std::move(made)).first->second;
    }

    Stream& from_;
    const selection& of_;
    std::string reader_;
    std::optional<freshet::stream_position> position_;
    std::map<std::string, trigger_type, std::less<>> triggers_; // by the kind of records
    std::map<std::string, timeless_row> timeless_; // by the key of the row
    std::set<freshet::series_key> changed_timeless_;
    freshet::lateness_histogram lateness_;
    bool gap_{};
    bool first_{};     // there was no checkpoint
    bool saved_{true}; // the checkpoint is where it has read to
};

} // namespace metrics
