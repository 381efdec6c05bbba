#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <fake_aws/dynamodb_refusal.hpp>
#include <freshet/core/number.hpp>

namespace fake_aws::ddb {

/// The number's value as ±d.ddd… × 10^magnitude, without zeros at either end; zero has no digits.
struct decimal {
    bool negative{};
    std::string digits;
    std::int64_t magnitude{};
};

/// Refuses what has more digits or another range than the service stores.
///
/// Source: the DynamoDB developer guide, "Data types", "Number".
inline void check_range(const decimal& number) {
    if (number.digits.size() > 38) {
        refuse_invalid("Attempting to store more than 38 significant digits in a Number");
    }
    if (number.digits.empty()) { return; }
    if (number.magnitude > 125) {
        refuse_invalid("Number overflow. Attempting to store a number with magnitude larger than supported range");
    }
    if (number.magnitude < -130) {
        refuse_invalid("Number underflow. Attempting to store a number with magnitude smaller than supported range");
    }
}

[[nodiscard]] inline auto read_decimal(std::string_view text) -> decimal {
    constexpr freshet::number_limits none{std::numeric_limits<std::size_t>::max(),
                                          std::numeric_limits<std::int64_t>::min() / 4,
                                          std::numeric_limits<std::int64_t>::max() / 4};
    const auto read = freshet::parse_number(text, none);
    if (!read) {
        refuse_invalid(text.empty() ? std::string{"The parameter cannot be converted to a numeric value"}
                                    : "The parameter cannot be converted to a numeric value: " + std::string{text});
    }
    decimal number{read->negative && !read->is_zero(), {}, read->magnitude};
    for (std::size_t at = 0; at < read->digits(); ++at) { number.digits += read->digit(at); }
    check_range(number);
    return number;
}

/// The text that the service gives back: plain, without an exponent, a plus sign or superfluous zeros.
[[nodiscard]] inline auto plain_text(const decimal& number) -> std::string {
    if (number.digits.empty()) { return "0"; }
    const std::string sign = number.negative ? "-" : "";
    if (number.magnitude < 0) {
        return sign + "0." + std::string(static_cast<std::size_t>(-number.magnitude - 1), '0') + number.digits;
    }
    const auto whole = static_cast<std::size_t>(number.magnitude) + 1;
    if (number.digits.size() <= whole) { return sign + number.digits + std::string(whole - number.digits.size(), '0'); }
    return sign + number.digits.substr(0, whole) + "." + number.digits.substr(whole);
}

namespace detail {

/// Digits by their power of ten: what is at `i` counts 10^(i - 170), which holds every number that can be stored.
using fixed_point = std::array<int, 300>;
inline constexpr std::int64_t lowest_power = -170;

[[nodiscard]] inline auto spread(const decimal& number) -> fixed_point {
    fixed_point places{};
    auto at = static_cast<std::size_t>(number.magnitude - lowest_power);
    for (const char digit : number.digits) { places[at--] = digit - '0'; }
    return places;
}

[[nodiscard]] inline auto gathered(const fixed_point& places, bool negative) -> decimal {
    decimal sum{negative, {}, 0};
    for (std::size_t at = places.size(); at-- > 0;) {
        if (sum.digits.empty() && places[at] == 0) { continue; }
        if (sum.digits.empty()) { sum.magnitude = static_cast<std::int64_t>(at) + lowest_power; }
        sum.digits += static_cast<char>('0' + places[at]);
    }
    sum.digits.erase(sum.digits.find_last_not_of('0') + 1);
    if (sum.digits.empty()) { return {}; }
    return sum;
}

} // namespace detail

/// The exact sum; one that the service cannot store is refused.
///
/// Source: the service's answers, which call a sum of more than 38 digits an overflow.
[[nodiscard]] inline auto sum(const decimal& a, const decimal& b) -> decimal {
    auto larger = detail::spread(a);
    auto smaller = detail::spread(b);
    const bool same_sign = a.negative == b.negative;
    auto negative = a.negative;
    if (!same_sign && std::lexicographical_compare(larger.rbegin(), larger.rend(), smaller.rbegin(), smaller.rend())) {
        std::swap(larger, smaller);
        negative = b.negative;
    }
    int carry = 0;
    for (std::size_t at = 0; at < larger.size(); ++at) {
        const int digit = larger[at] + (same_sign ? smaller[at] : -smaller[at]) + carry;
        carry = digit > 9 ? 1 : digit < 0 ? -1 : 0;
        larger[at] = digit - 10 * carry;
    }
    auto total = detail::gathered(larger, negative);
    if (total.digits.size() > 38) { total.magnitude = 126; }
    check_range({total.negative, total.digits.substr(0, 38), total.magnitude});
    return total;
}

[[nodiscard]] inline auto negated(decimal number) -> decimal {
    number.negative = !number.negative && !number.digits.empty();
    return number;
}

/// The order of two numbers' texts.
[[nodiscard]] inline auto compare_numbers(std::string_view a, std::string_view b) -> std::strong_ordering {
    return freshet::compare(freshet::parse_number(a).value(), freshet::parse_number(b).value());
}

/// Bytes that are in the order of the numbers.
[[nodiscard]] inline auto ordered_bytes(const decimal& number) -> std::string {
    if (number.digits.empty()) { return "\x01"; }
    const auto power = static_cast<unsigned>(number.magnitude + 1'000);
    std::string bytes{static_cast<char>(power >> 8U), static_cast<char>(power & 255U)};
    bytes += number.digits;
    if (!number.negative) { return "\x02" + bytes; }
    for (char& byte : bytes) { byte = static_cast<char>(~static_cast<unsigned char>(byte)); }
    return std::string(1, '\0') + bytes + '\xff';
}

} // namespace fake_aws::ddb
