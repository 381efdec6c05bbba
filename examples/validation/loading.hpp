#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <iostream>
#include <limits>
#include <optional>
#include <span>
#include <stop_token>
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
#include <receipts/receipts_file.hpp>
#include <support/log.hpp>
#include <validation/stored_receipt.hpp>

namespace validation {

/// The receipts of a file, and how many of its lines are none.
struct receipts_input {
    std::vector<receipts::scanned_receipt> receipts;
    std::size_t bad_lines{};
};

/// The receipts in a file, `-` being stdin. `malformed` where it cannot be read, or has none; a line that is no receipt
/// is told and left out.
[[nodiscard]] inline auto read_input(const std::string& name, const support::log& log)
    -> freshet::result<receipts_input> {
    const auto refuse = [&](std::string_view why) {
        return freshet::error{freshet::errc::malformed, freshet::printable(name) + ": " + std::string{why}};
    };
    if (name.ends_with(".gz")) { return refuse("is compressed: zcat it, and --input - reads stdin"); }
    std::ifstream file;
    if (name != "-") {
        file.open(name, std::ios::binary);
        if (!file || (file.peek() == std::ifstream::traits_type::eof() && file.bad())) {
            return refuse(std::strerror(errno));
        }
        file.clear();
    }
    auto& in = name == "-" ? std::cin : file;
    receipts_input made;
    made.receipts = receipts::read_receipts(
        in, std::numeric_limits<std::size_t>::max(), [&](std::size_t line, const std::string& why) {
            ++made.bad_lines;
            log.line(support::log_level::error, "{}:{}: {}", freshet::printable(name), line, freshet::printable(why));
        });
    if (in.bad()) { return refuse("cannot be read to its end"); }
    if (made.receipts.empty()) {
        return refuse(made.bad_lines == 0 ? "has no receipts" : "no line of it is a receipt");
    }
    return made;
}

/// The key of a receipt's own item.
[[nodiscard]] inline auto own_key(const receipts::scanned_receipt& of) -> freshet::result<freshet::row_key> {
    auto partition = receipts::image_key::format(of.image_id);
    if (!partition) { return std::move(partition).why(); }
    auto sort = receipts::receipt::sort::format(of.receipt_id);
    if (!sort) { return std::move(sort).why(); }
    return freshet::row_key{*std::move(partition), *std::move(sort)};
}

/// Puts the receipts that the table has not, and gives their number; the others stay as they are.
///
/// A receipt is there when its own item is, which is put last: who is killed in between puts the rest the next time.
/// Metadata that says nothing is left out. Labels and metadata of a receipt that somebody else has begun to put stay as
/// he put them: they may have been ruled on; two who begin in the same moment put the same. A stop ends it between two
/// fifties of receipts.
template <class Table>
[[nodiscard]] auto put_new(Table& table, std::span<const receipts::scanned_receipt> all,
                           const std::stop_token& stop = {}) -> freshet::result<std::size_t> {
    constexpr std::size_t at_once = 50;
    std::size_t added = 0;
    while (!all.empty() && !stop.stop_requested()) {
        std::vector<freshet::document> fresh, contested; // the latter with the own items, which are the last
        const auto some = all.first(std::min(at_once, all.size()));
        for (const auto& scanned : some) {
            const auto key = own_key(scanned);
            if (!key) { return key.why(); }
            const auto there = table.get(*key);
            if (!there) { return there.why(); }
            if (*there) { continue; }
            auto items = receipts::items_of(scanned);
            if (!items) { return std::move(items).why(); }
            const auto& merchant = scanned.merchant;
            const bool says_something = !merchant.merchant_name.empty() || !merchant.canonical_merchant_name.empty() ||
                                        !merchant.address.empty() || !merchant.phone_number.empty();
            const auto begun = table.query({{}, key->partition, key->sort, {}, {}}, {{}, 1});
            if (!begun) { return begun.why(); }
            std::optional<freshet::document> own;
            for (auto& item : *items) {
                const auto sort = text_in(item, "SK");
                const bool metadata{receipts::receipt_metadata::sort::parse(sort)};
                if (sort == key->sort) {
                    own = std::move(item);
                } else if (metadata || receipts::receipt_word_label::sort::parse(sort)) {
                    if (!says_something && metadata) { continue; }
                    (begun->rows.empty() ? fresh : contested).push_back(std::move(item));
                } else {
                    fresh.push_back(std::move(item));
                }
            }
            if (own) { contested.push_back(*std::move(own)); }
            ++added;
        }
        if (!fresh.empty()) {
            if (auto put = table.put_many(fresh); !put) { return std::move(put).why(); }
        }
        for (const auto& item : contested) {
            const auto put = table.put(item, freshet::write_condition<freshet::document>::if_absent());
            if (!put && put.why().code != freshet::errc::conflict) { return put.why(); }
        }
        all = all.subspan(some.size());
    }
    return added;
}

} // namespace validation
