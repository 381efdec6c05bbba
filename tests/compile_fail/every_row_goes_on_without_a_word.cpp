// expect: go_on answers with a freshet::result<void>
#include <freshet/cache/every_row.hpp>
#include <freshet/core/result.hpp>

struct numbers {
    using row_type = int;
    auto query(const freshet::index_query&, const freshet::page_request&) -> freshet::result<freshet::page<int>>;
};

auto use(numbers& table) {
    return freshet::every_row(
        table, {}, 0, [] { return true; }, [](int) {});
}
