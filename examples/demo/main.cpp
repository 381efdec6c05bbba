#include <freshet/work/wall_clock.hpp>

#include <demo/aws_place.hpp>
#include <demo/command_line.hpp>
#include <demo/program.hpp>
#include <demo/sqlite_place.hpp>

auto main(int argc, char** argv) -> int {
    using clock = freshet::wall_clock;
    auto command = demo::read_command(argc, argv);
    if (!command.wanted) { return command.exit_code; }
    return command.wanted->aws ? demo::program<demo::aws_place<clock>>{*std::move(command.wanted)}.run()
                               : demo::program<demo::sqlite_place<clock>>{*std::move(command.wanted)}.run();
}
