#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <freshet/backend/bucket_sink.hpp>
#include <freshet/backend/series_key.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>

#include <adapters/recounted_blocks.hpp>
#include <adapters/sqlite/database.hpp>

namespace adapters::sqlite {

/// The bucket_sink of an SQLite file: several processes share it, one object belongs to one thread at a time.
///
/// A replacement is one transaction: its blocks are replaced all or none. Counts are a row a bucket that is not empty,
/// and one that stays as it is is not written. For people there is the view `buckets`, of the columns `records_of`,
/// `account`, `minutes`, `start` (RFC 3339, UTC) and `count`. Which run has replaced which time is kept in ranges: one
/// row for a replacement, and up to two more where it cuts an older one in parts, however many blocks that are.
///
/// Runs of a series whose widths have one in common have the widest in common, else an older one may undo in it what a
/// newer one found. A count above 2^63 - 1 reads negative in SQL.
class bucket_sink {
public:
    /// Opens the file, or makes it.
    [[nodiscard]] static auto open(const std::string& path, const database_options& file = {})
        -> freshet::result<bucket_sink> {
        auto opened = database::open(path, file);
        if (!opened) { return opened.why(); }
        if (auto ready = opened->adopt("bucket_sink", "1", schema); !ready) { return ready.why(); }
        return bucket_sink{*std::move(opened)};
    }

    [[nodiscard]] auto begin_run(const freshet::series_key& series) -> freshet::result<freshet::run_ticket> {
        auto writing = file_.begin();
        if (!writing) { return writing.why(); }
        const auto ticket = file_.ask(
            "INSERT INTO bucket_series (records_of, account, last_ticket) VALUES (?1, ?2, 1)"
            " ON CONFLICT DO UPDATE SET last_ticket = last_ticket + 1 RETURNING last_ticket",
            series.table, series.account);
        if (!ticket) { return ticket.why(); }
        if (auto kept = writing->commit(); !kept) { return kept.why(); }
        return freshet::run_ticket{static_cast<std::uint64_t>(*ticket)};
    }

    [[nodiscard]] auto replace(const freshet::series_key& series, const freshet::recounted& found,
                               const freshet::run_ticket& ticket) -> freshet::result<freshet::replaced_counts> {
        if (auto usable = check_recounted(found); !usable) { return usable.why(); }
        if (found.range.empty()) { return freshet::replaced_counts{}; }
        auto writing = file_.begin();
        if (!writing) { return writing.why(); }
        auto id = series_id(series);
        if (!id) { return id.why(); }
        auto own = take(*id, found, ticket);
        if (!own) { return own.why(); }
        freshet::replaced_counts done{0, 0, buckets_in(found.range, found.widths)};
        for (const auto& range : *own) {
            auto written = write(*id, found, range);
            if (!written) { return written.why(); }
            const auto all = buckets_in(range, found.widths);
            done.written += *written;
            done.unchanged += all - *written;
            done.overtaken -= all;
        }
        if (auto kept = writing->commit(); !kept) { return kept.why(); }
        return done;
    }

    [[nodiscard]] auto read(const freshet::series_key& series, const freshet::time_range& range,
                            freshet::duration width) -> freshet::result<std::vector<freshet::bucket>> {
        return buckets_of(
            file_.prepare("SELECT start, count FROM bucket_counts WHERE series ="
                          " (SELECT id FROM bucket_series WHERE records_of = ?4 AND account = ?5)"
                          " AND width = ?1 AND start >= ?2 AND start < ?3 ORDER BY start",
                          width.count(), ticks(range.start), ticks(range.end), series.table, series.account),
            width);
    }

    /// All that a run was begun for.
    [[nodiscard]] auto all_series() -> freshet::result<std::vector<freshet::series_key>> {
        auto row = file_.prepare("SELECT records_of, account FROM bucket_series ORDER BY records_of, account");
        if (!row) { return row.why(); }
        std::vector<freshet::series_key> all;
        while (true) {
            const auto more = row->step();
            if (!more) { return more.why(); }
            if (!*more) { return all; }
            all.push_back({std::string{row->text(0)}, std::string{row->text(1)}});
        }
    }

    /// This sink's own connection.
    [[nodiscard]] auto file() noexcept -> database& { return file_; }

private:
    // Times and widths are microseconds. The ranges of `bucket_runs` do not overlap, so that they ascend by their ends
    // as by their starts.
    static constexpr auto schema =
        "CREATE TABLE bucket_series ("
        " id INTEGER PRIMARY KEY, records_of TEXT NOT NULL, account TEXT NOT NULL, last_ticket INTEGER NOT NULL,"
        " UNIQUE (records_of, account)) STRICT;"
        "CREATE TABLE bucket_counts ("
        " series INTEGER NOT NULL, width INTEGER NOT NULL, start INTEGER NOT NULL, count INTEGER NOT NULL,"
        " PRIMARY KEY (series, width, start)) STRICT, WITHOUT ROWID;"
        "CREATE TABLE bucket_runs ("
        " series INTEGER NOT NULL, widest INTEGER NOT NULL, range_start INTEGER NOT NULL, range_end INTEGER NOT NULL,"
        " ticket INTEGER NOT NULL, PRIMARY KEY (series, widest, range_end)) STRICT, WITHOUT ROWID;"
        "CREATE VIEW buckets AS SELECT records_of, account, width / 60000000.0 AS minutes,"
        " strftime('%Y-%m-%dT%H:%M:%fZ', start / 1000000.0, 'unixepoch') AS start, count"
        " FROM bucket_counts JOIN bucket_series ON bucket_series.id = bucket_counts.series;";

