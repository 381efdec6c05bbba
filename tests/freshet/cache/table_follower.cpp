#include <freshet/cache/table_follower.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <adapters/memory/change_stream.hpp>
#include <freshet/cache/table_cache.hpp>
#include <freshet/testing/fault.hpp>
#include <freshet/testing/faults.hpp>
#include <freshet/testing/faulty_stream.hpp>
#include <freshet/testing/faulty_table.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <support/cases.hpp>
#include <support/watched_table.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::change_batch;
using freshet::deadline;
using freshet::document;
using freshet::errc;
using freshet::error;
using freshet::follow_report;
using freshet::result;
using freshet::scan_origin;
using freshet::table_follower_options;
using freshet::testing::fault;
using freshet::testing::manual_clock;
using support::value_of;
using support::watched_table;
using lines = std::vector<std::string>;
using memory_stream = adapters::memory::change_stream<manual_clock>;
using snapshot = freshet::table_snapshot<document>;

void strip(freshet::change<document>& of) {
    of.before.reset();
    of.after.reset();
}

/// A stream in front of a table's, whose batches a test may change on their way.
class bent_stream {
public:
    using row_type = document;

    explicit bent_stream(support::memory_table& table) : stored_{table} {}

    [[nodiscard]] auto read(const freshet::stream_position& position, std::size_t limit)
        -> result<change_batch<document>> {
        auto batch = stored_.read(position, limit);
        if (batch) { bend(*batch); }
        return batch;
    }
    [[nodiscard]] auto latest() { return stored_.latest(); }
    [[nodiscard]] auto oldest() { return stored_.oldest(); }
    [[nodiscard]] auto position_after(const change_batch<document>& batch, std::size_t change) {
        return stored_.position_after(batch, change);
    }
    [[nodiscard]] auto checkpoint(std::string_view reader) { return stored_.checkpoint(reader); }
    [[nodiscard]] auto save_checkpoint(std::string_view reader, const freshet::stream_position& position) {
        return stored_.save_checkpoint(reader, position);
    }

    std::function<void(change_batch<document>&)> bend = [](change_batch<document>&) {};

private:
    memory_stream stored_;
};

struct rig {
    manual_clock clock{};
    watched_table table{clock, {.page_rows = 2}};
    bent_stream bent{table.stored};
    freshet::testing::faults script{};
    freshet::testing::faulty_stream<bent_stream> stream{bent, script};
    lines told{};

    rig() {
        for (const auto* sort : {"a", "b", "c"}) { table.write(sort, "1"); }
    }
    rig(const rig&) = delete;
    auto operator=(const rig&) -> rig& = delete;

    auto follower(table_follower_options options = {}) {
        freshet::watch seen{
            freshet::on<freshet::follower_loaded>([this](const freshet::follower_loaded& event) {
                told.push_back("loaded " + std::to_string(event.rows) + " in " + std::to_string(event.pages) + " " +
                               std::string{name_of(event.reason)});
            }),
            freshet::on<freshet::changes_followed>([this](const freshet::changes_followed& event) {
                told.push_back("changes " + std::to_string(event.changes) + " edits " + std::to_string(event.edits) +
                               " fenced " + std::to_string(event.fenced));
            }),
            freshet::on<freshet::follower_lost>([this](const freshet::follower_lost&) { told.push_back("lost"); }),
            freshet::on<freshet::follower_failed>([this](const freshet::follower_failed& event) {
                told.push_back("failed " + std::string{name_of(event.why.code)});
            })};
        return freshet::table_follower{table, stream, clock, table.key_function(), options, std::move(seen)};
    }
};

/// Rows in the order of their texts.
auto sorted(lines texts) -> lines {
    std::sort(texts.begin(), texts.end());
    return texts;
}
template <class Follower>
auto followed(const Follower& of) -> lines {
    const auto live = of.rows();
    return live ? sorted(support::texts_of(*live->rows)) : lines{"nothing"};
}
auto stored(rig& of) -> lines { return sorted(support::scanned_texts(of.table.stored)); }

