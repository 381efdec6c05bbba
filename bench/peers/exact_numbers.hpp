#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "../../tests/support/message_model.hpp"

/// Numbers by their digits, for comparing what doubles would blur. Never timed.
namespace nlohmann_peer {

/// In place of `as_doubles`: the digits in a binary value, which JSON text cannot hold.
struct exact_numbers {
    [[nodiscard]] static auto number(const std::string& text) -> nlohmann::json {
        return support::exact_number(support::legal_number(text));
    }
    [[nodiscard]] static auto id(std::uint32_t value) -> nlohmann::json {
        return support::exact_number(std::to_string(value));
    }
};

/// A JSON text with its numbers as `exact_numbers` has them; discarded where it is none or a name repeats.
[[nodiscard]] inline auto read_exactly(std::string_view text) -> nlohmann::json { return support::read_exactly(text); }

} // namespace nlohmann_peer
