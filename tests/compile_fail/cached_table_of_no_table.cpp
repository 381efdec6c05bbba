// expect: a cached_table needs a table
#include <freshet/cache/cached_table.hpp>

struct table {
    using row_type = int;
    using patch_type = int;
    auto scan(const freshet::page_request&) -> freshet::result<freshet::page<int>>;
};

auto start(table& from, freshet::result<freshet::row_key> (*key_of)(const int&)) {
    return freshet::cached_table{"students", from, key_of};
}
