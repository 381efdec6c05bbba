#include <freshet/count/recount.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <adapters/memory/bucket_sink.hpp>
#include <freshet/testing/manual_clock.hpp>

#include "count_bench.hpp"

namespace {

using namespace count_bench;
using freshet::bucket;
using freshet::deadline;
using freshet::duration;
using freshet::errc;
using freshet::error;
using freshet::listed_record;
using freshet::result;
using freshet::series_key;
using freshet::time_point;
using freshet::time_range;
using freshet::testing::manual_clock;
using records = std::vector<listed_record>;

constexpr auto hour = freshet::hour_ladder::widths();

/// A sink that can be told to fail, before or after it did its work.
class spoilt_sink : public adapters::memory::bucket_sink {
public:
    std::optional<error> cannot_begin{};
    std::optional<error> fails_before{};
    std::optional<error> fails_after{};
    std::function<void()> before_replace = [] {};
    std::size_t replaced{};

    auto begin_run(const series_key& series) -> result<freshet::run_ticket> {
        if (cannot_begin) { return *cannot_begin; }
        return adapters::memory::bucket_sink::begin_run(series);
    }
    auto replace(const series_key& series, const freshet::recounted& found, const freshet::run_ticket& ticket)
        -> result<freshet::replaced_counts> {
        before_replace();
        ++replaced;
        if (fails_before) { return *fails_before; }
        auto done = adapters::memory::bucket_sink::replace(series, found, ticket);
        if (fails_after) { return *fails_after; }
        return done;
    }
};

const time_range two_hours{at("2024-01-19T13:00:00Z"), at("2024-01-19T15:00:00Z")};
const std::span<const time_range> window{&two_hours, 1};

template <class Source = by_time>
struct bench {
    manual_clock clock{at("2024-01-19T14:15:00Z")};
    Source source{};
    spoilt_sink sink{};

    [[nodiscard]] auto run(const deadline& until = deadline::never(), const std::stop_token& stop = {}) {
        return freshet::recount{source, sink, clock}.run(items, window, until, stop);
    }
    [[nodiscard]] auto counts() { return all_counts(sink, items, hour); }
    [[nodiscard]] auto count(std::string_view start, duration width) -> std::uint64_t {
        const auto found = sink.read(items, {at(start), at(start) + width}, width).value();
        return found.empty() ? 0 : found.front().count;
    }
    /// What was there before the run under test: a count in a bucket that is empty now, and a wrong one.
    void had_counts() {
        source.pages = {{{"old 1", "2024-01-19T13:20:00Z"}, {"old 2", "2024-01-19T14:10:00Z"}}};
        REQUIRE(run().ok());
    }
};

auto five() -> records {
    return {{"1", "2024-01-19T13:00:00Z"},
            {"2", "2024-01-19T13:00:59Z"},
            {"3", "2024-01-19T13:01:00Z"},
            {"4", "2024-01-19T14:37:23Z"},
            {"5", "2024-01-19T14:37:23.5Z"}};
}

auto has(const std::string& note, std::string_view words) -> bool { return note.find(words) != std::string::npos; }

} // namespace

TEST_CASE("each record is in one bucket a level, and the counts are what the records say") {
    bench b;
    b.source.pages = {five()};
    const auto report = b.run();
    REQUIRE(report.ok());
    CHECK(report->series == items);
    CHECK(report->records == 5);
    CHECK(report->ranges == 1);
    CHECK(report->pages == 1);
    CHECK(report->check.ok());
    CHECK(report->check.records == 5);
    REQUIRE(report->check.levels.size() == 4);
    CHECK(report->check.levels[0] == freshet::level_total{1min, 3, 5});
    CHECK(report->check.levels[3] == freshet::level_total{1h, 2, 5});
    CHECK(report->replaced == freshet::replaced_counts{3 + 2 + 2 + 2, 154 - 9, 0});
    CHECK(b.count("2024-01-19T13:00:00Z", 1min) == 2);
    CHECK(b.count("2024-01-19T13:01:00Z", 1min) == 1);
    CHECK(b.count("2024-01-19T14:35:00Z", 5min) == 2);
    CHECK(b.count("2024-01-19T14:30:00Z", 15min) == 2);
    CHECK(b.count("2024-01-19T13:00:00Z", 1h) == 3);

    const auto again = b.run();
    REQUIRE(again.ok());
    CHECK(again->replaced == freshet::replaced_counts{0, 154, 0});
    CHECK(again->ticket.number > report->ticket.number);
}

