#include <freshet/cache/cache_statistics.hpp>

#include <thread>
#include <vector>

#include <doctest/doctest.h>

namespace {

using freshet::cache_statistics;

static_assert(cache_statistics{}.hit_ratio() == 0, "nobody asked");
static_assert(cache_statistics{.misses = 3}.hit_ratio() == 0);
static_assert(cache_statistics{.hits = 3}.hit_ratio() == 1);
static_assert(cache_statistics{.hits = 1, .stale = 2, .misses = 1}.hit_ratio() == 0.75, "what is stale was there");
static_assert(cache_statistics{.misses = 1, .loads = 5, .shared = 7}.hit_ratio() == 0, "loads are no questions");

} // namespace

TEST_CASE("what threads count at the same time is counted exactly once they have ended") {
    freshet::striped_counters<3> counters;
    {
        std::vector<std::jthread> crew;
        for (int worker = 0; worker != 8; ++worker) {
            crew.emplace_back([&] {
                for (std::uint64_t n = 0; n != 5'000; ++n) {
                    counters.add(0);
                    counters.add(2, n);
                }
            });
        }
    }
    CHECK(counters.sum(0) == 40'000);
    CHECK(counters.sum(1) == 0);
    CHECK(counters.sum(2) == 8 * (4'999ULL * 5'000 / 2));
}
