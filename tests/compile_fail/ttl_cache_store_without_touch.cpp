// expect: a ttl_cache needs a ttl_store
#include <freshet/cache/ttl_cache.hpp>

#include <string>

#include <freshet/testing/manual_clock.hpp>

struct untouchable {
    using is_shareable = void;
    using key_type = std::string;
    using mapped_type = int;
    static constexpr auto fence = freshet::fence_scope::process;
    auto get(const std::string&) -> freshet::result<freshet::looked_up<int>>;
    auto put(const std::string&, const freshet::cache_entry<int>&, const freshet::store_ticket&)
        -> freshet::result<void>;
    auto erase(const std::string&) -> freshet::result<void>;
    auto clear() -> freshet::result<void>;
};

auto use(untouchable& store, const freshet::testing::manual_clock& clock) { freshet::ttl_cache cache{store, clock}; }
