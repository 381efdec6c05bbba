#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <adapters/item_table.hpp>
#include <freshet/backend/ledger.hpp>
#include <freshet/cache/any_match.hpp>
#include <freshet/cache/refresh_policy.hpp>
#include <freshet/cache/table_cache.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/item/document.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/isolated.hpp>
#include <table_cache/cache_lines.hpp>
#include <table_cache/counted_table.hpp>
#include <table_cache/steps.hpp>
#include <table_cache/tables.hpp>

namespace email_agent {

using student_rows = freshet::snapshot_at<freshet::document>;

/// What watches the rows that steps see; called by several threads at once.
struct row_watch {
    std::function<void(std::string_view table, const freshet::table_snapshot<freshet::document>&)> rows{};
    std::function<void(std::string_view table, const freshet::row_key&, const freshet::document*)> row{};
};

struct agent_options {
    bool caching{true};
    freshet::duration interval{std::chrono::minutes{10}};              ///< while work orders sleep
    std::map<std::string, freshet::duration, std::less<>> intervals{}; ///< of tables that have their own
    freshet::duration lease{std::chrono::minutes{5}};                  ///< of a work order that is at a step
    std::string owner{"email-agent"};                                  ///< this agent, and no other that may be alive
    std::function<std::optional<student_rows>()> followed_students{};  ///< absent: they are scanned
    row_watch watch{};
};

/// Does the steps of work orders, with the tables that they need from a cache.
///
/// A work order is locked while it is at a step. A step whose read fails has failed, once and for all, and unlocks its
/// work order. Thread safe, as far as clock and ledger are; borrows all but the options.
template <class Table, class Clock, class Ledger>
class agent {
public:
    agent(counted_tables<Table>& tables, const Clock& clock, Ledger& ledger, agent_options options,
          cache_lines<Table> lines)
        : options_{std::move(options)},
          tables_{tables},
          ledger_{ledger},
          cache_{cached(),
                 clock,
                 {.enabled = options_.caching, .sleepers = [this] { return sleepers(); }},
                 freshet::sleeping_aware{options_.interval},
                 std::move(lines)} {}

    /// Does a step; `conflict` where somebody else is at the order, `failed` where it, or a row that it names, is not
    /// there; else fails as the read did. No scan goes on after the deadline or a stop.
    [[nodiscard]] auto do_step(const std::string& order, step which,
                               freshet::deadline until = freshet::deadline::never(), const std::stop_token& stop = {})
        -> freshet::result<step_report> {
        const auto me = options_.owner + "/" + std::to_string(++claims_);
        const auto lock = ledger_.claim({.key = order, .owner = me, .lease = options_.lease});
        if (!lock) { return lock.why(); }
        if (!lock->mine()) {
            return freshet::error{freshet::errc::conflict, "work order " + freshet::printable(order) + " is locked"};
        }
        auto done = freshet::isolated([&] { return do_locked(order, which, until, stop); });
        if (auto unlocked = ledger_.release(lock->claim); done && !unlocked) { return std::move(unlocked).why(); }
        return done;
    }

    /// Takes note of a message; whether it started work, so that all tables are scanned anew.
    auto heard(std::string_view action) -> bool { return cache_.heard(action); }

    [[nodiscard]] auto state() const -> freshet::table_cache_state { return cache_.state(); }

private:
    using cache_type = freshet::table_cache<counted_table<Table>, Clock, freshet::sleeping_aware, cache_lines<Table>>;
    using cached_table = freshet::cached_table<counted_table<Table>>;

    [[nodiscard]] auto cached() -> std::vector<cached_table> {
        std::vector<cached_table> all;
        for (const auto name : table_names) {
            if (name == "work_orders") { continue; } // a step sees its order as it is
            auto& one = all.emplace_back(std::string{name}, tables_[name],
                                         [keys = options_of(name)](const freshet::document& row) {
                                             return adapters::key_of(row.image(), keys);
                                         });
            if (const auto own = options_.intervals.find(name); own != options_.intervals.end()) {
                one.interval = own->second;
            }
            if (name == "students") { one.followed = options_.followed_students; }
        }
        return all;
    }
    [[nodiscard]] auto sleepers() -> freshet::result<freshet::presence> {
        return freshet::any_match(tables_["work_orders"], {.index = std::string{state_index}, .partition = "sleeping"});
    }

    [[nodiscard]] auto do_locked(const std::string& id, step which, freshet::deadline until,
                                 const std::stop_token& stop) -> freshet::result<step_report> {
        const auto order = tables_["work_orders"].get({id, {}});
        if (!order) { return order.why(); }
        if (!*order) {
            return freshet::error{freshet::errc::failed, "there is no work order " + freshet::printable(id)};
        }
        step_rows read;
        const auto row = [&](std::string_view table, const std::string& key, step_rows::row& to) {
            return look_up(table, {key, {}}, to, until, stop);
        };
        const auto rows = [&](std::string_view table, step_rows::rows& to) { return scan(table, to, until, stop); };
        auto all = row("stages", text_of(**order, "stage"), read.stage);
        if (all && makes_letters(which)) { all = row("events", text_of(**order, "event"), read.event); }
        if (all) { all = rows("students", read.students); }
        if (all) { all = rows("pools", read.pools); }
        if (all && makes_letters(which)) { all = rows("prompts", read.prompts); }
        if (!all) { return std::move(all).why(); }
        return carry_out(which, **order, read);
    }
    [[nodiscard]] auto look_up(std::string_view table, const freshet::row_key& key, step_rows::row& to,
                               freshet::deadline until, const std::stop_token& stop) -> freshet::result<void> {
        auto answer = cache_.row(table, key, until, stop);
        if (!answer) { return std::move(answer).why(); }
        to = answer->row;
        if (options_.watch.row) { options_.watch.row(table, key, to.get()); }
        return {};
    }
    [[nodiscard]] auto scan(std::string_view table, step_rows::rows& to, freshet::deadline until,
                            const std::stop_token& stop) -> freshet::result<void> {
        auto answer = cache_.scan(table, until, stop);
        if (!answer) { return std::move(answer).why(); }
        to = answer->rows;
        if (options_.watch.rows) { options_.watch.rows(table, *to); }
        return {};
    }

    agent_options options_;
    counted_tables<Table>& tables_;
    Ledger& ledger_;
    std::atomic<std::uint64_t> claims_{};
    cache_type cache_;
};

} // namespace email_agent
