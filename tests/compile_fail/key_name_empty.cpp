// expect: name is letters, digits and '_'
#include <freshet/key/key_pattern.hpp>

auto use() -> bool { return freshet::key_pattern<"A#{}">::parse("x").ok(); }
