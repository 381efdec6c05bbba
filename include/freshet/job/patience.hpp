#pragma once

#include <cstdint>
#include <stop_token>
#include <type_traits>
#include <utility>

#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/isolated.hpp>
#include <freshet/work/random_source.hpp>
#include <freshet/work/retry.hpp>
#include <freshet/work/retry_plan.hpp>

namespace freshet {

/// What came of a call that may be repeated, and whether it had all the time that it needs.
template <class T>
struct timed_answer {
    result<T> answer;
    unsigned retries{};
    /// It failed, and that is not its own fault: a stop or the deadline ended it, or kept it from its next try.
    bool cut_short{};
};

/// Calls until it succeeds, the plan gives up, the deadline is too near or a stop is asked for, as `retry` does; what
/// the call throws is its failure.
///
/// Borrows the timer. A copyable value for one thread at a time.
template <class Timer>
class patience {
public:
    patience(Timer& timer, const retry_options& options, std::uint64_t seed) noexcept
        : timer_{&timer}, plan_{options}, random_{seed} {}

    /// A failure is cut short where the plan had gone on, and where the call says `expired` after the stop or deadline.
    template <class Call>
    [[nodiscard]] auto in_time(const std::stop_token& stop, const deadline& until, Call&& call)
        -> timed_answer<typename std::invoke_result_t<Call&>::value_type> {
        unsigned calls = 0;
        auto answer = retry(plan_, *timer_, stop, until, random_, [&] {
            ++calls;
            return isolated(call);
        });
        if (answer.ok()) { return {std::move(answer), calls - 1, false}; }
        const auto code = answer.why().code;
        const bool ended = code == errc::expired && (stop.stop_requested() || until.passed(now()));
        return {std::move(answer), calls - 1, ended || plan_.verdict(code, calls, 0).again};
    }

    /// For a call that a stop does not make needless.
    template <class Call>
    [[nodiscard]] auto ask(const deadline& until, Call&& call) -> std::invoke_result_t<Call&> {
        return in_time(std::stop_token{}, until, call).answer;
    }

    /// One for another thread, with waits of its own.
    [[nodiscard]] auto another() -> patience { return {*timer_, plan_.options(), random_()}; }

    [[nodiscard]] auto now() const -> time_point { return timer_->now(); }

private:
    Timer* timer_;
    retry_plan plan_;
    random_source random_;
};

} // namespace freshet
