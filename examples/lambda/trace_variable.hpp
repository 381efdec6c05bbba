#pragma once

#include <cstdlib>
#include <string_view>
#include <vector>

#include <stdlib.h>

namespace lambda {

/// `_X_AMZN_TRACE_ID` in the environment, where tracing libraries look for the trace of the call that is under way.
///
/// The environment holds a pointer into this object: `setenv` would keep every value that it was ever given.
class trace_variable {
public:
    trace_variable() = default;
    trace_variable(const trace_variable&) = delete;
    auto operator=(const trace_variable&) -> trace_variable& = delete;
    ~trace_variable() { ::unsetenv(name); }

    /// An empty id unsets it.
    void set(std::string_view id) {
        ::unsetenv(name);
        if (id.empty()) { return; }
        constexpr std::string_view prefix = "_X_AMZN_TRACE_ID=";
        text_.assign(prefix.begin(), prefix.end());
        text_.insert(text_.end(), id.begin(), id.end());
        text_.push_back('\0');
        ::putenv(text_.data());
    }

private:
    static constexpr auto* name = "_X_AMZN_TRACE_ID";
    std::vector<char> text_;
};

} // namespace lambda
