#include <freshet/testing/shuffled_executor.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <vector>

#include <doctest/doctest.h>

#include <support/cases.hpp>

namespace {

using freshet::testing::shuffled_executor;
using indices = std::vector<std::size_t>;

auto order_of(shuffled_executor& workers, std::size_t n) -> indices {
    indices order;
    workers.each(n, [&](std::size_t i) { order.push_back(i); });
    return order;
}

} // namespace

TEST_CASE("every task runs once, in an order that the seed decides") {
    shuffled_executor first{7}, same{7}, other{8};
    const auto order = order_of(first, 50);
    CHECK(order == order_of(same, 50));
    CHECK(order != order_of(other, 50));
    auto sorted = order;
    std::sort(sorted.begin(), sorted.end());
    CHECK(sorted != order);
    for (std::size_t i = 0; i < 50; ++i) { CHECK(sorted[i] == i); }
    CHECK(order_of(first, 0).empty());
    CHECK(order_of(first, 1) == indices{0});
}

TEST_CASE("each call has another order") {
    shuffled_executor workers{7};
    CHECK(order_of(workers, 50) != order_of(workers, 50));
}

TEST_CASE("all orders of three tasks come, about equally often") {
    CAPTURE(support::seed());
    shuffled_executor workers{support::seed()};
    std::map<indices, int> times;
    for (int i = 0; i < 6'000; ++i) { ++times[order_of(workers, 3)]; }
    CHECK(times.size() == 6);
    for (const auto& [order, n] : times) {
        CHECK(n > 850);
        CHECK(n < 1'150);
    }
}
