#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/backend/row_key.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/item_patch.hpp>
#include <freshet/work/random_source.hpp>
#include <receipts/entities.hpp>
#include <receipts/item_text.hpp>
#include <receipts/items.hpp>

namespace receipts {

/// What an editor did to a table.
struct edit_counts {
    std::size_t edits{};
    std::size_t writes{};    ///< that the table took, those that changed nothing included
    std::size_t conflicts{}; ///< writes that came too late: somebody else had changed the item
    std::size_t skipped{};   ///< edits of items that were gone
    std::size_t validated{}, corrected{}, relabelled{}, removed{}, expired{}, created{}, without_effect{};
};

/// Edits a receipts table as people and validators do, from a seed.
///
/// Labels that wait for a decision are found through the table's index of statuses, and get one; merchants are
/// corrected, also several times in a row; labels are replaced, which is a removal and a new item; items are removed,
/// expire and come back; some writes change nothing, or nothing but the way a number or a set is written. Others may
/// edit at the same time: a write that comes too late is repeated on what is there then, or left.
///
/// Borrows the table, whose rows are items. An edit that the table fails to take (`unavailable`) may be asked for
/// again.
template <class Table>
class editor {
public:
    static_assert(freshet::table<Table>, "an editor needs a freshet::table");

    editor(Table& table, std::uint64_t seed) : table_{table}, random_{seed} {}

    /// Looks what there is to edit.
    [[nodiscard]] auto start() -> freshet::result<void> {
        freshet::page_request request;
        do {
            const auto page = table_.scan(request);
            if (!page) { return page.why(); }
            for (const auto& item : page->rows) {
                const auto key = key_in(item);
                if (is_label(key)) {
                    labels_.push_back(key);
                } else if (key.sort.ends_with("#METADATA")) {
                    merchants_.push_back(key);
                }
            }
            request.from = page->next;
        } while (request.from);
        std::sort(labels_.begin(), labels_.end()); // so that the same seed makes the same edits on every table
        std::sort(merchants_.begin(), merchants_.end());
        return {};
    }

    /// One edit, which may be several writes.
    [[nodiscard]] auto edit() -> freshet::result<void> {
        const auto before = counts_;
        const auto chance = below(100);
        auto done = chance < 38   ? validate()
                    : chance < 56 ? correct()
                    : chance < 64 ? several()
                    : chance < 74 ? relabel()
                    : chance < 79 ? remove(labels_)
                    : chance < 81 ? remove(merchants_)
                    : chance < 84 ? expire()
                    : chance < 91 ? bring_back()
                                  : without_effect();
        if (!done) {
            counts_ = before;
        } else {
            ++counts_.edits;
        }
        return done;
    }

    /// Corrects some receipt's merchant, or a label's reasoning where no receipt with words has one, in a way that is
    /// sure to change a word's embedding; the key of the item, or nothing where the table has none.
    [[nodiscard]] auto edit_one() -> freshet::result<std::optional<freshet::row_key>> {
        for (const auto& key : merchants_) {
            constexpr std::string_view suffix = "METADATA";
            const auto lines = key.sort.substr(0, key.sort.size() - suffix.size()) + "LINE#";
            const auto words = table_.query({.index = {}, .partition = key.partition, .sort_prefix = lines},
                                            {.from = {}, .limit = 1});
            if (!words) { return words.why(); }
            if (words->rows.empty()) { continue; }
            const auto done = append_to("canonical_merchant_name", key);
            if (!done) { return done.why(); }
            if (*done) { return key; }
        }
        for (const auto& key : labels_) {
            const auto done = append_to("reasoning", key);
            if (!done) { return done.why(); }
            if (*done) { return key; }
        }
        return std::nullopt;
    }

    [[nodiscard]] auto counts() const noexcept -> const edit_counts& { return counts_; }

private:
    using condition = freshet::write_condition<freshet::document>;

