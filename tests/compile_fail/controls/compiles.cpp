// expect: error
#include <freshet/freshet.hpp>

auto use() -> bool { return freshet::result<int>{1}.ok(); }
