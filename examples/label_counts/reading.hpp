#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <freshet/cache/cache_events.hpp>
#include <freshet/cache/cached.hpp>
#include <freshet/cache/coded_store.hpp>
#include <freshet/cache/key_statistics.hpp>
#include <freshet/cache/ttl_cache.hpp>
#include <freshet/core/observe.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/report/log_line.hpp>
#include <freshet/work/deadline.hpp>
#include <label_counts/counting.hpp>
#include <label_counts/counts_codec.hpp>
#include <label_counts/settings.hpp>
#include <support/log.hpp>

namespace label_counts {

/// What a reader got of a label.
struct label_reading {
    std::string label;
    freshet::result<freshet::cached<counts>> answer; ///< the second one
    freshet::key_count asked{};                      ///< both times
};

/// What readers get, and how long that took.
struct reading {
    std::vector<label_reading> labels;
    std::size_t timed{};                     ///< labels that came from the cache and were counted too, to compare
    std::chrono::nanoseconds from_cache{};   ///< reading those
    std::chrono::nanoseconds in_real_time{}; ///< counting those

    using microseconds = std::chrono::duration<double, std::micro>;
    /// What each took, where any was timed.
    [[nodiscard]] auto cached_read() const -> microseconds { return microseconds{from_cache} / timed; }
    [[nodiscard]] auto real_time_count() const -> microseconds { return microseconds{in_real_time} / timed; }
    /// How many times as long counting takes as reading, where any was timed.
    [[nodiscard]] auto ratio() const -> double { return microseconds{in_real_time} / microseconds{from_cache}; }
};

/// Reads each label twice: from the store of bytes, else counted in real time, which is not kept: that is for the
/// updater. What came from the store is counted too, for comparison.
template <class Store, class Clock>
[[nodiscard]] auto read(Store& bytes, const Clock& clock, const counter& count, std::span<const std::string> labels,
                        const support::log& log) -> reading {
    using stopwatch = std::chrono::steady_clock;
    using freshet::on;
    const auto warn = [&log](const auto& event) {
        log.line(support::log_level::warning, "{}", freshet::log_line(event));
    };
    freshet::key_statistics asked{labels.size()};
    const auto note = [&asked](const auto& event) { asked.on(event); };
    freshet::coded_store store{bytes, counts_codec{}, freshet::shared_watch{on<freshet::entry_undecodable>(warn)}};
    freshet::ttl_cache cache{store,
                             clock,
                             {},
                             freshet::shared_watch{on<freshet::cache_hit>(note), on<freshet::cache_miss>(note),
                                                   on<freshet::cache_bypassed>(warn)}};
    const auto get = [&](const std::string& label) {
        return cache.get_or_load(label, [&](freshet::deadline until) -> freshet::result<freshet::loaded<counts>> {
            auto counted = count(label, until);
            if (!counted) { return std::move(counted).why(); }
            return freshet::loaded<counts>{*std::move(counted), freshet::duration::zero()};
        });
    };
    for (const auto& label : labels) { static_cast<void>(get(label)); }
    reading made;
    for (const auto& label : labels) {
        const auto began = stopwatch::now();
        made.labels.push_back({label, get(label)});
        const auto took = stopwatch::now() - began;
        const auto& answer = made.labels.back().answer;
        if (!answer || answer->origin != freshet::cache_origin::fresh) { continue; }
        const auto counting = stopwatch::now();
        if (!count(label, freshet::deadline::never())) { continue; }
        made.in_real_time += stopwatch::now() - counting;
        made.from_cache += took;
        ++made.timed;
    }
    for (const auto& counted : asked.keys()) {
        const auto same = [&](const label_reading& each) { return each.label == counted.key; };
        if (const auto at = std::find_if(made.labels.begin(), made.labels.end(), same); at != made.labels.end()) {
            at->asked = counted;
        }
    }
    return made;
}

/// The code that a reading ends the program with.
[[nodiscard]] inline auto code_of(const reading& done) -> exit_code {
    const auto failed = [](const label_reading& each) { return !each.answer; };
    const auto first = std::find_if(done.labels.begin(), done.labels.end(), failed);
    if (first == done.labels.end()) { return all_well; }
    return std::all_of(first, done.labels.end(), failed) && first == done.labels.begin()
               ? code_of_failure(first->answer.why())
               : some_failed;
}

} // namespace label_counts
