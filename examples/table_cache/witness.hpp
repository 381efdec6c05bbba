#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/cache/table_follower.hpp>
#include <freshet/core/time.hpp>
#include <freshet/item/document.hpp>
#include <table_cache/settings.hpp>
#include <table_cache/steps.hpp>
#include <table_cache/table_history.hpp>
#include <table_cache/tables.hpp>
#include <table_cache/timeline.hpp>

namespace email_agent {

/// Knows by the writes alone what the tables hold: says what a step may see and what its reads cost without a cache.
///
/// Threads may share it while nothing is written.
class witness {
public:
    explicit witness(const settings& wanted) : wanted_{wanted} {
        for (const auto name : table_names) { history_[name]; }
    }

    /// The table has this row from now on.
    void wrote(freshet::time_point now, std::string_view table, const freshet::document& row) {
        const auto id = text_of(row, "id");
        history_.find(table)->second.write(now, id, row);
        if (table != "work_orders") { return; }
        if (text_of(row, "state") == "sleeping") {
            sleeping_.insert(id);
        } else {
            sleeping_.erase(id);
        }
        orders_[id] = {text_of(row, "stage"), text_of(row, "event")};
    }
    /// From now on nobody may see what was before.
    void started() {
        for (auto& [name, history] : history_) { history.forbid_older(); }
    }
    /// Reads of the table fail from now on, or succeed again.
    void broke(const std::string& table, bool failing) {
        if (failing) {
            failing_.insert(table);
        } else {
            failing_.erase(table);
        }
    }

    [[nodiscard]] auto of(std::string_view table) const -> const table_history& { return history_.find(table)->second; }

    /// How old rows may be that a step sees now: as old as the interval while work orders sleep, or as the lag of what
    /// is followed, and not at all otherwise.
    [[nodiscard]] auto oldest(std::string_view table, bool caching) const -> freshet::duration {
        if (!caching) { return {}; }
        const auto own = wanted_.intervals.find(table);
        const auto interval = own == wanted_.intervals.end() ? wanted_.interval : own->second;
        const auto lag =
            wanted_.stream && table == "students" ? freshet::table_follower_options{}.lag : freshet::duration{};
        return std::max(sleeping_.empty() ? freshet::duration{} : interval, lag);
    }

    /// Calls `take(table, read_counts)` with what the step will read without a cache. It ends at a table that fails.
    template <class Take>
    void foretell(const step_taken& taken, Take&& take) const {
        bool goes_on = true;
        const auto add = [&](std::string_view table, auto price) {
            if (!goes_on) { return; }
            goes_on = !failing_.contains(table);
            take(table, goes_on ? price(of(table)) : read_counts{.requests = 1});
        };
        const auto row = [&](std::string_view table, const std::string& id) {
            add(table, [&](const table_history& t) { return t.row_price(id, wanted_.reads); });
        };
        const auto scan = [&](std::string_view table) {
            add(table, [&](const table_history& t) { return t.scan_price(wanted_.reads); });
        };
        row("work_orders", taken.order);
        const auto order = orders_.find(taken.order);
        if (order == orders_.end()) { return; }
        row("stages", order->second.stage);
        if (makes_letters(taken.which)) { row("events", order->second.event); }
        scan("students");
        scan("pools");
        if (makes_letters(taken.which)) { scan("prompts"); }
    }

private:
    struct order_keys {
        std::string stage;
        std::string event;
    };

    const settings& wanted_;
    std::map<std::string_view, table_history> history_;
    std::map<std::string, order_keys, std::less<>> orders_;
    std::set<std::string, std::less<>> sleeping_;
    std::set<std::string, std::less<>> failing_;
};

} // namespace email_agent
