// expect: deleted
#include <freshet/key/key_pattern.hpp>

#include <string>

auto use() -> bool { return freshet::key_pattern<"A#{name}">::parse(std::string{"A#b"}).ok(); }