    /// Makes a text attribute longer; false where there is no such item.
    [[nodiscard]] auto append_to(std::string_view attribute, const freshet::row_key& key) -> freshet::result<bool> {
        const auto seen = table_.get(key);
        if (!seen) { return seen.why(); }
        if (!*seen) { return false; }
        const auto old = (*seen)->image().find(attribute);
        const auto text = std::string{old ? old->text() : std::string_view{}} + " (corrected)";
        if (auto written = write(item_text{}.text(attribute, text), key); !written) { return std::move(written).why(); }
        ++counts_.edits, ++counts_.corrected;
        return true;
    }

    static constexpr std::array<std::string_view, 7> labels{"MERCHANT_NAME", "DATE", "TIME",       "LINE_TOTAL",
                                                            "ADDRESS_LINE",  "TAX",  "GRAND_TOTAL"};
    static constexpr std::array<std::string_view, 6> names{"Harbour Tea House",   "Café \"Zum Anker\"",
                                                           "Günther & Söhne",     "茶房 みなと",
                                                           "61 Jalan Ros\nJohor", "O'Leary \\ Co 🧾"};
    static constexpr std::size_t tries = 3;
    static constexpr std::size_t remembered = 1'000; // removed items that may come back

    [[nodiscard]] auto below(std::size_t bound) -> std::size_t { return random_() % bound; }
    template <class Choices>
    [[nodiscard]] auto any_of(const Choices& choices) -> std::string_view {
        return choices[below(choices.size())];
    }

    [[nodiscard]] static auto key_in(const freshet::document& item) -> freshet::row_key {
        const auto text = [&](std::string_view name) {
            const auto found = item.image().find(name);
            return std::string{found ? found->text() : std::string_view{}};
        };
        return {text("PK"), text("SK")};
    }
    [[nodiscard]] static auto is_label(const freshet::row_key& key) -> bool {
        return key.sort.find("#LABEL#") != std::string::npos;
    }

    /// Reads the item and lets `change(item)` write on the condition that it is still so; again, where it was not.
    template <class Change>
    [[nodiscard]] auto change(const freshet::row_key& key, Change change_item) -> freshet::result<bool> {
        for (std::size_t i = 0; i < tries; ++i) {
            auto seen = table_.get(key);
            if (!seen) { return std::move(seen).why(); }
            if (!*seen) { break; }
            freshet::result<void> written = change_item(**seen);
            if (written) { return ++counts_.writes, true; }
            if (written.why().code != freshet::errc::conflict) { return std::move(written).why(); }
            ++counts_.conflicts;
        }
        return ++counts_.skipped, false;
    }

    /// Sets these attributes of an item, be it as it may, and takes others away.
    [[nodiscard]] auto write(const item_text& set, const freshet::row_key& key, std::vector<std::string> remove = {},
                             const condition& on = condition::if_present()) -> freshet::result<void> {
        auto values = set.read();
        if (!values) { return std::move(values).why(); }
        auto written = table_.update(key, {*std::move(values), std::move(remove)}, on);
        if (written) { ++counts_.writes; }
        return written;
    }

    /// The index has no sort key: their order is the table's own until they are sorted.
    [[nodiscard]] auto find_waiting() -> freshet::result<void> {
        freshet::page_request request;
        do {
            auto page = table_.query({"GSI3", status_index_key("PENDING"), {}}, request);
            if (!page) { return std::move(page).why(); }
            for (const auto& label : page->rows) { waiting_.push_back(key_in(label)); }
            request.from = std::move(page->next);
        } while (request.from);
        std::sort(waiting_.rbegin(), waiting_.rend()); // the last is taken first
        return {};
    }

    /// A label that waits gets its decision, unless somebody was faster.
    [[nodiscard]] auto validate() -> freshet::result<void> {
        if (waiting_.empty()) {
            if (auto found = find_waiting(); !found) { return found; }
        }
        if (waiting_.empty()) { return correct(); } // nothing waits
        const auto& key = waiting_.back();
        const auto seen = table_.get(key);
        if (!seen) { return seen.why(); }
        const auto decided = *seen ? (*seen)->image().find("validation_status") : std::nullopt;
        if (!decided || decided->text() != "PENDING") { // it is gone, or somebody was faster
            waiting_.pop_back();
            ++counts_.skipped;
            return {};
        }
        const auto* status = below(5) == 0 ? "INVALID" : "VALID";
        item_text set;
        set.text("validation_status", status)
            .text("GSI3PK", status_index_key(status))
            .text("reasoning", std::string{"pass "} + std::to_string(below(100)) + ": adds up ✓ café 🧾");
        auto written = write(set, key, {}, condition::if_unchanged(**seen));
        const bool late = !written && written.why().code == freshet::errc::conflict;
        if (!written && !late) { return written; }
        waiting_.pop_back();
        ++(late ? counts_.conflicts : counts_.validated);
        return {};
    }

