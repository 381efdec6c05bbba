#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <sqlite3.h>

#include <freshet/backend/change.hpp>
#include <freshet/backend/clock.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/item_patch.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <adapters/item_table.hpp>
#include <adapters/item_write.hpp>
#include <adapters/page_place.hpp>
#include <adapters/sort_range.hpp>
#include <adapters/sqlite/database.hpp>
#include <adapters/sqlite/item_schema.hpp>

namespace adapters::sqlite {

/// A table of items in an SQLite file, one table a file.
///
/// Items are kept as canonical text, so a write that changes nothing is seen as such and tells nothing. Every other
/// write puts the row's text before and after it into the file's change log, in the same transaction; `change_stream`
/// reads it. One object belongs to one thread at a time; any number of objects, also of other processes, share a file.
template <class Clock>
class table {
public:
    static_assert(freshet::clock<Clock>, "a table needs a clock: an object with now() -> time_point");

    using row_type = freshet::document;
    using patch_type = freshet::item_patch;

    /// Opens the file or makes it; the clock dates the changes. A file that was made with other key attributes, indexes
    /// or names than `options` has is `denied`.
    [[nodiscard]] static auto open(const std::string& path, Clock& clock, const item_table_options& options = {},
                                   const database_options& file = {}) -> freshet::result<table> {
        auto opened = open_items(path, options, file);
        if (!opened) { return std::move(opened).why(); }
        table made{*std::move(opened), clock, options};
        if (auto ready = made.register_functions(); !ready) { return ready.why(); }
        return made;
    }

    [[nodiscard]] auto get(const freshet::row_key& key) -> freshet::result<std::optional<freshet::document>> {
        auto stored = stored_text(key);
        if (!stored) { return stored.why(); }
        if (!*stored) { return std::nullopt; }
        return item_in(**std::move(stored), key.partition, key.sort).transform([](freshet::document item) {
            return std::optional{std::move(item)};
        });
    }

    [[nodiscard]] auto put(const freshet::document& item, const item_condition& condition = {})
        -> freshet::result<void> {
        const auto row = row_of(item.image(), options_);
        if (!row) { return row.why(); }
        if (condition.what() == item_condition::kind::always) { return store(*row); }
        return alone(row->key, [&](const auto& stored) -> freshet::result<void> {
            const auto changes = plan_put(stored, *row, condition, options_);
            if (!changes) { return changes.why(); }
            return *changes ? store(*row) : freshet::result<void>{};
        });
    }

    [[nodiscard]] auto update(const freshet::row_key& key, const freshet::item_patch& patch,
                              const item_condition& condition = {}) -> freshet::result<void> {
        return alone(key, [&](const auto& stored) -> freshet::result<void> {
            const auto row = plan_update(stored, key, patch, condition, options_);
            if (!row) {
                if (stored) { // or the patch would seem to be what is wrong
                    auto there = item_in(std::string{*stored}, key.partition, key.sort);
                    if (!there) { return std::move(there).why(); }
                }
                return row.why();
            }
            return *row ? store(**row) : freshet::result<void>{};
        });
    }

    [[nodiscard]] auto erase(const freshet::row_key& key, const item_condition& condition = {})
        -> freshet::result<void> {
        return alone(key, [&](const auto& stored) -> freshet::result<void> {
            const auto changes = plan_erase(stored, key, condition, options_);
            if (!changes) { return changes.why(); }
            if (!*changes) { return {}; }
            return file_.run("DELETE FROM item WHERE pk = ?1 AND sk = ?2", key.partition, key.sort);
        });
    }

    /// Erases the row as the end of its time to live does: the change's cause is `expiry`.
    [[nodiscard]] auto expire(const freshet::row_key& key, const item_condition& condition = {})
        -> freshet::result<void> {
        writer_->cause = freshet::change_cause::expiry;
        auto erased = erase(key, condition);
        writer_->cause = freshet::change_cause::write;
        return erased;
    }

    /// Puts all of them or none, in one transaction; of two with the same key the later one stays, and both are told.
    [[nodiscard]] auto put_many(std::span<const freshet::document> items) -> freshet::result<void> {
        auto writing = file_.begin();
        if (!writing) { return writing.why(); }
        for (const auto& item : items) {
            const auto row = row_of(item.image(), options_);
            if (!row) { return row.why(); }
            if (auto stored = store(*row); !stored) { return stored; }
        }
        return writing->commit();
    }

    [[nodiscard]] auto scan(const freshet::page_request& request) -> freshet::result<freshet::page<freshet::document>> {
        return read(nullptr, {"''", "(pk, sk) > (?3, ?4)", "pk, sk"}, request);
    }

    [[nodiscard]] auto query(const freshet::index_query& which, const freshet::page_request& request)
        -> freshet::result<freshet::page<freshet::document>> {
        const auto index = index_of(which, options_);
        if (!index) { return index.why(); }
        if (*index == options_.indexes.size()) {
            return read(&which, {"sk", std::string{"pk = ?1 AND sk "} + (request.from ? ">" : ">=") + " ?2", "sk"},
                        request);
        }
        const auto [partition, sort] = index_columns(*index);
        const auto order = sort + ", pk, sk"; // no pk is empty: (first, '', '') is before all
        return read(&which, {sort, partition + " = ?1 AND (" + order + ") > (?2, ?3, ?4)", order}, request);
    }

