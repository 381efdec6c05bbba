#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <freshet/backend/bucket_sink.hpp>
#include <freshet/backend/series_key.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>

namespace laws {

inline const std::vector<freshet::duration> hour_widths{std::chrono::minutes{1}, std::chrono::minutes{5},
                                                        std::chrono::minutes{15}, std::chrono::minutes{60}};
inline constexpr std::size_t in_an_hour = 60 + 12 + 4 + 1; // buckets of these widths
inline const freshet::series_key a_series{"receipts", "account 1"};

/// Some records at one instant.
struct made_records {
    freshet::time_point at;
    std::uint64_t count{};
};

/// The hour of this number, counted from 1970.
[[nodiscard]] inline auto hour(int number) -> freshet::time_point {
    return freshet::time_point{std::chrono::hours{number}};
}
[[nodiscard]] inline auto hours(int first, int end) -> freshet::time_range { return {hour(first), hour(end)}; }
inline constexpr freshet::time_range all_time{freshet::time_point::min(), freshet::time_point::max()};

/// What a run finds that reads these records; those out of the range it passes over.
[[nodiscard]] inline auto found_of(const freshet::time_range& range, const std::vector<made_records>& records,
                                   const std::vector<freshet::duration>& widths = hour_widths) -> freshet::recounted {
    freshet::recounted found{range, widths, {}};
    for (const auto width : widths) {
        std::map<freshet::time_point, std::uint64_t> counts;
        for (const auto& each : records) {
            if (!range.contains(each.at) || each.count == 0) { continue; }
            auto past = each.at.time_since_epoch() % width;
            past += past < freshet::duration::zero() ? width : freshet::duration::zero();
            counts[each.at - past] += each.count;
        }
        for (const auto& [start, count] : counts) { found.buckets.push_back({width, start, count}); }
    }
    return found;
}

[[nodiscard]] auto ticket_of(auto& sink, const freshet::series_key& series = a_series) -> freshet::run_ticket {
    const auto given = sink.begin_run(series);
    REQUIRE_MESSAGE(given.ok(), (given.ok() ? "" : given.why().note));
    return *given;
}

/// What a replacement that must succeed says.
auto replaced(auto& sink, const freshet::recounted& found, const freshet::run_ticket& ticket,
              const freshet::series_key& series = a_series) -> freshet::replaced_counts {
    const auto done = sink.replace(series, found, ticket);
    REQUIRE_MESSAGE(done.ok(), (done.ok() ? "" : done.why().note));
    return *done;
}

[[nodiscard]] auto read(auto& sink, freshet::duration width, const freshet::time_range& range = all_time,
                        const freshet::series_key& series = a_series) -> std::vector<freshet::bucket> {
    auto found = sink.read(series, range, width);
    REQUIRE_MESSAGE(found.ok(), (found.ok() ? "" : found.why().note));
    return *std::move(found);
}

/// Whether just these buckets are in the sink, of these widths and at all times.
[[nodiscard]] auto holds(auto& sink, const freshet::recounted& found, const freshet::series_key& series = a_series)
    -> bool {
    std::vector<freshet::bucket> all;
    for (const auto width : found.widths) {
        const auto some = read(sink, width, all_time, series);
        all.insert(all.end(), some.begin(), some.end());
    }
    return all == found.buckets;
}

[[nodiscard]] auto is_malformed(const auto& answer) -> bool {
    return !answer.ok() && answer.why().code == freshet::errc::malformed && !answer.why().note.empty() &&
           answer.why().note.find('\n') == std::string::npos;
}

/// Whether an older run's counts stay out where a newer run has replaced a block.
template <class Fixture>
[[nodiscard]] constexpr auto fences_runs() -> bool {
    if constexpr (requires { Fixture::fences_runs; }) { return Fixture::fences_runs; }
    return true;
}

/// Whether nobody and nothing comes between the buckets of a block.
template <class Fixture>
[[nodiscard]] constexpr auto keeps_blocks_whole() -> bool {
    if constexpr (requires { Fixture::keeps_blocks_whole; }) { return Fixture::keeps_blocks_whole; }
    return true;
}

/// What a sink must know: every bucket and every block by itself.
class plain_counts {
public:
    auto replace(const freshet::series_key& series, const freshet::recounted& found, const freshet::run_ticket& ticket)
        -> freshet::replaced_counts {
        freshet::replaced_counts done;
        std::map<std::pair<freshet::duration, freshet::time_point>, std::uint64_t> wanted;
        for (const auto& each : found.buckets) { wanted[{each.width, each.start}] = each.count; }
        const auto widest = found.widths.back();
        for (auto block = found.range.start; block < found.range.end; block += widest) {
            auto& last = tickets_[{series, widest, block}];
            const bool late = ticket.number < last;
            last = late ? last : ticket.number;
            for (const auto width : found.widths) {
                for (auto start = block; start < block + widest; start += width) {
                    auto& count = counts_[{series, width, start}];
                    const auto now = wanted[{width, start}];
                    ++(late ? done.overtaken : count == now ? done.unchanged : done.written);
                    count = late ? count : now;
                }
            }
        }
        return done;
    }

    [[nodiscard]] auto read(const freshet::series_key& series, const freshet::time_range& range,
                            freshet::duration width) const -> std::vector<freshet::bucket> {
        std::vector<freshet::bucket> all;
        for (const auto& [bucket, count] : counts_) {
            const auto& [of, its_width, start] = bucket;
            if (of == series && its_width == width && range.contains(start) && count != 0) {
                all.push_back({width, start, count});
            }
        }
        return all;
    }

private:
    using place = std::tuple<freshet::series_key, freshet::duration, freshet::time_point>;
    std::map<place, std::uint64_t> counts_;
    std::map<place, std::uint64_t> tickets_; // of each block the last
};

} // namespace laws
