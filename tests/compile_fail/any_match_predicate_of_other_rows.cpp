// expect: any_match asks its predicate about each row
#include <string>

#include <adapters/memory/table.hpp>
#include <freshet/cache/any_match.hpp>

auto any(adapters::memory::table<freshet::testing::manual_clock>& orders) {
    return freshet::any_match(orders, [](const std::string& state) { return state == "sleeping"; }).ok();
}
