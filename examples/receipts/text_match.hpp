#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <receipts/money.hpp>

namespace receipts {

/// The capital letters and digits of a text, and the bytes of other scripts, without the rest: "J.K. (Taman" is
/// "JKTAMAN".
[[nodiscard]] inline auto squashed(std::string_view text) -> std::string {
    std::string kept;
    kept.reserve(text.size());
    for (const auto c : text) {
        if (is_digit(c) || is_letter(c) || static_cast<unsigned char>(c) >= 0x80) { kept.push_back(upper(c)); }
    }
    return kept;
}

/// A squashed text with one character for those that scanners mistake for each other (O, Q and 0; I, L and 1; S and 5;
/// B and 8; Z and 2; G and 6), so that slips compare equal.
[[nodiscard]] inline auto folded(std::string_view text) -> std::string {
    auto kept = squashed(text);
    for (auto& c : kept) {
        constexpr std::string_view slips = "OQILSBZG";
        constexpr std::string_view digits = "00115826";
        if (const auto at = slips.find(c); at != std::string_view::npos) { c = digits[at]; }
    }
    return kept;
}

/// The digits of a text.
[[nodiscard]] inline auto digits_of(std::string_view text) -> std::string {
    std::string kept;
    std::copy_if(text.begin(), text.end(), std::back_inserter(kept), is_digit);
    return kept;
}

/// The fewest characters to put in, take out or change that make `part` out of some stretch of `whole`; `most` + 1
/// where that takes more than `most`.
///
/// Sellers' algorithm; time grows with the product of both lengths.
[[nodiscard]] inline auto slips_within(std::string_view part, std::string_view whole, std::size_t most) -> std::size_t {
    if (whole.find(part) != std::string_view::npos) { return 0; }
    if (most == 0) { return 1; }
    std::vector<std::size_t> column(part.size() + 1);
    for (std::size_t i = 0; i < column.size(); ++i) { column[i] = i; }
    auto best = column.back();
    for (const auto c : whole) {
        std::size_t diagonal = 0; // any stretch may start here
        for (std::size_t i = 1; i < column.size(); ++i) {
            const auto changed = diagonal + (part[i - 1] == c ? 0 : 1);
            diagonal = column[i];
            column[i] = std::min({changed, column[i] + 1, column[i - 1] + 1});
        }
        best = std::min(best, column.back());
    }
    return std::min(best, most + 1);
}

/// Whether a folded `part` stands in a folded `whole` with at most one slip in five characters.
[[nodiscard]] inline auto stands_in(std::string_view part, std::string_view whole) -> bool {
    const auto most = part.size() / 5;
    return !part.empty() && slips_within(part, whole, most) <= most;
}

/// The stretches of letters and digits in a text: "NO.53, JALAN" has "NO", "53" and "JALAN". The views are of `text`.
[[nodiscard]] inline auto tokens_of(std::string_view text) -> std::vector<std::string_view> {
    std::vector<std::string_view> tokens;
    const auto in_token = [](char c) { return is_digit(c) || is_letter(c) || static_cast<unsigned char>(c) >= 0x80; };
    for (std::size_t at = 0; at < text.size();) {
        auto end = at;
        while (end < text.size() && in_token(text[end])) { ++end; }
        if (end != at) { tokens.push_back(text.substr(at, end - at)); }
        at = end + 1;
    }
    return tokens;
}

} // namespace receipts
