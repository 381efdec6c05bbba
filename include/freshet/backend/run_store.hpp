#pragma once

#include <concepts>
#include <optional>
#include <string_view>
#include <vector>

#include <freshet/backend/run_report.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time_range.hpp>

namespace freshet {

/// A `run_store` keeps the reports of jobs' executions: the heartbeat while one runs, its outcome afterwards.
///
/// Laws:
///  1. After a `put`, `runs` and `latest` give an equal report, until another `put` of the same job, start and run,
///     which replaces it. What the store is given it gives back: texts byte for byte where they are UTF-8, instants to
///     the microsecond.
///  2. `runs` gives the reports of one job whose `started_at` lies in the range, ascending by it, those of one instant
///     by `run`, bytewise. An empty range is an empty list.
///  3. `latest` gives the last one in that order over all time; a job that never ran has none.
///  4. Jobs do not see each other's reports, whatever their names have in common.
///  5. A report without a job or a run, or with one that the store cannot keep, is `malformed`; one beyond its limits is
///     `too_large`. Neither is stored in part.
///  6. A failed call has an unknown outcome, and may be repeated.
/// Reads see every write that ended before they began.
template <class S>
concept run_store = requires(S& s, const run_report& report, std::string_view job, const time_range& started) {
    { s.put(report) } -> std::same_as<result<void>>;
    { s.runs(job, started) } -> std::same_as<result<std::vector<run_report>>>;
    { s.latest(job) } -> std::same_as<result<std::optional<run_report>>>;
};

} // namespace freshet
