#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include <freshet/backend/executor.hpp>
#include <freshet/testing/shuffle.hpp>
#include <freshet/work/random_source.hpp>

namespace freshet::testing {

/// Runs the tasks one after the other on the calling thread, in an order that the seed decides; each call in another.
class shuffled_executor {
public:
    explicit shuffled_executor(std::uint64_t seed) noexcept : random_{seed} {}

    template <class Body>
    void each(std::size_t n, Body&& body) {
        std::vector<std::size_t> order(n);
        std::iota(order.begin(), order.end(), std::size_t{0});
        shuffle(std::span{order}, random_);
        for (const auto task : order) { body(task); }
    }

private:
    random_source random_;
};

static_assert(executor<shuffled_executor>);

} // namespace freshet::testing
