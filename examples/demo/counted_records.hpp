#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <adapters/sqlite/table.hpp>
#include <freshet/backend/bucket_sink.hpp>
#include <freshet/backend/series_key.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>
#include <freshet/count/ladder.hpp>
#include <freshet/work/random_source.hpp>
#include <metrics/aggregation.hpp>
#include <metrics/backends.hpp>
#include <metrics/item_rows.hpp>
#include <metrics/outcome.hpp>
#include <metrics/record.hpp>
#include <metrics/settings.hpp>
#include <metrics/table_source.hpp>
#include <metrics/table_types.hpp>
#include <support/log.hpp>

namespace demo {

/// What counts by time came to that follow a table's changes, beside what SQL says of the table in the end.
struct counted_records {
    std::size_t writes{};
    std::size_t recounts{};           ///< of one series each
    std::size_t buckets{};            ///< that were compared, of all widths
    std::uint64_t records{};          ///< in the table, in the end
    std::vector<std::string> wrong{}; ///< what is not as SQL says, a line each

    [[nodiscard]] auto agrees() const noexcept -> bool { return wrong.empty(); }
};

namespace detail {

/// The counts of all series in buckets of this width, by SQL over the times that the records came with.
template <class Clock>
[[nodiscard]] auto counts_by_sql(adapters::sqlite::table<Clock>& table, freshet::duration width)
    -> freshet::result<std::map<freshet::series_key, std::vector<freshet::bucket>>> {
    auto rows = table.file().prepare(
        "SELECT json_extract(text, '$.table.S'), json_extract(text, '$.accountId.S'),"
        " strftime('%s', json_extract(text, '$.createdAt.S')) / ?1 * ?1 AS start, count(*)"
        " FROM item GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        std::chrono::duration_cast<std::chrono::seconds>(width).count());
    if (!rows) { return rows.why(); }
    std::map<freshet::series_key, std::vector<freshet::bucket>> all;
    auto more = rows->step();
    for (; more && *more; more = rows->step()) {
        all[{std::string{rows->text(0)}, std::string{rows->text(1)}}].push_back(
            {width, freshet::time_point{std::chrono::seconds{rows->number(2)}},
             static_cast<std::uint64_t>(rows->number(3))});
    }
    if (!more) { return std::move(more).why(); }
    return all;
}

/// An instant in the local time of this offset from UTC; in milliseconds, as SQLite knows no finer ones.
[[nodiscard]] inline auto text_of(freshet::time_point at, std::chrono::minutes offset) -> std::string {
    std::string text{freshet::format_rfc3339(at + offset, 3).value().view()};
    if (offset == std::chrono::minutes{}) { return text; }
    const auto minutes = std::chrono::abs(offset).count();
    text.pop_back();
    return text + fmt::format("{}{:02}:{:02}", offset.count() < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

} // namespace detail

/// Writes records into a table of SQLite files in a directory of their own in this one, moves some in time, removes
/// some, and brings some late, some thirty hours; meanwhile counts what the changes mark, as the program `metrics`
/// does; and compares the counts with the table. Fails with `expired` after a stop.
template <class Clock>
[[nodiscard]] auto count_records(const std::string& directory, Clock& clock, std::uint64_t seed,
                                 const std::stop_token& stop = {}) -> freshet::result<counted_records> {
    constexpr std::size_t ids = 400; // of each kind of records
    constexpr std::size_t writes = 1'500;
    counted_records report;
    freshet::random_source random{seed};
    const auto now = clock.now();
    const support::log log{support::log_level::error};

    const auto follow = [&](auto& table, auto& stream, auto& sink) -> freshet::result<void> {
        const metrics::selection everything;
        metrics::table_source source{table};
        metrics::aggregation counted{table, stream, source, sink, clock, everything, 2, log};
        const auto note = [&](const metrics::outcome& made) -> freshet::result<void> {
            report.recounts += made.series.size();
            for (const auto& each : made.series) {
                if (each.fault) { return *each.fault; }
            }
            return {};
        };
        for (; report.writes != writes; ++report.writes) {
            if (stop.stop_requested()) { return freshet::error{freshet::errc::expired, "stopped"}; }
            const std::string kind{metrics::table_types[random() % metrics::table_types.size()].name};
            const auto id = std::to_string(random() % ids);
            const bool is_late = random() % 8 == 0;
            const auto age = std::chrono::seconds{random() % (is_late ? 30 * 3'600 : 3'600)};
            const auto at =
                detail::text_of(now - age, std::chrono::minutes{330 * static_cast<int>(random() % 4) - 330});
            auto row = metrics::row_of({{kind, "account " + std::to_string(random() % 2)}, id, at, {}});
            if (!row) { return std::move(row).why(); }
            auto written = random() % 5 == 0 ? table.erase(metrics::key_of(kind, id), {}) : table.put(*row, {});
            if (!written) { return written; }
            if (report.writes % 100 != 99) { continue; }
            const auto due = counted.run_due(now, stop);
            if (!due) { return due.why(); }
            if (auto good = *due ? note(**due) : freshet::result<void>{}; !good) { return good; }
        }
        const auto last = counted.run_all(now, stop);
        if (!last) { return last.why(); }
        if (auto good = note(*last); !good) { return good; }

        const freshet::time_range all{freshet::time_point{}, now + std::chrono::hours{1}};
        for (const auto width : freshet::hour_ladder::widths()) {
            auto said = detail::counts_by_sql(table, width);
            if (!said) { return std::move(said).why(); }
            for (const auto& each : counted.known()) { said->try_emplace(each); } // whose records are all gone
            for (const auto& [of, buckets] : *said) {
                const auto kept = sink.read(of, all, width);
                if (!kept) { return kept.why(); }
                report.buckets += buckets.size();
                for (const auto& each : buckets) {
                    report.records += width == freshet::hour_ladder::widest() ? each.count : 0;
                }
                if (*kept == buckets) { continue; }
                report.wrong.push_back(fmt::format("{} / {}: SQL says {} buckets of {} min, and the counts are others",
                                                   of.table, of.account, buckets.size(),
                                                   std::chrono::duration_cast<std::chrono::minutes>(width).count()));
            }
        }
        return {};
    };
    freshet::result<void> followed;
    const auto done =
        metrics::in_directory(directory + "/metrics", true, clock, [&](auto& table, auto& stream, auto& sink) {
            followed = follow(table, stream, sink);
            return 0;
        });
    if (!done) { return done.why(); }
    if (!followed) { return followed.why(); }
    return report;
}

} // namespace demo
