// expect: occurs in the partition and in the sort pattern
#include <freshet/key/entity.hpp>

using freshet::key_pattern;
auto use() -> std::size_t {
    return freshet::entity<"LINE", key_pattern<"A#{id}">, key_pattern<"LINE#{id:d}">>::field_count;
}
