#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <utility>
#include <vector>

#include <receipts/line_kinds.hpp>
#include <receipts/printed_lines.hpp>
#include <receipts/text_match.hpp>

namespace receipts {

/// What an amount is said to be: by words on its own line, or by those that stand in the column beside it.
struct named_amount {
    line_kind kind{line_kind::other};
    hundredths amount{};
    double weight{1.0}; ///< 1: plainly said; less: where names and amounts could be paired otherwise too
};

namespace detail {

using pairing = std::vector<named_amount>;

/// How far the amounts of a pairing bear out their names: cash less change is the total, a rounding is small, ….
[[nodiscard]] inline auto agreement(const pairing& pairs) -> double {
    const auto is_total = [](const named_amount& each) {
        return each.kind == line_kind::total || each.kind == line_kind::final_total;
    };
    constexpr hundredths rounded_by = 4; // in cash, to five hundredths at most
    double found = 0;
    std::vector<hundredths> totals;
    for (const auto& pair : pairs) {
        if (pair.kind == line_kind::rounding) { found += pair.amount < 10 ? 1.0 : -2.0; }
        if (!is_total(pair)) { continue; }
        if (pair.amount == 0) { found -= 2.0; }
        totals.push_back(pair.amount);
    }
    std::sort(totals.begin(), totals.end());
    if (std::adjacent_find(totals.begin(), totals.end()) != totals.end()) { found += 1.0; }
    const auto times = [&totals](hundredths amount) {
        return static_cast<double>(std::count(totals.begin(), totals.end(), amount));
    };
    for (const auto& one : pairs) {
        if (one.kind == line_kind::cash && times(one.amount) != 0) { found += 1.0; }
        for (const auto& other : pairs) {
            if (one.kind == line_kind::cash && other.kind == line_kind::change) {
                const auto paid = one.amount - other.amount;
                const auto near = [paid](hundredths total) {
                    return total != paid && std::abs(total - paid) <= rounded_by;
                };
                found += 3.0 * times(paid) + 2.0 * (std::any_of(totals.begin(), totals.end(), near) ? 1.0 : 0.0);
                if (one.amount > 0 && other.amount >= one.amount) { found -= 2.0; }
            }
            if (one.kind == line_kind::subtotal &&
                (other.kind == line_kind::tax || other.kind == line_kind::rounding)) {
                found += 1.5 * times(one.amount + other.amount);
                if (other.amount != 0) { found += 1.5 * times(one.amount - other.amount); }
            }
        }
    }
    return found;
}

/// Pairs names with the amounts of a column, each name with the amount `ahead` places further down than itself.
[[nodiscard]] inline auto paired(const std::vector<line_kind>& names, const std::vector<hundredths>& column,
                                 std::ptrdiff_t ahead) -> pairing {
    pairing pairs;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto at = static_cast<std::ptrdiff_t>(i) + ahead;
        if (at < 0 || at >= static_cast<std::ptrdiff_t>(column.size())) { continue; }
        pairs.push_back({names[i], column[static_cast<std::size_t>(at)]});
    }
    return pairs;
}

struct best_pairing {
    pairing pairs{};
    double agreed{-1e9};
    bool below{true}; ///< the amounts stand below their names

    void offer(pairing&& others, double agrees, bool are_below) {
        if (agrees <= agreed) { return; }
        pairs = std::move(others);
        agreed = agrees;
        below = are_below;
    }
};

/// Lines between names and amounts that say nothing: marks, currencies, tax codes.
[[nodiscard]] inline auto says_nothing(const printed_line& line) -> bool {
    const auto text = squashed(line.text);
    return text.empty() || text == "RM" || text == "MYR" || text == "SR" || text == "ZR" || text == "ZRL" ||
           text == "S" || text == "R" || text == "AM" || text == "PM";
}

/// Lines of names without amounts, and the columns of amounts around them.
class name_column {
public:
    /// The names from line `at` on; amounts above them from line `free` on are nobody's yet.
    name_column(const printed_lines& printed, std::size_t at, std::size_t free) : printed_{printed} {
        read_names(at);
        for (end_ = next_; end_ < lines().size() && below_.size() < most_amounts; ++end_) {
            if (!read_amount_of(lines()[end_], below_)) { break; }
        }
        while (at > free && above_.size() < most_amounts && read_amount_of(lines()[at - 1], above_)) { --at; }
        std::reverse(above_.begin(), above_.end());
    }

