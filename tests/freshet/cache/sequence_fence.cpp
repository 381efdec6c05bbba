#include <freshet/cache/sequence_fence.hpp>

#include <cstddef>
#include <string>

#include <doctest/doctest.h>

#include <freshet/core/sequence_number.hpp>

namespace {

auto number(const std::string& text) -> freshet::sequence_number { return *freshet::sequence_number::parse(text); }
auto key(std::size_t n) -> freshet::row_key { return {"p", std::to_string(n)}; }

} // namespace

TEST_CASE("a fence knows each item's last number, and nothing of others") {
    freshet::sequence_fence fence{10};
    CHECK(fence.last(key(1)) == nullptr);
    fence.advance(key(1), number("5"));
    fence.advance(key(1), number("12345678901234567890123456789012345678"));
    REQUIRE(fence.last(key(1)) != nullptr);
    CHECK(*fence.last(key(1)) == number("12345678901234567890123456789012345678"));
    CHECK(fence.last(key(2)) == nullptr);
    CHECK(fence.last({"p1", ""}) == nullptr);
    fence.forget_all();
    CHECK(fence.last(key(1)) == nullptr);
}

TEST_CASE("a fence remembers as many items as it was told at least, and at most twice as many") {
    freshet::sequence_fence fence{10};
    for (std::size_t n = 0; n != 100; ++n) {
        fence.advance(key(n), number(std::to_string(n)));
        fence.advance(key(n), number(std::to_string(n + 1)));
        std::size_t remembered = 0;
        for (std::size_t before = 0; before <= n; ++before) {
            const bool known = fence.last(key(before)) != nullptr;
            remembered += known ? 1U : 0U;
            if (before + 10 > n) { CHECK(known); }
        }
        CHECK(remembered <= 20);
        CHECK(*fence.last(key(n)) == number(std::to_string(n + 1)));
    }
}

TEST_CASE("a fence that remembers nothing still knows the last item") {
    freshet::sequence_fence fence{0};
    fence.advance(key(1), number("1"));
    CHECK(fence.last(key(1)) != nullptr);
}
