#include <freshet/testing/shuffle.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/work/random_source.hpp>

using freshet::random_source;
using freshet::testing::shuffle;

TEST_CASE("elements change their places and nothing else, also those that can only be moved") {
    std::vector<std::unique_ptr<int>> elements;
    for (int i = 0; i < 20; ++i) { elements.push_back(std::make_unique<int>(i)); }
    random_source random{7};
    shuffle(std::span{elements}, random);
    std::vector<int> times(20);
    bool moved = false;
    for (std::size_t i = 0; i < 20; ++i) {
        ++times[static_cast<std::size_t>(*elements[i])];
        moved = moved || static_cast<std::size_t>(*elements[i]) != i;
    }
    CHECK(moved);
    CHECK(times == std::vector<int>(20, 1));
}

TEST_CASE("the same numbers give the same order") {
    std::vector<int> first{1, 2, 3, 4, 5, 6, 7, 8}, second = first;
    random_source random{7}, same{7};
    shuffle(std::span{first}, random);
    shuffle(std::span{second}, same);
    CHECK(first == second);
}

TEST_CASE("nothing and one element stay as they are") {
    random_source random{7};
    shuffle(std::span<int>{}, random);
    int one = 1;
    shuffle(std::span{&one, 1}, random);
    CHECK(one == 1);
}
