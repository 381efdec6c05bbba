// expect: a key pattern is not empty
#include <freshet/key/key_pattern.hpp>

auto use() -> bool { return freshet::key_pattern<"">::parse("x").ok(); }
