#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <freshet/backend/clock.hpp>
#include <freshet/backend/row_key.hpp>
#include <freshet/backend/shareable.hpp>
#include <freshet/cache/cached_table.hpp>
#include <freshet/cache/freshness.hpp>
#include <freshet/cache/presence.hpp>
#include <freshet/cache/refresh_policy.hpp>
#include <freshet/cache/scan_all.hpp>
#include <freshet/cache/scan_answer.hpp>
#include <freshet/cache/scan_flights.hpp>
#include <freshet/cache/table_cache_events.hpp>
#include <freshet/cache/table_cache_state.hpp>
#include <freshet/cache/table_ruling.hpp>
#include <freshet/cache/table_snapshot.hpp>
#include <freshet/core/observe.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/isolated.hpp>

namespace freshet {

/// Answers for scans of tables from what earlier scans brought, as long as a policy says that it may.
///
/// Whose verdict is `use` waits for nobody. Others share scans: at most one of a table runs at a time, and a caller has
/// the outcome, rows or error, of one that began after he asked (`join_window` relaxes that), or what was kept in the
/// meantime, if the policy takes it. Nothing is tried again: a failed scan is the failure of those who shared it, and
/// leaves what was kept before. A scan that ends because its own caller's deadline passed, or he was stopped, is begun
/// anew by one of those who wait for it.
///
/// A scan that was under way when its table was invalidated answers those who asked before, and is not kept. Where the
/// caching itself fails, the rows still come from the table: without a readable key of each row nothing is kept; where
/// the policy fails, or would use what is not there, the table is scanned.
///
/// What a table's follower has answers everybody while it is up to date, and is newer than the last scan and the last
/// invalidation; after that, nobody is answered with what was scanned before it (`stream_gap`).
///
/// Thread safe; the tables and the clock must be so too. Borrows them. A callback that asks the cache while its thread
/// scans a table has a scan of its own, which is not kept.
template <class Table, class Clock, class Policy = sleeping_aware, class Observer = unobserved>
class table_cache {
    static_assert(shareable<Table>,
                  "a table_cache's tables are used by several threads at once: they say so with "
                  "`using is_shareable = void;`");
    static_assert(clock<Clock> && shareable<Clock>,
                  "a table_cache needs a clock that threads may share: now() -> time_point, and is_shareable");
    static_assert(refresh_policy<Policy>,
                  "a table_cache's policy decides by the facts: (const refresh_facts&) const -> refresh_verdict");
    static_assert(std::same_as<Observer, unobserved> || shareable<Observer>,
                  "a table_cache's observer is called by several threads at once: a shared_watch is the word that its "
                  "functions may be");

public:
    using is_shareable = void;
    using row_type = typename Table::row_type;
    using snapshot = table_snapshot<row_type>;
    using emits = event_list<table_used, table_scanned, table_row_read, table_read_failed, snapshot_refused,
                             table_bypassed, refresh_undecided, caches_invalidated>;

    /// Two tables of one name are misuse.
    explicit table_cache(std::vector<cached_table<Table>> tables, const Clock& clock, table_cache_options options = {},
                         Policy policy = {}, Observer seen = {})
        : clock_{clock}, options_{std::move(options)}, policy_{std::move(policy)}, seen_{std::move(seen)} {
        for (auto& table : tables) {
            if (called(table.name) != nullptr) {
                abort_on_misuse("a table_cache was given two tables with the name " + printable(table.name));
            }
            tables_.push_back(std::make_unique<tracked>(std::move(table)));
        }
    }
    explicit table_cache(std::vector<cached_table<Table>>, const Clock&&, table_cache_options = {}, Policy = {},
                         Observer = {}) = delete;
    table_cache(const table_cache&) = delete;
    auto operator=(const table_cache&) -> table_cache& = delete;