TEST_CASE("run 1 reads five records, run 2 finds and writes six, run 1 writes last: six stay") {
    bench b;
    b.source.pages = {five()};
    bool nested = false;
    b.sink.before_replace = [&] {
        if (std::exchange(nested, true)) { return; }
        b.source.pages = {five()};
        b.source.pages[0].push_back({"6", "2024-01-19T14:50:00Z"});
        const auto second = b.run();
        REQUIRE(second.ok());
        CHECK(second->records == 6);
        CHECK(second->replaced.overtaken == 0);
    };
    const auto first = b.run();
    REQUIRE(first.ok());
    CHECK(first->records == 5);
    CHECK(first->replaced == freshet::replaced_counts{0, 0, 154});
    CHECK(b.count("2024-01-19T14:00:00Z", 1h) == 3);
    CHECK(b.count("2024-01-19T14:50:00Z", 1min) == 1);
}

TEST_CASE("a run takes its ticket before it reads") {
    bench b;
    std::optional<freshet::run_ticket> between;
    b.source.before_page = [&](std::size_t) { between = b.sink.begin_run(items).value(); };
    const auto report = b.run();
    REQUIRE(report.ok());
    CHECK(report->ticket.number < between->number);
}

TEST_CASE("a page that fails in the middle leaves all counts as they were") {
    for (std::size_t failing = 0; failing != 3; ++failing) {
        CAPTURE(failing);
        bench b;
        b.had_counts();
        const auto before = b.counts();
        b.source.pages = {five(), {}, {{"6", "2024-01-19T14:50:00Z"}}};
        b.source.failing[failing] = {errc::throttled, "slow down"};
        const auto report = b.run();
        REQUIRE(!report.ok());
        CHECK(report.why().code == errc::throttled);
        CHECK(has(report.why().note, "recount of items / acc-1"));
        CHECK(has(report.why().note, "pages read: " + std::to_string(failing)));
        CHECK(has(report.why().note, "slow down"));
        CHECK(b.counts() == before);
        CHECK(b.sink.replaced == 1);
        CHECK(b.source.asked.size() == 1 + failing + 1);

        b.source.failing.clear();
        CHECK(b.run()->records == 6);
    }
}

TEST_CASE("repeats count once: adjacent ones, across a page's end, and within a second in another order") {
    bench b;
    b.source.pages = {
        {{"a", "2024-01-19T13:00:00.7Z"}, {"a", "2024-01-19T13:00:00.7Z"}, {"b", "2024-01-19T13:00:00.2Z"}},
        {{"b", "2024-01-19T13:00:00.2Z"}, {"a", "2024-01-19T13:00:00.7Z"}, {"c", "2024-01-19T13:00:00.1Z"}},
        {{"c", "2024-01-19T13:00:00.1Z"}, {"d", "2024-01-19T13:00:01Z"}, {"d", "2024-01-19T13:00:01Z"}}};
    const auto report = b.run();
    REQUIRE(report.ok());
    CHECK(report->records == 4);
    CHECK(report->duplicates == 5);
    CHECK(report->ids_kept == 3);
    CHECK(b.count("2024-01-19T13:00:00Z", 1min) == 4);
}

TEST_CASE("repeats on a source without order count once wherever they come") {
    bench<in_any_order> b;
    b.source.pages = {{{"a", "2024-01-19T14:59:59Z"}, {"b", "2024-01-19T13:00:00Z"}},
                      {{"c", "2024-01-19T13:30:00Z"}, {"a", "2024-01-19T14:59:59Z"}},
                      {{"b", "2024-01-19T13:00:00Z"}, {"c", "2024-01-19T13:30:00Z"}}};
    const auto report = b.run();
    REQUIRE(report.ok());
    CHECK(report->records == 3);
    CHECK(report->duplicates == 3);
    CHECK(report->ids_kept == 3);
}

