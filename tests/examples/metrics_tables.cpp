#include <metrics/aggregation.hpp>
#include <metrics/backends.hpp>
#include <metrics/cached_source.hpp>
#include <metrics/line_counts.hpp>
#include <metrics/table_source.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <sstream>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/rfc3339.hpp>
#include <freshet/testing/faults.hpp>
#include <freshet/testing/faulty_table.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <support/cases.hpp>
#include <support/scratch_directory.hpp>

namespace {

using namespace std::chrono_literals;
using manual_clock = freshet::testing::manual_clock;

const support::log quiet{static_cast<support::log_level>(99)};
const freshet::series_key items{"items", "acc"};

auto at(std::string_view text) -> freshet::time_point { return freshet::parse_rfc3339(text).value(); }
auto text_of(freshet::time_point when) -> std::string { return metrics::sort_key_of(when); }

template <class Table>
void put(Table& table, const metrics::record& record) {
    REQUIRE(table.put(metrics::row_of(record).value(), {}).ok());
}
template <class Table>
void put(Table& table, const std::string& id, const std::string& created_at,
         const freshet::series_key& series = items) {
    put(table, {series, id, created_at, ""});
}

template <class Source>
auto listed(Source& source, const freshet::time_range& range, std::size_t limit = 0,
            const freshet::series_key& series = items) -> std::vector<std::string> {
    std::vector<std::string> ids;
    freshet::page_request request{.limit = limit};
    do {
        auto page = source.list(series, range, request);
        REQUIRE_MESSAGE(page.ok(), (page.ok() ? "" : page.why().note));
        if (limit != 0) { CHECK(page->rows.size() <= limit); }
        for (const auto& each : page->rows) { ids.push_back(each.id); }
        request.from = page->next;
    } while (request.from);
    return ids;
}

/// A source that says which hours it was asked for.
template <class Source>
struct watched_source {
    static constexpr auto order = Source::order;
    Source& from;
    std::vector<std::string> asked{};

    auto list(const freshet::series_key& series, const freshet::time_range& range,
              const freshet::page_request& request) {
        asked.push_back(text_of(range.start).substr(11, 5));
        return from.list(series, range, request);
    }
};

/// A source that has nothing until it has settled.
template <class Source>
struct lagging_source {
    static constexpr auto order = Source::order;
    Source& from;
    bool settled{};

    auto list(const freshet::series_key& series, const freshet::time_range& range, const freshet::page_request& request)
        -> freshet::result<freshet::page<freshet::listed_record>> {
        if (!settled) { return freshet::page<freshet::listed_record>{}; }
        return from.list(series, range, request);
    }
};

/// A table in memory with all that keeps its counts.
struct rig {
    manual_clock clock{at("2024-01-19T14:15:00Z")};
    adapters::memory::table<manual_clock> table{clock, metrics::item_table()};
    adapters::memory::change_stream<manual_clock> stream{table};
    adapters::memory::bucket_sink sink{};
    metrics::table_source<adapters::memory::table<manual_clock>> source{table};
    metrics::selection of{};
    metrics::aggregation<decltype(table), decltype(stream), decltype(source), adapters::memory::bucket_sink,
                         manual_clock>
        counted{table, stream, source, sink, clock, of, 2, quiet};

    auto due() -> std::optional<metrics::outcome> {
        auto made = counted.run_due(clock.now());
        REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.why().note));
        return *std::move(made);
    }
    auto all() -> metrics::outcome {
        auto made = counted.run_all(clock.now());
        REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.why().note));
        return *std::move(made);
    }
    auto hour(std::string_view start, const freshet::series_key& series = items) -> std::uint64_t {
        const auto found = sink.read(series, {at(start), at(start) + 1h}, 60min);
        REQUIRE(found.ok());
        return found->empty() ? 0 : found->front().count;
    }
};

