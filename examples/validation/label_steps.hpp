#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/backend/row_key.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/job/batch_steps.hpp>
#include <validation/label_decision.hpp>
#include <validation/listing.hpp>
#include <validation/rulings.hpp>
#include <validation/stored_receipt.hpp>

namespace validation {

/// Writes what a ruling makes of one label, unless somebody else changed it meanwhile.
template <class Table>
[[nodiscard]] auto write_label(Table& table, const freshet::row_key& key, const freshet::document& seen,
                               const receipts::label_ruling& ruling, label_pass pass, const ruling_facts& facts,
                               freshet::apply_counts& counts) -> freshet::result<void> {
    const auto decision = decide_label(seen, ruling.what, ruling.why, pass, facts);
    if (!decision) { return decision.why(); }
    if (decision->patch) {
        auto written =
            table.update(key, *decision->patch, freshet::write_condition<freshet::document>::if_unchanged(seen));
        if (!written && written.why().code == freshet::errc::conflict) { return ++counts.conflicts, written = {}; }
        if (!written) { return written; }
    }
    switch (decision->outcome) {
        case label_outcome::kept:
            if (ruling.what != receipts::ruling::undecided && !is_ruled_by_others(seen, facts.validator)) {
                ++counts.validated;
            }
            break;
        case label_outcome::decided: ++counts.validated, ++counts.updated; break;
        case label_outcome::undecided: ++counts.undecided; break;
        case label_outcome::needs_review: ++counts.needs_review; break;
    }
    return {};
}

/// The job of labels, as `freshet::batch_steps`: PENDING ones on the first pass, and all others on the second. A group
/// is a receipt.
///
/// A label whose status changed between the listing and the reading is left as it is and counted as a conflict. What
/// the index holds and is no label of a receipt fails, and is told of in a dead letter; it is not this job's to change,
/// so that is told in every round until somebody takes it away. Borrows table and validators.
template <class Table>
class label_steps {
public:
    using item_type = freshet::row_key;
    using group_type = freshet::item_group<item_type>;

    label_steps(Table& items, const validators& by, label_pass pass) : table_{&items}, by_{&by}, pass_{pass} {}

    [[nodiscard]] auto list(const freshet::page_request& request) -> freshet::result<key_page> {
        constexpr std::array first{status::pending};
        constexpr std::array again{status::valid, status::invalid, status::needs_review};
        return pass_ == label_pass::first ? labels_with(*table_, first, request) : labels_with(*table_, again, request);
    }
    [[nodiscard]] auto group_of(const freshet::row_key& key) const -> std::string { return validation::group_of(key); }

    [[nodiscard]] auto work(const group_type& group, const freshet::work_context& context)
        -> freshet::result<ruled_labels> {
        const auto name = receipt_of(group.items.front());
        if (!name) { return no_receipt(group.key); }
        auto receipt = read_receipt(*table_, *name);
        if (!receipt) { return std::move(receipt).why(); }
        return rule_on_labels(*std::move(receipt), *by_, context);
    }

    [[nodiscard]] auto apply(const group_type& group, const ruled_labels& ruled, const freshet::apply_context& context)
        -> freshet::result<freshet::apply_counts> {
        freshet::apply_counts counts;
        for (const auto& key : group.items) {
            const auto at = ruled.find(key);
            if (!at || !is_of_pass(ruled.receipt.labels[*at].seen, pass_, by_->name)) {
                ++counts.conflicts;
                continue;
            }
            auto written = write_label(*table_, key, ruled.receipt.labels[*at].seen, ruled.rulings[*at], pass_,
                                       {by_->name, context.round, context.most_undecided}, counts);
            if (!written) { return std::move(written).why(); }
        }
        return counts;
    }

    /// One more undecided run for PENDING labels; others stay as they are.
    [[nodiscard]] auto set_aside(const group_type& group, const freshet::error& why,
                                 const freshet::apply_context& context) -> freshet::result<freshet::apply_counts> {
        freshet::apply_counts counts;
        if (pass_ == label_pass::again) { return counts; }
        for (const auto& key : group.items) {
            const auto seen = table_->get(key);
            if (!seen) { return seen.why(); }
            const std::string_view sort = key.sort;
            if (!*seen || !receipts::receipt_word_label::sort::parse(sort)) { continue; }
            auto written = write_label(
                *table_, key, **seen, {0, 0, receipts::ruling::undecided, "no ruling: " + freshet::printable(why.note)},
                pass_, {by_->name, context.round, context.most_undecided}, counts);
            if (!written) { return std::move(written).why(); }
        }
        return counts;
    }

    /// The labels of the receipt that this pass is about, for those who take its dead letter up again; none where
    /// somebody has taken them away.
    [[nodiscard]] auto load(std::string_view group) -> freshet::result<std::vector<freshet::row_key>> {
        const auto name = receipt_of(key_of_group(group));
        if (!name) { return load_stranger(*table_, group); }
        const auto receipt = read_stored(*table_, *name);
        if (!receipt) { return receipt.why(); }
        std::vector<freshet::row_key> keys;
        for (const auto& label : receipt->labels) {
            if (is_of_pass(label.seen, pass_, by_->name)) { keys.push_back(label.key); }
        }
        return keys;
    }

private:
    Table* table_;
    const validators* by_;
    label_pass pass_;
};

} // namespace validation
