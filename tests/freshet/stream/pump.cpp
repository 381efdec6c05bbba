#include <freshet/stream/pump.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <adapters/memory/change_stream.hpp>
#include <adapters/memory/table.hpp>
#include <freshet/core/observe.hpp>
#include <freshet/item/document.hpp>
#include <freshet/stream/processor.hpp>
#include <freshet/testing/fault.hpp>
#include <freshet/testing/faulty_stream.hpp>
#include <support/cases.hpp>
#include <support/part_stream.hpp>

namespace {

using freshet::batch_report;
using freshet::batch_response;
using freshet::change;
using freshet::deadline;
using freshet::duration;
using freshet::errc;
using freshet::pump_options;
using freshet::result;
using freshet::testing::fault;
using freshet::testing::manual_clock;
using support::sequences;
using namespace std::chrono_literals;
using lines = std::vector<std::string>;

using plain_stream = adapters::memory::change_stream<manual_clock, adapters::unread>;
using test_stream = freshet::testing::faulty_stream<plain_stream>;
using bare_change = change<adapters::unread>;

/// Writes down what it is given and when; does as much of each batch as it is told to, else everything.
struct scribe {
    manual_clock& clock;
    std::vector<std::size_t> batches{};
    std::vector<duration> ages{}; ///< of each batch's first change when it came
    std::vector<std::string> seen{};
    std::vector<std::size_t> script{}; ///< how much to do of the next batches, the last one first

    auto process(std::span<const bare_change> changes, deadline, const std::stop_token&) -> batch_report {
        batches.push_back(changes.size());
        ages.push_back(clock.now() - *changes.front().made_at);
        auto count = changes.size();
        if (!script.empty()) {
            count = std::min(count, script.back());
            script.pop_back();
        }
        for (std::size_t i = 0; i < count; ++i) { seen.push_back(changes[i].key.sort); }
        batch_report report;
        report.changed = report.done_from_start = count;
        report.failed = changes.size() - count;
        if (report.failed != 0) {
            report.response = {batch_response::extent::from_checkpoint, changes[count].sequence};
            report.why = {errc::unavailable, "not today"};
        }
        return report;
    }
};

/// A table, its stream in which things go wrong, and somebody who writes down what comes of it.
struct rig {
    manual_clock clock{};
    adapters::memory::table<manual_clock> table{clock};
    plain_stream stored{table};
    freshet::testing::faults script{};
    test_stream stream{stored, script};
    scribe reader{clock};
    lines told{};
    unsigned written{};

    rig() = default;
    rig(const rig&) = delete;
    auto operator=(const rig&) -> rig& = delete;

    auto pump(pump_options options = {}) {
        freshet::watch seen{freshet::on<freshet::stream_gap>([this](const freshet::stream_gap& event) {
                                told.push_back("gap " + std::string{event.reader});
                            }),
                            freshet::on<freshet::stream_failed>([this](const freshet::stream_failed& event) {
                                told.push_back("failed " + std::string{freshet::name_of(event.why.code)});
                            })};
        return freshet::pump{stream, reader, clock, std::move(options), std::move(seen)};
    }
    /// Makes that many changes, of new items named by their numbers from 0 on.
    void write(unsigned count) {
        for (; count > 0; --count) {
            const auto item =
                freshet::document::parse(R"({"PK":{"S":"p"},"SK":{"S":")" + std::to_string(written++) + R"("}})");
            REQUIRE(item.ok());
            REQUIRE(table.put(*item).ok());
        }
    }
    auto saved(std::string_view whose = "pump") -> std::optional<std::string> { return *stored.checkpoint(whose); }
    auto latest() -> std::string { return *stored.latest(); }
};

auto counting(std::size_t from, std::size_t to) -> lines {
    lines all;
    for (auto i = from; i < to; ++i) { all.push_back(std::to_string(i)); }
    return all;
}

} // namespace

TEST_CASE("a reader without a checkpoint begins at the end, and saves that position before it first reads") {
    rig of;
    of.write(3);
    {
        auto first = of.pump();
        REQUIRE(first.start().ok());
        CHECK(of.saved() == of.latest());
        CHECK(of.script.count("stream.read") == 0);
    } // crashes right after the start
    of.write(2);
    auto second = of.pump();
    REQUIRE(second.start().ok());
    REQUIRE(second.drain().ok());
    CHECK(of.reader.seen == counting(3, 5));
}

