#pragma once

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <iostream>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <label_counts/settings.hpp>
#include <receipts/items.hpp>
#include <receipts/receipts_file.hpp>
#include <receipts/sample_receipts.hpp>

namespace label_counts {

/// The items to load first, and how many lines could not be read.
struct loaded_input {
    std::vector<freshet::document> items;
    std::size_t bad_lines{};
};

namespace detail {

[[nodiscard]] inline auto items_of(const std::vector<receipts::scanned_receipt>& scanned)
    -> freshet::result<std::vector<freshet::document>> {
    std::vector<freshet::document> all;
    for (const auto& receipt : scanned) {
        auto items = receipts::items_of(receipt);
        if (!items) { return items; }
        for (auto& item : *items) { all.push_back(std::move(item)); }
    }
    return all;
}

} // namespace detail

/// The items of the receipts in a file, `-` being stdin. `malformed` where it cannot be read, or has none; a line that
/// is no receipt is told and left out.
[[nodiscard]] inline auto read_input(const std::string& name, const support::log& log)
    -> freshet::result<loaded_input> {
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
    loaded_input made;
    const auto scanned = receipts::read_receipts(
        in, std::numeric_limits<std::size_t>::max(), [&](std::size_t line, const std::string& why) {
            ++made.bad_lines;
            log.line(support::log_level::error, "{}:{}: {}", freshet::printable(name), line, freshet::printable(why));
        });
    if (in.bad()) { return refuse("cannot be read to its end"); }
    if (scanned.empty()) { return refuse(made.bad_lines == 0 ? "has no receipts" : "no line of it is a receipt"); }
    return detail::items_of(scanned).transform([&](std::vector<freshet::document> items) {
        made.items = std::move(items);
        return std::move(made);
    });
}

/// The items of 300 receipts that are made up, always the same.
[[nodiscard]] inline auto sample_input() -> freshet::result<loaded_input> {
    return detail::items_of(receipts::sample_receipts{}.make(300)).transform([](std::vector<freshet::document> items) {
        return loaded_input{std::move(items)};
    });
}

} // namespace label_counts
