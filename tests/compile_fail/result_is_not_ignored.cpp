// expect: nodiscard
#include <freshet/core/result.hpp>

auto risky() -> freshet::result<int>;

void use() { risky(); }
