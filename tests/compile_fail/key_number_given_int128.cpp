// expect: takes an integer of at most 64 bits
// flags: -std=gnu++20
#include <freshet/key/key_pattern.hpp>

auto use() -> bool { return freshet::key_pattern<"A#{id:d}">::format(static_cast<__int128>(1) << 64).ok(); }
