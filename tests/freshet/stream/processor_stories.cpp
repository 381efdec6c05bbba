#include <freshet/stream/processor.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/testing/fault.hpp>
#include <support/allocations.hpp>
#include <support/cases.hpp>
#include <support/part_processor.hpp>
#include <support/part_stream.hpp>

namespace {

using freshet::batch_response;
using freshet::deadline;
using freshet::errc;
using freshet::testing::fault;
using support::change_of;
using support::edit_of;
using support::edits;
using support::emptied;
using support::keyless_of;
using support::malformed_of;
using support::to_json;
using support::touch_of;
using rig = support::processor_rig;
using namespace std::chrono_literals;
using records = std::vector<support::record_text>;
using lines = std::vector<std::string>;

/// A stream of changes, some of them bad, and what has to come of it.
struct story {
    records told{};
    std::map<std::string, lines> by_queue_and_group{}; ///< the sequence numbers that have to arrive, in their order
    std::set<std::string> dead{};                      ///< the bytes that have to be dead-lettered

    story(std::mt19937_64& random, std::size_t count) {
        const auto below = [&](std::size_t n) { return static_cast<unsigned>(random() % n); };
        const auto items = 1 + below(10);
        for (std::size_t i = 0; i < count; ++i) {
            const auto item = below(items);
            const auto sequence = 100 + i;
            const auto group = "ITEM#" + std::to_string(item);
            switch (below(12)) {
                case 0: told.push_back(touch_of(item, sequence)); break;
                case 1: told.push_back(edit_of(item, sequence, "MEMO")); break;
                case 2: told.push_back(malformed_of(item, sequence)); break;
                case 3: told.push_back(keyless_of(sequence)); break;
                case 4: {
                    told.push_back(edit_of(item, sequence, "PAIR"));
                    by_queue_and_group["parts " + group].push_back(std::to_string(sequence));
                    by_queue_and_group["others " + group].push_back(std::to_string(sequence));
                    continue;
                }
                case 5: {
                    told.push_back(malformed_of(item, sequence));
                    told.back().sequence = below(2) == 0 ? "" : "\"12x\"";
                    break;
                }
                default: {
                    told.push_back(edit_of(item, sequence));
                    by_queue_and_group["parts " + group].push_back(std::to_string(sequence));
                    continue;
                }
            }
            const auto& last = told.back();
            if (last.event == "UPSERT" || last.keys.find("SK") == std::string::npos) { dead.insert(to_json(last)); }
        }
    }
};

void everything_goes_wrong(rig& to, std::mt19937_64& random) {
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    std::vector<fault> wrong{fault::before(),
                             fault::after(),
                             fault::before(errc::throttled),
                             fault::partly(1 + below(9)),
                             fault::refuse({0}, errc::unavailable, true),
                             fault::refuse({below(10), below(10)}, errc::throttled, true),
                             fault::meanwhile([&to] { to.clock.advance(400ms); })};
    to.script.by_chance(0.1 * static_cast<double>(below(6)), random(), wrong);
}

void check_story(rig& to, const story& wanted) {
    std::map<std::string, lines> arrived;
    for (auto& [name, queue] : {std::pair{"parts ", &to.stored_parts}, std::pair{"others ", &to.stored_others}}) {
        for (const auto& message : emptied(*queue)) {
            auto& group = arrived[name + message.group_id];
            if (std::find(group.begin(), group.end(), message.sequence) == group.end()) {
                group.push_back(message.sequence);
            }
        }
    }
    CHECK(arrived == wanted.by_queue_and_group);
    std::set<std::string> dead;
    for (const auto& letter : to.letters()) {
        CHECK(letter.why.code == errc::malformed);
        dead.insert(letter.bytes);
    }
    CHECK(dead == wanted.dead);
}

} // namespace

