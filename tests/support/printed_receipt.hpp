#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <receipts/items.hpp>

namespace support {

/// A receipt of these lines, of words with a space between them. A word's PENDING label follows it in braces, its
/// VALID one behind a "=": "TOTAL 9.00{GRAND_TOTAL} 1.00{=LINE_TOTAL}".
[[nodiscard]] inline auto printed_receipt(std::initializer_list<std::string_view> lines,
                                          receipts::scanned_merchant merchant = {}) -> receipts::scanned_receipt {
    receipts::scanned_receipt made;
    made.image_id = "550e8400-e29b-41d4-a716-446655440000";
    made.merchant = std::move(merchant);
    std::uint64_t line_id = 0;
    for (const auto line : lines) {
        ++line_id;
        std::uint64_t word_id = 0;
        std::istringstream words{std::string{line}};
        for (std::string text; words >> text;) {
            receipts::scanned_word word{line_id, ++word_id, text.substr(0, text.find('{'))};
            for (auto at = text.find('{'); at != std::string::npos; at = text.find('{', at + 1)) {
                auto name = text.substr(at + 1, text.find('}', at) - at - 1);
                const auto valid = name.front() == '=';
                if (valid) { name.erase(0, 1); }
                word.labels.push_back({.label = name, .validation_status = valid ? "VALID" : "PENDING"});
            }
            made.words.push_back(std::move(word));
        }
    }
    return made;
}

} // namespace support
