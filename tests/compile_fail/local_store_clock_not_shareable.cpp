// expect: a local_store needs a clock that threads may share
#include <freshet/cache/local_store.hpp>

struct own_clock {
    auto now() const -> freshet::time_point { return {}; }
};

auto use(const own_clock& clock) { return freshet::local_store<int, int, own_clock>{clock}.size(); }
