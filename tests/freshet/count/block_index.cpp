#include <freshet/count/block_index.hpp>

#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include <support/cases.hpp>

using freshet::detail::block_index;

TEST_CASE("an empty index finds nothing") {
    const block_index index;
    CHECK(index.size() == 0);
    CHECK(index.find(0) == block_index::nowhere);
    CHECK(index.ascending().empty());
}

TEST_CASE("blocks are numbered as they come, also the first and the last that there are") {
    constexpr auto last = std::numeric_limits<std::uint64_t>::max();
    block_index index;
    const std::vector<std::uint64_t> blocks{5, 0, last, last - 1, 6};
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        CHECK(index.find(blocks[i]) == block_index::nowhere);
        CHECK(index.add(blocks[i]) == i);
    }
    for (std::size_t i = 0; i < blocks.size(); ++i) { CHECK(index.find(blocks[i]) == i); }
    CHECK(index.find(7) == block_index::nowhere);
    std::vector<std::uint64_t> ascending;
    for (const auto& each : index.ascending()) { ascending.push_back(each.block); }
    CHECK(ascending == std::vector<std::uint64_t>{0, 5, 6, last - 1, last});
}

TEST_CASE("an index agrees with a map, however the blocks are spread and while it grows") {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    for (const std::uint64_t step : {1ULL, 24ULL, 1ULL << 20, 1ULL << 40}) {
        block_index index;
        std::map<std::uint64_t, std::size_t> wanted;
        for (std::size_t i = 0; i < support::cases(5'000); ++i) {
            const auto block = random() % 2'000 * step;
            const auto [found, fresh] = wanted.try_emplace(block, wanted.size());
            REQUIRE((index.find(block) == block_index::nowhere) == fresh);
            if (fresh) { REQUIRE(index.add(block) == found->second); }
            REQUIRE(index.find(block) == found->second);
        }
        REQUIRE(index.size() == wanted.size());
        auto at = wanted.begin();
        for (const auto& each : index.ascending()) {
            REQUIRE(each.block == at->first);
            REQUIRE(each.place == at->second);
            ++at;
        }
    }
}
