#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/cache/every_row.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/attribute.hpp>
#include <freshet/work/deadline.hpp>
#include <label_counts/counts.hpp>
#include <receipts/items.hpp>

namespace label_counts {

/// Counts a label in real time, as far as the deadline allows; several threads may ask at once.
using counter = std::function<freshet::result<counts>(const std::string& label, const freshet::deadline&)>;

/// The counter of a table of receipts: pages through the label's part of the index `GSI1` to its end. What has no
/// status counts as `NONE`. Borrows table and clock, which threads share.
///
/// Fails as the page that failed did, and with `expired` at the deadline or after a stop: there are no half counts.
template <class Table, class Clock>
[[nodiscard]] auto counter_of(Table& table, const Clock& clock, std::stop_token stop) -> counter {
    return [&table, &clock, stop = std::move(stop)](const std::string& label,
                                                    const freshet::deadline& until) -> freshet::result<counts> {
        counts made{{}, clock.now()};
        const auto go_on = [&]() -> freshet::result<void> {
            if (stop.stop_requested()) { return freshet::error{freshet::errc::expired, "stopped"}; }
            if (until.passed(clock.now())) { return freshet::error{freshet::errc::expired, "counting took too long"}; }
            return {};
        };
        const auto take = [&](const auto& row) {
            const auto status = row.image().find("validation_status");
            const bool known = status && status->type() == freshet::attribute_type::string;
            made.add(known ? status->text() : std::string_view{"NONE"});
        };
        const freshet::index_query all_of_label{"GSI1", receipts::label_index_key(label), {}};
        const auto read = freshet::every_row(table, all_of_label, 0, go_on, take);
        if (!read) { return read.why(); }
        return made;
    };
}

} // namespace label_counts
