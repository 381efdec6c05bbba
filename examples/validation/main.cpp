#include <lambda/validation.hpp>
#include <validation/command_line.hpp>
#include <validation/whole.hpp>

auto main(int argc, char** argv) -> int {
    if (const auto code = lambda::run_if_asked(lambda::validation_functions)) { return *code; }
    const auto settings = validation::read_settings(argc, argv);
    return settings.wanted ? validation::run(*settings.wanted) : settings.exit_code;
}
