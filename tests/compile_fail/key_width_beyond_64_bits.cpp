// expect: unknown kind of key field
#include <freshet/key/key_pattern.hpp>

auto use() -> bool { return freshet::key_pattern<"A#{id:021d}">::parse("x").ok(); }