TEST_CASE("the first step starts by itself, and saves before it reads") {
    rig of;
    of.write(1);
    auto pump = of.pump();
    CHECK(pump.step()->records() == 0);
    REQUIRE(of.script.calls().size() >= 4);
    CHECK(of.script.calls()[0].operation == "stream.checkpoint");
    CHECK(of.script.calls()[1].operation == "stream.latest");
    CHECK(of.script.calls()[2].operation == "stream.save_checkpoint");
    CHECK(of.script.calls()[3].operation == "stream.read");
}

TEST_CASE("a reader may begin with the oldest change") {
    rig of;
    of.write(3);
    CHECK(of.pump({.start = freshet::stream_start::oldest}).drain()->changed == 3);
    CHECK(of.reader.seen == counting(0, 3));
}

TEST_CASE("a start fails where the position cannot be saved, and nothing is read until it is") {
    for (const auto* operation : {"stream.checkpoint", "stream.latest", "stream.save_checkpoint"}) {
        for (const auto& what : {fault::before(), fault::after()}) {
            CAPTURE(operation);
            rig of;
            of.script.next(operation, {what, what});
            auto pump = of.pump();
            CHECK_FALSE(pump.start().ok());
            of.write(1); // seen where the position was saved although the answer was lost
            const bool kept = of.saved().has_value();
            CHECK((kept || !pump.step().ok()));
            CHECK(of.script.count("stream.read") == 0);
            of.script = {};
            REQUIRE(pump.start().ok());
            of.write(1);
            REQUIRE(pump.drain().ok());
            CHECK(of.reader.seen == counting(kept ? 0 : 1, 2));
        }
    }
}

TEST_CASE("start does nothing the second time") {
    rig of;
    auto pump = of.pump();
    REQUIRE(pump.start().ok());
    of.write(2);
    REQUIRE(pump.start().ok());
    CHECK(pump.drain()->changed == 2);
}

TEST_CASE("two readers do not see each other's checkpoints") {
    rig of;
    auto one = of.pump({.reader = "one"}), two = of.pump({.reader = "two"});
    REQUIRE(one.start().ok());
    REQUIRE(two.start().ok());
    of.write(2);
    CHECK(one.drain()->changed == 2);
    CHECK(of.saved("one") == of.latest());
    CHECK(of.saved("two") != of.latest());
    CHECK(two.drain()->changed == 2);
}

TEST_CASE("every change is processed once, in batches of a hundred") {
    rig of;
    auto pump = of.pump();
    REQUIRE(pump.start().ok());
    of.write(250);
    const auto report = pump.drain();
    REQUIRE(report.ok());
    CHECK(report->changed == 250);
    CHECK(report->response.success());
    CHECK(of.reader.batches == std::vector<std::size_t>{100, 100, 50});
    CHECK(of.reader.seen == counting(0, 250));
    CHECK(of.saved() == of.latest());
}

TEST_CASE("the checkpoint moves behind what is done from the start, and no further") {
    rig of;
    auto pump = of.pump();
    REQUIRE(pump.start().ok());
    of.write(10);
    of.reader.script = {0, 4};
    CHECK(pump.step()->done_from_start == 4);
    const auto report = of.pump().step(); // as after a crash
    CHECK(report->failed == 6);
    CHECK(of.reader.batches == std::vector<std::size_t>{10, 6});
    CHECK(pump.drain()->changed == 6);
    CHECK(of.reader.seen == counting(0, 10));
}

TEST_CASE("drain waits after failures, longer each time, and goes on where it was") {
    rig of;
    auto pump = of.pump();
    REQUIRE(pump.start().ok());
    of.write(10);
    of.reader.script = {10, 0, 0, 0, 0, 3};
    const auto before = of.clock.now();
    const auto report = pump.drain();
    REQUIRE(report.ok());
    CHECK(report->changed == 10);
    CHECK(report->response.success());
    CHECK(report->why->note == "not today");
    CHECK(of.reader.seen == counting(0, 10));
    CHECK(of.clock.now() > before);
    CHECK(of.clock.now() - before < 4s);
}

