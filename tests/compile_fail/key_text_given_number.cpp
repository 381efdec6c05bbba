// expect: a text field of a key takes what converts to std::string_view
#include <freshet/key/key_pattern.hpp>

auto use() -> bool { return freshet::key_pattern<"A#{name}">::format(7).ok(); }
