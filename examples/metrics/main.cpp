#include <lambda/metrics.hpp>
#include <metrics/command_line.hpp>
#include <metrics/program.hpp>

auto main(int argc, char** argv) -> int {
    if (const auto code = lambda::run_if_asked({&lambda::metrics_function, 1})) { return *code; }
    const auto settings = metrics::read_settings(argc, argv);
    return settings.wanted ? metrics::run(*settings.wanted) : settings.exit_code;
}