template <class Follower>
auto value(const Follower& of, const std::string& sort) -> std::string {
    const auto live = of.rows();
    const auto* const row = live ? live->rows->find({"p", sort}) : nullptr;
    return row == nullptr ? "none" : value_of(*row);
}

} // namespace

TEST_CASE("a follower scans once, and from then on applies what happened: new rows, changed ones, removed ones") {
    rig of;
    auto follower = of.follower();
    CHECK_FALSE(follower.rows());
    CHECK(follower.catch_up().value() == follow_report{.loads = 1, .caught_up = true});
    CHECK(followed(follower) == stored(of));
    of.table.write("a", "2");
    of.table.write("d", "1");
    of.table.remove("b");
    const auto before = follower.rows()->rows;
    CHECK(follower.step().value() == follow_report{.changes = 3, .edits = 3});
    CHECK(follower.step().value() == follow_report{.caught_up = true});
    CHECK(followed(follower) == stored(of));
    CHECK(before->find({"p", "b"}) != nullptr);
    CHECK(follower.rows()->rows->find({"p", "c"}) == before->find({"p", "c"})); // the same row, not another
    CHECK(of.table.scans == 1);
    CHECK(of.table.gets == 0);
}

TEST_CASE("what happens while the table is scanned is not lost, and nothing answers before the stream's end is met") {
    rig of;
    auto follower = of.follower({.batch = 2, .lag = 24h * 365 * 1000});
    of.table.before_page = [&]() -> result<void> {
        if (of.table.pages == 1) { // before anything was read, and behind what was
            of.table.write("a", "2");
            of.table.write("c", "2");
        }
        if (of.table.pages == 2) {
            of.table.write("a", "3");
            of.table.remove("b");
            of.table.write("c", "3");
        }
        return {};
    };
    for (int n = 0; n != 3; ++n) {
        CHECK_FALSE(follower.step()->caught_up);
        CHECK_FALSE(follower.rows());
    }
    CHECK(follower.step()->caught_up);
    CHECK(followed(follower) == stored(of));
    CHECK(value(follower, "a") == "3");
    CHECK(value(follower, "b") == "none");
}

TEST_CASE("once it answers, a follower shows each batch at once, also where the stream's end is far") {
    rig of;
    auto follower = of.follower({.batch = 1});
    REQUIRE(follower.catch_up().ok());
    of.table.write("a", "2");
    of.table.write("a", "3");
    REQUIRE(follower.step().ok());
    CHECK(value(follower, "a") == "2");
    CHECK(follower.rows()->as_of == of.clock.now());
    of.clock.advance(1s);
    REQUIRE(follower.step().ok());
    CHECK(value(follower, "a") == "3");
    CHECK(follower.rows()->as_of == of.clock.now() - 1s); // there may be more
    REQUIRE(follower.step().ok());
    CHECK(follower.rows()->as_of == of.clock.now());
}

TEST_CASE("a gap takes the rows back, and the table is scanned anew") {
    rig of;
    auto follower = of.follower();
    REQUIRE(follower.catch_up().ok());
    of.table.write("a", "2");
    of.table.remove("b");
    of.table.stored.trim_changes();
    CHECK(follower.step().value() == follow_report{.lost = true});
    CHECK_FALSE(follower.rows());
    CHECK(follower.step().value() == follow_report{.loads = 1, .caught_up = true});
    CHECK(followed(follower) == stored(of));
    CHECK(of.told == lines{"loaded 3 in 2 never_loaded", "lost", "loaded 2 in 1 stream_gap"});
}

TEST_CASE("a change that comes again later changes nothing, and brings no removed item back") {
    rig of;
    auto follower = of.follower();
    REQUIRE(follower.catch_up().ok());
    const auto begin = *of.stream.latest();
    of.table.write("a", "2");
    of.table.write("b", "2");
    of.table.write("a", "3");
    of.table.remove("b");
    REQUIRE(follower.catch_up().ok());
    SUBCASE("in a batch of its own") {
        of.bent.bend = [&](auto& batch) {
            auto again = memory_stream{of.table.stored}.read(begin, 3);
            batch.changes = std::move(again->changes);
        };
        CHECK(follower.step().value() == follow_report{.changes = 3, .edits = 0, .fenced = 3});
    }
    SUBCASE("behind newer ones") {
        of.table.write("a", "4");
        of.bent.bend = [&](auto& batch) {
            auto again = memory_stream{of.table.stored}.read(begin, 3);
            for (auto& one : again->changes) { batch.changes.push_back(std::move(one)); }
        };
        CHECK(follower.step().value() == follow_report{.changes = 4, .edits = 1, .fenced = 3});
    }
    of.bent.bend = [](auto&) {};
    REQUIRE(follower.catch_up().ok());
    CHECK(followed(follower) == stored(of));
}

