#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <freshet/backend/message_queue.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>

#include <adapters/queue_rules.hpp>
#include <adapters/sqlite/database.hpp>

namespace adapters::sqlite {

/// The messages of one queue in an SQLite file, which may have other queues beside it.
///
/// A message waits in a lane: that of its group in a FIFO queue, one of its own in a standard queue. A lane is ready,
/// and served in the order of the lanes' first messages, or blocked until the last of its invisible messages is visible
/// again. So a step costs the same however many messages there are.
///
/// Times are arguments, in microseconds since 1970. All steps but `open` run inside the caller's transaction.
class queue_store {
public:
    using ticks = std::int64_t;

    /// One delivery of a message.
    struct delivery {
        std::int64_t message{};
        std::int64_t receives{};
    };

    /// Opens the file's queue of that name, and its dead-letter queue, or makes them. `denied`: one of them is there as
    /// the other kind, FIFO or standard.
    [[nodiscard]] static auto open(const std::string& path, const queue_options& options, const database_options& file)
        -> freshet::result<queue_store> {
        auto opened = database::open(path, file);
        if (!opened) { return opened.why(); }
        if (auto ready = opened->adopt("message queue", "1", schema); !ready) { return ready.why(); }
        queue_store made{std::move(*opened), options.fifo, options.max_receives};
        auto ready = made.find(options.name, made.here_);
        if (ready && options.max_receives > 0) { ready = made.find(options.dead_letters, made.dead_); }
        if (!ready) { return ready.why(); }
        return made;
    }

    [[nodiscard]] auto file() noexcept -> database& { return file_; }

    /// The delivery that a receipt names; nothing where it is no receipt of this queue.
    [[nodiscard]] auto delivery_of(std::string_view receipt) const -> std::optional<delivery> {
        if (!receipt.starts_with(here_.stamp)) { return std::nullopt; }
        receipt.remove_prefix(here_.stamp.size());
        delivery named;
        for (auto* number : {&named.message, &named.receives}) {
            if (!receipt.starts_with('-')) { return std::nullopt; }
            const auto* end = receipt.data() + receipt.size();
            const auto read = std::from_chars(receipt.data() + 1, end, *number);
            if (read.ec != std::errc{} || *number < 1) { return std::nullopt; }
            receipt.remove_prefix(static_cast<std::size_t>(read.ptr - receipt.data()));
        }
        return receipt.empty() ? std::optional{named} : std::nullopt;
    }

    /// Whether a deduplication id is free; from now on it is taken, until the instant given.
    [[nodiscard]] auto admit(std::string_view id, ticks now, ticks until) -> freshet::result<bool> {
        return file_.ask("INSERT INTO queue_taken VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE"
                         " SET until = excluded.until WHERE until <= ?4 RETURNING 1", here_.id, id, until, now)
            .transform([](std::int64_t is_new) { return is_new != 0; });
    }

    /// Stores a message behind all that are there.
    [[nodiscard]] auto store(const freshet::message_view& message, std::string_view deduplication_id, ticks now)
        -> freshet::result<void> {
        auto to = reserve(here_, message.group_id);
        if (!to) { return to.why(); }
        return file_.run("INSERT INTO queue_message VALUES (?1, ?2, ?3, ?4, 0, NULL, ?5, ?6, ?7)", to->message,
                         here_.id, to->lane, now, deduplication_id, message.sequence, message.body);
    }

    /// Hands out from the ready lanes. True: it moved many dead letters, handed out nothing, and there may be more.
    [[nodiscard]] auto take(std::size_t limit, ticks now, ticks hidden_until,
                            std::vector<freshet::received_message>& taken) -> freshet::result<bool> {
        std::size_t moved = 0;
        while (taken.size() < limit) {
            if (moved >= at_once) { return taken.empty(); }
            auto lane = file_.ask("SELECT id FROM queue_lane WHERE queue = ?1 AND blocked_until IS NULL"
                                  " ORDER BY first LIMIT 1", here_.id);
            if (!lane) { return lane.why(); }
            if (*lane == 0) { return false; }
            auto dead = take_from(*lane, limit - taken.size(), hidden_until, taken);
            if (!dead) { return dead.why(); }
            for (const auto message : *dead) {
                if (auto gone = bury(message, now); !gone) { return gone.why(); }
            }
            moved += dead->size();
            if (auto settled = settle(*lane); !settled) { return settled.why(); }
        }
        return false;
    }

    /// Ends the message of a delivery; its lane, or 0 where that was not its last delivery, or it is no longer there.
    [[nodiscard]] auto erase(const delivery& d) -> freshet::result<std::int64_t> {
        return file_.ask("DELETE FROM queue_message WHERE id = ?1 AND receives = ?2 RETURNING lane", d.message,
                         d.receives);
    }

    /// Makes the message of a delivery invisible until then; its lane, or 0 as above.
    [[nodiscard]] auto hide(const delivery& d, ticks until) -> freshet::result<std::int64_t> {
        return file_.ask("UPDATE queue_message SET hidden_until = ?3 WHERE id = ?1 AND receives = ?2 RETURNING lane",
                         d.message, d.receives, until);
    }

