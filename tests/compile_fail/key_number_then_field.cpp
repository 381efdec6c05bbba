// expect: ambiguous: a number field is followed by literal text
#include <freshet/key/key_pattern.hpp>

auto use() -> bool { return freshet::key_pattern<"{a:05d}{b:uuid}">::parse("x").ok(); }
