// expect: deleted
#include <freshet/key/key_registry.hpp>

#include <string>

using line = freshet::entity<"LINE", freshet::key_pattern<"LINE#{id}">>;

auto use() -> bool { return freshet::key_registry<line>::match(std::string{"LINE#7"}).ok(); }