    /// Makes a lane what its messages say, after some of them changed.
    [[nodiscard]] auto settle(std::int64_t lane) -> freshet::result<void> {
        auto first = file_.ask("SELECT min(id) FROM queue_message WHERE lane = ?1", lane);
        if (!first) { return first.why(); }
        if (*first == 0) { return file_.run("DELETE FROM queue_lane WHERE id = ?1", lane); }
        return file_.run("UPDATE queue_lane SET first = ?2, blocked_until = (SELECT max(hidden_until)"
                         " FROM queue_message WHERE lane = ?1 AND hidden_until IS NOT NULL) WHERE id = ?1",
                         lane, *first);
    }

    /// Whether the message is there, however often it was handed out.
    [[nodiscard]] auto has(std::int64_t message) -> freshet::result<bool> {
        return file_.ask("SELECT 1 FROM queue_message WHERE id = ?1", message).transform([](auto n) { return n != 0; });
    }

    /// How many messages there are that were stored after an instant. Counts them.
    [[nodiscard]] auto count(ticks stored_after) -> freshet::result<std::size_t> {
        return file_.ask("SELECT count(*) FROM queue_message WHERE queue = ?1 AND sent_at > ?2", here_.id, stored_after)
            .transform([](std::int64_t n) { return static_cast<std::size_t>(n); });
    }

    /// Readies lanes that are blocked no more: one at least if there is one, and not all if they are many.
    [[nodiscard]] auto unblock(ticks now) -> freshet::result<void> {
        return file_.run("UPDATE queue_lane SET blocked_until = NULL WHERE id IN (SELECT id FROM queue_lane"
                         " WHERE queue = ?1 AND blocked_until <= ?2 ORDER BY blocked_until LIMIT ?3)",
                         here_.id, now, at_once);
    }

    /// Drops messages that were stored then or before. True: there may be more of them.
    [[nodiscard]] auto drop(ticks stored_until) -> freshet::result<bool> {
        std::set<std::int64_t> lanes;
        std::size_t dropped = 0;
        {
            auto old = file_.prepare("DELETE FROM queue_message WHERE id IN (SELECT id FROM queue_message"
                                     " WHERE queue = ?1 AND sent_at <= ?2 ORDER BY sent_at LIMIT ?3) RETURNING lane",
                                     here_.id, stored_until, at_once);
            if (!old) { return old.why(); }
            auto more = old->step();
            for (; more && *more; more = old->step(), ++dropped) { lanes.insert(old->number(0)); }
            if (!more) { return more; }
        }
        for (const auto lane : lanes) {
            if (auto settled = settle(lane); !settled) { return settled.why(); }
        }
        return dropped == at_once;
    }

    /// Forgets deduplication ids whose time is over: more of them than a request can bring.
    [[nodiscard]] auto forget(ticks now) -> freshet::result<void> {
        return file_.run("DELETE FROM queue_taken WHERE queue = ?1 AND deduplication_id IN (SELECT deduplication_id"
                         " FROM queue_taken WHERE queue = ?1 AND until <= ?2 ORDER BY until LIMIT ?3)",
                         here_.id, now, at_once);
    }

private:
    static constexpr std::size_t at_once = 100; // of what time alone has done, in one step

    static constexpr auto schema =
        "CREATE TABLE queue_id (last INTEGER NOT NULL) STRICT;" // no message or lane gets an id that another one had
        "INSERT INTO queue_id VALUES (0);"
        "CREATE TABLE queue_name ("
        " id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, fifo INTEGER NOT NULL, stamp TEXT NOT NULL) STRICT;"
        "CREATE TABLE queue_lane ("
        " id INTEGER PRIMARY KEY, queue INTEGER NOT NULL, group_id TEXT NOT NULL, shared INTEGER NOT NULL,"
        " first INTEGER NOT NULL, blocked_until INTEGER) STRICT;"
        "CREATE UNIQUE INDEX queue_lane_group ON queue_lane (queue, group_id) WHERE shared;"
        "CREATE INDEX queue_lane_ready ON queue_lane (queue, first) WHERE blocked_until IS NULL;"
        "CREATE INDEX queue_lane_blocked ON queue_lane (queue, blocked_until) WHERE blocked_until IS NOT NULL;"
        "CREATE TABLE queue_message ("
        " id INTEGER PRIMARY KEY, queue INTEGER NOT NULL, lane INTEGER NOT NULL, sent_at INTEGER NOT NULL,"
        " receives INTEGER NOT NULL, hidden_until INTEGER, deduplication_id TEXT NOT NULL, sequence TEXT NOT NULL,"
        " body TEXT NOT NULL) STRICT;"
        "CREATE INDEX queue_message_lane ON queue_message (lane);"
        "CREATE INDEX queue_message_hidden ON queue_message (lane, hidden_until) WHERE hidden_until IS NOT NULL;"
        "CREATE INDEX queue_message_age ON queue_message (queue, sent_at);"
        "CREATE TABLE queue_taken ("
        " queue INTEGER NOT NULL, deduplication_id TEXT NOT NULL, until INTEGER NOT NULL,"
        " PRIMARY KEY (queue, deduplication_id)) STRICT, WITHOUT ROWID;"
        "CREATE INDEX queue_taken_until ON queue_taken (queue, until);";