    /// The pairing that agrees best; none without amounts.
    [[nodiscard]] auto best() const -> best_pairing {
        best_pairing best;
        if (names_.size() == 1) {
            if (!below_.empty()) { best.offer(paired(names_, below_, 0), 0.5, true); }
            return best;
        }
        each_pairing(below_, [&](pairing&& pairs, std::ptrdiff_t ahead) {
            auto agrees = agreement(pairs) + 0.3 * static_cast<double>(pairs.size());
            if (ahead != 0) { agrees -= 0.3; }
            if (ahead == 0 && names_.size() == below_.size()) { agrees += 0.5; }
            if (pairs.size() != std::min(names_.size(), below_.size())) { agrees -= 0.5; }
            best.offer(std::move(pairs), agrees, true);
        });
        each_pairing(above_, [&](pairing&& pairs, std::ptrdiff_t) {
            constexpr double least = 2.0; // amounts come below their names as a rule
            const auto agrees = agreement(pairs);
            if (pairs.size() != std::min(names_.size(), above_.size()) || agrees < least) { return; }
            const auto counted = 0.3 * static_cast<double>(pairs.size());
            best.offer(std::move(pairs), agrees + counted - 1.0, false);
        });
        const auto plain = best.agreed >= 2.5;
        const auto weight = plain ? 1.0 : names_.size() == below_.size() ? 0.6 : 0.4;
        for (auto& pair : best.pairs) { pair.weight = weight; }
        return best;
    }

    [[nodiscard]] auto names_end() const noexcept -> std::size_t { return next_; }
    [[nodiscard]] auto amounts_end() const noexcept -> std::size_t { return end_; }

private:
    // No receipt has as many; they bound the time that any text can take.
    static constexpr std::size_t most_names = 32;
    static constexpr std::size_t most_amounts = 128;

    [[nodiscard]] auto lines() const -> const std::vector<printed_line>& { return printed_.lines; }

    void read_names(std::size_t at) {
        constexpr std::size_t patience = 3; // lines of other things between names
        std::size_t others = 0;
        for (next_ = at; next_ < lines().size() && !lines()[next_].has_amounts(); ++next_) {
            if (others == patience || names_.size() == most_names) { return; }
            if (lines()[next_].kind != line_kind::other) {
                names_.push_back(lines()[next_].kind);
                others = 0;
            } else if (!says_nothing(lines()[next_])) {
                ++others;
            }
        }
    }

    /// Takes the line's amount into the column; false where the column ends with it.
    [[nodiscard]] auto read_amount_of(const printed_line& line, std::vector<hundredths>& column) const -> bool {
        if (line.kind != line_kind::other) { return false; }
        if (line.has_amounts()) {
            column.push_back(printed_.amount_of(line));
            return true;
        }
        return says_nothing(line);
    }

    template <class Offer>
    void each_pairing(const std::vector<hundredths>& column, Offer offer) const {
        const auto count = static_cast<std::ptrdiff_t>(names_.size());
        for (auto ahead = 1 - count; ahead < static_cast<std::ptrdiff_t>(column.size()); ++ahead) {
            offer(paired(names_, column, ahead), ahead);
        }
    }

    const printed_lines& printed_;
    std::vector<line_kind> names_{};
    std::vector<hundredths> below_{};
    std::vector<hundredths> above_{};
    std::size_t next_{}; // behind the names
    std::size_t end_{};  // behind the amounts below them
};

} // namespace detail

/// Says of the amounts what the lines name them.
///
/// Scanners list a receipt's columns one after the other: "SUBTOTAL", "CASH", "CHANGE" on three lines and their amounts
/// on the next three, or the amounts first, with gaps. Of the ways to pair such columns the one is taken whose amounts
/// agree best with their names.
[[nodiscard]] inline auto name_amounts(const printed_lines& printed) -> std::vector<named_amount> {
    const auto& lines = printed.lines;
    std::vector<named_amount> named;
    std::size_t free = 0; // from here on amounts have no names yet
    for (std::size_t at = 0; at < lines.size();) {
        if (lines[at].kind == line_kind::other) {
            ++at;
        } else if (lines[at].has_amounts()) {
            named.push_back({lines[at].kind, printed.amount_of(lines[at])});
            free = ++at;
        } else {
            const detail::name_column column{printed, at, free};
            const auto best = column.best();
            named.insert(named.end(), best.pairs.begin(), best.pairs.end());
            const auto taken = !best.pairs.empty() && best.below;
            at = taken ? column.amounts_end() : column.names_end();
            if (taken) { free = at; }
        }
    }
    return named;
}

} // namespace receipts
