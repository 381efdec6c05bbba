#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <adapters/item_table.hpp>
#include <adapters/memory/ledger.hpp>
#include <freshet/cache/table_follower.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <table_cache/agent.hpp>
#include <table_cache/cache_lines.hpp>
#include <table_cache/counted_table.hpp>
#include <table_cache/settings.hpp>
#include <table_cache/tables.hpp>
#include <table_cache/transcript.hpp>

namespace email_agent {

/// An agent on the tables of a place, with counters and a transcript of its own, and a follower of the students where
/// they are to be followed. Borrows place, clock and transcript.
template <class Place>
class agent_run {
    using clock_type = freshet::testing::manual_clock;
    using table_type = counted_table<typename Place::table_type>;
    using lines_type = cache_lines<typename Place::table_type>;
    using ledger_type = adapters::memory::ledger<clock_type>;
    using agent_type = agent<typename Place::table_type, clock_type, ledger_type>;
    using follower_type = freshet::table_follower<table_type, typename Place::stream_type, clock_type, lines_type>;

public:
    agent_run(Place& place, clock_type& clock, const settings& wanted, bool caching, const transcript& to,
              row_watch watch)
        : to_{to},
          tables_{[&](std::string_view name) -> typename Place::table_type& { return place.table(name); },
                  wanted.reads},
          ledger_{clock},
          agent_{tables_,
                 clock,
                 ledger_,
                 {.caching = caching,
                  .interval = wanted.interval,
                  .intervals = wanted.intervals,
                  .followed_students = [this] { return follower_ ? follower_->rows() : std::nullopt; },
                  .watch = std::move(watch)},
                 lines_type{tables_, to, tally_}} {}
    agent_run(const agent_run&) = delete;
    auto operator=(const agent_run&) -> agent_run& = delete;

    /// Has the students followed from now on; fails where their stream cannot be opened.
    [[nodiscard]] auto follow_students(Place& place, clock_type& clock) -> freshet::result<void> {
        auto stream = place.students();
        if (!stream) { return std::move(stream).why(); }
        stream_.emplace(*std::move(stream));
        follower_.emplace(
            tables_["students"], *stream_, clock,
            [keys = options_of("students")](const freshet::document& row) {
                return adapters::key_of(row.image(), keys);
            },
            freshet::table_follower_options{}, lines_type{tables_, to_, tally_});
        return {};
    }

    /// Brings the students that are followed up to date. Where that fails, they are what they were, or scanned.
    void catch_up() {
        if (!follower_) { return; }
        for (bool done = false; !done;) {
            const auto step = follower_->step();
            if (!step) {
                to_.line(support::log_level::warning,
                         fmt::format("[CACHE] students: cannot be followed: {}", freshet::printable(step.why().note)));
                return;
            }
            followed_ += *step;
            done = step->caught_up;
        }
    }

    [[nodiscard]] auto the_agent() -> agent_type& { return agent_; }
    void fail(std::string_view table, bool from_now_on) { tables_[table].fail(from_now_on); }
    [[nodiscard]] auto counts(std::string_view table) -> read_counts { return tables_[table].counts(); }
    [[nodiscard]] auto verdicts() const -> verdict_tally::counts { return tally_.all(); }
    /// What the follower did; absent where nothing is followed.
    [[nodiscard]] auto followed() const -> std::optional<freshet::follow_report> {
        return follower_ ? std::optional{followed_} : std::nullopt;
    }

private:
    const transcript& to_;
    counted_tables<typename Place::table_type> tables_;
    verdict_tally tally_;
    ledger_type ledger_;
    std::optional<typename Place::stream_type> stream_;
    std::optional<follower_type> follower_;
    freshet::follow_report followed_;
    agent_type agent_;
};

} // namespace email_agent
