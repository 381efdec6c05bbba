#include <stream_to_fifo/program.hpp>
#include <stream_to_fifo/settings.hpp>

auto main(int argc, char** argv) -> int {
    const auto settings = stream_to_fifo::read_settings(
        argc, argv, "Turns DynamoDB change records of the receipts table into messages for FIFO queues.");
    return settings.wanted ? stream_to_fifo::run(*settings.wanted) : settings.exit_code;
}
