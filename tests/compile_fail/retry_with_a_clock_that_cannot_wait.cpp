// expect: retry needs a timer
#include <stop_token>

#include <freshet/core/result.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/random_source.hpp>
#include <freshet/work/retry.hpp>

struct only_a_clock {
    auto now() const -> freshet::time_point { return {}; }
};

auto use(only_a_clock& clock, freshet::random_source& random) {
    return freshet::retry(freshet::retry_plan{}, clock, std::stop_token{}, freshet::deadline::never(), random,
                          []() -> freshet::result<void> { return {}; });
}
