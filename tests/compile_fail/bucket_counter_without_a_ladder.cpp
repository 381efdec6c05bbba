// expect: a bucket_counter counts by a bucket_ladder
#include <freshet/count/bucket_counter.hpp>

struct no_ladder {};

auto use() -> freshet::bucket_counter<no_ladder>;
auto records() -> std::uint64_t { return use().records(); }
