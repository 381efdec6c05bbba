#include <sstream>

#include <receipts/sample_events.hpp>
#include <stream_to_fifo/program.hpp>
#include <stream_to_fifo/settings.hpp>

/// `stream_to_fifo` on events that are made up on the spot, unless it is given others.
auto main(int argc, char** argv) -> int {
    const auto settings = stream_to_fifo::read_settings(
        argc, argv,
        "Shows the way of change records into FIFO messages: made-up receipts are edited, and each edit that matters\n"
        "becomes a message on stdout. Takes what stream_to_fifo takes; without --input the edits are made up.");
    if (!settings.wanted) { return settings.exit_code; }
    if (settings.wanted->input) { return stream_to_fifo::run(*settings.wanted); }

    std::stringstream events;
    for (const auto& event : receipts::sample_events{}.make(4)) { events << event << '\n'; }
    return stream_to_fifo::run_on(*settings.wanted, events, "the sample events");
}
