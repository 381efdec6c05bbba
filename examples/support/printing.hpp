#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace support {

/// Prints to stdout, and never throws, as `fmt::print` does: what could not be written is for `all_printed` to tell.
inline void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

/// Prints a line to stderr, and never throws: where nobody can be told, the exit code says enough.
template <class... Args>
void complain(fmt::format_string<Args...> text, Args&&... args) {
    const auto line = fmt::format(text, std::forward<Args>(args)...);
    std::fwrite(line.data(), 1, line.size(), stderr);
}

/// Whether all that was ever printed could be written; says so on stderr, for this program, where it could not.
[[nodiscard]] inline auto all_printed(std::string_view program) -> bool {
    errno = 0;
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) { return true; }
    const auto* const why = errno == 0 ? "" : std::strerror(errno); // an earlier failure has left none
    complain("{}: stdout: cannot be written{}{}\n", program, *why == '\0' ? "" : ": ", why);
    return false;
}

} // namespace support
