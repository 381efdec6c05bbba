#include <lambda/table_cache.hpp>
#include <table_cache/command_line.hpp>
#include <table_cache/program.hpp>

auto main(int argc, char** argv) -> int {
    if (const auto code = lambda::run_if_asked({&lambda::table_cache_function, 1})) { return *code; }
    const auto settings = email_agent::read_settings(argc, argv);
    return settings.wanted ? email_agent::run(*settings.wanted) : settings.exit_code;
}