    /// Somebody knows the merchant better.
    [[nodiscard]] auto correct() -> freshet::result<void> {
        if (merchants_.empty()) { return {}; }
        const auto& key = merchants_[below(merchants_.size())];
        item_text set;
        std::vector<std::string> remove;
        switch (below(6)) {
            case 0: set.text("canonical_merchant_name", any_of(names)).text("merchant_name", any_of(names)); break;
            case 1: set.text("address", std::to_string(below(99) + 1) + " Jalan Ros \"B\"\nJohor"); break;
            case 2: set.null("phone_number"); break;
            case 3: set.text("phone_number", "03-" + std::to_string(1'000'000 + below(9'000'000))); break;
            case 4: set.text("merchant_category", below(2) == 0 ? "retail" : "食品"); break;
            default: remove = {"place_id"};
        }
        auto values = set.read();
        if (!values) { return std::move(values).why(); }
        const freshet::item_patch patch{*std::move(values), std::move(remove)};
        const bool whole = below(4) == 0; // a program that only knows how to put
        auto changed = change(key, [&](const freshet::document& seen) -> freshet::result<void> {
            if (!whole) { return table_.update(key, patch, condition::if_unchanged(seen)); }
            const auto after = freshet::patched(seen.image(), patch);
            if (!after) { return after.why(); }
            return table_.put(*after, condition::if_unchanged(seen));
        });
        if (!changed) { return std::move(changed).why(); }
        counts_.corrected += *changed ? 1 : 0;
        return {};
    }

    /// Somebody cannot make up his mind.
    [[nodiscard]] auto several() -> freshet::result<void> {
        const auto& keys = below(3) == 0 ? merchants_ : labels_;
        if (keys.empty()) { return {}; }
        const auto key = keys[below(keys.size())];
        const bool label = is_label(key);
        for (auto left = below(3) + 2; left != 0; --left) {
            item_text set;
            if (label) {
                set.text("reasoning", "on second thought, " + std::to_string(below(1'000'000)));
            } else {
                set.text("canonical_merchant_name", "Merchant, revision " + std::to_string(below(1'000'000)));
            }
            auto written = write(set, key);
            if (!written && written.why().code == freshet::errc::conflict) {
                return ++counts_.skipped, freshet::result<void>{};
            }
            if (!written) { return written; }
        }
        ++counts_.corrected;
        return {};
    }

    /// A label is part of its item's key: another label is another item.
    [[nodiscard]] auto relabel() -> freshet::result<void> {
        if (labels_.empty()) { return {}; }
        auto& key = labels_[below(labels_.size())];
        const auto label = any_of(labels);
        const freshet::row_key other{key.partition,
                                     key.sort.substr(0, key.sort.find("#LABEL#") + 7) + std::string{label}};
        if (other == key) { return {}; }
        std::optional<freshet::document> replaced;
        auto gone = change(key, [&](const freshet::document& seen) -> freshet::result<void> {
            const auto old = key.sort.substr(other.sort.size() - label.size());
            auto set = item_text{}
                           .text("SK", other.sort)
                           .text("GSI1PK", label_index_key(label))
                           .text("GSI3PK", status_index_key("PENDING"))
                           .text("validation_status", "PENDING")
                           .text("label_consolidated_from", old)
                           .read();
            if (!set) { return std::move(set).why(); }
            auto made = freshet::patched(seen.image(), {*std::move(set), {}});
            if (!made) { return std::move(made).why(); }
            replaced = *std::move(made);
            return table_.erase(key, condition::if_unchanged(seen));
        });
        if (!gone) { return std::move(gone).why(); }
        if (!*gone) { return {}; }
        key = other;
        ++counts_.relabelled;
        auto put = table_.put(*replaced, condition::if_absent());
        if (!put && put.why().code != freshet::errc::conflict) { return put; }
        ++(put ? counts_.writes : counts_.conflicts); // where the word has that label already, it keeps it
        return {};
    }

