#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <receipts/items.hpp>
#include <receipts/merchant_match.hpp>
#include <receipts/money.hpp>
#include <receipts/printed_lines.hpp>
#include <receipts/receipt_total.hpp>
#include <receipts/rulings.hpp>
#include <receipts/written_forms.hpp>

namespace receipts {

namespace detail {

/// The rules, over one receipt. Each kind of label has one.
class receipt_rules {
public:
    explicit receipt_rules(const scanned_receipt& scanned)
        : scanned_{scanned},
          printed_{read_lines(scanned.words)},
          total_{find_total(printed_)},
          header_{header_of(printed_)} {}

    struct verdict {
        ruling what{ruling::undecided};
        std::string why{};
    };

    [[nodiscard]] auto judge(std::string_view label, std::size_t line, std::size_t word) -> verdict {
        const auto& text = scanned_.words[word].text;
        if (label == "GRAND_TOTAL") { return grand_total(text); }
        if (label == "LINE_TOTAL") { return line_total(text); }
        if (label == "DATE") { return form(text, line, word, holds_date, "date"); }
        if (label == "TIME") { return time(text, line, word); }
        if (label == "PHONE_NUMBER") { return phone(text, line, word); }
        if (label == "MERCHANT_NAME") { return name(text, line); }
        if (label == "ADDRESS_LINE") { return address(text, line); }
        return {ruling::undecided, "there is no rule for " + std::string{label}};
    }

    [[nodiscard]] auto lines() const -> const std::vector<printed_line>& { return printed_.lines; }

private:
    [[nodiscard]] static auto quoted(std::string_view text) -> std::string { return '"' + std::string{text} + '"'; }

    [[nodiscard]] auto grand_total(std::string_view text) const -> verdict {
        if (!total_) { return {ruling::undecided, "no amount is printed"}; }
        const auto amount = read_amount(text);
        const auto total = amount_text(total_->amount);
        const auto same = amount ? *amount == total_->amount
                                 : carries_decimals(text) && text.find('%') == std::string_view::npos &&
                                       digits_of(text) == digits_of(total);
        if (!amount && !same) { return {ruling::invalid, quoted(text) + " is no amount"}; }
        if (!total_->has_evidence()) { return {ruling::undecided, "nothing tells which amount is the total"}; }
        if (same) { return {ruling::valid, total + " is the total: " + total_->reasons()}; }
        return {ruling::invalid, "the total is " + total + ": " + total_->reasons()};
    }

    [[nodiscard]] static auto line_total(std::string_view text) -> verdict {
        const auto amount = read_amount(text).has_value();
        if (amount || (carries_decimals(text) && !holds_date(text) && !holds_time(text))) {
            return {ruling::valid, quoted(text) + " is an amount"};
        }
        constexpr std::size_t most_digits = 6;
        const auto whole = std::all_of(text.begin(), text.end(), is_digit) && text.size() <= most_digits;
        if (whole) { return {ruling::undecided, quoted(text) + " may be an amount or a count"}; }
        return {ruling::invalid, quoted(text) + " is no amount"};
    }

    /// The words [first, end) of a line, with a space between them.
    [[nodiscard]] auto joined(std::size_t first, std::size_t end) const -> std::string {
        std::string text = scanned_.words[first].text;
        for (auto word = first + 1; word < end; ++word) { (text += ' ') += scanned_.words[word].text; }
        return text;
    }

    /// Whether the word is needed in a run of words of its line that `holds` is true for: "24" in "24 MAR 18".
    template <class Holds>
    [[nodiscard]] auto is_part(std::size_t line, std::size_t word, Holds holds) const -> bool {
        constexpr std::size_t longest = 5;
        const auto& on = printed_.lines[line];
        const auto first = word >= on.first + longest - 1 ? word - (longest - 1) : on.first;
        for (auto from = first; from <= word; ++from) {
            for (auto end = std::max(word + 1, from + 2); end <= std::min(on.end, from + longest); ++end) {
                const auto needed =
                    holds(joined(from, end)) && !holds(joined(from + 1, end)) && !holds(joined(from, end - 1));
                if (needed) { return true; }
            }
        }
        return false;
    }

    template <class Holds>
    [[nodiscard]] auto form(std::string_view text, std::size_t line, std::size_t word, Holds holds,
                            std::string_view what) const -> verdict {
        if (holds(text)) { return {ruling::valid, quoted(text) + " is a " + std::string{what}}; }
        if (is_part(line, word, holds)) {
            return {ruling::valid, quoted(text) + " is part of the " + std::string{what} + " on its line"};
        }
        return {ruling::invalid, quoted(text) + " is no " + std::string{what}};
    }

    [[nodiscard]] auto time(std::string_view text, std::size_t line, std::size_t word) const -> verdict {
        const auto letters = squashed(text);
        if ((letters == "AM" || letters == "PM") && word > printed_.lines[line].first &&
            holds_time(scanned_.words[word - 1].text)) {
            return {ruling::valid, quoted(text) + " belongs to the time ahead of it"};
        }
        return form(text, line, word, holds_time, "time");
    }

