#include <freshet/work/executor.hpp>

#include <atomic>
#include <cstddef>
#include <latch>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <pthread.h>

#include <freshet/backend/shareable.hpp>
#include <freshet/testing/shuffled_executor.hpp>

namespace {

using freshet::inline_executor;
using freshet::thread_executor;

static_assert(freshet::shareable<inline_executor> && freshet::shareable<thread_executor>);

/// How often each of n tasks ran; no lock but the executor's own.
template <class Executor>
auto runs_of(Executor&& workers, std::size_t n) -> std::vector<int> {
    std::vector<int> runs(n);
    workers.each(n, [&](std::size_t i) { ++runs[i]; });
    return runs;
}

/// While it lives, no thread can be started: each asks for more stack than there are addresses.
class no_more_threads {
public:
    no_more_threads() {
        pthread_getattr_default_np(&usual_);
        pthread_attr_t huge;
        pthread_getattr_default_np(&huge);
        pthread_attr_setstacksize(&huge, std::size_t{1} << 50U);
        pthread_setattr_default_np(&huge);
        pthread_attr_destroy(&huge);
    }
    no_more_threads(const no_more_threads&) = delete;
    auto operator=(const no_more_threads&) -> no_more_threads& = delete;
    ~no_more_threads() {
        pthread_setattr_default_np(&usual_);
        pthread_attr_destroy(&usual_);
    }

private:
    pthread_attr_t usual_{};
};

} // namespace

TEST_CASE("every task runs exactly once, and what it did is visible afterwards") {
    for (const std::size_t n : {0U, 1U, 2U, 3U, 7U, 1'000U}) {
        const std::vector<int> once(n, 1);
        CHECK(runs_of(inline_executor{}, n) == once);
        CHECK(runs_of(freshet::testing::shuffled_executor{n}, n) == once);
        for (const unsigned workers : {0U, 1U, 2U, 8U}) { CHECK(runs_of(thread_executor{workers}, n) == once); }
    }
}

TEST_CASE("tasks inline keep their order and the caller's thread") {
    std::vector<std::size_t> order;
    const auto caller = std::this_thread::get_id();
    inline_executor{}.each(4, [&](std::size_t i) {
        CHECK(std::this_thread::get_id() == caller);
        order.push_back(i);
    });
    CHECK(order == std::vector<std::size_t>{0, 1, 2, 3});
}

TEST_CASE("as many tasks run at once as there are workers") {
    std::latch all_here{4};
    std::mutex guard;
    std::set<std::thread::id> threads;
    thread_executor{4}.each(4, [&](std::size_t) {
        all_here.arrive_and_wait();
        const std::scoped_lock lock{guard};
        threads.insert(std::this_thread::get_id());
    });
    CHECK(threads.size() == 4);
    CHECK(threads.contains(std::this_thread::get_id()));
}

TEST_CASE("one worker is the caller, and so is the worker of one task") {
    std::atomic<bool> elsewhere{};
    const auto caller = std::this_thread::get_id();
    const auto look = [&](std::size_t) {
        if (std::this_thread::get_id() != caller) { elsewhere = true; }
        std::this_thread::yield(); // so that another thread, were there one, would get some of the tasks
    };
    thread_executor{1}.each(5'000, look);
    for (int i = 0; i < 100; ++i) { thread_executor{8}.each(1, look); }
    CHECK_FALSE(elsewhere);
}

TEST_CASE("where no thread can be started the caller runs every task") {
    const no_more_threads here;
    bool started = true;
    try {
        std::thread{[] {}}.join();
    } catch (const std::system_error&) {
        started = false;
    }
    REQUIRE_FALSE(started);
    CHECK(runs_of(thread_executor{4}, 100) == std::vector<int>(100, 1));
}

TEST_CASE("two callers share one executor, and a task may use it too") {
    const thread_executor workers{3};
    std::atomic<int> runs{};
    const auto some = [&] { workers.each(20, [&](std::size_t) { workers.each(3, [&](std::size_t) { ++runs; }); }); };
    {
        const std::jthread other{some};
        some();
    }
    CHECK(runs == 120);
}
