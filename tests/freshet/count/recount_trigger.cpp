#include <freshet/count/recount_trigger.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "count_bench.hpp"

namespace {

using namespace count_bench;
using freshet::change;
using freshet::change_cause;
using freshet::change_fate;
using freshet::change_kind;
using freshet::on_expiry;
using freshet::series_key;
using freshet::series_side;
using freshet::time_point;
using freshet::time_range;
using state = freshet::window_verdict::state;

/// A row of an account (`-`: it says none) and a time that may not be readable.
struct row {
    std::string account;
    std::string created_at;
};

auto side_of(const row& of) -> std::optional<series_side> {
    if (of.account == "-") { return std::nullopt; }
    const auto read = freshet::parse_rfc3339(of.created_at);
    return series_side{of.account, read ? std::optional{*read} : std::nullopt};
}

const std::vector<freshet::watched_table> tables{{"items", {.items = 10, .window = 15s}},
                                                 {"score_results", {.items = 100, .window = 15s}},
                                                 {"tasks", {.items = 1, .window = 15s}}};
const auto now = at("2024-01-19T14:15:00Z");

auto trigger(const freshet::recount_trigger_options& options = {}) {
    return freshet::recount_trigger{tables, &side_of, options};
}
auto made(change_kind kind, std::optional<row> before, std::optional<row> after) -> change<row> {
    change<row> what;
    what.kind = kind;
    what.before = std::move(before);
    what.after = std::move(after);
    return what;
}
auto inserted(row after) { return made(change_kind::insert, std::nullopt, std::move(after)); }
auto removed(row before) { return made(change_kind::remove, std::move(before), std::nullopt); }
auto modified(row before, row after) { return made(change_kind::modify, std::move(before), std::move(after)); }

using hours = std::map<series_key, std::vector<std::string>>;

/// The hours that are marked, as `2024-01-19T14`, one by one.
template <class Taken>
auto shown(const Taken& taken) -> hours {
    hours all;
    for (const auto& [series, dirty] : taken) {
        for (const auto& range : dirty.ranges()) {
            for (auto start = range.start; start < range.end; start += 1h) {
                all[series].push_back(text(start).substr(0, 13));
            }
        }
    }
    return all;
}

} // namespace

TEST_CASE("a new record marks the hour it was made in, of its table and account") {
    auto t = trigger();
    t.add("items", inserted({"acc-1", "2024-01-19T14:10:00Z"}), now);
    t.add("items", inserted({"acc-1", "2024-01-19T14:11:00Z"}), now);
    t.add("items", inserted({"acc-2", "2024-01-19T12:59:59Z"}), now);
    t.add("tasks", inserted({"acc-1", "2024-01-19T15:40:00+01:00"}), now);
    CHECK(t.count(change_fate::marked) == 4);
    CHECK(shown(t.take()) == hours{{{"items", "acc-1"}, {"2024-01-19T14"}},
                                   {{"items", "acc-2"}, {"2024-01-19T12"}},
                                   {{"tasks", "acc-1"}, {"2024-01-19T14"}}});
    CHECK(t.take().empty());
}

TEST_CASE("a removed record marks the hour that it was in") {
    auto t = trigger();
    t.add("items", removed({"acc-1", "2024-01-19T13:59:59.999Z"}), now);
    CHECK(shown(t.take()) == hours{{{"items", "acc-1"}, {"2024-01-19T13"}}});
}

TEST_CASE("a record whose time moves marks the old and the new hour") {
    auto t = trigger();
    t.add("items", modified({"acc-1", "2024-01-19T09:00:00Z"}, {"acc-1", "2024-01-19T14:00:00Z"}), now);
    CHECK(shown(t.take()) == hours{{{"items", "acc-1"}, {"2024-01-19T09", "2024-01-19T14"}}});
    CHECK(t.count(change_fate::marked) == 1);
}

TEST_CASE("a record that moves to another account marks both series") {
    auto t = trigger();
    t.add("items", modified({"acc-1", "2024-01-19T14:00:00Z"}, {"acc-2", "2024-01-19T14:00:00Z"}), now);
    CHECK(shown(t.take()) == hours{{{"items", "acc-1"}, {"2024-01-19T14"}}, {{"items", "acc-2"}, {"2024-01-19T14"}}});
}

TEST_CASE("a change that leaves the record where it is marks nothing and fills no batch") {
    auto t = trigger();
    for (int i = 0; i != 100; ++i) {
        t.add("tasks", modified({"acc-1", "2024-01-19T14:00:00Z"}, {"acc-1", "2024-01-19T15:00:00+01:00"}), now);
    }
    t.add("tasks", modified({"acc-1", ""}, {"acc-1", "never"}), now);
    CHECK(t.count(change_fate::irrelevant) == 101);
    CHECK(t.due(now).is == state::empty);
    CHECK(t.take().empty());
}

