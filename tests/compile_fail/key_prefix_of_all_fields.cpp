// expect: all fields of the key are given: use format
#include <freshet/key/key_pattern.hpp>

auto use() -> bool { return freshet::key_pattern<"A#{a}#{b:d}">::prefix("x", 1).ok(); }
