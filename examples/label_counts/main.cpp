#include <label_counts/command_line.hpp>
#include <label_counts/program.hpp>
#include <lambda/label_counts.hpp>

auto main(int argc, char** argv) -> int {
    if (const auto code = lambda::run_if_asked({&lambda::label_counts_function, 1})) { return *code; }
    const auto settings = label_counts::read_settings(argc, argv);
    return settings.wanted ? label_counts::run(*settings.wanted) : settings.exit_code;
}