    struct queue {
        std::int64_t id{};
        std::string stamp; // begins its receipts, and tells them from those of other queues, also of other files
    };
    struct place {
        std::int64_t message{};
        std::int64_t lane{};
    };

    queue_store(database file, bool fifo, unsigned max_receives)
        : file_{std::move(file)}, fifo_{fifo}, max_receives_{max_receives} {}

    [[nodiscard]] auto find(const std::string& name, queue& found) -> freshet::result<void> {
        auto writing = file_.begin();
        if (!writing) { return writing.why(); }
        auto made = file_.run("INSERT INTO queue_name (name, fifo, stamp)"
                              " VALUES (?1, ?2, lower(hex(randomblob(4)))) ON CONFLICT DO NOTHING", name, fifo_);
        if (!made) { return made; }
        {
            auto known = file_.prepare("SELECT id, stamp, fifo FROM queue_name WHERE name = ?1", name);
            if (!known) { return known.why(); }
            if (auto row = known->step(); !row) { return row.why(); }
            if ((known->number(2) != 0) != fifo_) {
                return file_.refused("queue " + name + (fifo_ ? " is not FIFO" : " is FIFO"));
            }
            found = {known->number(0), std::string{known->text(1)}};
        }
        return writing->commit();
    }

    /// A place for one more message of a group.
    [[nodiscard]] auto reserve(const queue& where, std::string_view group) -> freshet::result<place> {
        auto id = file_.ask("UPDATE queue_id SET last = last + 1 RETURNING last");
        if (!id) { return id.why(); }
        if (fifo_) {
            auto lane = file_.ask("SELECT id FROM queue_lane WHERE queue = ?1 AND group_id = ?2 AND shared", where.id,
                                  group);
            if (!lane) { return lane.why(); }
            if (*lane != 0) { return place{*id, *lane}; }
        }
        return file_.run("INSERT INTO queue_lane VALUES (?1, ?2, ?3, ?4, ?1, NULL)", *id, where.id, group, fifo_)
            .transform([&] { return place{*id, *id}; });
    }

    /// Hands out the first messages of a lane; the answer is those among them that were handed out too often.
    [[nodiscard]] auto take_from(std::int64_t lane, std::size_t limit, ticks hidden_until,
                                 std::vector<freshet::received_message>& taken)
        -> freshet::result<std::vector<std::int64_t>> {
        std::vector<std::int64_t> dead;
        std::int64_t last = 0;
        {
            auto row = file_.prepare("SELECT m.id, receives, group_id, deduplication_id, body, sequence, sent_at"
                                     " FROM queue_message AS m JOIN queue_lane AS l ON l.id = m.lane"
                                     " WHERE m.lane = ?1 ORDER BY m.id LIMIT ?2", lane, limit);
            if (!row) { return row.why(); }
            auto more = row->step();
            for (; more && *more; more = row->step()) {
                const auto id = row->number(0);
                const auto receives = row->number(1);
                if (max_receives_ > 0 && receives >= max_receives_) {
                    dead.push_back(id);
                    continue;
                }
                last = id;
                const auto name = here_.stamp + '-' + std::to_string(id);
                taken.push_back({.id = name,
                                 .receipt = name + '-' + std::to_string(receives + 1),
                                 .group_id = std::string{row->text(2)},
                                 .deduplication_id = std::string{row->text(3)},
                                 .body = std::string{row->text(4)},
                                 .sequence = std::string{row->text(5)},
                                 .receive_count = static_cast<unsigned>(receives + 1),
                                 .sent_at = freshet::time_point{freshet::duration{row->number(6)}}});
            }
            if (!more) { return more.why(); }
        }
        // the dead ones among these are moved next, and lose what this says of them
        return file_.run("UPDATE queue_message SET receives = receives + 1, hidden_until = ?3"
                         " WHERE lane = ?1 AND id <= ?2", lane, last, hidden_until)
            .transform([&] { return std::move(dead); });
    }

    /// Moves a message behind what is in the dead-letter queue.
    [[nodiscard]] auto bury(std::int64_t message, ticks now) -> freshet::result<void> {
        std::string group;
        {
            auto row = file_.prepare("SELECT group_id FROM queue_message AS m JOIN queue_lane AS l ON l.id = m.lane"
                                     " WHERE m.id = ?1", message);
            if (!row) { return row.why(); }
            if (auto found = row->step(); !found) { return found.why(); }
            group = row->text(0);
        }
        auto to = reserve(dead_, group);
        if (!to) { return to.why(); }
        return file_.run("UPDATE queue_message SET id = ?2, queue = ?3, lane = ?4, sent_at = ?5, receives = 0,"
                         " hidden_until = NULL WHERE id = ?1", message, to->message, dead_.id, to->lane, now);
    }

    database file_;
    bool fifo_;
    unsigned max_receives_;
    queue here_;
    queue dead_;
};

} // namespace adapters::sqlite