/// Puts, moves and deletes a thousand times, now and then counting what changed; then compares the counts of all time
/// with those of the lines that say what the table holds.
template <class Table, class Stream, class Sink>
void compare_with_lines(Table& table, Stream& stream, Sink& sink, manual_clock& clock) {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const auto pick = [&](std::uint64_t below) { return random() % below; };
    metrics::table_source<Table> source{table};
    metrics::cached_source<decltype(source), manual_clock> cached{source, clock};
    const metrics::selection of{};
    metrics::aggregation counted{table, stream, cached, sink, clock, of, 1, quiet};
    std::map<std::pair<std::string, std::string>, metrics::record> model; // by table and id
    std::set<freshet::series_key> known;
    REQUIRE(counted.run_all(clock.now()).ok()); // from now on only what changed
    const auto some_time = [&]() -> std::string {
        if (pick(20) == 0) { return pick(2) == 0 ? "" : "no time"; }
        const auto when = clock.now() - std::chrono::minutes{pick(5'000)} - std::chrono::microseconds{pick(60'000'000)};
        return pick(2) == 0 ? text_of(when) : text_of(when + 2h).substr(0, 19) + "+02:00";
    };
    for (std::size_t i = 0; i != support::cases(1'000); ++i) {
        const std::string kind = std::vector<std::string>{"items", "tasks", "orders"}[pick(3)];
        const auto id = std::to_string(pick(200));
        const auto there = model.find({kind, id});
        if (there != model.end() && pick(3) == 0) {
            REQUIRE(table.erase(metrics::key_of(kind, id), {}).ok());
            model.erase(there);
        } else {
            auto record = there == model.end() ? metrics::record{{kind, "a#" + std::to_string(pick(2))}, id, "", ""}
                                               : there->second;
            if (pick(8) == 0) { record.series.account = "b"; }
            record.created_at = some_time();
            put(table, record);
            model[{kind, id}] = record;
            known.insert(record.series);
        }
        clock.advance(std::chrono::seconds{pick(5)});
        if (pick(20) != 0) { continue; }
        const auto done = counted.run_due(clock.now());
        REQUIRE_MESSAGE(done.ok(), (done.ok() ? "" : done.why().note));
        if (!*done) { continue; }
        std::map<metrics::skip_reason, std::uint64_t> timeless;
        for (const auto& [key, record] : model) {
            if (record.created_at.empty()) { ++timeless[metrics::skip_reason::no_timestamp]; }
            if (record.created_at == "no time") { ++timeless[metrics::skip_reason::bad_timestamp]; }
        }
        CHECK((*done)->skipped() == timeless);
        CHECK((*done)->code() == (timeless.empty() ? metrics::all_well : metrics::some_failed));
    }
    REQUIRE(counted.run_all(clock.now()).ok());

    const freshet::time_range all{clock.now() - 240h, clock.now() + 1h};
    metrics::line_counts lines{all};
    for (const auto& [key, record] : model) { lines.add(record, metrics::read_instant(record.created_at)); }
    const auto truth = lines.outcome_of({});
    CHECK(truth.records > 50);
    const auto kept = metrics::window_counts(sink, known, all);
    REQUIRE(kept.ok());
    CHECK(*kept == truth.buckets);
}

} // namespace

TEST_CASE("a table's records are listed by time, from the start of the range on and before its end") {
    rig it;
    put(it.table, "end", "2024-01-19T15:00:00Z");
    put(it.table, "last", "2024-01-19T14:59:59.999999Z");
    put(it.table, "before", "2024-01-19T13:59:59.999999Z");
    put(it.table, "start", "2024-01-19T15:00:00+01:00");
    put(it.table, "within", "2024-01-19T14:30:00Z");
    put(it.table, "no time", "soon");
    put(it.table, "other", "2024-01-19T14:30:00Z", {"items", "acc2"});
    const freshet::time_range hour{at("2024-01-19T14:00:00Z"), at("2024-01-19T15:00:00Z")};
    for (const auto limit : {0U, 1U, 2U}) {
        CHECK(listed(it.source, hour, limit) == std::vector<std::string>{"start", "within", "last"});
    }
    CHECK(listed(it.source, {hour.start, hour.start}).empty());
    CHECK(listed(it.source, {hour.end, hour.start}).empty());
    CHECK(listed(it.source, {hour.start, hour.start + 1us}) == std::vector<std::string>{"start"});
    CHECK(listed(it.source, {freshet::time_point::min(), freshet::time_point::max()}).size() == 5);
    CHECK(listed(it.source, {freshet::time_point::min(), hour.start}) == std::vector<std::string>{"before"});
    CHECK(listed(it.source, {hour.end, freshet::time_point::max()}) == std::vector<std::string>{"end"});
}

TEST_CASE("the years 0 and 9999 are listed too") {
    rig it;
    put(it.table, "first", "0000-01-01T00:00:00Z");
    put(it.table, "last", "9999-12-31T23:59:59.999999Z");
    put(it.table, "before the first", "0000-01-01T00:00:00+00:01");
    const auto first = at("0000-01-01T00:00:00Z");
    const auto end = at("9999-12-31T23:00:00Z") + 1h;
    CHECK(listed(it.source, {first, first + 1h}) == std::vector<std::string>{"first"});
    CHECK(listed(it.source, {end - 1h, end}) == std::vector<std::string>{"last"});
    CHECK(listed(it.source, {first - 1h, first}).empty());
    CHECK(listed(it.source, {end, end + 1h}).empty());
}

TEST_CASE("a cached source lists what the source does, in pages of every size, and refuses strange tokens") {
    rig it;
    std::vector<std::string> expected;
    for (int i = 0; i != 7; ++i) {
        const auto id = std::to_string(i);
        put(it.table, id, text_of(at("2024-01-19T10:10:00Z") + (i / 3) * 2h + i * 1s));
        expected.push_back(id);
    }
    const freshet::time_range day{at("2024-01-19T00:00:00Z"), at("2024-01-20T00:00:00Z")};
    for (const auto limit : {0U, 1U, 2U, 3U, 9U}) {
        metrics::cached_source cached{it.source, it.clock};
        CHECK(listed(cached, day, limit) == expected);
        CHECK(listed(cached, day, limit) == expected);
    }
    metrics::cached_source cached{it.source, it.clock};
    for (const auto* token : {"", "x", "1", "1+", "+1", "1+1x", "1-1"}) {
        const auto page = cached.list(items, day, {.from = token, .limit = 0});
        REQUIRE(!page.ok());
        CHECK(page.why().code == freshet::errc::malformed);
    }
}

TEST_CASE("a recount through the cache reads again the hours that changed, and no others") {
    rig it;
    put(it.table, "a", "2024-01-19T13:10:00Z");
    put(it.table, "b", "2024-01-19T14:10:00Z");
    watched_source<decltype(it.source)> watched{it.source};
    metrics::cached_source cached{watched, it.clock};
    metrics::aggregation counted{it.table, it.stream, cached, it.sink, it.clock, it.of, 2, quiet};
    const auto run = [&] {
        watched.asked.clear();
        const auto made = counted.run_all(it.clock.now());
        REQUIRE(made.ok());
        return watched.asked;
    };
    const auto read = [](std::vector<std::string> hours) { return hours; };
    CHECK(run() == read({"13:00", "14:00"}));
    CHECK(run() == read({}));
    put(it.table, "c", "2024-01-19T14:11:00Z");
    CHECK(run() == read({"14:00"}));
    CHECK(it.hour("2024-01-19T14:00:00Z") == 2);
    put(it.table, "b", "2024-01-19T13:59:59Z"); // out of one hour and into another
    CHECK(run() == read({"13:00", "14:00"}));
    CHECK(it.hour("2024-01-19T13:00:00Z") == 2);
    CHECK(it.hour("2024-01-19T14:00:00Z") == 1);
    REQUIRE(it.table.erase(metrics::key_of("items", "a"), {}).ok());
    CHECK(run() == read({"13:00"}));
    put(it.table, "late", "2024-01-18T03:00:00Z"); // beside the window
    CHECK(run() == read({"03:00"}));
    CHECK(it.hour("2024-01-18T03:00:00Z") == 1);
    it.clock.advance(10min);
    CHECK(run() == read({"13:00", "14:00"}));
}

TEST_CASE("a kind of records is counted when as many changes came as it waits for, or one has waited 15 seconds") {
    rig it;
    CHECK(it.all().records == 0);
    for (int i = 0; i != 9; ++i) { put(it.table, std::to_string(i), "2024-01-19T14:10:00Z"); }
    CHECK(!it.due());
    put(it.table, "9", "2024-01-19T14:10:00Z");
    CHECK(it.due().has_value());
    CHECK(it.hour("2024-01-19T14:00:00Z") == 10);

    put(it.table, "score", "2024-01-19T14:10:00Z", {"score_results", "acc"});
    CHECK(!it.due());
    it.clock.advance(14s);
    CHECK(!it.due());
    it.clock.advance(1s);
    const auto waited = it.due();
    REQUIRE(waited.has_value());
    CHECK(waited->header.affected == std::vector<freshet::series_key>{{"score_results", "acc"}});
    CHECK(waited->header.stream_records == 1);
    CHECK(waited->records == 11); // of the window, whatever made it run

    for (const auto* kind : {"tasks", "evaluations", "of nobody's kind"}) {
        put(it.table, "one", "2024-01-19T14:10:00Z", {kind, "acc"});
        CHECK(it.due().has_value());
        CHECK(it.hour("2024-01-19T14:00:00Z", {kind, "acc"}) == 1);
    }
}

TEST_CASE("a run that reads on begins behind what was counted, and after a failure before it") {
    rig it;
    put(it.table, "a", "2024-01-10T14:10:00Z");
    CHECK(it.all().header.stream_records == 1);
    const auto run = [&](auto& sink) {
        metrics::aggregation other{it.table, it.stream, it.source, sink, it.clock, it.of, 2, quiet};
        auto made = other.run_all(it.clock.now());
        REQUIRE(made.ok());
        return *std::move(made);
    };
    CHECK(run(it.sink).header.stream_records == 0);
    put(it.table, "b", "2024-01-10T14:10:00Z");

    struct broken_sink {
        adapters::memory::bucket_sink& kept;
        auto begin_run(const freshet::series_key& series) { return kept.begin_run(series); }
        auto read(const freshet::series_key& series, const freshet::time_range& range, freshet::duration width) {
            return kept.read(series, range, width);
        }
        auto replace(const freshet::series_key&, const freshet::recounted&, const freshet::run_ticket&)
            -> freshet::result<freshet::replaced_counts> {
            return freshet::error{freshet::errc::unavailable, "the sink is away"};
        }
    } broken{it.sink};
    const auto failed = run(broken);
    CHECK(failed.code() == metrics::unreachable);
    CHECK(failed.header.stream_records == 1);
    CHECK(it.hour("2024-01-10T14:00:00Z") == 1);
    CHECK(run(it.sink).header.stream_records == 1);
    CHECK(it.hour("2024-01-10T14:00:00Z") == 2);
}

TEST_CASE("what could not be counted because the table could not be listed is counted later") {
    rig it;
    freshet::testing::faults script;
    freshet::testing::faulty_table<decltype(it.table)> faulty{it.table, script};
    metrics::aggregation counted{faulty, it.stream, it.source, it.sink, it.clock, it.of, 2, quiet};
    put(it.table, "a", "2024-01-10T14:10:00Z", {"tasks", "acc"});
    REQUIRE(counted.run_all(it.clock.now()).ok());
    put(it.table, "b", "2024-01-10T15:10:00Z", {"tasks", "acc"});
    script.next("table.scan", {freshet::testing::fault::before(freshet::errc::unavailable)});
    CHECK(!counted.run_all(it.clock.now()).ok());
    CHECK(counted.run_due(it.clock.now())->has_value());
    CHECK(it.hour("2024-01-10T14:00:00Z", {"tasks", "acc"}) == 1);
    CHECK(it.hour("2024-01-10T15:00:00Z", {"tasks", "acc"}) == 1);
}

TEST_CASE("a selection counts its own series, and keeps its own place in the stream") {
    rig it;
    metrics::selection of{.table = {}, .account = "acc"};
    metrics::aggregation counted{it.table, it.stream, it.source, it.sink, it.clock, of, 2, quiet};
    put(it.table, "a", "2024-01-10T14:10:00Z");
    put(it.table, "b", "2024-01-10T14:10:00Z", {"items", "other"});
    const auto own = counted.run_all(it.clock.now());
    REQUIRE(own.ok());
    CHECK(own->header.affected == std::vector<freshet::series_key>{items});
    CHECK(it.hour("2024-01-10T14:00:00Z") == 1);
    CHECK(it.hour("2024-01-10T14:00:00Z", {"items", "other"}) == 0);
    CHECK(it.all().header.affected.size() == 2);
    CHECK(it.hour("2024-01-10T14:00:00Z", {"items", "other"}) == 1);
    put(it.table, "b", "2024-01-10T14:10:00Z"); // comes to the selected account
    REQUIRE(counted.run_all(it.clock.now()).ok());
    CHECK(it.hour("2024-01-10T14:00:00Z") == 2);
}

TEST_CASE("after changes were lost all records are counted, at whatever times, with what the cache kept forgotten") {
    rig it;
    put(it.table, "a", "2024-01-10T14:10:00Z");
    metrics::cached_source cached{it.source, it.clock};
    std::string said;
    const support::log log{support::log_level::info, &said};
    metrics::aggregation counted{it.table, it.stream, cached, it.sink, it.clock, it.of, 2, log};
    REQUIRE(counted.run_all(it.clock.now()).ok());
    put(it.table, "b", "2024-01-10T14:10:00Z");
    put(it.table, "c", "2024-01-11T14:10:00Z");
    it.table.trim_changes();
    const auto made = counted.run_due(it.clock.now());
    REQUIRE(made.ok());
    REQUIRE(made->has_value());
    CHECK(it.hour("2024-01-10T14:00:00Z") == 2);
    CHECK(it.hour("2024-01-11T14:00:00Z") == 1);
    CHECK(said.find("WARNING: changes were lost: ") != std::string::npos);
    CHECK(!counted.run_due(it.clock.now())->has_value());
}

TEST_CASE("after changes were lost no deleted record is counted, also where an hour or a series has none left") {
    const auto check = [](auto& table, auto& stream, auto& sink, manual_clock& clock, auto lose) {
        const auto hour = [&](std::string_view start, const freshet::series_key& series) -> std::uint64_t {
            const auto found = sink.read(series, {at(start), at(start) + 1h}, 60min);
            REQUIRE(found.ok());
            return found->empty() ? 0 : found->front().count;
        };
        const freshet::series_key gone{"tasks", "acc"};
        const freshet::series_key others{"tasks", "others"};
        metrics::table_source source{table};
        const auto run = [&](const metrics::selection& of) {
            metrics::aggregation counted{table, stream, source, sink, clock, of, 2, quiet};
            REQUIRE(counted.run_all(clock.now()).ok());
        };
        put(table, "stays", "2024-01-12T14:10:00Z");
        put(table, "a", "2024-01-10T14:10:00Z");
        put(table, "b", "2024-01-10T14:10:00Z", gone);
        put(table, "c", "2024-01-10T14:10:00Z", others);
        run({});
        run({.table = {}, .account = "acc"});
        CHECK(hour("2024-01-10T14:00:00Z", items) == 1);
        CHECK(hour("2024-01-10T14:00:00Z", gone) == 1);
        for (const auto& [kind, id] : {std::pair{"items", "a"}, {"tasks", "b"}, {"tasks", "c"}}) {
            REQUIRE(table.erase(metrics::key_of(kind, id), {}).ok());
        }
        lose();
        run({.table = {}, .account = "acc"});
        CHECK(hour("2024-01-12T14:00:00Z", items) == 1);
        CHECK(hour("2024-01-10T14:00:00Z", items) == 0);
        CHECK(hour("2024-01-10T14:00:00Z", gone) == 0);
        CHECK(hour("2024-01-10T14:00:00Z", others) == 1); // nobody asked for it
        run({});
        CHECK(hour("2024-01-10T14:00:00Z", others) == 0);
    };
    SUBCASE("in memory") {
        rig it;
        check(it.table, it.stream, it.sink, it.clock, [&] { it.table.trim_changes(); });
    }
    SUBCASE("in SQLite") {
        const support::scratch_directory scratch;
        manual_clock clock{at("2024-01-19T14:15:00Z")};
        const auto done =
            metrics::in_directory(scratch.path(), true, clock, [&](auto& table, auto& stream, auto& sink) {
                check(table, stream, sink, clock, [&] {
                    clock.advance(48h);
                    put(table, "later", "2024-01-12T14:10:00Z", {"orders", "acc"}); // a write trims what is old
                });
                return 0;
            });
        CHECK(done.ok());
    }
}

TEST_CASE("the first run counts all that the table holds, whatever the stream still tells of, and warns of nothing") {
    rig it;
    put(it.table, "a", "2023-12-10T14:10:00Z");
    put(it.table, "b", "2023-12-11T14:10:00Z");
    it.table.trim_changes();
    std::string said;
    const support::log log{support::log_level::info, &said};
    const auto run = [&] {
        said.clear();
        metrics::aggregation counted{it.table, it.stream, it.source, it.sink, it.clock, it.of, 2, log};
        REQUIRE(counted.run_all(it.clock.now()).ok());
    };
    run();
    CHECK(it.hour("2023-12-10T14:00:00Z") == 1);
    CHECK(it.hour("2023-12-11T14:00:00Z") == 1);
    CHECK(said == "INFO: counted for the first time: all records are counted\n");
    run();
    CHECK(said.empty());
}

TEST_CASE("a run says how many of its records have no time, as the lines do") {
    rig it;
    const std::vector<metrics::record> all{{items, "none", "", ""},
                                           {items, "bad", "soon", ""},
                                           {items, "good", "2024-01-19T14:10:00Z", ""},
                                           {{"tasks", "acc"}, "none", "", ""}};
    metrics::line_counts lines{freshet::current_window(it.clock.now(), 2)};
    for (const auto& each : all) {
        put(it.table, each);
        if (each.series == items) { lines.add(each, metrics::read_instant(each.created_at)); }
    }
    const auto truth = lines.outcome_of({}).series.front();
    for (const auto& account : {std::optional<std::string>{}, {"acc"}}) {
        const metrics::selection of{.table = "items", .account = account};
        metrics::aggregation counted{it.table, it.stream, it.source, it.sink, it.clock, of, 2, quiet};
        for (int i = 0; i != 2; ++i) {
            const auto made = counted.run_all(it.clock.now());
            REQUIRE(made.ok());
            CHECK(made->code() == metrics::some_failed);
            REQUIRE(made->series.size() == 1);
            CHECK(made->series.front().read == truth.read);
            CHECK(made->skipped() == std::map<metrics::skip_reason, std::uint64_t>{
                                         {metrics::skip_reason::no_timestamp, truth.no_timestamp},
                                         {metrics::skip_reason::bad_timestamp, truth.bad_timestamp}});
        }
    }
    CHECK(truth.no_timestamp == 1);
    CHECK(truth.bad_timestamp == 1);
}

TEST_CASE("a record without a time is told from the change that brings it to the one that takes it away") {
    rig it;
    metrics::aggregation counted{it.table, it.stream, it.source, it.sink, it.clock, it.of, 2, quiet};
    put(it.table, "good", "2024-01-19T14:10:00Z");
    REQUIRE(counted.run_all(it.clock.now()).ok());
    using reasons = std::map<metrics::skip_reason, std::uint64_t>;
    const auto skipped = [&]() -> reasons {
        const auto made = counted.run_due(it.clock.now());
        REQUIRE((made.ok() && made->has_value()));
        return (*made)->skipped();
    };
    put(it.table, "odd", "soon");
    CHECK(skipped() == reasons{{metrics::skip_reason::bad_timestamp, 1}});
    put(it.table, {{"tasks", "acc"}, "other", "2024-01-19T14:10:00Z", ""});
    CHECK(skipped() == reasons{{metrics::skip_reason::bad_timestamp, 1}}); // of a series that was not counted now
    put(it.table, "odd", "");
    CHECK(skipped() == reasons{{metrics::skip_reason::no_timestamp, 1}});
    REQUIRE(it.table.erase(metrics::key_of("items", "odd"), {}).ok());
    CHECK(skipped().empty());
}

TEST_CASE("a series that failed is counted again, also where nothing of it changed") {
    struct weak_sink : adapters::memory::bucket_sink {
        bool away{};
        auto replace(const freshet::series_key& series, const freshet::recounted& found,
                     const freshet::run_ticket& ticket) -> freshet::result<freshet::replaced_counts> {
            if (away) { return freshet::error{freshet::errc::unavailable, "the sink is away"}; }
            return bucket_sink::replace(series, found, ticket);
        }
    } sink;
    rig it;
    metrics::aggregation counted{it.table, it.stream, it.source, sink, it.clock, it.of, 2, quiet};
    put(it.table, "a", "2024-01-19T15:10:00Z");
    REQUIRE(counted.run_all(it.clock.now()).ok());
    it.clock.advance(1h); // its hour is of the window now
    sink.away = true;
    const auto failed = counted.run_all(it.clock.now());
    REQUIRE(failed.ok());
    CHECK(failed->code() == metrics::unreachable);
    sink.away = false;
    it.clock.advance(metrics::longest_wait);
    const auto again = counted.run_due(it.clock.now());
    REQUIRE(again.ok());
    REQUIRE(again->has_value());
    CHECK((*again)->code() == metrics::all_well);
    CHECK((*again)->records == 1);
    CHECK(!counted.run_due(it.clock.now())->has_value());
}

TEST_CASE("who writes all the time keeps nobody from counting") {
    rig it;
    CHECK(it.all().records == 0);
    struct busy_stream : adapters::memory::change_stream<manual_clock> {
        rig& of;
        std::size_t reads{};
        explicit busy_stream(rig& from) : adapters::memory::change_stream<manual_clock>{from.table}, of{from} {}
        auto read(const freshet::stream_position& position, std::size_t limit) {
            REQUIRE(++reads < 10'000);
            put(of.table, std::to_string(reads), "2024-01-19T14:10:00Z");
            of.clock.advance(1s);
            return adapters::memory::change_stream<manual_clock>::read(position, limit);
        }
    } busy{it};
    metrics::aggregation counted{it.table, busy, it.source, it.sink, it.clock, it.of, 2, quiet};
    REQUIRE(counted.run_due(it.clock.now())->has_value());
    CHECK(busy.reads == 15);
    REQUIRE(counted.run_due(it.clock.now())->has_value());
    CHECK(busy.reads == 30);
    CHECK(it.hour("2024-01-19T14:00:00Z") == 30);
    std::stop_source stop;
    stop.request_stop();
    REQUIRE(counted.run_all(it.clock.now(), stop.get_token()).ok());
    CHECK(busy.reads == 31);
    busy.of.clock.advance(1s);
    REQUIRE(counted.run_all(it.clock.now()).ok());
    CHECK(it.hour("2024-01-19T14:00:00Z") == busy.reads);
}

TEST_CASE("what a counter with a cache undoes it counts again when it hears of the change, also after its end") {
    rig it;
    for (int i = 0; i != 5; ++i) { put(it.table, std::to_string(i), "2024-01-19T14:10:00Z"); }
    struct slow_sink : adapters::memory::bucket_sink {
        std::function<void()> before{};
        auto begin_run(const freshet::series_key& series) {
            if (before) { std::exchange(before, {})(); }
            return bucket_sink::begin_run(series);
        }
    } sink;
    const auto hour = [&] {
        return sink.read(items, {at("2024-01-19T14:00:00Z"), at("2024-01-19T15:00:00Z")}, 60min)->front().count;
    };
    const auto run_plain = [&] {
        metrics::aggregation plain{it.table, it.stream, it.source, sink, it.clock, it.of, 2, quiet};
        REQUIRE(plain.run_all(it.clock.now()).ok());
    };
    const auto with_cache = [&](auto then) {
        metrics::cached_source cached{it.source, it.clock};
        metrics::aggregation counted{it.table, it.stream, cached, sink, it.clock, it.of, 2, quiet};
        REQUIRE(counted.run_all(it.clock.now()).ok());
        then(counted);
    };
    with_cache([&](auto& counted) {
        run_plain();
        sink.before = [&] {
            put(it.table, "5", "2024-01-19T14:10:00Z");
            run_plain();
            CHECK(hour() == 6);
        };
        REQUIRE(counted.run_all(it.clock.now()).ok());
        CHECK(hour() == 5);
    });
    it.clock.advance(5h); // the hour is beside the window
    with_cache([&](auto&) { CHECK(hour() == 6); });
}

TEST_CASE("what a source does not have yet when its change is heard of is waited for, and else nothing is") {
    rig it;
    lagging_source<decltype(it.source)> lagging{it.source};
    int waits = 0;
    const auto settle = [&](const std::stop_token&) {
        lagging.settled = true;
        ++waits;
    };
    metrics::aggregation counted{it.table, it.stream, lagging, it.sink, it.clock, it.of, 2, quiet, settle};
    put(it.table, "a", "2024-01-10T14:10:00Z");
    REQUIRE(counted.run_all(it.clock.now()).ok());
    CHECK(it.hour("2024-01-10T14:00:00Z") == 1);
    CHECK(waits == 1);
    REQUIRE(counted.run_all(it.clock.now()).ok());
    CHECK(!counted.run_due(it.clock.now())->has_value());
    CHECK(waits == 1);
}

TEST_CASE("many ranges are joined to no more than a run counts, and none is lost") {
    freshet::dirty_ranges many{1h};
    const auto start = at("2024-01-01T00:00:00Z");
    for (int i = 0; i != 1'000; ++i) { many.add(start + i * i * 1h); }
    const auto joined = metrics::detail::joined(many, 100);
    CHECK(joined.ranges().size() <= 100);
    CHECK(joined.ranges().size() == 100);
    auto both = joined;
    both.add(many);
    CHECK(both == joined);
    CHECK(joined.ranges().front().start == many.ranges().front().start);
    CHECK(joined.ranges().back().end == many.ranges().back().end);
    const auto one = metrics::detail::joined(many, 1);
    CHECK(one.ranges().size() == 1);
    CHECK(metrics::detail::joined(many, 1'000) == many);
}

TEST_CASE("of gaps that are equally wide no more are joined than must be") {
    const auto start = at("2024-01-01T00:00:00Z");
    freshet::dirty_ranges weeks{1h};
    for (int i = 0; i != 101; ++i) { weeks.add(start + i * 168h); }
    const auto hours = [](const freshet::dirty_ranges& of) {
        freshet::duration sum{};
        for (const auto& each : of.ranges()) { sum += each.end - each.start; }
        return sum / 1h;
    };
    const auto joined = metrics::detail::joined(weeks, 100);
    CHECK(joined.ranges().size() == 100);
    CHECK(hours(joined) == 99 + 169);
    CHECK(hours(metrics::detail::joined(weeks, 1)) == 100 * 168 + 1);

    weeks.add(start + 50 * 168h + 2h); // the gaps before and behind it are narrower, and go first
    const auto two = metrics::detail::joined(weeks, 100);
    CHECK(two.ranges().size() == 100);
    CHECK(hours(two) == 99 + 169);
    CHECK(hours(metrics::detail::joined(weeks, 99)) == 97 + 2 * 169);
}

TEST_CASE("after a thousand moves and deletes the counts in memory are those of the lines") {
    manual_clock clock{at("2024-01-19T14:15:00Z")};
    const auto done = metrics::in_memory(clock, [&](auto& table, auto& stream, auto& sink) {
        compare_with_lines(table, stream, sink, clock);
        return 0;
    });
    CHECK(done.ok());
}

TEST_CASE("after a thousand moves and deletes the counts in SQLite are those of the lines") {
    const support::scratch_directory scratch;
    manual_clock clock{at("2024-01-19T14:15:00Z")};
    const adapters::sqlite::database_options quick{.durable = false};
    const auto path = scratch.file("metrics.sqlite");
    auto table = adapters::sqlite::table<manual_clock>::open(path, clock, metrics::item_table(), quick);
    auto stream = adapters::sqlite::change_stream<manual_clock>::open(path, clock, metrics::item_table(), quick);
    auto sink = adapters::sqlite::bucket_sink::open(scratch.file("counts.sqlite"), quick);
    REQUIRE(table.ok());
    REQUIRE(stream.ok());
    REQUIRE(sink.ok());
    compare_with_lines(*table, *stream, *sink, clock);
}
