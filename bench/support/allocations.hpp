#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

/// Counts what the program allocates. Only for programs of one file: it replaces the global `operator new`.
namespace freshet_bench {

[[nodiscard]] inline auto allocations() -> std::size_t& {
    static std::size_t count = 0;
    return count;
}

} // namespace freshet_bench

// Not inlined: g++ would see half of a pair and warn of a mismatch.
[[gnu::noinline]] auto operator new(std::size_t size) -> void* {
    ++freshet_bench::allocations();
    if (void* const memory = std::malloc(size != 0 ? size : 1)) { return memory; }
    throw std::bad_alloc{};
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
