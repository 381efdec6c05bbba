#pragma once

#include <adapters/memory/ledger.hpp>
#include <adapters/memory/message_queue.hpp>
#include <adapters/memory/table.hpp>
#include <adapters/run_store.hpp>
#include <freshet/core/result.hpp>
#include <receipts/receipts_table.hpp>
#include <validation/erased.hpp>
#include <validation/place.hpp>

namespace validation {

/// `use(place)`, in this process; all ends with the call.
template <class Clock, class Use>
[[nodiscard]] auto in_memory(Clock& clock, Use use) -> freshet::result<int> {
    adapters::memory::table<Clock> receipts{clock, receipts::receipts_table()};
    adapters::memory::table<Clock> reports{clock, adapters::runs_table()};
    adapters::memory::ledger<Clock> ledger{clock};
    adapters::memory::message_queue<Clock> letters{clock, {.name = letters_queue}};
    place made{any_table::of(receipts), any_table::of(reports), any_ledger::of(ledger), any_queue::of(letters)};
    return use(made);
}

} // namespace validation
