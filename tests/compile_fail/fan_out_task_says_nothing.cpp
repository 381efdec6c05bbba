// expect: the callback answers with a freshet::result
#include <vector>

#include <freshet/work/executor.hpp>
#include <freshet/work/fan_out.hpp>

auto use(freshet::inline_executor& workers) {
    return freshet::fan_out(workers, std::vector<int>{1, 2}, [](int) {});
}
