// expect: words that no compiler says
#include <freshet/core/result.hpp>

auto use() -> int { return freshet::result<int>{1}; }
