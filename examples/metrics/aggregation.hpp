#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <utility>

#include <freshet/backend/record_source.hpp>
#include <freshet/backend/series_key.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>
#include <freshet/count/ladder.hpp>
#include <freshet/count/record_tally.hpp>
#include <freshet/count/window.hpp>
#include <freshet/work/deadline.hpp>
#include <metrics/following.hpp>
#include <metrics/item_rows.hpp>
#include <metrics/outcome.hpp>
#include <metrics/recounting.hpp>
#include <metrics/settings.hpp>
#include <metrics/table_types.hpp>
#include <support/log.hpp>

namespace metrics {

/// Waits until a source has what the changes tell of; less where it is asked to stop.
using settle_wait = std::function<void(const std::stop_token&)>;

/// Keeps the counts of a table's records what its records are. Borrows all that it is given.
///
/// The first run of a selection, and one after changes were lost, counts all records, and all hours that the sink has
/// counts of: those of its series that have records, were counted in this process, or are named by
/// `sink.all_series()`, where it has that. A source that keeps records (`forget`) has a place of its own in the stream.
template <class Table, class Stream, class Source, class Sink, class Clock>
class aggregation {
public:
    /// `settle` is called between the reading of changes and the counting; none: the source has them at once.
    aggregation(Table& table, Stream& stream, Source& source, Sink& sink, const Clock& clock, const selection& of,
                std::size_t hours, support::log log, settle_wait settle = {})
        : table_{table},
          source_{source},
          sink_{sink},
          clock_{clock},
          of_{of},
          hours_{hours},
          log_{log},
          settle_{std::move(settle)},
          changes_{stream, of, keeps_records ? "metrics-cache" : "metrics"} {}

    /// Counts every series of the selection in the window of `now`, and what changed since the last time.
    ///
    /// It says how many records of the table have no time, and so does `run_due` of its series: the source lists none.
    [[nodiscard]] auto run_all(freshet::time_point now, const std::stop_token& stop = {}) -> freshet::result<outcome> {
        if (auto read = read_on(now, std::chrono::minutes{10}, stop); !read) { return std::move(read).why(); }
        affected_series affected;
        if (auto looked = look(affected); !looked) { return std::move(looked).why(); }
        take(affected, now, true);
        return count(affected, now, stop);
    }

    /// Counts what changed and is due; absent where nothing is. Where `run_all` would count everything, so does this.
    [[nodiscard]] auto run_due(freshet::time_point now, const std::stop_token& stop = {})
        -> freshet::result<std::optional<outcome>> {
        if (auto read = read_on(now, longest_wait, stop); !read) { return std::move(read).why(); }
        const bool whole = changes_.gap();
        affected_series affected;
        if (whole) {
            if (auto looked = look(affected); !looked) { return std::move(looked).why(); }
        }
        take(affected, now, whole);
        if (affected.empty()) {
            changes_.close_gap();
            if (auto saved = changes_.save(); !saved) { return std::move(saved).why(); }
            return std::nullopt;
        }
        return count(affected, now, stop).transform([](outcome made) { return std::optional{std::move(made)}; });
    }

    /// The series that were counted, or are to be.
    [[nodiscard]] auto known() const noexcept -> const std::set<freshet::series_key>& { return known_; }
    [[nodiscard]] auto lateness() const noexcept -> const freshet::lateness_histogram& { return changes_.lateness(); }

private:
    static constexpr bool keeps_records = requires(Source & source) { source.forget(); };

    /// Who writes all the time keeps nobody from counting: what is read no more in `most` is left for the next time.
    [[nodiscard]] auto read_on(freshet::time_point now, freshet::duration most, const std::stop_token& stop)
        -> freshet::result<void> {
        const auto end = clock_.now() + most;
        return changes_.read_on(now, [&] { return clock_.now() < end && !stop.stop_requested(); })
            .transform([&](std::uint64_t read) { read_ += read; });
    }

    /// Last before the count: what is taken and not counted would be lost.
    void take(affected_series& affected, freshet::time_point now, bool all) {
        for (const auto& [series, dirty] : changes_.take(now, all)) { affect(affected, series).add(dirty); }
        for (const auto& series : changes_.take_timeless()) { affect(affected, series); }
    }