TEST_CASE("a change of keys alone cannot be placed, and is counted") {
    auto t = trigger();
    t.add("items", made(change_kind::insert, std::nullopt, std::nullopt), now);
    t.add("items", made(change_kind::modify, std::nullopt, std::nullopt), now);
    t.add("items", made(change_kind::remove, std::nullopt, std::nullopt), now);
    CHECK(t.count(change_fate::no_image) == 3);
    CHECK(t.count(change_fate::marked) == 0);
    CHECK(t.due(now).is == state::empty);
}

TEST_CASE("a change that tells one side of two marks that one, and says that the other is missing") {
    auto t = trigger();
    t.add("items", made(change_kind::modify, std::nullopt, row{"acc-1", "2024-01-19T14:00:00Z"}), now);
    CHECK(t.count(change_fate::marked) == 1);
    CHECK(t.count(change_fate::no_image) == 1);
    CHECK(shown(t.take()) == hours{{{"items", "acc-1"}, {"2024-01-19T14"}}});
    t.add("items", made(change_kind::modify, row{"acc-1", "2024-01-19T14:00:00Z"}, std::nullopt), now);
    CHECK(t.count(change_fate::no_image) == 2);
    CHECK(t.take().size() == 1);
}

TEST_CASE("what cannot be placed is counted by reason") {
    auto t = trigger();
    t.add("Items", inserted({"acc-1", "2024-01-19T14:00:00Z"}), now);
    t.add("", inserted({"acc-1", "2024-01-19T14:00:00Z"}), now);
    t.add("items", inserted({"-", "2024-01-19T14:00:00Z"}), now);
    t.add("items", inserted({"acc-1", "14 o'clock"}), now);
    CHECK(t.count(change_fate::unknown_table) == 2);
    CHECK(t.count(change_fate::no_account) == 1);
    CHECK(t.count(change_fate::no_time) == 1);
    CHECK(t.take().empty());

    t.add("items", modified({"acc-1", ""}, {"acc-1", "2024-01-19T14:00:00Z"}), now);
    t.add("items", modified({"-", ""}, {"acc-1", "2024-01-19T14:00:00Z"}), now);
    CHECK(t.count(change_fate::no_time) == 2);
    CHECK(t.count(change_fate::no_account) == 2);
    CHECK(t.count(change_fate::marked) == 2);
}

TEST_CASE("a row that the table itself removed counts no more, unless it is to be kept") {
    auto expired = removed({"acc-1", "2024-01-19T14:00:00Z"});
    expired.cause = change_cause::expiry;
    auto recounts = trigger();
    recounts.add("items", expired, now);
    CHECK(recounts.take().size() == 1);

    auto keeps = trigger({.expired = on_expiry::keep});
    keeps.add("items", expired, now);
    CHECK(keeps.count(change_fate::kept) == 1);
    CHECK(keeps.take().empty());
    keeps.add("items", removed({"acc-1", "2024-01-19T14:00:00Z"}), now);
    CHECK(keeps.take().size() == 1);
}

TEST_CASE("a change of a final hour comes too late, and one of an open hour does not") {
    auto t = trigger({.lateness = 20min});
    t.add("items", inserted({"acc-1", "2024-01-19T13:59:59Z"}), now);
    CHECK(t.count(change_fate::too_late) == 0);
    CHECK(t.take().size() == 1);
    t.add("items", inserted({"acc-1", "2024-01-19T13:59:59Z"}), now + 5min);
    CHECK(t.count(change_fate::too_late) == 1);
    CHECK(t.take().empty());
    t.add("items", modified({"acc-1", "2024-01-19T13:59:59Z"}, {"acc-1", "2024-01-19T14:00:00Z"}), now + 5min);
    CHECK(t.count(change_fate::too_late) == 2);
    CHECK(shown(t.take()) == hours{{{"items", "acc-1"}, {"2024-01-19T14"}}});

    auto never = trigger();
    never.add("items", inserted({"acc-1", "1969-12-31T23:59:59Z"}), now);
    CHECK(shown(never.take()) == hours{{{"items", "acc-1"}, {"1969-12-31T23"}}});
}

