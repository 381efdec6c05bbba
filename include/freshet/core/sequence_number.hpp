#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <freshet/core/parsed.hpp>

namespace freshet {

/// A change stream's sequence number: decimal text of 1 to 40 digits, ordered by value.
///
/// Owns its digits and never allocates. The text is kept as it came, so `007` and `7` are equal and yet read
/// differently: that is why the order is weak. Starts out as `0`, before which nothing is.
///
/// Source: the DynamoDB Streams API reference (`SequenceNumber`: 21 to 40 digits promised, shorter ones seen).
class sequence_number {
public:
    static constexpr std::size_t max_digits = 40;

    constexpr sequence_number() noexcept { digits_.fill('0'); }

    /// Reads the whole text; refuses emptiness, a 41st digit and anything but ASCII digits.
    [[nodiscard]] static constexpr auto parse(std::string_view text) -> parsed<sequence_number> {
        if (text.empty()) { return parse_fault{0, "a sequence number is not empty"}; }
        sequence_number number;
        const auto shown = text.substr(0, max_digits);
        for (std::size_t at = 0; at < shown.size(); ++at) {
            if (shown[at] < '0' || shown[at] > '9') {
                return parse_fault{at, "a sequence number has only decimal digits"};
            }
            number.digits_[max_digits - shown.size() + at] = shown[at];
        }
        if (text.size() > max_digits) { return parse_fault{max_digits, "a sequence number has at most 40 digits"}; }
        number.size_ = static_cast<std::uint8_t>(text.size());
        return number;
    }

    /// The digits as they came, leading zeros included; lives as long as this object.
    [[nodiscard]] constexpr auto view() const noexcept -> std::string_view {
        return {digits_.data() + (max_digits - size_), size_};
    }

    friend constexpr auto operator==(const sequence_number& a, const sequence_number& b) noexcept -> bool {
        return a.padded() == b.padded();
    }
    friend constexpr auto operator<=>(const sequence_number& a, const sequence_number& b) noexcept
        -> std::weak_ordering {
        return a.padded().compare(b.padded()) <=> 0;
    }

private:
    [[nodiscard]] constexpr auto padded() const noexcept -> std::string_view { return {digits_.data(), max_digits}; }

    std::array<char, max_digits> digits_{}; // right-aligned behind zeros: the order of texts is the order of values
    std::uint8_t size_{1};
};

} // namespace freshet