TEST_CASE("a source that lists by time and goes back by a second is broken, and both times are named") {
    bench b;
    b.had_counts();
    const auto before = b.counts();
    b.source.pages = {{{"a", "2024-01-19T13:00:10.9Z"}}, {{"b", "2024-01-19T13:00:09.999Z"}}};
    const auto report = b.run();
    REQUIRE(!report.ok());
    CHECK(report.why().code == errc::malformed);
    CHECK(has(report.why().note, "2024-01-19T13:00:10.000000Z"));
    CHECK(has(report.why().note, "\"b\" of 2024-01-19T13:00:09.999Z"));
    CHECK(b.counts() == before);

    bench within;
    within.source.pages = {{{"a", "2024-01-19T13:00:10.9Z"}, {"b", "2024-01-19T13:00:10.1Z"}}};
    CHECK(within.run()->records == 2);
}

TEST_CASE("an empty page with a next one does not end the list") {
    bench b;
    b.source.pages = {{}, {{"a", "2024-01-19T13:00:00Z"}}, {}, {}, {{"b", "2024-01-19T13:00:01Z"}}, {}};
    const auto report = b.run();
    REQUIRE(report.ok());
    CHECK(report->records == 2);
    CHECK(report->pages == 6);
}

TEST_CASE("pages that lead in a circle end with a line, and nothing is written") {
    for (const std::size_t length : {1U, 2U, 3U, 7U}) {
        for (const std::size_t tail : {0U, 1U, 5U}) {
            CAPTURE(length);
            CAPTURE(tail);
            bench b;
            b.source.pages.resize(tail + length + 1);
            b.source.next_of[tail + length] = tail + 1;
            const auto report = b.run();
            REQUIRE(!report.ok());
            CHECK(report.why().code == errc::malformed);
            CHECK(has(report.why().note, "lead back to an earlier one"));
            CHECK(b.source.asked.size() <= 3 * (tail + length + 1));
            CHECK(b.sink.replaced == 0);
        }
    }
}

TEST_CASE("a record on a boundary belongs to the bucket that begins there") {
    bench b;
    b.source.pages = {{{"before", "2024-01-19T12:59:59.999999Z"},
                       {"first", "2024-01-19T13:00:00Z"},
                       {"edge", "2024-01-19T14:00:00Z"},
                       {"last", "2024-01-19T14:59:59.999999Z"},
                       {"after", "2024-01-19T15:00:00Z"}}};
    const auto report = b.run();
    REQUIRE(report.ok());
    CHECK(report->records == 3);
    CHECK(report->outside == 2);
    CHECK(b.count("2024-01-19T13:00:00Z", 1h) == 1);
    CHECK(b.count("2024-01-19T14:00:00Z", 1h) == 2);
    CHECK(b.count("2024-01-19T15:00:00Z", 1h) == 0);
    CHECK(b.count("2024-01-19T12:00:00Z", 1h) == 0);
}

TEST_CASE("records before 1970 are counted as all others") {
    bench b;
    b.source.pages = {
        {{"a", "1969-12-31T22:59:59.999999Z"}, {"b", "1969-12-31T23:00:00Z"}, {"c", "1969-12-31T23:59:59Z"}}};
    const std::array early{time_range{at("1969-12-31T22:30:00Z"), at("1969-12-31T23:10:00Z")}};
    const auto report = freshet::recount{b.source, b.sink, b.clock}.run(items, early);
    REQUIRE(report.ok());
    CHECK(report->records == 3);
    CHECK(b.count("1969-12-31T22:00:00Z", 1h) == 1);
    CHECK(b.count("1969-12-31T22:59:00Z", 1min) == 1);
    CHECK(b.count("1969-12-31T23:00:00Z", 1h) == 2);
}

TEST_CASE("a time with an offset is the instant that it means") {
    bench b;
    b.source.pages = {
        {{"a", "2024-01-19T18:29:59+05:30"}, {"b", "2024-01-19T08:00:00-05:00"}, {"c", "2024-01-19T15:37:00+01:00"}}};
    const auto report = b.run();
    REQUIRE(report.ok());
    CHECK(report->outside == 1);
    CHECK(b.count("2024-01-19T13:00:00Z", 1min) == 1);
    CHECK(b.count("2024-01-19T14:37:00Z", 1min) == 1);
}