    [[nodiscard]] auto remove(std::vector<freshet::row_key>& keys) -> freshet::result<void> {
        if (keys.empty()) { return {}; }
        const auto& key = keys[below(keys.size())];
        auto gone = change(key, [&](const freshet::document& seen) {
            return remembering(seen, table_.erase(key, condition::if_unchanged(seen)));
        });
        if (!gone) { return std::move(gone).why(); }
        counts_.removed += *gone ? 1 : 0;
        return {};
    }

    /// The table removes what had its time; for one that does so in its own time only, it is erased.
    [[nodiscard]] auto expire() -> freshet::result<void> {
        const auto& keys = below(4) == 0 ? merchants_ : labels_;
        if (keys.empty()) { return {}; }
        const auto& key = keys[below(keys.size())];
        constexpr bool can_expire = requires(Table & t) { t.expire(key); };
        auto gone = change(key, [&](const freshet::document& seen) {
            if constexpr (can_expire) {
                return remembering(seen, table_.expire(key));
            } else {
                return remembering(seen, table_.erase(key, condition{}));
            }
        });
        if (!gone) { return std::move(gone).why(); }
        (can_expire ? counts_.expired : counts_.removed) += *gone ? 1 : 0;
        return {};
    }

    auto remembering(const freshet::document& item, freshet::result<void> gone) -> freshet::result<void> {
        if (!gone || removed_.size() >= remembered) { return gone; }
        return freshet::document::parse(std::string{item.text()}).transform([&](freshet::document copy) {
            removed_.push_back(std::move(copy));
        });
    }

    /// What was removed comes back as it was, unless it is there again.
    [[nodiscard]] auto bring_back() -> freshet::result<void> {
        if (removed_.empty()) { return without_effect(); }
        std::swap(removed_[below(removed_.size())], removed_.back());
        auto put = table_.put(removed_.back(), condition::if_absent());
        const bool late = !put && put.why().code == freshet::errc::conflict;
        if (!put && !late) { return put; }
        removed_.pop_back();
        ++(late ? counts_.conflicts : counts_.writes);
        counts_.created += late ? 0 : 1;
        return {};
    }

    /// Writes an item as it is: the very same, or a number or a set of it in other characters, or what nobody monitors.
    [[nodiscard]] auto without_effect() -> freshet::result<void> {
        const auto& keys = below(3) == 0 ? merchants_ : labels_;
        if (keys.empty()) { return {}; }
        const auto& key = keys[below(keys.size())];
        const bool label = is_label(key);
        auto set = item_text{};
        switch (below(3)) {
            case 0: break;
            case 1:
                if (label) {
                    set.number("confidence", below(2) == 0 ? "0.9" : "0.90");
                } else if (below(2) == 0) {
                    set.texts("matched_fields", {"address", "name"});
                } else {
                    set.texts("matched_fields", {"name", "address"});
                }
                break;
            default: set.text("looked_at", std::to_string(below(1'000'000)));
        }
        auto values = set.read();
        if (!values) { return std::move(values).why(); }
        const freshet::item_patch patch{*std::move(values), {}};
        auto changed = change(key, [&](const freshet::document& seen) -> freshet::result<void> {
            const auto after = freshet::patched(seen.image(), patch);
            if (!after) { return after.why(); }
            return table_.put(*after, condition::if_unchanged(seen));
        });
        if (!changed) { return std::move(changed).why(); }
        counts_.without_effect += *changed ? 1 : 0;
        return {};
    }

    Table& table_;
    freshet::random_source random_;
    std::vector<freshet::row_key> labels_;
    std::vector<freshet::row_key> merchants_;
    std::vector<freshet::row_key> waiting_; // for a decision
    std::vector<freshet::document> removed_;
    edit_counts counts_;
};

} // namespace receipts
