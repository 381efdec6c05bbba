#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <freshet/core/parsed.hpp>
#include <freshet/core/time.hpp>

namespace freshet {

/// Reads decimal seconds since 1970-01-01T00:00:00Z, exactly, and cuts them to microseconds toward the past.
///
/// Whole (`1479499740`), with a fraction (`1479499740.5`) or with an exponent (`1.47949974E9`), as the services and
/// their libraries print epoch times. The instant lies in the years 0000 to 9999, as RFC 3339 can print it.
[[nodiscard]] constexpr auto parse_epoch_seconds(std::string_view text) noexcept -> parsed<time_point> {
    constexpr std::int64_t first = -62'167'219'200'000'000; // 0000-01-01T00:00:00Z
    constexpr std::int64_t last = 253'402'300'799'999'999;  // 9999-12-31T23:59:59.999999Z
    constexpr parse_fault no_number{0, "no decimal number of seconds"};
    constexpr parse_fault out_of_range{0, "an instant outside the years 0000 to 9999"};

    std::size_t at = 0;
    const auto digit = [&] { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
    const bool negative = text.starts_with('-');
    at += negative ? 1 : 0;
    const auto mantissa = at;
    while (digit()) { ++at; }
    const auto whole = at - mantissa;
    std::size_t point = text.size();
    if (at < text.size() && text[at] == '.') {
        point = at++;
        while (digit()) { ++at; }
        if (at == point + 1) { return no_number; }
    }
    const auto mantissa_end = at;
    if (whole == 0) { return no_number; }
    std::int64_t exponent = 0;
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        ++at;
        const bool down = at < text.size() && text[at] == '-';
        at += at < text.size() && (text[at] == '-' || text[at] == '+') ? 1 : 0;
        const auto from = at;
        for (; digit(); ++at) { exponent = exponent > 1'000'000'000 ? exponent : exponent * 10 + (text[at] - '0'); }
        if (at == from) { return no_number; }
        exponent = down ? -exponent : exponent;
    }
    if (at != text.size()) { return no_number; }

    // Digit by digit down to microseconds: `place` is the power of ten of the next digit.
    std::int64_t micros = 0;
    bool cut = false;
    auto place = static_cast<std::int64_t>(whole) - 1 + exponent;
    for (std::size_t i = mantissa; i < mantissa_end; ++i) {
        if (i == point) { continue; }
        const int value = text[i] - '0';
        if (place-- < -6) {
            cut = cut || value != 0;
            continue;
        }
        micros = micros * 10 + value;
        if (micros > last) { return out_of_range; }
    }
    for (; micros != 0 && place >= -6; --place) {
        micros *= 10;
        if (micros > last) { return out_of_range; }
    }
    if (negative) { micros = -micros - (cut ? 1 : 0); }
    if (micros < first) { return out_of_range; }
    return time_point{duration{micros}};
}

} // namespace freshet