TEST_CASE(
    "whatever fails, in the end each good record's messages are there, in order per group, and the bad ones are dead "
    "letters") {
    const auto seed = support::seed();
    CAPTURE(seed);
    for (std::uint64_t n = 0; n < support::cases(40); ++n) {
        CAPTURE(n);
        std::mt19937_64 random{seed + n};
        const story wanted{random, 1 + random() % 60};
        rig to{{.retries = 100'000, .sending = {.retries = {.retries = static_cast<unsigned>(random() % 4)}}}};
        everything_goes_wrong(to, random);
        std::size_t at = 0, deliveries = 0;
        while (at < wanted.told.size()) {
            REQUIRE(++deliveries < 10'000);
            const auto size = std::min<std::size_t>(1 + random() % 40, wanted.told.size() - at);
            const auto begin = wanted.told.begin() + static_cast<std::ptrdiff_t>(at);
            const records batch{begin, begin + static_cast<std::ptrdiff_t>(size)};
            const auto until = random() % 3 == 0
                                   ? deadline::in(std::chrono::milliseconds{random() % 3'000}, to.clock.now())
                                   : deadline::never();
            const auto report = to.process(batch, until);
            CHECK(report.records() == size);
            CHECK(report.done_from_start <= size);
            to.clock.advance(std::chrono::seconds{random() % 4 == 0 ? random() % 400 : 1});
            switch (report.response.again) {
                case batch_response::extent::nothing:
                    CHECK(report.done_from_start == size);
                    at += size;
                    break;
                case batch_response::extent::whole_batch: break;
                case batch_response::extent::from_checkpoint: {
                    const auto checkpoint = support::quoted(report.response.checkpoint.view());
                    const auto found = std::find_if(batch.begin(), batch.end(),
                                                    [&](const auto& record) { return record.sequence == checkpoint; });
                    REQUIRE(found != batch.end());
                    CHECK(static_cast<std::size_t>(found - batch.begin()) <= report.done_from_start);
                    at += static_cast<std::size_t>(found - batch.begin());
                    break;
                }
            }
        }
        check_story(to, wanted);
    }
}

TEST_CASE("whatever fails, the same comes of the changes of a stream, some of which are no records at all") {
    const auto seed = support::seed();
    CAPTURE(seed);
    for (std::uint64_t n = 0; n < support::cases(40); ++n) {
        CAPTURE(n);
        std::mt19937_64 random{seed + n};
        story wanted{random, 1 + random() % 60};
        std::vector<support::bare_change> changes;
        for (std::size_t i = 0; i < wanted.told.size(); ++i) {
            changes.push_back(change_of(to_json(wanted.told[i]), 100 + i));
            if (random() % 40 == 0) {
                changes.push_back(change_of((random() % 2 == 0 ? "{" : "}") + std::to_string(i), 100 + i));
                wanted.dead.insert(changes.back().record);
            }
        }
        rig to{{.retries = 100'000, .sending = {.retries = {.retries = static_cast<unsigned>(random() % 4)}}}};
        everything_goes_wrong(to, random);
        std::size_t at = 0, deliveries = 0;
        while (at < changes.size()) {
            REQUIRE(++deliveries < 10'000);
            const auto batch = std::span<const support::bare_change>{changes}.subspan(
                at, std::min<std::size_t>(1 + random() % 40, changes.size() - at));
            const auto report = to.processor.process(batch);
            CHECK(report.records() == batch.size());
            CHECK(report.response.success() == (report.done_from_start == batch.size()));
            at += report.done_from_start;
            to.clock.advance(std::chrono::seconds{random() % 4 == 0 ? random() % 400 : 1});
        }
        check_story(to, wanted);
    }
}

TEST_CASE("steady work asks for the same memory in every batch, and for none for a record that makes no message") {
    rig to;
    const auto asked_for = [&](const std::string& event) {
        static_cast<void>(to.processor.process(event));
        to.told.clear();
        to.told.reserve(8);
        const auto before = support::allocations.load();
        static_cast<void>(to.processor.process(event));
        return support::allocations.load() - before;
    };
    const auto touches = [](std::size_t count) {
        records all;
        for (std::size_t i = 0; i < count; ++i) { all.push_back(touch_of(static_cast<unsigned>(i), 100 + i)); }
        return support::event_of(all);
    };
    const auto few = asked_for(touches(10));
    CHECK(asked_for(touches(1'000)) == few);
    CHECK(asked_for(touches(10)) == few);

    // Messages that are there already: the queue keeps nothing, so what is counted is the way to it.
    const auto some = support::event_of(edits(100));
    const auto first = asked_for(some);
    for (int i = 0; i < 20; ++i) { static_cast<void>(asked_for(some)); }
    CHECK(asked_for(some) <= first + 3); // the script of the faults writes down every call
    const auto more = asked_for(support::event_of(edits(1'000)));
    CHECK(more <= 11 * first);
}
