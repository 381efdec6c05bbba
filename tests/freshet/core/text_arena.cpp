#include <freshet/core/text_arena.hpp>

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace {

struct piece {
    const char* at;
    std::size_t size;
    char fill;

    [[nodiscard]] auto intact() const -> bool {
        return std::all_of(at, at + size, [this](char c) { return c == fill; });
    }
};

} // namespace

TEST_CASE("a move takes the pieces along and leaves an arena of its own behind") {
    freshet::text_arena first;
    auto* const piece = first.allocate(8);
    std::fill_n(piece, 8, 'a');
    freshet::text_arena second{std::move(first)};
    auto* const other = first.allocate(8); // NOLINT(bugprone-use-after-move): that is the promise
    std::fill_n(other, 8, 'b');
    auto* const next = second.allocate(8);
    std::fill_n(next, 8, 'c');
    CHECK(std::string_view{piece, 8} == "aaaaaaaa");
    CHECK(std::string_view{other, 8} == "bbbbbbbb");
    first.reset();
    { const freshet::text_arena gone{std::move(second)}; }
    second.reset(); // NOLINT(bugprone-use-after-move)
    std::fill_n(second.allocate(8), 8, 'd');
    second = std::move(first);
    std::fill_n(second.allocate(8), 8, 'e');
    CHECK(std::string_view{other, 8} == "eeeeeeee"); // after its reset the first arena starts over
}

TEST_CASE("pieces stay where they are and keep what was written, until the reset") {
    std::mt19937_64 random{1};
    freshet::text_arena arena;
    for (int round = 0; round < 5; ++round) {
        std::vector<piece> pieces;
        for (int i = 0; i < 300; ++i) {
            const std::size_t size = random() % (i % 50 == 0 ? 20'000 : 200);
            const std::size_t used = size == 0 ? 0 : random() % size;
            auto* at = arena.allocate(size);
            const auto fill = static_cast<char>('a' + i % 26);
            std::fill_n(at, used, fill);
            arena.shrink_last(at + used);
            pieces.push_back({at, used, fill});
        }
        for (const auto& one : pieces) { REQUIRE(one.intact()); }
        arena.reset();
    }
}

TEST_CASE("what a piece gives back is the next one's") {
    freshet::text_arena arena;
    auto* first = arena.allocate(100);
    arena.shrink_last(first + 10);
    CHECK(arena.allocate(5) == first + 10);
    auto* second = arena.allocate(7);
    CHECK(second == first + 15);
    arena.shrink_last(second);
    CHECK(arena.allocate(7) == second);
}

TEST_CASE("after one round, a second like it finds one block and moves no more") {
    freshet::text_arena arena;
    const auto round = [&arena] {
        arena.reset();
        auto* first = arena.allocate(3000);
        static_cast<void>(arena.allocate(3000));
        static_cast<void>(arena.allocate(50'000));
        return first;
    };
    round();
    auto* settled = round();
    CHECK(round() == settled);
    CHECK(arena.allocate(10) != nullptr);
    CHECK(round() != nullptr);
}

TEST_CASE("an arena without pieces resets, and an empty piece is one") {
    freshet::text_arena arena;
    arena.reset();
    auto* none = arena.allocate(0);
    arena.shrink_last(none);
    arena.reset();
    CHECK(arena.allocate(1) != nullptr);
}
