#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include <freshet/cache/scan_all.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <freshet/item/document.hpp>
#include <freshet/report/field_text.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <freshet/work/executor.hpp>
#include <table_cache/agent_run.hpp>
#include <table_cache/outcome.hpp>
#include <table_cache/sample_rows.hpp>
#include <table_cache/settings.hpp>
#include <table_cache/steps.hpp>
#include <table_cache/timeline.hpp>
#include <table_cache/transcript.hpp>
#include <table_cache/witness.hpp>

namespace email_agent {

/// Plays a timeline on the tables of a place: by an agent with a cache and, beside it, by one without, each step of
/// both on the same rows at the same instant. Where caching is off, there is the latter alone.
///
/// Steps of different work orders at the same instant run at once, as far as there are workers. Each answer that a step
/// gets is checked, and so are the counters.
template <class Place>
class player {
    using clock_type = freshet::testing::manual_clock;
    using level = support::log_level;

public:
    /// Borrows all that it is given. What happens is told to `to`.
    player(Place& place, clock_type& clock, const settings& wanted, const transcript& to)
        : place_{place}, clock_{clock}, wanted_{wanted}, to_{to}, knows_{wanted}, shown_{place,
                                                                                         clock,
                                                                                         wanted,
                                                                                         wanted.caching,
                                                                                         to,
                                                                                         watch_of(wanted.caching)} {
        if (wanted.caching) { twin_.emplace(place, clock, wanted, false, silent_, watch_of(false)); }
    }

    /// Fails where a table cannot be filled, read or followed, and with `expired` after a stop.
    [[nodiscard]] auto play(const timeline& all, const std::stop_token& stop = {}) -> freshet::result<outcome> {
        if (!all.empty()) { go_to(all.front().at); }
        if (auto filled = fill(); !filled) { return std::move(filled).why(); }
        if (wanted_.stream) {
            if (auto good = shown_.follow_students(place_, clock_); !good) { return std::move(good).why(); }
        }
        for (auto at = all.begin(); at != all.end();) {
            if (stop.stop_requested()) { return freshet::error{freshet::errc::expired, "stopped"}; }
            go_to(at->at);
            if (std::holds_alternative<step_taken>(at->what)) {
                const auto end = end_of_group(at, all.end());
                take_steps({at, end});
                at = end;
            } else {
                std::visit([this](const auto& entry) { this->apply(entry); }, at->what);
                ++at;
            }
        }
        return summed_up();
    }

private:
    /// Behind the steps of different orders that stand together at one instant.
    [[nodiscard]] static auto end_of_group(timeline::const_iterator at, timeline::const_iterator end)
        -> timeline::const_iterator {
        std::set<std::string_view> orders;
        const auto began = at->at;
        for (; at != end && at->at == began; ++at) {
            const auto* const taken = std::get_if<step_taken>(&at->what);
            if (taken == nullptr || !orders.insert(taken->order).second) { break; }
        }
        return at;
    }

    void go_to(freshet::time_point at) {
        if (at > clock_.now()) { clock_.advance(at - clock_.now()); }
    }

    [[nodiscard]] auto fill() -> freshet::result<void> {
        sample_rows samples{wanted_.rows, wanted_.seed};
        for (const auto name : table_names) {
            auto rows = samples.of(name);
            if (!rows) { return std::move(rows).why(); }
            if (auto filled = place_.fill(name, *rows); !filled) { return filled; }
            auto there = freshet::scan_all(place_.table(name), clock_); // perhaps rows of an earlier run too
            if (!there) { return std::move(there).why(); }
            for (const auto& row : there->rows) { knows_.wrote(clock_.now(), name, row); }
        }
        knows_.started();
        return {};
    }

    void take_steps(std::span<const timeline_entry> entries) {
        for (const auto& entry : entries) {
            knows_.foretell(std::get<step_taken>(entry.what), [this](std::string_view table, const read_counts& price) {
                out_.tables[table].foretold += price;
            });
        }
        shown_.catch_up();
        const auto done = do_all(shown_, entries);
        for (std::size_t i = 0; i != entries.size(); ++i) { tell(std::get<step_taken>(entries[i].what), *done[i]); }
        if (twin_) { static_cast<void>(do_all(*twin_, entries)); }
    }
    [[nodiscard]] auto do_all(agent_run<Place>& run, std::span<const timeline_entry> entries)
        -> std::vector<std::optional<freshet::result<step_report>>> {
        std::vector<std::optional<freshet::result<step_report>>> done(entries.size());
        freshet::thread_executor{wanted_.workers}.each(entries.size(), [&](std::size_t i) {
            const auto& taken = std::get<step_taken>(entries[i].what);
            done[i].emplace(run.the_agent().do_step(taken.order, taken.which));
        });
        return done;
    }
    void tell(const step_taken& taken, const freshet::result<step_report>& done) {
        ++out_.steps;
        const auto head = fmt::format("{} {} {}", now_shown(), freshet::printable(taken.order), name_of(taken.which));
        if (done) {
            to_.line(level::info, fmt::format("{}: {}, {}", head, counted(done->recipients, "recipient"),
                                              counted(done->letters, "letter")));
        } else {
            ++out_.failed_steps;
            to_.line(level::error, fmt::format("{} failed: {}", head, freshet::printable(done.why().note)));
        }
    }

