#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/backend/bucket_sink.hpp>
#include <freshet/backend/clock.hpp>
#include <freshet/backend/record_source.hpp>
#include <freshet/backend/series_key.hpp>
#include <freshet/core/observe.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>
#include <freshet/count/bucket_counter.hpp>
#include <freshet/count/cross_check.hpp>
#include <freshet/count/dirty_ranges.hpp>
#include <freshet/count/finality.hpp>
#include <freshet/count/page_loop.hpp>
#include <freshet/count/record_tally.hpp>
#include <freshet/count/recount_events.hpp>
#include <freshet/count/window.hpp>
#include <freshet/work/deadline.hpp>

namespace freshet {

struct recount_options {
    std::size_t page_size{};            ///< records asked for at once; 0: as the source likes
    std::size_t max_skipped_shown{20};  ///< events about skipped records in a run; the others are only counted
    std::optional<duration> lateness{}; ///< what `run_window` leaves alone is final by it; absent: nothing is
};

/// What a run found and wrote, over all its ranges.
struct recount_report {
    series_key series;
    run_ticket ticket;
    std::size_t ranges{};       ///< as they were counted: whole, and overlapping ones together
    std::uint64_t records{};    ///< counted
    std::uint64_t outside{};    ///< listed for a range, and of another time
    std::uint64_t duplicates{}; ///< listed again for a range
    skipped_records skipped;    ///< listed for a range, and of no time that can be read
    std::size_t pages{};
    std::size_t ids_kept{}; ///< at most at once
    cross_check_report check;
    replaced_counts replaced;
    duration took{};
};

/// Counts the records of a series anew and replaces its counts, so that they are what the records say.
///
/// A run takes its place among the runs before it reads, so that of two that overlap in time the later reader's counts
/// stay. Each range is widened to whole buckets of the widest width, read page by page, counted and cross-checked; when
/// all of them are, they are written, empty buckets too. Memory grows with the buckets of the ranges, and with the ids
/// of one where the source does not list by time. A record that moves to another time while it is listed may be counted
/// at both, or at none: its change is a reason for the run that sets this right (`recount_trigger`).
///
/// Nothing is written when a page fails, when the source breaks its order or leads in a circle (`malformed`), when the
/// deadline passes or a stop is asked for before the first write (`expired`), and when a cross-check fails (`failed`, a
/// note that begins with `cross-check: `, and an event). Between the writes of two ranges a deadline or a stop ends the
/// run as well (`expired`): those before are written, and the note says how many. So it does when the sink fails, and
/// what that wrote of its range is not known. After every failure the run may be repeated.
///
/// Borrows the source, the sink and the clock. The counter is one that `bucket_counter` can stand for, and empty.
template <class Source, class Sink, class Clock, class Observer = unobserved, class Counter = bucket_counter<>>
class recount {
    static_assert(record_source<Source>,
                  "a recount needs a record_source: order, and list(series, range, page_request) "
                  "-> result<page<listed_record>>");
    static_assert(bucket_sink<Sink>,
                  "a recount needs a bucket_sink: begin_run, replace and read, as "
                  "freshet::bucket_sink has them");
    static_assert(clock<Clock>, "a recount needs a clock: now() -> time_point");

public:
    using emits = event_list<record_skipped, range_recounted, cross_check_failed>;

    recount(Source& source, Sink& sink, const Clock& clock, recount_options options = {}, Observer seen = {},
            Counter empty = Counter{})
        : source_{source},
          sink_{sink},
          clock_{clock},
          options_{std::move(options)},
          seen_{std::move(seen)},
          empty_{std::move(empty)} {}
    recount(Source&, Sink&, const Clock&&, recount_options = {}, Observer = {}, Counter = Counter{}) = delete;

    /// Of these times, final or not.
    [[nodiscard]] auto run(const series_key& series, std::span<const time_range> ranges,
                           const deadline& until = deadline::never(), const std::stop_token& stop = {})
        -> result<recount_report> {
        const auto began = clock_.now();
        running now{{}, until, stop};
        now.report.series = series;
        if (const auto may = go_on(now); !may) { return explained(now, may.why()); }
        const auto ticket = sink_.begin_run(series);
        if (!ticket) { return explained(now, ticket.why()); }
        now.report.ticket = *ticket;
        const auto all = whole(ranges);
        std::vector<counted_range> counted;
        for (const auto& range : all.ranges()) {
            auto one = count(now, range);
            if (!one) { return std::move(one).why(); }
            counted.push_back(*std::move(one));
        }
        for (const auto& one : counted) {
            if (const auto may = go_on(now); !may) { return explained(now, may.why(), one.found.range); }
            if (auto done = write(now, one); !done) { return std::move(done).why(); }
        }
        now.report.took = since(began);
        return std::move(now.report);
    }

    /// Of the present bucket of the widest width and the n - 1 before it, but for those that are final.
    [[nodiscard]] auto run_window(const series_key& series, std::size_t n, const deadline& until = deadline::never(),
                                  const std::stop_token& stop = {}) -> result<recount_report> {
        const auto now = clock_.now();
        auto window = current_window(now, n, widest());
        window.start = std::max(window.start, open_since(now, options_.lateness, widest()));
        return run(series, std::span{&window, 1}, until, stop);
    }

private:
    using tally_type = record_tally<Counter>;

    struct running {
        recount_report report;
        const deadline& until;
        const std::stop_token& stop;
        std::size_t shown{}; // skipped records
    };

    /// What is kept of a range until it is written.
    struct counted_range {
        recounted found;
        cross_check_report check;
        skipped_records skipped;
        std::uint64_t outside{};
        std::uint64_t duplicates{};
        std::size_t ids_kept{};
        duration took{}; // to count it
    };

