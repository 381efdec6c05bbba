#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <lambda/invocation.hpp>
#include <lambda/runtime_api.hpp>
#include <lambda/trace_variable.hpp>
#include <support/log.hpp>

namespace lambda {

enum exit_code { all_well = 0, cannot_begin = 1, wrong_usage = 2, unreachable = 3 };

namespace detail {

/// Tells the service what became of the invocation. A response that is too large is told as a failure.
[[nodiscard]] inline auto tell(const runtime_api& api, const std::string& id, const freshet::result<std::string>& done)
    -> freshet::result<void> {
    if (!done) {
        return api.report(id, {"Function." + std::string{name_of(done.why().code)}, done.why().note});
    }
    auto told = api.respond(id, *done);
    if (told || told.why().code != freshet::errc::too_large) { return told; }
    return api.report(id, {"Function.ResponseSizeTooLarge",
                           "a response of " + std::to_string(done->size()) + " bytes is more than the service takes"});
}

} // namespace detail

/// Calls the function with each invocation, one after the other, and answers each, until a stop.
///
/// A stop does not begin another one; the one under way hears of it, ends and is answered. A function that fails or
/// throws fails its invocation and nothing else. Where the runtime API cannot be used any longer, one line says so.
[[nodiscard]] inline auto serve(const runtime_api& api, const function& call, const std::stop_token& stop,
                                const support::log& log) -> exit_code {
    using level = support::log_level;
    trace_variable trace;
    while (!stop.stop_requested()) {
        auto next = api.next(stop);
        if (!next) {
            log.line(level::critical, "{}", next.why().note);
            return unreachable;
        }
        if (!*next) { break; }
        const auto& what = (**next).what;
        trace.set(what.trace_id);
        const auto done = without_exceptions([&]() -> freshet::result<std::string> {
            if (const auto& fault = (**next).fault) { return freshet::error{freshet::errc::malformed, *fault}; }
            return call(what, stop);
        });
        if (!done) {
            log.line(level::error, "Invocation {} failed: {}", what.request_id, freshet::printable(done.why().note));
        }
        const auto told = detail::tell(api, what.request_id, done);
        if (told) { continue; }
        const bool goes_on =
            told.why().code == freshet::errc::conflict || told.why().code == freshet::errc::too_large;
        log.line(goes_on ? level::error : level::critical, "Invocation {} could not be answered: {}", what.request_id,
                 told.why().note);
        if (!goes_on) { return unreachable; }
    }
    return all_well;
}

/// Makes the function and serves it. What keeps it from being made is reported, and said in one line.
template <class Make>
[[nodiscard]] auto run(std::string_view address, Make&& make, const std::stop_token& stop, const support::log& log)
    -> exit_code {
    const runtime_api api{address};
    const auto made = without_exceptions([&]() -> freshet::result<function> { return make(); });
    if (made) { return serve(api, *made, stop, log); }
    log.line(support::log_level::critical, "The function cannot be started: {}",
             freshet::printable(made.why().note, 400));
    static_cast<void>(api.report_init({"Runtime.InitError", made.why().note})); // the exit code tells it too
    return cannot_begin;
}

} // namespace lambda
