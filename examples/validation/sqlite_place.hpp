#pragma once

#include <string>
#include <utility>

#include <adapters/run_store.hpp>
#include <adapters/sqlite/database.hpp>
#include <adapters/sqlite/ledger.hpp>
#include <adapters/sqlite/message_queue.hpp>
#include <adapters/sqlite/table.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <receipts/receipts_table.hpp>
#include <support/data_directory.hpp>
#include <validation/erased.hpp>
#include <validation/memory_place.hpp>
#include <validation/place.hpp>

namespace validation {

/// `use(place)`, in three SQLite files of a directory, in which the demonstration may have its own: `table.sqlite`,
/// `jobs.sqlite` and `queues.sqlite`. With `make` it makes what is not there; without that is `denied`. To read only,
/// no file is made or written: claims and letters, and reports where there are none, are in this process and end with
/// it.
template <class Clock, class Use>
[[nodiscard]] auto in_directory(const std::string& directory, const adapters::sqlite::database_options& how, bool make,
                                Clock& clock, Use use) -> freshet::result<int> {
    if (make) {
        if (auto made = support::make_data_directory(directory); !made) { return std::move(made).why(); }
    } else if (!support::has_file(directory, "table.sqlite")) {
        return freshet::error{freshet::errc::denied,
                              freshet::printable(directory) + ": there is no table of receipts; --input loads one"};
    }
    auto receipts =
        adapters::sqlite::table<Clock>::open(directory + "/table.sqlite", clock, receipts::receipts_table(), how);
    if (!receipts) { return std::move(receipts).why(); }
    const auto jobs = directory + "/jobs.sqlite";
    if (how.read_only) {
        return in_memory(clock, [&](place& aside) -> freshet::result<int> {
            aside.receipts = any_table::of(*receipts);
            if (!support::has_file(directory, "jobs.sqlite")) { return use(aside); }
            auto known = adapters::sqlite::table<Clock>::open(jobs, clock, adapters::runs_table(), how);
            if (!known) { return std::move(known).why(); }
            aside.reports = any_table::of(*known);
            return use(aside);
        });
    }
    auto reports = adapters::sqlite::table<Clock>::open(jobs, clock, adapters::runs_table(), how);
    if (!reports) { return std::move(reports).why(); }
    auto ledger = adapters::sqlite::ledger<Clock>::open(jobs, clock, {}, how);
    if (!ledger) { return std::move(ledger).why(); }
    auto letters =
        adapters::sqlite::message_queue<Clock>::open(directory + "/queues.sqlite", clock, {.name = letters_queue}, how);
    if (!letters) { return std::move(letters).why(); }
    place made{any_table::of(*receipts), any_table::of(*reports), any_ledger::of(*ledger), any_queue::of(*letters)};
    return use(made);
}

} // namespace validation
