// expect: braces of a key pattern are unbalanced or nested
#include <freshet/key/key_pattern.hpp>

auto use() -> bool { return freshet::key_pattern<"A#{id{x}}">::parse("x").ok(); }
