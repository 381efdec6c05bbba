// expect: a number field of a key takes an integer of at most 64 bits, no character, no bool
#include <freshet/key/key_pattern.hpp>

auto use() -> bool { return freshet::key_pattern<"A#{id:d}">::format(L'a').ok(); }
