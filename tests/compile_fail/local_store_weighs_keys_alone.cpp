// expect: a local_store weighs with weigh
#include <cstddef>

#include <freshet/cache/local_store.hpp>
#include <freshet/testing/manual_clock.hpp>

struct weigh_key {
    auto operator()(const int&) const -> std::size_t { return 1; }
};

auto use(const freshet::testing::manual_clock& clock) {
    return freshet::local_store<int, int, freshet::testing::manual_clock, weigh_key>{clock}.size();
}
