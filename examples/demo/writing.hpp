#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <utility>
#include <vector>

#include <demo/settings.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/random_source.hpp>
#include <freshet/work/retry.hpp>
#include <freshet/work/retry_plan.hpp>
#include <receipts/editor.hpp>
#include <receipts/items.hpp>

namespace demo {

struct load_report {
    bool made{}; ///< by this call; otherwise the table had items already
    std::size_t items{};
};

/// Puts the items of all receipts into the table, all of them or none, unless it has items already.
template <class Place>
[[nodiscard]] auto load(const Place& here, std::span<const receipts::scanned_receipt> scanned)
    -> freshet::result<load_report> {
    if (auto made = here.make(); !made) { return std::move(made).why(); }
    const auto there = here.has_items();
    if (!there) { return there.why(); }
    if (*there) { return load_report{}; }
    std::vector<freshet::document> items;
    for (const auto& each : scanned) {
        auto more = receipts::items_of(each);
        if (!more) { return std::move(more).why(); }
        std::move(more->begin(), more->end(), std::back_inserter(items));
    }
    return here.put_all(items).transform([&] { return load_report{true, items.size()}; });
}

/// Edits the table, one edit a step.
template <class Place>
class writing {
public:
    using table_type = typename Place::table;

    /// The settings are borrowed, and what the place borrows.
    [[nodiscard]] static auto open(const settings& wanted, const Place& here, std::uint64_t seed)
        -> freshet::result<std::unique_ptr<writing>> {
        auto table = here.open_table();
        if (!table) { return std::move(table).why(); }
        std::unique_ptr<writing> made{new writing{wanted, here, *std::move(table), seed}};
        if (auto ready = made->editor_.start(); !ready) { return std::move(ready).why(); }
        return made;
    }

    /// One edit; tried again while the table does not answer.
    [[nodiscard]] auto step(const std::stop_token& stop = {}) -> freshet::result<void> {
        return freshet::retry(plan_, clock_, stop, freshet::deadline::never(), random_, [&] { return editor_.edit(); });
    }

    [[nodiscard]] auto editor() noexcept -> receipts::editor<table_type>& { return editor_; }
    [[nodiscard]] auto counts() const noexcept -> const receipts::edit_counts& { return editor_.counts(); }

private:
    writing(const settings& wanted, const Place& here, table_type table, std::uint64_t seed)
        : clock_{here.clock()}, plan_{wanted.retries}, random_{seed}, table_{std::move(table)}, editor_{table_, seed} {}

    typename Place::clock_type& clock_;
    freshet::retry_plan plan_;
    freshet::random_source random_;
    table_type table_;
    receipts::editor<table_type> editor_;
};

/// So many edits, or as many as there are before a stop.
template <class Place>
[[nodiscard]] auto write(const settings& wanted, const Place& here, std::size_t edits, std::uint64_t seed,
                         const std::stop_token& stop = {}) -> freshet::result<receipts::edit_counts> {
    auto by = writing<Place>::open(wanted, here, seed);
    if (!by) { return std::move(by).why(); }
    for (; edits != 0 && !stop.stop_requested(); --edits) {
        if (auto done = (*by)->step(stop); !done) { return std::move(done).why(); }
    }
    return (*by)->counts();
}

} // namespace demo
