// expect: fan_out needs a clock that is shareable
#include <stop_token>
#include <vector>

#include <freshet/core/result.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/executor.hpp>
#include <freshet/work/fan_out.hpp>

struct own_clock {
    auto now() const -> freshet::time_point { return {}; }
};

auto use(freshet::inline_executor& workers, const own_clock& clock) {
    return freshet::fan_out(workers, clock, std::stop_token{}, freshet::deadline::never(), std::vector<int>{1, 2},
                            [](int) -> freshet::result<void> { return {}; });
}
