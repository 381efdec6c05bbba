#pragma once

#include <string>

#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>

namespace adapters::graphql::detail {

/// `2024-01-19T14:00:00Z`, cut to so many digits of a second. Times outside the years 0000 to 9999 give a text that is
/// before, or behind, all others.
[[nodiscard]] inline auto text_of(freshet::time_point at, int digits = 0) -> std::string {
    const auto text = freshet::format_rfc3339(at, digits);
    return text ? std::string{text->view()} : at < freshet::time_point{} ? " " : "~";
}

} // namespace adapters::graphql::detail
