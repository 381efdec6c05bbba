#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

/// Keys in the order in which somebody asks for them.
namespace freshet_bench {

/// Draws numbers below `count`, the number i as often as 1 / (i + 1)^skew says.
class zipf {
public:
    zipf(std::size_t count, double skew) : sums_(count) {
        double sum = 0;
        for (std::size_t i = 0; i != count; ++i) { sums_[i] = sum += std::pow(static_cast<double>(i + 1), -skew); }
    }
    [[nodiscard]] auto operator()(std::mt19937_64& random) const -> std::uint64_t {
        const auto at = static_cast<double>(random() >> 11) * 0x1p-53 * sums_.back();
        return static_cast<std::uint64_t>(std::upper_bound(sums_.begin(), sums_.end() - 1, at) - sums_.begin());
    }

private:
    std::vector<double> sums_;
};

/// As `zipf` says.
[[nodiscard]] inline auto zipf_trace(std::size_t count, std::size_t keys, double skew) -> std::vector<std::uint64_t> {
    std::mt19937_64 random{11};
    const zipf draw{keys, skew};
    std::vector<std::uint64_t> trace(count);
    for (auto& key : trace) { key = draw(random); }
    return trace;
}

/// The same, and now and then somebody reads a long run of things that nobody asks for again.
[[nodiscard]] inline auto scan_trace(std::size_t count, std::size_t keys, double skew, std::size_t run)
    -> std::vector<std::uint64_t> {
    auto trace = zipf_trace(count, keys, skew);
    for (std::size_t at = run, other = keys; at + run < count; at += 4 * run) {
        for (std::size_t i = 0; i != run; ++i) { trace[at + i] = other++; }
    }
    return trace;
}

/// The same keys over and over.
[[nodiscard]] inline auto loop_trace(std::size_t count, std::size_t keys) -> std::vector<std::uint64_t> {
    std::vector<std::uint64_t> trace(count);
    for (std::size_t i = 0; i != count; ++i) { trace[i] = i % keys; }
    return trace;
}

/// Popularity moves on: what is asked for most is another key after each part of the trace.
[[nodiscard]] inline auto moving_trace(std::size_t count, std::size_t keys, double skew, std::size_t parts)
    -> std::vector<std::uint64_t> {
    auto trace = zipf_trace(count, keys, skew);
    for (std::size_t i = 0; i != count; ++i) { trace[i] = (trace[i] + i * parts / count * (keys / 7)) % keys; }
    return trace;
}

} // namespace freshet_bench
