#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <sqlite3.h>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>

namespace adapters::sqlite {

/// What a caller can do about an SQLite result code, primary or extended.
///
/// Source: "Result and Error Codes" of the SQLite documentation.
[[nodiscard]] constexpr auto errc_of(int code) noexcept -> freshet::errc {
    switch (code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_FULL:
        case SQLITE_IOERR:
        case SQLITE_NOMEM:
        case SQLITE_PROTOCOL:
        case SQLITE_INTERRUPT: return freshet::errc::unavailable;
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
        case SQLITE_CANTOPEN:
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB: return freshet::errc::denied;
        case SQLITE_TOOBIG: return freshet::errc::too_large;
        case SQLITE_CONSTRAINT: return freshet::errc::conflict;
        default: return freshet::errc::failed;
    }
}

namespace detail {

struct finalize {
    void operator()(sqlite3_stmt* s) const noexcept { sqlite3_finalize(s); }
};
struct close {
    void operator()(sqlite3* c) const noexcept { sqlite3_close_v2(c); }
};

/// An open file and the statements that rest, by their SQL.
struct connection {
    using statements = std::map<std::string, std::unique_ptr<sqlite3_stmt, finalize>, std::less<>>;

    std::string path;
    std::unique_ptr<sqlite3, close> handle;
    statements resting;

    /// `<path>: <the SQL's beginning>: <SQLite's message>`, on one line.
    [[nodiscard]] auto failure(std::string_view doing, int code) const -> freshet::error {
        const auto* said =
            handle && sqlite3_errcode(handle.get()) == code ? sqlite3_errmsg(handle.get()) : sqlite3_errstr(code);
        return {errc_of(code),
                freshet::printable(path) + ": " + freshet::printable(doing, 40) + ": " + freshet::printable(said)};
    }
};

} // namespace detail

/// One run of an SQL statement, made by `database::prepare`. Does not outlive its database; dropping it ends the run.
class statement {
public:
    statement(detail::connection& home, detail::connection::statements::node_type prepared) noexcept
        : home_{&home}, prepared_{std::move(prepared)} {}
    statement(statement&&) noexcept = default;
    auto operator=(statement&&) -> statement& = delete;
    ~statement() {
        if (!prepared_) { return; }
        sqlite3_reset(raw());
        sqlite3_clear_bindings(raw());
        home_->resting.insert(std::move(prepared_)); // where its like rests already, this one ends
    }

    /// Goes on to the next row; false: there is none, and the statement has done its work.
    ///
    /// Outside a transaction, a statement that writes and returns rows has written for good only when this said false.
    [[nodiscard]] auto step() -> freshet::result<bool> {
        if (code_ == SQLITE_OK || code_ == SQLITE_ROW) { code_ = sqlite3_step(raw()); }
        if (code_ == SQLITE_ROW || code_ == SQLITE_DONE) { return code_ == SQLITE_ROW; }
        return home_->failure(prepared_.key(), code_);
    }

    /// The row's columns, counted from 0. A text is a view until the next step.
    [[nodiscard]] auto text(int column) const noexcept -> std::string_view {
        const auto* bytes = static_cast<const char*>(sqlite3_column_blob(raw(), column));
        return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(raw(), column))};
    }
    [[nodiscard]] auto number(int column) const noexcept -> std::int64_t { return sqlite3_column_int64(raw(), column); }
    [[nodiscard]] auto is_null(int column) const noexcept -> bool {
        return sqlite3_column_type(raw(), column) == SQLITE_NULL;
    }

    /// Sets parameter `place`, counted from 1, to a copy of the text. A failure comes with the next step.
    void bind(int place, std::string_view text) {
        note(sqlite3_bind_text64(raw(), place, text.empty() ? "" : text.data(), text.size(), SQLITE_TRANSIENT,
                                 SQLITE_UTF8));
    }
    void bind(int place, std::integral auto number) {
        note(sqlite3_bind_int64(raw(), place, static_cast<std::int64_t>(number)));
    }
    void bind(int place, std::nullptr_t) { note(sqlite3_bind_null(raw(), place)); }
    template <class Value>
    void bind(int place, const std::optional<Value>& value) {
        value ? bind(place, *value) : bind(place, nullptr);
    }

    /// For `sqlite3_stmt_status` and the like.
    [[nodiscard]] auto raw() const noexcept -> sqlite3_stmt* { return prepared_.mapped().get(); }

private:
    void note(int code) noexcept {
        if (code_ == SQLITE_OK) { code_ = code; }
    }

    detail::connection* home_;
    detail::connection::statements::node_type prepared_;
    int code_{SQLITE_OK};
};

} // namespace adapters::sqlite
