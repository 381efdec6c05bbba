// expect: name occurs twice
#include <freshet/key/key_pattern.hpp>

auto use() -> bool { return freshet::key_pattern<"{id}#{id:d}">::parse("x").ok(); }
