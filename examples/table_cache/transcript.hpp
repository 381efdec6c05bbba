#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <support/log.hpp>

namespace email_agent {

/// Takes lines from a level on, and hands each with its end to `write`, which several threads may call at once.
class transcript {
public:
    /// Nobody reads it.
    transcript() = default;
    transcript(support::log_level least, std::function<void(const std::string&)> write)
        : least_{least}, write_{std::move(write)} {}

    void line(support::log_level level, std::string_view text) const {
        if (write_ && level >= least_) { write_(std::string{text} + '\n'); }
    }

private:
    support::log_level least_{support::log_level::critical};
    std::function<void(const std::string&)> write_{};
};

} // namespace email_agent
