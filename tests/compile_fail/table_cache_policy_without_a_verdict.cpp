// expect: a table_cache's policy decides by the facts
#include <freshet/cache/table_cache.hpp>
#include <freshet/testing/manual_clock.hpp>

struct table {
    using is_shareable = void;
    using row_type = int;
    using patch_type = int;
    auto get(const freshet::row_key&) -> freshet::result<std::optional<int>>;
    auto put(int, const freshet::write_condition<int>&) -> freshet::result<void>;
    auto update(const freshet::row_key&, int, const freshet::write_condition<int>&) -> freshet::result<void>;
    auto erase(const freshet::row_key&, const freshet::write_condition<int>&) -> freshet::result<void>;
    auto scan(const freshet::page_request&) -> freshet::result<freshet::page<int>>;
    auto query(const freshet::index_query&, const freshet::page_request&) -> freshet::result<freshet::page<int>>;
};

auto scan(std::vector<freshet::cached_table<table>> tables, freshet::testing::manual_clock& clock) {
    const auto policy = [](const freshet::refresh_facts& facts) { return facts.enabled; };
    return freshet::table_cache{tables, clock, {}, policy}.scan("students").ok();
}
