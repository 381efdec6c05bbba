#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <istream>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include <adapters/aws/client.hpp>
#include <adapters/aws/message_queue.hpp>
#include <adapters/aws/settings.hpp>
#include <adapters/sqlite/message_queue.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/work/wall_clock.hpp>
#include <stream_to_fifo/files.hpp>
#include <stream_to_fifo/input.hpp>
#include <stream_to_fifo/queue_program.hpp>
#include <stream_to_fifo/settings.hpp>
#include <support/printing.hpp>

namespace stream_to_fifo {

/// The queues that the demonstration has in its directory; makes what is not there.
template <class Clock>
[[nodiscard]] auto open_queues(const std::string& directory, const Clock& clock)
    -> freshet::result<destinations<adapters::sqlite::message_queue<Clock>>> {
    using queue = adapters::sqlite::message_queue<Clock>;
    std::error_code failed;
    std::filesystem::create_directories(directory, failed);
    if (failed) {
        return freshet::error{freshet::errc::denied, freshet::printable(directory) + ": " + failed.message()};
    }
    const auto open = [&, file = directory + "/queues.sqlite"](const char* name) {
        return queue::open(file, clock, {.name = name});
    };
    auto lines = open("lines");
    if (!lines) { return std::move(lines).why(); }
    auto words = open("words");
    if (!words) { return std::move(words).why(); }
    auto dead = open("stream-dead");
    if (!dead) { return std::move(dead).why(); }
    return destinations<queue>{*std::move(lines), *std::move(words), *std::move(dead)};
}

/// The queues at Amazon SQS, or at what stands in for it. The client is borrowed.
[[nodiscard]] inline auto open_queues(const adapters::aws::client& by, const queue_urls& urls)
    -> freshet::result<destinations<adapters::aws::message_queue>> {
    using queue = adapters::aws::message_queue;
    auto lines = queue::open(by, urls.lines);
    if (!lines) { return std::move(lines).why(); }
    auto words = queue::open(by, urls.words);
    if (!words) { return std::move(words).why(); }
    for (const auto* each : {&*lines, &*words}) {
        if (auto good = receipts::check_order_is_kept(each->about()); !good) { return std::move(good).why(); }
    }
    destinations<queue> all{*std::move(lines), *std::move(words)};
    if (urls.dead_letters.empty()) { return all; }
    auto dead = queue::open(by, urls.dead_letters);
    if (!dead) { return std::move(dead).why(); }
    all.dead_letters.emplace(*std::move(dead));
    return all;
}

/// Opens queues with `open()` as long as there is patience, and has the input's messages sent to them.
template <class Timer, class Open>
[[nodiscard]] auto send_to(const settings& wanted, std::istream& in, const std::string& name, Timer& timer, Open open,
                           const std::stop_token& stop = {}) -> int {
    auto queues = persist(wanted, timer, stop, open);
    if (!queues) {
        if (stop.stop_requested()) { return say_stopped(name, 1); }
        support::complain("stream_to_fifo: nothing is sent: {}\n", queues.why().note);
        return unreachable;
    }
    std::optional<output_file> responses;
    if (wanted.response && responses.emplace(*wanted.response).get() == nullptr) {
        return refuse_file(*wanted.response, std::strerror(errno));
    }
    queue_program it{wanted, in, name, *std::move(queues), timer, responses ? responses->get() : nullptr, stop};
    const auto code = it.run();
    if (!wanted.json_summary) { return code; }
    support::print(it.summary().dump() + '\n');
    return end_of_output(code);
}

/// The whole program with queues over its settings, on `input`, which is called `name`.
template <class Timer>
[[nodiscard]] auto run_to_queues_on(const settings& wanted, std::istream& input, const std::string& name, Timer& timer,
                                    const std::stop_token& stop = {}) -> int {
    if (wanted.to == backend::sqlite) {
        return send_to(
            wanted, input, name, timer, [&] { return open_queues(wanted.directory, timer); }, stop);
    }
    const auto how = adapters::aws::settings_from_environment();
    if (!how) {
        support::complain("stream_to_fifo: {}\n", how.why().note);
        return unreachable;
    }
    const adapters::aws::client by{*how};
    return send_to(
        wanted, input, name, timer, [&] { return open_queues(by, wanted.queues); }, stop);
}

/// The whole program with queues over its settings.
[[nodiscard]] inline auto run_to_queues(const settings& wanted, const std::stop_token& stop = {}) -> int {
    const auto input = wanted.input.value_or("-");
    if (wanted.response) { // opening it empties it
        if (same_file(input, "/dev/stdin", *wanted.response, "/dev/stdout")) {
            return refuse_file(*wanted.response, "is the input too");
        }
        if (wanted.to == backend::sqlite &&
            same_file(wanted.directory + "/queues.sqlite", "", *wanted.response, "/dev/stdout")) {
            return refuse_file(*wanted.response, "has the queues");
        }
    }
    return with_input(input, stop, [&](std::istream& in, const std::string& name) {
        freshet::wall_clock timer;
        return run_to_queues_on(wanted, in, name, timer, stop);
    });
}

} // namespace stream_to_fifo
