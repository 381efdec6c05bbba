#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <adapters/item_table.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/item_patch.hpp>
#include <table_cache/read_units.hpp>
#include <table_cache/tables.hpp>

namespace email_agent {

/// A table of items that counts what is read of it, and fails while it is told to. Borrows the other table.
///
/// Threads may share it, whatever the other table is like: one request is made at a time.
template <class Table>
class counted_table {
public:
    using is_shareable = void;
    using row_type = freshet::document;
    using patch_type = freshet::item_patch;
    using condition = freshet::write_condition<row_type>;

    counted_table(Table& of, std::string_view name, consistency how) : of_{of}, name_{name}, how_{how} {}

    [[nodiscard]] auto get(const freshet::row_key& key) -> freshet::result<std::optional<row_type>> {
        return counted([&] { return of_.get(key); },
                       [&](const auto& row) { add_rows(row ? &*row : nullptr, row ? 1 : 0); });
    }
    [[nodiscard]] auto scan(const freshet::page_request& request) -> freshet::result<freshet::page<row_type>> {
        return counted([&] { return of_.scan(request); },
                       [&](const auto& page) {
                           add({.scans = request.from ? 0 : 1, .pages = 1});
                           add_rows(page.rows.data(), page.rows.size());
                       });
    }
    [[nodiscard]] auto query(const freshet::index_query& which, const freshet::page_request& request)
        -> freshet::result<freshet::page<row_type>> {
        return counted([&] { return of_.query(which, request); },
                       [&](const auto& page) { add_rows(page.rows.data(), page.rows.size()); });
    }
    [[nodiscard]] auto put(const row_type& row, const condition& when = {}) -> freshet::result<void> {
        const std::scoped_lock lock{mutex_};
        return of_.put(row, when);
    }
    [[nodiscard]] auto update(const freshet::row_key& key, const patch_type& patch, const condition& when = {})
        -> freshet::result<void> {
        const std::scoped_lock lock{mutex_};
        return of_.update(key, patch, when);
    }
    [[nodiscard]] auto erase(const freshet::row_key& key, const condition& when = {}) -> freshet::result<void> {
        const std::scoped_lock lock{mutex_};
        return of_.erase(key, when);
    }

    /// Whether every read fails from now on.
    void fail(bool from_now_on) {
        const std::scoped_lock lock{mutex_};
        failing_ = from_now_on;
    }

    /// All that was read so far.
    [[nodiscard]] auto counts() const -> read_counts {
        const std::scoped_lock lock{mutex_};
        return all_;
    }
    /// What the calling thread has read since it last asked.
    [[nodiscard]] auto read_here() -> read_counts {
        const std::scoped_lock lock{mutex_};
        return std::exchange(here_[std::this_thread::get_id()], {});
    }

private:
    template <class Read, class Count>
    auto counted(Read read, Count count) -> decltype(read()) {
        const std::scoped_lock lock{mutex_};
        add({.requests = 1});
        if (failing_) { return freshet::error{freshet::errc::unavailable, "table " + name_ + " does not answer"}; }
        auto got = read();
        if (got) { count(*got); }
        return got;
    }
    void add_rows(const row_type* rows, std::size_t count) {
        std::size_t bytes = 0;
        for (std::size_t i = 0; i != count; ++i) { bytes += adapters::item_size(rows[i].image()); }
        add({.rows = static_cast<std::int64_t>(count), .units = price_of(bytes, how_)});
    }
    void add(const read_counts& some) {
        all_ += some;
        here_[std::this_thread::get_id()] += some;
    }

    Table& of_;
    std::string name_;
    consistency how_;
    mutable std::mutex mutex_; // guards what follows, and the other table
    bool failing_{};
    read_counts all_;
    std::map<std::thread::id, read_counts> here_;
};

/// The agent's tables, each counted, of a place that has them.
template <class Table>
class counted_tables {
public:
    /// `table_of(name)` is a table, which is borrowed.
    template <class TableOf>
    counted_tables(TableOf&& table_of, consistency how) {
        for (const auto name : table_names) { tables_.try_emplace(name, table_of(name), name, how); }
    }

    /// The table of that name, which is one of `table_names`.
    [[nodiscard]] auto operator[](std::string_view name) -> counted_table<Table>& { return tables_.find(name)->second; }

private:
    std::map<std::string_view, counted_table<Table>> tables_;
};

} // namespace email_agent