    void apply(const message_heard& message) {
        to_.line(level::info, fmt::format("{} message: {}", now_shown(), freshet::printable(message.action)));
        each_run([&](auto& run) { static_cast<void>(run.the_agent().heard(message.action)); });
        if (message.action != "start") { return; }
        knows_.started();
        // What is read of the stream at the very instant of the message would not be newer than it.
        if (wanted_.stream) { clock_.advance(std::chrono::microseconds{1}); }
    }
    void apply(const order_set& set) {
        to_.line(level::debug, fmt::format("{} {} is {}", now_shown(), freshet::printable(set.order), set.state));
        auto& orders = place_.table("work_orders");
        const freshet::row_key key{set.order, {}};
        const auto if_present = freshet::write_condition<freshet::document>::if_present();
        auto state = freshet::document::parse(fmt::format(R"({{"state":{{"S":"{}"}}}})", set.state));
        if (!state) { return refuse(state.why()); }
        if (const auto written = orders.update(key, {*std::move(state), {}}, if_present); !written) {
            return refuse(written.why());
        }
        const auto row = orders.get(key);
        if (!row) { return refuse(row.why()); }
        knows_.wrote(clock_.now(), "work_orders", **row);
    }
    void apply(const row_written& write) {
        to_.line(level::debug, fmt::format("{} {}: {} is written", now_shown(), write.table,
                                           freshet::printable(text_of(write.row, "id"))));
        if (const auto put = place_.table(write.table).put(write.row); !put) { return refuse(put.why()); }
        knows_.wrote(clock_.now(), write.table, write.row);
    }
    void apply(const table_broken& broken) {
        to_.line(level::info, fmt::format("{} table {} {}", now_shown(), broken.table,
                                          broken.failing ? "fails from now on" : "answers again"));
        each_run([&](auto& run) { run.fail(broken.table, broken.failing); });
        knows_.broke(broken.table, broken.failing);
    }
    void apply(const step_taken&) {}

    void refuse(const freshet::error& why) {
        ++out_.failed_writes;
        to_.line(level::error, fmt::format("{} not written: {}", now_shown(), freshet::printable(why.note)));
    }
    template <class Act>
    void each_run(Act act) {
        act(shown_);
        if (twin_) { act(*twin_); }
    }

    /// Checks what a step sees: as old as the rules let it be, and no older.
    [[nodiscard]] auto watch_of(bool caching) -> row_watch {
        const auto judge = [this, caching](std::string_view table, auto was_there) {
            const auto age = knows_.oldest(table, caching);
            ++checked_;
            if (was_there(knows_.of(table), clock_.now(), age)) { return; }
            const std::scoped_lock lock{mutex_};
            out_.wrong.push_back(
                fmt::format("{} a step saw rows of {} that were not there within the last {}, or not since "
                            "the last start message",
                            now_shown(), table, freshet::field_text(age)));
        };
        return {.rows =
                    [judge](std::string_view table, const freshet::table_snapshot<freshet::document>& rows) {
                        judge(table, [&](const table_history& t, auto now, auto age) { return t.had(rows, now, age); });
                    },
                .row =
                    [judge](std::string_view table, const freshet::row_key& key, const freshet::document* row) {
                        judge(table, [&](const table_history& t, auto now, auto age) {
                            return t.had_row(key.partition, row, now, age);
                        });
                    }};
    }

    [[nodiscard]] auto summed_up() -> outcome {
        out_.checked = checked_;
        out_.followed = shown_.followed();
        const auto verdicts = shown_.verdicts();
        for (const auto name : table_names) {
            auto& table = out_.tables[name];
            table.with = shown_.counts(name);
            table.without = twin_ ? twin_->counts(name) : table.with;
            if (const auto found = verdicts.find(name); found != verdicts.end()) { table.verdicts = found->second; }
            const auto loads = out_.followed && name == "students" ? out_.followed->loads : 0;
            for (auto& line : discrepancies(name, table, loads)) { out_.wrong.push_back(std::move(line)); }
        }
        return std::move(out_);
    }

    [[nodiscard]] auto now_shown() const -> std::string {
        const auto text = freshet::format_rfc3339(clock_.now(), 0);
        return text ? std::string{text->view()} : freshet::field_text(clock_.now());
    }

    Place& place_;
    clock_type& clock_;
    const settings& wanted_;
    const transcript& to_;
    const transcript silent_{};
    witness knows_;
    std::atomic<std::size_t> checked_{};
    std::mutex mutex_; // guards what is wrong, while steps are done
    outcome out_;
    agent_run<Place> shown_;
    std::optional<agent_run<Place>> twin_; // without a cache
};

} // namespace email_agent