    struct run_range {
        freshet::time_range range;
        std::uint64_t ticket{};
    };

    explicit bucket_sink(database file) : file_{std::move(file)} {}

    [[nodiscard]] static auto ticks(freshet::time_point at) noexcept -> std::int64_t {
        return at.time_since_epoch().count();
    }
    [[nodiscard]] static auto time_of(std::int64_t ticks) noexcept -> freshet::time_point {
        return freshet::time_point{freshet::duration{ticks}};
    }

    [[nodiscard]] auto series_id(const freshet::series_key& series) -> freshet::result<std::int64_t> {
        if (auto known = file_.run("INSERT INTO bucket_series (records_of, account, last_ticket) VALUES (?1, ?2, 0)"
                                   " ON CONFLICT DO NOTHING",
                                   series.table, series.account);
            !known) {
            return known.why();
        }
        return file_.ask("SELECT id FROM bucket_series WHERE records_of = ?1 AND account = ?2", series.table,
                         series.account);
    }

    /// What was replaced of a range, ascending.
    [[nodiscard]] auto runs_in(std::int64_t series, freshet::duration widest, const freshet::time_range& range)
        -> freshet::result<std::vector<run_range>> {
        std::vector<run_range> all;
        auto row = file_.prepare(
            "SELECT range_start, range_end, ticket FROM bucket_runs"
            " WHERE series = ?1 AND widest = ?2 AND range_end > ?3 ORDER BY range_end",
            series, widest.count(), ticks(range.start));
        if (!row) { return row.why(); }
        while (true) {
            const auto more = row->step();
            if (!more) { return more.why(); }
            if (!*more || row->number(0) >= ticks(range.end)) { return all; }
            all.push_back(
                {{time_of(row->number(0)), time_of(row->number(1))}, static_cast<std::uint64_t>(row->number(2))});
        }
    }

    /// Makes the run the last one of the range, but for what later ones have; what is the run's then.
    [[nodiscard]] auto take(std::int64_t series, const freshet::recounted& found, const freshet::run_ticket& ticket)
        -> freshet::result<std::vector<freshet::time_range>> {
        const auto widest = found.widths.back();
        const auto& [start, end] = found.range;
        const auto known = runs_in(series, widest, found.range);
        if (!known) { return known.why(); }
        std::vector<freshet::time_range> own;
        std::vector<run_range> keep;
        auto from = start; // up to here it is known whose the range is
        for (const auto& [range, number] : *known) {
            if (number > ticket.number) {
                if (from < range.start) { own.push_back({from, range.start}); }
                from = range.end;
                continue;
            }
            if (range.start < start) { keep.push_back({{range.start, start}, number}); }
            if (end < range.end) { keep.push_back({{end, range.end}, number}); }
            auto cut = file_.run("DELETE FROM bucket_runs WHERE series = ?1 AND widest = ?2 AND range_end = ?3", series,
                                 widest.count(), ticks(range.end));
            if (!cut) { return cut.why(); }
        }
        if (from < end) { own.push_back({from, end}); }
        for (const auto& range : own) { keep.push_back({range, ticket.number}); }
        for (const auto& [range, number] : keep) {
            auto kept = file_.run("INSERT INTO bucket_runs VALUES (?1, ?2, ?3, ?4, ?5)", series, widest.count(),
                                  ticks(range.start), ticks(range.end), number);
            if (!kept) { return kept.why(); }
        }
        return own;
    }

    /// Writes the counts of a range that is the run's; how many buckets had another one.
    [[nodiscard]] auto write(std::int64_t series, const freshet::recounted& found, const freshet::time_range& range)
        -> freshet::result<std::size_t> {
        std::size_t written = 0;
        for (const auto width : found.widths) {
            const auto had = buckets_of(file_.prepare("SELECT start, count FROM bucket_counts WHERE series = ?1"
                                                      " AND width = ?2 AND start >= ?3 AND start < ?4 ORDER BY start",
                                                      series, width.count(), ticks(range.start), ticks(range.end)),
                                        width);
            if (!had) { return had.why(); }
            for (const auto& each : changed_buckets(*had, part_of(found.buckets, width, range))) {
                auto kept = each.count == 0
                                ? file_.run("DELETE FROM bucket_counts WHERE series = ?1 AND width = ?2 AND start = ?3",
                                            series, width.count(), ticks(each.start))
                                : file_.run(
                                      "INSERT INTO bucket_counts VALUES (?1, ?2, ?3, ?4)"
                                      " ON CONFLICT DO UPDATE SET count = excluded.count",
                                      series, width.count(), ticks(each.start), each.count);
                if (!kept) { return kept.why(); }
                ++written;
            }
        }
        return written;
    }

    /// The rows of starts and counts that a statement gives.
    [[nodiscard]] static auto buckets_of(freshet::result<statement> row, freshet::duration width)
        -> freshet::result<std::vector<freshet::bucket>> {
        if (!row) { return row.why(); }
        std::vector<freshet::bucket> all;
        while (true) {
            const auto more = row->step();
            if (!more) { return more.why(); }
            if (!*more) { return all; }
            all.push_back({width, time_of(row->number(0)), static_cast<std::uint64_t>(row->number(1))});
        }
    }

    database file_;
};

static_assert(freshet::bucket_sink<bucket_sink>);

} // namespace adapters::sqlite