    /// All rows of a table, as a scan of it would give them.
    ///
    /// Fails as the scan does; as the table's `plausible` does; with `expired` at the deadline, which is looked at
    /// between the pages and while this caller waits for another's scan, or after a stop; with `malformed` where the
    /// cache has no table of that name.
    [[nodiscard]] auto scan(std::string_view name, deadline until = deadline::never(), std::stop_token stop = {})
        -> result<scan_answer<row_type>> {
        auto* const table = called(name);
        if (table == nullptr) { return unknown(name); }
        caller who{clock_.now(), until, std::move(stop)};
        if (const auto live = followed(*table, true)) { return answer_followed(*table, *live); }
        return scan(*table, who);
    }

    /// The row of a key; null where the table has none.
    ///
    /// From what is kept, where that may be used. Else from a scan, if the policy would let others use it; if not, the
    /// row is read alone. Fails as the read or the scan does, and as `scan`.
    [[nodiscard]] auto row(std::string_view name, const row_key& key, deadline until = deadline::never(),
                           std::stop_token stop = {}) -> result<row_answer<row_type>> {
        auto* const table = called(name);
        if (table == nullptr) { return unknown(name); }
        caller who{clock_.now(), until, std::move(stop)};
        if (const auto live = followed(*table, true)) { return row_in(answer_followed(*table, *live), key); }
        const auto ruled = judge(*table, who, true);
        if (!ruled.scan_helps) { return read(*table, key, ruled.verdict, who); }
        auto all = scan(*table, who);
        if (!all) { return std::move(all).why(); }
        if (all->rows->fault()) { return read(*table, key, ruled.verdict, who); }
        return row_in(*all, key);
    }

    /// What `scan` would do now, and why.
    [[nodiscard]] auto verdict(std::string_view name) -> result<refresh_verdict> {
        auto* const table = called(name);
        if (table == nullptr) { return unknown(name); }
        if (followed(*table, false)) { return use_followed; }
        caller who{clock_.now(), deadline::never(), {}};
        return judge(*table, who, false).verdict;
    }

    /// Takes note of a message's action: `start`, exactly that, invalidates all tables. Whether it was.
    auto heard(std::string_view action) -> bool {
        if (action != "start") { return false; }
        invalidate_all(refresh_reason::start_message);
        return true;
    }

    /// From now on nobody is answered with what was scanned before; `malformed` where there is no table of that name.
    [[nodiscard]] auto invalidate(std::string_view name) -> result<void> {
        auto* const table = called(name);
        if (table == nullptr) { return unknown(name); }
        {
            const std::scoped_lock lock{mutex_};
            table->invalidate(refresh_reason::invalidated, clock_.now());
        }
        emit(seen_, caches_invalidated{name, refresh_reason::invalidated});
        return {};
    }

    /// The same for all tables, at once.
    void invalidate_all() { invalidate_all(refresh_reason::invalidated); }

    [[nodiscard]] auto state() const -> table_cache_state {
        table_cache_state all;
        const std::scoped_lock lock{mutex_};
        all.last_start_invalidation = last_start_invalidation_;
        all.last_sleeping_refresh = last_sleeping_refresh_;
        for (const auto& table : tables_) {
            const auto& kept = table->kept;
            all.tables.push_back({table->is.name, kept.rows ? kept.rows->size() : 0,
                                  kept.rows ? std::optional{kept.as_of} : std::nullopt, table->invalidated_by});
        }
        return all;
    }

private:
    using kept_rows = snapshot_at<row_type>;
    using scanned = result<std::shared_ptr<const snapshot>>;

    using flights = scan_flights<scanned>;
    using flight = typename flights::flight;

    static constexpr refresh_verdict use_followed{refresh_action::use, refresh_reason::kept};

    struct tracked {
        explicit tracked(cached_table<Table> table) : is{std::move(table)} {}

        void invalidate(refresh_reason why, time_point now) {
            invalidated_by = why;
            rows_since = now;
            scans.overtake();
        }

        const cached_table<Table> is;
        kept_rows kept{};
        std::optional<refresh_reason> invalidated_by{};
        std::optional<time_point> rows_since{};  ///< what is followed answers if it is newer
        std::optional<time_point> followed_to{}; ///< what is scanned answers if it is newer
        flights scans{};
    };

    struct caller {
        time_point asked_at;
        deadline until;
        std::stop_token stop;
        std::optional<std::optional<bool>> sleepers{}; ///< what the probe told him, once it was asked
    };

