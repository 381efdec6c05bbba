#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <adapters/memory/change_stream.hpp>
#include <adapters/memory/table.hpp>
#include <adapters/sqlite/change_stream.hpp>
#include <adapters/sqlite/database.hpp>
#include <adapters/sqlite/table.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <support/data_directory.hpp>
#include <table_cache/tables.hpp>

/// Where the tables are: `table(name)`, the `students()` stream of changes, and `fill(name, rows)`.
namespace email_agent {

/// In this process. Borrows the clock.
class memory_place {
public:
    using clock_type = freshet::testing::manual_clock;
    using table_type = adapters::memory::table<clock_type>;
    using stream_type = adapters::memory::change_stream<clock_type>;

    explicit memory_place(clock_type& clock) {
        for (const auto name : table_names) { tables_.try_emplace(name, clock, options_of(name)); }
    }

    [[nodiscard]] auto table(std::string_view name) -> table_type& { return tables_.find(name)->second; }
    [[nodiscard]] auto students() -> freshet::result<stream_type> { return stream_type{table("students")}; }
    [[nodiscard]] auto fill(std::string_view name, const std::vector<freshet::document>& rows)
        -> freshet::result<void> {
        for (const auto& row : rows) {
            if (auto put = table(name).put(row); !put) { return put; }
        }
        return {};
    }

private:
    std::map<std::string_view, table_type> tables_;
};

/// In the files of a directory, one a table. Borrows the clock. Belongs to one thread at a time.
class sqlite_place {
public:
    using clock_type = freshet::testing::manual_clock;
    using table_type = adapters::sqlite::table<clock_type>;
    using stream_type = adapters::sqlite::change_stream<clock_type>;

    /// Makes the directory and the files that are not there.
    [[nodiscard]] static auto open(const std::string& directory, clock_type& clock) -> freshet::result<sqlite_place> {
        if (auto made = support::make_data_directory(directory); !made) { return std::move(made).why(); }
        sqlite_place place{directory, clock};
        for (const auto name : table_names) {
            auto opened = table_type::open(place.file_of(name), clock, options_of(name), fast);
            if (!opened) { return std::move(opened).why(); }
            place.tables_.emplace(name, *std::move(opened));
        }
        return place;
    }

    [[nodiscard]] auto table(std::string_view name) -> table_type& { return tables_.find(name)->second; }
    [[nodiscard]] auto students() -> freshet::result<stream_type> {
        return stream_type::open(file_of("students"), *clock_, options_of("students"), fast);
    }
    [[nodiscard]] auto fill(std::string_view name, const std::vector<freshet::document>& rows)
        -> freshet::result<void> {
        return table(name).put_many(rows);
    }

private:
    static constexpr adapters::sqlite::database_options fast{.durable = false}; // every run makes its rows anew

    sqlite_place(std::string directory, clock_type& clock) : directory_{std::move(directory)}, clock_{&clock} {}
    [[nodiscard]] auto file_of(std::string_view name) const -> std::string {
        return directory_ + "/" + std::string{name} + ".sqlite";
    }

    std::string directory_;
    clock_type* clock_;
    std::map<std::string_view, table_type> tables_;
};

} // namespace email_agent
