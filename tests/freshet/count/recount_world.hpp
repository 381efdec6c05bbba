#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <adapters/memory/bucket_sink.hpp>
#include <freshet/backend/change.hpp>
#include <freshet/backend/record_source.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/result.hpp>
#include <freshet/count/recount.hpp>
#include <freshet/count/recount_trigger.hpp>
#include <freshet/testing/manual_clock.hpp>

#include "plain_counts.hpp"

namespace count_bench {

inline constexpr auto hour = freshet::hour_ladder::widths();

struct row {
    std::string account;
    std::string created_at;
    int score{};
};

[[nodiscard]] inline auto time_of(const row& of) -> std::optional<freshet::time_point> {
    const auto read = freshet::parse_rfc3339(of.created_at);
    return read ? std::optional{*read} : std::nullopt;
}

/// Rows by id, and an index by account and second; the rows of a second are in an order that is not the one of time.
class live_table {
public:
    live_table(std::mt19937_64& random, std::size_t most_on_page) : random_{random}, most_on_page_{most_on_page} {}

    static constexpr auto order = freshet::record_order::by_time;
    std::function<void()> before_page = [] {};

    void put(const std::string& id, row what) {
        erase(id);
        if (const auto at = place_of(id, what)) { index_[what.account].emplace(*at, id); }
        rows_[id] = std::move(what);
    }
    void erase(const std::string& id) {
        const auto found = rows_.find(id);
        if (found == rows_.end()) { return; }
        if (const auto at = place_of(id, found->second)) { index_[found->second.account].erase(*at); }
        rows_.erase(found);
    }
    [[nodiscard]] auto rows() const -> const std::map<std::string, row>& { return rows_; }

    /// Pages of any size, empty ones among them, that may begin with what the one before ended with.
    auto list(const freshet::series_key& series, const freshet::time_range& range, const freshet::page_request& request)
        -> freshet::result<freshet::page<freshet::listed_record>> {
        before_page();
        if (random_() % 200 == 0) { return freshet::error{freshet::errc::unavailable, "a fault of the test"}; }
        const auto& index = index_[series.account];
        auto last = request.from ? std::optional{tokens_.at(*request.from)} : std::nullopt;
        auto next = last ? index.upper_bound(*last)
                         : index.lower_bound({std::chrono::floor<std::chrono::seconds>(range.start), 0, ""});
        if (last && random_() % 4 == 0 && index.contains(*last)) { --next; }
        const auto end = index.lower_bound({std::chrono::ceil<std::chrono::seconds>(range.end), 0, ""});
        freshet::page<freshet::listed_record> page;
        const auto want = std::max<std::size_t>(last ? 0 : 1, random_() % (most_on_page_ + 1));
        for (; next != end && page.rows.size() != want; ++next) {
            page.rows.push_back({next->second, rows_.at(next->second).created_at});
            last = next->first;
        }
        if (next != end) {
            const auto token = std::to_string(tokens_.size());
            tokens_.emplace(token, *last);
            page.next = token;
        }
        return page;
    }

private:
    using place = std::tuple<freshet::time_point, std::size_t, std::string>;

    static auto place_of(const std::string& id, const row& what) -> std::optional<place> {
        const auto at = time_of(what);
        if (!at) { return std::nullopt; }
        return place{std::chrono::floor<std::chrono::seconds>(*at), std::hash<std::string>{}(id) % 7, id};
    }

    std::mt19937_64& random_;
    std::size_t most_on_page_;
    std::map<std::string, row> rows_;
    std::map<std::string, std::map<place, std::string>> index_;
    std::map<std::string, place> tokens_;
};

/// Loses answers, and some requests.
struct shaky_sink {
    adapters::memory::bucket_sink kept{};
    std::mt19937_64& random;

    auto begin_run(const freshet::series_key& series) { return kept.begin_run(series); }
    auto replace(const freshet::series_key& series, const freshet::recounted& found, const freshet::run_ticket& ticket)
        -> freshet::result<freshet::replaced_counts> {
        if (random() % 100 == 0) { return freshet::error{freshet::errc::unavailable, "the request was lost"}; }
        auto done = kept.replace(series, found, ticket);
        if (random() % 100 == 0) { return freshet::error{freshet::errc::unavailable, "the answer was lost"}; }
        return done;
    }
    auto read(const freshet::series_key& series, const freshet::time_range& range, freshet::duration width) {
        return kept.read(series, range, width);
    }
};

[[nodiscard]] inline auto side_of(const row& of) -> std::optional<freshet::series_side> {
    return freshet::series_side{of.account, time_of(of)};
}

/// What befell the tables of histories, so that a test sees what it has tried.
struct world_facts {
    std::size_t records{}; ///< in the counts that were compared
    std::size_t failed{};  ///< runs
    std::uint64_t duplicates{};
    std::uint64_t irrelevant{};
    std::uint64_t no_time{};
    std::size_t while_listed{}; ///< writes between the pages of a run

    void add(const world_facts& more) {
        records += more.records;
        failed += more.failed;
        duplicates += more.duplicates;
        irrelevant += more.irrelevant;
        no_time += more.no_time;
        while_listed += more.while_listed;
    }
};

struct world_options {
    std::size_t ids{};
    std::size_t batch{};       ///< changes
    std::size_t page{};        ///< records at most
    std::size_t page_writes{}; ///< writes between pages come once in so many pages; 0: never
};

/// A table that is written to at random, also while it is listed, and counts that follow its changes.
class world {
public:
    world(std::uint64_t seed, const world_options& options) : random_{seed}, options_{options} {
        if (options_.page_writes == 0) { return; }
        table_.before_page = [this] {
            if (spare_ == 0 || random_() % options_.page_writes != 0) { return; }
            --spare_;
            ++facts_.while_listed;
            write_something();
        };
    }
    world(const world&) = delete;
    auto operator=(const world&) -> world& = delete;
    ~world() = default;

