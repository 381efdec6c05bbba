#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <receipts/items.hpp>
#include <receipts/merchant_match.hpp>
#include <receipts/merchant_words.hpp>
#include <receipts/printed_lines.hpp>
#include <receipts/receipt_total.hpp>
#include <receipts/written_forms.hpp>

namespace receipts {

namespace detail {

/// Without what follows a company's form with digits in it, as its number does: "X SDN BHD (1234-T)".
[[nodiscard]] inline auto without_number(std::string_view name) -> std::string_view {
    auto kept = name;
    bool company = false;
    for (const auto token : tokens_of(name)) {
        const auto at = static_cast<std::size_t>(token.data() - name.data());
        const auto bracket = at != 0 && name[at - 1] == '(';
        const auto numbered = digits_of(token).size() > 2;
        if (numbered && (company || bracket)) {
            kept = name.substr(0, at - (bracket ? 1 : 0));
            break;
        }
        company = company || is_trade_word(token);
    }
    while (!kept.empty() && kept.back() == ' ') { kept.remove_suffix(1); }
    return kept;
}

/// Whether one of the last two words is a company's form or trade.
[[nodiscard]] inline auto ends_as_company(std::string_view line) -> bool {
    const auto tokens = tokens_of(without_number(line));
    return !tokens.empty() && (is_trade_word(tokens.back()) || (tokens.size() > 1 && is_trade_word(tokens.end()[-2])));
}

/// Whether a line reads like a name: letters rather than digits, and neither a title nor a contact.
[[nodiscard]] inline auto reads_like_name(const printed_line& line) -> bool {
    const auto text = without_number(line.text);
    const auto letters = std::count_if(text.begin(), text.end(),
                                       [](char c) { return is_letter(c) || static_cast<unsigned char>(c) >= 0x80; });
    const auto digits = std::count_if(text.begin(), text.end(), is_digit);
    if (letters < 3 || digits * 2 > letters || text.find('@') != std::string_view::npos) { return false; }
    const line_words in{text};
    if (in.starts({"WWW", "HTTP", "WELCOME", "THANK", "TQ", "FEEDBACK", "ORDER", "COPY"})) { return false; }
    return !speaks_of_numbers(line) || (line.kind == line_kind::cash && in.is({"CARRY"}));
}

/// The name of the lines at the top: from the first that reads like one to the one that ends as a company's does, where
/// there is one.
[[nodiscard]] inline auto proposed_name(const printed_lines& printed, const receipt_header& header) -> std::string {
    constexpr std::size_t longest = 3;
    const auto& lines = printed.lines;
    const auto end = std::min(lines.size(), std::max<std::size_t>(header.name_end, 1));
    std::size_t first = 0;
    while (first < end && !reads_like_name(lines[first])) { ++first; }
    if (first == end) { return {}; }
    auto last = first;
    const auto before = first + longest;
    for (auto at = first; at < end && at < before && reads_like_name(lines[at]); ++at) {
        if (!ends_as_company(lines[at].text)) { continue; }
        last = at;
        const auto whole = tokens_of(without_number(lines[at].text)).size() > 3;
        if (at != first && whole) { first = at; } // a name by itself: what stands above it is a brand or a person
    }
    std::string name;
    for (auto at = first; at <= last; ++at) {
        if (!name.empty()) { name.push_back(' '); }
        name += without_number(lines[at].text);
    }
    return name;
}

[[nodiscard]] inline auto proposed_address(const printed_lines& printed, const receipt_header& header) -> std::string {
    std::string address;
    for (auto at = header.address_first; at < header.address_end; ++at) {
        if (!address.empty()) { address.push_back(' '); }
        address += printed.lines[at].text;
    }
    return address;
}

/// The telephone number that a text starts with, behind words and marks.
[[nodiscard]] inline auto number_ahead(std::string_view text) -> std::string_view {
    constexpr std::string_view marks = " -()+";
    std::size_t from = 0;
    while (from < text.size() && !is_digit(text[from]) && text[from] != '+') { ++from; }
    auto end = from;
    while (end < text.size() && (is_digit(text[end]) || marks.find(text[end]) != std::string_view::npos)) { ++end; }
    while (end > from && !is_digit(text[end - 1])) { --end; }
    const auto number = text.substr(from, end - from);
    return is_phone(number) ? number : std::string_view{};
}

/// The number behind the first word as "TEL", or else the first line that is nothing but a long one.
[[nodiscard]] inline auto proposed_phone(const printed_lines& printed) -> std::string {
    constexpr std::size_t long_one = 9;
    std::string_view alone;
    for (const auto& line : printed.lines) {
        const std::string_view text{line.text};
        for (const auto token : tokens_of(text)) {
            const line_words in{token};
            if (!in.starts({"TEL", "PHONE", "HP", "MOBILE", "HOTLINE"}) && !in.is({"T"})) { continue; }
            const auto number = number_ahead(text.substr(static_cast<std::size_t>(token.data() - text.data())));
            if (!number.empty()) { return std::string{number}; }
        }
        const auto starts = is_digit(text.front()) || text.front() == '+' || text.front() == '(';
        if (alone.empty() && starts && is_phone(text) && text.find('-') != std::string_view::npos &&
            digits_of(text).size() >= long_one) {
            alone = text;
        }
    }
    return std::string{alone};
}

} // namespace detail

/// What the words of a receipt say of its merchant: a name at the top, the address below it, and a telephone number.
/// What they don't say is empty. Words stand in the order of print.
[[nodiscard]] inline auto propose_metadata(const std::vector<scanned_word>& words) -> scanned_merchant {
    const auto printed = read_lines(words);
    const auto header = header_of(printed);
    scanned_merchant proposed;
    proposed.merchant_name = detail::proposed_name(printed, header);
    proposed.canonical_merchant_name = proposed.merchant_name;
    proposed.address = detail::proposed_address(printed, header);
    proposed.phone_number = detail::proposed_phone(printed);
    return proposed;
}

/// Adds the labels that a receipt's text and its metadata suggest, PENDING and proposed by "rules", to words that have
/// no label of that kind, and gives their number. A second call adds none.
///
/// Where the metadata don't tell a name or an address, the ones that `propose_metadata` reads are used; the receipt's
/// metadata stay as they are.
[[nodiscard]] inline auto propose_labels(scanned_receipt& scanned) -> std::size_t {
    auto merchant = scanned.merchant;
    if (merchant.merchant_name.empty() || merchant.address.empty() || merchant.phone_number.empty()) {
        const auto proposed = propose_metadata(scanned.words);
        if (merchant.merchant_name.empty()) { merchant.merchant_name = proposed.merchant_name; }
        if (merchant.address.empty()) { merchant.address = proposed.address; }
        if (merchant.phone_number.empty()) { merchant.phone_number = proposed.phone_number; }
    }
    const auto printed = read_lines(scanned.words);
    const auto header = header_of(printed);
    const auto total = find_total(printed);
    const auto phone = digits_of(merchant.phone_number);
    std::size_t added = 0;
    const auto add = [&](scanned_word& word, std::string_view label) {
        const auto has = std::any_of(word.labels.begin(), word.labels.end(),
                                     [label](const scanned_label& each) { return each.label == label; });
        if (has) { return; }
        word.labels.push_back({.label = std::string{label}});
        ++added;
    };
    for (std::size_t line = 0; line < printed.lines.size(); ++line) {
        const auto& on = printed.lines[line];
        constexpr std::size_t least_digits = 6;
        for (auto at = on.first; at < on.end; ++at) {
            auto& word = scanned.words[at];
            const auto amount = read_amount(word.text);
            if (amount) {
                const auto is_total = total && total->has_evidence() && *amount == total->amount;
                add(word, is_total ? "GRAND_TOTAL" : "LINE_TOTAL");
                continue;
            }
            if (holds_date(word.text)) { add(word, "DATE"); }
            if (holds_time(word.text)) { add(word, "TIME"); }
            const auto digits = digits_of(word.text);
            if (digits.size() >= least_digits && phone.find(digits) != std::string::npos && is_phone(word.text)) {
                add(word, "PHONE_NUMBER");
            }
            if (squashed(word.text).empty()) { continue; }
            if (line < header.name_end && is_word_of(word.text, merchant.merchant_name)) {
                add(word, "MERCHANT_NAME");
            } else if (line >= header.address_first && line < header.address_end &&
                       is_word_of(word.text, merchant.address)) {
                add(word, "ADDRESS_LINE");
            }
        }
    }
    return added;
}

} // namespace receipts
