#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/backend/clock.hpp>
#include <freshet/backend/ttl_store.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <adapters/later.hpp>
#include <adapters/sqlite/database.hpp>

namespace adapters::sqlite {

struct ttl_store_options {
    /// Of the store within the file. Stores of one name are one store.
    std::string name{"cache"};
    /// How long an invalidation of a key is remembered; the same for all who use the store.
    freshet::duration fence_time{std::chrono::minutes{15}};
};

/// The ttl_store of an SQLite file: several processes share it, one object belongs to one thread at a time.
///
/// Keys and values are any bytes. A `get` is one statement, any other call one transaction. A `put` and an `erase` drop
/// a few entries that have expired and invalidations that are to be forgotten; `clear` takes as long as there are
/// entries of the store. An invalidation outlives its process, and where the file is opened durable, a power cut. One
/// that is forgotten counts from then on as one of all keys, so that a step of the clock lets nothing in that was
/// looked up before it.
template <class Clock>
class ttl_store {
    static_assert(freshet::clock<Clock>, "a ttl_store's Clock needs now() const, which returns a freshet::time_point");

public:
    using key_type = std::string;
    using mapped_type = std::string;
    static constexpr auto fence = freshet::fence_scope::shared;

    /// Opens the file, or makes it. The clock is borrowed.
    [[nodiscard]] static auto open(const std::string& path, const Clock& clock, ttl_store_options options = {},
                                   const database_options& file = {}) -> freshet::result<ttl_store> {
        auto opened = database::open(path, file);
        if (!opened) { return opened.why(); }
        if (auto ready = opened->adopt("ttl_store", "1", schema); !ready) { return ready.why(); }
        auto known = opened->ask("SELECT count(*) FROM ttl_store WHERE name = ?1", options.name);
        if (!known) { return known.why(); }
        if (*known == 0) {
            auto made = opened->run("INSERT INTO ttl_store VALUES (?1, 0, 0) ON CONFLICT DO NOTHING", options.name);
            if (!made) { return made.why(); }
        }
        return ttl_store{*std::move(opened), clock, std::move(options)};
    }
    static auto open(const std::string&, const Clock&&, ttl_store_options = {}, const database_options& = {})
        -> freshet::result<ttl_store> = delete;

    [[nodiscard]] auto get(const std::string& key) -> freshet::result<freshet::looked_up<std::string>> {
        const auto now = clock_->now();
        auto known = file_.prepare(
            "SELECT max(cleared, ifnull((SELECT invalidated FROM ttl_entry AS old WHERE old.store = ?1"
            " AND old.invalidated > 0 AND old.fenced_until <= ?3"
            " ORDER BY old.fenced_until DESC, old.invalidated DESC LIMIT 1), 0)),"
            " ifnull(invalidated, 0), loaded_at, fresh_until, keep_until, value"
            " FROM ttl_store LEFT JOIN ttl_entry ON store = name AND key = CAST(?2 AS BLOB)"
            " WHERE name = ?1",
            options_.name, key, ticks(now));
        if (!known) { return known.why(); }
        auto row = known->step();
        if (!row) { return row.why(); }
        if (!*row) { return file_.refused("the store " + options_.name + " is gone"); }
        const auto number = [&](int column) { return static_cast<std::uint64_t>(known->number(column)); };
        const auto instant = [&](int column) { return freshet::time_point{freshet::duration{known->number(column)}}; };
        freshet::looked_up<std::string> found{std::nullopt, {number(0), number(1)}};
        if (known->is_null(2) || instant(4) <= now) { return found; }
        found.entry = {std::nullopt, instant(2), instant(3), instant(4)};
        if (!known->is_null(5)) { found.entry->value = known->text(5); }
        return found;
    }

    [[nodiscard]] auto put(const std::string& key, const freshet::cache_entry<std::string>& entry,
                           const freshet::store_ticket& ticket) -> freshet::result<void> {
        auto writing = file_.begin();
        if (!writing) { return writing.why(); }
        auto done = file_.run(
            "INSERT INTO ttl_entry SELECT name, CAST(?2 AS BLOB), CAST(?3 AS BLOB), ?4, ?5, ?6,"
            " 0, 0, ?6 FROM ttl_store WHERE name = ?1 AND cleared <= max(?7, ?8)"
            " ON CONFLICT (store, key) DO UPDATE SET value = excluded.value,"
            " loaded_at = excluded.loaded_at, fresh_until = excluded.fresh_until,"
            " keep_until = excluded.keep_until,"
            " forget_at = max(fenced_until, ?6) WHERE invalidated <= ?8",
            options_.name, key, entry.value, ticks(entry.loaded_at), ticks(entry.fresh_until), ticks(entry.keep_until),
            ticket.space, ticket.key);
        if (!done) { return done; }
        if (file_.changed() != 1) {
            return freshet::error{freshet::errc::conflict, "ttl store " + freshet::printable(options_.name) + ": " +
                                                               freshet::printable(key) +
                                                               ": invalidated since it was looked up"};
        }
        // Only now: what is swept may refuse others' good tickets, but not this one.
        done = sweep();
        return done ? writing->commit() : done;
    }

