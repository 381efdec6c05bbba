#include <freshet/job/item_groups.hpp>

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

using groups = freshet::item_groups<int>;
using group = freshet::item_group<int>;

auto some() -> groups {
    groups made;
    made.add("b", 1);
    made.add("a", 2);
    made.add("b", 3);
    made.add("\xff", 4);
    made.add("", 5);
    return made;
}

} // namespace

TEST_CASE("groups ascend bytewise, and their items stand as they were listed") {
    auto all = some();
    CHECK(all.size() == 4);
    CHECK(all.items() == 5);
    CHECK(all.take(9) == std::vector<group>{{"", {5}}, {"a", {2}}, {"b", {1, 3}}, {"\xff", {4}}});
    CHECK(all.size() == 0);
    CHECK(all.items() == 0);
}

TEST_CASE("what is taken is gone, and no more is taken than was asked for") {
    auto all = some();
    CHECK(all.take(0).empty());
    CHECK(all.take(3).back() == group{"b", {1, 3}});
    CHECK(all.items() == 1);
    CHECK(all.take(3) == std::vector<group>{{"\xff", {4}}});
    CHECK(all.take(3).empty());
}

TEST_CASE("after a group come those behind it, be it there or not") {
    auto all = some();
    all.after("a");
    CHECK(all.size() == 2);
    CHECK(all.items() == 3);
    all.after("aa");
    CHECK(all.size() == 2);
    all.after("zzz");
    CHECK(all.take(9) == std::vector<group>{{"\xff", {4}}}); // bytes compare as unsigned
    auto without_first = some();
    without_first.after("");
    CHECK(without_first.size() == 3);
}
