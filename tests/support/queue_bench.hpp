#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <adapters/memory/ledger.hpp>
#include <adapters/memory/message_queue.hpp>
#include <freshet/letter/dead_letter.hpp>
#include <freshet/stream/consumer.hpp>
#include <freshet/testing/faults.hpp>
#include <freshet/testing/faulty_ledger.hpp>
#include <freshet/testing/faulty_queue.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <laws/letters.hpp>
#include <support/faulty_projection.hpp>
#include <support/memory_projection.hpp>

namespace support {

/// A queue with its dead-letter queue, a ledger and a projection in memory, in all of which things can go wrong; and
/// the consumers of them.
struct queue_bench {
    using queue_type = adapters::memory::message_queue<freshet::testing::manual_clock>;
    using ledger_type = adapters::memory::ledger<freshet::testing::manual_clock>;

    explicit queue_bench(bool is_fifo = true, unsigned max_receives = 0)
        : fifo{is_fifo}, plain_dead{clock, {.name = "dead", .fifo = is_fifo}},
          plain_queue{clock, {.name = "main", .fifo = is_fifo, .max_receives = max_receives}, &plain_dead} {}
    queue_bench(const queue_bench&) = delete;
    auto operator=(const queue_bench&) -> queue_bench& = delete;

    bool fifo;
    freshet::testing::manual_clock clock;
    freshet::testing::faults script;
    queue_type plain_dead;
    queue_type plain_queue;
    ledger_type plain_ledger{clock};
    memory_projection kept;
    freshet::testing::faulty_queue<queue_type> dead{plain_dead, script, "dead"};
    freshet::testing::faulty_queue<queue_type> queue{plain_queue, script, "queue"};
    freshet::testing::faulty_ledger<ledger_type> ledger{plain_ledger, script, "ledger"};
    faulty_projection<memory_projection> store{kept, script};

    [[nodiscard]] auto worker(std::string owner = "one", freshet::consumer_options options = {}) {
        options.queue = "main";
        options.owner = std::move(owner);
        options.mode = fifo ? freshet::consumer_mode::fifo : freshet::consumer_mode::standard;
        return freshet::consumer{queue, dead, ledger, store, clock, std::move(options)};
    }

    /// Sends an update; its deduplication id is its sequence number.
    void put(const std::string& group, const std::string& body, const std::string& sequence) {
        REQUIRE(laws::send(plain_queue, {laws::letter{group, "id-" + sequence, body, sequence}}).empty());
    }
    /// How many messages are stored, invisible ones too.
    [[nodiscard]] auto waiting() -> std::size_t { return plain_queue.size(); }
    [[nodiscard]] auto buried() -> std::size_t { return plain_dead.size(); }
    /// The dead letters, which are gone then.
    [[nodiscard]] auto letters() -> std::vector<freshet::dead_letter> {
        std::vector<freshet::dead_letter> all;
        for (const auto& message : laws::drain(plain_dead)) {
            auto letter = freshet::parse_dead_letter(message.body);
            REQUIRE_MESSAGE(letter.ok(), (letter.ok() ? "" : letter.why().note));
            all.push_back(*std::move(letter));
        }
        return all;
    }
};

/// A step that reports each of its messages once.
template <class Consumer, class... Limits>
[[nodiscard]] auto step(Consumer& worker, Limits&&... limits) -> freshet::consume_report {
    auto report = worker.step(std::forward<Limits>(limits)...);
    REQUIRE_MESSAGE(report.ok(), (report.ok() ? "" : report.why().note));
    CHECK(report->received == report->applied + report->dropped + report->coalesced + report->dead_lettered +
                                  report->failed + report->held);
    return *std::move(report);
}

/// What a test's process dies of: thrown where no caller catches it.
struct killed {};

} // namespace support
