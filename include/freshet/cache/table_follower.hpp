#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include <freshet/backend/change.hpp>
#include <freshet/backend/change_stream.hpp>
#include <freshet/backend/clock.hpp>
#include <freshet/backend/row_key.hpp>
#include <freshet/backend/shareable.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/cache/freshness.hpp>
#include <freshet/cache/refresh_policy.hpp>
#include <freshet/cache/scan_all.hpp>
#include <freshet/cache/sequence_fence.hpp>
#include <freshet/cache/table_follower_events.hpp>
#include <freshet/cache/table_snapshot.hpp>
#include <freshet/core/observe.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/isolated.hpp>
#include <freshet/work/random_source.hpp>
#include <freshet/work/retry_plan.hpp>

namespace freshet {

struct table_follower_options {
    std::size_t batch{1'000};                      ///< changes at most, in one step
    duration poll{std::chrono::milliseconds{200}}; ///< between two looks at a stream without news
    duration stream_delay{};                       ///< how long after a write the stream may receive its change
    duration lag{std::chrono::seconds{30}};        ///< rows that are older than this answer no more
    std::size_t fenced{100'000};                   ///< items whose sequence numbers are remembered
    retry_options retries{};                       ///< of waits after failures; how often is not limited
    std::uint64_t seed{1};                         ///< of their jitter
};

/// What a follower did.
struct follow_report {
    std::size_t changes{}; ///< that the stream gave
    std::size_t edits{};   ///< rows that became others, or none
    std::size_t fenced{};  ///< changes that were no newer than what was there
    std::size_t loads{};   ///< scans of the whole table
    bool lost{};           ///< the last step met a gap: the next one scans the table
    bool caught_up{};      ///< the last step met the stream's end, and the rows answer

    auto operator+=(const follow_report& step) -> follow_report& {
        changes += step.changes;
        edits += step.edits;
        fenced += step.fenced;
        loads += step.loads;
        lost = step.lost;
        caught_up = step.caught_up;
        return *this;
    }
    friend auto operator==(const follow_report&, const follow_report&) -> bool = default;
};

/// Keeps a snapshot of a table up to date by the table's changes, instead of by further scans.
///
/// Takes a position in the stream, then scans the table, then applies what happened since, the last change of an item
/// winning; the rows answer from when the stream's end was met after the scan, so that nobody sees an item go back.
/// A change that is no newer than the last one of its item is dropped. A gap in the stream takes the rows back until
/// the table was scanned anew. The position is kept in memory, and no checkpoint is saved: who has no rows yet must
/// scan anyway. Two followers, and other readers, do not disturb each other.
///
/// Where the stream carries no new images, changed rows are read from the table, each at most once a batch.
///
/// `rows()` may be called by any thread at any time; the other functions by one thread at a time. Borrows table, stream
/// and timer.
template <class Table, class Stream, class Timer, class Observer = unobserved>
class table_follower {
    static_assert(table<Table>,
                  "a table_follower needs a table: get, put, update, erase, scan and query, as "
                  "freshet::table has them");
    static_assert(change_stream<Stream>,
                  "a table_follower needs a change_stream: read, latest, oldest, position_after, checkpoint and "
                  "save_checkpoint, as freshet::change_stream has them");
    static_assert(std::same_as<typename Table::row_type, typename Stream::row_type>,
                  "a table_follower's stream tells of its table's rows: their row_type is the same");
    static_assert(timer<Timer> && shareable<Timer>,
                  "a table_follower needs a timer that threads may share: now() -> time_point, "
                  "wait(duration, std::stop_token) -> bool, and is_shareable");

public:
    using row_type = typename Table::row_type;
    using snapshot = table_snapshot<row_type>;
    using emits = event_list<follower_loaded, changes_followed, follower_lost, follower_failed>;

    /// `key_of` says a row's key, the same that the stream's changes name.
    explicit table_follower(Table& from, Stream& stream, Timer& timer,
                            std::function<result<row_key>(const row_type&)> key_of, table_follower_options options = {},
                            Observer seen = {})
        : table_{from},
          stream_{stream},
          timer_{timer},
          key_of_{std::move(key_of)},
          options_{options},
          plan_{options.retries},
          random_{options.seed},
          fence_{options.fenced},
          seen_{std::move(seen)} {}

    /// The rows, while they are up to date: complete as of an instant that is no longer ago than `lag`.
    ///
    /// After a clock was set back they are gone until the stream's end is met again. That it was is noticed here and
    /// in `step`, and not where neither is called before the clock is past that instant once more.
    [[nodiscard]] auto rows() const -> std::optional<snapshot_at<row_type>> {
        const std::scoped_lock lock{mutex_};
        const auto now = timer_.now();
        if (published_.as_of > now) { published_ = {}; } // they would answer again when the clock comes there again
        const bool live = published_.rows && detail::span_between(published_.as_of, now) <= options_.lag;
        return live ? std::optional{published_} : std::nullopt;
    }

    /// Scans the table where there are no rows yet, or none any more; then reads and applies one batch.
    ///
    /// Fails as the table or the stream does, and as `key_of` where a row's key cannot be read; what is there stays.
    [[nodiscard]] auto step(deadline until = deadline::never(), const std::stop_token& stop = {})
        -> result<follow_report> {
        return isolated([&]() -> result<follow_report> {
            follow_report report;
            if (!position_) {
                if (auto loaded = load(until, stop); !loaded) { return std::move(loaded).why(); }
                ++report.loads;
            }
            const auto asked_at = timer_.now();
            auto batch = stream_.read(*position_, options_.batch);
            if (!batch) { return std::move(batch).why(); }
            if (batch->gap) {
                lose();
                report.lost = true;
                return report;
            }
            if (auto applied = apply(*batch, report); !applied) { return std::move(applied).why(); }
            publish(batch->changes.empty(), asked_at, report);
            return report;
        });
    }

    /// Steps until the stream's end is met and the rows answer; waits after failures.
    ///
    /// Who must see what happened before now, as after a start message, calls it before he asks for the rows.
    [[nodiscard]] auto catch_up(deadline until = deadline::never(), const std::stop_token& stop = {})
        -> result<follow_report> {
        return go_on(until, stop, false);
    }

    /// Follows the stream until the deadline or a stop. A failure that waiting cannot cure ends it.
    [[nodiscard]] auto run(deadline until, const std::stop_token& stop) -> result<follow_report> {
        return go_on(until, stop, true);
    }

private:
    auto go_on(deadline until, const std::stop_token& stop, bool forever) -> result<follow_report> {
        follow_report all;
        unsigned failures = 0;
        const auto over = [&] { return stop.stop_requested() || until.passed(timer_.now()); };
        while (!over()) {
            const auto done = step(until, stop);
            if (done) {
                all += *done;
                if (done->caught_up && !forever) { break; }
                failures = done->lost ? failures + 1 : 0;
                if (done->lost ? !pause(errc::unavailable, failures, until, stop)
                               : done->changes == 0 && !wait(options_.poll, until, stop)) {
                    break;
                }
                continue;
            }
            if (over()) { break; }
            const auto& why = done.why();
            emit(seen_, follower_failed{why});
            if (why.code != errc::unavailable && why.code != errc::throttled) { return why; }
            if (!pause(why.code, ++failures, until, stop)) { break; }
        }
        return all;
    }

    [[nodiscard]] auto load(deadline until, const std::stop_token& stop) -> result<void> {
        const auto began = timer_.now();
        auto begin = stream_.latest();
        if (!begin) { return std::move(begin).why(); }
        auto all = scan_all(table_, timer_, until, stop);
        if (!all) { return std::move(all).why(); }
        const auto pages = all->pages;
        auto rows = std::make_shared<const snapshot>(snapshot::of(std::move(all->rows), key_of_));
        if (rows->fault()) { return *rows->fault(); }
        rows_ = std::move(rows);
        scanned_until_ = timer_.now();
        fence_.forget_all();
        reads_rows_ = false;
        position_ = *std::move(begin);
        emit(seen_, follower_loaded{rows_->size(), pages, age_of(began, scanned_until_),
                                    lost_ ? refresh_reason::stream_gap : refresh_reason::never_loaded});
        return {};
    }

    void lose() {
        {
            const std::scoped_lock lock{mutex_};
            published_ = {};
        }
        const auto wanted = *std::exchange(position_, std::nullopt);
        lost_ = true;
        emit(seen_, follower_lost{wanted});
    }

    [[nodiscard]] auto apply(change_batch<row_type>& batch, follow_report& report) -> result<void> {
        std::map<row_key, change<row_type>*> last;
        for (auto& one : batch.changes) {
            const auto at = last.find(one.key);
            const auto* const known = at != last.end() ? &at->second->sequence : fence_.last(one.key);
            if (known != nullptr && one.sequence <= *known) {
                ++report.fenced;
                continue;
            }
            // One read row is newer than its change, and perhaps newer than a removal that comes next: read that too.
            reads_rows_ = reads_rows_ || (one.kind != change_kind::remove && !one.after);
            last.insert_or_assign(one.key, &one);
        }
        std::vector<row_edit<row_type>> edits;
        edits.reserve(last.size());
        for (const auto& [key, one] : last) {
            if (!reads_rows_) {
                edits.push_back({key, std::move(one->after)});
                continue;
            }
            auto row = table_.get(key);
            if (!row) { return std::move(row).why(); }
            edits.push_back({key, *std::move(row)});
        }
        if (!edits.empty()) { rows_ = std::make_shared<const snapshot>(rows_->with(std::move(edits))); }
        for (const auto& [key, one] : last) { fence_.advance(key, one->sequence); }
        position_ = batch.next;
        report.changes = batch.changes.size();
        report.edits = last.size();
        if (report.changes != 0) { emit(seen_, changes_followed{report.changes, report.edits, report.fenced}); }
        return {};
    }

    void publish(bool at_end, time_point asked_at, follow_report& report) {
        scanned_until_ = std::min(scanned_until_, asked_at); // a clock that was set back delays nothing by more
        const auto as_of = deadline::in(-options_.stream_delay, asked_at).when();
        report.caught_up = at_end && as_of >= scanned_until_;
        const std::scoped_lock lock{mutex_};
        if (report.caught_up) {
            published_ = {rows_, as_of};
        } else if (published_.rows) {
            published_.rows = rows_;
        }
    }

    /// Waits as long as the plan says; false where there is no time for it.
    auto pause(errc code, unsigned failures, deadline until, const std::stop_token& stop) -> bool {
        const auto longest = plan_.longest_wait(code, failures);
        const auto draw = random_() % (static_cast<std::uint64_t>(longest.count()) + 1);
        return wait(duration{static_cast<duration::rep>(draw)}, until, stop);
    }
    auto wait(duration span, deadline until, const std::stop_token& stop) -> bool {
        return until.allows(span, timer_.now()) && timer_.wait(span, stop);
    }

    Table& table_;
    Stream& stream_;
    Timer& timer_;
    std::function<result<row_key>(const row_type&)> key_of_;
    table_follower_options options_;
    retry_plan plan_;
    random_source random_;
    std::optional<stream_position> position_; // absent: there are no rows
    std::shared_ptr<const snapshot> rows_;
    time_point scanned_until_{};
    sequence_fence fence_;
    bool reads_rows_{}; // the stream carries no new images
    bool lost_{};
    mutable std::mutex mutex_;                // guards what follows
    mutable snapshot_at<row_type> published_; // no rows: the stream's end was not met since the scan
    [[no_unique_address]] observer_for<Observer, emits> seen_;
};

} // namespace freshet
