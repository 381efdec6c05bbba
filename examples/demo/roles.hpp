#pragma once

#include <utility>

#include <demo/consuming.hpp>
#include <demo/pumping.hpp>
#include <demo/settings.hpp>
#include <demo/turn.hpp>
#include <demo/validating.hpp>
#include <demo/writing.hpp>
#include <freshet/core/result.hpp>
#include <freshet/letter/redrive.hpp>
#include <receipts/comparison.hpp>

/// What the processes of the demonstration do: `load`, `write`, `pump`, `consume`, `verify`, `redrive`.
///
/// All share one directory. They may run at once and in any number, and be killed at any moment; who comes next goes
/// on. A role that pumps or consumes ends with a failure where a backend does not answer for longer than the settings'
/// patience, or answers in a way that waiting cannot cure; one that writes does after the settings' retries.
namespace demo {

/// Compares the embeddings with the table; reads only.
template <class Place>
[[nodiscard]] auto verify(const Place& here) -> freshet::result<receipts::comparison> {
    auto table = here.open_table(true);
    if (!table) { return std::move(table).why(); }
    auto store = here.open_embeddings(true);
    if (!store) { return std::move(store).why(); }
    return receipts::compare(*table, *store);
}

/// Has all dead letters handled again: records by the processor, messages by their queues' consumers, receipts by the
/// jobs that validate them.
template <class Place>
[[nodiscard]] auto redrive(const settings& wanted, const Place& here) -> freshet::result<freshet::redrive_report> {
    freshet::redrive_report all;
    const auto add = [&](freshet::redrive_report some) {
        all.received += some.received, all.redriven += some.redriven, all.failed += some.failed, all.held += some.held;
        if (!all.why) { all.why = std::move(some.why); }
    };
    auto pump = pumping<Place>::open(wanted, here);
    if (!pump) { return std::move(pump).why(); }
    if (auto done = (*pump)->redrive().transform(add); !done) { return std::move(done).why(); }
    auto consumers = all_consuming<Place>::open(wanted, here);
    if (!consumers) { return std::move(consumers).why(); }
    for (const auto& one : *consumers) {
        if (auto done = one->redrive().transform(add); !done) { return std::move(done).why(); }
    }
    if (auto done = redrive_jobs(wanted, here).transform(add); !done) { return std::move(done).why(); }
    return all;
}

} // namespace demo