    /// The ticket is of no use here.
    [[nodiscard]] auto touch(const std::string& key, const freshet::cache_entry<std::string>& entry,
                             const freshet::store_ticket&) -> freshet::result<void> {
        return file_.run(
            "UPDATE ttl_entry SET fresh_until = ?4, keep_until = ?5, forget_at = max(fenced_until, ?5)"
            " WHERE store = ?1 AND key = CAST(?2 AS BLOB) AND loaded_at = ?3 AND keep_until > ?6",
            options_.name, key, ticks(entry.loaded_at), ticks(entry.fresh_until), ticks(entry.keep_until),
            ticks(clock_->now()));
    }

    [[nodiscard]] auto erase(const std::string& key) -> freshet::result<void> {
        auto writing = file_.begin();
        if (!writing) { return writing.why(); }
        if (auto swept = sweep(); !swept) { return swept; }
        auto number = file_.ask("UPDATE ttl_store SET last = last + 1 WHERE name = ?1 RETURNING last", options_.name);
        if (!number) { return number.why(); }
        auto done = file_.run(
            "INSERT INTO ttl_entry VALUES (?1, CAST(?2 AS BLOB), NULL, NULL, NULL, NULL, ?3, ?4, ?4)"
            " ON CONFLICT (store, key) DO UPDATE SET value = NULL, loaded_at = NULL,"
            " fresh_until = NULL, keep_until = NULL, invalidated = ?3, fenced_until = ?4,"
            " forget_at = ?4",
            options_.name, key, *number, ticks(later(clock_->now(), options_.fence_time)));
        return done ? writing->commit() : done;
    }

    [[nodiscard]] auto clear() -> freshet::result<void> {
        auto writing = file_.begin();
        if (!writing) { return writing.why(); }
        auto done =
            file_.run("UPDATE ttl_store SET last = last + 1, cleared = last + 1 WHERE name = ?1", options_.name);
        if (done) { done = file_.run("DELETE FROM ttl_entry WHERE store = ?1", options_.name); }
        return done ? writing->commit() : done;
    }

    /// This store's own connection.
    [[nodiscard]] auto file() noexcept -> database& { return file_; }

private:
    // Invalidations have numbers: a key's last one, and that of the last one of all keys, are the ticket. Of all keys
    // is a clear, and once its row is swept a key's; a look-up reckons with those that may be swept.
    static constexpr auto schema =
        "CREATE TABLE ttl_store (name TEXT PRIMARY KEY, last INTEGER NOT NULL, cleared INTEGER NOT NULL) STRICT;"
        "CREATE TABLE ttl_entry ("
        " store TEXT NOT NULL, key BLOB NOT NULL, value BLOB,"
        " loaded_at INTEGER, fresh_until INTEGER, keep_until INTEGER,"
        " invalidated INTEGER NOT NULL, fenced_until INTEGER NOT NULL, forget_at INTEGER NOT NULL,"
        " PRIMARY KEY (store, key)) STRICT;"
        "CREATE INDEX ttl_entry_forget ON ttl_entry (forget_at);"
        "CREATE INDEX ttl_entry_fence ON ttl_entry (store, fenced_until, invalidated) WHERE invalidated > 0;";

    ttl_store(database file, const Clock& clock, ttl_store_options options)
        : file_{std::move(file)}, clock_{&clock}, options_{std::move(options)} {}

    [[nodiscard]] static auto ticks(freshet::time_point at) noexcept -> std::int64_t {
        return at.time_since_epoch().count();
    }

    [[nodiscard]] auto sweep() -> freshet::result<void> {
        auto swept = file_.prepare(
            "DELETE FROM ttl_entry WHERE rowid IN"
            " (SELECT rowid FROM ttl_entry WHERE forget_at <= ?1 ORDER BY forget_at LIMIT 10)"
            " RETURNING store, invalidated",
            ticks(clock_->now()));
        if (!swept) { return swept.why(); }
        for (;;) {
            auto row = swept->step();
            if (!row) { return row.why(); }
            if (!*row) { return {}; }
            if (swept->number(1) == 0) { continue; }
            auto raised = file_.run("UPDATE ttl_store SET cleared = max(cleared, ?2) WHERE name = ?1", swept->text(0),
                                    swept->number(1));
            if (!raised) { return raised; }
        }
    }

    database file_;
    const Clock* clock_;
    ttl_store_options options_;
};

static_assert(freshet::ttl_store<ttl_store<freshet::testing::manual_clock>>);

} // namespace adapters::sqlite