    /// The series that the table has now, and, after a gap, all times at which there is a record or a count.
    [[nodiscard]] auto look(affected_series& affected) -> freshet::result<void> {
        if (of_.table && of_.account) { affect(affected, {*of_.table, *of_.account}); }
        if (changes_.gap()) {
            if (changes_.first()) {
                log_.line(support::log_level::info, "counted for the first time: all records are counted");
            } else {
                log_.line(support::log_level::warning,
                          "changes were lost: all records, and all hours that have counts, are counted anew");
            }
            if constexpr (keeps_records) {
                if (auto forgotten = source_.forget(); !forgotten) { return forgotten; }
            }
        }
        changes_.forget_timeless();
        freshet::page_request request;
        do {
            auto page = table_.scan(request);
            if (!page) { return std::move(page).why(); }
            for (const auto& row : page->rows) { look_at(row, affected); }
            request.from = std::move(page->next);
        } while (request.from);
        return changes_.gap() ? mark_counted(affected) : freshet::result<void>{};
    }
    void look_at(const freshet::document& row, affected_series& affected) {
        const auto series = series_of(row);
        if (!of_.holds(series.table, series.account)) { return; }
        auto& dirty = affect(affected, series);
        changes_.saw(row);
        const auto at = read_instant(text_in(row, "createdAt"));
        if (at && changes_.gap()) { dirty.add(*at); }
    }
    /// The hours of which the sink has counts: whether they have a record still, nobody said.
    [[nodiscard]] auto mark_counted(affected_series& affected) -> freshet::result<void> {
        for (const auto& series : known_) { affect(affected, series); }
        if constexpr (requires { sink_.all_series(); }) {
            const auto all = sink_.all_series();
            if (!all) { return all.why(); }
            for (const auto& series : *all) {
                if (of_.holds(series.table, series.account)) { affect(affected, series); }
            }
        }
        constexpr freshet::time_range all_time{std::chrono::sys_days{std::chrono::year{0} / 1 / 1},
                                               std::chrono::sys_days{std::chrono::year{10'000} / 1 / 1}};
        for (auto& [series, dirty] : affected) {
            const auto kept = sink_.read(series, all_time, freshet::hour_ladder::widest());
            if (!kept) { return kept.why(); }
            for (const auto& each : *kept) { dirty.add(each.start); }
        }
        return {};
    }

    [[nodiscard]] auto count(const affected_series& affected, freshet::time_point now, const std::stop_token& stop)
        -> freshet::result<outcome> {
        const auto changed = [](const auto& each) { return !each.second.empty(); };
        if (settle_ && std::any_of(affected.begin(), affected.end(), changed)) { settle_(stop); }
        outcome made;
        made.header.window = freshet::current_window(now, hours_);
        made.header.stream_records = std::exchange(read_, 0);
        made.series = recount_all(source_, sink_, clock_, affected, made.header.window, log_,
                                  freshet::deadline::never(), stop);
        auto timeless = changes_.timeless();
        bool whole = true;
        for (auto& each : made.series) {
            made.header.affected.push_back(each.series);
            known_.insert(each.series);
            if (const auto found = timeless.extract(each.series)) {
                each.read += found.mapped().total();
                each.no_timestamp += found.mapped().no_timestamp;
                each.bad_timestamp += found.mapped().bad_timestamp;
            }
            if (!each.fault) { continue; }
            whole = false;
            auto again = affected.at(each.series);
            again.add(made.header.window);
            changes_.put_back(each.series, again, now);
        }
        for (const auto& [series, of] : timeless) {
            made.beside.no_timestamp += of.no_timestamp;
            made.beside.bad_timestamp += of.bad_timestamp;
        }
        changes_.close_gap(); // what failed has all its times back
        auto kept = window_counts(sink_, known_, made.header.window);
        if (!kept) { return std::move(kept).why(); }
        made.set_buckets(*std::move(kept));
        if (!whole) { return made; }
        return changes_.save().transform([&] { return std::move(made); });
    }

    Table& table_;
    Source& source_;
    Sink& sink_;
    const Clock& clock_;
    const selection& of_;
    std::size_t hours_;
    support::log log_;
    settle_wait settle_;
    change_follower<Stream> changes_;
    std::set<freshet::series_key> known_;
    std::uint64_t read_{}; // changes, since the last count
};

} // namespace metrics