TEST_CASE("a record whose time is missing or cannot be read is skipped, told by its id, and never of now") {
    bench b;
    b.source.pages = {{{"good", "2024-01-19T13:00:00Z"}, {"none", ""}},
                      {{"none", ""}, {"bad", "2024-02-30T00:00:00Z"}, {"zone", "2024-01-19T14:15:00"}}};
    std::vector<std::string> told;
    freshet::recount recount{b.source,
                             b.sink,
                             b.clock,
                             {},
                             freshet::watch{freshet::on<freshet::record_skipped>([&](const freshet::record_skipped& e) {
                                 CHECK(e.series == items);
                                 told.push_back(std::string{e.id} + ": " + std::string{name_of(e.verdict.fate)} + ", " +
                                                std::string{e.created_at} + ", " + std::string{e.verdict.why.reason});
                             })}};
    const auto report = recount.run(items, window);
    REQUIRE(report.ok());
    CHECK(report->records == 1);
    CHECK(report->skipped == freshet::skipped_records{1, 2});
    CHECK(report->duplicates == 1);
    CHECK(told == std::vector<std::string>{"none: no_timestamp, , ",
                                           "bad: bad_timestamp, 2024-02-30T00:00:00Z, the month has no such day",
                                           "zone: bad_timestamp, 2024-01-19T14:15:00, the zone is missing"});
    CHECK(b.count("2024-01-19T14:00:00Z", 1h) == 0);
}

TEST_CASE("a hundred skipped records are counted, and only the first of them told") {
    bench b;
    b.source.pages.resize(1);
    for (int i = 0; i != 100; ++i) { b.source.pages[0].push_back({std::to_string(i), "yesterday"}); }
    std::size_t told = 0;
    freshet::recount recount{b.source,
                             b.sink,
                             b.clock,
                             {.max_skipped_shown = 3},
                             freshet::watch{freshet::on<freshet::record_skipped>([&](const auto&) { ++told; })}};
    CHECK(recount.run(items, window)->skipped.bad_timestamp == 100);
    CHECK(told == 3);
}

namespace {

/// Counts right but for one bucket of one level.
class miscounting : public freshet::bucket_counter<> {
public:
    std::size_t wrong_level{};
    std::size_t wrong_bucket{};
    std::uint64_t by{1};

    template <class Visit>
    void each(std::size_t level, Visit&& visit) const {
        std::size_t i = 0;
        freshet::bucket_counter<>::each(level, [&](bucket found) {
            if (level == wrong_level && i++ == wrong_bucket) { found.count += by; }
            visit(static_cast<const bucket&>(found));
        });
    }
    [[nodiscard]] auto buckets() const -> std::vector<bucket> {
        std::vector<bucket> all;
        for (std::size_t level = 0; level != hour.size(); ++level) {
            each(level, [&](const bucket& found) { all.push_back(found); });
        }
        return all;
    }
};

} // namespace

TEST_CASE("one counter that is off stops the run: nothing is written, and the line says which level") {
    constexpr std::array<std::size_t, 4> buckets_of{3, 2, 2, 2};
    for (std::size_t level = 0; level != 4; ++level) {
        for (std::size_t number = 0; number != buckets_of[level]; ++number) {
            bench b;
            b.had_counts();
            const auto before = b.counts();
            b.source.pages = {five()};
            miscounting counter;
            counter.wrong_level = level;
            counter.wrong_bucket = number;
            std::vector<std::string> told;
            freshet::recount recount{b.source,
                                     b.sink,
                                     b.clock,
                                     {},
                                     freshet::watch{freshet::on<freshet::cross_check_failed>(
                                         [&](const freshet::cross_check_failed& e) { told.emplace_back(e.fault); })},
                                     counter};
            const auto report = recount.run(items, window);
            REQUIRE(!report.ok());
            CHECK(report.why().code == errc::failed);
            CHECK(report.why().note.starts_with("cross-check: "));
            CHECK(has(report.why().note, "2024-01-19T13:00:00"));
            CHECK(told.size() == 1);
            CHECK(has(report.why().note, told.at(0)));
            CHECK(b.counts() == before);
            CHECK(b.sink.replaced == 1);
        }
    }
    bench b;
    b.source.pages = {five()};
    miscounting right;
    right.by = 0;
    CHECK(freshet::recount{b.source, b.sink, b.clock, {}, freshet::unobserved{}, right}.run(items, window).ok());
}

