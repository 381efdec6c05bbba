#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <freshet/cache/table_cache_events.hpp>
#include <freshet/cache/table_follower_events.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/report/field_text.hpp>
#include <support/log.hpp>
#include <table_cache/counted_table.hpp>
#include <table_cache/transcript.hpp>

namespace email_agent {

/// `1,204 rows`, `1 page`.
[[nodiscard]] inline auto counted(std::size_t count, std::string_view what) -> std::string {
    auto digits = std::to_string(count);
    for (auto at = digits.size(); at > 3; at -= 3) { digits.insert(at - 3, 1, ','); }
    return fmt::format("{} {}{}", digits, what, count == 1 ? "" : "s");
}

/// How often a cache answered in which way: by table, then by `hit (within_interval)` and the like.
class verdict_tally {
public:
    using counts = std::map<std::string, std::map<std::string, std::size_t>, std::less<>>;

    void add(std::string_view table, std::string_view how) {
        const std::scoped_lock lock{mutex_};
        ++counts_[std::string{table}][std::string{how}];
    }
    [[nodiscard]] auto all() const -> counts {
        const std::scoped_lock lock{mutex_};
        return counts_;
    }

private:
    mutable std::mutex mutex_;
    counts counts_;
};

/// Writes a line about each call of a cache, and counts them; an observer that threads may share.
///
/// Hits are of level debug, reads of the table of level info. A failed scan is told once, however many callers share
/// it. Borrows all that it is given.
template <class Table>
class cache_lines {
public:
    using is_shareable = void;

    cache_lines(counted_tables<Table>& tables, const transcript& to, verdict_tally& tally)
        : tables_{&tables}, to_{&to}, tally_{&tally} {}

    void on(const freshet::table_used& e) {
        const auto how = with_reason(e.origin == freshet::scan_origin::kept ? "hit" : name_of(e.origin), e.reason);
        tell(level::debug, e.table, how, fmt::format(", age {}", freshet::field_text(e.age)));
    }
    void on(const freshet::table_scanned& e) {
        const bool off = e.reason == freshet::refresh_reason::disabled;
        tell(level::info, e.table, with_reason(off ? "bypass" : "refresh", e.reason),
             fmt::format(", {}{}", scanned(e.table, e.rows, e.pages), off || e.kept ? "" : ", not kept"));
    }
    void on(const freshet::table_row_read& e) {
        const auto read = (*tables_)[e.table].read_here();
        tell(level::info, e.table, with_reason("read", e.reason),
             fmt::format(", {}, {} read units", e.found ? "1 row" : "no row", read.units.text()));
    }
    void on(const freshet::table_read_failed& e) {
        static_cast<void>((*tables_)[e.table].read_here());
        tell(level::error, e.table, with_reason("failed", e.reason),
             fmt::format(": {}", freshet::printable(e.why.note)));
    }
    void on(const freshet::snapshot_refused& e) { warn(e.table, "refused", e.why); }
    void on(const freshet::table_bypassed& e) { warn(e.table, "not kept", e.why); }
    void on(const freshet::refresh_undecided& e) { warn(e.table, "undecided, so it is scanned", e.why); }
    void on(const freshet::caches_invalidated& e) {
        to_->line(level::info, fmt::format("[CACHE] {}: invalidated ({})", e.table.empty() ? "all tables" : e.table,
                                           name_of(e.reason)));
    }

    void on(const freshet::follower_loaded& e) {
        to_->line(level::info, fmt::format("[CACHE] students: followed from now on ({}), {}", name_of(e.reason),
                                           scanned("students", e.rows, e.pages)));
    }
    void on(const freshet::changes_followed& e) {
        to_->line(level::info, fmt::format("[CACHE] students: followed, {}", counted(e.changes, "change")));
    }
    void on(const freshet::follower_lost&) {
        to_->line(level::warning, "[CACHE] students: changes were lost, so it is scanned");
    }

private:
    using level = support::log_level;

    [[nodiscard]] static auto with_reason(std::string_view how, freshet::refresh_reason why) -> std::string {
        return fmt::format("{} ({})", how, name_of(why));
    }
    [[nodiscard]] auto scanned(std::string_view table, std::size_t rows, std::size_t pages) -> std::string {
        return fmt::format("{} in {}, {} read units", counted(rows, "row"), counted(pages, "page"),
                           (*tables_)[table].read_here().units.text());
    }
    void tell(level of, std::string_view table, std::string_view how, std::string_view more) {
        tally_->add(table, how);
        to_->line(of, fmt::format("[CACHE] {}: {}{}", table, how, more));
    }
    void warn(std::string_view table, std::string_view what, const freshet::error& why) {
        to_->line(level::warning, fmt::format("[CACHE] {}: {}: {}", table, what, freshet::printable(why.note)));
    }

    counted_tables<Table>* tables_;
    const transcript* to_;
    verdict_tally* tally_;
};

} // namespace email_agent
