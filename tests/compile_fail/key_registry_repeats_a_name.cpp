// expect: two entities of a key registry have one name
#include <freshet/key/key_registry.hpp>

using freshet::entity;
using freshet::key_pattern;
using line = entity<"LINE", key_pattern<"LINE#{id}">>;
using word = entity<"LINE", key_pattern<"WORD#{id}">>;

auto use() -> bool { return freshet::key_registry<line, word>::match("").ok(); }
