#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <receipts/items.hpp>
#include <receipts/line_kinds.hpp>
#include <receipts/money.hpp>

namespace receipts {

struct printed_amount {
    hundredths amount{};
    std::size_t word{};
};

struct printed_line {
    std::size_t first{}; ///< of its words
    std::size_t end{};   ///< behind the last of them
    std::string text{};  ///< its words with a space between them
    line_kind kind{line_kind::other};
    std::size_t first_amount{};
    std::size_t end_amount{};

    [[nodiscard]] auto has_amounts() const noexcept -> bool { return first_amount != end_amount; }
};

/// A receipt's lines, and its amounts in the order of print.
struct printed_lines {
    std::vector<printed_line> lines{};
    std::vector<printed_amount> amounts{};

    /// The last amount of a line that has one: the one in the column of amounts.
    [[nodiscard]] auto amount_of(const printed_line& line) const -> hundredths {
        return amounts[line.end_amount - 1].amount;
    }
};

/// Reads the lines of words that stand in the order of print, those of a line together.
[[nodiscard]] inline auto read_lines(std::span<const scanned_word> words) -> printed_lines {
    printed_lines read;
    for (std::size_t word = 0; word < words.size(); ++word) {
        if (word == 0 || words[word].line_id != words[word - 1].line_id) {
            read.lines.push_back(
                {.first = word, .end = word, .first_amount = read.amounts.size(), .end_amount = read.amounts.size()});
        }
        auto& line = read.lines.back();
        line.end = word + 1;
        if (!line.text.empty()) { line.text.push_back(' '); }
        line.text += words[word].text;
        if (const auto amount = read_amount(words[word].text)) {
            read.amounts.push_back({*amount, word});
            line.end_amount = read.amounts.size();
        }
    }
    bool in_summary = false;
    for (auto& line : read.lines) {
        line.kind = kind_of(line.text);
        in_summary = in_summary || opens_tax_summary(line.text);
        if (in_summary && line.kind == line_kind::total) { line.kind = line_kind::subtotal; }
    }
    return read;
}

} // namespace receipts
