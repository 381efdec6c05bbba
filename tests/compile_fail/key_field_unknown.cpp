// expect: a key has no field of that name
#include <freshet/key/key_pattern.hpp>

auto use() -> bool { return freshet::key_pattern<"A#{id}">::fields_type{"x"}.get<"line_id">().empty(); }
