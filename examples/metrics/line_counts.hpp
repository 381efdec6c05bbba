#pragma once

#include <map>
#include <optional>
#include <utility>

#include <freshet/backend/series_key.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>
#include <freshet/count/bucket_counter.hpp>
#include <freshet/count/cross_check.hpp>
#include <freshet/count/ladder.hpp>
#include <metrics/intake.hpp>
#include <metrics/log_block.hpp>
#include <metrics/outcome.hpp>
#include <metrics/record.hpp>

namespace metrics {

/// Counts records as they come, each series for itself, and a witness beside each `Counter` says whether it counted
/// all of them. Memory grows with the hours that hold something.
template <class Counter = freshet::bucket_counter<>>
class line_counts {
public:
    explicit line_counts(const freshet::time_range& window) noexcept : window_{window} {}

    /// A record and its instant, where it has one that can be read.
    void add(const record& each, std::optional<freshet::time_point> at) {
        auto& to = series_[each.series];
        ++to.log.read;
        if (!at) {
            ++(each.created_at.empty() ? to.log.no_timestamp : to.log.bad_timestamp);
        } else if (!window_.contains(*at)) {
            ++to.log.outside;
        } else {
            to.counter.add(*at);
            to.witness.add(*at);
        }
    }

    /// What was counted, once all lines have been read.
    [[nodiscard]] auto outcome_of(intake_report input) const -> outcome {
        outcome made;
        made.header.window = window_;
        made.set_input(std::move(input));
        summed_buckets sum;
        for (const auto& [series, counted] : series_) {
            made.header.affected.push_back(series);
            auto log = counted.log;
            log.series = series;
            log.steps = 2;
            log.check = freshet::cross_check(counted.counter, counted.witness);
            log.check_failed = !log.check->ok();
            if (log.check_failed) { log.fault = freshet::error{freshet::errc::failed, *log.check->fault}; }
            made.series.push_back(std::move(log));
            made.records += counted.witness.records();
            for (const auto& each : counted.counter.buckets()) { sum.add(each); }
        }
        made.buckets = sum.all();
        return made;
    }

private:
    struct counted_series {
        Counter counter;
        freshet::record_witness witness{freshet::hour_ladder::finest()};
        series_log log;
    };

    freshet::time_range window_;
    std::map<freshet::series_key, counted_series> series_;
};

} // namespace metrics
