#pragma once

#include <cstddef>
#include <istream>
#include <string>
#include <string_view>
#include <vector>

namespace metrics {

/// The longest line that is read, in bytes.
inline constexpr std::size_t longest_line = 1U << 20;

/// Calls `line(number, text)` for each line, from 1 on, and `too_long(number)` for one of more than `longest_line`
/// bytes, which is passed over. Lines end in LF; the last one may lack it.
template <class Line, class TooLong>
void each_line(std::istream& in, Line&& line, TooLong&& too_long) {
    std::vector<char> block(1U << 16);
    std::string begun; // of a line that the blocks before did not end
    std::size_t number = 1;
    bool passing_over = false;
    const auto add = [&](std::string_view part) {
        if (passing_over || begun.size() + part.size() > longest_line) {
            passing_over = true;
            begun.clear();
        } else {
            begun += part;
        }
    };
    const auto end = [&] {
        passing_over ? too_long(number) : line(number, std::string_view{begun});
        passing_over = false;
        begun.clear();
        ++number;
    };
    while (in) {
        in.read(block.data(), static_cast<std::streamsize>(block.size()));
        std::string_view rest{block.data(), static_cast<std::size_t>(in.gcount())};
        for (auto at = rest.find('\n'); at != std::string_view::npos; at = rest.find('\n')) {
            add(rest.substr(0, at));
            end();
            rest.remove_prefix(at + 1);
        }
        add(rest);
    }
    if (!begun.empty() || passing_over) { end(); }
}

} // namespace metrics
