#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/backend/clock.hpp>
#include <freshet/backend/ledger.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <adapters/later.hpp>
#include <adapters/sqlite/database.hpp>

namespace adapters::sqlite {

struct ledger_options {
    /// How long a key is remembered after its work was done or given back, or its lease ended.
    freshet::duration remembered{std::chrono::hours{24 * 14}};
};

/// The ledger of an SQLite file: several processes share it, one object belongs to one thread at a time.
///
/// Tokens come from one counter of the file, so that they grow over forgotten keys too. A call is one transaction, and
/// a claim that is granted drops a few of the keys to be forgotten. Renewing what was given back, and nobody claimed
/// since, takes it back.
template <class Clock>
class ledger {
    static_assert(freshet::clock<Clock>, "a ledger's Clock needs now() const, which returns a freshet::time_point");

public:
    /// Opens the file, or makes it. The clock is borrowed.
    [[nodiscard]] static auto open(const std::string& path, const Clock& clock, const ledger_options& options = {},
                                   const database_options& file = {}) -> freshet::result<ledger> {
        auto opened = database::open(path, file);
        if (!opened) { return opened.why(); }
        if (auto ready = opened->adopt("ledger", "1", schema); !ready) { return ready.why(); }
        return ledger{*std::move(opened), clock, options};
    }
    static auto open(const std::string&, const Clock&&, const ledger_options& = {}, const database_options& = {})
        -> freshet::result<ledger> = delete;

    [[nodiscard]] auto claim(const freshet::claim_request& request) -> freshet::result<freshet::claim_answer> {
        auto writing = file_.begin();
        if (!writing) { return writing.why(); }
        const auto now = clock_->now();
        auto answer = judge(request, now);
        if (!answer || !answer->mine()) { return answer; }
        if (auto kept = grant(request.owner, answer->claim, now); !kept) { return kept.why(); }
        if (auto kept = writing->commit(); !kept) { return kept.why(); }
        return answer;
    }

    [[nodiscard]] auto renew(const freshet::work_claim& claim, freshet::duration lease)
        -> freshet::result<freshet::work_claim> {
        auto renewed = claim;
        renewed.expires_at = later(clock_->now(), lease);
        return touch(claim,
                     "UPDATE ledger_keys SET expires_at = ?3, state = iif(state = 'done', 'done', 'held'),"
                     " forget_at = iif(state = 'done', forget_at, ?4) WHERE key = ?1 AND token = ?2",
                     ticks(renewed.expires_at), ticks(later(renewed.expires_at, options_.remembered)))
            .transform([&] { return renewed; });
    }

    [[nodiscard]] auto complete(const freshet::work_claim& claim) -> freshet::result<void> {
        return touch(claim, "UPDATE ledger_keys SET state = 'done', forget_at = ?3 WHERE key = ?1 AND token = ?2",
                     ticks(later(clock_->now(), options_.remembered)));
    }

    /// Gives the claim back; what is completed stays completed.
    [[nodiscard]] auto release(const freshet::work_claim& claim) -> freshet::result<void> {
        return touch(claim,
                     "UPDATE ledger_keys SET state = iif(state = 'done', 'done', 'open'),"
                     " forget_at = iif(state = 'done', forget_at, ?3) WHERE key = ?1 AND token = ?2",
                     ticks(later(clock_->now(), options_.remembered)));
    }

    /// This ledger's own connection.
    [[nodiscard]] auto file() noexcept -> database& { return file_; }

private:
    static constexpr auto schema =
        "CREATE TABLE ledger_token (last INTEGER NOT NULL) STRICT;"
        "INSERT INTO ledger_token VALUES (0);"
        "CREATE TABLE ledger_keys ("
        " key TEXT PRIMARY KEY, token INTEGER NOT NULL, owner TEXT NOT NULL,"
        " state TEXT NOT NULL CHECK (state IN ('held', 'open', 'done')),"
        " expires_at INTEGER NOT NULL, forget_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
        "CREATE INDEX ledger_keys_forget ON ledger_keys (forget_at);";

    ledger(database file, const Clock& clock, const ledger_options& options)
        : file_{std::move(file)}, clock_{&clock}, options_{options} {}

    [[nodiscard]] static auto ticks(freshet::time_point at) noexcept -> std::int64_t {
        return at.time_since_epoch().count();
    }

    /// What the ledger says to a claim, as long as nobody writes.
    [[nodiscard]] auto judge(const freshet::claim_request& request, freshet::time_point now)
        -> freshet::result<freshet::claim_answer> {
        using enum freshet::claim_verdict;
        freshet::claim_answer answer{granted, {std::string{request.key}, 0, later(now, request.lease)}};
        auto known = file_.prepare("SELECT state, owner, expires_at, token FROM ledger_keys"
                                   " WHERE key = ?1 AND forget_at > ?2", request.key, ticks(now));
        if (!known) { return known.why(); }
        auto row = known->step();
        if (!row) { return row.why(); }
        if (!*row || known->text(0) == "open") { return answer; }
        const auto ends = freshet::time_point{freshet::duration{known->number(2)}};
        if (known->text(0) == "done") {
            answer = {completed, {std::string{request.key}, static_cast<std::uint64_t>(known->number(3)), ends}};
        } else if (ends <= now) {
            answer.verdict = taken_over;
        } else if (known->text(1) != request.owner) {
            answer = {held, {std::string{request.key}, 0, ends}};
        }
        return answer;
    }

    /// Writes the claim under a new token, which it gets.
    [[nodiscard]] auto grant(std::string_view owner, freshet::work_claim& claim, freshet::time_point now)
        -> freshet::result<void> {
        auto swept = file_.run("DELETE FROM ledger_keys WHERE key IN"
                               " (SELECT key FROM ledger_keys WHERE forget_at <= ?1 ORDER BY forget_at LIMIT 10)",
                               ticks(now));
        if (!swept) { return swept; }
        auto token = file_.ask("UPDATE ledger_token SET last = last + 1 RETURNING last");
        if (!token) { return token.why(); }
        claim.token = static_cast<std::uint64_t>(*token);
        return file_.run("INSERT INTO ledger_keys VALUES (?1, ?2, ?3, 'held', ?4, ?5)"
                         " ON CONFLICT (key) DO UPDATE SET token = excluded.token, owner = excluded.owner,"
                         " state = 'held', expires_at = excluded.expires_at, forget_at = excluded.forget_at",
                         claim.key, *token, owner, ticks(claim.expires_at),
                         ticks(later(claim.expires_at, options_.remembered)));
    }

    /// One statement on the key whose last token the claim has; `conflict` where it has not.
    template <class... Values>
    [[nodiscard]] auto touch(const freshet::work_claim& claim, std::string_view sql, const Values&... values)
        -> freshet::result<void> {
        if (auto done = file_.run(sql, claim.key, claim.token, values...); !done) { return done; }
        if (file_.changed() == 1) { return {}; }
        return freshet::error{freshet::errc::conflict, "ledger: " + freshet::printable(claim.key) + ": token " +
                                                           std::to_string(claim.token) + " is not its last"};
    }

    database file_;
    const Clock* clock_;
    ledger_options options_;
};

static_assert(freshet::ledger<ledger<freshet::testing::manual_clock>>);

} // namespace adapters::sqlite