    [[nodiscard]] auto options() const noexcept -> const item_table_options& { return options_; }
    /// The connection, for what is not a table's business; a transaction begun here is not one of the table's writes.
    [[nodiscard]] auto file() noexcept -> database& { return file_; }

private:
    /// What the triggers ask for, through SQL functions of this connection.
    struct writer {
        Clock* clock;
        freshet::change_cause cause{freshet::change_cause::write};
    };

    table(database file, Clock& clock, const item_table_options& options)
        : options_{options},
          store_{store_statement(options)},
          writer_{std::make_unique<writer>(writer{&clock})},
          file_{std::move(file)} {}

    [[nodiscard]] auto register_functions() -> freshet::result<void> {
        const auto add = [&](const char* name, void (*function)(sqlite3_context*, int, sqlite3_value**)) {
            return sqlite3_create_function_v2(file_.raw(), name, 0, SQLITE_UTF8 | SQLITE_INNOCUOUS, writer_.get(),
                                              function, nullptr, nullptr, nullptr);
        };
        const auto now = add("freshet_now", [](sqlite3_context* asked, int, sqlite3_value**) {
            const auto* by = static_cast<const writer*>(sqlite3_user_data(asked));
            sqlite3_result_int64(asked, by->clock->now().time_since_epoch().count());
        });
        const auto cause = add("freshet_cause", [](sqlite3_context* asked, int, sqlite3_value**) {
            sqlite3_result_int(asked, static_cast<int>(static_cast<const writer*>(sqlite3_user_data(asked))->cause));
        });
        if (now == SQLITE_OK && cause == SQLITE_OK) { return {}; }
        return file_.refused("the functions of the change log are not taken");
    }

    [[nodiscard]] auto stored_text(const freshet::row_key& key) -> freshet::result<std::optional<std::string>> {
        return file_.ask_text("SELECT text FROM item WHERE pk = ?1 AND sk = ?2", key.partition, key.sort);
    }

    /// The item that a row's text is; `denied` where it is none.
    [[nodiscard]] auto item_in(std::string text, std::string_view pk, std::string_view sk) const
        -> freshet::result<freshet::document> {
        auto item = freshet::document::parse(std::move(text));
        if (!item) { return damaged_row(file_, pk, sk, item.why()); }
        return item;
    }

    /// Calls `write(the row's stored text)` in a transaction of its own, which lasts if that succeeds.
    template <class Write>
    [[nodiscard]] auto alone(const freshet::row_key& key, Write write) -> freshet::result<void> {
        auto writing = file_.begin();
        if (!writing) { return writing.why(); }
        const auto stored = stored_text(key);
        if (!stored) { return stored.why(); }
        auto written = write(*stored ? std::optional<std::string_view>{**stored} : std::nullopt);
        return written ? writing->commit() : written;
    }

    /// Stores the row; where it is there already with this very text, nothing happens, in the change log neither.
    [[nodiscard]] auto store(const item_row& row) -> freshet::result<void> {
        auto stored = file_.prepare(store_, row.key.partition, row.key.sort, row.text);
        if (!stored) { return stored.why(); }
        for (auto place = 4; const auto& indexed : row.indexed) {
            stored->bind(place++, indexed ? std::optional{std::string_view{indexed->partition}} : std::nullopt);
            stored->bind(place++, indexed ? std::optional{std::string_view{indexed->sort}} : std::nullopt);
        }
        auto done = stored->step();
        return done ? freshet::result<void>{} : std::move(done).why();
    }

    /// Rows in an order: its first column, of which ranges are asked for, and the condition to be behind a place. Its
    /// parameters 1 to 4 are the partition, and the place's sort key in the index, pk and sk.
    struct row_order {
        std::string sort;
        std::string behind;
        std::string columns;
    };

    [[nodiscard]] auto read(const freshet::index_query* which, const row_order& order,
                            const freshet::page_request& request) -> freshet::result<freshet::page<freshet::document>> {
        page_place place;
        const auto range = which == nullptr ? sort_range{} : range_of(*which);
        place.index_sort = range.first;
        if (request.from) {
            auto named = place_of(options_, which, *request.from);
            if (!named) { return std::move(named).why(); }
            place = *std::move(named);
        }
        const auto limit = std::min<std::size_t>(page_limit(request, options_), 1u << 30);
        auto rows = file_.prepare("SELECT text, " + order.sort + ", pk, sk FROM item WHERE " + order.behind +
                                      (range.end ? " AND " + order.sort + " < ?6" : "") + " ORDER BY " + order.columns +
                                      " LIMIT ?5",
                                  which == nullptr ? std::string_view{} : which->partition, place.index_sort,
                                  place.row.partition, place.row.sort, limit + 1);
        if (!rows) { return rows.why(); }
        if (range.end) { rows->bind(6, *range.end); }
        freshet::page<freshet::document> page;
        while (true) {
            const auto more = rows->step();
            if (!more) { return more.why(); }
            if (!*more) { return page; }
            if (page.rows.size() == limit) {
                page.next = token_of(options_, which, place);
                return page;
            }
            auto row = item_in(std::string{rows->text(0)}, rows->text(2), rows->text(3));
            if (!row) { return std::move(row).why(); }
            page.rows.push_back(*std::move(row));
            if (page.rows.size() == limit) {
                place = {std::string{rows->text(1)}, {std::string{rows->text(2)}, std::string{rows->text(3)}}};
            }
        }
    }

    item_table_options options_;
    std::string store_;
    std::unique_ptr<writer> writer_; // outlives the connection, whose functions point to it
    database file_;
};

static_assert(freshet::table<table<freshet::testing::manual_clock>>);

} // namespace adapters::sqlite
