#include <freshet/core/sha256_blocks.hpp>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

#include <doctest/doctest.h>

TEST_CASE("the machine's own kernel and the portable one carry the same state") {
    if (!freshet::sha256_blocks_native_works()) {
        MESSAGE("this machine has no SHA instructions: only the portable kernel is tested here");
        return;
    }
    constexpr std::uint64_t seed = 20240902;
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    for (std::size_t count = 0; count < 40; ++count) {
        std::string bytes(1 + 64 * count, '\0'); // from an odd address on
        for (auto& byte : bytes) { byte = static_cast<char>(random() & 0xff); }
        freshet::sha256_state native{};
        for (auto& word : native) { word = static_cast<std::uint32_t>(random()); }
        auto portable = native;
        auto best = native;
        freshet::sha256_blocks_native(native, bytes.data() + 1, count);
        freshet::sha256_blocks_portable(portable, bytes.data() + 1, count);
        freshet::sha256_blocks(best, bytes.data() + 1, count);
        CAPTURE(count);
        REQUIRE(native == portable);
        REQUIRE(best == portable);
    }
}

TEST_CASE("no blocks leave the state as it was") {
    auto state = freshet::sha256_start;
    freshet::sha256_blocks(state, nullptr, 0);
    CHECK(state == freshet::sha256_start);
}