TEST_CASE("after a reload older numbers count again: the table may be another of the same name") {
    rig of;
    auto follower = of.follower();
    REQUIRE(follower.catch_up().ok());
    of.bent.bend = [](auto& batch) {
        for (auto& one : batch.changes) { one.sequence = *freshet::sequence_number::parse(std::string(40, '9')); }
    };
    of.table.write("a", "2");
    REQUIRE(follower.catch_up().ok());
    of.bent.bend = [](auto&) {};
    of.table.stored.trim_changes();
    of.table.write("a", "3");
    of.table.stored.trim_changes();
    REQUIRE(follower.catch_up().ok());
    of.table.write("a", "4");
    REQUIRE(follower.catch_up().ok());
    CHECK(value(follower, "a") == "4");
}

TEST_CASE("where the stream carries no images, changed rows are read from the table, each once a batch") {
    rig of;
    of.bent.bend = [](auto& batch) {
        for (auto& one : batch.changes) { strip(one); }
    };
    auto follower = of.follower();
    REQUIRE(follower.catch_up().ok());
    of.table.write("a", "2");
    of.table.write("a", "3");
    of.table.write("d", "1");
    of.table.remove("b");
    REQUIRE(follower.step().ok());
    CHECK(of.table.gets == 3);
    CHECK(followed(follower) == stored(of));
    SUBCASE("so that a removal before a new row does not hide it") {
        of.table.write("a", "4");
        of.table.remove("a");
        of.table.write("a", "5");
        auto slow = of.follower({.batch = 1});
        REQUIRE(slow.catch_up().ok());
        of.table.write("a", "6");
        of.table.remove("a");
        of.table.write("a", "7");
        for (int n = 0; n != 3; ++n) {
            REQUIRE(slow.step().ok());
            CHECK(value(slow, "a") == "7");
        }
    }
    SUBCASE("and a read that fails fails the step, which may be repeated") {
        of.table.write("a", "4");
        of.table.write("c", "4");
        of.table.before_get = [&, n = 0]() mutable -> result<void> {
            if (++n == 2) { return error{errc::unavailable, "get"}; }
            return {};
        };
        CHECK(follower.step().why() == error{errc::unavailable, "get"});
        CHECK(value(follower, "a") == "3");
        CHECK(follower.step().value() == follow_report{.changes = 2, .edits = 2});
        CHECK(followed(follower) == stored(of));
    }
}

TEST_CASE("a step that fails leaves what is there, and the next one goes on") {
    rig of;
    auto follower = of.follower();
    SUBCASE("no position") {
        of.script.next("stream.latest", {fault::before()});
        CHECK(follower.step().why().code == errc::unavailable);
        CHECK(of.table.scans == 0);
    }
    SUBCASE("a scan that fails on its second page") {
        of.table.before_page = [&]() -> result<void> {
            if (of.table.pages == 2) { return error{errc::throttled, "page"}; }
            return {};
        };
        CHECK(follower.step().why() == error{errc::throttled, "page"});
    }
    SUBCASE("a table that throws") {
        of.table.before_page = [&]() -> result<void> {
            if (of.table.pages == 2) { throw 2; }
            return {};
        };
        CHECK(follower.step().why().code == errc::failed);
    }
    SUBCASE("a read that fails") {
        of.script.next("stream.read", {fault::before(errc::throttled)});
        CHECK(follower.step().why().code == errc::throttled);
        CHECK_FALSE(follower.rows());
    }
    SUBCASE("a read that fails later") {
        REQUIRE(follower.catch_up().ok());
        of.script.next("stream.read", {fault::after()});
        of.table.write("a", "2");
        CHECK(follower.step().why().code == errc::unavailable);
        CHECK(value(follower, "a") == "1");
    }
    CHECK(follower.catch_up().ok());
    CHECK(followed(follower) == stored(of));
    CHECK(of.script.unused().empty());
}