    struct ruling : table_ruling {
        kept_rows kept; ///< what the verdict is about
    };

    /// Ends a scan, however it is left.
    struct landing {
        table_cache& of;
        tracked& table;
        const flight& mine;

        landing(table_cache& cache, tracked& scanned, const flight& led) : of{cache}, table{scanned}, mine{led} {}
        landing(const landing&) = delete;
        auto operator=(const landing&) -> landing& = delete;
        ~landing() {
            const std::scoped_lock lock{of.mutex_};
            if (!mine.over) { of.end(table); }
        }
    };
    void end(tracked& table) {
        table.scans.end();
        landed_.notify_all();
    }

    [[nodiscard]] auto called(std::string_view name) const -> tracked* {
        const auto at = std::find_if(tables_.begin(), tables_.end(), [&](const auto& t) { return t->is.name == name; });
        return at == tables_.end() ? nullptr : at->get();
    }
    [[nodiscard]] static auto unknown(std::string_view name) -> error {
        return {errc::malformed, "the table cache knows no table " + printable(name)};
    }

    void invalidate_all(refresh_reason why) {
        {
            const std::scoped_lock lock{mutex_};
            const auto now = clock_.now();
            if (why == refresh_reason::start_message) { last_start_invalidation_ = now; }
            for (auto& table : tables_) { table->invalidate(why, now); }
        }
        emit(seen_, caches_invalidated{{}, why});
    }

    /// The policy's verdict; whether a scan helps is judged only for one who wants a row.
    [[nodiscard]] auto judge(tracked& table, caller& who, bool wants_row) -> ruling {
        refresh_facts facts{.interval = table.is.interval,
                            .sleepers = who.sleepers.value_or(std::nullopt),
                            .enabled = options_.enabled};
        kept_rows kept;
        {
            const std::scoped_lock lock{mutex_};
            kept = table.kept;
            facts.invalidated_by = table.invalidated_by;
            if (!facts.invalidated_by && kept.rows && table.followed_to && kept.as_of <= *table.followed_to) {
                facts.invalidated_by = refresh_reason::stream_gap;
            }
        }
        facts.now = clock_.now();
        if (kept.rows) { facts.loaded_at = kept.as_of; }
        const auto decide = [&](const refresh_facts& known) {
            return wants_row ? ruling_of(policy_, known) : table_ruling{verdict_of(policy_, known)};
        };
        const auto decided = isolated([&]() -> result<table_ruling> {
            if (options_.sleepers && !who.sleepers && depends_on_sleepers(decide, facts)) {
                who.sleepers = facts.sleepers = probe(table);
            }
            return decide(facts);
        });
        if (decided) { return {*decided, kept}; }
        emit(seen_, refresh_undecided{table.is.name, decided.why()});
        const auto forced = forced_refresh(facts);
        return {{forced.value_or(refresh_verdict{refresh_action::refresh, refresh_reason::policy_failed})}, kept};
    }

    [[nodiscard]] auto probe(const tracked& table) -> std::optional<bool> {
        const auto found = isolated(options_.sleepers);
        if (!found) { emit(seen_, refresh_undecided{table.is.name, found.why()}); }
        if (!found || *found == presence::unknown) { return std::nullopt; }
        return *found == presence::yes;
    }

    /// What is followed, where it may answer; `shown`: it will.
    [[nodiscard]] auto followed(tracked& table, bool shown) -> std::optional<kept_rows> {
        if (!options_.enabled || !table.is.followed) { return std::nullopt; }
        const auto live = isolated([&]() -> result<std::optional<kept_rows>> { return table.is.followed(); });
        if (!live || !*live) { return std::nullopt; }
        const auto as_of = (*live)->as_of;
        const std::scoped_lock lock{mutex_};
        if (table.rows_since && as_of <= *table.rows_since) { return std::nullopt; }
        if (shown) { table.followed_to = std::max(table.followed_to.value_or(as_of), as_of); }
        return *live;
    }
    [[nodiscard]] auto answer_followed(const tracked& table, const kept_rows& live) -> scan_answer<row_type> {
        return answer(table, use_followed, scan_origin::followed, live);
    }

