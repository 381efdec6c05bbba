#pragma once

#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include <CLI/CLI.hpp>

#include <freshet/core/printable.hpp>
#include <support/exit_code.hpp>
#include <support/printing.hpp>

namespace support {

/// What was asked for, or the code to exit with where everything has been said (help, or what is wrong).
template <class Wanted>
struct wanted_or_exit {
    std::optional<Wanted> wanted;
    int exit_code{};
};

namespace detail {

[[nodiscard]] inline auto refused_usage(const CLI::App& app, std::string_view why) -> int {
    complain("{}: {}\n", app.get_name(), why);
    return wrong_usage;
}

/// The code to exit with, unless there is something to do.
[[nodiscard]] inline auto parse(CLI::App& app, int argc, const char* const* argv) -> std::optional<int> {
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        const auto& parts = app.get_subcommands();
        print(parts.empty() ? app.help() : parts.front()->help());
        return all_well;
    } catch (const CLI::ParseError& wrong) { return refused_usage(app, freshet::printable(wrong.what(), 400)); }
    return std::nullopt;
}

} // namespace detail

/// Reads the arguments into what the options of `app`, which has a name, are bound to, and has `settle()`, a result,
/// say what they ask for. Help goes to stdout; what is wrong, in one line, to stderr.
template <class Settle>
[[nodiscard]] auto read_command_line(CLI::App& app, int argc, const char* const* argv, Settle settle)
    -> wanted_or_exit<typename std::invoke_result_t<Settle&>::value_type> {
    if (const auto code = detail::parse(app, argc, argv)) { return {std::nullopt, *code}; }
    auto wanted = settle();
    if (!wanted) { return {std::nullopt, detail::refused_usage(app, wanted.why().note)}; }
    return {*std::move(wanted), all_well};
}

} // namespace support
