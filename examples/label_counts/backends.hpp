#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include <adapters/aws/settings.hpp>
#include <adapters/memory/table.hpp>
#include <adapters/memory/ttl_store.hpp>
#include <adapters/sqlite/database.hpp>
#include <adapters/sqlite/table.hpp>
#include <adapters/sqlite/ttl_store.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <label_counts/dynamodb_place.hpp>
#include <label_counts/lent.hpp>
#include <label_counts/settings.hpp>
#include <receipts/receipts_table.hpp>
#include <support/data_directory.hpp>
#include <support/log.hpp>

/// Where the receipts and the counts are. Each function puts the items that it is given into the table, makes what is
/// not there for them, and answers with `use(table, store)`: a table to query and a ttl_store of bytes, which threads
/// share. Without items a table that is not there is `denied`.
namespace label_counts {

/// In this process; both end with the call.
template <class Clock, class Use>
[[nodiscard]] auto in_memory(std::span<const freshet::document> items, Clock& clock, Use use) -> freshet::result<int> {
    adapters::memory::table<Clock> table{clock, receipts::receipts_table()};
    for (const auto& item : items) {
        if (auto put = table.put(item); !put) { return std::move(put).why(); }
    }
    adapters::memory::ttl_store<Clock> store{clock};
    return use(table, store);
}

/// In SQLite files of a directory, in which the demonstration may have its own: `table.sqlite` and `cache.sqlite`.
template <class Clock, class Use>
[[nodiscard]] auto in_directory(const std::string& directory, std::span<const freshet::document> items, Clock& clock,
                                Use use) -> freshet::result<int> {
    using table_type = adapters::sqlite::table<Clock>;
    using store_type = adapters::sqlite::ttl_store<Clock>;
    const auto path = directory + "/table.sqlite";
    if (!items.empty()) {
        if (auto made = support::make_data_directory(directory); !made) { return std::move(made).why(); }
        auto to = table_type::open(path, clock, receipts::receipts_table());
        if (!to) { return std::move(to).why(); }
        if (auto put = to->put_many(items); !put) { return std::move(put).why(); }
    }
    std::error_code failed;
    if (!std::filesystem::is_directory(directory, failed) || !support::has_file(directory, "table.sqlite")) {
        return freshet::error{freshet::errc::denied,
                              freshet::printable(directory) + ": there is no table of receipts; --input loads one"};
    }
    lent_table<table_type> table{
        [&] { return table_type::open(path, clock, receipts::receipts_table(), {.read_only = true}); }};
    lent_store<store_type> store{
        [&] { return store_type::open(directory + "/cache.sqlite", clock, {.name = std::string{store_name}}); }};
    if (auto opened = table.open(); !opened) { return std::move(opened).why(); }
    if (auto opened = store.open(); !opened) { return std::move(opened).why(); }
    return use(table, store);
}

/// In DynamoDB, or in what stands in for it.
template <class Clock, class Use>
[[nodiscard]] auto in_dynamodb(adapters::aws::settings how, const std::string& name,
                               std::span<const freshet::document> items, Clock& clock, const support::log& log, Use use)
    -> freshet::result<int> {
    dynamodb_place place{std::move(how), name, clock};
    if (!items.empty()) {
        if (auto put = place.load(items); !put) { return std::move(put).why(); }
    }
    if (auto good = place.check(log); !good) { return std::move(good).why(); }
    return use(place.table(), place.store());
}

} // namespace label_counts
