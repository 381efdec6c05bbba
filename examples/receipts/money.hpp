#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace receipts {

/// A sum of money in hundredths, without its sign: receipts print refunds and discounts with one ahead, behind, as
/// brackets, or not at all.
using hundredths = std::int64_t;

[[nodiscard]] constexpr auto is_digit(char c) noexcept -> bool { return c >= '0' && c <= '9'; }

[[nodiscard]] constexpr auto upper(char c) noexcept -> char {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

/// Letters of ASCII.
[[nodiscard]] constexpr auto is_letter(char c) noexcept -> bool { return upper(c) >= 'A' && upper(c) <= 'Z'; }

/// The digit that scanners take for this character now and then, 0 for O and 1 for I; else the character itself.
[[nodiscard]] constexpr auto unslipped(char c) noexcept -> char {
    return c == 'O' || c == 'o' ? '0' : c == 'I' || c == 'l' ? '1' : c;
}

namespace detail {

/// Signs, brackets and one currency ahead of an amount.
[[nodiscard]] constexpr auto without_currency(std::string_view text) noexcept -> std::string_view {
    constexpr std::array<std::string_view, 10> currencies{"RM", "RN",  "MYR", "SGD", "USD",
                                                          "US", "EUR", "GBP", "S",   "R"};
    const auto trim = [&text] {
        while (!text.empty() && !is_digit(text.front()) && !is_letter(text.front())) { text.remove_prefix(1); }
    };
    trim();
    for (const auto currency : currencies) {
        std::size_t same = 0;
        while (same < currency.size() && same < text.size() && upper(text[same]) == currency[same]) { ++same; }
        if (same == currency.size() && same < text.size() && !is_letter(text[same])) {
            text.remove_prefix(same);
            trim();
            break;
        }
    }
    return text;
}

} // namespace detail

/// Reads the amount that a printed word is: "9.00", "$1,007.50", "RM22.90", "-0.01", "0.02-", "(1.42", "13.53SR",
/// "100.000", "1O.50".
///
/// A currency may stand ahead of it and a tax code behind. No amounts are whole numbers, percentages, words with
/// further digits ("4X1.25", "11.02.18"), and two digits behind a comma, since house numbers are printed so ("55,57").
[[nodiscard]] constexpr auto read_amount(std::string_view text) noexcept -> std::optional<hundredths> {
    constexpr std::size_t most_digits = 8;
    if (text.find('%') != std::string_view::npos) { return std::nullopt; }
    text = detail::without_currency(text);
    const auto digit = [&text](std::size_t at) {
        return at < text.size() && is_digit(unslipped(text[at])) ? unslipped(text[at]) - '0' : -1;
    };
    hundredths read = 0;
    std::size_t at = 0;
    std::size_t digits = 0;
    bool printed = false; // one of them as a digit, not as a slip
    for (;; ++at) {
        const auto comma = at < text.size() && text[at] == ',' && digits != 0 && digit(at + 1) >= 0 &&
                           digit(at + 2) >= 0 && digit(at + 3) >= 0 && digit(at + 4) < 0;
        const auto more = comma && at + 4 < text.size() && (text[at + 4] == '.' || text[at + 4] == ',');
        if (more) { continue; }
        if (digit(at) < 0) { break; }
        read = read * 10 + digit(at);
        printed = printed || is_digit(text[at]);
        if (++digits > most_digits) { return std::nullopt; }
    }
    if (digits == 0 || at >= text.size() || text[at] != '.') { return std::nullopt; }
    if (digit(at + 1) < 0 || digit(at + 2) < 0) { return std::nullopt; }
    printed = printed || is_digit(text[at + 1]) || is_digit(text[at + 2]);
    read = read * 100 + digit(at + 1) * 10 + digit(at + 2);
    at += 3;
    if (digit(at) == 0) { ++at; }
    for (; at < text.size(); ++at) {
        if (is_digit(text[at])) { return std::nullopt; }
    }
    return printed ? std::optional<hundredths>{read} : std::nullopt;
}

/// Whether a printed word carries a number with two decimals anywhere: an amount, or what else an amount column holds,
/// as a unit price ("@12.00", "65045039@2.33"), a rate ("6.00%") or an amount with a decimal comma.
[[nodiscard]] constexpr auto carries_decimals(std::string_view text) noexcept -> bool {
    const auto digit = [&text](std::size_t at) { return at < text.size() && is_digit(unslipped(text[at])); };
    for (std::size_t at = 1; at + 2 < text.size(); ++at) {
        if ((text[at] == '.' || text[at] == ',') && is_digit(unslipped(text[at - 1])) && digit(at + 1) &&
            digit(at + 2)) {
            return true;
        }
    }
    return false;
}

/// An amount as receipts print it: 1234 is "12.34".
[[nodiscard]] inline auto amount_text(hundredths amount) -> std::string {
    auto text = std::to_string(amount / 100);
    text.push_back('.');
    text.push_back(static_cast<char>('0' + amount / 10 % 10));
    text.push_back(static_cast<char>('0' + amount % 10));
    return text;
}

} // namespace receipts