TEST_CASE("what drain leaves undone at its deadline is in its response") {
    rig of;
    auto pump = of.pump();
    REQUIRE(pump.start().ok());
    of.write(10);
    of.reader.script = std::vector<std::size_t>(1'000, 0);
    of.reader.script.back() = 3;
    const auto until = deadline::in(30s, of.clock.now());
    const auto report = pump.drain(until);
    REQUIRE(report.ok());
    CHECK_FALSE(until.passed(of.clock.now()));
    CHECK(report->changed == 3);
    CHECK_FALSE(report->response.success());
    CHECK(report->response.checkpoint.view() == (*of.stored.read(*of.stored.oldest(), 4)).changes[3].sequence.view());
}

TEST_CASE("a stream that cannot be read is waited for, and drain that never reads it to its end says so") {
    rig of;
    auto pump = of.pump();
    REQUIRE(pump.start().ok());
    of.write(10);
    of.script.next("stream.read", {fault::before(), fault::before(errc::throttled), fault::after()});
    const auto report = pump.drain();
    REQUIRE(report.ok());
    CHECK(report->changed == 10);
    CHECK(report->response.success());
    CHECK(of.told == lines{"failed unavailable", "failed throttled", "failed unavailable"});

    of.script.always("stream.read", fault::before());
    of.write(1);
    const auto failed = pump.drain(deadline::in(1min, of.clock.now()));
    CHECK((!failed.ok() || !failed->response.success()));
}

TEST_CASE("the waits after failures grow, until the cap") {
    for (const bool reads : {true, false}) {
        rig of;
        auto pump = of.pump();
        REQUIRE(pump.start().ok());
        of.write(1);
        if (!reads) { of.script.always("stream.read", fault::before()); }
        of.reader.script = std::vector<std::size_t>(100'000, 0);
        static_cast<void>(pump.drain(deadline::in(10min, of.clock.now())));
        CHECK(of.script.count("stream.read") > 30); // 20 s at most
        CHECK(of.script.count("stream.read") < 150);
    }
}

TEST_CASE("what waiting cannot cure ends drain and run") {
    for (const auto code : {errc::denied, errc::malformed}) {
        rig of;
        auto pump = of.pump();
        REQUIRE(pump.start().ok());
        of.script.always("stream.read", fault::before(code));
        CHECK(pump.drain().why().code == code);
        CHECK(pump.run(deadline::never(), {}).why().code == code);
        CHECK(of.told.size() == 2);
    }
}

TEST_CASE("a checkpoint that is not a position of the stream ends the pump, and is not overwritten") {
    rig of;
    REQUIRE(of.stored.save_checkpoint("pump", "nonsense").ok());
    of.write(1);
    auto pump = of.pump();
    CHECK(pump.drain().why().code == errc::malformed);
    CHECK(of.saved() == "nonsense");
    CHECK(of.reader.batches.empty());
}

TEST_CASE("a checkpoint that cannot be saved stops nothing: it is told, and saved with the next one") {
    rig of;
    auto pump = of.pump({.batch = 10});
    REQUIRE(pump.start().ok());
    of.write(30);
    of.script.next("stream.save_checkpoint", {fault::before(), fault::before()});
    CHECK(pump.step()->changed == 10);
    CHECK(of.saved() != of.latest());
    CHECK(pump.drain()->changed == 20);
    CHECK(of.told == lines{"failed unavailable", "failed unavailable"});
    CHECK(of.saved() == of.latest());
    CHECK(of.reader.seen == counting(0, 30));
}

TEST_CASE("a checkpoint that could not be saved is saved later, also where no change comes any more") {
    rig of;
    auto pump = of.pump();
    REQUIRE(pump.start().ok());
    of.write(3);
    of.script.next("stream.save_checkpoint", {fault::before()});
    CHECK(pump.step()->changed == 3);
    CHECK(of.saved() != of.latest());
    CHECK(pump.step()->records() == 0);
    CHECK(of.saved() == of.latest());
    const auto saves = of.script.count("stream.save_checkpoint");
    CHECK(pump.step()->records() == 0);
    CHECK(of.script.count("stream.save_checkpoint") == saves);
}

TEST_CASE("a crash after a checkpoint that was not saved repeats what was done, and loses nothing") {
    rig of;
    REQUIRE(of.pump().start().ok());
    of.write(5);
    of.script.always("stream.save_checkpoint", fault::before());
    CHECK(of.pump().step()->changed == 5);
    of.script.heal("stream.save_checkpoint");
    CHECK(of.pump().drain()->changed == 5);
    CHECK(of.saved() == of.latest());
}

TEST_CASE("changes that were trimmed before they were read are a gap, which is told once") {
    rig of;
    auto pump = of.pump();
    REQUIRE(pump.start().ok());
    of.write(5);
    of.table.trim_changes();
    of.write(2);
    CHECK(pump.drain()->changed == 2);
    CHECK(of.told == lines{"gap pump"});
    CHECK(of.reader.seen == counting(5, 7));
    of.write(1);
    CHECK(pump.drain()->changed == 1);
    CHECK(of.told.size() == 1);
}

TEST_CASE("a gap is told at once where no change follows it, and the position moves behind it") {
    for (const bool runs : {false, true}) {
        rig of;
        auto pump = of.pump();
        REQUIRE(pump.start().ok());
        of.write(5);
        of.table.trim_changes();
        if (runs) {
            std::stop_source stop;
            of.script.at("stream.read", 3, fault::meanwhile([&] { stop.request_stop(); }));
            REQUIRE(pump.run(deadline::never(), stop.get_token()).ok());
        } else {
            REQUIRE(pump.drain().ok());
        }
        CHECK(of.told == lines{"gap pump"});
        CHECK(of.reader.batches.empty());
        CHECK(of.saved() == of.latest());
    }
}

TEST_CASE("a batch waits five seconds for others, or until it is a hundred") {
    rig of;
    auto pump = of.pump();
    REQUIRE(pump.start().ok());
    of.write(3);
    std::stop_source stop;
    // the clock moves 200 ms between two looks
    of.script.at("stream.read", 5, fault::meanwhile([&] { of.write(4); }));
    of.script.at("stream.read", 27, fault::meanwhile([&] { of.write(150); }));
    of.script.at("stream.read", 70, fault::meanwhile([&] { stop.request_stop(); }));
    const auto report = pump.run(deadline::never(), stop.get_token());
    REQUIRE(report.ok());
    CHECK(report->changed == 157);
    CHECK(of.reader.batches == std::vector<std::size_t>{7, 100, 50});
    REQUIRE(of.reader.ages.size() == 3);
    CHECK(of.reader.ages[0] == 5s);
    CHECK(of.reader.ages[1] == 0s);
    CHECK(of.reader.ages[2] == 5s);
}

TEST_CASE("the window ends when it says, also between two looks") {
    for (const auto window : {0ms, 1ms, 50ms, 300ms, 5'100ms}) {
        CAPTURE(window.count());
        rig of;
        auto pump = of.pump({.window = window});
        REQUIRE(pump.start().ok());
        of.write(3);
        REQUIRE(pump.run(deadline::in(10s, of.clock.now()), {}).ok());
        REQUIRE(of.reader.ages.size() == 1);
        CHECK(of.reader.ages[0] == window);
    }
}

TEST_CASE("run looks at a stream without news again and again, and ends before its deadline") {
    rig of;
    auto pump = of.pump();
    const auto until = deadline::in(10s, of.clock.now());
    CHECK(pump.run(until, {})->records() == 0);
    CHECK_FALSE(until.passed(of.clock.now()));
    CHECK(of.script.count("stream.read") >= 40);
    CHECK(of.script.count("stream.read") <= 60);
}

TEST_CASE("run takes what is there when the deadline comes before the window ends") {
    rig of;
    auto pump = of.pump();
    REQUIRE(pump.start().ok());
    of.write(3);
    CHECK(pump.run(deadline::in(2s, of.clock.now()), {})->changed == 3);
}

TEST_CASE("after a stop nothing is begun, and what was read comes again") {
    rig of;
    auto pump = of.pump();
    REQUIRE(pump.start().ok());
    of.write(3);
    std::stop_source stop;
    of.script.next("stream.read", {fault::meanwhile([&] { stop.request_stop(); })});
    CHECK(pump.run(deadline::never(), stop.get_token())->records() == 0);
    CHECK(of.reader.batches.empty());
    CHECK(pump.drain(deadline::never(), stop.get_token())->records() == 0);
    CHECK(pump.drain()->changed == 3);
}

namespace {

using part_processor =
    freshet::processor<support::part_translator, support::test_queue, support::test_queue, manual_clock>;

/// The whole way from a table to the queues.
struct way : support::part_queues {
    adapters::memory::table<manual_clock> table{clock};
    plain_stream stored{table};
    test_stream stream{stored, script};
    unsigned score{};

    auto processor(freshet::processor_options options = {}) -> part_processor {
        return part_processor{support::part_translator{support::part_options()},
                              {{"parts", &parts}, {"others", &others}},
                              dead,
                              clock,
                              std::move(options)};
    }
    void put(unsigned item, const std::string& sort = "PART#1") {
        const auto text = R"({"PK":{"S":"ITEM#)" + std::to_string(item) + R"("},"SK":{"S":")" + sort +
                          R"("},"score":{"N":")" + std::to_string(++score) + R"("}})";
        const auto row = freshet::document::parse(text);
        REQUIRE(row.ok());
        REQUIRE(table.put(*row).ok());
    }
};

} // namespace

