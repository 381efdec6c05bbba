#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/backend/row_key.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/item_patch.hpp>
#include <freshet/job/batch_steps.hpp>
#include <receipts/item_text.hpp>
#include <receipts/rulings.hpp>
#include <validation/label_decision.hpp>
#include <validation/listing.hpp>
#include <validation/rulings.hpp>
#include <validation/stored_receipt.hpp>

namespace validation {

/// The `validation_status` of metadata: whether the merchant is the one on the receipt.
///
/// UNSURE is said, not waited in: every round asks about all metadata, so none needs a count of rounds, and it is by
/// this word that a person finds what to look at.
[[nodiscard]] constexpr auto metadata_status(receipts::ruling what) noexcept -> std::string_view {
    return what == receipts::ruling::valid ? "MATCHED" : what == receipts::ruling::invalid ? "NO_MATCH" : "UNSURE";
}

namespace detail {

[[nodiscard]] inline auto texts_in(const freshet::document& item, std::string_view name) -> std::vector<std::string> {
    std::vector<std::string> all;
    const auto found = item.image().find(name);
    if (!found || found->type() != freshet::attribute_type::string_set) { return all; }
    for (const auto each : *found) { all.emplace_back(each.text()); }
    std::sort(all.begin(), all.end());
    return all;
}

} // namespace detail

/// Writes a ruling on metadata into its item, unless it says so already, or somebody else decided on it or changed it
/// meanwhile.
template <class Table>
[[nodiscard]] auto write_metadata(Table& table, const freshet::document& seen, const receipts::metadata_ruling& ruling,
                                  const ruling_facts& facts, freshet::apply_counts& counts) -> freshet::result<void> {
    if (is_ruled_by_others(seen, facts.validator)) { return {}; }
    auto matched = ruling.matched_fields;
    std::sort(matched.begin(), matched.end());
    const auto status_then = metadata_status(ruling.what);
    const bool changed = text_in(seen, "validation_status") != status_then;
    const auto count = [&] {
        ++(ruling.what == receipts::ruling::undecided ? counts.undecided : counts.validated);
        counts.updated += changed && ruling.what != receipts::ruling::undecided ? 1 : 0;
    };
    if (!changed && text_in(seen, "reasoning") == ruling.why && detail::texts_in(seen, "matched_fields") == matched) {
        return count(), freshet::result<void>{};
    }
    receipts::item_text set;
    set.text("validation_status", status_then)
        .text_or_null("reasoning", ruling.why)
        .text("validated_by", facts.validator)
        .text("validated_at", instant_text(facts.round));
    std::vector<std::string> remove;
    if (matched.empty()) {
        remove.emplace_back("matched_fields");
    } // a set has an element
    else {
        set.texts("matched_fields", matched);
    }
    auto values = set.read();
    if (!values) { return std::move(values).why(); }
    auto written = table.update(key_in(seen), {*std::move(values), std::move(remove)},
                                freshet::write_condition<freshet::document>::if_unchanged(seen));
    if (!written && written.why().code == freshet::errc::conflict) {
        return ++counts.conflicts, freshet::result<void>{};
    }
    if (written) { count(); }
    return written;
}

/// A receipt, and what the validator says of its metadata.
struct ruled_metadata {
    stored_receipt receipt;
    receipts::metadata_ruling ruling;
};

/// The job of metadata, as `freshet::batch_steps`: all of it, each time anew, but for what somebody else decided. A
/// group is a receipt.
///
/// Where a ruling cannot be had, the metadata stays as it is. Borrows table and validators.
template <class Table>
class metadata_steps {
public:
    using item_type = freshet::row_key;
    using group_type = freshet::item_group<item_type>;

    metadata_steps(Table& items, const validators& by) : table_{&items}, by_{&by} {}

    [[nodiscard]] auto list(const freshet::page_request& request) -> freshet::result<key_page> {
        return all_of<receipts::receipt_metadata>(*table_, request);
    }
    [[nodiscard]] auto group_of(const freshet::row_key& key) const -> std::string { return validation::group_of(key); }

    [[nodiscard]] auto work(const group_type& group, const freshet::work_context& context)
        -> freshet::result<ruled_metadata> {
        const auto name = receipt_of(group.items.front());
        if (!name) { return no_receipt(group.key); }
        auto receipt = read_receipt(*table_, *name);
        if (!receipt) { return std::move(receipt).why(); }
        auto ruling = by_->metadata(receipt->scanned, context);
        if (!ruling) { return std::move(ruling).why(); }
        return ruled_metadata{*std::move(receipt), *std::move(ruling)};
    }

    [[nodiscard]] auto apply(const group_type&, const ruled_metadata& ruled, const freshet::apply_context& context)
        -> freshet::result<freshet::apply_counts> {
        freshet::apply_counts counts;
        if (!ruled.receipt.metadata) { return ++counts.conflicts, counts; } // somebody removed it since
        auto written = write_metadata(*table_, *ruled.receipt.metadata, ruled.ruling,
                                      {by_->name, context.round, context.most_undecided}, counts);
        if (!written) { return std::move(written).why(); }
        return counts;
    }

    [[nodiscard]] auto set_aside(const group_type&, const freshet::error&, const freshet::apply_context&)
        -> freshet::result<freshet::apply_counts> {
        return freshet::apply_counts{};
    }

    /// The metadata of the receipt, for those who take its dead letter up again; none where somebody has taken it away.
    [[nodiscard]] auto load(std::string_view group) -> freshet::result<std::vector<freshet::row_key>> {
        const auto name = receipt_of(key_of_group(group));
        if (!name) { return load_stranger(*table_, group); }
        const auto receipt = read_stored(*table_, *name);
        if (!receipt) { return receipt.why(); }
        std::vector<freshet::row_key> keys;
        if (receipt->metadata) { keys.push_back(key_in(*receipt->metadata)); }
        return keys;
    }

private:
    Table* table_;
    const validators* by_;
};

} // namespace validation
