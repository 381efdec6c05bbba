#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include <demo/label_tally.hpp>
#include <demo/settings.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/work/deadline.hpp>
#include <label_counts/counting.hpp>
#include <label_counts/reading.hpp>
#include <label_counts/settings.hpp>
#include <label_counts/updating.hpp>

namespace demo {

/// A label of which cache and table do not say the same.
struct label_difference {
    std::string label;
    status_counts cache;
    status_counts table;
};

/// What readers of the label counts got, before the edits and after, and whether it is what the table says.
struct label_report {
    std::size_t labels{};
    std::uint64_t words{}; ///< that have one of them, in the end
    std::size_t changed{}; ///< labels whose counts the edits changed
    std::size_t reads{};   ///< each label is read twice each time
    std::size_t hits{};    ///< of those
    std::vector<label_difference> differences{};

    [[nodiscard]] auto agrees() const noexcept -> bool { return hits == reads && differences.empty(); }
};

/// Counts the settings' labels through the table's index into the cache of the place, and reads them from there, as the
/// program `label_counts` does; what is not there is not counted in its stead. Fails where a label cannot be counted or
/// kept.
template <class Place>
[[nodiscard]] auto count_labels(const settings& wanted, const Place& here, const std::stop_token& stop = {})
    -> freshet::result<label_counts::reading> {
    const auto failed = [](const std::string& label, const freshet::error& why) {
        return freshet::error{why.code, "the counts of label " + freshet::printable(label) + ": " + why.note};
    };
    return here.with_label_counts([&](auto& table, auto& store) -> freshet::result<label_counts::reading> {
        const auto& clock = here.clock();
        const auto count = label_counts::counter_of(table, clock, stop);
        const auto run =
            label_counts::update(store, clock, count, wanted.labels, {}, wanted.log, freshet::deadline::never(), stop);
        for (const auto& each : run.keys) {
            if (each.ok()) { continue; }
            return failed(each.key, each.why.value_or(freshet::error{freshet::errc::expired, "stopped"}));
        }
        const auto nobody = [](const auto&, const auto&) -> freshet::result<label_counts::counts> {
            return freshet::error{freshet::errc::failed, "not in the cache"};
        };
        return label_counts::read(store, clock, nobody, wanted.labels, wanted.log);
    });
}

/// Compares what was read in the end with what the table says, and with what was read before; both readings are of the
/// same labels, in the same order.
[[nodiscard]] inline auto compare_labels(const label_counts::reading& before, const label_counts::reading& after,
                                         const label_tally& table) -> label_report {
    label_report report{.labels = after.labels.size(), .reads = 2 * (before.labels.size() + after.labels.size())};
    for (const auto* reading : {&before, &after}) {
        for (const auto& each : reading->labels) { report.hits += each.asked.hits; }
    }
    const auto said = [](const label_counts::label_reading& of) {
        return of.answer ? of.answer->value->by_status : status_counts{};
    };
    for (std::size_t i = 0; i != after.labels.size(); ++i) {
        const auto& label = after.labels[i].label;
        const auto cached = said(after.labels[i]);
        for (const auto& [status, count] : cached) { report.words += count; }
        report.changed += cached != said(before.labels[i]) ? 1 : 0;
        const auto at = table.find(label);
        const auto there = at == table.end() ? status_counts{} : at->second;
        if (cached != there) { report.differences.push_back({label, cached, there}); }
    }
    return report;
}

} // namespace demo
