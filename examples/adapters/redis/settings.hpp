#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>

namespace adapters::redis {

/// Where the server is, who asks, and how patiently.
struct settings {
    std::string host{"127.0.0.1"};
    std::uint16_t port{6379};
    std::string password{}; ///< empty: none
    std::uint16_t database{};
    freshet::duration connect_timeout{std::chrono::seconds{1}};
    freshet::duration answer_timeout{std::chrono::seconds{2}}; ///< of a pause while sending or answering
};

namespace detail {

/// All of the text as a number, if it is one of these digits that fits.
template <class Number>
[[nodiscard]] auto number_of(std::string_view text, int base = 10) -> std::optional<Number> {
    Number number{};
    const auto* const past = text.data() + text.size();
    const auto [end, bad] = std::from_chars(text.data(), past, number, base);
    if (bad != std::errc{} || end != past) { return std::nullopt; }
    return number;
}

[[nodiscard]] inline auto percent_decoded(std::string_view text) -> std::optional<std::string> {
    std::string plain;
    for (std::size_t at = 0; at != text.size(); ++at) {
        if (text[at] != '%') {
            plain += text[at];
            continue;
        }
        const auto digits = text.substr(at + 1, 2);
        const auto byte = number_of<unsigned char>(digits, 16);
        if (digits.size() != 2 || !byte) { return std::nullopt; }
        plain += static_cast<char>(*byte);
        at += 2;
    }
    return plain;
}

} // namespace detail

/// The settings that `redis://[:password@]host[:port][/database]` says; `denied`, without the password, where it says
/// nothing of the kind.
///
/// What a password has of `/`, `@` and `%` is written as `%2F`, `%40` and `%25` (RFC 3986). There are no user names and
/// no TLS. An IPv6 address stands in brackets.
[[nodiscard]] inline auto settings_from(std::string_view url) -> freshet::result<settings> {
    const auto refuse = [&](std::string_view why) {
        const auto shown = url.find('@') == std::string_view::npos ? freshet::printable(url) : "with a password";
        return freshet::error{freshet::errc::denied, ("redis address " + shown + ": ").append(why)};
    };
    constexpr std::string_view scheme{"redis://"};
    if (!url.starts_with(scheme)) { return refuse("it does not begin with redis://"); }
    settings made;
    auto place = url.substr(scheme.size());
    if (const auto slash = place.find('/'); slash != std::string_view::npos) {
        const auto database = place.substr(slash + 1);
        const auto number = detail::number_of<std::uint16_t>(database);
        if (!number && !database.empty()) { return refuse("behind the host there may only be the database's number"); }
        made.database = number.value_or(0);
        place = place.substr(0, slash);
    }
    if (const auto at = place.rfind('@'); at != std::string_view::npos) {
        if (place.front() != ':') { return refuse("before the @ there may only be :password, and no user"); }
        auto password = detail::percent_decoded(place.substr(1, at - 1));
        if (!password) { return refuse("in the password a % is not followed by two hexadecimal digits"); }
        made.password = *password;
        place = place.substr(at + 1);
    }
    const bool in_brackets = place.starts_with('[');
    const auto host_ends = std::min(place.find(in_brackets ? ']' : ':'), place.size());
    const auto host = place.substr(in_brackets ? 1 : 0, host_ends - (in_brackets ? 1 : 0));
    constexpr std::string_view letters{"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:"};
    if (host.empty() || host.find_first_not_of(letters) != std::string_view::npos ||
        (in_brackets && host_ends == place.size())) {
        return refuse("there is no host's name where one should be");
    }
    const auto behind = place.substr(host_ends + (in_brackets ? 1 : 0));
    if (!behind.empty()) {
        const auto number = detail::number_of<std::uint16_t>(behind.substr(1));
        if (behind.front() != ':' || !number || *number == 0) {
            return refuse("the port is no number from 1 to 65535");
        }
        made.port = *number;
    }
    made.host = host;
    return made;
}

} // namespace adapters::redis
