// expect: ambiguous: a text field is followed by '#'
#include <freshet/key/key_pattern.hpp>

auto use() -> bool { return freshet::key_pattern<"{a}-B">::parse("x").ok(); }
