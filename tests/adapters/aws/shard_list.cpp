#include <adapters/aws/shard_list.hpp>

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/sequence_number.hpp>
#include <freshet/core/time.hpp>

#include <adapters/aws/shard_position.hpp>

using adapters::aws::shard_list;
using adapters::aws::shard_place;
using names = std::vector<std::string>;

namespace {

const auto reading = shard_place::after(*freshet::sequence_number::parse("7"));
const auto done = shard_place::done(freshet::time_point{});

/// a, forgotten, had b; b had c and d; c had e. f came of nothing.
auto family() -> shard_list {
    shard_list list;
    list.add("e", "c", false); // children may be listed before their parents
    list.add("b", "a", true);
    list.add("c", "b", true);
    list.add("d", "b", false);
    list.add("f", "", false);
    return list;
}

} // namespace

TEST_CASE("a list of shards knows what is closed, and which are the newest") {
    const auto list = family();
    CHECK(list.has("b"));
    CHECK(!list.has("a"));
    CHECK(list.closed("b"));
    CHECK(!list.closed("d"));
    CHECK(list.parent_of("c") == "b");
    CHECK(list.parent_of("f").empty());
    CHECK(list.parent_of("unheard of").empty());
    CHECK(list.newest() == names{"d", "e", "f"});
    shard_list stale;
    stale.add("parent", "", false);
    stale.add("child", "parent", false);
    CHECK(stale.closed("parent"));
}

TEST_CASE("who names no shard begins with those whose parent is none, or forgotten") {
    CHECK(family().entering({}) == names{"b", "f"});
    CHECK(shard_list{}.entering({}).empty());
}

TEST_CASE("a child waits until its parent is done") {
    const auto list = family();
    CHECK(list.entering({{"b", reading}, {"f", reading}}).empty());
    CHECK(list.entering({{"b", done}, {"f", reading}}) == names{"c", "d"});
    CHECK(list.entering({{"c", reading}, {"d", reading}, {"f", reading}}).empty());
    CHECK(list.entering({{"c", done}, {"d", reading}, {"f", reading}}) == names{"e"});
}

TEST_CASE("what a named shard descends from has been read, so that its siblings may be") {
    const auto list = family();
    CHECK(list.entering({{"e", reading}}) == names{"d", "f"});
    CHECK(list.entering({{"d", reading}}) == names{"c", "f"});
}

TEST_CASE("a shard whose named parent is forgotten is entered") {
    shard_list list;
    list.add("child", "parent", false);
    CHECK(list.entering({{"parent", done}}) == names{"child"});
}

TEST_CASE("a list that runs in a circle ends all the same") {
    shard_list list;
    list.add("a", "b", true);
    list.add("b", "a", true);
    CHECK(list.entering({}).empty());
    CHECK(list.entering({{"a", reading}}).empty());
    CHECK(list.newest().empty());
}
