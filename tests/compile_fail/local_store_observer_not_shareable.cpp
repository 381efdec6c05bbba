// expect: a local_store's observer is called by several threads at once
#include <freshet/cache/local_store.hpp>
#include <freshet/testing/manual_clock.hpp>

struct own_observer {
    void on(const freshet::entry_removed&) {}
};

auto use(const freshet::testing::manual_clock& clock) {
    return freshet::local_store<int, int, freshet::testing::manual_clock, freshet::weigh_nothing, own_observer>{clock}
        .size();
}