    [[nodiscard]] auto scan(tracked& table, caller& who) -> result<scan_answer<row_type>> {
        std::shared_ptr<flight> mine;
        for (;;) {
            const auto ruled = judge(table, who, false);
            const auto verdict = ruled.verdict;
            if (verdict.action == refresh_action::use) { return answer(table, verdict, scan_origin::kept, ruled.kept); }
            if (verdict.action == refresh_action::bypass) { return scan_alone(table, verdict, who); }
            std::unique_lock lock{mutex_};
            if (!mine) { // what runs may have begun before followed rows that were shown
                mine = table.scans.board(who.asked_at, table.followed_to ? duration::zero() : options_.join_window);
            }
            if (!mine->over) {
                if (!table.scans.busy()) {
                    if (table.kept.rows != ruled.kept.rows) { continue; } // not what he was judged by
                    return lead(table, *mine, verdict, who, std::move(lock));
                }
                if (leads_here()) {
                    lock.unlock();
                    return scan_alone(table, verdict, who);
                }
                if (!wait(lock, who, [&] { return mine->over || !table.scans.busy(); })) {
                    return error{errc::expired, "table " + printable(table.is.name) +
                                                    ": the deadline or a stop came while another caller scanned it"};
                }
                if (!mine->over) { continue; } // the scan before his ended: perhaps what it brought will do
            }
            if (mine->outcome) {
                lock.unlock();
                if (!*mine->outcome) { return mine->outcome->why(); }
                return answer(table, verdict, scan_origin::shared, {**mine->outcome, mine->began_at});
            }
            mine.reset();
        }
    }

    /// Whether this thread is in a callback of a scan: it must wait for nobody then.
    [[nodiscard]] auto leads_here() const -> bool {
        return std::any_of(tables_.begin(), tables_.end(), [self = std::this_thread::get_id()](const auto& table) {
            return table->scans.led_by(self);
        });
    }

    template <class Done>
    [[nodiscard]] auto wait(std::unique_lock<std::mutex>& lock, const caller& who, Done done) -> bool {
        if (who.until == deadline::never()) { return landed_.wait(lock, who.stop, done); }
        while (!done()) { // his clock is not the one that a condition variable waits by
            if (gone(who)) { return false; }
            static_cast<void>(landed_.wait_for(lock, who.stop, std::chrono::milliseconds{10}, done));
        }
        return true;
    }

    [[nodiscard]] auto lead(tracked& table, flight& mine, refresh_verdict verdict, const caller& who,
                            std::unique_lock<std::mutex> before_it) -> result<scan_answer<row_type>> {
        table.scans.begin(clock_.now());
        const auto before = table.kept.rows;
        const auto followed_before = table.followed_to;
        before_it.unlock();
        const landing at_the_end{*this, table, mine};

        std::size_t pages = 0;
        auto brought = load(table, who, pages);
        const auto took = age_of(mine.began_at, clock_.now());
        const bool bypassed = brought && (*brought)->fault();
        std::optional<error> refused;
        if (brought && !bypassed && table.is.plausible) {
            if (auto fine = isolated(table.is.plausible, before.get(), **brought); !fine) {
                refused = error{fine.why().code, "table " + printable(table.is.name) + ": " + fine.why().note};
            }
        }

        const scanned outcome = refused ? scanned{*refused} : brought;
        auto shared = !brought && gone(who) ? std::optional<scanned>{} : std::optional{outcome};
        std::unique_lock lock{mutex_}; // is free again before the landing, whatever throws
        table.rows_since = clock_.now();
        const bool kept = outcome && !bypassed && !mine.overtaken;
        if (kept) {
            table.kept = {*outcome, mine.began_at};
            table.invalidated_by.reset();
            if (table.followed_to == followed_before) { table.followed_to.reset(); } // also after a clock was set back
            if (verdict.reason == refresh_reason::interval_elapsed && who.sleepers == std::optional{true}) {
                last_sleeping_refresh_ = mine.began_at;
            }
        }
        mine.outcome = std::move(shared);
        end(table);
        lock.unlock();

        if (brought) {
            emit(seen_, table_scanned{table.is.name, (*brought)->size(), pages, took, verdict.reason, kept});
        }
        if (bypassed) { emit(seen_, table_bypassed{table.is.name, *(*brought)->fault()}); }
        if (refused) { emit(seen_, snapshot_refused{table.is.name, *refused, (*brought)->size()}); }
        if (!outcome) {
            if (!refused) { emit(seen_, table_read_failed{table.is.name, outcome.why(), verdict.reason}); }
            return outcome.why();
        }
        return scan_answer<row_type>{*outcome, verdict, kept ? scan_origin::scanned : scan_origin::bypassed, took};
    }

