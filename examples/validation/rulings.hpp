#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <freshet/core/result.hpp>
#include <freshet/job/batch_steps.hpp>
#include <receipts/items.hpp>
#include <receipts/label_rules.hpp>
#include <receipts/metadata_rules.hpp>
#include <receipts/rulings.hpp>
#include <validation/stored_receipt.hpp>

namespace validation {

/// Who rules on labels and on metadata. Both are called on several threads at once where the table is shareable.
///
/// One that takes long, a model for example, ends before the context's deadline and soon after its stop, with `expired`
/// where it is not done. Rules are done before anybody could ask.
struct validators {
    using context = freshet::work_context;
    using label_rulings = freshet::result<std::vector<receipts::label_ruling>>;

    std::string name{"rules"}; ///< what `validated_by` says
    std::function<label_rulings(const receipts::scanned_receipt&, const context&)> labels{
        [](const receipts::scanned_receipt& scanned, const context&) { return receipts::rule_validator{}(scanned); }};
    std::function<freshet::result<receipts::metadata_ruling>(const receipts::scanned_receipt&, const context&)>
        metadata{[](const receipts::scanned_receipt& scanned, const context&) {
            return receipts::metadata_validator{}(scanned);
        }};
};

/// A receipt, and what the validator says of its labels.
struct ruled_labels {
    stored_receipt receipt;
    std::vector<receipts::label_ruling> rulings; ///< one a label of `receipt.labels`, in that order

    /// The place of the label with this key; nothing where the receipt has none.
    [[nodiscard]] auto find(const freshet::row_key& key) const -> std::optional<std::size_t> {
        const auto& all = receipt.labels;
        const auto at = std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.key == key; });
        return at == all.end() ? std::nullopt : std::optional{static_cast<std::size_t>(at - all.begin())};
    }
};

/// Asks the validator about all labels of a receipt. One that it leaves out, and one whose word the table lacks, is
/// undecided.
[[nodiscard]] inline auto rule_on_labels(stored_receipt receipt, const validators& by,
                                         const freshet::work_context& context) -> freshet::result<ruled_labels> {
    auto rulings = by.labels(receipt.scanned, context);
    if (!rulings) { return std::move(rulings).why(); }
    ruled_labels made{std::move(receipt), {}};
    for (const auto& label : made.receipt.labels) {
        auto& ruling = made.rulings.emplace_back();
        if (!label.word) {
            ruling.why = "the table lacks the word";
            continue;
        }
        const auto said = std::find_if(rulings->begin(), rulings->end(), [&](const receipts::label_ruling& each) {
            return each.word == *label.word && each.label == label.label;
        });
        if (said != rulings->end()) {
            ruling = *said;
        } else {
            ruling.why = "the validator says nothing of it";
        }
    }
    return made;
}

} // namespace validation
