// expect: fan_out needs an executor: each
#include <vector>

#include <freshet/core/result.hpp>
#include <freshet/work/fan_out.hpp>

struct crew {
    void all(std::size_t) {}
};

auto use(crew& workers) {
    return freshet::fan_out(workers, std::vector<int>{1, 2}, [](int) -> freshet::result<void> { return {}; });
}
