#pragma once

#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <lambda/invocation.hpp>
#include <lambda/runtime.hpp>
#include <support/environment.hpp>
#include <support/log.hpp>
#include <support/stop_on_signal.hpp>

namespace lambda {

/// A function of a program, and what makes it from the process's environment.
struct named_function {
    std::string_view name;
    auto (*make)() -> freshet::result<function>;
};

/// Makes the function of a handler: its name, or its name, a dot and whatever else.
[[nodiscard]] inline auto make_function(std::span<const named_function> functions, std::string_view handler)
    -> freshet::result<function> {
    const auto name = handler.substr(0, handler.find('.'));
    std::string known;
    for (const auto& each : functions) {
        if (each.name == name) { return each.make(); }
        known.append(known.empty() ? "" : ", ").append(each.name);
    }
    return freshet::error{freshet::errc::denied, "_HANDLER: '" + freshet::printable(handler, 80) +
                                                     "' names no function of this program; there is: " + known};
}

/// Serves the function that `_HANDLER` names, where this process was started as a Lambda runtime; nothing elsewhere.
///
/// For the first line of a program's main, before any other thread: the exit code, which is 0 after SIGTERM or SIGINT,
/// 1 where the function cannot be started, 3 where the runtime API cannot be used.
[[nodiscard]] inline auto run_if_asked(std::span<const named_function> functions) -> std::optional<int> {
    const char* const address = std::getenv("AWS_LAMBDA_RUNTIME_API");
    if (address == nullptr || *address == '\0') { return std::nullopt; }
    const support::stop_on_signal stop;
    const auto level = support::log_level_or(support::log_level::info);
    const auto make = [&]() -> freshet::result<function> {
        if (!level) { return level.why(); }
        const char* const handler = std::getenv("_HANDLER");
        return make_function(functions, handler == nullptr ? "" : handler);
    };
    return run(address, make, stop.token(), support::log{level.value_or(support::log_level::info)});
}

} // namespace lambda
