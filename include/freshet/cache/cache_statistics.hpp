#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <thread>

#include <freshet/core/time.hpp>

namespace freshet {

/// What a cache has done since it was made. Each question, of a bulk each key, is a hit, stale, or a miss.
struct cache_statistics {
    std::uint64_t hits{};           ///< answers that were fresh
    std::uint64_t stale{};          ///< answers that were too old, while or because they were not loaded anew
    std::uint64_t misses{};         ///< answers from the source, failures, and `get` where nothing was fresh
    std::uint64_t loads{};          ///< of the source, successful ones
    std::uint64_t load_failures{};  ///< also those that came too late
    std::uint64_t shared{};         ///< answers of a load that another caller made
    std::uint64_t overtaken{};      ///< loads that were not kept, because of an invalidation
    std::uint64_t store_failures{}; ///< calls of the store
    duration load_time{};           ///< of all loads together; that of many keys with one call counts once

    /// The part of the answers that came from the store; zero where nobody asked.
    [[nodiscard]] constexpr auto hit_ratio() const noexcept -> double {
        const auto all = hits + stale + misses;
        return all == 0 ? 0 : static_cast<double>(hits + stale) / static_cast<double>(all);
    }
    friend auto operator==(const cache_statistics&, const cache_statistics&) -> bool = default;
};

/// Counts for many threads that do not wait for each other: exact once they have ended.
template <std::size_t Kinds>
class striped_counters {
public:
    void add(std::size_t kind, std::uint64_t n = 1) noexcept {
        stripes_[stripe()].counts[kind].fetch_add(n, std::memory_order_relaxed);
    }
    [[nodiscard]] auto sum(std::size_t kind) const noexcept -> std::uint64_t {
        std::uint64_t all = 0;
        for (const auto& stripe : stripes_) { all += stripe.counts[kind].load(std::memory_order_relaxed); }
        return all;
    }

private:
    static constexpr std::size_t width = 16;
    struct alignas(64) counts_of_some { // a cache line or more, so that threads do not take it from each other
        std::array<std::atomic<std::uint64_t>, Kinds> counts{};
    };

    [[nodiscard]] static auto stripe() noexcept -> std::size_t {
        static thread_local const auto mine = std::hash<std::thread::id>{}(std::this_thread::get_id()) / 64 % width;
        return mine;
    }

    std::array<counts_of_some, width> stripes_{};
};

} // namespace freshet