TEST_CASE("rows whose keys cannot be read cannot be followed") {
    rig of;
    freshet::table_follower follower{of.table, of.stream, of.clock, [](const document&) -> result<freshet::row_key> {
                                         return freshet::row_key{"p", "same"};
                                     }};
    CHECK(follower.catch_up().why() == error{errc::malformed, "two rows have the key p / same"});
    CHECK_FALSE(follower.rows());
}

TEST_CASE("rows answer no longer than their lag after the stream's end was met, and not before it") {
    rig of;
    auto follower = of.follower({.lag = 30s});
    REQUIRE(follower.catch_up().ok());
    SUBCASE("at its end exactly they do, behind it not") {
        of.clock.advance(30s);
        CHECK(follower.rows());
        of.clock.advance(1us);
        CHECK_FALSE(follower.rows());
    }
    SUBCASE("a clock that is set back") {
        of.clock.advance(-1h);
        CHECK_FALSE(follower.rows());
    }
    SUBCASE("a clock that is set forth") {
        of.clock.advance(1h);
        CHECK_FALSE(follower.rows());
    }
    REQUIRE(follower.step().ok());
    CHECK(follower.rows()->as_of == of.clock.now());
}

TEST_CASE("rows of before a clock was set back do not answer again when it comes to their instant once more") {
    rig of;
    auto follower = of.follower({.lag = 30s});
    REQUIRE(follower.catch_up().ok());
    of.clock.advance(-1h);
    CHECK_FALSE(follower.rows());
    of.clock.advance(1h);
    CHECK_FALSE(follower.rows());
    REQUIRE(follower.step().ok());
    CHECK(follower.rows());
}

TEST_CASE("a clock that is set back after the scan holds nothing up for longer than the stream's delay") {
    rig of;
    auto follower = of.follower({.stream_delay = 2s});
    REQUIRE(follower.step().ok());
    of.clock.advance(-1h);
    CHECK_FALSE(follower.step()->caught_up);
    of.clock.advance(2s);
    CHECK(follower.step()->caught_up);
}

TEST_CASE("a stream that receives changes late shows no item going back, if its delay is known") {
    rig of;
    auto follower = of.follower({.stream_delay = 2s});
    of.table.before_page = [&]() -> result<void> {
        if (of.table.pages == 1) {
            of.table.write("a", "2");
            of.table.write("a", "3");
        }
        return {};
    };
    auto reached = *of.stream.latest();
    std::size_t received = 0;
    of.bent.bend = [&](auto& batch) { // gives what it has received
        batch.changes.erase(batch.changes.begin() + static_cast<std::ptrdiff_t>(received), batch.changes.end());
        if (received != 0) { reached = of.bent.position_after(batch, received - 1); }
        batch.next = reached;
    };
    REQUIRE(follower.step().ok()); // the scan saw 3, and the stream knows of nothing
    CHECK_FALSE(follower.rows());
    of.clock.advance(1s);
    received = 1;
    REQUIRE(follower.step().ok());
    CHECK_FALSE(follower.rows()); // this one would show 2
    of.clock.advance(1s);
    REQUIRE(follower.step().ok());
    received = 0;
    CHECK(follower.step()->caught_up);
    CHECK(value(follower, "a") == "3");
    CHECK(follower.rows()->as_of == of.clock.now() - 2s);
}

TEST_CASE("a follower saves no checkpoint, and two of them do not disturb each other") {
    rig of;
    auto one = of.follower();
    REQUIRE(one.catch_up().ok());
    of.table.write("a", "2");
    auto other = of.follower();
    REQUIRE(other.catch_up().ok());
    of.table.write("b", "2");
    REQUIRE(one.catch_up().ok());
    REQUIRE(other.catch_up().ok());
    CHECK(followed(one) == stored(of));
    CHECK(followed(other) == stored(of));
    CHECK(of.script.count("stream.save_checkpoint") == 0);
    CHECK(of.script.count("stream.checkpoint") == 0);
}

