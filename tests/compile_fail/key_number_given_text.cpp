// expect: a number field of a key takes an integer
#include <freshet/key/key_pattern.hpp>

auto use() -> bool { return freshet::key_pattern<"A#{id:d}">::format("x").ok(); }
