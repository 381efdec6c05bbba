// expect: a key takes one value a field
#include <freshet/key/key_pattern.hpp>

auto use() -> bool { return freshet::key_pattern<"A#{a}#{b:d}">::format("x").ok(); }