TEST_CASE("a run follows until its deadline, waits where there is no news, and after failures") {
    rig of;
    auto follower = of.follower({.poll = 1s});
    of.script.next("stream.read", {fault::none(), fault::before(), fault::before(errc::throttled), fault::none(),
                                   fault::meanwhile([&] { of.table.write("a", "2"); })});
    const auto began = of.clock.now();
    const auto done = follower.run(deadline::in(1min, began), {});
    CHECK(done->changes == 1);
    CHECK(of.clock.now() <= began + 1min);
    CHECK(of.clock.now() >= began + 58s);
    CHECK(value(follower, "a") == "2");
    CHECK(of.told ==
          lines{"loaded 3 in 2 never_loaded", "failed unavailable", "failed throttled", "changes 1 edits 1 fenced 0"});
    CHECK(of.script.count("stream.read") < 70);
}

TEST_CASE("a run ends at a stop, and at a failure that waiting cannot cure") {
    rig of;
    auto follower = of.follower();
    std::stop_source stop;
    SUBCASE("stop") {
        of.script.at("stream.read", 3, fault::meanwhile([&] { stop.request_stop(); }));
        CHECK(follower.run(deadline::never(), stop.get_token()).ok());
        CHECK(of.script.count("stream.read") == 3);
    }
    SUBCASE("stop in the middle of the scan") {
        of.table.before_page = [&]() -> result<void> { return stop.request_stop(), result<void>{}; };
        CHECK(follower.run(deadline::never(), stop.get_token()).value() == follow_report{});
        CHECK(of.table.pages == 1);
    }
    SUBCASE("denied") {
        of.script.at("stream.read", 3, fault::before(errc::denied));
        CHECK(follower.run(deadline::never(), {}).why().code == errc::denied);
        CHECK(follower.rows());
    }
}

TEST_CASE("a stream that has a gap each time does not make a run scan without pause") {
    rig of;
    auto follower = of.follower({.retries = {.base = 10s, .cap = 10s}});
    of.bent.bend = [](auto& batch) { batch.gap = true; };
    const auto done = follower.run(deadline::in(1h, of.clock.now()), {});
    CHECK(done->loads < 2000);
    CHECK(done->lost);
    CHECK_FALSE(follower.rows());
}

TEST_CASE("a table cache answers from what is followed: one scan in all, single rows too, and after a start message") {
    rig of;
    auto follower = of.follower();
    freshet::cached_table students{"students", of.table, of.table.key_function()};
    students.followed = [&] { return follower.rows(); };
    freshet::table_cache cache{std::vector{students}, of.clock, {}, freshet::sleeping_aware{}};
    REQUIRE(follower.catch_up().ok());
    CHECK(cache.scan("students")->origin == scan_origin::followed);
    of.table.write("a", "2");
    of.clock.advance(200ms);
    REQUIRE(follower.catch_up().ok());
    CHECK(value_of(*cache.row("students", {"p", "a"})->row) == "2");
    of.clock.advance(1s);
    of.table.write("a", "3");
    CHECK(cache.heard("start"));
    of.clock.advance(1us);
    REQUIRE(follower.catch_up().ok()); // what the start message is about is seen
    const auto answer = cache.scan("students");
    CHECK(answer->origin == scan_origin::followed);
    CHECK(answer->verdict == freshet::refresh_verdict{freshet::refresh_action::use, freshet::refresh_reason::kept});
    CHECK(value_of(*answer->rows->find({"p", "a"})) == "3");
    CHECK(of.table.scans == 1);
    of.clock.advance(1min); // nobody pumps the follower: the table answers as any other
    CHECK(cache.scan("students")->origin == scan_origin::scanned);
    REQUIRE(follower.catch_up().ok());
    of.clock.advance(1us);
    CHECK(cache.scan("students")->origin == scan_origin::scanned); // not behind what that scan has shown
    of.clock.advance(1us);
    REQUIRE(follower.catch_up().ok());
    CHECK(cache.scan("students")->origin == scan_origin::followed);
}

