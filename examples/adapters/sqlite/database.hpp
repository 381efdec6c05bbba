#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <sqlite3.h>

#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>

#include <adapters/sqlite/statement.hpp>

namespace adapters::sqlite {

struct database_options {
    /// Whether a commit survives a power cut. Without, it survives a killed process, and a power cut may take the last.
    bool durable{true};
    freshet::duration busy{std::chrono::seconds{5}}; ///< how long to wait for other writers; 24 days at most
    bool read_only{false};
};

/// An open transaction; dropped without `commit`, it never was. Does not outlive its database.
class transaction {
public:
    explicit transaction(detail::connection& home) noexcept : home_{&home} {}
    transaction(transaction&& other) noexcept : home_{std::exchange(other.home_, nullptr)} {}
    auto operator=(transaction&&) -> transaction& = delete;
    ~transaction() {
        // some failures, a full disk for one, have rolled back already
        if (home_ != nullptr && sqlite3_get_autocommit(home_->handle.get()) == 0) {
            sqlite3_exec(home_->handle.get(), "ROLLBACK", nullptr, nullptr, nullptr);
        }
    }

    /// Makes it last. After a failure nothing of it is kept; only after `unavailable` for an input or output error
    /// that may be wrong.
    [[nodiscard]] auto commit() -> freshet::result<void> {
        const auto code = sqlite3_exec(home_->handle.get(), "COMMIT", nullptr, nullptr, nullptr);
        if (code != SQLITE_OK) { return home_->failure("COMMIT", code); }
        home_ = nullptr;
        return {};
    }

private:
    detail::connection* home_;
};

/// One connection to an SQLite file in WAL mode: one writer at a time, readers never wait for it.
///
/// Several connections, also of several processes, share a file; one connection belongs to one thread at a time, and is
/// not carried over a fork. Errors are one line: `<path>: <what was done>: <SQLite's words>`. A file that somebody else
/// holds for longer than `busy` is `unavailable`, as are a full disk and its failures; a file that cannot be opened or
/// written, that is damaged or another program's, is `denied`.
class database {
public:
    /// Opens the file, or makes it where there is none. The path is that of a file: no URI, and not `:memory:`.
    [[nodiscard]] static auto open(const std::string& path, const database_options& options = {})
        -> freshet::result<database> {
        database made;
        made.home_->path = path;
        sqlite3* raw = nullptr;
        const auto code =
            sqlite3_open_v2((path.starts_with('/') ? path : "./" + path).c_str(), &raw,
                            (options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) |
                                SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                            nullptr);
        made.home_->handle.reset(raw);
        if (code != SQLITE_OK) { return made.home_->failure("open", code); }
        sqlite3_busy_timeout(raw, static_cast<int>(patience(options).count()));
        if (auto ready = made.set_up(options); !ready) { return ready.why(); }
        return made;
    }

