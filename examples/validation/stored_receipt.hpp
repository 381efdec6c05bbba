#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/backend/row_key.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <receipts/entities.hpp>
#include <receipts/items.hpp>

namespace validation {

/// The characters of an item's text attribute; empty where it has none of that name and type.
[[nodiscard]] inline auto text_in(const freshet::document& item, std::string_view name) -> std::string_view {
    const auto found = item.image().find(name);
    return found && found->type() == freshet::attribute_type::string ? found->text() : std::string_view{};
}

/// The key of an item of the receipts table.
[[nodiscard]] inline auto key_in(const freshet::document& item) -> freshet::row_key {
    return {std::string{text_in(item, "PK")}, std::string{text_in(item, "SK")}};
}

/// Which receipt.
struct receipt_name {
    std::string image_id;
    std::uint64_t receipt_id{};

    /// As a person reads it.
    [[nodiscard]] auto text() const -> std::string {
        return "receipt " + std::to_string(receipt_id) + " of image " + freshet::printable(image_id);
    }
};

/// The receipt that an item belongs to, by its key; nothing where that is none of a receipt.
[[nodiscard]] inline auto receipt_of(const freshet::row_key& key) -> std::optional<receipt_name> {
    const auto image = receipts::image_key::parse(key.partition);
    const auto own = std::string_view{key.sort}.substr(0, key.sort.find('#', key.sort.find('#') + 1));
    const auto receipt = receipts::receipt::sort::parse(own);
    if (!image || !receipt) { return std::nullopt; }
    return receipt_name{std::string{image->get<"image_id">()}, receipt->get<"receipt_id">()};
}

/// What groups the items of one receipt: the key of the receipt's own item, as text. What is no item of a receipt is
/// in no such group.
[[nodiscard]] inline auto group_of(const freshet::row_key& key) -> std::string {
    const auto second = key.sort.find('#', key.sort.find('#') + 1);
    return key.partition + '/' + (receipt_of(key) ? key.sort.substr(0, second) : key.sort);
}
/// The key that the text of a group stands for.
[[nodiscard]] inline auto key_of_group(std::string_view group) -> freshet::row_key {
    const auto end = std::min(group.find('/'), group.size());
    return {std::string{group.substr(0, end)}, std::string{group.substr(std::min(end + 1, group.size()))}};
}

[[nodiscard]] inline auto no_receipt(std::string_view group) -> freshet::error {
    return {freshet::errc::malformed, freshet::printable(group) + ": is no receipt"};
}

/// A label as the table has it.
struct stored_label {
    freshet::row_key key;
    std::optional<std::size_t> word{}; ///< of the receipt's words; absent: the table lacks the word
    std::size_t label{};               ///< of the word's labels
    freshet::document seen;            ///< for `if_unchanged`
};

/// A receipt as the table has it.
///
/// A status that a validator gave is shown as PENDING in `scanned`: a validator must not hear itself, and a run that
/// goes on where another one was killed judges what that one judged.
struct stored_receipt {
    receipts::scanned_receipt scanned;
    std::optional<freshet::document> metadata{};
    std::vector<stored_label> labels{}; ///< in the order of their keys
};

namespace detail {

[[nodiscard]] inline auto merchant_in(const freshet::document& metadata) -> receipts::scanned_merchant {
    const auto text = [&](std::string_view name) { return std::string{text_in(metadata, name)}; };
    return {text("merchant_name"), text("canonical_merchant_name"), text("merchant_category"), text("address"),
            text("phone_number")};
}

[[nodiscard]] inline auto label_in(const freshet::document& item, std::string_view label) -> receipts::scanned_label {
    const auto text = [&](std::string_view name) { return std::string{text_in(item, name)}; };
    const bool judged = !text_in(item, "validated_by").empty();
    return {std::string{label}, judged ? "PENDING" : text("validation_status"), text("label_proposed_by"),
            text("label_consolidated_from")};
}

} // namespace detail

/// What a table of items has of a receipt, which may be nothing.
template <class Table>
[[nodiscard]] auto read_stored(Table& table, const receipt_name& name) -> freshet::result<stored_receipt> {
    const auto partition = receipts::image_key::format(name.image_id);
    if (!partition) { return partition.why(); }
    const auto own = receipts::receipt::sort::format(name.receipt_id);
    if (!own) { return own.why(); }

    stored_receipt read;
    read.scanned.image_id = name.image_id;
    read.scanned.receipt_id = name.receipt_id;
    read.scanned.merchant = {};
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::size_t> places; // of words, by line and word
    freshet::page_request request;
    do {
        auto page = table.query({.index = {}, .partition = *partition, .sort_prefix = *own}, request);
        if (!page) { return std::move(page).why(); }
        for (auto& item : page->rows) {
            const auto sort = text_in(item, "SK");
            const auto is_own = [&](const auto& fields) {
                return fields && fields->template get<"receipt_id">() == name.receipt_id;
            };
            if (const auto word = receipts::receipt_word::sort::parse(sort); is_own(word)) {
                const auto line_id = word->template get<"line_id">();
                const auto word_id = word->template get<"word_id">();
                places.emplace(std::pair{line_id, word_id}, read.scanned.words.size());
                read.scanned.words.push_back({line_id, word_id, std::string{text_in(item, "text")}});
            } else if (const auto label = receipts::receipt_word_label::sort::parse(sort); is_own(label)) {
                auto key = key_in(item);
                read.labels.push_back({std::move(key), {}, {}, std::move(item)});
            } else if (is_own(receipts::receipt_metadata::sort::parse(sort))) {
                read.scanned.merchant = detail::merchant_in(item);
                read.metadata = std::move(item);
            }
        }
        request.from = std::move(page->next);
    } while (request.from);
    for (auto& each : read.labels) {
        const auto fields = receipts::receipt_word_label::sort::parse(each.key.sort);
        const auto at = places.find({fields->get<"line_id">(), fields->get<"word_id">()});
        if (at == places.end()) { continue; }
        auto& labels = read.scanned.words[at->second].labels;
        each.word = at->second;
        each.label = labels.size();
        labels.push_back(detail::label_in(each.seen, fields->get<"label">()));
    }
    return read;
}

/// Reads a receipt from a table of items; `malformed` where the table has no word of it.
template <class Table>
[[nodiscard]] auto read_receipt(Table& table, const receipt_name& name) -> freshet::result<stored_receipt> {
    auto read = read_stored(table, name);
    if (read && read->scanned.words.empty()) {
        return freshet::error{freshet::errc::malformed, name.text() + ": the table has no words of it"};
    }
    return read;
}

/// For who takes up the dead letter of what is no item of a receipt: nothing is to be done where somebody has taken
/// that away; else it is as it was, an error.
template <class Table>
[[nodiscard]] auto load_stranger(Table& table, std::string_view group)
    -> freshet::result<std::vector<freshet::row_key>> {
    for (auto at = group.find('/'); at != std::string_view::npos; at = group.find('/', at + 1)) { // keys may have some
        const freshet::row_key key{std::string{group.substr(0, at)}, std::string{group.substr(at + 1)}};
        if (key.partition.empty() || key.sort.empty()) { continue; }
        const auto there = table.get(key);
        if (!there) { return there.why(); }
        if (*there) { return no_receipt(group); }
    }
    return std::vector<freshet::row_key>{};
}

} // namespace validation
