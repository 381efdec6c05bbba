#pragma once

#include <exception>
#include <functional>
#include <stop_token>
#include <string>
#include <utility>

#include <freshet/core/result.hpp>
#include <freshet/work/deadline.hpp>

namespace lambda {

/// One event that a function is called with, and what the service says of the call.
struct invocation {
    std::string request_id;
    freshet::deadline deadline{freshet::deadline::never()}; ///< from then on nobody reads an answer
    std::string function_arn{};                             ///< empty where the service did not say it
    std::string trace_id{};                                 ///< empty where the call is not traced
    std::string payload{};
};

/// Answers an invocation with the text of its response, JSON for the services that call functions.
///
/// It may throw whatever it likes, and is called by one thread at a time.
using function = std::function<freshet::result<std::string>(const invocation&, std::stop_token)>;

/// What `callback()` answers, a `freshet::result`; whatever it throws becomes `failed`.
template <class Callback>
[[nodiscard]] auto without_exceptions(Callback&& callback) -> decltype(callback()) {
    try {
        return std::forward<Callback>(callback)();
    } catch (const std::exception& thrown) {
        const char* const words = thrown.what();
        return freshet::error{freshet::errc::failed, words == nullptr ? "an exception without words" : words};
    } catch (...) {
        return freshet::error{freshet::errc::failed, "something was thrown that is no std::exception"};
    }
}

} // namespace lambda
