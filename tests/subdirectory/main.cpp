#include <freshet/freshet.hpp>

auto main() -> int { return freshet::result<int>{0}.value(); }
