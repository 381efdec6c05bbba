#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/backend/message.hpp>

#include "letters.hpp"

namespace laws {

/// Ten good messages of ten groups, or as many as a request may have.
[[nodiscard]] inline auto full_request(const freshet::queue_limits& limits, const std::string& mark)
    -> std::vector<letter> {
    std::vector<letter> all(std::min<std::size_t>(10, limits.entries_per_request));
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i] = {"g" + std::to_string(i), mark + std::to_string(i), mark + ":" + std::to_string(i), {}};
    }
    return all;
}

/// A way to spoil a message for a FIFO queue.
struct spoiler {
    std::string_view name;
    void (*spoil)(letter&);
};

inline constexpr std::array spoilers{
    spoiler{"no body", [](letter& l) { l.body = ""; }},
    spoiler{"a body with U+0000",
            [](letter& l) {
                l.body = std::string{"a\0b", 3};
            }},
    spoiler{"a body with U+001F", [](letter& l) { l.body = "a\x1f"; }},
    spoiler{"a body with U+FFFE", [](letter& l) { l.body = "\xef\xbf\xbe"; }},
    spoiler{"a body with a surrogate", [](letter& l) { l.body = "\xed\xa0\x80"; }},
    spoiler{"a body cut inside a character", [](letter& l) { l.body = "caf\xc3"; }},
    spoiler{"no group id", [](letter& l) { l.group = ""; }},
    spoiler{"a group id of 129 bytes", [](letter& l) { l.group = std::string(129, 'g'); }},
    spoiler{"a group id with a blank", [](letter& l) { l.group = "a b"; }},
    spoiler{"a deduplication id of 129 bytes", [](letter& l) { l.id = std::string(129, 'd'); }},
    spoiler{"a deduplication id beyond ASCII", [](letter& l) { l.id = "\xc3\xa9"; }},
};

} // namespace laws