TEST_CASE("random writes, removals, moves, gaps and faults end with what a scan gives, and no item goes back") {
    CAPTURE(support::seed());
    std::mt19937_64 random{support::seed()};
    std::size_t changes = 0;
    std::size_t loads = 0;
    for (std::size_t n = 0; n != support::cases(60); ++n) {
        CAPTURE(n);
        rig of;
        freshet::testing::faulty_table faulty{of.table, of.script};
        of.script.by_chance(0.1, random(), {fault::before(), fault::after(errc::throttled)});
        const bool images = random() % 3 != 0;
        if (!images) {
            of.bent.bend = [](auto& batch) {
                for (auto& one : batch.changes) { strip(one); }
            };
        }
        freshet::table_follower follower{
            faulty, of.stream, of.clock, of.table.key_function(), {.batch = 1 + random() % 5, .poll = 10ms}};
        int clock = 1; // an item's value only grows
        const auto write = [&] {
            const std::string sort{static_cast<char>('a' + random() % 6)};
            const std::string other{static_cast<char>('a' + random() % 6)};
            switch (random() % 6) {
                case 0: of.table.remove(sort); break;
                case 1:
                    of.table.remove(sort);
                    of.table.write(other, std::to_string(++clock));
                    break;
                default: of.table.write(sort, std::to_string(++clock));
            }
        };
        of.table.before_page = [&]() -> result<void> { return write(), result<void>{}; };
        std::map<std::string, int> shown;
        const auto look = [&] {
            const auto live = follower.rows();
            if (!live) { return; }
            for (const auto& row : *live->rows) {
                auto& newest = shown[std::string{row.image().find("SK")->text()}];
                const auto is = std::stoi(value_of(row));
                CHECK(is >= newest);
                newest = std::max(newest, is);
            }
        };
        for (int step = 0; step != 60; ++step) {
            switch (random() % 8) {
                case 0:
                case 1:
                case 2: write(); break;
                case 3:
                    if (random() % 10 == 0) { of.table.stored.trim_changes(); }
                    break;
                case 4: of.clock.advance(random() % 10 == 0 ? (random() % 2 == 0 ? -1h : 1h) : 100ms); break;
                default: {
                    const auto done = follower.step();
                    if (done) {
                        changes += done->changes;
                        loads += done->loads;
                    } else {
                        CHECK((done.why().code == errc::unavailable || done.why().code == errc::throttled));
                    }
                    look();
                }
            }
        }
        of.table.before_page = [] { return result<void>{}; };
        REQUIRE(follower.catch_up().ok());
        look();
        CHECK(followed(follower) == stored(of));
    }
    CHECK(changes > 500);
    CHECK(loads > 60);
}

TEST_CASE("readers on other threads see whole snapshots that only go forward") {
    rig of;
    auto follower = of.follower({.batch = 3});
    REQUIRE(follower.catch_up().ok());
    std::atomic<bool> over{false};
    std::atomic<int> broken{0};
    std::vector<std::jthread> readers;
    for (int t = 0; t != 3; ++t) {
        readers.emplace_back([&] {
            int newest = 0;
            while (!over) {
                const auto live = follower.rows();
                if (!live) { continue; }
                const auto is = std::stoi(value_of(*live->rows->find({"p", "a"})));
                const auto count = std::distance(live->rows->begin(), live->rows->end());
                if (is < newest || count != static_cast<std::ptrdiff_t>(live->rows->size())) { ++broken; }
                newest = is;
            }
        });
    }
    for (int n = 2; n != 200; ++n) {
        of.table.write("a", std::to_string(n));
        of.table.write("x" + std::to_string(n));
        if (n % 7 == 0) { of.table.stored.trim_changes(); }
        REQUIRE(follower.step().ok());
    }
    REQUIRE(follower.catch_up().ok());
    over = true;
    readers.clear();
    CHECK(broken == 0);
    CHECK(followed(follower) == stored(of));
}