    void step() {
        spare_ = std::min<std::size_t>(spare_ + 1, 20);
        write_something();
    }
    /// Recounts what is due; what fails is tried again later.
    void pump() {
        if (trigger_.due(clock_.now()).take()) { count(trigger_.take_due(clock_.now())); }
    }
    /// Recounts until nothing is marked; writes between pages come to an end.
    void settle() {
        for (auto left = trigger_.take(); !left.empty(); left = trigger_.take()) { count(left); }
    }
    /// Whether the counts are what the rows say, each counted plainly.
    [[nodiscard]] auto holds() -> bool {
        return std::all_of(accounts.begin(), accounts.end(), [this](const char* account) {
            std::vector<freshet::time_point> records;
            for (const auto& [id, of] : table_.rows()) {
                const auto at = time_of(of);
                if (of.account == account && at) { records.push_back(*at); }
            }
            facts_.records += records.size();
            return all_counts(sink_, {"items", account}, hour) == naive_counts(records, hour);
        });
    }
    [[nodiscard]] auto facts() const -> world_facts {
        auto all = facts_;
        all.irrelevant = trigger_.count(freshet::change_fate::irrelevant);
        all.no_time = trigger_.count(freshet::change_fate::no_time);
        return all;
    }

private:
    static constexpr std::array<const char*, 3> accounts{"", "acc-1", "acc-2"};

    void write_something() {
        clock_.advance(freshet::duration{static_cast<std::int64_t>(random_() % 4'000'000)});
        const auto id = "record " + std::to_string(random_() % options_.ids);
        switch (random_() % 10) {
            case 0: return forget(id);
            case 1: return replay();
            case 2:
            case 3: return move(id, [&](row& of) { of.created_at = some_time(); });
            case 4: return move(id, [&](row& of) { of.account = some_account(); });
            case 5: return move(id, [&](row& of) { ++of.score; });
            default: return write(id, {some_account(), some_time(), 0});
        }
    }
    [[nodiscard]] auto some_account() -> std::string { return accounts[random_() % accounts.size()]; }
    /// Mostly just now, some of it days late, some of it of no time.
    [[nodiscard]] auto some_time() -> std::string {
        const auto kind = random_() % 100;
        if (kind == 0) { return ""; }
        if (kind == 1) { return "soon"; }
        const auto late = random_() % (kind < 20 ? 200'000 : 900);
        const auto when = clock_.now() - std::chrono::seconds{late} + freshet::duration{random_() % 3};
        return kind % 2 == 0 ? text(when) : text(when + 90min).substr(0, 26) + "+01:30";
    }

    void tell(const std::string& id, std::optional<row> before, std::optional<row> after) {
        freshet::change<row> what;
        what.key = {id, ""};
        what.kind = !before ? freshet::change_kind::insert
                    : after ? freshet::change_kind::modify
                            : freshet::change_kind::remove;
        what.before = std::move(before);
        what.after = std::move(after);
        trigger_.add("items", what, clock_.now());
        told_.push_back(std::move(what));
    }
    [[nodiscard]] auto row_of(const std::string& id) const -> std::optional<row> {
        const auto found = table_.rows().find(id);
        return found == table_.rows().end() ? std::nullopt : std::optional{found->second};
    }
    void write(const std::string& id, row what) {
        auto before = row_of(id);
        table_.put(id, what);
        tell(id, std::move(before), std::move(what));
    }
    void forget(const std::string& id) {
        auto before = row_of(id);
        table_.erase(id);
        if (before) { tell(id, std::move(before), std::nullopt); }
    }
    template <class Change>
    void move(const std::string& id, Change&& how) {
        auto now = row_of(id);
        if (!now) { return; }
        how(*now);
        write(id, *std::move(now));
    }
    void replay() {
        if (!told_.empty()) { trigger_.add("items", told_[random_() % told_.size()], clock_.now()); }
    }
    template <class Ranges>
    void count(const Ranges& all) {
        for (const auto& [series, ranges] : all) {
            const auto report = recount_.run(series, ranges.ranges());
            if (report) {
                facts_.duplicates += report->duplicates;
            } else {
                ++facts_.failed;
                trigger_.put_back(series, ranges, clock_.now());
            }
        }
    }

    std::mt19937_64 random_;
    world_options options_;
    freshet::testing::manual_clock clock_{at("2024-01-19T14:15:00Z")};
    live_table table_{random_, options_.page};
    shaky_sink sink_{{}, random_};
    freshet::recount<live_table, shaky_sink, freshet::testing::manual_clock> recount_{table_, sink_, clock_};
    freshet::recount_trigger<decltype(&side_of)> trigger_{{{"items", {.items = options_.batch, .window = 30min}}},
                                                          &side_of};
    std::vector<freshet::change<row>> told_;
    std::size_t spare_{}; // writes between pages: no more than steps, so that settling ends
    world_facts facts_{};
};

/// Whether the counts are right after a short history of a few records.
[[nodiscard]] inline auto short_history_holds(std::uint64_t seed, world_facts& all) -> bool {
    std::mt19937_64 random{seed};
    const auto writes = 5 + random() % 40;
    world w{
        seed,
        {.ids = 1 + random() % 12, .batch = 1 + random() % 12, .page = 1 + random() % 6, .page_writes = random() % 4}};
    for (std::size_t i = 0; i != writes; ++i) {
        w.step();
        w.pump();
    }
    w.settle();
    const bool right = w.holds();
    all.add(w.facts());
    return right;
}

} // namespace count_bench