TEST_CASE("a time of no whole bucket marks nothing, at both ends of the time scale") {
    const std::vector<freshet::watched_table> one{{"items", {.items = 1, .window = 15s}}};
    const auto side = [](const time_point& of) { return std::optional{series_side{"acc-1", of}}; };
    freshet::recount_trigger t{one, side, {.lateness = 24h * 365 * 290'000}};
    const auto add = [&t](time_point made_at) {
        change<time_point> what;
        what.kind = change_kind::insert;
        what.after = made_at;
        t.add("items", what, now);
    };
    add(time_point::max());
    add(time_point::max() - 1us);
    add(time_point::min());
    CHECK(t.count(change_fate::no_time) == 3);
    CHECK(t.due(now).is == state::empty);
    CHECK(t.take().empty());
    add(time_point::max() - 1h);
    CHECK(t.count(change_fate::marked) == 1);
    add(time_point::min() + 1h);
    CHECK(t.count(change_fate::too_late) == 1);
    CHECK(t.take().size() == 1);
}

TEST_CASE("what came in time is counted, also when its hour becomes final while the batch waits") {
    auto t = trigger({.lateness = 20min});
    t.add("items", inserted({"acc-1", "2024-01-19T13:59:59Z"}), now + 5min - 1s);
    CHECK(t.take_due(now + 5min + 10s).empty());
    CHECK(t.take_due(now + 5min + 14s).size() == 1);
}

TEST_CASE("each table's batch is due with its last change, or when the first has waited") {
    auto t = trigger();
    CHECK(t.due(now).is == state::empty);
    t.add("score_results", inserted({"acc-1", "2024-01-19T14:00:00Z"}), now);
    t.add("items", inserted({"acc-1", "2024-01-19T14:00:00Z"}), now + 1s);
    CHECK(t.due(now + 1s) == freshet::window_verdict{state::open, now + 15s});
    for (int i = 0; i != 8; ++i) { t.add("items", inserted({"acc-2", "2024-01-19T14:00:00Z"}), now + 2s); }
    CHECK(t.take_due(now + 2s).empty());
    t.add("items", inserted({"acc-3", "2024-01-19T14:00:00Z"}), now + 2s);
    CHECK(t.due(now + 2s).is == state::full);
    const auto items_due = t.take_due(now + 2s);
    CHECK(items_due.size() == 3);
    CHECK(items_due.begin()->first.table == "items");
    CHECK(t.due(now + 2s) == freshet::window_verdict{state::open, now + 15s});
    CHECK(t.due(now + 15s).is == state::due);
    CHECK(t.take_due(now + 15s).size() == 1);
    CHECK(t.due(now + 1h).is == state::empty);

    t.add("tasks", inserted({"acc-1", "2024-01-19T14:00:00Z"}), now);
    CHECK(t.due(now).is == state::full);
}

TEST_CASE("of two batches that wait, the one that is due first says until when, whichever it is") {
    for (const bool items_first : {false, true}) {
        auto t = trigger();
        t.add(items_first ? "items" : "score_results", inserted({"a", "2024-01-19T14:00:00Z"}), now);
        t.add(items_first ? "score_results" : "items", inserted({"a", "2024-01-19T14:00:00Z"}), now + 7s);
        CHECK(t.due(now + 7s).until == now + 15s);
    }
}

TEST_CASE("what could not be counted is put back beside what came meanwhile") {
    auto t = trigger();
    t.add("items", inserted({"acc-1", "2024-01-19T12:00:00Z"}), now);
    const auto taken = t.take();
    t.add("items", inserted({"acc-1", "2024-01-19T14:00:00Z"}), now + 1s);
    for (const auto& [series, ranges] : taken) { t.put_back(series, ranges, now + 2s); }
    CHECK(t.due(now + 2s).until == now + 16s);
    CHECK(shown(t.take()) == hours{{{"items", "acc-1"}, {"2024-01-19T12", "2024-01-19T14"}}});
    t.put_back({"nobody's", "acc-1"}, taken.begin()->second, now);
    t.put_back({"items", "acc-1"}, freshet::dirty_ranges{1h}, now);
    CHECK(t.due(now).is == state::empty);
    CHECK(t.take().empty());
}

TEST_CASE("the fates have names") {
    CHECK(name_of(change_fate::marked) == "marked");
    CHECK(name_of(change_fate::irrelevant) == "irrelevant");
    CHECK(name_of(change_fate::unknown_table) == "unknown_table");
    CHECK(name_of(change_fate::kept) == "kept");
    CHECK(name_of(change_fate::no_image) == "no_image");
    CHECK(name_of(change_fate::no_account) == "no_account");
    CHECK(name_of(change_fate::no_time) == "no_time");
    CHECK(name_of(change_fate::too_late) == "too_late");
}
