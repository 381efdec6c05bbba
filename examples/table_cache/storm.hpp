#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/nlohmann.hpp>
#include <table_cache/sample_rows.hpp>
#include <table_cache/steps.hpp>
#include <table_cache/timeline.hpp>

namespace email_agent {

/// How many work orders the storm needs, at least.
inline constexpr std::size_t storm_orders = 24;

/// A day of the agent: twenty work orders that fall asleep in the morning, and wake within ten minutes, two at a time;
/// a start message, another message and two written rows in the middle of that; and an evening when nobody sleeps.
[[nodiscard]] inline auto storm() -> freshet::result<timeline> {
    using namespace std::chrono;
    constexpr std::size_t sleepers = 20;
    const auto clock = [](hours h, minutes m, seconds s = {}) -> freshet::time_point {
        return sys_days{2025y / January / 15} + h + m + s;
    };
    const auto order = [](std::size_t n) { return sample_id("work_orders", n); };
    timeline day;
    const auto take = [&](freshet::time_point at, std::size_t n, step which) {
        day.push_back({at, step_taken{order(n), which}});
    };
    const auto set = [&](freshet::time_point at, std::size_t n, std::string_view state) {
        day.push_back({at, order_set{order(n), state}});
    };
    const auto write = [&](freshet::time_point at, std::string table,
                           const nlohmann::json& row) -> freshet::result<void> {
        return freshet::from_plain_json(row).transform([&](freshet::document made) {
            day.push_back({at, row_written{std::move(table), std::move(made)}});
        });
    };

    for (const auto which : steps) { take(clock(8h, 30min, static_cast<int>(which) * 20s), 24, which); }
    for (std::size_t n = 1; n <= sleepers; ++n) { set(clock(9h, 0min), n, "sleeping"); }
    for (int pair = 0; pair != 10; ++pair) {
        const auto at = clock(10h, minutes{pair});
        const auto first = static_cast<std::size_t>(2 * pair + 1);
        for (const auto n : {first, first + 1}) { set(at, n, "active"); }
        for (const auto n : {first, first + 1}) { take(at, n, pair % 2 == 0 ? step::dry_run : step::send); }
        for (const auto n : {first, first + 1}) { set(at, n, "sleeping"); }
        if (pair == 2) {
            auto written = write(at + 30s, "students",
                                 {{"id", sample_id("students", 1)},
                                  {"email", "new@school.example"},
                                  {"pool", sample_id("pools", 1)},
                                  {"stage", sample_id("stages", 1)}});
            if (!written) { return std::move(written).why(); }
        }
        if (pair == 4) {
            day.push_back({at + 30s, message_heard{"start"}});
            take(at + 30s, 22, step::count);
        }
        if (pair == 6) { day.push_back({at + 30s, message_heard{"status"}}); }
        if (pair == 7) {
            auto written = write(at + 30s, "prompts", {{"id", sample_id("prompts", 1)}, {"text", "Dear student"}});
            if (!written) { return std::move(written).why(); }
        }
    }
    for (const auto which : {step::dry_run, step::send}) {
        take(clock(10h, 20min, static_cast<int>(which) * 30s), 22, which);
    }
    for (std::size_t n = 1; n <= sleepers; ++n) { set(clock(17h, 0min), n, "finished"); }
    for (const auto which : steps) { take(clock(18h, static_cast<int>(which) * 5min), 23, which); }
    return day;
}

} // namespace email_agent
