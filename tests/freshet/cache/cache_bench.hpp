#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include <adapters/memory/ttl_store.hpp>
#include <freshet/backend/ttl_store.hpp>
#include <freshet/cache/ttl_cache.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/testing/faults.hpp>
#include <freshet/testing/faulty_ttl_store.hpp>
#include <freshet/testing/manual_clock.hpp>

namespace tests {

using freshet::result;
using memory_store = adapters::memory::ttl_store<freshet::testing::manual_clock, int>;
using faulty_store = freshet::testing::faulty_ttl_store<memory_store>;
using cache_type = freshet::ttl_cache<faulty_store, freshet::testing::manual_clock>;

inline auto down() -> result<int> { return freshet::error{freshet::errc::unavailable, "source: down"}; }

/// A clock, a store in which the script's faults happen, and loaders that count.
struct cache_bench {
    freshet::testing::manual_clock clock{};
    memory_store memory{clock};
    freshet::testing::faults script{};
    faulty_store store{memory, script};
    int loads{};

    /// Brings a value.
    auto gives(int value) {
        return [this, value]() -> result<int> {
            ++loads;
            return value;
        };
    }
    /// Brings a value, or none, that is fresh for another time than the cache's.
    auto gives(std::optional<int> value, std::optional<freshet::duration> ttl) {
        return [this, value, ttl]() -> result<freshet::loaded<int>> {
            ++loads;
            return freshet::loaded<int>{value, ttl};
        };
    }
    auto fails() {
        return [this]() -> result<int> {
            ++loads;
            return down();
        };
    }
    /// Time passes while it loads.
    auto takes(freshet::duration span, result<int> outcome) {
        return [this, span, outcome]() -> result<int> {
            ++loads;
            clock.advance(span);
            return outcome;
        };
    }
    [[nodiscard]] auto has(const std::string& key) -> bool { return memory.get(key)->entry.has_value(); }
};

/// An answer in a line: `7 fresh 5s`, with the age in whole seconds; `none loaded 0s`; or the code of the error.
[[nodiscard]] inline auto line(const result<freshet::cached<int>>& answer) -> std::string {
    if (!answer) { return std::string{name_of(answer.why().code)}; }
    return (answer->value ? std::to_string(*answer->value) : "none") + " " + std::string{name_of(answer->origin)} +
           " " + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(answer->age).count()) + "s";
}
[[nodiscard]] inline auto line(const result<std::optional<freshet::cached<int>>>& answer) -> std::string {
    if (answer && !*answer) { return "nothing"; }
    return answer ? line(result<freshet::cached<int>>{**answer}) : std::string{name_of(answer.why().code)};
}

} // namespace tests