    /// Prepares one statement with its parameters `?1`, `?2`, … : texts, integers, `nullptr`, optionals of these.
    ///
    /// Prepared statements are kept for the next call with the same SQL, so let values be parameters.
    template <class... Values>
    [[nodiscard]] auto prepare(std::string_view sql, const Values&... values) -> freshet::result<statement> {
        auto found = home_->resting.find(sql);
        if (found == home_->resting.end()) {
            sqlite3_stmt* raw = nullptr;
            const auto code = sqlite3_prepare_v3(home_->handle.get(), sql.data(), static_cast<int>(sql.size()),
                                                 SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
            if (code != SQLITE_OK) { return home_->failure(sql, code); }
            found = home_->resting.emplace(sql, raw).first;
        }
        statement s{*home_, home_->resting.extract(found)};
        auto place = 0;
        (s.bind(++place, values), ...);
        return s;
    }

    /// Runs one statement to its end; the rows that it gives are dropped.
    template <class... Values>
    auto run(std::string_view sql, const Values&... values) -> freshet::result<void> {
        auto s = prepare(sql, values...);
        if (!s) { return s.why(); }
        while (true) {
            auto more = s->step();
            if (!more) { return more.why(); }
            if (!*more) { return {}; }
        }
    }

    /// Runs one statement and gives the first column of its first row as a number; 0 where there is no row, or NULL.
    template <class... Values>
    [[nodiscard]] auto ask(std::string_view sql, const Values&... values) -> freshet::result<std::int64_t> {
        auto s = prepare(sql, values...);
        if (!s) { return s.why(); }
        return s->step().transform([&](bool row) { return row ? s->number(0) : 0; });
    }
    /// The same as a text; absent where there is no row, or NULL.
    template <class... Values>
    [[nodiscard]] auto ask_text(std::string_view sql, const Values&... values)
        -> freshet::result<std::optional<std::string>> {
        auto s = prepare(sql, values...);
        if (!s) { return s.why(); }
        return s->step().transform(
            [&](bool row) { return row && !s->is_null(0) ? std::optional{std::string{s->text(0)}} : std::nullopt; });
    }

    /// Starts a transaction that may write: it waits here for other writers, and none comes between.
    [[nodiscard]] auto begin() -> freshet::result<transaction> { return begin("BEGIN IMMEDIATE"); }
    /// Starts a transaction that only reads, and sees the same state throughout.
    [[nodiscard]] auto begin_read() -> freshet::result<transaction> { return begin("BEGIN"); }

    /// How many rows the last INSERT, UPDATE or DELETE wrote; triggers do not count.
    [[nodiscard]] auto changed() const noexcept -> std::int64_t { return sqlite3_changes64(home_->handle.get()); }

    /// Makes sure that the file holds a component's tables in this version: makes them by `schema`, several statements,
    /// where the component is new to the file. Holding another version of it is `denied`.
    [[nodiscard]] auto adopt(std::string_view component, std::string_view version, const std::string& schema)
        -> freshet::result<void> {
        auto known = holds(component, version);
        if (!known) { return known.why(); }
        if (*known) { return {}; }
        if (sqlite3_db_readonly(raw(), "main") == 1) { return refused("holds no " + std::string{component}); }
        auto making = begin();
        if (!making) { return making.why(); }
        known = holds(component, version); // somebody else may have been faster
        if (!known) { return known.why(); }
        if (*known) { return {}; }
        const auto code = sqlite3_exec(raw(), schema.c_str(), nullptr, nullptr, nullptr);
        if (code != SQLITE_OK) { return home_->failure("create " + std::string{component}, code); }
        auto noted = run("INSERT INTO freshet_component VALUES (?1, ?2)", component, version);
        return noted ? making->commit() : noted;
    }

    [[nodiscard]] auto path() const noexcept -> const std::string& { return home_->path; }
    /// An error of this file in the words of its own errors: `denied`, with a note `<path>: <why>`.
    [[nodiscard]] auto refused(std::string_view why) const -> freshet::error {
        return {freshet::errc::denied, freshet::printable(home_->path) + ": " + freshet::printable(why, 400)};
    }
    /// For what this class does not offer; stays the database's.
    [[nodiscard]] auto raw() const noexcept -> sqlite3* { return home_->handle.get(); }

private:
    static constexpr std::int64_t application_id = 0x66'72'73'68; // "frsh", in the file's header

    /// `busy` as SQLite takes it: an `int` of milliseconds.
    [[nodiscard]] static auto patience(const database_options& options) noexcept -> std::chrono::milliseconds {
        using std::chrono::milliseconds;
        return std::clamp(std::chrono::ceil<milliseconds>(options.busy), milliseconds{},
                          milliseconds{std::numeric_limits<int>::max()});
    }

    database() : home_{std::make_unique<detail::connection>()} {}

    [[nodiscard]] auto begin(std::string_view how) -> freshet::result<transaction> {
        return run(how).transform([&] { return transaction{*home_}; });
    }

    [[nodiscard]] auto holds(std::string_view component, std::string_view version) -> freshet::result<bool> {
        auto held = ask_text("SELECT version FROM freshet_component WHERE component = ?1", component);
        if (!held) { return held.why(); }
        if (!*held) { return false; }
        if (**held == version) { return true; }
        return refused("holds " + std::string{component} + " as \"" + **held + "\", not as \"" + std::string{version} +
                       "\"");
    }

    /// Whether the file is ours; false: it is empty. Anything else is refused.
    [[nodiscard]] auto is_ours() -> freshet::result<bool> {
        auto seen = begin_read();
        if (!seen) { return seen.why(); }
        auto id = ask("PRAGMA application_id");
        if (!id) { return id.why(); }
        auto objects = ask("SELECT count(*) FROM sqlite_schema");
        if (!objects) { return objects.why(); }
        if (*id == application_id) { return true; }
        if (*id == 0 && *objects == 0) { return false; }
        return refused("is another program's database");
    }

    [[nodiscard]] auto set_up(const database_options& options) -> freshet::result<void> {
        auto ours = is_ours();
        if (!ours) { return ours.why(); }
        if (options.read_only) { return *ours ? freshet::result<void>{} : refused("is empty"); }
        if (auto set = run(options.durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL"); !set) {
            return set;
        }
        if (auto set = write_ahead(options); !set) { return set; }
        return *ours ? freshet::result<void>{} : make_ours();
    }

    [[nodiscard]] auto write_ahead(const database_options& options) -> freshet::result<void> {
        const auto until = std::chrono::steady_clock::now() + patience(options);
        while (true) {
            auto mode = prepare("PRAGMA journal_mode = WAL");
            if (!mode) { return mode.why(); }
            if (auto row = mode->step(); row) {
                return mode->text(0) == "wal" ? freshet::result<void>{} : refused("cannot be written ahead (WAL)");
            }
            // the switch can meet others who open the new file, and then does not wait by itself
            const auto code = sqlite3_errcode(raw()) & 0xff;
            if ((code != SQLITE_BUSY && code != SQLITE_LOCKED) || std::chrono::steady_clock::now() >= until) {
                return home_->failure("PRAGMA journal_mode = WAL", sqlite3_errcode(raw()));
            }
            std::this_thread::sleep_for(std::chrono::milliseconds{2});
        }
    }

    [[nodiscard]] auto make_ours() -> freshet::result<void> {
        auto making = begin();
        if (!making) { return making.why(); }
        auto id = ask("PRAGMA application_id");
        if (!id) { return id.why(); }
        if (*id == application_id) { return {}; }
        auto made = run("CREATE TABLE freshet_component (component TEXT PRIMARY KEY, version TEXT NOT NULL) STRICT");
        if (made) { made = run("PRAGMA application_id = " + std::to_string(application_id)); }
        return made ? making->commit() : made;
    }

    std::unique_ptr<detail::connection> home_;
};

} // namespace adapters::sqlite
