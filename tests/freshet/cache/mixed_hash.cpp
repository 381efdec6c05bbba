#include <freshet/cache/mixed_hash.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>

TEST_CASE("numbers in a row, and far apart, spread over the lower and the upper bits") {
    for (const int shift : {0, 20, 40, 56}) {
        CAPTURE(shift);
        std::array<int, 64> lower{};
        std::array<int, 64> upper{};
        const int count = shift == 56 ? 256 : 6'400;
        for (int i = 0; i != count; ++i) {
            const auto hash = freshet::detail::mixed_hash(static_cast<std::uint64_t>(i) << shift);
            ++lower[hash % 64];
            ++upper[(hash >> 32) % 64];
        }
        const int fair = count / 64;
        CHECK(*std::max_element(lower.begin(), lower.end()) < 2 * fair + 8);
        CHECK(*std::max_element(upper.begin(), upper.end()) < 2 * fair + 8);
    }
}
