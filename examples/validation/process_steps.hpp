#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/backend/row_key.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <freshet/job/batch_steps.hpp>
#include <receipts/entities.hpp>
#include <receipts/items.hpp>
#include <receipts/proposals.hpp>
#include <validation/label_decision.hpp>
#include <validation/label_steps.hpp>
#include <validation/listing.hpp>
#include <validation/metadata_steps.hpp>
#include <validation/rulings.hpp>
#include <validation/stored_receipt.hpp>

namespace validation {

/// A receipt with the metadata and the labels that it lacked, and what the validators say of all of them.
struct processed_receipt {
    std::vector<freshet::document> created; ///< not in the table yet
    ruled_labels labels;
    receipts::metadata_ruling metadata;
};

/// Adds to a receipt what the table has none of: its metadata, and labels of words that have none of that kind. Gives
/// the new items.
[[nodiscard]] inline auto complete(stored_receipt& receipt) -> freshet::result<std::vector<freshet::document>> {
    auto& scanned = receipt.scanned;
    const bool new_metadata = !receipt.metadata;
    if (new_metadata) { scanned.merchant = receipts::propose_metadata(scanned.words); }
    static_cast<void>(receipts::propose_labels(scanned));
    auto items = receipts::items_of(scanned);
    if (!items) { return items; }
    std::set<std::string> known;
    for (const auto& label : receipt.labels) { known.insert(label.key.sort); }
    std::vector<freshet::document> created;
    for (auto& item : *items) {
        auto key = key_in(item);
        const std::string_view sort = key.sort;
        if (new_metadata && receipts::receipt_metadata::sort::parse(sort)) {
            receipt.metadata = freshet::document::parse(std::string{item.text()}).value_or(freshet::document{});
            created.push_back(std::move(item));
            continue;
        }
        const auto label = receipts::receipt_word_label::sort::parse(sort);
        if (!label || known.contains(key.sort)) { continue; }
        const auto& words = scanned.words;
        const auto word = std::find_if(words.begin(), words.end(), [&](const receipts::scanned_word& each) {
            return each.line_id == label->get<"line_id">() && each.word_id == label->get<"word_id">();
        });
        const auto& of_word = word->labels;
        const auto at = std::find_if(of_word.begin(), of_word.end(), [&](const receipts::scanned_label& each) {
            return each.label == label->get<"label">();
        });
        auto copy = freshet::document::parse(std::string{item.text()});
        if (!copy) { return std::move(copy).why(); }
        receipt.labels.push_back({std::move(key), static_cast<std::size_t>(word - words.begin()),
                                  static_cast<std::size_t>(at - of_word.begin()), *std::move(copy)});
        created.push_back(std::move(item));
    }
    return created;
}

/// The job of whole receipts, as `freshet::batch_steps`: makes the metadata and the labels that are missing, then rules
/// on the metadata and on PENDING labels, as the two jobs of these do. A group is a receipt.
///
/// Which receipts there are is asked of `list`; new ones and old ones are processed alike. Borrows table and
/// validators.
template <class Table>
class process_steps {
public:
    using item_type = freshet::row_key;
    using group_type = freshet::item_group<item_type>;
    using lister = std::function<freshet::result<key_page>(const freshet::page_request&)>; ///< keys of receipts

    process_steps(Table& items, const validators& by, lister receipts)
        : table_{&items}, by_{&by}, receipts_{std::move(receipts)} {}

    [[nodiscard]] auto list(const freshet::page_request& request) -> freshet::result<key_page> {
        return receipts_(request);
    }
    [[nodiscard]] auto group_of(const freshet::row_key& key) const -> std::string { return validation::group_of(key); }

    [[nodiscard]] auto work(const group_type& group, const freshet::work_context& context)
        -> freshet::result<processed_receipt> {
        const auto name = receipt_of(group.items.front());
        if (!name) { return no_receipt(group.key); }
        auto receipt = read_receipt(*table_, *name);
        if (!receipt) { return std::move(receipt).why(); }
        auto created = complete(*receipt);
        if (!created) { return std::move(created).why(); }
        auto metadata = by_->metadata(receipt->scanned, context);
        if (!metadata) { return std::move(metadata).why(); }
        auto labels = rule_on_labels(*std::move(receipt), *by_, context);
        if (!labels) { return std::move(labels).why(); }
        return processed_receipt{*std::move(created), *std::move(labels), *std::move(metadata)};
    }

    [[nodiscard]] auto apply(const group_type&, const processed_receipt& made, const freshet::apply_context& context)
        -> freshet::result<freshet::apply_counts> {
        freshet::apply_counts counts;
        const ruling_facts facts{by_->name, context.round, context.most_undecided};
        std::map<freshet::row_key, freshet::document> ours; // an earlier try of this round made and ruled on these
        std::set<freshet::row_key> others;
        for (const auto& item : made.created) {
            auto put = table_->put(item, freshet::write_condition<freshet::document>::if_absent());
            if (put) { continue; }
            if (put.why().code != freshet::errc::conflict) { return std::move(put).why(); }
            auto key = key_in(item);
            auto there = table_->get(key);
            if (!there) { return std::move(there).why(); }
            if (*there && is_ruled(**there, facts)) {
                ours.emplace(std::move(key), **std::move(there));
            } else {
                ++counts.conflicts;
                others.insert(std::move(key));
            }
        }
        const auto seen = [&](const freshet::row_key& key, const freshet::document& read) -> const freshet::document& {
            const auto found = ours.find(key);
            return found == ours.end() ? read : found->second;
        };
        const auto& receipt = made.labels.receipt;
        if (const auto key = key_in(*receipt.metadata); !others.contains(key)) {
            auto written = write_metadata(*table_, seen(key, *receipt.metadata), made.metadata, facts, counts);
            if (!written) { return std::move(written).why(); }
        }
        for (std::size_t i = 0; i < receipt.labels.size(); ++i) {
            const auto& label = receipt.labels[i];
            if (text_in(label.seen, "validation_status") != status::pending || others.contains(label.key)) { continue; }
            auto written = write_label(*table_, label.key, seen(label.key, label.seen), made.labels.rulings[i],
                                       label_pass::first, facts, counts);
            if (!written) { return std::move(written).why(); }
        }
        return counts;
    }

    /// Its PENDING labels wait for the job that is theirs; this one asks about every receipt again in the next round.
    [[nodiscard]] auto set_aside(const group_type&, const freshet::error&, const freshet::apply_context&)
        -> freshet::result<freshet::apply_counts> {
        return freshet::apply_counts{};
    }

    /// The receipt, for those who take its dead letter up again; none where somebody has taken it away.
    [[nodiscard]] auto load(std::string_view group) -> freshet::result<std::vector<freshet::row_key>> {
        auto key = key_of_group(group);
        const auto there = table_->get(key);
        if (!there) { return there.why(); }
        return *there ? std::vector{std::move(key)} : std::vector<freshet::row_key>{};
    }

private:
    Table* table_;
    const validators* by_;
    lister receipts_;
};

} // namespace validation
