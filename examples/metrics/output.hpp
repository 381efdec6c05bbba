#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <string_view>

#include <sys/ioctl.h>
#include <unistd.h>

#include <metrics/outcome.hpp>
#include <metrics/sparkline.hpp>
#include <support/log.hpp>
#include <support/printing.hpp>

namespace metrics {

/// Says what a run found: the log block on stdout, with a row of blocks a width on a terminal; or one JSON document
/// there, and the log block in the log.
class output {
public:
    output(bool as_json, const support::log& log) noexcept : as_json_{as_json}, log_{log} {}

    void say(const outcome& of) const {
        if (as_json_) {
            lines(as_text(of));
            support::print(as_json(of).dump(-1, ' ', false, json::error_handler_t::replace) + '\n');
        } else {
            support::print(as_text(of));
            if (const auto columns = terminal_columns(); columns != 0) {
                support::print(sparklines(of.buckets, of.header.window, columns));
            }
        }
        std::fflush(stdout); // whoever runs the program sees whether it could be written
    }
    /// Something beside it, of whole lines.
    void say(std::string_view text) const {
        if (as_json_) { return lines(text); }
        support::print(text);
        std::fflush(stdout);
    }

private:
    void lines(std::string_view text) const {
        while (!text.empty()) {
            const auto line = text.substr(0, text.find('\n'));
            log_.line(support::log_level::info, "{}", line);
            text.remove_prefix(std::min(text.size(), line.size() + 1));
        }
    }
    /// Of the terminal that stdout is; 0 where it is none.
    [[nodiscard]] static auto terminal_columns() -> std::size_t {
        if (::isatty(STDOUT_FILENO) != 1) { return 0; }
        winsize size{};
        const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0;
        return known ? size.ws_col : 80;
    }

    bool as_json_;
    const support::log& log_;
};

} // namespace metrics
