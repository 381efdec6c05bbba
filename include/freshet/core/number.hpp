#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <freshet/core/parsed.hpp>

namespace freshet {

/// What a number may be. The defaults are DynamoDB's; leading and trailing zeros never count as digits.
///
/// Source: the DynamoDB developer guide, "Data types": 38 digits, 1E-130 to 9.99…E+125, and zero.
struct number_limits {
    std::size_t significant_digits = 38;
    std::int64_t smallest_magnitude = -130; ///< the least power of ten of the first significant digit
    std::int64_t largest_magnitude = 125;   ///< the greatest one
};

/// A decimal number as views into its text: the value is ±d.ddd… × 10^magnitude.
///
/// The digits are those of `head`, then those of `tail`; the first and the last of them are not zero. Zero has no
/// digits and the magnitude 0. Lives as long as the text.
struct number_view {
    std::string_view head;
    std::string_view tail; ///< what the decimal point parts from `head`; empty where `head` is
    std::int64_t magnitude{};
    bool negative{}; ///< as written, so also of `-0`

    [[nodiscard]] constexpr auto is_zero() const noexcept -> bool { return head.empty(); }
    [[nodiscard]] constexpr auto digits() const noexcept -> std::size_t { return head.size() + tail.size(); }
    [[nodiscard]] constexpr auto digit(std::size_t at) const noexcept -> char {
        return at < head.size() ? head[at] : tail[at - head.size()];
    }
};

namespace detail {

[[nodiscard]] constexpr auto is_digit_at(std::string_view text, std::size_t at) noexcept -> bool {
    return at < text.size() && text[at] >= '0' && text[at] <= '9';
}

[[nodiscard]] constexpr auto past_digits(std::string_view text, std::size_t at) noexcept -> std::size_t {
    while (is_digit_at(text, at)) { ++at; }
    return at;
}

[[nodiscard]] constexpr auto without_leading_zeros(std::string_view digits) noexcept -> std::string_view {
    return digits.substr(std::min(digits.find_first_not_of('0'), digits.size()));
}

[[nodiscard]] constexpr auto without_trailing_zeros(std::string_view digits) noexcept -> std::string_view {
    return digits.substr(0, digits.find_last_not_of('0') + 1); // npos + 1 is 0
}

/// The value of the exponent's digits, held at a bound that no text can be long enough to make up for.
[[nodiscard]] constexpr auto bounded_exponent(std::string_view digits) noexcept -> std::int64_t {
    constexpr std::int64_t bound = 100'000'000'000'000'000;
    std::int64_t exponent = 0;
    for (const auto digit : digits) { exponent = std::min(bound, exponent * 10 + (digit - '0')); }
    return exponent;
}

/// The significant digits among those before and after the point, and the power of ten of the first one.
[[nodiscard]] constexpr auto significant(std::string_view whole, std::string_view fraction) noexcept -> number_view {
    whole = without_leading_zeros(whole);
    const auto kept = without_trailing_zeros(fraction);
    if (!whole.empty()) {
        const auto magnitude = static_cast<std::int64_t>(whole.size()) - 1;
        return {kept.empty() ? without_trailing_zeros(whole) : whole, kept, magnitude, false};
    }
    const auto head = without_leading_zeros(kept);
    if (head.empty()) { return {}; }
    return {head, {}, -1 - static_cast<std::int64_t>(kept.size() - head.size()), false};
}

} // namespace detail

/// Reads a DynamoDB number's text, exactly: no digit passes through a machine number.
///
/// An optional sign, digits with an optional point (at least one digit on either side of it), an optional exponent
/// with an optional sign. `+3`, `0001.23`, `.5`, `5.` and `1e+05` are numbers; blanks, `NaN`, `Infinity` and
/// separators are not. Zero may have any exponent. A fault names the first byte that breaks the grammar, the first
/// digit too many, or the exponent (without one the first digit) of a number out of range. The work is linear.
///
/// Source: the DynamoDB developer guide, "Data types"; the grammar is what the service was seen to accept.
[[nodiscard]] constexpr auto parse_number(std::string_view text, const number_limits& limits = {})
    -> parsed<number_view> {
    if (text.empty()) { return parse_fault{0, "a number is not empty"}; }
    const auto negative = text.front() == '-';
    const std::size_t start = negative || text.front() == '+' ? 1 : 0;
    const auto whole_end = detail::past_digits(text, start);
    const auto has_point = whole_end < text.size() && text[whole_end] == '.';
    const auto fraction_start = whole_end + (has_point ? 1U : 0U);
    const auto end = has_point ? detail::past_digits(text, fraction_start) : whole_end;
    if (whole_end == start && end == fraction_start) { return parse_fault{end, "a digit is missing"}; }

    auto number = detail::significant(text.substr(start, whole_end - start),
                                      text.substr(fraction_start, end - fraction_start));
    number.negative = negative;
    auto at = end;
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        ++at;
        const auto shrinks = at < text.size() && text[at] == '-';
        if (shrinks || (at < text.size() && text[at] == '+')) { ++at; }
        const auto digits = text.substr(at, detail::past_digits(text, at) - at);
        if (digits.empty()) { return parse_fault{at, "an exponent has at least one digit"}; }
        if (!number.is_zero()) {
            const auto exponent = detail::bounded_exponent(digits);
            number.magnitude += shrinks ? -exponent : exponent;
        }
        at += digits.size();
    }
    if (at != text.size()) { return parse_fault{at, "this byte does not belong in a number"}; }
    if (number.is_zero()) { return number; }

