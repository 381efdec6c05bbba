#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <receipts/money.hpp>

namespace receipts {

/// What a printed line speaks of, by its words.
enum class line_kind {
    other,
    total,       ///< TOTAL, AMOUNT of all
    final_total, ///< the last of several totals: GRAND, NETT, DUE, PAYABLE, ROUNDED, tax included
    subtotal,    ///< also a total before tax, or of what is taxed at one rate
    tax,
    rounding,
    discount,
    cash, ///< what was paid, and how
    change,
    count, ///< of pieces or kinds
};

namespace detail {

/// The words of a line as capital letters, together and apart.
class line_words {
public:
    explicit line_words(std::string_view text) {
        bool inside = false;
        for (std::size_t at = 0; at < text.size(); ++at) {
            auto c = upper(text[at]);
            if (c == '0' && next_to_letter(text, at)) { c = 'O'; } // T0TAL
            if (c == ' ') { inside = false; }
            if (!is_letter(c)) { continue; }
            if (!inside) { starts_.push_back(letters_.size()); }
            inside = true;
            letters_.push_back(c);
        }
        starts_.push_back(letters_.size());
    }

    using words = std::initializer_list<std::string_view>;

    [[nodiscard]] auto empty() const -> bool { return letters_.empty(); }

    /// One of these stands anywhere, also across words.
    [[nodiscard]] auto has(words any) const -> bool {
        return std::any_of(any.begin(), any.end(),
                           [this](std::string_view each) { return letters_.find(each) != std::string::npos; });
    }

    /// One of these stands within a word: "GST" is not in "HENG STATIONERY".
    [[nodiscard]] auto within(words any) const -> bool {
        return any_word([&](std::string_view word) {
            return std::any_of(any.begin(), any.end(),
                               [word](std::string_view each) { return word.find(each) != std::string_view::npos; });
        });
    }

    /// One of the words starts so.
    [[nodiscard]] auto starts(words any) const -> bool {
        return any_word([&](std::string_view word) {
            return std::any_of(any.begin(), any.end(),
                               [word](std::string_view each) { return word.substr(0, each.size()) == each; });
        });
    }

    /// One of the words is one of these.
    [[nodiscard]] auto is(words any) const -> bool {
        return any_word([&](std::string_view word) { return std::find(any.begin(), any.end(), word) != any.end(); });
    }

private:
    [[nodiscard]] static auto next_to_letter(std::string_view text, std::size_t at) -> bool {
        return (at != 0 && is_letter(text[at - 1])) || (at + 1 < text.size() && is_letter(text[at + 1]));
    }

    template <class Test>
    [[nodiscard]] auto any_word(Test test) const -> bool {
        for (std::size_t i = 0; i + 1 < starts_.size(); ++i) {
            if (test(std::string_view{letters_}.substr(starts_[i], starts_[i + 1] - starts_[i]))) { return true; }
        }
        return false;
    }

    std::string letters_;
    std::vector<std::size_t> starts_; // of the words, and the end
};

} // namespace detail

/// What a line speaks of, in English or Malay. Where it speaks of several things, the one that its amount is.
[[nodiscard]] inline auto kind_of(std::string_view line) -> line_kind {
    const detail::line_words in{line};
    if (in.empty()) { return line_kind::other; }
    if (in.has({"SUBTOT", "SUBTTL"}) || in.is({"SUB", "GROSS"})) { return line_kind::subtotal; }
    const auto service = in.within({"SRV", "SERVICE", "SVC"});
    if ((in.starts({"CHANGE", "CHG"}) || in.is({"BAKI"})) && !service) { return line_kind::change; }
    if (in.has({"INTOTAL", "INCLUDESGST", "INCLUDESTAX", "INCLUDEGST", "INCLUDEDGST", "INCLUDEDTAX", "TOTALINCLUDES",
                "TOTALINCLUDED"})) {
        return line_kind::tax; // the tax in the total
    }
    if (in.within({"ROUND", "RND", "ADJ"}) && !in.is({"GROUND"})) {
        const auto is_total = in.has({"TOTAL", "TTL", "NETT", "AMT", "AMOUNT"}) && !in.has({"ADJ", "ROUNDING"});
        const auto afterwards = in.has({"AFTERROUND", "AFTERADJ", "ATFRND", "AFTRND"});
        return is_total || afterwards ? line_kind::final_total : line_kind::rounding;
    }
    if (in.has({"TOTAL", "TOTL", "IOTAL", "TOTAI", "TOTAT", "OTAL", "JUMLAH", "AMOUNTDUE", "AMTDUE", "PAYABLE",
                "TOBEPAID", "NETAMT", "NETTAMT", "NETAMOUNT", "NETTAMOUNT"}) ||
        in.is({"TTL", "NETT", "NET", "DUE", "PAY"})) {
        if (in.starts({"QTY", "QUANT", "ITEM", "PCS", "COUNT", "UNIT"}) && !in.has({"SALES", "AMT", "AMOUNT"})) {
            return line_kind::count;
        }
        if (in.has({"EXCL", "EXCGST", "EXCTAX", "EXGST", "EXTAX", "BEFORE", "WITHOUT"}) ||
            in.is({"EXC", "EX", "SUPPLIES"})) { // "TOTAL 0% SUPPLIES"
            return line_kind::subtotal;
        }
        if (in.within({"DISC", "SAVING", "SAVED"})) { return line_kind::discount; }
        if (in.has({"GRAND", "DUE", "PAYABLE", "TOBEPAID", "NETT", "NETAMT", "NETAMOUNT", "FINAL", "INCL", "AFTER",
                    "WITHGST", "WITHTAX"}) ||
            in.is({"INC", "NET", "PAY"})) {
            return line_kind::final_total;
        }
        if (in.within({"GST", "TAX", "SST", "VAT"})) { return line_kind::tax; }
        return in.starts({"CASH", "TEND", "PAID", "PAYMENT"}) ? line_kind::cash : line_kind::total;
    }
    if (in.starts({"CASH", "TENDER", "VISA", "MASTER", "PAYMENT", "PAID", "TUNAI", "DEBIT", "AMEX", "RECEIVED",
                   "CREDITCARD"}) &&
        !in.starts({"CASHIER"}) && !in.has({"REFUND", "DETAILS"})) {
        return line_kind::cash;
    }
    if (in.starts({"DISC", "SAVING", "LESS"})) { return line_kind::discount; }
    if (in.within({"GST", "TAX", "SST"}) || (service && in.has({"CH"}))) { return line_kind::tax; }
    return line_kind::other;
}

/// Whether a line is the title of the table of taxes, as it stands below the total: its totals are of that table.
[[nodiscard]] inline auto opens_tax_summary(std::string_view line) -> bool {
    const detail::line_words in{line};
    return in.has({"SUMMARY"}) && in.within({"GST", "TAX", "SST"});
}

} // namespace receipts