TEST_CASE("a queue is down for ten minutes: the pump loses nothing, and the messages come in order") {
    way of;
    for (unsigned item = 0; item < 10; ++item) { of.put(item); }
    auto processor = of.processor({.max_age = std::nullopt});
    freshet::pump pump{of.stream, processor, of.clock};
    REQUIRE(pump.start().ok());
    for (unsigned i = 0; i < 50; ++i) { of.put(i % 10); }
    of.script.always("parts.send", fault::before());
    const auto report = pump.drain(deadline::in(10min, of.clock.now()));
    REQUIRE(report.ok());
    CHECK(report->changed == 0);
    CHECK_FALSE(report->response.success());
    of.script.heal("parts.send");
    CHECK(pump.drain()->changed == 50);
    CHECK(support::emptied(of.stored_parts).size() == 50);
    CHECK(support::emptied(of.stored_letters).empty());
}

TEST_CASE("runs that are shorter than the window get on: the processor has the time that it wants") {
    for (const auto length : {1500ms, 2000ms, 4900ms, 5100ms}) {
        CAPTURE(length.count());
        way of;
        of.put(1);
        auto processor = of.processor();
        freshet::pump pump{of.stream, processor, of.clock};
        REQUIRE(pump.start().ok());
        of.put(1);
        batch_report all;
        for (int run = 0; run < 2; ++run) { all += *pump.run(deadline::in(length, of.clock.now()), {}); }
        CHECK(all.changed == 1);
        CHECK(all.untried == 0);
    }
}

