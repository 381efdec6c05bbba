#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>

#include <freshet/cache/mixed_hash.hpp>

namespace freshet {

/// Counts invalidations, those under way and those that have ended. Keys share a fixed number of counts. Thread safe.
template <class Key>
class invalidation_counts {
public:
    void begin(const Key& key) noexcept { counts_[place_of(key)] += begun; }
    void end(const Key& key) noexcept { counts_[place_of(key)] += ended; }
    void begin_all() noexcept { add_to_all(begun); }
    void end_all() noexcept { add_to_all(ended); }

    /// A number that is another one after an invalidation of the key than before it and while it is under way.
    [[nodiscard]] auto of(const Key& key) const noexcept -> std::uint64_t { return counts_[place_of(key)]; }

    /// Whether between these two numbers of a key one invalidation began and ended, and no other was under way.
    [[nodiscard]] static constexpr auto is_one_alone(std::uint64_t before, std::uint64_t after) noexcept -> bool {
        return before % one_ended == 0 && after == before + one_ended;
    }

private:
    // Below, those that are under way; above, those that have ended.
    static constexpr std::uint64_t one_ended = std::uint64_t{1} << 32;
    static constexpr std::uint64_t begun = 1;
    static constexpr std::uint64_t ended = one_ended - 1;
    static constexpr std::size_t places = 256;

    [[nodiscard]] static auto place_of(const Key& key) noexcept -> std::size_t {
        return detail::mixed_hash(std::hash<Key>{}(key)) % places;
    }
    void add_to_all(std::uint64_t what) noexcept {
        for (auto& each : counts_) { each += what; }
    }

    std::array<std::atomic<std::uint64_t>, places> counts_{};
};

} // namespace freshet
