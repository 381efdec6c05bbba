#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/utf8.hpp>
#include <freshet/report/field_text.hpp>

namespace freshet {

/// A number that was made a text already, as a cell of a `text_table`: `12.5 %`.
struct number_text {
    std::string_view text;
};

/// A table for terminals and plain files: a header, a rule, and a line for each row, in aligned columns.
///
/// Cells are as `append_field_text` has them, controls as `printable` shows them and no longer than it lets them be. A
/// column of numbers and durations is aligned to the right, with its name; others to the left. Widths are counted in
/// code points: wide characters and combining ones put their row out of line.
class text_table {
public:
    explicit text_table(std::vector<std::string> header) {
        for (const auto& name : header) { columns_.push_back({{printable(name)}, false, false}); }
    }

    /// Adds a row; its last cells may be left out, and stay empty.
    template <class... Cells>
    void row(const Cells&... cells) {
        if (sizeof...(cells) > columns_.size()) { abort_on_misuse("a table's row has more cells than its header"); }
        ++rows_;
        std::size_t at = 0;
        (add(columns_[at++], cells), ...);
        for (; at != columns_.size(); ++at) { columns_[at].cells.emplace_back(); }
    }

    /// The whole table; each line ends in one, and none in a blank.
    [[nodiscard]] auto text() const -> std::string {
        std::vector<std::size_t> widths;
        for (const auto& each : columns_) {
            std::size_t width = 0;
            for (const auto& cell : each.cells) { width = std::max(width, width_of(cell)); }
            widths.push_back(width);
        }
        std::string out;
        for (std::size_t row = 0; row <= rows_; ++row) {
            append_line(out, [&](std::size_t at) {
                const auto& cell = columns_[at].cells[row];
                const std::string padding(widths[at] - width_of(cell), ' ');
                return columns_[at].is_right() ? padding + cell : cell + padding;
            });
            if (row == 0) {
                append_line(out, [&](std::size_t at) { return std::string(widths[at], '-'); });
            }
        }
        return out;
    }

private:
    struct column {
        std::vector<std::string> cells; // of them the name is the first
        bool numbers{};
        bool others{};
        [[nodiscard]] auto is_right() const -> bool { return numbers && !others; }
    };

    template <class Cell>
    static void add(column& to, const Cell& cell) {
        if constexpr (detail::is_optional<Cell>) {
            if (cell) { return add(to, *cell); }
            to.cells.emplace_back("-");
        } else if constexpr (std::same_as<Cell, number_text>) {
            to.numbers = true;
            to.cells.push_back(printable(cell.text));
        } else {
            const bool number =
                !std::same_as<Cell, bool> && (std::is_arithmetic_v<Cell> || std::convertible_to<const Cell&, duration>);
            (number ? to.numbers : to.others) = true;
            to.cells.push_back(printable(field_text(cell)));
        }
    }

    [[nodiscard]] static auto width_of(std::string_view text) -> std::size_t {
        std::size_t width = 0;
        for (; !text.empty(); ++width) { text.remove_prefix(std::max<std::size_t>(detail::utf8_length(text), 1)); }
        return width;
    }

    template <class Cell>
    void append_line(std::string& out, Cell&& cell) const {
        std::string line;
        for (std::size_t at = 0; at != columns_.size(); ++at) {
            if (at != 0) { line += "  "; }
            line += cell(at);
        }
        line.resize(line.find_last_not_of(' ') + 1);
        (out += line) += '\n';
    }

    std::vector<column> columns_;
    std::size_t rows_{};
};

} // namespace freshet
