#include <demo/command_line.hpp>
#include <demo/program.hpp>

auto main(int argc, char** argv) -> int {
    auto command = demo::read_command(argc, argv);
    return command.wanted ? demo::program{*std::move(command.wanted)}.run() : command.exit_code;
}
