#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <freshet/backend/series_key.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time_range.hpp>
#include <freshet/count/cross_check.hpp>

/// The lines that tell people of a run: whole lines, each with its end. `✓` is well, `✗` failed, `⚠` wants a look.
namespace metrics {

/// What began a run. What is absent has no line.
struct run_header {
    std::optional<std::uint64_t> stream_records{};
    std::optional<std::uint64_t> input_records{};
    std::vector<std::string> notes{}; ///< about what was passed over
    std::vector<freshet::series_key> affected{};
    freshet::time_range window{};
};

/// What became of one series. The steps are told as far as they came.
struct series_log {
    freshet::series_key series{};
    std::uint64_t read{};    ///< from the source
    std::uint64_t outside{}; ///< of other times than those that were counted
    std::uint64_t duplicates{};
    std::uint64_t no_timestamp{};
    std::uint64_t bad_timestamp{};
    std::optional<freshet::cross_check_report> check{}; ///< absent: it was not counted to the end
    int steps{3};                                       ///< 2: there is nowhere to put the counts
    std::uint64_t updated{};
    std::uint64_t unchanged{};
    std::uint64_t overtaken{};
    std::uint64_t ranges_beside{};         ///< that changed, and are not of the window
    std::optional<freshet::error> fault{}; ///< it was not counted to the end, or could not be kept
    bool check_failed{};

