// expect: error
#include <freshet/core/result.hpp>

auto use() -> bool { return freshet::result<int>{1}.ok(); }
