#pragma once

#include <span>
#include <string>
#include <utility>

#include <adapters/aws/change_stream.hpp>
#include <adapters/aws/settings.hpp>
#include <adapters/memory/bucket_sink.hpp>
#include <adapters/memory/change_stream.hpp>
#include <adapters/memory/table.hpp>
#include <adapters/sqlite/bucket_sink.hpp>
#include <adapters/sqlite/change_stream.hpp>
#include <adapters/sqlite/table.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <metrics/dynamodb_place.hpp>
#include <metrics/item_rows.hpp>
#include <metrics/settings.hpp>
#include <support/data_directory.hpp>

/// Where records and counts are. Each function answers with `use(table, stream, sink)`: a table of `item_table`'s keys,
/// its changes, and a sink of counts. With `make` it makes what is not there; without, that is `denied`.
namespace metrics {

/// In this process; all ends with the call.
template <class Clock, class Use>
[[nodiscard]] auto in_memory(Clock& clock, Use use) -> freshet::result<int> {
    adapters::memory::table<Clock> table{clock, item_table()};
    adapters::memory::change_stream<Clock> stream{table};
    adapters::memory::bucket_sink sink;
    return use(table, stream, sink);
}

/// In two SQLite files of a directory.
template <class Clock, class Use>
[[nodiscard]] auto in_directory(const std::string& directory, bool make, Clock& clock, Use use)
    -> freshet::result<int> {
    if (make) {
        if (auto made = support::make_data_directory(directory); !made) { return std::move(made).why(); }
    } else if (!support::has_file(directory, "metrics.sqlite")) {
        return freshet::error{freshet::errc::denied,
                              freshet::printable(directory) + ": there is no table of records; --input loads one"};
    }
    const auto path = directory + "/metrics.sqlite";
    auto table = adapters::sqlite::table<Clock>::open(path, clock, item_table());
    if (!table) { return std::move(table).why(); }
    auto stream = adapters::sqlite::change_stream<Clock>::open(path, clock, item_table());
    if (!stream) { return std::move(stream).why(); }
    auto sink = adapters::sqlite::bucket_sink::open(directory + "/counts.sqlite");
    if (!sink) { return std::move(sink).why(); }
    return use(*table, *stream, *sink);
}

/// In the DynamoDB table of this name, with its counts in the one called after it, `-counts`, and how far its changes
/// are read in `-ledger`.
template <class Clock, class Use>
[[nodiscard]] auto in_dynamodb(adapters::aws::settings how, const std::string& name, bool make, Clock& clock, Use use)
    -> freshet::result<int> {
    dynamodb_place place{std::move(how), name};
    if (make) {
        if (auto made = place.make(); !made) { return std::move(made).why(); }
    } else if (auto good = place.check(); !good) {
        return std::move(good).why();
    }
    auto stream = adapters::aws::change_stream<Clock>::open(place.client(), clock, place.items(),
                                                            {.checkpoints = place.ledger().name});
    if (!stream) { return std::move(stream).why(); }
    return use(place.table(), *stream, place.sink());
}

/// Puts rows, as many at a time as the table takes.
template <class Table>
[[nodiscard]] auto put_all(Table& table, std::span<const freshet::document> rows) -> freshet::result<void> {
    if constexpr (requires { table.put_many(rows); }) {
        return table.put_many(rows);
    } else {
        for (const auto& row : rows) {
            if (auto put = table.put(row, {}); !put) { return put; }
        }
        return {};
    }
}

} // namespace metrics
