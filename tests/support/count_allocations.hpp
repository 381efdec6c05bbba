#pragma once

// Replaces the global operator new by one that counts. Included by one file of a test program, and by no header.

#include <cstddef>
#include <cstdlib>
#include <new>

#include <support/allocations.hpp>

namespace support {

[[nodiscard]] inline auto counted(std::size_t size) -> void* {
    ++allocations;
    auto* memory = std::malloc(size == 0 ? 1 : size);
    if (memory == nullptr) { throw std::bad_alloc{}; }
    return memory;
}

} // namespace support

// Not inlined: the compiler would take a malloc that it sees behind a new for a mismatch.
[[gnu::noinline]] auto operator new(std::size_t size) -> void* { return support::counted(size); }
[[gnu::noinline]] auto operator new[](std::size_t size) -> void* { return support::counted(size); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
