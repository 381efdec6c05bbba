#include <everything.hpp>

auto other() -> freshet::result<int>;

auto main() -> int { return other().value(); }
