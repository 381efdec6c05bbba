#pragma once

#include <cstdint>

namespace freshet {

/// Random numbers from a seed: the same seed gives the same numbers, on every machine.
///
/// A small copyable value for jitter and for tests; nothing secret may depend on it. Satisfies
/// `std::uniform_random_bit_generator`. The algorithm is SplitMix64 (Steele, Lea and Flood, "Fast splittable
/// pseudorandom number generators", 2014).
class random_source {
public:
    using result_type = std::uint64_t;

    explicit constexpr random_source(std::uint64_t seed) noexcept : state_{seed} {}

    [[nodiscard]] static constexpr auto min() noexcept -> result_type { return 0; }
    [[nodiscard]] static constexpr auto max() noexcept -> result_type { return ~result_type{0}; }

    constexpr auto operator()() noexcept -> result_type {
        state_ += 0x9E3779B97F4A7C15U;
        auto mixed = state_;
        mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
        mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
        return mixed ^ (mixed >> 31U);
    }

private:
    std::uint64_t state_;
};

} // namespace freshet