TEST_CASE("a bucket whose last record has gone becomes zero") {
    bench b;
    b.had_counts();
    REQUIRE(b.count("2024-01-19T13:20:00Z", 1min) == 1);
    b.source.pages = {{}};
    const auto report = b.run();
    REQUIRE(report.ok());
    CHECK(report->replaced.written == 8);
    CHECK(b.counts().empty());
}

TEST_CASE("a range of another alignment is widened, and ranges that overlap are counted once") {
    bench b;
    std::vector<time_range> asked;
    std::vector<time_range> counted;
    b.source.pages = {{{"a", "2024-01-19T13:59:00Z"}}};
    freshet::recount recount{b.source,
                             b.sink,
                             b.clock,
                             {},
                             freshet::watch{freshet::on<freshet::range_recounted>(
                                 [&](const freshet::range_recounted& e) { counted.push_back(e.range); })}};
    const std::array ranges{time_range{at("2024-01-19T17:05:00Z"), at("2024-01-19T17:06:00Z")},
                            time_range{at("2024-01-19T14:10:00Z"), at("2024-01-19T14:20:00Z")},
                            time_range{at("2024-01-19T13:59:59Z"), at("2024-01-19T14:00:01Z")},
                            time_range{at("2024-01-19T20:00:00Z"), at("2024-01-19T20:00:00Z")}};
    const auto report = recount.run(items, ranges);
    REQUIRE(report.ok());
    CHECK(report->ranges == 2);
    CHECK(report->records == 1);
    CHECK(counted == std::vector<time_range>{two_hours, {at("2024-01-19T17:00:00Z"), at("2024-01-19T18:00:00Z")}});
}

TEST_CASE("without a range nothing is read or written") {
    bench b;
    const auto report = freshet::recount{b.source, b.sink, b.clock}.run(items, {});
    REQUIRE(report.ok());
    CHECK(report->ranges == 0);
    CHECK(b.source.asked.empty());
    CHECK(b.sink.replaced == 0);
}

TEST_CASE("a range whose page fails leaves all ranges of the run as they were") {
    bench b;
    const std::array ranges{time_range{at("2024-01-19T13:00:00Z"), at("2024-01-19T13:01:00Z")},
                            time_range{at("2024-01-19T17:00:00Z"), at("2024-01-19T17:01:00Z")}};
    b.source.pages = {{{"a", "2024-01-19T13:00:00Z"}}};
    b.source.before_page = [&](std::size_t) {
        if (b.source.asked.size() == 2) { b.source.failing[0] = {errc::unavailable, "gone"}; }
    };
    const auto report = freshet::recount{b.source, b.sink, b.clock}.run(items, ranges);
    REQUIRE(!report.ok());
    CHECK(report.why().code == errc::unavailable);
    CHECK(has(report.why().note, "ranges written before: 0"));
    CHECK(b.sink.replaced == 0);
    CHECK(b.count("2024-01-19T13:00:00Z", 1h) == 0);
}

TEST_CASE("a deadline or a stop ends a run between its steps, with nothing half done") {
    for (const bool stops : {false, true}) {
        for (std::size_t page = 0; page != 4; ++page) {
            CAPTURE(stops);
            CAPTURE(page);
            bench b;
            b.had_counts();
            const auto before = b.counts();
            b.source.pages = {five(), {}, {{"6", "2024-01-19T14:50:00Z"}}};
            std::stop_source stop;
            b.source.asked.clear();
            b.source.before_page = [&](std::size_t number) {
                if (number == page) { stops ? void(stop.request_stop()) : b.clock.advance(1min); }
            };
            const auto report = b.run(deadline::in(1min, b.clock.now()), stop.get_token());
            if (page == 3) {
                CHECK(report.ok());
                continue;
            }
            REQUIRE(!report.ok());
            CHECK(report.why().code == errc::expired);
            CHECK(has(report.why().note, stops ? "a stop was asked for" : "the deadline passed"));
            CHECK(b.source.asked.size() == page + 1);
            CHECK(b.counts() == before);
            CHECK(b.sink.replaced == 1);
        }
    }
}

