// expect: a shared_watch is the word that its functions may be
#include <freshet/cache/local_store.hpp>
#include <freshet/cache/ttl_cache.hpp>

#include <string>

#include <freshet/testing/manual_clock.hpp>

using clock_type = freshet::testing::manual_clock;

auto use(freshet::local_store<std::string, int, clock_type>& store, const clock_type& clock) {
    freshet::ttl_cache cache{store, clock, {}, freshet::watch{freshet::on<freshet::cache_hit>([](const auto&) {})}};
}
