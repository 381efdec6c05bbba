// expect: stands only at the end of a key pattern
#include <freshet/key/key_pattern.hpp>

auto use() -> bool { return freshet::key_pattern<"A#{rest:*}#B">::parse("x").ok(); }
