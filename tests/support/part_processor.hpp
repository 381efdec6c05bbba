#pragma once

#include <cstddef>
#include <functional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/letter/dead_letter.hpp>
#include <freshet/stream/batch_report.hpp>
#include <freshet/stream/processor.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <freshet/work/deadline.hpp>
#include <support/part_stream.hpp>

/// Processors of a small table's changes.
namespace support {

/// Writes down what a processor tells, a line each.
struct event_recorder {
    std::vector<std::string>* told;
    void on(const freshet::record_failed& event) {
        told->push_back("failed " + std::string{event.sequence} + " attempts " + std::to_string(event.attempts));
    }
    void on(const freshet::record_dead_lettered& event) {
        told->push_back("dead " + event.letter.sequence + " attempts " + std::to_string(event.letter.attempts));
    }
    void on(const freshet::batch_processed& event) {
        told->push_back("batch of " + std::to_string(event.report.records()));
    }
};

/// A processor in front of queues in which things go wrong.
struct processor_rig : part_queues {
    using processor_type =
        freshet::processor<part_translator, test_queue, test_queue, freshet::testing::manual_clock, event_recorder>;
    std::vector<std::string> told{};
    processor_type processor;

    explicit processor_rig(freshet::processor_options options = {},
                           freshet::record_translator_options<part_registry> translation = part_options())
        : processor{part_translator{std::move(translation)},
                    {{"parts", &parts}, {"others", &others}},
                    dead,
                    clock,
                    options,
                    event_recorder{&told}} {}

    auto process(const std::vector<record_text>& batch, freshet::deadline until = freshet::deadline::never(),
                 std::stop_token stop = {}) -> freshet::batch_report {
        return processor.process(event_of(batch), until, std::move(stop));
    }
    auto process_changes(const std::vector<bare_change>& changes, freshet::deadline until = freshet::deadline::never())
        -> freshet::batch_report {
        return processor.process(std::span{changes}, until);
    }
    /// What is in the dead-letter queue; takes it out.
    auto letters() -> std::vector<freshet::dead_letter> {
        std::vector<freshet::dead_letter> all;
        for (const auto& message : emptied(stored_letters)) {
            auto read = freshet::parse_dead_letter(message.body);
            REQUIRE(read.ok());
            all.push_back(*std::move(read));
        }
        return all;
    }
    auto only_letter() -> freshet::dead_letter {
        auto all = letters();
        REQUIRE(all.size() == 1);
        return all.front();
    }
};

/// Edits of that many parts, each of an item of its own, numbered from 100 on.
[[nodiscard]] inline auto edits(std::size_t count, std::size_t items = 1'000) -> std::vector<record_text> {
    std::vector<record_text> all;
    for (std::size_t i = 0; i < count; ++i) { all.push_back(edit_of(static_cast<unsigned>(i % items), 100 + i)); }
    return all;
}

/// The checkpoint, `nothing` or `all`: what is to be delivered again.
[[nodiscard]] inline auto response_of(const freshet::batch_report& report) -> std::string {
    switch (report.response.again) {
        case freshet::batch_response::extent::nothing: return "nothing";
        case freshet::batch_response::extent::whole_batch: return "all";
        case freshet::batch_response::extent::from_checkpoint: break;
    }
    return std::string{report.response.checkpoint.view()};
}

/// Options with which a call tries each message once.
[[nodiscard]] inline auto once() -> freshet::processor_options {
    freshet::processor_options options;
    options.sending.retries.retries = 0;
    return options;
}

/// What fails as a whole whenever one of its entries is about a poisoned record.
struct touchy_queue {
    plain_queue& stored;
    std::set<std::string, std::less<>> poison{};

    auto limits() const -> freshet::queue_limits { return stored.limits(); }
    auto send(std::span<const freshet::message_view> entries) -> freshet::result<std::vector<freshet::entry_refusal>> {
        for (const auto& entry : entries) {
            if (poison.contains(entry.sequence)) {
                return freshet::error{freshet::errc::unavailable, "touchy: cannot stomach it"};
            }
        }
        return stored.send(entries);
    }
};

} // namespace support
