#include <freshet/count/page_loop.hpp>

#include <cstddef>
#include <string>

#include <doctest/doctest.h>

TEST_CASE("tokens that never come again close nothing") {
    freshet::page_loop loop;
    for (int i = 0; i != 10'000; ++i) { REQUIRE(!loop.closed_by(std::to_string(i))); }
}

TEST_CASE("the same token twice running closes the list at once") {
    freshet::page_loop loop;
    CHECK(!loop.closed_by("a"));
    CHECK(loop.closed_by("a"));
}

TEST_CASE("a circle of any length, after any beginning, is found before its pages came three times") {
    for (std::size_t tail = 0; tail != 40; ++tail) {
        for (std::size_t length = 1; length != 40; ++length) {
            CAPTURE(tail);
            CAPTURE(length);
            freshet::page_loop loop;
            std::size_t asked = 1;
            const auto token = [&](std::size_t i) { return std::to_string(i < tail ? i : tail + (i - tail) % length); };
            while (!loop.closed_by(token(asked - 1))) { REQUIRE(++asked <= 3 * (tail + length)); }
        }
    }
}

TEST_CASE("an empty token is one like any other") {
    freshet::page_loop loop;
    CHECK(!loop.closed_by(""));
    CHECK(loop.closed_by(""));
}
