#pragma once

#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <freshet/core/parsed.hpp>
#include <freshet/core/time.hpp>

namespace freshet {

/// Where a round goes on: after this group, in the order of `item_groups`.
struct resume_token {
    time_point round{};
    std::string after{}; ///< any bytes
    friend auto operator==(const resume_token&, const resume_token&) -> bool = default;
};

namespace detail {

inline constexpr std::string_view resume_word = "resume-1 ";

[[nodiscard]] constexpr auto stands_for_itself(char c) noexcept -> bool { return c > ' ' && c <= '~' && c != '%'; }

} // namespace detail

/// The token as one line of printable ASCII, to be kept anywhere: `resume-1 <microseconds since 1970>
/// <length>:<group>`.
///
/// Other bytes of the group, blanks and `%` stand as `%hh`; the length is that of what stands there, so that a text
/// that was cut is noticed.
[[nodiscard]] inline auto to_text(const resume_token& token) -> std::string {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string group;
    for (const char c : token.after) {
        const auto byte = static_cast<unsigned char>(c);
        if (detail::stands_for_itself(c)) {
            group += c;
        } else {
            group += {'%', digits[byte >> 4], digits[byte & 15]};
        }
    }
    return std::string{detail::resume_word} + std::to_string(token.round.time_since_epoch().count()) + ' ' +
           std::to_string(group.size()) + ':' + group;
}

/// Reads what `to_text` wrote; a fault names the first byte that is wrong.
[[nodiscard]] inline auto parse_resume_token(std::string_view text) -> parsed<resume_token> {
    using detail::resume_word;
    const auto fault_at = [&](const char* where, std::string_view reason) {
        return parse_fault{static_cast<std::size_t>(where - text.data()), reason};
    };
    if (!text.starts_with(resume_word)) { return parse_fault{0, "a resume token begins with \"resume-1 \""}; }
    const char* at = text.data() + resume_word.size();
    const char* const end = text.data() + text.size();

    duration::rep micros{};
    const auto round = std::from_chars(at, end, micros);
    if (round.ec != std::errc{}) { return fault_at(at, "the round is no number of microseconds"); }
    at = round.ptr;
    if (at == end || *at != ' ') { return fault_at(at, "a blank is missing behind the round"); }
    std::size_t length{};
    const auto size = std::from_chars(++at, end, length);
    if (size.ec != std::errc{}) { return fault_at(at, "the group's length is no number"); }
    at = size.ptr;
    if (at == end || *at != ':') { return fault_at(at, "a colon is missing behind the group's length"); }
    if (static_cast<std::size_t>(end - ++at) != length) {
        return fault_at(at, "the group is longer or shorter than it says");
    }

    std::string after;
    for (; at != end; ++at) {
        unsigned byte{};
        if (detail::stands_for_itself(*at)) {
            after += *at;
        } else if (*at == '%' && end - at > 2 && std::from_chars(at + 1, at + 3, byte, 16).ptr == at + 3) {
            after += static_cast<char>(byte);
            at += 2;
        } else {
            return fault_at(at, "a byte of the group that is not printable ASCII stands as %hh");
        }
    }
    return resume_token{time_point{duration{micros}}, std::move(after)};
}

} // namespace freshet
