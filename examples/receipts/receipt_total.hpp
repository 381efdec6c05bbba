#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <receipts/amount_columns.hpp>
#include <receipts/line_kinds.hpp>
#include <receipts/printed_lines.hpp>

namespace receipts {

/// An amount of a receipt, and what speaks for its being the total.
struct total_candidate {
    hundredths amount{};
    double total{};       ///< how plainly a total's line names it
    double final_total{}; ///< … the line of the last of several totals
    double paid{};
    double tax{};
    std::size_t printed{}; ///< how often
    std::size_t larger{};  ///< other amounts
    bool cash_less_change{};
    bool rounded{};
    bool sum{};

    /// More where more speaks for it. The weights are rounded from those that a conditional logit model gives on one
    /// half of a set of receipts; the other half is judged about as well.
    [[nodiscard]] auto score() const -> double {
        auto points = 2.0 * total + 3.0 * final_total + 0.5 * paid - 1.0 * tax;
        if (amount == 0) { points -= 1.0; }
        if (printed > 1) { points += 1.0; }
        if (printed > 2) { points += 0.5; }
        if (cash_less_change) { points += 2.5; }
        if (rounded) { points += 1.5; }
        if (sum) { points += 1.25; }
        if (amount % 5 == 0) { points += 0.75; } // what is paid in cash is rounded
        if (larger == 0) { points += 0.75; }
        points -= 0.4 * static_cast<double>(std::min<std::size_t>(larger, 6));
        return points;
    }

    /// Something speaks for it beyond its size.
    [[nodiscard]] auto has_evidence() const -> bool {
        return total > 0 || final_total > 0 || paid > 0 || printed > 1 || cash_less_change || rounded || sum;
    }

    /// What speaks for it, in words.
    [[nodiscard]] auto reasons() const -> std::string {
        std::string words;
        const auto say = [&words](bool that, std::string_view what) {
            if (!that) { return; }
            if (!words.empty()) { words += ", "; }
            words += what;
        };
        say(final_total > 0 || total > 0, "a line of totals names it");
        say(cash_less_change, "it is cash less change");
        say(rounded, "it is a total rounded");
        say(sum, "amounts above it add up to it");
        say(printed > 1, "it is printed " + std::to_string(printed) + " times");
        say(paid > 0, "it is what was paid");
        if (words.empty()) { return larger == 0 ? "it is the largest amount" : "nothing speaks more for another"; }
        return words;
    }
};

namespace detail {

/// Collects what speaks for each amount.
class total_search {
public:
    explicit total_search(const printed_lines& printed) : printed_{printed} {
        for (const auto& each : printed.amounts) { candidates_.push_back({.amount = each.amount}); }
        std::sort(candidates_.begin(), candidates_.end(),
                  [](const auto& a, const auto& b) { return a.amount < b.amount; });
        candidates_.erase(std::unique(candidates_.begin(), candidates_.end(),
                                      [](const auto& a, const auto& b) { return a.amount == b.amount; }),
                          candidates_.end());
        for (std::size_t i = 0; i < candidates_.size(); ++i) { candidates_[i].larger = candidates_.size() - 1 - i; }
        for (const auto& each : printed.amounts) { ++at(each.amount)->printed; }
    }

    void hear_names() {
        std::vector<hundredths> cash;
        std::vector<hundredths> change;
        std::vector<hundredths> rounding;
        const auto keep = [](double& weight, const named_amount& from) { weight = std::max(weight, from.weight); };
        for (const auto& named : name_amounts(printed_)) {
            auto& candidate = *at(named.amount);
            switch (named.kind) {
                case line_kind::total: keep(candidate.total, named); break;
                case line_kind::final_total: keep(candidate.final_total, named); break;
                case line_kind::cash: keep(candidate.paid, named), cash.push_back(named.amount); break;
                case line_kind::tax: keep(candidate.tax, named); break;
                case line_kind::change: change.push_back(named.amount); break;
                case line_kind::rounding: rounding.push_back(named.amount); break;
                case line_kind::subtotal:
                case line_kind::discount:
                case line_kind::count:
                case line_kind::other: break;
            }
        }
        for (const auto paid : cash) {
            for (const auto back : change) {
                if (back == 0 || back >= paid) { continue; }
                hear_payment(paid - back);
            }
        }
        for (const auto by : rounding) {
            if (by == 0 || by > 9) { continue; }
            for (auto& candidate : candidates_) {
                const auto from_other = at(candidate.amount - by) != nullptr || at(candidate.amount + by) != nullptr;
                if (from_other && candidate.amount != 0 && candidate.amount % 5 == 0) { candidate.rounded = true; }
            }
        }
    }

    /// Finds runs of at least two amounts with their sum printed behind them.
    void hear_sums() {
        constexpr std::size_t longest = 40;
        const auto& amounts = printed_.amounts;
        std::vector<std::size_t> last(candidates_.size());
        for (std::size_t i = 0; i < amounts.size(); ++i) { last[index_of(amounts[i].amount)] = i; }
        const auto most = candidates_.empty() ? 0 : candidates_.back().amount;
        for (std::size_t start = 0; start < amounts.size(); ++start) {
            auto sum = amounts[start].amount;
            for (auto next = start + 1; next < amounts.size() && next - start < longest && sum <= most; ++next) {
                sum += amounts[next].amount;
                auto* total = at(sum);
                if (total != nullptr && sum != 0 && last[index_of(sum)] > next) { total->sum = true; }
            }
        }
    }

    /// The one that most speaks for; of equals the largest. Nothing: the receipt prints no amount.
    [[nodiscard]] auto best() const -> std::optional<total_candidate> {
        const auto found = std::max_element(candidates_.begin(), candidates_.end(), [](const auto& a, const auto& b) {
            return a.score() < b.score() || (a.score() == b.score() && a.amount < b.amount);
        });
        return found == candidates_.end() ? std::nullopt : std::optional{*found};
    }

private:
    /// What was paid in the end is the total, or a total before it was rounded for cash.
    void hear_payment(hundredths kept) {
        constexpr hundredths rounded_by = 4;
        if (auto* total = at(kept)) {
            total->cash_less_change = true;
            return;
        }
        for (auto& candidate : candidates_) {
            const auto named = candidate.total > 0 || candidate.final_total > 0;
            if (named && std::abs(candidate.amount - kept) <= rounded_by) { candidate.cash_less_change = true; }
        }
    }

    [[nodiscard]] auto index_of(hundredths amount) const -> std::size_t {
        const auto found = std::lower_bound(candidates_.begin(), candidates_.end(), amount,
                                            [](const auto& each, hundredths than) { return each.amount < than; });
        return static_cast<std::size_t>(found - candidates_.begin());
    }
    [[nodiscard]] auto at(hundredths amount) -> total_candidate* {
        const auto index = index_of(amount);
        return index < candidates_.size() && candidates_[index].amount == amount ? &candidates_[index] : nullptr;
    }

    const printed_lines& printed_;
    std::vector<total_candidate> candidates_; // ascending
};

} // namespace detail

/// The amount that most speaks for being the receipt's total; nothing where no amount is printed.
///
/// Heard are the words beside the amounts, arithmetic (cash less change, roundings, sums), how often an amount is
/// printed and how large it is; no labels, so that a validator doesn't hear what its own side proposed.
[[nodiscard]] inline auto find_total(const printed_lines& printed) -> std::optional<total_candidate> {
    detail::total_search search{printed};
    search.hear_names();
    search.hear_sums();
    return search.best();
}

} // namespace receipts