TEST_CASE("a deadline or a stop between the writes of two ranges leaves those written, and the note says how many") {
    const std::array ranges{time_range{at("2024-01-19T13:00:00Z"), at("2024-01-19T14:00:00Z")},
                            time_range{at("2024-01-19T15:00:00Z"), at("2024-01-19T16:00:00Z")},
                            time_range{at("2024-01-19T17:00:00Z"), at("2024-01-19T18:00:00Z")}};
    for (const bool stops : {false, true}) {
        for (std::size_t during = 1; during != 4; ++during) {
            CAPTURE(stops);
            CAPTURE(during);
            bench<in_any_order> b;
            b.source.pages = {
                {{"1", "2024-01-19T13:00:00Z"}, {"2", "2024-01-19T15:00:00Z"}, {"3", "2024-01-19T17:00:00Z"}}};
            std::stop_source stop;
            b.sink.before_replace = [&] {
                if (b.sink.replaced + 1 == during) { stops ? void(stop.request_stop()) : b.clock.advance(1min); }
            };
            freshet::recount recount{b.source, b.sink, b.clock};
            const auto report = recount.run(items, ranges, deadline::in(1min, b.clock.now()), stop.get_token());
            CHECK(b.sink.replaced == during);
            CHECK(b.count("2024-01-19T13:00:00Z", 1h) == 1);
            CHECK(b.count("2024-01-19T15:00:00Z", 1h) == (during > 1 ? 1 : 0));
            CHECK(b.count("2024-01-19T17:00:00Z", 1h) == (during > 2 ? 1 : 0));
            if (during == ranges.size()) {
                CHECK(report.ok());
                continue;
            }
            REQUIRE(!report.ok());
            CHECK(report.why().code == errc::expired);
            CHECK(has(report.why().note, stops ? "a stop was asked for" : "the deadline passed"));
            CHECK(has(report.why().note, "ranges written before: " + std::to_string(during)));
            CHECK(has(report.why().note, during == 1 ? "2024-01-19T15:00:00" : "2024-01-19T17:00:00"));

            b.sink.before_replace = [] {};
            CHECK(recount.run(items, ranges)->replaced.written == 4 * (ranges.size() - during));
        }
    }
}

TEST_CASE("what comes too late takes no ticket") {
    bench b;
    std::stop_source stop;
    stop.request_stop();
    CHECK(b.run(deadline::never(), stop.get_token()).why().code == errc::expired);
    CHECK(b.run(deadline::at(b.clock.now())).why().code == errc::expired);
    CHECK(b.sink.begin_run(items)->number == 1);
    CHECK(b.source.asked.empty());
}

TEST_CASE("a sink that gives no ticket is not written to, and nothing is read for it") {
    bench b;
    b.sink.cannot_begin = {errc::denied, "no"};
    const auto report = b.run();
    CHECK(report.why().code == errc::denied);
    CHECK(b.source.asked.empty());
    CHECK(b.sink.replaced == 0);
}

TEST_CASE("after a sink's failure, done or not, the run is repeated and the counts are right") {
    for (const bool done : {false, true}) {
        bench b;
        b.had_counts();
        b.source.pages = {five()};
        (done ? b.sink.fails_after : b.sink.fails_before) = error{errc::unavailable, "the line dropped"};
        const auto report = b.run();
        REQUIRE(!report.ok());
        CHECK(report.why().code == errc::unavailable);
        CHECK(has(report.why().note, "the line dropped"));
        b.sink.fails_after = b.sink.fails_before = std::nullopt;
        const auto again = b.run();
        REQUIRE(again.ok());
        CHECK((again->replaced.written == 0) == done);
        CHECK(b.count("2024-01-19T13:00:00Z", 1h) == 3);
        CHECK(b.count("2024-01-19T13:20:00Z", 1min) == 0);
    }
}

