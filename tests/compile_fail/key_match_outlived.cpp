// expect: deleted
#include <freshet/key/key_registry.hpp>

using line = freshet::entity<"LINE", freshet::key_pattern<"LINE#{id}">>;

auto use() -> freshet::entity_key { return freshet::key_registry<line>::match("LINE#7").erased(); }
