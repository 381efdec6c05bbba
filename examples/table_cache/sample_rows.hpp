#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/nlohmann.hpp>
#include <freshet/work/random_source.hpp>
#include <table_cache/tables.hpp>

namespace email_agent {

/// How many rows each table has.
using row_numbers = std::map<std::string, std::size_t, std::less<>>;

[[nodiscard]] inline auto usual_rows() -> row_numbers {
    return {{"students", 1'204}, {"pools", 24}, {"prompts", 12}, {"stages", 6}, {"events", 8}, {"work_orders", 24}};
}

/// The id of a sample row, from 1 on: `student-0001`, `pool-01`, `wo-01`.
[[nodiscard]] inline auto sample_id(std::string_view table, std::size_t number) -> std::string {
    if (table == "work_orders") { return fmt::format("wo-{:02}", number); }
    return fmt::format("{}-{:0{}}", table.substr(0, table.size() - 1), number, table == "students" ? 4 : 2);
}

/// Rows that are made up, the same for the same numbers and seed.
class sample_rows {
public:
    /// `numbers` has at least one row of each table.
    sample_rows(row_numbers numbers, std::uint64_t seed) : numbers_{std::move(numbers)}, random_{seed} {}

    [[nodiscard]] auto of(std::string_view table) -> freshet::result<std::vector<freshet::document>> {
        std::vector<freshet::document> rows;
        for (std::size_t n = 1; n <= numbers_.find(table)->second; ++n) {
            auto row = freshet::from_plain_json(row_of(table, n));
            if (!row) { return std::move(row).why(); }
            rows.push_back(*std::move(row));
        }
        return rows;
    }

private:
    using json = nlohmann::json;

    [[nodiscard]] auto row_of(std::string_view table, std::size_t n) -> json {
        json row{{"id", sample_id(table, n)}};
        if (table == "students") {
            row["email"] = fmt::format("student{}@school.example", n);
            row["pool"] = any_of("pools");
            row["stage"] = any_of("stages");
            row["about"] = std::string(40 + random_() % 160, 'x');
        } else if (table == "pools") {
            row["title"] = fmt::format("Pool {}", n);
            row["open"] = n % 4 != 0;
        } else if (table == "prompts") {
            row["text"] = std::string(600 + random_() % 1'800, 'x');
        } else if (table == "stages") {
            row["prompt"] = any_of("prompts");
        } else if (table == "events") {
            row["title"] = fmt::format("Event {}", n);
        } else {
            row["stage"] = any_of("stages");
            row["event"] = any_of("events");
            row["state"] = "active";
        }
        return row;
    }
    [[nodiscard]] auto any_of(std::string_view table) -> std::string {
        return sample_id(table, 1 + random_() % numbers_.find(table)->second);
    }

    row_numbers numbers_;
    freshet::random_source random_;
};

} // namespace email_agent
