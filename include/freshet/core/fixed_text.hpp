#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace freshet {

/// A string literal as a template argument: `key_pattern<"IMAGE#{image_id}">`.
template <std::size_t Size>
struct fixed_text {
    char text[Size]{}; // public, because a class-type template parameter must be structural

    consteval fixed_text(const char (&literal)[Size]) { std::copy_n(literal, Size, text); }

    [[nodiscard]] constexpr auto size() const noexcept -> std::size_t { return Size - 1; }
    [[nodiscard]] constexpr auto view() const noexcept -> std::string_view { return {text, Size - 1}; }

    template <std::size_t Other>
    friend constexpr auto operator==(const fixed_text& a, const fixed_text<Other>& b) noexcept -> bool {
        return a.view() == b.view();
    }
};

} // namespace freshet
