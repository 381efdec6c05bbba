#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <receipts/merchant_words.hpp>
#include <receipts/printed_lines.hpp>
#include <receipts/text_match.hpp>

namespace receipts {

/// A receipt's text, made ready to look names up in.
class searchable_text {
public:
    explicit searchable_text(const printed_lines& printed) {
        for (const auto& line : printed.lines) {
            run_ += folded(line.text);
            for (const auto token : tokens_of(line.text)) { tokens_.push_back(folded(token)); }
            digits_ += digits_of(line.text);
            digits_.push_back(' ');
        }
        std::sort(tokens_.begin(), tokens_.end());
    }

    /// Whether a word is printed: a short one by itself, a longer one also inside words and across them, with slips.
    [[nodiscard]] auto has(std::string_view token) const -> bool {
        constexpr std::size_t is_short = 3;
        const auto wanted = folded(token);
        if (std::binary_search(tokens_.begin(), tokens_.end(), wanted)) { return true; }
        return wanted.size() > is_short && stands_in(wanted, run_);
    }

    /// Whether these digits are printed on one line, whatever stands between them.
    [[nodiscard]] auto has_digits(std::string_view digits) const -> bool {
        return !digits.empty() && digits_.find(digits) != std::string::npos;
    }

private:
    std::string run_;                 // all of it, folded
    std::vector<std::string> tokens_; // sorted
    std::string digits_;              // of each line, and a space
};

/// The share of a claimed name or address that a text prints, from 0 to 1, by the letters of its words; words that
/// tell nothing apart, by `is_common`, count a quarter. 0 for an empty claim.
template <class Common>
[[nodiscard]] auto share_printed(std::string_view claim, const searchable_text& text, Common is_common) -> double {
    double all = 0;
    double found = 0;
    for (const auto token : tokens_of(claim)) {
        const auto weight = static_cast<double>(token.size()) * (is_common(token) ? 0.25 : 1.0);
        all += weight;
        if (text.has(token)) { found += weight; }
    }
    return all > 0 ? found / all : 0;
}

/// Whether a printed word is one of a claimed name's or address's words, or several of them, or a part of one. Words of
/// one or two characters must be there by themselves ("8,"), or as they are printed ("1/9", "&").
[[nodiscard]] inline auto is_word_of(std::string_view word, std::string_view claim) -> bool {
    constexpr std::size_t is_short = 2;
    const auto wanted = folded(word);
    if (wanted.size() > is_short) { return stands_in(wanted, folded(claim)); }
    const auto tokens = tokens_of(word);
    if (tokens.size() == 1) {
        const auto all = tokens_of(claim);
        return std::any_of(all.begin(), all.end(), [&](auto token) { return folded(token) == wanted; });
    }
    if (!tokens.empty()) { // without the marks at both ends
        const auto end = tokens.back().data() + tokens.back().size();
        word = {tokens.front().data(), static_cast<std::size_t>(end - tokens.front().data())};
    }
    return !word.empty() && claim.find(word) != std::string_view::npos;
}

/// The lines at the top of a receipt that name the merchant.
struct receipt_header {
    std::size_t name_end{};      ///< lines [0, name_end) may name it
    std::size_t address_first{}; ///< lines [address_first, address_end) look like its address
    std::size_t address_end{};
};

/// Whether a line looks like one of an address: a postcode and a name, or a number beside a word as "JALAN".
[[nodiscard]] inline auto is_address_line(std::string_view line) -> bool {
    std::size_t places = 0;
    std::size_t numbers = 0;
    bool postcode = false;
    bool name = false;
    for (const auto token : tokens_of(line)) {
        postcode = postcode || is_postcode(token);
        places += is_address_word(token) ? 1U : 0U;
        numbers += std::any_of(token.begin(), token.end(), is_digit) ? 1U : 0U;
        name = name || (token.size() > 2 && !std::any_of(token.begin(), token.end(), is_digit));
    }
    return (postcode && name) || (places != 0 && numbers != 0) || places > 1;
}

/// Whether a line of the header tells numbers (of tax, company, telephone), a date or a title, not a place.
[[nodiscard]] inline auto speaks_of_numbers(const printed_line& line) -> bool {
    const detail::line_words in{line.text};
    return line.kind != line_kind::other || holds_date(line.text) || holds_time(line.text) ||
           in.starts(
               {"TEL", "FAX", "PHONE", "EMAIL", "INVOICE", "RECEIPT", "BILL", "CASHIER", "TABLE", "REG", "ROC"}) ||
           in.has({"COREG", "CONO", "COMPANYNO", "COMPANYREG"});
}

/// Finds the header: the lines at the top down to the first amount, and not more than a dozen. The address in it ends
/// where lines speak of other things.
[[nodiscard]] inline auto header_of(const printed_lines& printed) -> receipt_header {
    constexpr std::size_t most = 12;
    receipt_header found;
    bool seen = false;
    bool ended = false;
    std::size_t end = 0;
    for (; end < printed.lines.size() && end < most && !printed.lines[end].has_amounts(); ++end) {
        const auto& line = printed.lines[end];
        if (ended || speaks_of_numbers(line)) {
            ended = ended || seen;
            continue;
        }
        const auto tokens = tokens_of(line.text);
        const auto place_alone = seen && tokens.size() == 1 && is_address_word(tokens.front());
        if (is_address_line(line.text) || place_alone) {
            if (!seen) { found.address_first = end; }
            seen = true;
            found.address_end = end + 1;
        } else if (seen && end > found.address_end) {
            ended = true; // the second line of something else
        }
    }
    found.name_end = seen ? found.address_first : std::min<std::size_t>(end, 3);
    return found;
}

} // namespace receipts
