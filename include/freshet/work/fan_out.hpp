#pragma once

#include <cstddef>
#include <optional>
#include <ranges>
#include <span>
#include <stop_token>
#include <utility>
#include <vector>

#include <freshet/backend/clock.hpp>
#include <freshet/backend/executor.hpp>
#include <freshet/backend/shareable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/isolated.hpp>

namespace freshet {

/// An item's failure, by its place among the items.
struct item_failure {
    std::size_t item{};
    error why;
    friend auto operator==(const item_failure&, const item_failure&) -> bool = default;
};

/// How independent tasks ended; every item counts in exactly one of the three.
struct fan_out_summary {
    std::size_t succeeded{};
    std::vector<item_failure> failed; ///< ascending
    std::vector<std::size_t> expired; ///< not begun, because of a stop or the deadline; ascending

    [[nodiscard]] auto ok() const noexcept -> bool { return failed.empty() && expired.empty(); }
    friend auto operator==(const fan_out_summary&, const fan_out_summary&) -> bool = default;
};

namespace detail {

template <class Executor, class Items, class MayBegin, class Task>
[[nodiscard]] auto fan_out(Executor& workers, const Items& items, MayBegin may_begin, Task& task) -> fan_out_summary {
    static_assert(executor<Executor>, "fan_out needs an executor: each(std::size_t n, body) -> void");
    static_assert(std::ranges::contiguous_range<const Items> && std::ranges::sized_range<const Items>,
                  "the items stand side by side: a span, a vector or an array");
    const std::span all{std::ranges::data(items), std::ranges::size(items)};

    struct outcome {
        bool begun{};
        std::optional<error> why;
    };
    std::vector<outcome> outcomes(all.size());
    workers.each(all.size(), [&](std::size_t i) {
        if (!may_begin()) { return; }
        outcomes[i].begun = true;
        if (auto answer = isolated(task, std::as_const(all[i])); !answer) { outcomes[i].why = std::move(answer).why(); }
    });

    fan_out_summary summary;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        if (!outcomes[i].begun) { summary.expired.push_back(i); }
        else if (outcomes[i].why) { summary.failed.push_back({i, *std::move(outcomes[i].why)}); }
        else { ++summary.succeeded; }
    }
    return summary;
}

} // namespace detail

/// Runs `task(item)` on every item of a span, vector or array; one item's failure never stops another.
///
/// `task` takes a `const Item&` and answers with `result<void>`; whatever it throws is that item's failure
/// (`errc::failed`). It runs on as many threads at once as the executor has.
template <class Executor, class Items, class Task>
[[nodiscard]] auto fan_out(Executor& workers, const Items& items, Task&& task) -> fan_out_summary {
    return detail::fan_out(workers, items, [] { return true; }, task);
}

/// The same, but no item begins after a stop or at the deadline; those are `expired`. What has begun runs to its end.
template <class Executor, class Clock, class Items, class Task>
[[nodiscard]] auto fan_out(Executor& workers, const Clock& clock, const std::stop_token& stop, const deadline& until,
                           const Items& items, Task&& task) -> fan_out_summary {
    static_assert(freshet::clock<Clock> && shareable<Clock>,
                  "fan_out needs a clock that is shareable: several threads ask it at once");
    const auto may_begin = [&] { return !stop.stop_requested() && !until.passed(clock.now()); };
    return detail::fan_out(workers, items, may_begin, task);
}

} // namespace freshet
