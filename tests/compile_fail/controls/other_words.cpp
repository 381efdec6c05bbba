// expect: words that no compiler says
#include <freshet/freshet.hpp>

auto use() -> int { return freshet::result<int>{1}; }
