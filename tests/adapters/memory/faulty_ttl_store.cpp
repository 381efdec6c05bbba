#include <freshet/testing/faulty_ttl_store.hpp>

#include <doctest/doctest.h>

#include <chrono>

#include <adapters/memory/ttl_store.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <laws/ttl_store.hpp>

namespace {

using freshet::testing::manual_clock;
using memory_store = adapters::memory::ttl_store<manual_clock>;
using faulty_store = freshet::testing::faulty_ttl_store<memory_store>;

static_assert(freshet::ttl_store<faulty_store>);

struct faultless_store {
    manual_clock clock_;
    memory_store memory_{clock_};
    freshet::testing::faults none_;
    faulty_store store_{memory_, none_};

    auto store() -> faulty_store& { return store_; }
    auto clock() -> manual_clock& { return clock_; }
    [[nodiscard]] auto fence_time() const -> freshet::duration { return std::chrono::minutes{15}; }
};

} // namespace

FRESHET_TTL_STORE_LAWS(faultless_store);
