// expect: the registry has no such entity
#include <freshet/key/key_registry.hpp>

using freshet::entity;
using freshet::key_pattern;
using line = entity<"LINE", key_pattern<"LINE#{id}">>;
using word = entity<"WORD", key_pattern<"WORD#{id}">>;

auto use(const freshet::key_registry<line>::match_type& match) -> bool { return match.get_if<word>().has_value(); }