    [[nodiscard]] auto scan_alone(tracked& table, refresh_verdict verdict, const caller& who)
        -> result<scan_answer<row_type>> {
        const auto began = clock_.now();
        std::size_t pages = 0;
        auto brought = load(table, who, pages);
        const auto now = clock_.now();
        const auto took = age_of(began, now);
        if (!brought) {
            emit(seen_, table_read_failed{table.is.name, brought.why(), verdict.reason});
            return std::move(brought).why();
        }
        saw(table);
        emit(seen_, table_scanned{table.is.name, (*brought)->size(), pages, took, verdict.reason, false});
        return scan_answer<row_type>{*std::move(brought), verdict, scan_origin::bypassed, took};
    }

    [[nodiscard]] auto load(const tracked& table, const caller& who, std::size_t& pages) -> scanned {
        return isolated([&]() -> scanned {
            auto all = scan_all(*table.is.from, clock_, who.until, who.stop);
            if (!all) { return std::move(all).why(); }
            pages = all->pages;
            return std::make_shared<const snapshot>(snapshot::of(std::move(all->rows), table.is.key_of));
        });
    }

    [[nodiscard]] auto read(tracked& table, const row_key& key, refresh_verdict verdict, const caller& who)
        -> result<row_answer<row_type>> {
        using row_pointer = std::shared_ptr<const row_type>;
        const auto began = clock_.now();
        auto found = isolated([&]() -> result<row_pointer> {
            if (gone(who)) { return error{errc::expired, "the deadline or a stop came before a row was read"}; }
            auto got = table.is.from->get(key);
            if (!got) { return std::move(got).why(); }
            return *got ? std::make_shared<const row_type>(**std::move(got)) : row_pointer{};
        });
        if (!found) {
            emit(seen_, table_read_failed{table.is.name, found.why(), verdict.reason});
            return std::move(found).why();
        }
        saw(table);
        emit(seen_, table_row_read{table.is.name, *found != nullptr, verdict.reason});
        return row_answer<row_type>{*std::move(found), verdict, scan_origin::read, age_of(began, clock_.now())};
    }

    [[nodiscard]] static auto row_in(const scan_answer<row_type>& all, const row_key& key) -> row_answer<row_type> {
        const auto* const found = all.rows->find(key);
        auto row = found == nullptr ? nullptr : std::shared_ptr<const row_type>{all.rows, found};
        return {std::move(row), all.verdict, all.origin, all.age};
    }

    [[nodiscard]] auto answer(const tracked& table, refresh_verdict verdict, scan_origin origin, const kept_rows& rows)
        -> scan_answer<row_type> {
        const auto age = age_of(rows.as_of, clock_.now());
        emit(seen_, table_used{table.is.name, origin, age, verdict.reason});
        return {rows.rows, verdict, origin, age};
    }

    [[nodiscard]] auto gone(const caller& who) const -> bool {
        return who.stop.stop_requested() || who.until.passed(clock_.now());
    }
    void saw(tracked& table) {
        const std::scoped_lock lock{mutex_};
        table.rows_since = clock_.now();
    }

    const Clock& clock_;
    table_cache_options options_;
    Policy policy_;
    [[no_unique_address]] observer_for<Observer, emits> seen_;
    std::vector<std::unique_ptr<tracked>> tables_; // the list itself never changes
    mutable std::mutex mutex_;                     // guards what the tables say, and what follows
    std::condition_variable_any landed_;
    std::optional<time_point> last_start_invalidation_;
    std::optional<time_point> last_sleeping_refresh_;
};

} // namespace freshet
