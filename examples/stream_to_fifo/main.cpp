#include <random>

#include <lambda/stream_processor.hpp>
#include <stream_to_fifo/backends.hpp>
#include <stream_to_fifo/program.hpp>
#include <stream_to_fifo/command_line.hpp>
#include <support/stop_on_signal.hpp>

auto main(int argc, char** argv) -> int {
    if (const auto code = lambda::run_if_asked({&lambda::stream_processor_function, 1})) { return *code; }
    auto settings = stream_to_fifo::read_settings(
        argc, argv, "Turns DynamoDB change records of the receipts table into messages for FIFO queues.");
    if (!settings.wanted) { return settings.exit_code; }
    if (settings.wanted->to == stream_to_fifo::backend::none) { return stream_to_fifo::run(*settings.wanted); }
    settings.wanted->seed = std::random_device{}();
    const support::stop_on_signal stop;
    return stream_to_fifo::run_to_queues(*settings.wanted, stop.token());
}
