// expect: a bulk loader is called with a std::span<const Key> and a freshet::deadline
#include <freshet/cache/local_store.hpp>
#include <freshet/cache/ttl_cache.hpp>

#include <span>
#include <string>
#include <vector>

#include <freshet/testing/manual_clock.hpp>

using clock_type = freshet::testing::manual_clock;

auto use(freshet::local_store<std::string, int, clock_type>& store, const clock_type& clock) {
    freshet::ttl_cache cache{store, clock};
    const std::vector<std::string> keys{"a"};
    return cache.get_or_load_all(keys,
                                 [](std::span<const std::string>, freshet::deadline) { return std::vector<int>{1}; });
}
