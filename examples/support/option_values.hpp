#pragma once

#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <support/environment.hpp>

namespace support {

/// Of what a command line or a variable says.
[[nodiscard]] inline auto refused(std::string why) -> freshet::error {
    return {freshet::errc::malformed, std::move(why)};
}

/// A whole number from `least` to `most`, where the option was given.
template <class Number>
[[nodiscard]] auto read_number(std::string_view option, const std::optional<std::string>& given,
                               std::type_identity_t<Number> least, std::type_identity_t<Number> most, Number& to)
    -> freshet::result<void> {
    if (!given) { return {}; }
    const auto* const end = given->data() + given->size();
    const auto [rest, bad] = std::from_chars(given->data(), end, to);
    if (bad == std::errc{} && rest == end && to >= least && to <= most) { return {}; }
    const auto text = freshet::printable(*given);
    if (most == std::numeric_limits<Number>::max()) {
        return refused(fmt::format("{}: '{}' is no whole number from {} on", option, text, least));
    }
    return refused(fmt::format("{}: '{}' is no whole number from {} to {}", option, text, least, most));
}

/// `90s`, `5m`, `1h`, `2d`, where the option was given.
template <class Duration>
[[nodiscard]] auto read_duration(std::string_view option, const std::optional<std::string>& given, Duration& to)
    -> freshet::result<void> {
    if (!given) { return {}; }
    const auto span = parse_age(*given);
    if (!span) {
        return refused(
            fmt::format("{}: '{}' is no duration such as 90s, 5m, 1h, 2d", option, freshet::printable(*given)));
    }
    to = *span;
    return {};
}

/// A time as RFC 3339 has it, where the option was given.
[[nodiscard]] inline auto read_time(std::string_view option, const std::optional<std::string>& given,
                                    std::optional<freshet::time_point>& to) -> freshet::result<void> {
    if (!given) { return {}; }
    const auto time = freshet::parse_rfc3339(*given);
    if (!time) { return refused(time.fault().as_error(option).note); }
    to = *time;
    return {};
}

} // namespace support
