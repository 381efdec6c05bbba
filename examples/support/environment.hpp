#pragma once

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <support/log.hpp>

namespace support {

/// What the variable is set to; nothing where it is not set, or set to nothing.
[[nodiscard]] inline auto environment(const char* name) -> std::optional<std::string> {
    const char* const set = std::getenv(name);
    if (set == nullptr || *set == '\0') { return std::nullopt; }
    return set;
}

/// The level that `LOG_LEVEL` asks for, or `usual` where it is not set, or set to nothing.
[[nodiscard]] inline auto log_level_or(log_level usual) -> freshet::result<log_level> {
    const auto level = environment("LOG_LEVEL");
    if (!level) { return usual; }
    if (const auto known = parse_log_level(*level)) { return *known; }
    return freshet::error{
        freshet::errc::malformed,
        fmt::format("LOG_LEVEL: '{}' is none of DEBUG, INFO, WARNING, ERROR, CRITICAL", freshet::printable(*level))};
}

/// `90s`, `5m`, `1h`, `2d`; up to a hundred years.
[[nodiscard]] inline auto parse_age(std::string_view text) -> std::optional<freshet::duration> {
    using namespace std::chrono;
    std::int64_t count = 0;
    const auto [unit, bad] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (bad != std::errc{} || unit + 1 != text.data() + text.size()) { return std::nullopt; }
    const auto one = *unit == 's'   ? seconds{1}
                     : *unit == 'm' ? minutes{1}
                     : *unit == 'h' ? hours{1}
                     : *unit == 'd' ? days{1}
                                    : seconds{0};
    if (one == seconds{0} || count <= 0 || count > days{36'525} / one) { return std::nullopt; }
    return count * one;
}

} // namespace support
