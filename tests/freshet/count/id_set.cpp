#include <freshet/count/id_set.hpp>

#include <cstddef>
#include <random>
#include <set>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <support/allocations.hpp>
#include <support/cases.hpp>

using namespace std::string_view_literals;

TEST_CASE("an id is new once, also an empty one and one with a zero byte") {
    freshet::id_set ids;
    CHECK(!ids.contains("a"));
    CHECK(ids.insert("a"));
    CHECK(!ids.insert("a"));
    CHECK(!ids.contains(""));
    CHECK(ids.insert(""));
    CHECK(!ids.insert(""));
    CHECK(ids.insert("a\0b"sv));
    CHECK(ids.insert("a\0c"sv));
    CHECK(!ids.insert("a\0b"sv));
    CHECK(ids.size() == 4);
}

TEST_CASE("what was cleared is new again") {
    freshet::id_set ids;
    for (int round = 0; round != 3; ++round) {
        for (int i = 0; i != 100; ++i) { CHECK(ids.insert(std::to_string(i))); }
        CHECK(ids.size() == 100);
        ids.clear();
        CHECK(ids.size() == 0);
        CHECK(!ids.contains("7"));
    }
}

TEST_CASE("it answers as a std::set does, through fillings and clearings of any size") {
    CAPTURE(support::seed());
    std::mt19937_64 random{support::seed()};
    freshet::id_set ids;
    std::set<std::string> model;
    for (std::size_t i = 0; i != support::cases(30'000); ++i) {
        if (random() % 2000 == 0) {
            ids.clear();
            model.clear();
        }
        if (random() % 5000 == 0) {
            const auto copy = ids;
            ids = copy;
        }
        const auto id = std::to_string(random() % 1000) + std::string(random() % 3, 'x');
        REQUIRE(ids.contains(id) == model.contains(id));
        REQUIRE(ids.insert(id) == model.insert(id).second);
        REQUIRE(ids.size() == model.size());
    }
}

TEST_CASE("filling and clearing again allocates nothing") {
    freshet::id_set ids;
    const auto fill = [&] {
        for (int i = 0; i != 1000; ++i) {
            ids.insert("an id that is longer than a short string " + std::string(1, 'a'));
        }
        for (char c = 'a'; c != 'z'; ++c) { ids.insert(std::string_view{&c, 1}); }
        ids.clear();
    };
    fill();
    const auto before = support::allocations.load();
    for (char c = 'a'; c != 'z'; ++c) { ids.insert(std::string_view{&c, 1}); }
    ids.clear();
    CHECK(support::allocations.load() == before);
}
