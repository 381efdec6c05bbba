// expect: ambiguous: a number field is followed by literal text
#include <freshet/key/key_pattern.hpp>

auto use() -> bool { return freshet::key_pattern<"{a:d}0">::parse("x").ok(); }