    [[nodiscard]] auto count(running& now, const time_range& range) -> result<counted_range> {
        const auto began = clock_.now();
        const auto tally = read(now, range);
        if (!tally) { return explained(now, tally.why(), range); }
        auto check = cross_check(tally->counter(), tally->witness());
        if (!check.ok()) {
            emit(seen_, cross_check_failed{now.report.series, range, *check.fault});
            return error{errc::failed, "cross-check: " + explained(now, {errc::failed, *check.fault}, range).note};
        }
        return counted_range{found(*tally),       std::move(check),  tally->skipped(), tally->outside(),
                             tally->duplicates(), tally->ids_kept(), since(began)};
    }

    [[nodiscard]] auto write(running& now, const counted_range& one) -> result<void> {
        const auto began = clock_.now();
        const auto& range = one.found.range;
        const auto replaced = sink_.replace(now.report.series, one.found, now.report.ticket);
        if (!replaced) { return explained(now, replaced.why(), range); }
        add(now.report, one, *replaced);
        emit(seen_, range_recounted{now.report.series, range, now.report.ticket, one.check.records, one.skipped.total(),
                                    one.duplicates, *replaced, one.took + since(began)});
        return {};
    }

    [[nodiscard]] auto read(running& now, const time_range& range) -> result<tally_type> {
        tally_type tally{range, Source::order, empty_};
        page_loop loop;
        for (page_request request{.limit = options_.page_size};;) {
            if (auto may = go_on(now); !may) { return std::move(may).why(); }
            auto page = source_.list(now.report.series, range, request);
            if (!page) { return std::move(page).why(); }
            ++now.report.pages;
            for (const auto& record : page->rows) {
                const auto verdict = tally.add(record.id, record.created_at);
                if (verdict.fate == record_fate::out_of_order) { return back_in_time(*tally.second(), record); }
                if (verdict.skipped()) { show(now, record, verdict); }
            }
            if (!page->next) { return tally; }
            if (loop.closed_by(*page->next)) {
                return error{errc::malformed, "the source's pages lead back to an earlier one: they would never end"};
            }
            request.from = std::move(page->next);
        }
    }

    [[nodiscard]] auto found(const tally_type& tally) const -> recounted {
        const auto widths = empty_.ladder().widths();
        return {tally.within(), {widths.begin(), widths.end()}, tally.counter().buckets()};
    }

    static void add(recount_report& all, const counted_range& one, const replaced_counts& replaced) {
        ++all.ranges;
        all.records += one.check.records;
        all.outside += one.outside;
        all.duplicates += one.duplicates;
        all.skipped.no_timestamp += one.skipped.no_timestamp;
        all.skipped.bad_timestamp += one.skipped.bad_timestamp;
        all.ids_kept = std::max(all.ids_kept, one.ids_kept);
        all.check.records += one.check.records;
        all.check.levels.resize(one.check.levels.size());
        for (std::size_t level = 0; level != one.check.levels.size(); ++level) {
            all.check.levels[level].width = one.check.levels[level].width;
            all.check.levels[level].buckets += one.check.levels[level].buckets;
            all.check.levels[level].records += one.check.levels[level].records;
        }
        all.replaced.written += replaced.written;
        all.replaced.unchanged += replaced.unchanged;
        all.replaced.overtaken += replaced.overtaken;
    }

    [[nodiscard]] auto go_on(const running& now) const -> result<void> {
        if (now.stop.stop_requested()) { return error{errc::expired, "a stop was asked for"}; }
        if (now.until.passed(clock_.now())) { return error{errc::expired, "the deadline passed"}; }
        return {};
    }

    void show(running& now, const listed_record& record, const tally_verdict& verdict) {
        if (now.shown == options_.max_skipped_shown) { return; }
        ++now.shown;
        emit(seen_, record_skipped{now.report.series, record.id, record.created_at, verdict});
    }

    [[nodiscard]] static auto text_of(time_point at) -> std::string {
        const auto text = format_rfc3339(at, 6);
        return text ? std::string{text->view()} : "a time that has no year of four digits";
    }
    [[nodiscard]] static auto back_in_time(time_point from, const listed_record& record) -> error {
        return {errc::malformed, "the source lists by time, and after " + text_of(from) + " came \"" +
                                     printable(record.id) + "\" of " + printable(record.created_at)};
    }

    /// The failure, and what it stopped.
    [[nodiscard]] static auto explained(const running& now, const error& why, std::optional<time_range> range = {})
        -> error {
        auto note = "recount of " + printable(now.report.series.table);
        if (!now.report.series.account.empty()) { note += " / " + printable(now.report.series.account); }
        if (range) { note += ", " + text_of(range->start) + " to " + text_of(range->end); }
        note += ": " + why.note + " (pages read: " + std::to_string(now.report.pages) +
                ", ranges written before: " + std::to_string(now.report.ranges) + ")";
        return {why.code, std::move(note)};
    }

    [[nodiscard]] auto since(time_point began) const -> duration {
        return std::max(duration::zero(), clock_.now() - began);
    }
    [[nodiscard]] auto widest() const -> duration { return empty_.ladder().widest(); }
    [[nodiscard]] auto whole(std::span<const time_range> ranges) const -> dirty_ranges {
        dirty_ranges all{widest()};
        for (const auto& range : ranges) { all.add(range); }
        return all;
    }

    Source& source_;
    Sink& sink_;
    const Clock& clock_;
    recount_options options_;
    [[no_unique_address]] observer_for<Observer, emits> seen_;
    Counter empty_;
};

} // namespace freshet