TEST_CASE("whatever fails, and however often the pump crashes, every change's messages come, in order per group") {
    const auto seed = support::seed();
    CAPTURE(seed);
    for (std::uint64_t n = 0; n < support::cases(40); ++n) {
        CAPTURE(n);
        std::mt19937_64 random{seed + n};
        const auto below = [&](std::size_t most) { return static_cast<unsigned>(random() % most); };
        way of;
        const auto items = 1 + below(6);
        const auto write = [&](unsigned count) {
            for (; count > 0; --count) {
                of.put(below(items), below(4) == 0 ? "PAIR" : "PART#" + std::to_string(1 + below(3)));
            }
        };
        write(20);
        const auto from = *of.stored.latest();
        REQUIRE(of.stored.save_checkpoint("pump", from).ok());
        of.script.by_chance(
            0.1 * below(6), random(),
            {fault::before(), fault::after(), fault::before(errc::throttled), fault::partly(1 + below(9)),
             fault::refuse({0}, errc::unavailable, true), fault::meanwhile([&of] { of.clock.advance(300ms); })});
        const freshet::processor_options patient{.retries = 100'000};
        for (auto lives = 1 + below(4); lives > 0; --lives) {
            auto processor = of.processor(patient);
            freshet::pump pump{of.stream, processor, of.clock, {.batch = 1 + below(30)}};
            for (auto steps = below(8); steps > 0; --steps) {
                write(below(15));
                static_cast<void>(pump.step(below(3) == 0 ? deadline::in(2s, of.clock.now()) : deadline::never()));
                if (below(5) == 0) { of.clock.advance(6min); }
            }
        }
        auto processor = of.processor(patient);
        freshet::pump pump{of.stream, processor, of.clock};
        const auto last = pump.drain();
        REQUIRE(last.ok());
        CHECK(last->response.success());

        std::map<std::string, lines> wanted, arrived;
        const auto all = *of.stored.read(from, 100'000);
        for (const auto& each : all.changes) {
            if (each.kind != freshet::change_kind::modify) { continue; }
            const std::string sequence{each.sequence.view()};
            wanted["parts " + each.key.partition].push_back(sequence);
            if (each.key.sort == "PAIR") { wanted["others " + each.key.partition].push_back(sequence); }
        }
        for (auto& [name, queue] : {std::pair{"parts ", &of.stored_parts}, std::pair{"others ", &of.stored_others}}) {
            for (const auto& message : support::emptied(*queue)) {
                auto& group = arrived[name + message.group_id];
                if (std::find(group.begin(), group.end(), message.sequence) == group.end()) {
                    group.push_back(message.sequence);
                }
            }
        }
        CHECK(arrived == wanted);
        CHECK(support::emptied(of.stored_letters).empty());
    }
}
