#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/core/result.hpp>
#include <freshet/core/sha256.hpp>
#include <freshet/item/document.hpp>
#include <freshet/key/key_pattern.hpp>
#include <receipts/entities.hpp>
#include <receipts/item_text.hpp>

/// A scanned receipt, and the items that the table keeps of it.
namespace receipts {

struct scanned_label {
    std::string label;
    std::string validation_status{"PENDING"};
    std::string label_proposed_by{"rules"};
    std::string label_consolidated_from{}; ///< empty: it is nobody's successor
};

struct scanned_word {
    std::uint64_t line_id{};
    std::uint64_t word_id{};
    std::string text;
    std::vector<scanned_label> labels{};
};

/// What is not known is empty.
struct scanned_merchant {
    std::string merchant_name;
    std::string canonical_merchant_name;
    std::string merchant_category{"retail"};
    std::string address{};
    std::string phone_number{};
};

struct scanned_receipt {
    std::string image_id;
    std::uint64_t receipt_id{1};
    scanned_merchant merchant{};
    std::vector<scanned_word> words{};
};

/// The keys of an index that a label stands in, by its name and its status.
[[nodiscard]] inline auto label_index_key(std::string_view label) -> std::string {
    return "LABEL#" + std::string{label};
}
[[nodiscard]] inline auto status_index_key(std::string_view status) -> std::string {
    return "VALIDATION_STATUS#" + std::string{status};
}

/// The table's items of a receipt: itself, its metadata, its words and their labels. Fails with the first value that
/// no key can hold.
[[nodiscard]] inline auto items_of(const scanned_receipt& scanned) -> freshet::result<std::vector<freshet::document>> {
    constexpr std::string_view scanned_at = "2025-01-15T10:30:00.000Z";
    std::vector<freshet::document> items;
    const auto partition = image_key::format(scanned.image_id);
    if (!partition) { return partition.why(); }
    const auto add = [&](const freshet::result<std::string>& sort, std::string_view type,
                         auto attributes) -> freshet::result<void> {
        if (!sort) { return sort.why(); }
        item_text item;
        item.text("PK", *partition).text("SK", *sort).text("TYPE", type);
        attributes(item);
        return item.read().transform([&](freshet::document made) { items.push_back(std::move(made)); });
    };

    auto added = add(receipt::sort::format(scanned.receipt_id), receipt::name,
                     [&](item_text& item) { item.number("words", std::to_string(scanned.words.size())); });
    if (!added) { return added.why(); }

    added = add(receipt_metadata::sort::format(scanned.receipt_id), receipt_metadata::name, [&](item_text& item) {
        const auto& merchant = scanned.merchant;
        const auto digest = freshet::hex(freshet::sha256_of(*partition + std::to_string(scanned.receipt_id)));
        item.text("place_id", "ChIJ" + std::string{digest.data(), 23})
            .text_or_null("merchant_name", merchant.merchant_name)
            .text_or_null("canonical_merchant_name", merchant.canonical_merchant_name)
            .text_or_null("address", merchant.address)
            .text_or_null("phone_number", merchant.phone_number)
            .text_or_null("merchant_category", merchant.merchant_category)
            .texts("matched_fields", {"name", "address"})
            .text("validated_by", "PHONE_LOOKUP")
            .text("timestamp", scanned_at)
            .text("reasoning", "matched by name and address");
    });
    if (!added) { return added.why(); }

    for (const auto& word : scanned.words) {
        const auto sort = receipt_word::sort::format(scanned.receipt_id, word.line_id, word.word_id);
        added = add(sort, receipt_word::name, [&](item_text& item) { item.text("text", word.text); });
        if (!added) { return added.why(); }
        for (const auto& label : word.labels) {
            added = add(receipt_word_label::sort::format(scanned.receipt_id, word.line_id, word.word_id, label.label),
                        receipt_word_label::name, [&](item_text& item) {
                            item.text("GSI1PK", label_index_key(label.label))
                                .text("GSI1SK", *partition + "#" + *sort)
                                .text("GSI3PK", status_index_key(label.validation_status))
                                .text("reasoning", "\"" + word.text + "\" looks like " + label.label)
                                .text("timestamp_added", scanned_at)
                                .text("validation_status", label.validation_status)
                                .text_or_null("label_proposed_by", label.label_proposed_by)
                                .text_or_null("label_consolidated_from", label.label_consolidated_from)
                                .number("confidence", "0.90");
                        });
            if (!added) { return added.why(); }
        }
    }
    return items;
}

} // namespace receipts