    [[nodiscard]] auto phone(std::string_view text, std::size_t line, std::size_t word) const -> verdict {
        constexpr std::size_t telling = 4;
        const auto digits = digits_of(text);
        if (digits.size() >= telling && digits_of(scanned_.merchant.phone_number).find(digits) != std::string::npos) {
            return {ruling::valid, quoted(text) + " is of the merchant's number"};
        }
        const auto& on = printed_.lines[line];
        const line_words ahead{joined(on.first, word + 1)};
        const auto speaks = ahead.starts({"TEL", "PHONE", "FAX", "HP", "CALL", "HOTLINE", "MOBILE", "CARELINE"}) ||
                            ahead.is({"T", "F", "H"});
        if (!speaks && ahead.starts({"GST", "TAX", "REG", "INV", "DOC", "BILL", "RECEIPT", "SLIP", "TRANS"})) {
            return {ruling::invalid, "the line speaks of another number"};
        }
        if (is_phone(text)) { return {ruling::valid, quoted(text) + " is a telephone number"}; }
        const auto of_number = [this](std::size_t at) {
            const auto& each = scanned_.words[at].text;
            return std::all_of(each.begin(), each.end(), [](char c) { return !is_letter(c) && c != ':'; });
        };
        auto first = word;
        while (first > on.first && of_number(first - 1)) { --first; }
        auto end = word + 1;
        while (end < on.end && of_number(end)) { ++end; }
        if (!digits.empty() && of_number(word) && is_phone(joined(first, end))) {
            return {ruling::valid, quoted(text) + " is part of the telephone number on its line"};
        }
        return {ruling::invalid, quoted(text) + " is no telephone number"};
    }

    /// What words of another kind are, whatever stands around them; empty: nothing plain.
    [[nodiscard]] static auto plainly_other(std::string_view text) -> std::string_view {
        if (read_amount(text) || text.find('%') != std::string_view::npos) { return "an amount"; }
        if (holds_date(text)) { return "a date"; }
        if (holds_time(text)) { return "a time"; }
        return {};
    }

    [[nodiscard]] auto text() -> const searchable_text& {
        if (!text_) { text_.emplace(printed_); }
        return *text_;
    }

    [[nodiscard]] auto name(std::string_view word, std::size_t line) -> verdict {
        const auto& merchant = scanned_.merchant;
        if (is_word_of(word, merchant.merchant_name) || is_word_of(word, merchant.canonical_merchant_name)) {
            return {ruling::valid, quoted(word) + " is of the merchant's name"};
        }
        return by_place(word, line < header_.name_end, "name",
                        [&] { return share_printed(merchant.merchant_name, text(), is_trade_word); });
    }

    [[nodiscard]] auto address(std::string_view word, std::size_t line) -> verdict {
        const auto& merchant = scanned_.merchant;
        if (is_word_of(word, merchant.address)) { return {ruling::valid, quoted(word) + " is of the address"}; }
        return by_place(word, line >= header_.address_first && line < header_.address_end, "address",
                        [&] { return share_printed(merchant.address, text(), is_address_word); });
    }

    /// For words that the metadata don't know: where those are borne out by the text, the word is of something else;
    /// else its place tells.
    template <class Share>
    [[nodiscard]] auto by_place(std::string_view word, bool in_place, const std::string& of, Share share) -> verdict {
        constexpr double borne_out = 0.6;
        if (const auto other = plainly_other(word); !other.empty()) {
            return {ruling::invalid, quoted(word) + " is " + std::string{other}};
        }
        if (!in_place) { return {ruling::invalid, quoted(word) + " is not of the " + of + " and stands elsewhere"}; }
        if (squashed(word).empty()) { return {ruling::undecided, quoted(word) + " says nothing"}; }
        if (share() >= borne_out) {
            return {ruling::invalid, quoted(word) + " is not of the " + of + ", which the text bears out"};
        }
        return {ruling::valid, quoted(word) + " stands where the " + of + " is printed"};
    }

    const scanned_receipt& scanned_;
    printed_lines printed_;
    std::optional<total_candidate> total_;
    receipt_header header_;
    std::optional<searchable_text> text_{}; // made when a rule asks for it
};

} // namespace detail

/// Rules on every label of a receipt by the receipt's own text and its metadata.
///
/// Words stand in the order of print. No other label and nobody's status is evidence: a label is judged alike whatever
/// else is proposed, and a job that asks again doesn't hear itself.
struct rule_validator {
    [[nodiscard]] auto operator()(const scanned_receipt& scanned) const -> std::vector<label_ruling> {
        detail::receipt_rules rules{scanned};
        std::vector<label_ruling> rulings;
        for (std::size_t line = 0; line < rules.lines().size(); ++line) {
            const auto& on = rules.lines()[line];
            for (auto word = on.first; word < on.end; ++word) {
                const auto& labels = scanned.words[word].labels;
                for (std::size_t label = 0; label < labels.size(); ++label) {
                    auto [what, why] = rules.judge(labels[label].label, line, word);
                    rulings.push_back({word, label, what, std::move(why)});
                }
            }
        }
        return rulings;
    }
};

static_assert(label_validator<rule_validator>);

} // namespace receipts