    /// How many buckets hold something.
    [[nodiscard]] auto generated() const -> std::uint64_t {
        std::uint64_t sum = 0;
        if (check) {
            for (const auto& level : check->levels) { sum += level.buckets; }
        }
        return sum;
    }
};

namespace detail {

/// `1,234`.
[[nodiscard]] inline auto grouped(std::uint64_t number) -> std::string {
    auto digits = std::to_string(number);
    for (auto at = digits.size(); at > 3;) { digits.insert(at -= 3, 1, ','); }
    return digits;
}

/// The first ten bytes of an account and three dots, or all of it where it is no longer than that.
[[nodiscard]] inline auto short_account(const std::string& account) -> std::string {
    if (account.empty()) { return "(none)"; }
    std::size_t most = 10;
    if (account.size() <= most) { return freshet::printable(account); }
    while (most > 0 && (static_cast<unsigned char>(account[most]) & 0xc0) == 0x80) { --most; } // inside a character
    return freshet::printable(account.substr(0, most)) + "...";
}

/// `2024-01-19 13:00`; with seconds where there are some.
[[nodiscard]] inline auto minute_text(freshet::time_point at) -> std::string {
    const auto text = freshet::format_rfc3339(at, 0);
    if (!text) { return "(no year from 0 to 9999)"; }
    std::string made{text->view().substr(0, text->view().ends_with(":00Z") ? 16 : 19)};
    made[10] = ' ';
    return made;
}

inline constexpr std::string_view rule = "============================================================";

} // namespace detail

[[nodiscard]] inline auto header_text(const run_header& of) -> std::string {
    std::string text = fmt::format("{0}\nMETRICS AGGREGATION LAMBDA\n{0}\n", detail::rule);
    const auto to = std::back_inserter(text);
    if (of.stream_records) { fmt::format_to(to, "Stream records: {}\n", *of.stream_records); }
    if (of.input_records) { fmt::format_to(to, "Input records: {}\n", *of.input_records); }
    for (const auto& each : of.notes) { fmt::format_to(to, "  ⚠ {}\n", freshet::printable(each)); }
    fmt::format_to(to, "Affected: {} table/account pairs\n", of.affected.size());
    for (const auto& each : of.affected) {
        fmt::format_to(to, "  - {} / {}\n", freshet::printable(each.table), detail::short_account(each.account));
    }
    fmt::format_to(to, "Time window: {} to {}\n", detail::minute_text(of.window.start),
                   detail::minute_text(of.window.end));
    return text;
}

[[nodiscard]] inline auto series_text(const series_log& of) -> std::string {
    using detail::grouped;
    const auto table = freshet::printable(of.series.table);
    std::string text;
    const auto to = std::back_inserter(text);
    fmt::format_to(to, "\n{0}\nProcessing {1} for account {2}\n{0}\n[1/{3}] Querying {1}...\n", detail::rule, table,
                   detail::short_account(of.series.account), of.steps);
    const auto failed = [&](int step) {
        fmt::format_to(to, "[{}/{}] ✗ {}\n", step, of.steps, freshet::printable(of.fault ? of.fault->note : "", 400));
        return text;
    };
    if (!of.check) { return failed(of.check_failed ? 2 : 1); }
    fmt::format_to(to, "[1/{}] Retrieved {} {} records\n", of.steps, grouped(of.read), table);
    if (of.ranges_beside != 0) { fmt::format_to(to, "  Changed ranges beside the window: {}\n", of.ranges_beside); }
    if (of.outside != 0) { fmt::format_to(to, "  Outside the time window: {}\n", grouped(of.outside)); }
    if (of.duplicates != 0) { fmt::format_to(to, "  Repeated: {}\n", grouped(of.duplicates)); }
    fmt::format_to(to, "[2/{}] Counting into buckets...\n", of.steps);
    fmt::format_to(to, "  Processed: {} records ({} skipped - no timestamp)\n", grouped(of.check->records),
                   grouped(of.no_timestamp));
    if (of.bad_timestamp != 0) { fmt::format_to(to, "  ⚠ {} skipped - bad timestamp\n", grouped(of.bad_timestamp)); }
    if (!of.check->levels.empty()) {
        const auto& finest = of.check->levels.front();
        fmt::format_to(to, "  Cross-check: {} in {}-min buckets vs {} records {}\n", grouped(finest.records),
                       std::chrono::floor<std::chrono::minutes>(finest.width).count(), grouped(of.check->records),
                       of.check->ok() ? "✓" : "✗");
    }
    for (const auto& level : of.check->levels) {
        fmt::format_to(to, "{:>9}: {:>4} buckets, {:>5} total records\n",
                       fmt::format("{}min", std::chrono::floor<std::chrono::minutes>(level.width).count()),
                       level.buckets, level.records);
    }
    if (of.check_failed) { return failed(2); }
    fmt::format_to(to, "[2/{}] Generated {} bucket updates\n", of.steps, of.generated());
    if (of.steps == 2) { return text; }
    fmt::format_to(to, "[3/3] Updating AggregatedMetrics...\n");
    if (of.fault) { return failed(3); }
    fmt::format_to(to, "[3/3] ✓ Updated {} buckets successfully\n", of.updated);
    if (of.updated != of.generated()) { fmt::format_to(to, "  {} buckets were as found before\n", of.unchanged); }
    if (of.overtaken != 0) { fmt::format_to(to, "  ⚠ {} buckets have the counts of a later run\n", of.overtaken); }
    return text;
}

/// The last lines: of all series together.
[[nodiscard]] inline auto footer_text(std::span<const series_log> all) -> std::string {
    const auto failed = std::count_if(all.begin(), all.end(), [](const auto& each) { return each.fault.has_value(); });
    std::uint64_t buckets = 0;
    bool updated = all.empty();
    for (const auto& each : all) {
        updated = updated || each.steps == 3;
        if (each.fault) { continue; }
        buckets += each.steps == 3 ? each.updated : each.generated();
    }
    const auto done = fmt::format("{} buckets {}", buckets, updated ? "updated" : "counted");
    const auto line = failed == 0 ? "✓ SUCCESS: " + done
                                  : fmt::format("✗ FAILED: {} of {} table/account pairs, {}", failed, all.size(), done);
    return fmt::format("\n{0}\n{1}\n{0}\n", detail::rule, line);
}

} // namespace metrics
