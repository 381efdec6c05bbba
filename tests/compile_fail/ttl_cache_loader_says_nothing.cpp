// expect: a loader answers with a freshet::result of a value
#include <freshet/cache/local_store.hpp>
#include <freshet/cache/ttl_cache.hpp>

#include <string>

#include <freshet/testing/manual_clock.hpp>

using clock_type = freshet::testing::manual_clock;

auto use(freshet::local_store<std::string, int, clock_type>& store, const clock_type& clock) {
    freshet::ttl_cache cache{store, clock};
    return cache.get_or_load("a", [] { return 1; });
}