    const auto place = [text](const char* byte) { return static_cast<std::size_t>(byte - text.data()); };
    if (number.digits() > limits.significant_digits) {
        const auto kept = limits.significant_digits;
        const auto* excess = kept < number.head.size() ? number.head.data() + kept
                                                       : number.tail.data() + (kept - number.head.size());
        return parse_fault{place(excess), "a number has too many significant digits"};
    }
    const auto culprit = end < text.size() ? end : place(number.head.data());
    if (number.magnitude < limits.smallest_magnitude) { return parse_fault{culprit, "a number is too close to zero"}; }
    if (number.magnitude > limits.largest_magnitude) { return parse_fault{culprit, "a number is too far from zero"}; }
    return number;
}

/// What is wrong with a number's text, or nothing: as `parse_number` says, and quicker on plain short numbers.
[[nodiscard]] constexpr auto check_number(std::string_view text, const number_limits& limits = {})
    -> std::optional<parse_fault> {
    // So few digits without an exponent cannot reach any limit, whatever they are.
    const auto safe = std::min({static_cast<std::int64_t>(limits.significant_digits), -limits.smallest_magnitude,
                                limits.largest_magnitude});
    if (static_cast<std::int64_t>(text.size()) <= safe) {
        auto at = static_cast<std::size_t>(!text.empty() && (text[0] == '-' || text[0] == '+'));
        const auto end = detail::past_digits(text, at);
        if (end > at) {
            at = end < text.size() && text[end] == '.' ? detail::past_digits(text, end + 1) : end;
            if (at == text.size()) { return std::nullopt; }
        }
    }
    const auto read = parse_number(text, limits);
    if (read) { return std::nullopt; }
    return read.fault();
}

/// The order of the values, exactly: `1.0`, `1` and `1E0` are equal, and so are `-0` and `0`.
[[nodiscard]] constexpr auto compare(const number_view& a, const number_view& b) noexcept -> std::strong_ordering {
    const auto sign = [](const number_view& n) { return n.is_zero() ? 0 : n.negative ? -1 : 1; };
    if (sign(a) != sign(b) || a.is_zero()) { return sign(a) <=> sign(b); }
    const auto& nearer = a.negative ? b : a; // of two negative numbers the greater one is nearer to zero
    const auto& other = a.negative ? a : b;
    if (nearer.magnitude != other.magnitude) { return nearer.magnitude <=> other.magnitude; }
    const auto common = std::min(nearer.digits(), other.digits());
    for (std::size_t at = 0; at < common; ++at) {
        if (nearer.digit(at) != other.digit(at)) { return nearer.digit(at) <=> other.digit(at); }
    }
    return nearer.digits() <=> other.digits(); // what is left of the longer one ends in a digit above zero
}

/// Writes a number that `parse_number` accepts as a JSON number with the same digits; returns the end.
///
/// What is legal JSON already, `-0` among it, is copied as it is; otherwise only what JSON forbids goes: a plus sign,
/// superfluous leading zeros, a point without digits on one of its sides. Writes at most `number.size() + 1` bytes.
/// Readers that keep doubles may lose digits of what is written; the text does not.
///
/// Source: RFC 8259, 6.
constexpr auto write_json_number(char* out, std::string_view number) -> char* {
    if (number.starts_with('-')) { *out++ = '-'; }
    if (number.starts_with('-') || number.starts_with('+')) { number.remove_prefix(1); }
    while (number.starts_with('0') && detail::is_digit_at(number, 1)) { number.remove_prefix(1); }
    const auto whole = detail::past_digits(number, 0);
    if (whole == 0) { *out++ = '0'; }
    out = std::copy_n(number.data(), whole, out);
    number.remove_prefix(whole);
    if (number.starts_with('.') && !detail::is_digit_at(number, 1)) { number.remove_prefix(1); }
    return std::copy_n(number.data(), number.size(), out);
}

} // namespace freshet