TEST_CASE("a window is the present bucket and those before it, but for the final ones") {
    bench b;
    std::vector<time_range> counted;
    auto watch = freshet::watch{
        freshet::on<freshet::range_recounted>([&](const freshet::range_recounted& e) { counted.push_back(e.range); })};
    REQUIRE(freshet::recount{b.source, b.sink, b.clock, {}, watch}.run_window(items, 2).ok());
    CHECK(counted == std::vector<time_range>{two_hours});

    counted.clear();
    freshet::recount late{b.source, b.sink, b.clock, {.lateness = 16min}, watch};
    REQUIRE(late.run_window(items, 5).ok());
    CHECK(counted == std::vector<time_range>{two_hours});
    b.clock.advance(1min);
    REQUIRE(late.run_window(items, 5).ok());
    CHECK(counted.back() == time_range{at("2024-01-19T14:00:00Z"), at("2024-01-19T15:00:00Z")});
    REQUIRE(late.run(items, window).ok());
    CHECK(counted.back() == two_hours);
}

TEST_CASE("a ladder that is known at run time counts as well") {
    bench b;
    b.source.pages = {five()};
    constexpr std::array<duration, 2> widths{10s, 2min};
    const auto ladder = freshet::ladder::of(widths).value();
    freshet::recount recount{b.source, b.sink, b.clock, {}, freshet::unobserved{}, freshet::bucket_counter{ladder}};
    const auto report = recount.run(items, window);
    REQUIRE(report.ok());
    CHECK(all_counts(b.sink, items, widths) ==
          naive_counts({at(five()[0].created_at), at(five()[1].created_at), at(five()[2].created_at),
                        at(five()[3].created_at), at(five()[4].created_at)},
                       widths));
    REQUIRE(recount.run_window(items, 1).ok());
}

TEST_CASE("pages are asked for in the size that was wished for") {
    bench b;
    b.source.pages = {five(), {}};
    CHECK(freshet::recount{b.source, b.sink, b.clock, {.page_size = 7}}.run(items, window).ok());
    CHECK(b.source.asked.size() == 2);
    CHECK(b.source.asked[1].limit == 7);
    CHECK(b.source.asked[1].from == "1");
}

TEST_CASE("a clock that is set back makes no run take less than no time") {
    bench b;
    b.source.pages = {{}};
    b.source.before_page = [&](std::size_t) { b.clock.advance(-1h); };
    CHECK(b.run()->took == 0s);
}

TEST_CASE("what is told of a run names its series and says what a person wants to know") {
    std::string line;
    const auto visit = [&](std::string_view name, const auto& value) {
        line += " " + std::string{name} + "=";
        using value_type = std::remove_cvref_t<decltype(value)>;
        if constexpr (std::is_same_v<value_type, time_point>) {
            line += text(value).substr(0, 19);
        } else if constexpr (std::is_same_v<value_type, duration>) {
            line += std::to_string(value.count()) + "us";
        } else if constexpr (std::is_integral_v<value_type>) {
            line += std::to_string(value);
        } else {
            line += value;
        }
    };
    const freshet::tally_verdict bad{freshet::record_fate::bad_timestamp, {0, "a digit is missing"}};
    freshet::record_skipped{items, "id-1", "soon", bad}.fields(visit);
    CHECK(line == " table=items account=acc-1 id=id-1 reason=bad_timestamp created_at=soon note=a digit is missing");
    line.clear();
    freshet::range_recounted{items, two_hours, {7}, 1234, 2, 3, {154, 1, 4}, 5us}.fields(visit);
    CHECK(line ==
          " table=items account=acc-1 start=2024-01-19T13:00:00 end=2024-01-19T15:00:00 ticket=7 records=1234 skipped=2"
          " duplicates=3 written=154 unchanged=1 overtaken=4 took=5us");
    line.clear();
    freshet::cross_check_failed{items, two_hours, "off by one"}.fields(visit);
    CHECK(line == " table=items account=acc-1 start=2024-01-19T13:00:00 end=2024-01-19T15:00:00 fault=off by one");
}
