#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include <freshet/backend/bucket_sink.hpp>
#include <freshet/backend/series_key.hpp>
#include <freshet/backend/shareable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>

#include <adapters/recounted_blocks.hpp>

namespace adapters::memory {

/// A bucket_sink in this process. It ends with the object. A replacement costs a step for each block of its range, also
/// of the empty ones, and for each bucket that is not empty.
///
/// Runs of a series whose widths have one in common have the widest in common, else an older one may undo in it what a
/// newer one found. Never fails but with `malformed`.
class bucket_sink {
public:
    using is_shareable = void;

    [[nodiscard]] auto begin_run(const freshet::series_key& series) -> freshet::result<freshet::run_ticket> {
        const std::scoped_lock lock{mutex_};
        return freshet::run_ticket{++known_[series].last_ticket};
    }

    [[nodiscard]] auto replace(const freshet::series_key& series, const freshet::recounted& found,
                               const freshet::run_ticket& ticket) -> freshet::result<freshet::replaced_counts> {
        if (auto usable = check_recounted(found); !usable) { return usable.why(); }
        const std::scoped_lock lock{mutex_};
        auto& of = known_[series];
        const auto widest = found.widths.back();
        freshet::replaced_counts done;
        for (auto start = found.range.start; start < found.range.end; start += widest) {
            const freshet::time_range block{start, start + widest};
            const auto all = buckets_in(block, found.widths);
            auto& last = of.tickets[{widest, start}];
            if (ticket.number < last) {
                done.overtaken += all;
                continue;
            }
            last = ticket.number;
            const auto written = write(of.counts, found, block);
            done.written += written;
            done.unchanged += all - written;
        }
        return done;
    }

    [[nodiscard]] auto read(const freshet::series_key& series, const freshet::time_range& range,
                            freshet::duration width) -> freshet::result<std::vector<freshet::bucket>> {
        const std::scoped_lock lock{mutex_};
        const auto of = known_.find(series);
        if (of == known_.end()) { return std::vector<freshet::bucket>{}; }
        return stored(of->second.counts, range, width);
    }

    /// All that a run was begun for.
    [[nodiscard]] auto all_series() -> freshet::result<std::vector<freshet::series_key>> {
        const std::scoped_lock lock{mutex_};
        std::vector<freshet::series_key> all;
        for (const auto& [series, counts] : known_) { all.push_back(series); }
        return all;
    }

private:
    using place = std::pair<freshet::duration, freshet::time_point>; // a width, and where one of it begins
    using filled = std::map<place, std::uint64_t>;                   // the counts of buckets that are not empty
    struct series_counts {
        std::uint64_t last_ticket{};
        std::map<place, std::uint64_t> tickets; // of each block the last
        filled counts;
    };

    [[nodiscard]] static auto stored(const filled& from, const freshet::time_range& range, freshet::duration width)
        -> std::vector<freshet::bucket> {
        std::vector<freshet::bucket> all;
        if (range.empty()) { return all; }
        const auto end = from.lower_bound({width, range.end});
        for (auto at = from.lower_bound({width, range.start}); at != end; ++at) {
            all.push_back({width, at->first.second, at->second});
        }
        return all;
    }

    /// Writes what is found in a block; how many buckets had another count.
    static auto write(filled& to, const freshet::recounted& found, const freshet::time_range& block) -> std::size_t {
        std::size_t written = 0;
        for (const auto width : found.widths) {
            const auto had = stored(to, block, width);
            for (const auto& each : changed_buckets(had, part_of(found.buckets, width, block))) {
                ++written;
                if (each.count == 0) {
                    to.erase({width, each.start});
                } else {
                    to[{width, each.start}] = each.count;
                }
            }
        }
        return written;
    }

    std::mutex mutex_;
    std::map<freshet::series_key, series_counts> known_;
};

static_assert(freshet::bucket_sink<bucket_sink>);
static_assert(freshet::shareable<bucket_sink>);

} // namespace adapters::memory
