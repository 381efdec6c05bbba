#include <everything.hpp>

auto other() -> freshet::result<int>;
auto other() -> freshet::result<int> { return 0; }
