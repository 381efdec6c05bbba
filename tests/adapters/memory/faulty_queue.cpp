#include <freshet/testing/faulty_ledger.hpp>
#include <freshet/testing/faulty_queue.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <adapters/memory/ledger.hpp>
#include <adapters/memory/message_queue.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <freshet/work/claimed.hpp>
#include <freshet/work/random_source.hpp>

#include <laws/ledger.hpp>
#include <laws/message_queue.hpp>
#include <support/cases.hpp>

namespace {

using freshet::errc;
using freshet::testing::fault;
using freshet::testing::faults;
using freshet::testing::manual_clock;
using memory_queue = adapters::memory::message_queue<manual_clock>;
using memory_ledger = adapters::memory::ledger<manual_clock>;
using faulty_queue = freshet::testing::faulty_queue<memory_queue>;
using faulty_ledger = freshet::testing::faulty_ledger<memory_ledger>;

static_assert(freshet::message_queue<faulty_queue> && freshet::ledger<faulty_ledger>);

struct faultless_queues {
    manual_clock clock_;
    memory_queue memory_dead_{clock_, {.name = "dead"}};
    memory_queue memory_fifo_{clock_, {.name = "fifo", .max_receives = 3}, &memory_dead_};
    memory_queue memory_standard_{clock_, {.name = "standard", .fifo = false}};
    faults none_;
    faulty_queue dead_{memory_dead_, none_, "dead"};
    faulty_queue fifo_{memory_fifo_, none_, "fifo"};
    faulty_queue standard_{memory_standard_, none_, "standard"};

    auto fifo() -> faulty_queue& { return fifo_; }
    auto dead() -> faulty_queue& { return dead_; }
    auto standard() -> faulty_queue& { return standard_; }
    auto clock() -> manual_clock& { return clock_; }
};

struct faultless_ledger {
    manual_clock clock_;
    memory_ledger memory_{clock_};
    faults none_;
    faulty_ledger ledger_{memory_, none_};

    auto ledger() -> faulty_ledger& { return ledger_; }
    auto clock() -> manual_clock& { return clock_; }
};

} // namespace

FRESHET_MESSAGE_QUEUE_LAWS(faultless_queues);
FRESHET_LEDGER_LAWS(faultless_ledger);

TEST_CASE("requests repeated over a bad connection are stored once each and in order") {
    CAPTURE(support::seed());
    freshet::random_source random{support::seed()};
    for (std::size_t run = 0; run < support::cases(40); ++run) {
        manual_clock clock;
        memory_queue memory{clock, {.name = "fifo"}};
        faults script;
        faulty_queue queue{memory, script};
        script.by_chance(0.5, random(), {fault::before(), fault::after(), fault::partly(1), fault::partly(2)});

        std::map<std::string, std::string> sent;
        std::size_t number = 0;
        for (int request = 0; request < 20; ++request) {
            std::vector<laws::letter> letters;
            for (auto left = 1 + random() % 4; left != 0; --left) {
                const std::string group(1, static_cast<char>('a' + random() % 3));
                const auto body = std::to_string(++number);
                letters.push_back({group, body, body, {}});
                sent[group] += body + " ";
            }
            while (!queue.send(laws::views(letters)).ok()) {}
        }

        std::map<std::string, std::string> got;
        for (auto some = laws::take(memory); !some.empty(); some = laws::take(memory)) {
            for (const auto& message : some) { got[message.group_id] += message.body + " "; }
            REQUIRE(laws::erase(memory, laws::receipts(some)).empty());
        }
        CHECK(got == sent);
    }
}

TEST_CASE("work claimed over a bad connection gets done under ascending tokens, and never again once known as done") {
    CAPTURE(support::seed());
    freshet::random_source random{support::seed()};
    for (std::size_t run = 0; run < support::cases(40); ++run) {
        manual_clock clock;
        memory_ledger memory{clock};
        faults script;
        faulty_ledger ledger{memory, script};
        script.by_chance(0.4, random(), {fault::before(), fault::after(),
                                         fault::meanwhile([&] { clock.advance(std::chrono::seconds{40}); })});
        std::uint64_t last = 0;
        bool completed = false;
        for (int round = 0; round < 200; ++round) {
            const auto* const owner = random() % 2 == 0 ? "a" : "b";
            const auto work = [&](const freshet::work_claim& claim) -> freshet::result<void> {
                CHECK(!completed);
                CHECK(claim.token > last);
                last = claim.token;
                if (random() % 4 == 0) { return freshet::error{errc::failed, "not this time"}; }
                return {};
            };
            const auto outcome = freshet::do_claimed(ledger, {.key = "item", .owner = owner}, work);
            if (outcome.ok() && outcome->state == freshet::claimed_state::done) { completed = true; }
            clock.advance(std::chrono::seconds{1});
        }
        const auto now = memory.claim({.key = "item", .owner = "c"});
        CHECK(now->verdict == freshet::claim_verdict::completed);
    }
}
